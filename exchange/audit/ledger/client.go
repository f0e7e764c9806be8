package ledger

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/wire"
)

// Client reads the log of an exchange over HTTP. Errors are the *exchange.Problem that the exchange gave.
type Client struct {
	Base  string // such as https://yimen.example.gov.cn
	Token string
	HTTP  *http.Client // nil: one that waits half a minute
}

const mostAnswer = 16 << 20 // bytes

// Receipt fetches an entry of the own department with its proof. VerifyProof says whether it holds.
func (c *Client) Receipt(ctx context.Context, id string) (Receipt, error) {
	var r Receipt
	_, err := c.ask(ctx, http.MethodGet, "/v1/receipts/"+url.PathEscape(id), nil, &r)
	return r, err
}

// Search searches.
func (c *Client) Search(ctx context.Context, f Filter) (Page, error) {
	var p Page
	next, err := c.ask(ctx, http.MethodGet, "/v1/audit/entries?"+f.query().Encode(), nil, &p)
	if err != nil {
		return Page{}, err
	}
	p.Next = next
	for i := range p.Entries {
		e := &p.Entries[i]
		var head struct {
			ID string `json:"id"`
		}
		err := json.Unmarshal(e.Raw, &head)
		if err == nil {
			e.Entry, err = audit.Parse([]byte(head.ID), e.Raw)
		}
		if err != nil {
			return Page{}, c.silent(errors.New("the answer is not one of the exchange"))
		}
	}
	return p, nil
}

// Subject asks for the token that stands for a holder in the log.
func (c *Client) Subject(ctx context.Context, number string) (string, error) {
	body, err := json.Marshal(map[string]string{"number": number})
	if err != nil {
		return "", badNumber()
	}
	var token struct {
		Subject string `json:"subject"`
	}
	_, err = c.ask(ctx, http.MethodPost, "/v1/subjects", body, &token)
	return token.Subject, err
}

// Accesses asks who looked at the data of the holder that the token stands for.
func (c *Client) Accesses(ctx context.Context, subject, before string) (AccessPage, error) {
	var p AccessPage
	path := "/v1/subjects/" + url.PathEscape(subject) + "/accesses"
	if before != "" {
		path += "?cursor=" + url.QueryEscape(before)
	}
	next, err := c.ask(ctx, http.MethodGet, path, nil, &p)
	p.Next = next
	return p, err
}

// query is a filter as an address has it.
func (f *Filter) query() url.Values {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	for name, at := range map[string]time.Time{"from": f.From, "to": f.To} {
		if !at.IsZero() {
			q.Set(name, at.UTC().Format(time.RFC3339))
		}
	}
	set("department", string(f.Department))
	set("clerk", f.Clerk)
	set("item", string(f.Item))
	set("case", f.Case)
	set("decision", string(f.Decision))
	set("kind", f.Kind)
	set("cursor", f.Before)
	if f.Most > 0 {
		q.Set("limit", strconv.Itoa(min(f.Most, contract.MaxPart)))
	}
	return q
}

// ask sends a request and reads the answer. next names the page after it; empty: there is none.
func (c *Client) ask(ctx context.Context, method, path string, body []byte, into any) (next string, err error) {
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.Base, "/")+path, bytes.NewReader(body))
	if err != nil {
		return "", c.silent(errors.New("the address cannot be used"))
	}
	request.Header.Set("Authorization", "Bearer "+c.Token)
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Content-Type", "application/json")
	said, err := wire.Ask(c.HTTP, request, mostAnswer, c.silent)
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal(said.Body, into); err != nil {
		return "", c.silent(errors.New("the answer is not one of the exchange"))
	}
	if more, err := url.Parse(said.Next); err == nil {
		next = more.Query().Get("cursor")
	}
	return next, nil
}

func (c *Client) silent(err error) error {
	at := "?"
	if parsed, parseErr := url.Parse(c.Base); parseErr == nil {
		at = parsed.Redacted()
	}
	return &exchange.Problem{Code: "YM-AUD-0309", Kind: exchange.Unavailable, Err: err,
		What: text("交换平台没有应答："+at, "the exchange did not answer: "+at),
		Mend: text("确认 yimen serve（或 demo）在运行，地址用 --server 指定", "see that `yimen serve` (or demo) runs, and name its address with --server")}
}
