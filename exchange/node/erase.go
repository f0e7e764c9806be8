package node

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/erasure"
	"github.com/onedoor/yimen/exchange/holdings"
	"github.com/onedoor/yimen/exchange/identity"
)

// EraseRequest is the body of POST /v1/erasures.
type EraseRequest struct {
	Kind   erasure.Kind          `json:"kind"`
	Number string                `json:"number,omitempty"` // holder: the citizen number or credit code
	Type   exchange.EvidenceType `json:"type,omitempty"`   // record
	Record string                `json:"record,omitempty"` // record: its id in hexadecimal
	Lifts  string                `json:"lifts,omitempty"`  // lift: the order that ends
	Basis  string                `json:"basis"`            // a code for the legal ground, such as pipl-47
}

// Erased is what an order to forget came to. It repeats no number.
type Erased struct {
	ID      string       `json:"id"`
	Kind    erasure.Kind `json:"kind"`
	At      time.Time    `json:"at"`
	By      string       `json:"by"`
	Basis   string       `json:"basis"`
	Records int          `json:"records"` // whose bytes leave Kafka; of a holder those that name nobody else
}

func erased(o erasure.Order) Erased {
	return Erased{ID: o.ID, Kind: o.Kind, At: o.At, By: o.By, Basis: o.Basis, Records: len(o.Records)}
}

// basisForm keeps names and numbers of people out of a topic that is never cleaned.
var basisForm = regexp.MustCompile(`^[a-z][a-z0-9-]{1,39}$`)

// Erase gives an order to forget to all nodes. It returns once this node obeys; the bytes on topics follow.
func (n *Node) Erase(ctx context.Context, by string, asked EraseRequest) (Erased, error) {
	order, err := n.order(ctx, asked)
	if err != nil {
		return Erased{}, err
	}
	order.ID, order.At, order.By, order.Basis = rand.Text(), n.around.Clock().UTC(), by, asked.Basis
	key, err := n.orders().Signer(ctx)
	if err != nil {
		return Erased{}, err
	}
	message, err := order.Message(key)
	if err != nil {
		return Erased{}, err
	}
	if err := n.act(ctx, by, "erase-"+string(order.Kind), order.ID); err != nil {
		return Erased{}, err
	}
	said := []exchange.Message{message}
	if err := n.Bus.Append(ctx, message.Topic, said); err != nil {
		return Erased{}, err
	}
	return erased(order), n.obeyed(ctx, said[0].Offset)
}

// order reads what is to be erased.
func (n *Node) order(ctx context.Context, asked EraseRequest) (erasure.Order, error) {
	if !basisForm.MatchString(asked.Basis) {
		return erasure.Order{}, badErasure(text("缺少法律依据的代码，或写法不对", "the code of the legal ground is missing or not well formed"))
	}
	order := erasure.Order{Kind: asked.Kind}
	switch asked.Kind {
	case erasure.OfHolder:
		holder, err := identity.ParseHolder(asked.Number)
		if err != nil {
			return order, err
		}
		owned, err := n.Index.Owned(ctx, holder)
		order.Holder, order.Records = owned.Token, owned.Alone
		return order, err
	case erasure.OfRecord:
		record := erasure.Record{Type: asked.Type}
		if _, known := n.Catalogue.Evidence(asked.Type); !known || record.ID.UnmarshalText([]byte(asked.Record)) != nil {
			return order, badErasure(text("没有这种证照，或记录编号不是 32 位十六进制", "there is no such evidence type, or the record's id is not 32 hexadecimal digits"))
		}
		order.Records = []erasure.Record{record}
		return order, nil
	case erasure.Lift:
		for _, before := range n.Index.Orders() {
			if before.ID == asked.Lifts && before.Kind != erasure.Lift {
				order.Lifts = before.ID
				return order, nil
			}
		}
		return order, badErasure(text("没有这个删除指令", "there is no such order"))
	}
	return order, badErasure(text("kind 须是 holder、record 或 lift", "kind must be holder, record or lift"))
}

// obeyed waits until this node has folded the order at the offset.
func (n *Node) obeyed(ctx context.Context, offset int64) error {
	return n.await(ctx, func() (bool, error) {
		next, err := n.Index.Next(ctx, erasure.Topic)
		return next[0] > offset, err
	})
}

// erasures are POST and GET /v1/erasures, and GET /v1/refusals: what the index did not take.
func (n *Node) erasures() []contract.Operation {
	at := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	done := Erased{ID: "QX3…", Kind: erasure.OfHolder, At: at, By: "xzsp/0017", Basis: "pipl-47", Records: 3}
	return []contract.Operation{
		{ID: "erase", Method: http.MethodPost, Path: "/v1/erasures", Group: contract.Erasures, Repeats: contract.Changes, Name: text("删除", "erase"),
			About: text("下令删除一个人或单位的全部记录，或一条记录；或撤回一条指令。留下审计记录。管理员可用。", "Orders all records of a person or company, or one record, to be forgotten; or lifts an order. It leaves an audit entry. For administrators."),
			Asked: EraseRequest{Kind: erasure.OfHolder, Number: "924302810000003187", Basis: "pipl-47"}, Answer: done,
			Refusals: []error{badErasure(text("kind 须是 holder、record 或 lift", "kind must be holder, record or lift"))},
			Do: n.forAdmins(func(r *http.Request, who string) (any, error) {
				asked, err := contract.Read[EraseRequest](r, howToErase)
				if err != nil {
					return nil, err
				}
				return n.Erase(r.Context(), who, asked)
			})},
		{ID: "listErasures", Method: http.MethodGet, Path: "/v1/erasures", Group: contract.Erasures, Name: text("列出删除指令", "list orders to forget"),
			About: text("全部删除指令，由旧到新。管理员可用。", "All orders to forget, oldest first. For administrators."), Parts: contract.MaxPart, Answer: []Erased{done},
			Do: n.forAdmins(func(r *http.Request, _ string) (any, error) {
				all := []Erased{}
				for _, order := range n.Index.Orders() {
					all = append(all, erased(order))
				}
				part, last, err := contract.Cut(r, all, func(e Erased) string { return contract.ByAge(e.At, e.ID) })
				return contract.Part{Answer: part, Last: last}, err
			})},
		{ID: "listRefusals", Method: http.MethodGet, Path: "/v1/refusals", Group: contract.Erasures, Name: text("索引未收的消息", "what the index did not take"),
			About: text("索引拒收的消息及原因，不含内容。管理员可用。", "Messages that the index refused, and why, without what they held. For administrators."), Parts: contract.MaxPart,
			Answer: []holdings.Refusal{{Topic: "evidence.business-licence", Partition: 1, Offset: 42, Reason: "signature", Time: at}},
			Do: n.forAdmins(func(r *http.Request, _ string) (any, error) {
				all, err := n.Index.Refused(r.Context())
				if err != nil {
					return nil, err
				}
				part, last, err := contract.Cut(r, all, func(m holdings.Refusal) string { return fmt.Sprintf("%s:%06d:%019d", m.Topic, m.Partition, m.Offset) })
				return contract.Part{Answer: part, Last: last}, err
			})},
	}
}

// forAdmins answers administrators, whose department and staff code do is told, with what do gives.
func (n *Node) forAdmins(do func(r *http.Request, who string) (any, error)) func(*http.Request) (any, error) {
	admin := n.door.With(door.Admin)
	return func(r *http.Request) (any, error) {
		who, err := admin(r)
		if err != nil {
			return nil, err
		}
		return do(r, who)
	}
}

func badErasure(why exchange.Text) error {
	return &exchange.Problem{Code: "YM-ERA-0102", Kind: exchange.Invalid, Why: why, What: text("删除请求不可用", "the request to erase cannot be used"),
		Mend: howToErase}
}

var howToErase = text("用 yimen erase holder、record 或 lift；--basis 写小写字母、数字和 - 的代码，如 pipl-47", "use `yimen erase holder`, `record` or `lift`; --basis is a code of small letters, digits and hyphens, such as pipl-47")
