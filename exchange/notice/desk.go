package notice

import (
	"context"
	"crypto/ed25519"
	"net/http"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/notice/webhook"
)

// Desk is where departments subscribe: /v1/subscriptions.
type Desk struct {
	Office *Office
	// Person says who sent a request, or why nobody can be told.
	Person func(*http.Request) (Person, error)
	// Key is the one that signs what webhooks are sent.
	Key func(context.Context) (ed25519.PrivateKey, error)
}

// Listing is the answer of GET /v1/subscriptions.
type Listing struct {
	// Key verifies the signatures of what webhooks are sent, as Standard Webhooks spells it (v1a: Ed25519).
	Key           string         `json:"key"`
	Subscriptions []Subscription `json:"subscriptions"`
}

// Subscribed is the answer of POST /v1/subscriptions.
type Subscribed struct {
	Subscription
	Key   string `json:"key,omitempty"`   // of webhooks
	Topic string `json:"topic,omitempty"` // where the events are, else
}

// Operations are the addresses.
func (d *Desk) Operations() []contract.Operation {
	at := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	key := webhook.PublicKey(make([]byte, ed25519.PublicKeySize))
	hook := Subscription{ID: "s-a2b3c4d5e6", Department: "xzsp", Case: "LL-2026-1123-0041", URL: "https://cases.example.gov.cn/notices", At: at, By: "xzsp/0017"}
	gone := hook
	gone.Delivered, gone.GivenUp, gone.Last, gone.Why = 3, 1, at.Add(72*time.Hour), "503"
	return []contract.Operation{
		{ID: "listSubscriptions", Method: http.MethodGet, Path: "/v1/subscriptions", Group: contract.Notices, Do: d.list, Name: text("列出订阅", "list subscriptions"),
			About: text("本部门的订阅及其投递情况；管理员看全部。由旧到新。key 用来验证发往 Webhook 的签名。",
				"The own department's subscriptions and how deliveries went; administrators see all. Oldest first. key verifies the signatures of what webhooks are sent."), Parts: contract.MaxPart,
			Answer: Listing{key, []Subscription{gone}}, Refusals: []error{notRead(nil)}},
		{ID: "subscribe", Method: http.MethodPost, Path: "/v1/subscriptions", Group: contract.Notices, Do: d.subscribe, Repeats: contract.Changes, Name: text("订阅", "subscribe"),
			About: text("办件所依据的证照被吊销、暂停、替代、撤回、更正、恢复或删除时告知。可订阅一个办件或本部门全部办件；告知到 Webhook（url），不写 url 则只发到本部门的 Kafka 主题 notices.<部门>。事件是 CloudEvents 1.0，至少一次，编号相同即同一件事；不含证照字段和个人信息；以 verify 或 predicates 作答的不写证照编号和状态。url 须对 OPTIONS 应答 WebHook-Allowed-Origin。留下审计记录。",
				"Be told when a record that a case relied on is revoked, suspended, superseded, withdrawn, corrected, reinstated or erased. For one case or all of the department's; by a webhook (url), without one on the department's Kafka topic notices.<department> alone. Events are CloudEvents 1.0, at least once, and the same id is the same news; they hold no field of a record and nothing personal, and of answers by verify or predicates no record and no status. The url must answer OPTIONS with WebHook-Allowed-Origin. Leaves an audit entry."),
			Asked: Wish{Case: hook.Case, URL: hook.URL}, Answer: Subscribed{hook, key, ""}, Refusals: append([]error{oneOrAll(), tooMany(), notRead(nil), notWritten(nil)}, webhook.Refusals()...)},
		{ID: "unsubscribe", Method: http.MethodDelete, Path: "/v1/subscriptions/{subscription}", Group: contract.Notices, Do: d.end, Name: text("结束订阅", "end a subscription"),
			About:      text("不再告知；未送达的不再投递。留下审计记录。", "Nothing more is told, and what waits is not delivered. Leaves an audit entry."),
			Parameters: []contract.Parameter{{Name: "subscription", In: "path", Example: hook.ID, About: text("订阅编号", "the subscription's id")}},
			Answer:     hook, Refusals: []error{noSuchSubscription(), notRead(nil), notWritten(nil)}},
	}
}

func (d *Desk) list(r *http.Request) (any, error) {
	who, err := d.Person(r)
	if err != nil {
		return nil, err
	}
	key, err := d.key(r.Context())
	if err != nil {
		return nil, err
	}
	all, err := d.Office.List(r.Context(), who)
	if err != nil {
		return nil, err
	}
	part, last, err := contract.Cut(r, all, func(s Subscription) string { return contract.ByAge(s.At, s.ID) })
	if err != nil {
		return nil, err
	}
	for i := range part {
		if part[i].Waiting, err = d.Office.waiting(r.Context(), part[i].ID); err != nil {
			return nil, err
		}
	}
	return contract.Part{Answer: Listing{key, part}, Last: last}, nil
}

// key is the public one, in words.
func (d *Desk) key(ctx context.Context) (string, error) {
	key, err := d.Key(ctx)
	if err != nil {
		return "", err
	}
	return webhook.PublicKey(key.Public().(ed25519.PublicKey)), nil
}

var howToSubscribe = exchange.Text{ZH: `写 {"case":"LL-2026-1123-0041","url":"https://…"}，或用 yimen subscription add`, EN: `send {"case":"LL-2026-1123-0041","url":"https://…"}, or use yimen subscription add`}

func (d *Desk) subscribe(r *http.Request) (any, error) {
	who, err := d.Person(r)
	if err != nil {
		return nil, err
	}
	wish, err := contract.Read[Wish](r, howToSubscribe)
	if err != nil {
		return nil, err
	}
	s, err := d.Office.Subscribe(r.Context(), who, wish)
	if err != nil {
		return nil, err
	}
	if s.URL == "" {
		return Subscribed{Subscription: s, Topic: envelope.NoticesTopic(s.Department)}, nil
	}
	key, err := d.key(r.Context())
	return Subscribed{Subscription: s, Key: key}, err
}

func (d *Desk) end(r *http.Request) (any, error) {
	who, err := d.Person(r)
	if err != nil {
		return nil, err
	}
	return d.Office.End(r.Context(), who, r.PathValue("subscription"))
}
