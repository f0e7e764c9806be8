package api

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit/ledger"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/doubts"
	"github.com/onedoor/yimen/exchange/grants"
	"github.com/onedoor/yimen/exchange/items"
	"github.com/onedoor/yimen/exchange/notice"
)

// List gives the elements of a list at one of the exchange's addresses, asking for one part after the other as they are needed. An
// error is the last that it gives.
func List[T any](ctx context.Context, c *Client, path string) iter.Seq2[T, error] {
	return each(ctx, c, path, func(part []T) []T { return part })
}

// each gives the elements that in finds in the parts of a list.
func each[P, T any](ctx context.Context, c *Client, path string, in func(P) []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for next := path; next != ""; {
			var part P
			var err error
			if next, err = c.call(ctx, http.MethodGet, next, nil, &part); err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, element := range in(part) {
				if !yield(element, nil) {
					return
				}
			}
		}
	}
}

// Batch asks for many subjects at once; see BatchAnswer for how far it went. It is sent once, whatever Patience says: part of it may have been
// answered.
func (c *Client) Batch(ctx context.Context, asked BatchRequest) (answer BatchAnswer, err error) {
	once := *c
	once.Patience = 0
	said, err := once.ask(ctx, http.MethodPost, "/v1/batches", asked)
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(said.Body, &answer, json.WithUnmarshalers(json.UnmarshalFromFunc(asWritten))); err != nil {
		return BatchAnswer{}, unreachable(c.Base, errors.New("the answer is not one of the exchange"))
	}
	return answer, nil
}

// Items gives the service items (事项) with their materials, by code.
func (c *Client) Items(ctx context.Context) iter.Seq2[catalogue.Service, error] {
	return List[catalogue.Service](ctx, c, "/v1/items")
}

// Item is one service item. Its error is of the kind NotFound where there is none.
func (c *Client) Item(ctx context.Context, code exchange.Item) (item catalogue.Service, err error) {
	return item, c.Call(ctx, http.MethodGet, "/v1/items/"+url.PathEscape(string(code)), nil, &item)
}

// Receipt is the proof that an entry of the own department stands in the log, with the entry. It is there some seconds after the
// answer; until then the error is of the kind NotFound or Unavailable.
func (c *Client) Receipt(ctx context.Context, id string) (receipt ledger.Receipt, err error) {
	return receipt, c.Call(ctx, http.MethodGet, "/v1/receipts/"+url.PathEscape(id), nil, &receipt)
}

// Accesses says who looked at the data of the holder of a citizen number or credit code, the newest first; asking leaves an entry too. The
// number goes into a body: in addresses a token stands for it.
func (c *Client) Accesses(ctx context.Context, number string) iter.Seq2[ledger.Access, error] {
	return func(yield func(ledger.Access, error) bool) {
		var token struct {
			Subject string `json:"subject"`
		}
		if err := c.Call(ctx, http.MethodPost, "/v1/subjects", map[string]string{"number": number}, &token); err != nil {
			yield(ledger.Access{}, err)
			return
		}
		path := "/v1/subjects/" + url.PathEscape(token.Subject) + "/accesses"
		each(ctx, c, path, func(p ledger.AccessPage) []ledger.Access { return p.Accesses })(yield)
	}
}

// Grants gives the grants (共享授权) that the own department asked for or decides on, by id.
func (c *Client) Grants(ctx context.Context) iter.Seq2[grants.Standing, error] {
	return each(ctx, c, "/v1/grants", func(l grants.Listing) []grants.Standing { return l.Grants })
}

// Doubts are the doubts the caller may know of, oldest first.
func (c *Client) Doubts(ctx context.Context) iter.Seq2[doubts.Standing, error] {
	return each(ctx, c, "/v1/doubts", func(l doubts.Listing) []doubts.Standing { return l.Doubts })
}

// ItemEditions are the items that were acted upon, with their drafts and editions, by code.
func (c *Client) ItemEditions(ctx context.Context) iter.Seq2[items.Standing, error] {
	return each(ctx, c, "/v1/item-editions", func(l items.Listing) []items.Standing { return l.Items })
}

// Subscriptions are those the caller may know of, oldest first.
func (c *Client) Subscriptions(ctx context.Context) iter.Seq2[notice.Subscription, error] {
	return each(ctx, c, "/v1/subscriptions", func(l notice.Listing) []notice.Subscription { return l.Subscriptions })
}

// RequestGrant asks for a grant in the name of the own department.
func (c *Client) RequestGrant(ctx context.Context, a grants.Application) (g grants.Standing, err error) {
	return g, c.Call(ctx, http.MethodPost, "/v1/grants", a, &g)
}

// DecideGrant does an act on a grant. Of two that replace the same version the second errs with the kind Conflict.
func (c *Client) DecideGrant(ctx context.Context, id string, d grants.Decision) (g grants.Standing, err error) {
	return g, c.Call(ctx, http.MethodPost, "/v1/grants/"+url.PathEscape(id)+"/decisions", d, &g)
}

// CheckGrant says whether a department, the own one where the question names none, may see the fields today, and why not.
func (c *Client) CheckGrant(ctx context.Context, q grants.Question) (v grants.Verdict, err error) {
	asked := url.Values{"item": {string(q.Item)}, "evidence": {string(q.Evidence)}}
	if q.Department != "" {
		asked.Set("department", string(q.Department))
	}
	if len(q.Fields) > 0 {
		asked.Set("fields", strings.Join(q.Fields, ","))
	}
	return v, c.Call(ctx, http.MethodGet, "/v1/grants/check?"+asked.Encode(), nil, &v)
}
