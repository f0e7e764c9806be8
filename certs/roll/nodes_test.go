package roll

import (
	"context"
	"crypto/x509"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/journal"
)

// changed is a node on the city's bus, with something else about its configuration.
func (c *city) changed(change func(*Config)) *Roll {
	c.t.Helper()
	cfg := Config{City: "liling", Topics: c.bus(), Authority: c.authority, Clock: c.clock}
	change(&cfg)
	r, err := New(cfg)
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	c.t.Cleanup(func() { end(); <-done })
	return r
}

// TestOtherNodesKnowAtOnce: what one node has just handed out is good on every other.
func TestOtherNodesKnowAtOnce(t *testing.T) {
	c := found(t)
	a, b := c.node(), c.node()
	for range 5 {
		token, _, err := a.Invite(t.Context(), licences, 0, "xzsp/0001")
		if err != nil {
			t.Fatal(err)
		}
		_, csr := request(t, "")
		made, err := b.Enrol(t.Context(), token, csr)
		if err != nil {
			t.Fatal("a token of another node:", err)
		}
		if err := a.Admits(made.Certificate); err != nil {
			t.Fatal("a certificate of another node:", err)
		}
		if _, known, err := a.Signatory(t.Context(), envelope.SignerID(certs.FingerprintOf(made.Certificate.Raw))); !known || err != nil {
			t.Fatal("a signatory of another node:", known, err)
		}
	}
}

// TestKeysRotate: the new key signs once every node has had the time to learn of it, and nodes that run verify by it without a
// restart. Else a revocation made on one node would be passed over on another.
func TestKeysRotate(t *testing.T) {
	c := found(t)
	a, b := c.node(), c.node()
	first := enrol(t, a, licences)
	if _, err := c.authority.Rotate(t.Context(), OrdersSecret); err != nil {
		t.Fatal(err)
	}
	ring, err := c.authority.Ring(t.Context(), OrdersSecret)
	if err != nil || len(ring) != 2 {
		t.Fatal(len(ring), err)
	}
	c.wait(ring[1].Made.Add(certs.Seasoning - time.Second).Sub(c.clock()))
	if key, err := a.orders.Signer(t.Context()); err != nil || !key.Equal(signing(ring[0])) {
		t.Errorf("the new key signs too soon, %v", err)
	}
	c.wait(2 * time.Second)
	if key, err := a.orders.Signer(t.Context()); err != nil || !key.Equal(signing(ring[1])) {
		t.Errorf("the new key does not sign, %v", err)
	}
	if err := a.Revoke(t.Context(), Target{Identity: licences}, "xzsp/0001", "breach"); err != nil {
		t.Fatal(err)
	}
	if err := b.Settled(t.Context()); err != nil || code(b.Admits(first)) != "YM-ROL-0102" {
		t.Errorf("a node that ran meanwhile passed the revocation over, %v", err)
	}
	after := c.node() // folds what both keys signed
	if code(after.Admits(first)) != "YM-ROL-0102" {
		t.Error("a node that started later passed the revocation over")
	}
}

// keyless is an authority whose keys cannot be had for a while.
type keyless struct {
	certs.Authority
	mu   sync.Mutex
	away bool
}

func (k *keyless) set(away bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.away = away
}

func (k *keyless) Ring(ctx context.Context, name string) ([]certs.Key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.away {
		return nil, &exchange.Problem{Code: "YM-KEY-0999", Kind: exchange.Unavailable}
	}
	return k.Authority.Ring(ctx, name)
}

// TestAuthorityIsAway: entries that cannot be verified now are not passed over, they wait.
func TestAuthorityIsAway(t *testing.T) {
	c := found(t)
	a := c.node()
	k := &keyless{Authority: c.authority}
	b := c.changed(func(cfg *Config) { cfg.Authority = k })
	adapter := enrol(t, a, licences)
	if err := b.Admits(adapter); err != nil {
		t.Fatal(err)
	}
	k.set(true)
	if err := b.Revoke(t.Context(), Target{Identity: licences}, "x", "breach"); exchange.KindOf(err) != exchange.Unavailable {
		t.Errorf("an entry without a key: %v", err)
	}
	if err := a.Revoke(t.Context(), Target{Identity: licences}, "x", "breach"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := b.Settled(ctx); err == nil {
		t.Error("what could not be verified was passed over")
	}
	k.set(false)
	if err := b.Settled(t.Context()); err != nil || code(b.Admits(adapter)) != "YM-ROL-0102" {
		t.Errorf("after the authority is back: %v, %v", err, b.Admits(adapter))
	}
}

// TestIssueRacesRevocation: whichever comes first on the topic, nobody holds a good certificate afterwards.
func TestIssueRacesRevocation(t *testing.T) {
	c := found(t)
	a, b := c.node(), c.node()
	for range 5 {
		token, _, err := a.Invite(t.Context(), licences, 0, "x")
		if err != nil {
			t.Fatal(err)
		}
		_, csr := request(t, "")
		var made certs.Issued
		var group sync.WaitGroup
		var failed error
		group.Go(func() { made, failed = a.Enrol(t.Context(), token, csr) })
		if err := b.Revoke(t.Context(), Target{Identity: licences}, "x", "breach"); err != nil {
			t.Fatal(err)
		}
		group.Wait()
		if err := a.Settled(t.Context()); err != nil {
			t.Fatal(err)
		}
		if failed == nil && (code(a.Admits(made.Certificate)) != "YM-ROL-0102" || code(b.Admits(made.Certificate)) != "YM-ROL-0102") {
			t.Error("a certificate outlived its revocation")
		}
		if err := b.Restore(t.Context(), Target{Identity: licences}, "x"); err != nil {
			t.Fatal(err)
		}
		if failed == nil && a.Settled(t.Context()) == nil && code(a.Admits(made.Certificate)) != "YM-ROL-0102" {
			t.Error("a certificate came back")
		}
		if _, err := a.Enrol(t.Context(), token, csr); err == nil {
			t.Error("the token is good for another certificate")
		}
	}
}

func TestOneKeyOnTwoNodes(t *testing.T) {
	c := found(t)
	nodes, whom := []*Roll{c.node(), c.node()}, []certs.Identity{licences, tax}
	_, csr := request(t, "")
	var group sync.WaitGroup
	var mu sync.Mutex
	var won []*x509.Certificate
	for i, r := range nodes {
		token, _, err := r.Invite(t.Context(), whom[i], 0, "x")
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() {
			made, err := r.Enrol(t.Context(), token, csr)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, made.Certificate)
			} else if code(err) != "YM-ROL-0108" {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if len(won) != 1 {
		t.Errorf("%d certificates for one key", len(won))
	}
}

func TestWhatDoesNotBelongOnTheRoll(t *testing.T) {
	c := found(t)
	r := c.node()
	for _, name := range []string{"43028119900101005X", "id-43028119900101005X", "430281900101005"} {
		who := certs.Identity{City: "liling", Department: "xzsp", Role: certs.Clerk, Name: name}
		_, _, err := r.Invite(t.Context(), who, 0, "x")
		if code(err) != "YM-ROL-0113" || strings.Contains(err.Error(), "43028") {
			t.Errorf("invited: %v", err)
		}
		if err := r.Revoke(t.Context(), Target{Identity: who}, "x", "breach"); code(err) != "YM-ROL-0113" {
			t.Errorf("revoked: %v", err)
		}
	}
	if err := r.Revoke(t.Context(), Target{Certificate: certs.Fingerprint{1}}, "x", "breach"); code(err) != "YM-ROL-0112" {
		t.Errorf("revoked a certificate that nobody has: %v", err)
	}
}

// away is a bus that cannot be reached at first.
type away struct {
	journal.Topics
	mu    sync.Mutex
	tries int
}

func (a *away) EndOffsets(ctx context.Context, topic string) (map[int]int64, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tries++; a.tries <= 2 {
		return nil, &exchange.Problem{Code: "YM-BUS-0105", Kind: exchange.Unavailable}
	}
	return a.Topics.EndOffsets(ctx, topic)
}

func TestBusComesLate(t *testing.T) {
	c := found(t)
	r := c.changed(func(cfg *Config) { cfg.Topics = &away{Topics: c.bus()} })
	adapter := enrol(t, c.node(), licences)
	for end := time.Now().Add(10 * time.Second); r.Admits(adapter) != nil; {
		if time.Now().After(end) {
			t.Fatal("it does not follow")
		}
	}
}
