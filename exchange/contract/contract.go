// Package contract makes handlers, and the OpenAPI document that describes them, of operations that are declared once.
//
// An Operation says in both languages what can be asked, with examples whose types become the schemas, and has the function that
// answers. Whoever serves something declares its operations; Handler serves them all in one way (strict JSON in, problem
// details of RFC 9457 out, methods and addresses that do not exist told in the same form), and Document is their OpenAPI 3.1.
package contract

import (
	"cmp"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange"
)

// Operation (接口) is one thing that can be asked over HTTP.
type Operation struct {
	ID     string // a verb and a noun, after which programs name their functions
	Method string
	Path   string // a pattern of http.ServeMux, without the method
	Group  Group
	Name   exchange.Text // a few words
	About  exchange.Text // what it does, for whom, and what it leaves behind
	Open   bool          // whether it is answered without knowing who asks
	// Foreign says that it follows a convention of others: who asks, and what is refused, stand in its bodies.
	Foreign bool
	// Parameters stand in the path, the query or a header.
	Parameters []Parameter
	// Asked and Answer are examples of the bodies; their types are the schemas. Asked nil: no body is read.
	Asked, Answer any
	// Media are the answer's media types with commas between them, application/json where there is none. Those of another kind are
	// described as text.
	Media string
	// Refusals are examples of what it refuses, besides what any operation refuses.
	Refusals []error
	// MaxBody bounds the body that is read, in bytes; 0: 64 KiB.
	MaxBody int64
	// Repeats is how long an answer is kept for who sends the request again with the same Idempotency-Key; 0: it is not. See Once.
	Repeats time.Duration
	// Parts is how many elements a list has that is asked for without a limit; 0: the answer is no list that grows. See Part.
	Parts int
	// Quotas say what a caller whom Do knew may still ask; nil: the operation is not limited.
	Quotas func(*http.Request) []Quota
	// Do answers with a value, which becomes JSON, with a Part or with Content. Its errors become problems.
	Do func(*http.Request) (any, error)
	// Handler answers instead of Do what has a form of its own.
	Handler http.Handler
}

// Group is a chapter of the document.
type Group string

// The chapters, in their order.
const (
	Queries  Group = "queries"  // 核验
	National Group = "national" // 电子证照共享服务接口
	Items    Group = "items"    // 事项
	Grants   Group = "grants"   // 共享授权
	Notices  Group = "notices"  // 订阅
	Doubts   Group = "doubts"   // 疑义
	Audit    Group = "audit"    // 审计
	Limits   Group = "limits"   // 限额
	Erasures Group = "erasures" // 删除
	Joining  Group = "joining"  // 入网
	Health   Group = "health"   // 运行状态
)

// Parameter is a value in the path, the query or a header.
type Parameter struct {
	Name    string
	In      string // path, query or header
	About   exchange.Text
	Example string
	Format  string   // of JSON Schema, such as date-time; or integer
	Pattern string   // a regular expression; empty: anything
	OneOf   []string // the values there are; none: any
}

// Content is an answer as bytes: what is not JSON, or was written already.
type Content struct {
	Type string
	Body []byte
	Name string // of the file that whoever gets it may keep, in ASCII without quotes; empty: it is not meant to be kept
}

// maxBody bounds a request's body; a query takes a few hundred bytes.
const maxBody = 64 << 10

// Handler serves the operations. log is told of what somebody must look at; nil: nobody is.
func Handler(operations []Operation, log *slog.Logger) http.Handler {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	mux := http.NewServeMux()
	methods := map[string][]string{}
	for _, o := range operations {
		handler := o.Handler
		if handler == nil {
			handler = answering{log, o.Do, o.Quotas, cmp.Or(o.MaxBody, maxBody)}
		}
		mux.Handle(o.Method+" "+o.Path, handler)
		methods[o.Path] = append(methods[o.Path], o.Method)
	}
	for path, known := range methods {
		mux.Handle(path, answering{log, func(*http.Request) (any, error) { return nil, wrongMethod(known) }, nil, maxBody})
	}
	if methods["/"] == nil {
		mux.Handle("/", answering{log, func(*http.Request) (any, error) { return nil, noSuchPath() }, nil, maxBody})
	}
	return mux
}

// answering turns a function that gives a value or an error into a handler: errors become problems in one place.
type answering struct {
	log    *slog.Logger
	do     func(*http.Request) (any, error)
	quotas func(*http.Request) []Quota // nil: none
	most   int64                       // bytes of a body
}

func (a answering) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, a.most)
	w.Header().Set("Cache-Control", "no-store") // some answers hold tokens, most hold what is a person's business
	value, err := a.do(r)
	if a.quotas != nil && (err == nil || exchange.KindOf(err) == exchange.Limited) {
		tellQuotas(w.Header(), a.quotas(r))
	}
	if err != nil {
		a.fault(r, err)
		Fail(w, r, meant(err))
		return
	}
	if before, ok := value.(replayed); ok {
		w.Header().Set(headerReplayed, "true")
		value = before.answer
	}
	if part, ok := value.(Part); ok {
		if part.Last != "" {
			w.Header().Set("Link", link(r, part.Last))
		}
		value = part.Answer
	}
	if content, ok := value.(Content); ok {
		if content.Name != "" {
			w.Header().Set("Content-Disposition", `attachment; filename="`+content.Name+`"`)
		}
		write(w, http.StatusOK, content.Type, content.Body)
		return
	}
	// No name stands twice in what is answered: documents went through the gate. Looking for it takes a fifth of the time.
	body, err := json.Marshal(value, json.Deterministic(true), jsontext.AllowDuplicateNames(true))
	if err != nil {
		a.log.ErrorContext(r.Context(), "answer cannot be written", "route", r.Pattern)
		Fail(w, r, err)
		return
	}
	write(w, http.StatusOK, "application/json; charset=utf-8", append(body, '\n'))
}

// fault logs what somebody must look at: errors of ours, and why something was not available. What callers did wrong they
// are told, and nobody waits for the answer to a request that was given up.
func (a answering) fault(r *http.Request, err error) {
	kind := exchange.KindOf(err)
	if kind != exchange.Internal && kind != exchange.Unavailable || r.Context().Err() != nil {
		return
	}
	a.log.ErrorContext(r.Context(), "request failed", "route", r.Pattern, "kind", kind, "error", err)
}

func write(w http.ResponseWriter, status int, content string, body []byte) {
	w.Header().Set("Content-Type", content)
	w.Header().Set("Content-Length", strconv.Itoa(len(body))) // else what is long goes out in chunks
	w.WriteHeader(status)
	w.Write(body) // a client that is gone needs no answer
}

// allowed are the methods as the header Allow has them.
func allowed(methods []string) string {
	all := slices.Clone(methods)
	if slices.Contains(all, http.MethodGet) {
		all = append(all, http.MethodHead)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }
