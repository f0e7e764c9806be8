package contract

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/wire"
)

// refusal is a problem for which HTTP has a status more exact than that of its kind.
type refusal struct {
	*exchange.Problem
	status int
	allow  string // with "method not allowed": the methods that are
}

func (r refusal) Unwrap() error { return r.Problem }

// retryAfter is how soon, in seconds, a caller may try again what is not available: a Kafka leader is elected in that time.
const retryAfter = "2"

// Fail answers a request by its error. It is the one place where an error becomes a status. An error that is no Problem says
// nothing of itself outside, and no cause of a Problem does.
func Fail(w http.ResponseWriter, r *http.Request, err error) {
	p, status := statusOf(err)
	switch status {
	case http.StatusMethodNotAllowed:
		var exact refusal
		errors.As(err, &exact)
		w.Header().Set("Allow", exact.allow)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
	case http.StatusTooManyRequests:
		if p.After > 0 { // else time alone does not help
			w.Header().Set("Retry-After", strconv.FormatInt(seconds(p.After), 10))
		}
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="yimen"`)
	}
	lang := wire.Language(r.Header)
	w.Header().Set("Content-Language", map[exchange.Lang]string{exchange.ZH: "zh-CN", exchange.EN: "en"}[lang])
	w.Header().Set("Vary", "Accept-Language")
	body, err := json.Marshal(details(p, status, lang))
	if err != nil { // a text that is not UTF-8
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	write(w, status, "application/problem+json; charset=utf-8", append(body, '\n'))
}

func statusOf(err error) (*exchange.Problem, int) {
	var p *exchange.Problem
	if !errors.As(err, &p) {
		p = internal()
	}
	var exact refusal
	if errors.As(err, &exact) {
		return p, exact.status
	}
	status, _ := wire.Status(p.Kind)
	return p, status
}

// meant tells what could not be read from what could be read and makes no sense: the latter is 422, Unprocessable Content.
func meant(err error) error {
	var exact refusal
	var p *exchange.Problem
	if errors.As(err, &exact) || !errors.As(err, &p) || p.Kind != exchange.Invalid {
		return err
	}
	return refusal{p, http.StatusUnprocessableEntity, ""}
}

// Told is what Fail would say of an error, for answers of several parts.
func Told(r *http.Request, err error) wire.Details {
	p, status := statusOf(meant(err))
	return details(p, status, wire.Language(r.Header))
}

func details(p *exchange.Problem, status int, lang exchange.Lang) wire.Details {
	return wire.Details{Type: "urn:yimen:problem:" + p.Code, Title: p.What.In(lang), Status: status, Detail: p.Why.In(lang), Code: p.Code, Kind: p.Kind,
		Mend: p.Mend.In(lang), What: p.What, Why: p.Why, How: p.Mend}
}

func internal() *exchange.Problem {
	return &exchange.Problem{Code: "YM-API-0500", Kind: exchange.Internal, What: text("内部错误", "internal error"),
		Mend: text("请把时间告知交换平台管理员，原因在服务日志中", "tell the exchange's administrator the time; the cause is in the service's log")}
}

func noSuchPath() error {
	return &exchange.Problem{Code: "YM-API-0202", Kind: exchange.NotFound, What: text("没有这个地址", "no such address"),
		Mend: text("全部接口见 GET /docs 或 /openapi.json", "GET /docs and /openapi.json tell all there are")}
}

func wrongMethod(right []string) error {
	allow := allowed(right)
	return refusal{&exchange.Problem{Code: "YM-API-0203", Kind: exchange.Invalid, What: text("此地址不接受该方法", "this address does not take that method"),
		Mend: text("改用 "+allow, "use "+allow)}, http.StatusMethodNotAllowed, allow}
}
