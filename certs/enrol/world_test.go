package enrol_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/enrol"
	"github.com/onedoor/yimen/certs/roll"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/bus/embedded"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/envelope"
)

const adminToken = "the-administrators-token"

var (
	licences = certs.Identity{City: "liling", Department: "scjg", Role: certs.Adapter, Name: "licences"}
	main     = certs.Identity{City: "liling", Role: certs.Node, Name: "main"}
)

// world is an exchange as far as enrolment sees it, served over TLS.
type world struct {
	t         *testing.T
	authority *certs.LocalAuthority
	bus       *bus.Bus
	roll      *roll.Roll
	cfg       enrol.Config
	url       string

	mu   sync.Mutex
	seen []string // bodies of requests
	acts []string // who, act, target
	why  error    // why there is nothing to tell of the exchange, or no act can be recorded
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, authority: newAuthority(t)}
	w.roll = w.startRoll()
	w.cfg = enrol.Config{City: "liling", Roll: w.roll, Authority: w.authority, Admin: administrator, Act: w.act, Exchange: w.about}
	w.url = w.serve(contract.Handler(enrol.Operations(w.cfg), nil), w.authority, main, "127.0.0.1")
	return w
}

func newAuthority(t *testing.T) *certs.LocalAuthority {
	t.Helper()
	a, err := certs.NewLocal(certs.LocalConfig{Dir: filepath.Join(t.TempDir(), "keys"), City: "liling"})
	must(t, err)
	return a
}

func (w *world) startRoll() *roll.Roll {
	w.t.Helper()
	broker, err := embedded.Start(embedded.Config{Dir: w.t.TempDir()})
	must(w.t, err)
	w.t.Cleanup(broker.Close)
	connected, err := bus.Connect(bus.Config{Brokers: []string{broker.Addr()}})
	must(w.t, err)
	w.t.Cleanup(func() { connected.Close() })
	must(w.t, connected.Ensure(w.t.Context(), []bus.Topic{{Name: roll.Topic, Partitions: 1}}))
	w.bus = connected
	return w.runRoll(roll.Config{City: "liling", Topics: connected, Authority: w.authority})
}

func (w *world) runRoll(cfg roll.Config) *roll.Roll {
	w.t.Helper()
	r, err := roll.New(cfg)
	must(w.t, err)
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	w.t.Cleanup(func() { end(); <-ended })
	must(w.t, r.Settled(w.t.Context()))
	return r
}

// serve serves over TLS as an identity under an authority, whose root is sent along, and gives the address.
func (w *world) serve(handler http.Handler, under *certs.LocalAuthority, as certs.Identity, host string) string {
	w.t.Helper()
	s := quiet(httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		w.mu.Lock()
		w.seen = append(w.seen, string(body))
		w.mu.Unlock()
		handler.ServeHTTP(rw, r)
	})))
	s.TLS = serving(w.t, under, as, host)
	s.StartTLS()
	w.t.Cleanup(s.Close)
	return s.URL
}

func serving(t *testing.T, under *certs.LocalAuthority, as certs.Identity, host string) *tls.Config {
	t.Helper()
	key, request, err := certs.NewServerRequest(rand.Reader, "")
	must(t, err)
	order := certs.Order{Request: request, Identity: as}
	if as.Role == certs.Node {
		order.Hosts = []string{host}
	}
	made, err := under.Issue(t.Context(), order)
	must(t, err)
	root := under.Roots()[0]
	pool := x509.NewCertPool()
	pool.AddCert(root)
	return &tls.Config{MinVersion: tls.VersionTLS12, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool,
		Certificates: []tls.Certificate{{Certificate: append(made.Chain, root.Raw), PrivateKey: key}}}
}

// received is what came to servers so far.
func (w *world) received() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.seen, "\n")
}

func (w *world) about(context.Context, envelope.Suite) (enrol.Exchange, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return enrol.Exchange{SealingKey: []byte("public"), Kafka: []string{"kafka1.example:9093"}, KafkaTLS: true}, w.why
}

func (w *world) act(_ context.Context, who, act, target string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.why == nil {
		w.acts = append(w.acts, who+" "+act+" "+target)
	}
	return w.why
}

// breaks makes the exchange unable to tell of itself and to record acts; nil mends it.
func (w *world) breaks(why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.why = why
}

func (w *world) fingerprint() certs.Fingerprint {
	return certs.FingerprintOf(w.authority.Roots()[0].Raw)
}

func (w *world) invite(who certs.Identity) string {
	w.t.Helper()
	token, _, err := w.roll.Invite(w.t.Context(), who, 0, "xzsp/0001")
	must(w.t, err)
	return token
}

// client calls with a token, and trusts the exchange's root.
func (w *world) client(token string) *enrol.Client {
	pool := x509.NewCertPool()
	pool.AddCert(w.authority.Roots()[0])
	return &enrol.Client{Base: w.url, Token: token, HTTP: over(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool})}
}

// showing calls with the certificate of a configuration.
func (w *world) showing(security *tls.Config) *enrol.Client {
	return &enrol.Client{Base: w.url, HTTP: over(security)}
}

func over(security *tls.Config) *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: security}, Timeout: 30 * time.Second}
}

func (w *world) join(token string, request []byte) (enrol.Joined, error) {
	return enrol.Join(w.t.Context(), w.url, w.fingerprint(), token, drawn(request), time.Now)
}

// credential enrols an adapter and keeps what it got.
func (w *world) credential(change ...func(*certs.CredentialConfig)) *certs.Credential {
	w.t.Helper()
	key, request := draw(w.t)
	joined, err := w.join(w.invite(licences), request)
	must(w.t, err)
	cfg := certs.CredentialConfig{Dir: w.t.TempDir(), Name: "identity"}
	for _, c := range change {
		c(&cfg)
	}
	c, err := certs.SaveCredential(cfg, key, joined.Papers())
	must(w.t, err)
	return c
}

func administrator(r *http.Request) (string, error) {
	if r.Header.Get("Authorization") != "Bearer "+adminToken {
		return "", &exchange.Problem{Code: "YM-API-0403", Kind: exchange.Denied}
	}
	return "xzsp/0001", nil
}

func drawn(request []byte) func(envelope.Suite) ([]byte, error) {
	return func(envelope.Suite) ([]byte, error) { return request, nil }
}

func draw(t *testing.T) (crypto.Signer, []byte) {
	t.Helper()
	key, request, err := certs.NewRequest(envelope.Standard, rand.Reader, "")
	must(t, err)
	return key, request
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wants says whether an error has a code; "": there must be none.
func wants(t *testing.T, what string, err error, code string) {
	t.Helper()
	var p *exchange.Problem
	if code == "" && err == nil {
		return
	}
	if !errors.As(err, &p) || p.Code != code {
		t.Errorf("%s: %v, want %q", what, err, code)
	}
}

// quiet keeps failed handshakes, which tests mean, off the screen.
func quiet(s *httptest.Server) *httptest.Server {
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	return s
}
