// Package national answers the operations of the national e-licence sharing interface (电子证照共享服务接口), so that a provincial node,
// or a department's system that speaks it, asks Yimen without learning another interface.
//
// A request in that convention becomes a query like every other: its accessToken is a token that the doorkeeper knows, its useCause
// names the case and the item, one grant says which fields may be seen, the limits count it, and an audit entry is durable before
// there is an answer. Files are copies that the exchange makes of the granted fields (加注件): licences' own files are with those who
// issue them. What Yimen does not hold is refused with the convention's own status 2, and what could not be found out with 99: neither
// ever reads as "there is none".
//
// The convention is written down as nodes implement it: an envelope {accessId, accessToken, data} is answered by {head{status,
// message}, data}, always with HTTP 200. Members that it does not know are passed over.
package national

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/copies"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/wire"
	"github.com/onedoor/yimen/schemas"
)

// Querier answers queries.
type Querier interface {
	Query(ctx context.Context, q broker.Query) (broker.Conclusion, error)
}

// Config is what the interface stands on. All but Log is required.
type Config struct {
	Broker    Querier
	Catalogue func() *catalogue.Catalogue // with the grants in force now
	Door      *door.Keeper
	// Nonce gives the number by which a request proves that it is no copy of another; its errors are Problems, reported already.
	Nonce func(*http.Request, door.Caller) (string, error)
	// Schemas has the names of fields, as they are now.
	Schemas func() *schemas.Set
	Press   *copies.Press // makes files
	Shelf   *copies.Shelf // keeps them until they are fetched
	// Holdings, Bar and Append are asked when a file is fetched: whether its record is still held, whether who asked for it is suspended
	// (a Problem, of the kind Unavailable where that cannot be said), and to make the entry durable that it left.
	Holdings broker.Holdings
	Bar      func(exchange.Department, string) error
	Append   func(context.Context, audit.Entry) error
	// Origin is the address (https://host:port) at which whoever sent a request fetches a file; its errors are Problems.
	Origin func(*http.Request) (string, error)
	Clock  func() time.Time
	Log    *slog.Logger // nil: silent
}

type facade struct{ Config }

// request is the envelope of every operation.
type request[D any] struct {
	AccessID    string `json:"accessId"`    // department and staff code or service name, as in xzsp/0017
	AccessToken string `json:"accessToken"` // the token; empty where a certificate says who asks
	Data        D      `json:"data"`
}

// reply is the envelope of every answer.
type reply[D any] struct {
	Head head `json:"head"`
	Data D    `json:"data"`
}

type head struct {
	Status  status `json:"status"`
	Message string `json:"message"`
}

// said is what an operation has to say.
type said struct {
	status status
	text   exchange.Text
	data   any // nil: nothing
}

// turn is one request on its way: who sent it, and how it is told from a copy.
type turn struct {
	*http.Request
	caller door.Caller
	nonce  string
}

// form tells what to send.
var form = text(`正文应为 {"accessId":"部门/工号","accessToken":"令牌","data":{…}}`, `send {"accessId":"department/staff code","accessToken":"token","data":{…}}`)

// answering makes an operation of what answers it: the one way from a request to a head.
func answering[D any](f facade, answer func(turn, D) (said, error)) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		s, err := f.answered(r, func() (said, error) {
			asked, err := contract.ReadOpen[request[D]](r, form)
			if err != nil {
				return said{}, err
			}
			t, err := f.admit(r, asked.AccessID, asked.AccessToken)
			if err != nil {
				return said{}, err
			}
			return answer(t, asked.Data)
		})
		if err != nil {
			s = failed(err)
		}
		return replying(r, s), nil
	}
}

func replying(r *http.Request, s said) reply[any] {
	if s.data == nil {
		s.data = struct{}{}
	}
	return reply[any]{head{s.status, s.text.In(wire.Language(r.Header))}, s.data}
}

// answered logs what somebody must look at; what callers did wrong they are told.
func (f facade) answered(r *http.Request, answer func() (said, error)) (said, error) {
	s, err := answer()
	if kind := exchange.KindOf(err); err != nil && f.Log != nil && r.Context().Err() == nil && (kind == exchange.Internal || kind == exchange.Unavailable) {
		f.Log.Error("request failed", "route", r.Pattern, "kind", kind, "error", err)
	}
	return s, err
}

// admit finds out who asks. A token in the body counts as one in the header: the doorkeeper knows only one way in.
func (f facade) admit(r *http.Request, id, token string) (turn, error) {
	if token != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+token)
	}
	caller, err := f.Door.Caller(r)
	if err != nil {
		return turn{}, as(identityFailed, err)
	}
	if (id != "" || token != "") && id != caller.Name() {
		return turn{}, as(identityFailed, f.Door.Reject(r, caller, otherID()))
	}
	nonce, err := f.Nonce(r, caller)
	if err != nil {
		return turn{}, as(identityFailed, err)
	}
	return turn{r, caller, nonce}, nil
}

// failed is the head of an error. No cause of a Problem is told outside.
func failed(err error) said {
	var p *exchange.Problem
	if !errors.As(err, &p) {
		p = &exchange.Problem{Code: "YM-NAT-0500", What: text("内部错误", "internal error"),
			Mend: text("请把时间告知交换平台管理员，原因在服务日志中", "tell the exchange's administrator the time; the cause is in the service's log")}
	}
	return said{status: statusOf(err, p.Kind), text: text(sentence(p, exchange.ZH, "：", "。"), sentence(p, exchange.EN, ": ", ". "))}
}

func sentence(p *exchange.Problem, lang exchange.Lang, colon, stop string) string {
	all := p.What.In(lang)
	if why := p.Why.In(lang); why != "" {
		all += colon + why
	}
	if mend := p.Mend.In(lang); mend != "" {
		all += stop + mend
	}
	return strings.TrimSpace(all) + " (" + p.Code + ")"
}
