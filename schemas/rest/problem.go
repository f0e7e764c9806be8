package rest

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/registry"
)

// complaint is the body of a refusal. Confluent's clients read the first two members.
type complaint struct {
	Code     int                 `json:"error_code"`
	Message  string              `json:"message"`
	Problem  *problem            `json:"problem,omitempty"`
	Findings *registry.Judgement `json:"findings,omitempty"` // of an incompatible schema
}

// problem is an *exchange.Problem as Yimen's client reads it.
type problem struct {
	Code string        `json:"code"`
	Kind exchange.Kind `json:"kind"`
	What exchange.Text `json:"what"`
	Why  exchange.Text `json:"why,omitzero"`
	Mend exchange.Text `json:"mend,omitzero"`
}

// codePrefix begins the codes of problems whose number is Confluent's error code.
const codePrefix = "YM-REG-"

// Confluent's codes where a problem has none of its own.
var codes = map[exchange.Kind]int{
	exchange.Invalid: 42201, exchange.NotFound: 40403, exchange.Denied: 40301, exchange.Conflict: 40900,
	exchange.Unavailable: 50001, exchange.Unauthorised: 40101, exchange.Internal: 50001,
}

// codeOf is the error code and the status of a problem.
func codeOf(p *exchange.Problem) (code, status int) {
	digits, numbered := strings.CutPrefix(p.Code, codePrefix)
	code, err := strconv.Atoi(digits)
	if !numbered || err != nil || code < 400 || code > 50599 || code > 599 && code < 40000 {
		code = codes[p.Kind]
	}
	if code == 0 {
		code = codes[exchange.Internal]
	}
	status = code
	if code > 599 {
		status = code / 100
	}
	if p.Kind == exchange.Unavailable && status == http.StatusInternalServerError {
		status = http.StatusServiceUnavailable // clients try again
	}
	return code, status
}

// problemOf is the problem that an error is. One that is none says nothing of itself outside.
func problemOf(err error) *exchange.Problem {
	var p *exchange.Problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return refusal(50002, exchange.Unavailable, text("操作超时", "the operation timed out"), exchange.Text{}, text("稍后重试", "try again later"))
	}
	return refusal(50001, exchange.Internal, text("内部错误", "internal error"), exchange.Text{},
		text("请把时间告知交换平台管理员，原因在服务日志中", "tell the exchange's administrator the time; the cause is in the service's log"))
}

// complain makes the body and the status of a refusal.
func complain(err error, extra bool) (complaint, int) {
	p := problemOf(err)
	code, status := codeOf(p)
	body := complaint{Code: code, Message: sentence(p)}
	if extra {
		body.Problem = &problem{p.Code, p.Kind, p.What, because(p), p.Mend}
		var why *registry.Incompatible
		if errors.As(err, &why) {
			body.Findings = &why.Judgement
		}
	}
	return body, status
}

// because is why, and what a problem beneath this one adds. Causes that are no problems stay inside.
func because(p *exchange.Problem) exchange.Text {
	why := p.Why
	var beneath *exchange.Problem
	if p.Err == nil || !errors.As(p.Err, &beneath) {
		return why
	}
	more := because(beneath)
	return exchange.Text{ZH: joined("；", why.ZH, beneath.What.ZH, more.ZH), EN: joined("; ", why.EN, beneath.What.EN, more.EN)}
}

func joined(separator string, parts ...string) string {
	var all []string
	for _, part := range parts {
		if part != "" {
			all = append(all, part)
		}
	}
	return strings.Join(all, separator)
}

// sentence is a problem for those who know Confluent's registry only.
func sentence(p *exchange.Problem) string {
	said := joined("; ", p.What.EN, because(p).EN)
	var why *registry.Incompatible
	if errors.As(p.Err, &why) {
		said = joined("; ", said, first(why.Judgement))
	}
	if p.Mend.EN != "" {
		said += " → " + p.Mend.EN
	}
	return said
}

// first is the first finding of a judgement in a line, and how many more there are.
func first(j registry.Judgement) string {
	lines := findings(j)
	switch len(lines) {
	case 0:
		return ""
	case 1:
		return lines[0]
	}
	return lines[0] + " (and " + strconv.Itoa(len(lines)-1) + " more)"
}

// refuse answers with an error. It is the one place where an error becomes a status.
func (c *call) refuse(err error) {
	body, status := complain(err, c.reader() == open)
	switch status {
	case http.StatusUnauthorized:
		c.w.Header()["Www-Authenticate"] = []string{`Basic realm="yimen"`, `Bearer realm="yimen"`}
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		c.w.Header().Set("Retry-After", "2")
	}
	if status >= http.StatusInternalServerError && c.r.Context().Err() == nil {
		c.Log.ErrorContext(c.r.Context(), "registry request", "method", c.r.Method, "route", c.routed, "status", status, "error", err)
	}
	c.send(status, body)
}

func refusal(code int, kind exchange.Kind, what, why, mend exchange.Text) *exchange.Problem {
	return &exchange.Problem{Code: codePrefix + strconv.Itoa(code), Kind: kind, What: what, Why: why, Mend: mend}
}

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }

func noSuchPath() error {
	return refusal(404, exchange.NotFound, text("没有这个地址", "HTTP 404 Not Found"), exchange.Text{},
		text("地址见 Confluent Schema Registry 的 REST 文档", "the paths are those of Confluent's Schema Registry"))
}

func wrongMethod(allow string) error {
	return refusal(405, exchange.Invalid, text("此地址不接受该方法", "HTTP 405 Method Not Allowed"), exchange.Text{}, text("改用 "+allow, "use "+allow))
}

func noAssociation() error {
	return refusal(40410, exchange.NotFound, text("没有关联", "Association not found."),
		text("本登记处不保存主题与 subject 的关联", "this registry keeps no associations of topics with subjects"),
		text("subject 用 {主题}-value 命名", "name subjects {topic}-value"))
}

func noSuchContext(name string) error {
	return refusal(40401, exchange.NotFound, text("没有上下文 "+name, "Context '"+name+"' not found."),
		text("本登记处只有默认上下文 “.”", `this registry has the default context "." only`),
		text("去掉地址或 subject 中的上下文", "leave the context out of the address or the subject"))
}

func badSubject() error {
	return refusal(42208, exchange.Invalid, text("subject 名不可用", "The specified subject is not a valid subject."),
		text("为空、不是 UTF-8，或含控制字符", "it is empty, not UTF-8, or holds a control character"), text("例如 {主题}-value", "use one such as {topic}-value"))
}

// badVersion does not repeat what was given: it could be a number of somebody.
func badVersion() error {
	return refusal(42202, exchange.Invalid, text("版本号不可用", "The specified version is not a valid version id."),
		exchange.Text{}, text("用 1 到 2147483647 的整数，或 latest", `use a whole number from 1 to 2147483647, or "latest"`))
}

func badNumber(name string) error {
	return refusal(400, exchange.Invalid, text("参数 "+name+" 不是整数", "the parameter "+name+" is not a whole number"), exchange.Text{}, text("改为整数或去掉", "make it one, or leave it out"))
}

func nobodyWrites() error {
	return refusal(40301, exchange.Denied, text("此服务只读", "this service is read-only"), exchange.Text{}, text("请管理员开放改动", "have an administrator open it for changes"))
}

func busy() error {
	return refusal(429, exchange.Unavailable, text("同时进行的兼容性检查过多", "too many compatibility checks at once"), exchange.Text{}, text("稍后重试", "try again later"))
}
