// Package enroltest serves enrolment for the tests of its callers: an authority, a roll on an embedded Kafka, and the handler.
package enroltest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/enrol"
	"github.com/onedoor/yimen/certs/roll"
	"github.com/onedoor/yimen/certs/roll/rolltest"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/bus/embedded"
)

// AdminToken is what an administrator shows, as a bearer.
const AdminToken = "the-administrators-token"

// Exchange is an exchange as far as enrolment sees it.
type Exchange struct {
	Authority *rolltest.Authority
	Roll      *roll.Roll
	Config    enrol.Config
	URL       string // over TLS, as the node n1
	Plain     string // over plain HTTP, for administrators of the same machine

	t   testing.TB
	log bytes.Buffer // guarded by mu

	mu     sync.Mutex
	seen   []string // method, path and body of requests
	sealed error    // why there are no sealing keys
}

// Start serves until the test ends.
func Start(t testing.TB) *Exchange {
	t.Helper()
	e := &Exchange{t: t, Authority: rolltest.NewAuthority(t)}
	e.Roll = startRoll(t, e.Authority)
	e.Config = enrol.Config{Roll: e.Roll, City: rolltest.City, Roots: e.Authority.Roots, Kafka: []string{"kafka1.example:9093"}, SealingKeys: e.sealing,
		Admin: administrator, Fail: fail, Known: inCatalogue, Log: slog.New(slog.NewTextHandler(e, nil))}
	handler := e.Handler(func(*enrol.Config) {})
	e.URL = e.Serve(handler, e.Authority, rolltest.Node("n1"), "127.0.0.1")
	plain := httptest.NewServer(handler)
	t.Cleanup(plain.Close)
	e.Plain = plain.URL
	return e
}

// Handler is another handler of the exchange, with another configuration.
func (e *Exchange) Handler(change func(*enrol.Config)) http.Handler {
	e.t.Helper()
	cfg := e.Config
	change(&cfg)
	handler, err := enrol.New(cfg)
	if err != nil {
		e.t.Fatal(err)
	}
	return handler
}

// startRoll runs a roll on a broker of its own.
func startRoll(t testing.TB, authority *rolltest.Authority) *roll.Roll {
	t.Helper()
	broker, err := embedded.Start(embedded.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	connected, err := bus.Connect(bus.Config{Brokers: []string{broker.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connected.Close() })
	ctx, cancel := context.WithCancel(context.Background())
	if err := connected.Ensure(ctx, []bus.Topic{{Name: roll.Topic, Partitions: 1}}); err != nil {
		t.Fatal(err)
	}
	r, err := roll.New(roll.Config{Topics: connected, Authority: authority, City: rolltest.City})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	if err := r.Settled(ctx); err != nil {
		t.Fatal(err)
	}
	return r
}

// Serve serves over TLS with a certificate of the authority for the identity and the host, remembers what comes, and gives
// the address.
func (e *Exchange) Serve(handler http.Handler, under *rolltest.Authority, as certs.Identity, host string) string {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		e.mu.Lock()
		e.seen = append(e.seen, r.Method+" "+r.URL.Path+" "+string(body))
		e.mu.Unlock()
		handler.ServeHTTP(w, r)
	}))
	s.TLS = under.Server(as, host)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	e.t.Cleanup(s.Close)
	return s.URL
}

// Received is what came to servers so far.
func (e *Exchange) Received() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.seen, "\n")
}

// Write takes lines of the log.
func (e *Exchange) Write(line []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.log.Write(line)
}

// Logged is what the log says so far.
func (e *Exchange) Logged() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.log.String()
}

// Seal says why there are no sealing keys; nil: there are.
func (e *Exchange) Seal(why error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sealed = why
}

func (e *Exchange) sealing(context.Context) ([]enrol.SealingKey, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return []enrol.SealingKey{{ID: "sealing-1", Public: []byte("public")}}, e.sealed
}

// Fingerprint is that of the root.
func (e *Exchange) Fingerprint() certs.Fingerprint {
	return certs.FingerprintOf(e.Authority.Roots()[0].Raw)
}

// Invite gives a token for an identity.
func (e *Exchange) Invite(who certs.Identity) string {
	e.t.Helper()
	token, _, err := e.Roll.Invite(e.t.Context(), who, 0, "xzsp/0001")
	if err != nil {
		e.t.Fatal(err)
	}
	return token
}

func administrator(r *http.Request) (string, error) {
	if r.Header.Get("Authorization") != "Bearer "+AdminToken {
		return "", &exchange.Problem{Code: "YM-API-0401", Kind: exchange.Unauthorised, What: exchange.Text{ZH: "不知道是谁", EN: "it is not known who is asking"}}
	}
	return "xzsp/0001", nil
}

func inCatalogue(i certs.Identity) error {
	if i.Department == "nobody" {
		return &exchange.Problem{Code: "YM-CAT-0999", Kind: exchange.NotFound, What: exchange.Text{ZH: "没有这个部门", EN: "no such department"}}
	}
	return nil
}

// fail answers as the API does.
func fail(w http.ResponseWriter, _ *http.Request, err error) {
	var p *exchange.Problem
	if !errors.As(err, &p) {
		p = &exchange.Problem{Code: "YM-API-0500", Kind: exchange.Internal}
	}
	status := map[exchange.Kind]int{exchange.Invalid: 400, exchange.NotFound: 404, exchange.Denied: 403, exchange.Conflict: 409, exchange.Unavailable: 503,
		exchange.Unauthorised: 401, exchange.Internal: 500}[p.Kind]
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"code": p.Code, "kind": p.Kind, "what": p.What, "why": p.Why, "how": p.Mend})
}
