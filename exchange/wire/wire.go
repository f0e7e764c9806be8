// Package wire is how the exchange's clients ask it over HTTP, and the form in which a refusal crosses.
package wire

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/trace"
)

// Details is a refusal's body, after RFC 9457. Title, detail and mend are in the language asked for; the bilingual members let
// a client show either.
type Details struct {
	Type   string        `json:"type"`
	Title  string        `json:"title"`
	Status int           `json:"status"`
	Detail string        `json:"detail,omitempty"`
	Code   string        `json:"code"`
	Kind   exchange.Kind `json:"kind"`
	Mend   string        `json:"mend,omitempty"`
	What   exchange.Text `json:"what"`
	Why    exchange.Text `json:"why,omitzero"`
	How    exchange.Text `json:"how,omitzero"`
}

var statuses = map[exchange.Kind]int{
	exchange.Invalid: http.StatusBadRequest, exchange.NotFound: http.StatusNotFound, exchange.Denied: http.StatusForbidden,
	exchange.Conflict: http.StatusConflict, exchange.Unavailable: http.StatusServiceUnavailable,
	exchange.Unauthorised: http.StatusUnauthorized, exchange.Internal: http.StatusInternalServerError,
	exchange.Limited: http.StatusTooManyRequests,
}

// Status is the HTTP status of a kind of problem, and whether the kind is known here.
func Status(k exchange.Kind) (status int, known bool) {
	status, known = statuses[k]
	if !known {
		status = http.StatusInternalServerError
	}
	return status, known
}

// Patience is longer than the exchange's own limit for a query, so that its refusal arrives.
const Patience = 30 * time.Second

// Answer is what the exchange answered.
type Answer struct {
	Body []byte
	Next string // the path at which a list goes on that comes in parts; empty: it does not
}

// Ask sends a request and gives its answer, whose body is cut off after so many bytes. A client that is nil waits for
// Patience. No redirection is followed: numbers and tokens go to the exchange they were meant for and to nobody else.
//
// A refusal comes back as the *exchange.Problem that the exchange gave. Where nobody answered, or somebody else, silent says so
// in the caller's words.
func Ask(client *http.Client, request *http.Request, most int64, silent func(error) error) (Answer, error) {
	c := http.Client{Timeout: Patience}
	if client != nil {
		c = *client
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if parent := trace.Parent(request.Context()); parent != "" {
		request.Header.Set("Traceparent", parent)
	}
	response, err := c.Do(request)
	if err != nil {
		return Answer{}, silent(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, most))
	if err != nil {
		return Answer{}, silent(err)
	}
	if response.StatusCode == http.StatusOK {
		return Answer{body, next(response.Header)}, nil
	}
	p, ok := problem(body)
	if !ok {
		return Answer{}, silent(fmt.Errorf("status %d, which is no answer of the exchange", response.StatusCode))
	}
	p.After = after(response.Header)
	return Answer{}, p
}

// next is where the header Link leads: to a path of the exchange and nowhere else.
func next(h http.Header) string {
	target, relation, _ := strings.Cut(strings.TrimPrefix(h.Get("Link"), "<"), ">")
	if relation != `; rel="next"` || !strings.HasPrefix(target, "/") {
		return ""
	}
	return target
}

// after is how soon it may be tried again; 0: that was not said.
func after(h http.Header) time.Duration {
	const longest = 48 * time.Hour // no budget lasts longer, and what a stranger says does not overflow
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, int(longest/time.Second))) * time.Second
}

// problem reads what the exchange says of a refusal; ok is false for what somebody else says.
func problem(body []byte) (p *exchange.Problem, ok bool) {
	var d Details
	if err := json.Unmarshal(body, &d); err != nil || !strings.HasPrefix(d.Code, "YM-") {
		return nil, false
	}
	if _, known := Status(d.Kind); !known {
		d.Kind = exchange.Internal // of a later version
	}
	return &exchange.Problem{Code: d.Code, Kind: d.Kind, What: d.What, Why: d.Why, Mend: d.How}, true
}
