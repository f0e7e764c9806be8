package api

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/text/language"

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

// Fail answers a request by its error. It is the one place where an error becomes a status, for other packages that serve HTTP
// below the same address too. An error that is no Problem says nothing of itself outside,
// and no cause of a Problem does.
func Fail(w http.ResponseWriter, r *http.Request, err error) {
	var p *exchange.Problem
	if !errors.As(err, &p) {
		p = internal()
	}
	status, _ := wire.Status(p.Kind)
	var exact refusal
	if errors.As(err, &exact) {
		status = exact.status
	}
	switch status {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", exact.allow)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
	case http.StatusTooManyRequests:
		if p.After > 0 { // else time alone does not help
			w.Header().Set("Retry-After", strconv.FormatInt(int64((p.After+time.Second-1)/time.Second), 10))
		}
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="yimen"`)
	}
	lang := languageOf(r)
	w.Header().Set("Content-Language", map[exchange.Lang]string{exchange.ZH: "zh-CN", exchange.EN: "en"}[lang])
	w.Header().Set("Vary", "Accept-Language")
	body, err := json.Marshal(wire.Details{
		Type: "urn:yimen:problem:" + p.Code, Title: p.What.In(lang), Status: status, Detail: p.Why.In(lang), Code: p.Code, Kind: p.Kind,
		Mend: p.Mend.In(lang), What: p.What, Why: p.Why, How: p.Mend})
	if err != nil { // a text that is not UTF-8
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	writeBody(w, status, "application/problem+json; charset=utf-8", body)
}

var languages = language.NewMatcher([]language.Tag{language.SimplifiedChinese, language.English})

// languageOf is English where a caller prefers it, else Chinese.
func languageOf(r *http.Request) exchange.Lang {
	wanted, _, err := language.ParseAcceptLanguage(strings.Join(r.Header.Values("Accept-Language"), ","))
	if err != nil {
		return exchange.ZH
	}
	if _, at, sure := languages.Match(wanted...); at == 1 && sure > language.No { // who wants neither gets the default, not the nearest script
		return exchange.EN
	}
	return exchange.ZH
}

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }

func internal() *exchange.Problem {
	return &exchange.Problem{Code: "YM-API-0500", Kind: exchange.Internal, What: text("内部错误", "internal error"),
		Mend: text("请把时间告知交换平台管理员，原因在服务日志中", "tell the exchange's administrator the time; the cause is in the service's log")}
}

func badBody(why exchange.Text) *exchange.Problem {
	return &exchange.Problem{Code: "YM-API-0101", Kind: exchange.Invalid, Why: why,
		What: text("请求正文无法读取", "the request's body cannot be read"),
		Mend: text(`正文应为 {"case":"收件号","item":"事项代码","applicant":"身份证号或统一社会信用代码"}`,
			`send {"case":"case number","item":"item code","applicant":"citizen number or credit code"}`)}
}

// noSuchItem never repeats what was asked for: it could be a number.
func noSuchItem(near exchange.Item) error {
	p := &exchange.Problem{Code: "YM-API-0201", Kind: exchange.NotFound, What: text("没有这个事项", "no such service item"),
		Mend: text("GET /v1/items 列出所有事项", "GET /v1/items lists all items")}
	if near != "" {
		p.Mend = text("是不是 "+string(near)+"？", "did you mean "+string(near)+"?")
	}
	return p
}

const paths = "POST /v1/queries, GET /v1/items, /v1/items/{code}, /livez, /readyz, /metrics"

func noSuchPath() error {
	return &exchange.Problem{Code: "YM-API-0202", Kind: exchange.NotFound, What: text("没有这个地址", "no such address"),
		Mend: text("可用："+paths, "there are "+paths)}
}

func wrongMethod(right string) error {
	allow := right
	if right == http.MethodGet {
		allow = "GET, HEAD"
	}
	return refusal{&exchange.Problem{Code: "YM-API-0203", Kind: exchange.Invalid, What: text("此地址不接受该方法", "this address does not take that method"),
		Mend: text("改用 "+allow, "use "+allow)}, http.StatusMethodNotAllowed, allow}
}
