// Package api serves the exchange over HTTP, and calls it.
//
// Citizen numbers travel in bodies only, never in addresses. Errors are problem details (RFC 9457) in Chinese and
// English. Who is calling, and whether to let them in, is the doorkeeper's business (package door).
package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/singleflight"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/identity"
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
	Door      *door.Keeper
	Ready     []Check
	Metrics   prometheus.Gatherer
	Log       *slog.Logger     // nil: silent
	Clock     func() time.Time // nil: time.Now
}

// QueryRequest is the body of POST /v1/queries.
type QueryRequest struct {
	Case       string              `json:"case"`                // the case (办件) this is asked for
	Item       exchange.Item       `json:"item"`                // the service item (事项)
	Applicant  string              `json:"applicant"`           // citizen number or unified social credit code
	Department exchange.Department `json:"department,omitzero"` // who asks; may be left out, and is the caller's otherwise
}

// New is the API as a handler.
func New(cfg Config) http.Handler {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	s := &server{cfg: cfg}
	mux := http.NewServeMux()
	for _, r := range []struct {
		method, path string
		handle       http.HandlerFunc
	}{
		{http.MethodPost, "/v1/queries", s.answer(s.query)},
		{http.MethodGet, "/v1/items", s.answer(s.items)},
		{http.MethodGet, "/v1/items/{code}", s.answer(s.item)},
		{http.MethodGet, "/livez", livez},
		{http.MethodGet, "/readyz", s.readyz},
		{http.MethodGet, "/metrics", promhttp.HandlerFor(cfg.Metrics, promhttp.HandlerOpts{}).ServeHTTP},
		{http.MethodGet, "/{$}", index},
	} {
		mux.HandleFunc(r.method+" "+r.path, r.handle)
		mux.HandleFunc(r.path, s.answer(func(*http.Request) (any, error) { return nil, wrongMethod(r.method) }))
	}
	mux.HandleFunc("/", s.answer(func(*http.Request) (any, error) { return nil, noSuchPath() }))
	return s.watched(mux)
}

type server struct {
	cfg   Config
	ready singleflight.Group
}

// answer turns a function that gives a value or an error into a handler: errors become problems in one place.
func (s *server) answer(do func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		value, err := do(r)
		if err != nil {
			s.fault(r, err)
			Fail(w, r, err)
			return
		}
		// No name stands twice in what is answered: documents went through the gate. Looking for it takes a fifth of the time.
		body, err := json.Marshal(value, json.Deterministic(true), jsontext.AllowDuplicateNames(true))
		if err != nil {
			s.cfg.Log.Error("answer cannot be written", "route", r.Pattern)
			Fail(w, r, err)
			return
		}
		writeBody(w, http.StatusOK, "application/json; charset=utf-8", body)
	}
}

// fault logs what somebody must look at: errors of ours, and why something was not available. What callers did wrong they
// are told, and nobody waits for the answer to a request that was given up.
func (s *server) fault(r *http.Request, err error) {
	kind := exchange.KindOf(err)
	if kind != exchange.Internal && kind != exchange.Unavailable || r.Context().Err() != nil {
		return
	}
	s.cfg.Log.Error("request failed", "route", r.Pattern, "kind", kind, "error", err)
}

func (s *server) query(r *http.Request) (any, error) {
	caller, err := s.cfg.Door.Caller(r)
	if err != nil {
		return nil, err
	}
	nonce, err := s.nonce(r, caller)
	if err != nil {
		return nil, err
	}
	asked, err := readQuery(r)
	if err != nil {
		return nil, err
	}
	if asked.Department != "" && asked.Department != caller.Department {
		return nil, s.cfg.Door.Reject(r, caller, door.OtherDepartment())
	}
	holder, err := identity.ParseHolder(asked.Applicant)
	if err != nil {
		return nil, err
	}
	conclusion, err := s.cfg.Broker.Query(r.Context(), broker.Query{Case: asked.Case, Item: asked.Item, Applicant: holder, Caller: caller.Caller, Nonce: nonce})
	if err != nil {
		return nil, err
	}
	return conclusion, nil
}

func (s *server) items(*http.Request) (any, error) { return s.cfg.Catalogue.Services(), nil }

func (s *server) item(r *http.Request) (any, error) {
	code := r.PathValue("code")
	if item, ok := s.cfg.Catalogue.Service(exchange.Item(code)); ok {
		return item, nil
	}
	return nil, noSuchItem(s.cfg.Catalogue.Nearest(code))
}

func writeBody(w http.ResponseWriter, status int, content string, body []byte) {
	w.Header().Set("Content-Type", content)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)+1)) // else what is long goes out in chunks
	w.WriteHeader(status)
	w.Write(body) // a client that is gone needs no answer
	w.Write([]byte{'\n'})
}

func livez(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "ok\n")
}
