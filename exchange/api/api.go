// Package api serves the exchange over HTTP, and calls it.
//
// Citizen numbers travel in bodies only, never in addresses. Errors are problem details (RFC 9457) in Chinese and
// English. Who is calling is known by a bearer token until certificates and logins take its place.
package api

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/identity"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Querier answers queries.
type Querier interface {
	Query(ctx context.Context, q broker.Query) (broker.Conclusion, error)
}

// Check is one condition of being ready.
type Check struct {
	Name string
	// OK errs while the condition does not hold.
	OK func(ctx context.Context) error
}

// Config is what the API is made of.
type Config struct {
	Broker    Querier
	Catalogue *catalogue.Catalogue
	Callers   *Callers
	Ready     []Check
	Metrics   prometheus.Gatherer
	Log       *slog.Logger
	Clock     func() time.Time
}

// QueryRequest is the body of POST /v1/queries.
type QueryRequest struct {
	Case      string        `json:"case"`      // the case (办件) this is asked for
	Item      exchange.Item `json:"item"`      // the service item (事项)
	Applicant string        `json:"applicant"` // citizen number or unified social credit code
}

// maxBody bounds a request's body; a query takes a few hundred bytes.
const maxBody = 64 << 10

// New is the API as a handler.
func New(cfg Config) http.Handler {
	s := &server{cfg}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/queries", s.answer(s.query))
	mux.HandleFunc("GET /v1/items", s.answer(s.items))
	mux.HandleFunc("GET /v1/items/{code}", s.answer(s.item))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(cfg.Metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /{$}", index)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { writeProblem(w, r, noSuchPath()) })
	return s.logged(mux)
}

type server struct{ cfg Config }

// answer turns a function that gives a value or an error into a handler: errors become problems in one place.
func (s *server) answer(do func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		value, err := do(r)
		if err != nil {
			if exchange.KindOf(err) == exchange.Internal && r.Context().Err() == nil {
				s.cfg.Log.Error("request failed", "route", r.Pattern, "error", err)
			}
			writeProblem(w, r, err)
			return
		}
		writeJSON(w, http.StatusOK, "application/json; charset=utf-8", value)
	}
}

func (s *server) query(r *http.Request) (any, error) {
	caller, err := s.cfg.Callers.caller(r)
	if err != nil {
		return nil, err
	}
	var asked QueryRequest
	if err := decode(r, &asked); err != nil {
		return nil, err
	}
	holder, err := identity.ParseHolder(asked.Applicant)
	if err != nil {
		return nil, err
	}
	conclusion, err := s.cfg.Broker.Query(r.Context(), broker.Query{Case: asked.Case, Item: asked.Item, Applicant: holder, Caller: caller})
	if err != nil {
		return nil, err
	}
	return conclusion, nil
}

func (s *server) items(*http.Request) (any, error) { return s.cfg.Catalogue.Services(), nil }

func (s *server) item(r *http.Request) (any, error) {
	code := exchange.Item(r.PathValue("code"))
	if item, ok := s.cfg.Catalogue.Service(code); ok {
		return item, nil
	}
	return nil, noSuchItem()
}

// decode reads a body strictly: unknown members, duplicate keys, other letter case and trailing bytes are refused.
func decode(r *http.Request, into any) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return badBody(exchange.Text{ZH: "请求正文没有完整到达", EN: "the body did not arrive whole"})
	}
	if len(body) > maxBody {
		return badBody(exchange.Text{ZH: "请求正文超过 64 KiB", EN: "the body is larger than 64 KiB"})
	}
	if err := json.Unmarshal(body, into, json.RejectUnknownMembers(true)); err != nil {
		return badBody(whyNot(err))
	}
	return nil
}

// whyNot says where a body went wrong without repeating any of it.
func whyNot(err error) exchange.Text {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		return exchange.Text{ZH: "不是合法的 JSON，出错在第 " + strconv.FormatInt(syntax.ByteOffset, 10) + " 字节", EN: "it is not sound JSON at byte " + strconv.FormatInt(syntax.ByteOffset, 10)}
	}
	var meaning *json.SemanticError
	if errors.As(err, &meaning) {
		return exchange.Text{ZH: "字段不认识或类型不符", EN: "a member is unknown or of another type"}
	}
	return exchange.Text{ZH: "不是合法的 JSON", EN: "it is not sound JSON"}
}

func writeJSON(w http.ResponseWriter, status int, content string, value any) {
	body, err := json.Marshal(value, json.Deterministic(true))
	if err != nil {
		http.Error(w, "answer cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", content)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}

// logged writes one line a request: method, route, status and time. The path stays out, because people put into
// addresses what does not belong there.
func (s *server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := s.cfg.Clock()
		seen := &status{ResponseWriter: w, code: http.StatusOK}
		next.ServeHTTP(seen, r)
		s.cfg.Log.LogAttrs(r.Context(), slog.LevelDebug, "request", slog.String("method", r.Method), slog.String("route", r.Pattern),
			slog.Int("status", seen.code), slog.Duration("took", s.cfg.Clock().Sub(began)))
	})
}

type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController reach the connection.
func (s *status) Unwrap() http.ResponseWriter { return s.ResponseWriter }
