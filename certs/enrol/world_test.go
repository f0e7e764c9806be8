package enrol_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
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

const adminToken = "the-administrators-token"

var licences = rolltest.Adapter("scjg", "licences")

// world is an exchange as far as enrolment sees it, served over TLS.
type world struct {
	t         testing.TB
	authority *rolltest.Authority
	roll      *roll.Roll
	cfg       enrol.Config
	server    *httptest.Server
	log       *lines

	mu     sync.Mutex
	seen   []string // method, path and body of requests
	sealed error    // why there are no sealing keys
}

// lines is a log that several goroutines write.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, authority: rolltest.NewAuthority(t), log: &lines{}}
	w.roll = startRoll(t, w.authority)
	w.cfg = enrol.Config{Roll: w.roll, City: rolltest.City, Roots: w.authority.Roots, Kafka: []string{"kafka1.example:9093"}, SealingKeys: w.sealing,
		Admin: administrator, Fail: fail, Known: inCatalogue, Log: slog.New(slog.NewTextHandler(w.log, nil))}
	handler, err := enrol.New(w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.server = w.serve(handler, w.authority, rolltest.Node("n1"), "127.0.0.1")
	return w
}

// startRoll runs a roll on a broker of its own until the test ends.
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

// serve serves over TLS with a certificate for the identity, and remembers what came.
func (w *world) serve(handler http.Handler, under *rolltest.Authority, as certs.Identity, host string) *httptest.Server {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		w.mu.Lock()
		w.seen = append(w.seen, r.Method+" "+r.URL.Path+" "+string(body))
		w.mu.Unlock()
		handler.ServeHTTP(rw, r)
	}))
	s.TLS = under.Server(as, host)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	w.t.Cleanup(s.Close)
	return s
}

// received is what came to servers so far.
func (w *world) received() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.seen, "\n")
}

func (w *world) sealing(context.Context) ([]enrol.SealingKey, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return []enrol.SealingKey{{ID: "sealing-1", Public: []byte("public")}}, w.sealed
}

func (w *world) fingerprint() certs.Fingerprint {
	return certs.FingerprintOf(w.authority.Roots()[0].Raw)
}

func (w *world) invite(who certs.Identity) string {
	w.t.Helper()
	token, _, err := w.roll.Invite(w.t.Context(), who, 0, "xzsp/0001")
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// admin is an administrator's client; another token makes it somebody else's.
func (w *world) admin(token string) *enrol.Client {
	return &enrol.Client{Base: w.server.URL, Token: token, HTTP: &http.Client{Transport: &http.Transport{TLSClientConfig: w.authority.Client()}}}
}

func administrator(r *http.Request) (string, error) {
	if r.Header.Get("Authorization") != "Bearer "+adminToken {
		return "", &exchange.Problem{Code: "YM-API-0401", Kind: exchange.Unauthorised, What: exchange.Text{ZH: "未登录", EN: "not logged in"}}
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

func draw(t testing.TB) (crypto.Signer, []byte) {
	t.Helper()
	key, request, err := certs.NewRequest(rand.Reader, "")
	if err != nil {
		t.Fatal(err)
	}
	return key, request
}

// credential enrols an adapter and keeps what it got.
func (w *world) credential(who certs.Identity) *certs.Credential {
	w.t.Helper()
	key, request := draw(w.t)
	papers, err := enrol.Enrol(w.t.Context(), w.server.URL, w.fingerprint(), w.invite(who), request)
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := certs.SaveCredential(certs.CredentialConfig{Dir: w.t.TempDir(), Name: who.Name}, key, papers.Certs())
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func wantCode(t testing.TB, what string, err error, code string) {
	t.Helper()
	var p *exchange.Problem
	if code == "" && err == nil {
		return
	}
	if !errors.As(err, &p) || p.Code != code || p.What.ZH == "" || p.What.EN == "" {
		t.Errorf("%s: %v, want %q", what, err, code)
	}
}
