package api

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// problemDetails is an RFC 9457 body. Title, detail and mend are in the language asked for; the bilingual members let a
// client show either.
type problemDetails struct {
	Type   string        `json:"type"`
	Title  string        `json:"title"`
	Status int           `json:"status"`
	Detail string        `json:"detail,omitempty"`
	Code   string        `json:"code"`
	Mend   string        `json:"mend,omitempty"`
	What   exchange.Text `json:"what"`
	Why    exchange.Text `json:"why,omitzero"`
	How    exchange.Text `json:"how,omitzero"`
}

var statuses = map[exchange.Kind]int{
	exchange.Invalid: http.StatusBadRequest, exchange.NotFound: http.StatusNotFound, exchange.Denied: http.StatusForbidden,
	exchange.Conflict: http.StatusConflict, exchange.Unavailable: http.StatusServiceUnavailable,
	exchange.Unauthorised: http.StatusUnauthorized, exchange.Internal: http.StatusInternalServerError,
}

// writeProblem is the one place where an error becomes a status. An error that is no Problem says nothing of itself outside.
func writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	var p *exchange.Problem
	if !errors.As(err, &p) {
		p = &exchange.Problem{Code: "YM-API-0500", Kind: exchange.Internal,
			What: exchange.Text{ZH: "内部错误", EN: "internal error"},
			Mend: exchange.Text{ZH: "请把时间告知交换平台管理员，原因在服务日志中", EN: "tell the exchange's administrator the time; the cause is in the service's log"}}
	}
	code := statuses[p.Kind]
	if p.Kind == exchange.Unavailable {
		w.Header().Set("Retry-After", strconv.Itoa(2))
	}
	if p.Kind == exchange.Unauthorised {
		w.Header().Set("WWW-Authenticate", `Bearer realm="yimen"`)
	}
	lang := language(r)
	w.Header().Set("Content-Language", map[exchange.Lang]string{exchange.ZH: "zh-CN", exchange.EN: "en"}[lang])
	w.Header().Set("Vary", "Accept-Language")
	writeJSON(w, code, "application/problem+json; charset=utf-8", problemDetails{
		Type: "urn:yimen:problem:" + p.Code, Title: p.What.In(lang), Status: code, Detail: p.Why.In(lang), Code: p.Code,
		Mend: p.Mend.In(lang), What: p.What, Why: p.Why, How: p.Mend})
}

// language is English where a caller prefers it, else Chinese.
func language(r *http.Request) exchange.Lang {
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(r.Header.Get("Accept-Language"))), "en") {
		return exchange.EN
	}
	return exchange.ZH
}

func badBody(why exchange.Text) error {
	return &exchange.Problem{Code: "YM-API-0101", Kind: exchange.Invalid,
		What: exchange.Text{ZH: "请求正文无法读取", EN: "the request's body cannot be read"}, Why: why,
		Mend: exchange.Text{ZH: `正文应为 {"case":"收件号","item":"事项代码","applicant":"身份证号或统一社会信用代码"}`,
			EN: `send {"case":"case number","item":"item code","applicant":"citizen number or credit code"}`}}
}

func noSuchItem() error {
	return &exchange.Problem{Code: "YM-API-0201", Kind: exchange.NotFound,
		What: exchange.Text{ZH: "没有这个事项", EN: "no such service item"},
		Mend: exchange.Text{ZH: "GET /v1/items 列出所有事项", EN: "GET /v1/items lists all items"}}
}

func noSuchPath() error {
	return &exchange.Problem{Code: "YM-API-0202", Kind: exchange.NotFound,
		What: exchange.Text{ZH: "没有这个地址，或此地址不接受该方法", EN: "no such address, or not by this method"},
		Mend: exchange.Text{ZH: "可用：POST /v1/queries，GET /v1/items、/livez、/readyz、/metrics", EN: "there are POST /v1/queries, GET /v1/items, /livez, /readyz and /metrics"}}
}
