package roll

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/bus/embedded"
	"github.com/onedoor/yimen/exchange/envelope"
)

var (
	licences = certs.Identity{City: "liling", Department: "scjg", Role: certs.Adapter, Name: "licences"}
	clerk    = certs.Identity{City: "liling", Department: "xzsp", Role: certs.Clerk, Name: "0017"}
)

// city is an authority, a Kafka and a clock that nodes share.
type city struct {
	t         *testing.T
	authority *certs.LocalAuthority
	addr      string

	mu  sync.Mutex
	now time.Time
}

func found(t *testing.T) *city {
	t.Helper()
	c := &city{t: t, now: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)}
	broker, err := embedded.Start(embedded.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	c.addr = broker.Addr()
	if c.authority, err = certs.NewLocal(certs.LocalConfig{Dir: filepath.Join(t.TempDir(), "keys"), City: "liling", Clock: c.clock}); err != nil {
		t.Fatal(err)
	}
	if err := c.bus().Ensure(t.Context(), []bus.Topic{{Name: Topic, Partitions: 1}}); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *city) clock() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *city) wait(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *city) bus() *bus.Bus {
	c.t.Helper()
	b, err := bus.Connect(bus.Config{Brokers: []string{c.addr}, ClientID: "test"})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { b.Close() })
	return b
}

// node is a roll that runs until the test ends.
func (c *city) node() *Roll {
	c.t.Helper()
	r, err := New(Config{City: "liling", Topics: c.bus(), Authority: c.authority, Clock: c.clock})
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := r.Run(ctx); err != nil && ctx.Err() == nil {
			c.t.Error(err)
		}
	}()
	c.t.Cleanup(func() { end(); <-done })
	if err := r.Settled(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	return r
}

func request(t *testing.T, name string) (crypto.Signer, []byte) {
	t.Helper()
	key, csr, err := certs.NewRequest(envelope.Standard, rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	return key, csr
}

// enrol invites and enrols an identity.
func enrol(t *testing.T, r *Roll, who certs.Identity) *x509.Certificate {
	t.Helper()
	token, _, err := r.Invite(t.Context(), who, 0, "xzsp/0001")
	if err != nil {
		t.Fatal(err)
	}
	_, csr := request(t, "")
	made, err := r.Enrol(t.Context(), token, csr)
	if err != nil {
		t.Fatal(err)
	}
	return made.Certificate
}

func code(err error) string {
	var p *exchange.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return ""
}

func TestEnrolRenewRevoke(t *testing.T) {
	c := found(t)
	r, other := c.node(), c.node()
	token, until, err := r.Invite(t.Context(), licences, time.Hour, "xzsp/0001")
	if err != nil || !until.Equal(c.clock().Add(time.Hour)) {
		t.Fatal(until, err)
	}
	if _, csr := request(t, "gaj/adapter/persons"); true {
		if _, err := r.Enrol(t.Context(), token, csr); code(err) != "YM-ROL-0107" {
			t.Errorf("a request for somebody else: %v", err)
		}
	}
	if _, err := r.Enrol(t.Context(), token, []byte("no request")); code(err) != "YM-KEY-0103" {
		t.Errorf("no request: %v", err)
	}
	_, csr := request(t, "scjg/adapter/licences")
	made, err := other.waitAndEnrol(t, token, csr) // the token is good on every node, and still after what was wrong before
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(c.authority.Roots()[0])
	if _, err := made.Certificate.Verify(x509.VerifyOptions{Roots: pool, CurrentTime: c.clock(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Error(err)
	}
	for name, again := range map[string]string{"used": token, "wrong": token[:len(token)-1] + "x", "empty": ""} {
		if _, err := other.Enrol(t.Context(), again, csr); code(err) != "YM-ROL-0104" {
			t.Errorf("%s token: %v", name, err)
		}
	}
	if err := r.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.Admits(made.Certificate); err != nil {
		t.Error(err)
	}
	s, known, err := r.Signatory(t.Context(), envelope.SignerID(certs.FingerprintOf(made.Certificate.Raw)))
	if err != nil || !known || s.Adapter != "scjg/licences" || !s.Revoked.IsZero() || len(s.Public) != ed25519.PublicKeySize {
		t.Errorf("%+v %v %v", s, known, err)
	}

	if _, err := r.Renew(t.Context(), made.Certificate, csr); code(err) != "YM-ROL-0108" {
		t.Errorf("renewal of the same key: %v", err)
	}
	_, fresh := request(t, "")
	renewed, err := r.Renew(t.Context(), made.Certificate, fresh)
	if err != nil {
		t.Fatal(err)
	}
	c.wait(time.Minute)
	began := time.Now()
	if err := r.Revoke(t.Context(), Target{Identity: licences}, "xzsp/0001", "key-lost"); err != nil {
		t.Fatal(err)
	}
	for other.Admits(renewed.Certificate) == nil || other.Admits(made.Certificate) == nil {
		if time.Since(began) > 5*time.Second {
			t.Fatal("the other node admits what was revoked 5 s ago")
		}
		<-time.After(time.Millisecond)
	}
	t.Logf("revoked on the other node after %v", time.Since(began))
	if _, err := other.Renew(t.Context(), renewed.Certificate, fresh); code(err) != "YM-ROL-0102" {
		t.Errorf("renewal after revocation: %v", err)
	}
	if _, _, err := other.Invite(t.Context(), licences, 0, "x"); code(err) != "YM-ROL-0102" {
		t.Errorf("invitation after revocation: %v", err)
	}
	if s, _, _ := other.Signatory(t.Context(), envelope.SignerID(certs.FingerprintOf(made.Certificate.Raw))); !s.Revoked.Equal(c.clock()) {
		t.Errorf("signatory revoked at %v", s.Revoked)
	}
	if after := c.node(); code(after.Admits(renewed.Certificate)) != "YM-ROL-0102" { // a restart
		t.Error("forgotten by a restart")
	}
	if err := r.Restore(t.Context(), Target{Identity: licences}, "xzsp/0001"); err != nil {
		t.Fatal(err)
	}
	if err := r.Admits(renewed.Certificate); code(err) != "YM-ROL-0102" {
		t.Errorf("a certificate came back: %v", err)
	}
	if err := r.Admits(enrol(t, r, licences)); err != nil {
		t.Errorf("after enrolling anew: %v", err)
	}
}

// waitAndEnrol waits until the node has folded what others wrote.
func (r *Roll) waitAndEnrol(t *testing.T, token string, csr []byte) (certs.Issued, error) {
	t.Helper()
	if err := r.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r.Enrol(t.Context(), token, csr)
}

func TestOutOfDate(t *testing.T) {
	c := found(t)
	r := c.node()
	token, _, err := r.Invite(t.Context(), licences, time.Hour, "a")
	if err != nil {
		t.Fatal(err)
	}
	made := enrol(t, r, clerk)
	c.wait(certs.MaxLife + time.Second)
	_, csr := request(t, "")
	if _, err := r.Enrol(t.Context(), token, csr); code(err) != "YM-ROL-0104" {
		t.Errorf("old token: %v", err)
	}
	if err := r.Admits(made); code(err) != "YM-ROL-0103" {
		t.Errorf("old certificate: %v", err)
	}
	if _, err := r.Renew(t.Context(), made, csr); code(err) != "YM-ROL-0103" {
		t.Errorf("renewal of it: %v", err)
	}
	stranger, err := certs.NewLocal(certs.LocalConfig{Dir: filepath.Join(t.TempDir(), "k"), City: "liling", Clock: c.clock})
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := stranger.Issue(t.Context(), certs.Order{Request: csr, Identity: licences})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Admits(foreign.Certificate); code(err) != "YM-ROL-0101" {
		t.Errorf("another authority's: %v", err)
	}
}

// TestDepartmentIsRevokedWhole: adapters, services and clerks, those with tokens only too.
func TestDepartmentIsRevokedWhole(t *testing.T) {
	c := found(t)
	r := c.node()
	adapter, kept := enrol(t, r, licences), enrol(t, r, clerk)
	if err := r.Revoke(t.Context(), Target{Department: "scjg"}, "a", "breach"); err != nil {
		t.Fatal(err)
	}
	stranger := certs.Identity{City: "liling", Department: "scjg", Role: certs.Clerk, Name: "0099"}
	if code(r.Admits(adapter)) != "YM-ROL-0102" || code(r.AdmitsIdentity(stranger)) != "YM-ROL-0102" {
		t.Error("somebody of the department is still admitted")
	}
	if r.Admits(kept) != nil || r.AdmitsIdentity(clerk) != nil {
		t.Error("another department is refused")
	}
	if err := r.Revoke(t.Context(), Target{Certificate: certs.FingerprintOf(kept.Raw)}, "a", "key-lost"); err != nil {
		t.Fatal(err)
	}
	if code(r.Admits(kept)) != "YM-ROL-0102" || r.AdmitsIdentity(clerk) != nil {
		t.Error("a certificate alone")
	}
	if err := r.Restore(t.Context(), Target{Certificate: certs.FingerprintOf(kept.Raw)}, "a"); code(err) != "YM-ROL-0109" {
		t.Errorf("restored a certificate: %v", err)
	}
	if err := r.Restore(t.Context(), Target{Department: "scjg"}, "a"); err != nil || r.AdmitsIdentity(stranger) != nil {
		t.Errorf("restored: %v", err)
	}
}

// TestOneTokenOneCertificate: of many who use one token at once on two nodes, one gets a certificate.
func TestOneTokenOneCertificate(t *testing.T) {
	c := found(t)
	nodes := []*Roll{c.node(), c.node()}
	token, _, err := nodes[0].Invite(t.Context(), licences, 0, "a")
	if err != nil {
		t.Fatal(err)
	}
	if err := nodes[1].Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for i := range 8 {
		_, csr := request(t, "")
		group.Go(func() {
			_, err := nodes[i%2].Enrol(t.Context(), token, csr)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if code(err) != "YM-ROL-0104" {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if won != 1 {
		t.Errorf("%d certificates by one token", won)
	}
}

// TestForgedEntries: what the exchange did not sign changes nothing, nor what it would never write.
func TestForgedEntries(t *testing.T) {
	c := found(t)
	r, b := c.node(), c.bus()
	adapter := enrol(t, r, licences)
	_, stranger, _ := ed25519.GenerateKey(nil)
	orders, err := r.orders.Signer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := c.clock()
	_, csr := request(t, "")
	lone, err := c.authority.Issue(t.Context(), certs.Order{Request: csr, Identity: licences})
	if err != nil {
		t.Fatal(err)
	}
	revocation := entry{Format: format, Kind: revoked, ID: "1", At: at, Target: licences.String()}
	for name, forgery := range map[string]struct {
		e   entry
		key ed25519.PrivateKey
	}{
		"not signed":           {revocation, nil},
		"signed by a stranger": {revocation, stranger},
		"of another format":    {entry{Format: 2, Kind: revoked, ID: "1", At: at, Target: licences.String()}, orders},
		"of another kind":      {entry{Format: format, Kind: "promoted", ID: "1", At: at, Target: licences.String()}, orders},
		"of another city":      {entry{Format: format, Kind: revoked, ID: "1", At: at, Target: "spiffe://other/dept/scjg/adapter/licences"}, orders},
		"without invitation":   {entry{Format: format, Kind: issued, ID: "1", At: at, Identity: licences.String(), Chain: lone.Chain}, orders},
		"for another":          {entry{Format: format, Kind: issued, ID: "1", At: at, Identity: clerk.String(), Chain: lone.Chain}, orders},
	} {
		forgery.e.ID = name // an id that comes again would be passed over for that
		m, err := forgery.e.message()
		if err != nil {
			t.Fatal(err)
		}
		if forgery.key != nil {
			envelope.SignOrder(forgery.key, &m)
		}
		if err := b.Append(t.Context(), Topic, []exchange.Message{m}); err != nil {
			t.Fatal(err)
		}
		if err := r.Settled(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.Admits(adapter); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := r.Admits(lone.Certificate); err == nil {
			t.Errorf("%s: a certificate got onto the roll", name)
		}
	}
	// Moved to another key, an entry is not the one that was signed.
	m, _ := revocation.message()
	envelope.SignOrder(orders, &m)
	m.Key = []byte("2")
	if err := b.Append(t.Context(), Topic, []exchange.Message{m}); err != nil {
		t.Fatal(err)
	}
	if err := r.Settled(t.Context()); err != nil || r.Admits(adapter) != nil {
		t.Errorf("moved: %v", err)
	}
}

func TestUnknownSignatory(t *testing.T) {
	c := found(t)
	r := c.node()
	for range 3 {
		if _, known, err := r.Signatory(t.Context(), envelope.SignerID{1}); known || err != nil {
			t.Errorf("%v %v", known, err)
		}
	}
}

func TestWrongTokensAreSlowedDown(t *testing.T) {
	c := found(t)
	r := c.node()
	_, csr := request(t, "")
	slowed := false
	for range guessesAtOnce + 5 {
		_, err := r.Enrol(t.Context(), "guess", csr)
		slowed = slowed || code(err) == "YM-ROL-0105"
	}
	if !slowed {
		t.Error("guessing is free")
	}
}

func TestTargets(t *testing.T) {
	for written, want := range map[string]Target{
		"scjg": {Department: "scjg"}, "department:scjg": {Department: "scjg"}, "scjg/licences": {Identity: licences},
		"scjg/adapter/licences": {Identity: licences}, licences.String(): {Identity: licences}, "xzsp/clerk/0017": {Identity: clerk},
		"SHA256:" + strings.Repeat("ab", 32): {Certificate: certs.Fingerprint([]byte(strings.Repeat("\xab", 32)))},
	} {
		got, err := ParseTarget("liling", written)
		if err != nil || got != want {
			t.Errorf("%s: %v %v", written, got, err)
		}
		if back, err := ParseTarget("liling", got.String()); err != nil || back != want {
			t.Errorf("%s comes back as %v %v", got, back, err)
		}
	}
	for _, wrong := range []string{"", "a b", "a/b/c/d", "spiffe://other/dept/a/adapter/b", "SHA256:ab", "department:", "scjg/root/x"} {
		if got, err := ParseTarget("liling", wrong); err == nil {
			t.Errorf("%q is %v", wrong, got)
		}
	}
}

func FuzzEntry(f *testing.F) {
	for _, seed := range []string{"", "{}", `{"format":1,"kind":"revoked","id":"1","at":"2026-11-23T10:00:00Z","target":"scjg"}`, `{"format":1,"format":1}`,
		`{"format":1,"kind":"issued","id":"1","at":"2026-11-23T10:00:00Z","identity":"spiffe://liling/node/a","chain":["AA=="]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		e, err := parseEntry(value)
		if err != nil {
			return
		}
		s := newState("liling")
		if s.fold(e) == nil && len(s.members)+len(s.departments)+len(s.certificates)+len(s.invitations) == 0 && !strings.HasPrefix(e.Target, targetCertificate) && e.Kind != restored {
			t.Errorf("%s was taken and left nothing", value)
		}
	})
}
