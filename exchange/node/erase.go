package node

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"regexp"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/holdings"
	"github.com/onedoor/yimen/exchange/identity"
)

// EraseRequest is the body of POST /v1/erasures.
type EraseRequest struct {
	Kind   string                `json:"kind"`             // record, holder or lift
	Number string                `json:"number,omitempty"` // holder: the citizen number or credit code
	Type   exchange.EvidenceType `json:"type,omitempty"`   // record
	Record string                `json:"record,omitempty"` // record: its id in hexadecimal
	Lifts  string                `json:"lifts,omitempty"`  // lift: the order that ends
	Basis  string                `json:"basis"`            // a code for the legal ground, such as pipl-47
}

// Erased is what an order to forget came to. It repeats no number.
type Erased struct {
	ID     string    `json:"id"`
	Kind   string    `json:"kind"`
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Basis  string    `json:"basis"`
	Traces int       `json:"traces"` // messages on topics whose bytes go
}

func erased(e holdings.Erasure) Erased {
	return Erased{ID: e.ID, Kind: e.Kind, At: e.At, By: e.By, Basis: e.Basis, Traces: len(e.Traces)}
}

// basisForm keeps names and numbers of people out of a topic that is never cleaned.
var basisForm = regexp.MustCompile(`^[a-z][a-z0-9-]{1,39}$`)

// Erase gives an order to forget to all nodes, and frees Kafka of the bytes. It returns once this node obeys.
func (n *Node) Erase(ctx context.Context, by string, asked EraseRequest) (Erased, error) {
	order, err := n.forget(ctx, asked)
	if err != nil {
		return Erased{}, err
	}
	order.ID, order.At, order.By, order.Basis = rand.Text(), n.around.Clock().UTC(), by, asked.Basis
	if err := n.act(ctx, by, "erase-"+order.Kind, order.ID); err != nil {
		return Erased{}, err
	}
	keys, err := n.signers(ctx, ordersKey)
	if err != nil {
		return Erased{}, err
	}
	message, err := order.Message(keys[len(keys)-1])
	if err != nil {
		return Erased{}, err
	}
	said := []exchange.Message{message}
	if err := n.Bus.Append(ctx, message.Topic, said); err != nil {
		return Erased{}, err
	}
	if err := n.obeyed(ctx, said[0].Offset); err != nil {
		return Erased{}, err
	}
	return erased(order), n.bury(ctx, order)
}

// forget reads what is to be erased.
func (n *Node) forget(ctx context.Context, asked EraseRequest) (holdings.Erasure, error) {
	if !basisForm.MatchString(asked.Basis) {
		return holdings.Erasure{}, badErasure(text("缺少法律依据的代码，或写法不对", "the code of the legal ground is missing or not well formed"))
	}
	switch asked.Kind {
	case holdings.EraseHolder:
		holder, err := identity.ParseHolder(asked.Number)
		if err != nil {
			return holdings.Erasure{}, err
		}
		return n.Index.Forget(ctx, &holder, "", exchange.RecordID{})
	case holdings.EraseRecord:
		var id exchange.RecordID
		if _, known := n.Catalogue.Evidence(asked.Type); !known || id.UnmarshalText([]byte(asked.Record)) != nil {
			return holdings.Erasure{}, badErasure(text("没有这种证照，或记录编号不是 32 位十六进制", "there is no such evidence type, or the record's id is not 32 hexadecimal digits"))
		}
		return n.Index.Forget(ctx, nil, asked.Type, id)
	case holdings.EraseLift:
		for _, e := range n.Index.Erasures() {
			if e.ID == asked.Lifts {
				return holdings.Erasure{Kind: holdings.EraseLift, Lifts: e.ID}, nil
			}
		}
		return holdings.Erasure{}, badErasure(text("没有这个删除指令", "there is no such order"))
	}
	return holdings.Erasure{}, badErasure(text("kind 须是 holder、record 或 lift", "kind must be holder, record or lift"))
}

// obeyed waits until this node has folded the erasure at the offset.
func (n *Node) obeyed(ctx context.Context, offset int64) error {
	for {
		next, err := n.Index.Next(ctx, holdings.ErasuresTopic)
		if err != nil || next[0] > offset {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-n.life.Done():
			return context.Cause(n.life)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// bury appends the tombstones of an order.
func (n *Node) bury(ctx context.Context, order holdings.Erasure) error {
	keys, err := n.signers(ctx, ordersKey)
	if err != nil {
		return err
	}
	byTopic := map[string][]exchange.Message{}
	for _, m := range order.Tombstones(keys[len(keys)-1]) {
		byTopic[m.Topic] = append(byTopic[m.Topic], m)
	}
	for topic, tombstones := range byTopic {
		if err := n.Bus.Append(ctx, topic, tombstones); err != nil {
			return err
		}
	}
	return nil
}

// buryAgain appends the tombstones once more when the bound for compaction is over: Kafka leaves the newest part of a topic as it
// is, and on a quiet topic the first tombstones would stay in it with what they are for.
func (n *Node) buryAgain(ctx context.Context) error {
	within := n.cfg.Kafka.EraseWithin
	tick := time.NewTicker(min(max(within/4, time.Second), time.Hour))
	defer tick.Stop()
	done := map[string]bool{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for _, order := range n.Index.Erasures() {
			age := n.around.Clock().Sub(order.At)
			if done[order.ID] || age < within || age > 3*within {
				continue
			}
			if err := n.bury(ctx, order); err != nil {
				n.around.Log.Warn("tombstones of an erasure were not repeated", "erasure", order.ID, "error", err)
				continue
			}
			done[order.ID] = true
		}
	}
}

// erasures serves POST and GET /v1/erasures, refusals GET /v1/refusals: what the index did not take.
func (n *Node) erasures() http.Handler {
	mux := http.NewServeMux()
	admin := n.door.With(door.Admin)
	answer := func(do func(r *http.Request, who string) (any, error)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
			who, err := admin(r)
			var value any
			if err == nil {
				value, err = do(r, who)
			}
			if err != nil {
				api.Fail(w, r, err)
				return
			}
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			json.MarshalWrite(w, value) // a client that is gone needs no answer
		}
	}
	mux.HandleFunc("POST /v1/erasures", answer(func(r *http.Request, who string) (any, error) {
		var asked EraseRequest
		body, err := io.ReadAll(r.Body)
		if err != nil || json.Unmarshal(body, &asked, json.RejectUnknownMembers(true)) != nil {
			return nil, badErasure(text("正文不是所要的 JSON", "the body is not the JSON that is wanted"))
		}
		return n.Erase(r.Context(), who, asked)
	}))
	mux.HandleFunc("GET /v1/erasures", answer(func(*http.Request, string) (any, error) {
		all := []Erased{}
		for _, e := range n.Index.Erasures() {
			all = append(all, erased(e))
		}
		return all, nil
	}))
	mux.HandleFunc("GET /v1/refusals", answer(func(r *http.Request, _ string) (any, error) {
		all, err := n.Index.Refused(r.Context())
		return append([]holdings.Refusal{}, all...), err
	}))
	return mux
}

func badErasure(why exchange.Text) error {
	return &exchange.Problem{Code: "YM-ERA-0101", Kind: exchange.Invalid, Why: why, What: text("删除请求不可用", "the request to erase cannot be used"),
		Mend: text("用 yimen erase holder、record 或 lift；--basis 写小写字母、数字和 - 的代码，如 pipl-47", "use `yimen erase holder`, `record` or `lift`; --basis is a code of small letters, digits and hyphens, such as pipl-47")}
}
