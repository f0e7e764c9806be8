package holdings

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// ErasuresTopic carries the orders to forget. It has one partition and is never cleaned: a node that was away for longer than
// tombstones live learns from it all the same.
const ErasuresTopic = topicErasures

// Erasure is an order to forget (删除): a record, or everything of a holder. It names the holder by the index's token, never by
// number. What is ordered holds for what comes later too, until a lift names the order.
//
// Of a record with several holders, such as a marriage, forgetting one leaves it to the others: it is their evidence as well. A
// record all of whose holders are forgotten is gone.
type Erasure struct {
	Format int       `json:"format"`
	ID     string    `json:"id"`
	Kind   string    `json:"kind"` // record, holder or lift
	At     time.Time `json:"at"`
	By     string    `json:"by"`    // the administrator: department and staff code
	Basis  string    `json:"basis"` // a code for the legal ground, such as pipl-47
	// Type and Record name a record; Holder is a token in hexadecimal; Lifts is the id of the order that ends.
	Type   exchange.EvidenceType `json:"type,omitempty"`
	Record string                `json:"record,omitempty"`
	Holder string                `json:"holder,omitempty"`
	Lifts  string                `json:"lifts,omitempty"`
	// Traces are what stood on topics when it was ordered: their tombstones free Kafka of the bytes.
	Traces []Trace `json:"traces,omitempty"`
}

// Trace is the place of a message: topic, key and what decided its partition.
type Trace struct {
	Topic string `json:"topic"`
	Key   []byte `json:"key"`
	Route []byte `json:"route,omitempty"`
}

// The kinds of erasure.
const (
	EraseRecord = "record"
	EraseHolder = "holder"
	EraseLift   = "lift"
)

const (
	erasureFormat = 1
	maxErasure    = 900 << 10 // bytes
)

// Message is the order as it stands on its topic, signed by the exchange.
func (e Erasure) Message(key ed25519.PrivateKey) (exchange.Message, error) {
	e.Format = erasureFormat
	value, err := json.Marshal(e, json.Deterministic(true))
	if err != nil {
		return exchange.Message{}, fmt.Errorf("write erasure: %w", err)
	}
	m := exchange.Message{Topic: ErasuresTopic, Key: []byte(e.ID), Value: value, Time: e.At}
	envelope.SignOrder(key, &m)
	return m, nil
}

// Tombstones are the messages that free Kafka of what the order names. Kafka keeps the newest part of a topic as it is, so they
// work only once something else was appended after them: append them again when the topics' compaction lag is over.
func (e Erasure) Tombstones(key ed25519.PrivateKey) []exchange.Message {
	var all []exchange.Message
	for _, t := range e.Traces {
		m := exchange.Message{Topic: t.Topic, Key: t.Key, Route: t.Route}
		envelope.SignOrder(key, &m)
		all = append(all, m)
	}
	return all
}

// parseErasure reads an order strictly.
func parseErasure(m *exchange.Message) (Erasure, error) {
	var e Erasure
	if len(m.Value) > maxErasure {
		return Erasure{}, fmt.Errorf("erasure of %d bytes", len(m.Value))
	}
	if err := json.Unmarshal(m.Value, &e, json.RejectUnknownMembers(true)); err != nil {
		return Erasure{}, fmt.Errorf("erasure is not readable")
	}
	if e.Format != erasureFormat || e.ID == "" || e.ID != string(m.Key) || e.At.IsZero() {
		return Erasure{}, fmt.Errorf("erasure without id or time, or of another format")
	}
	_, recordErr := e.record()
	_, holderErr := e.token()
	switch {
	case e.Kind == EraseRecord && recordErr == nil && exchange.ValidName(string(e.Type)) && e.Holder == "" && e.Lifts == "":
	case e.Kind == EraseHolder && holderErr == nil && e.Record == "" && e.Lifts == "":
	case e.Kind == EraseLift && e.Lifts != "" && e.Record == "" && e.Holder == "":
	default:
		return Erasure{}, fmt.Errorf("erasure does not say what of")
	}
	return e, nil
}

func (e *Erasure) record() (id exchange.RecordID, err error) {
	return id, id.UnmarshalText([]byte(e.Record))
}

func (e *Erasure) token() (t token, err error) {
	if len(e.Holder) != 2*len(t) {
		return t, fmt.Errorf("token of %d characters", len(e.Holder))
	}
	_, err = hex.Decode(t[:], []byte(e.Holder))
	return t, err
}

// isOrder says whether the exchange signed the message.
func (x *Index) isOrder(m *exchange.Message) bool {
	return slices.ContainsFunc(x.orders, func(key ed25519.PublicKey) bool { return envelope.VerifyOrder(key, m) == nil })
}

// forgotten is what is not to be found any more. It follows from all orders, whatever came first.
type forgotten struct {
	orders  map[string]Erasure // by id
	records map[string]bool    // type ‖ id
	holders map[token]bool
}

func (f *forgotten) add(e Erasure) {
	f.orders[e.ID] = e
	f.records, f.holders = map[string]bool{}, map[token]bool{}
	lifted := map[string]bool{}
	for _, o := range f.orders {
		lifted[o.Lifts] = o.Kind == EraseLift || lifted[o.Lifts]
	}
	for _, o := range f.orders {
		if lifted[o.ID] {
			continue
		}
		switch o.Kind {
		case EraseRecord:
			id, _ := o.record()
			f.records[recordName(o.Type, id)] = true
		case EraseHolder:
			t, _ := o.token()
			f.holders[t] = true
		}
	}
}

func recordName(t exchange.EvidenceType, id exchange.RecordID) string {
	return string(t) + string(id[:])
}

func (x *Index) isErased(t exchange.EvidenceType, id exchange.RecordID) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.forgotten.records) > 0 && x.forgotten.records[recordName(t, id)]
}

func (x *Index) isForgotten(t token) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.forgotten.holders) > 0 && x.forgotten.holders[t]
}

// Obey says where the topic of erasures ended when the node started. Until it is folded up to there, nothing is found: an index
// that was away, or that was restored from a backup, must not show what has been forgotten since.
func (x *Index) Obey(end int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.obeyed = max(x.obeyed, end)
}

func (x *Index) mayFind() error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.places[topicErasures][0].Next >= x.obeyed {
		return nil
	}
	return &exchange.Problem{Code: "YM-IDX-0302", Kind: exchange.Unavailable,
		What: exchange.Text{ZH: "索引还没有读完删除指令，因此不给结论", EN: "the index has not read all orders to forget, so there is no answer"},
		Mend: exchange.Text{ZH: "几秒后重试；若持续，检查 Kafka", EN: "retry in a few seconds; if it persists, check Kafka"}}
}

// Erasures lists the orders that are known, the latest first.
func (x *Index) Erasures() []Erasure {
	x.mu.RLock()
	defer x.mu.RUnlock()
	all := []Erasure{}
	for _, e := range x.forgotten.orders {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b Erasure) int { return b.At.Compare(a.At) })
	return all
}

// loadErasures reads the orders that were folded.
func (x *Index) loadErasures(ctx context.Context) error {
	return x.scan(ctx, []byte{familyErasure}, func(_, value []byte) error {
		var e Erasure
		if err := json.Unmarshal(value, &e); err != nil {
			return errDamaged
		}
		x.forgotten.add(e)
		return nil
	})
}
