// Package rest serves a registry over HTTP as Confluent's registry does, so that stock Kafka clients use it unmodified, and
// calls it.
//
// Beside Confluent's paths there are Yimen's own: a dry run of a registration, the history of a subject, what a change would break,
// deprecation and retirement.
//
// Confluent's Java client refuses members that it does not know, and it is the one client that names no JSON in Accept. What
// goes beyond Confluent's answers is therefore kept from it; see reader.
package rest

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange/watch"
	"github.com/onedoor/yimen/schemas/registry"
)

// Config is what the service is made of.
type Config struct {
	Registry *registry.Registry
	// Writer says who sends a request that changes something; its error, an *exchange.Problem, refuses the request.
	// Reading is open to everybody: schemas hold no personal data. nil: nobody may change anything.
	Writer func(*http.Request) (by string, err error)
	// Impact says what a schema would break: it calls progress now and then with how many stored records it has looked
	// at, of how many, and gives a value for JSON. Only writers may ask. nil: not served.
	Impact  func(ctx context.Context, subject string, schema []byte, progress func(done, of int64)) (json.RawMessage, error)
	Log     *slog.Logger          // nil: silent
	Metrics prometheus.Registerer // nil: nothing is counted
}

const (
	maxBody  = 1 << 20         // bytes of a request's body, as Confluent's registry takes them
	patience = 5 * time.Second // how long a check waits for its turn
)

// service answers requests.
type service struct {
	Config
	bodies   bodies
	metrics  metrics
	checks   chan struct{} // a place for each check of compatibility that may run at once: anybody may ask for one
	patience time.Duration
}

// New is the service as a handler, for the root of a path prefix that the caller strips.
func New(cfg Config) http.Handler { return newService(cfg) }

func newService(cfg Config) *service {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &service{Config: cfg, metrics: newMetrics(cfg.Metrics), checks: make(chan struct{}, runtime.GOMAXPROCS(0)), patience: patience}
}

// ServeHTTP answers a request.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	seen := &watch.Answer{ResponseWriter: w}
	c := &call{service: s, w: seen, r: r}
	began := time.Now()
	defer func() {
		watch.Recovered(r.Context(), recover(), seen, s.Log, c.routed, func() {
			body, code := complain(nil, false)
			c.send(code, body)
		})
		s.metrics.count(c, seen.Code, time.Since(began))
	}()
	seen.Header()["X-Content-Type-Options"] = noSniff
	if c.quick() {
		return
	}
	c.query = queryOf(r.URL.RawQuery)
	if err := c.serve(); err != nil {
		c.refuse(err)
	}
}

// turn waits until a check may run, and gives what ends it.
func (s *service) turn(ctx context.Context) (done func(), err error) {
	wait := time.NewTimer(s.patience)
	defer wait.Stop()
	select {
	case s.checks <- struct{}{}:
		return func() { <-s.checks }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-wait.C:
		return nil, busy()
	}
}
