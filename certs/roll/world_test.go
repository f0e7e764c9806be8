package roll

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/roll/rolltest"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/bus/embedded"
	"github.com/onedoor/yimen/exchange/envelope"
)

const limit = 20 * time.Second // for anything that a test waits for

var _ envelope.Directory = (*Roll)(nil)

var (
	licences = rolltest.Adapter("scjg", "licences")
	tax      = rolltest.Adapter("swj", "tax")
)

// world is a broker, an authority and the rolls that share them.
type world struct {
	t         testing.TB
	addr      string
	authority *rolltest.Authority

	mu  sync.Mutex
	now time.Time
}

func newWorld(t testing.TB) *world {
	t.Helper()
	broker, err := embedded.Start(embedded.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	w := &world{t: t, addr: broker.Addr(), authority: rolltest.NewAuthority(t), now: time.Now()}
	w.authority.Clock = w.clock
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	must(t, w.bus().Ensure(ctx, []bus.Topic{{Name: Topic, Partitions: 1}}))
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// pass lets time pass on every node.
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) bus() *bus.Bus {
	w.t.Helper()
	b, err := bus.Connect(bus.Config{Brokers: []string{w.addr}})
	must(w.t, err)
	w.t.Cleanup(func() { b.Close() })
	return b
}

// node is a roll that runs.
type node struct {
	*Roll
	w    *world
	log  *lines
	stop func()
}

// lines is a log that several goroutines write.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
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

// node starts a roll, on the world's bus unless the change says otherwise.
func (w *world) node(change ...func(*Config)) *node {
	w.t.Helper()
	n := &node{w: w, log: &lines{}}
	cfg := Config{Topics: w.bus(), Authority: w.authority, City: rolltest.City, Clock: w.clock, Log: slog.New(slog.NewTextHandler(n.log, nil))}
	for _, c := range change {
		c(&cfg)
	}
	var err error
	n.Roll, err = New(cfg)
	must(w.t, err)
	n.patience = patience{answer: limit, retry: 20 * time.Millisecond}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	n.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			w.t.Error("run:", err)
		}
	})
	w.t.Cleanup(n.stop)
	must(w.t, n.Settled(w.t.Context()))
	return n
}

// invite gives a token for an identity.
func (n *node) invite(who certs.Identity) string {
	n.w.t.Helper()
	token, _, err := n.Invite(n.w.t.Context(), who, 0, "xzsp/0001")
	must(n.w.t, err)
	return token
}

// enrol invites and enrols an identity.
func (n *node) enrol(who certs.Identity) certs.Issued {
	n.w.t.Helper()
	_, request := draw(n.w.t)
	issued, err := n.Enrol(n.w.t.Context(), n.invite(who), request)
	must(n.w.t, err)
	return issued
}

// draw draws a key and a request for it.
func draw(t testing.TB) (crypto.Signer, []byte) {
	t.Helper()
	key, request, err := certs.NewRequest(rand.Reader, "")
	must(t, err)
	return key, request
}

func idOf(c *x509.Certificate) envelope.SignerID {
	return envelope.SignerID(certs.FingerprintOf(c.Raw))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantCode says whether an error has a code; "": there must be no error.
func wantCode(t testing.TB, what string, err error, code string) {
	t.Helper()
	var p *exchange.Problem
	switch {
	case code == "" && err == nil:
	case code == "":
		t.Errorf("%s: %v", what, err)
	case !errors.As(err, &p) || p.Code != "YM-ROL-"+code:
		t.Errorf("%s: %v, want YM-ROL-%s", what, err, code)
	case p.What.ZH == "" || p.What.EN == "" || p.Mend.ZH == "" || p.Mend.EN == "" || p.Kind == "":
		t.Errorf("%s: %v does not say everything", what, p)
	}
}

// eventually waits for something to become so.
func eventually(t testing.TB, what string, within time.Duration, so func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !so(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain: " + what)
		}
	}
}
