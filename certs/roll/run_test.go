package roll

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/onedoor/yimen/certs/roll/rolltest"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// forged is what an enemy who can write to the topic, or a program of tomorrow, might leave there.
func TestForgedEntriesHaveNoEffect(t *testing.T) {
	w := newWorld(t)
	registry := prometheus.NewRegistry()
	n := w.node(func(c *Config) { c.Metrics = registry })
	issued := n.enrol(licences)
	key, err := n.signer(t.Context())
	must(t, err)
	_, enemy, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	revocation := func(change func(*entry)) exchange.Message {
		e := &entry{Format: entryFormat, Kind: isRevoked, Nonce: randomNonce(), At: w.clock(), Target: licences.String(), Reason: Misuse}
		change(e)
		value, err := e.bytes()
		must(t, err)
		return exchange.Message{Topic: Topic, Key: []byte(e.key()), Value: value}
	}
	same := func(*entry) {}
	sign := func(key ed25519.PrivateKey, m exchange.Message) exchange.Message {
		envelope.SignOrder(key, &m)
		return m
	}
	changed := sign(key, revocation(same))
	changed.Value = append(changed.Value[:len(changed.Value)-1:len(changed.Value)-1], " }"...)
	moved := sign(key, revocation(same))
	moved.Key = []byte("somebody")
	elsewhere := revocation(same)
	elsewhere.Topic = "erasures"
	elsewhere = sign(key, elsewhere)
	elsewhere.Topic = Topic
	tomorrow := sign(key, exchange.Message{Topic: Topic, Key: []byte("x"), Value: []byte(`{"v":2,"kind":"pardoned"}`)})
	before := n.position()
	all := []exchange.Message{
		revocation(same),              // unsigned
		sign(enemy, revocation(same)), // unsigned by us
		changed, moved, elsewhere,
		{Topic: Topic, Key: []byte("x")},                                               // a tombstone
		sign(key, exchange.Message{Topic: Topic, Key: []byte("x"), Value: []byte("")}), // malformed
		sign(key, revocation(func(e *entry) { e.Kind = "pardoned" })),
		tomorrow,
	}
	must(t, w.bus().Append(t.Context(), Topic, all))
	must(t, n.Settled(t.Context()))
	if n.position() != before+int64(len(all)) {
		t.Errorf("folded to %d", n.position())
	}
	wantCode(t, "admit", n.Admits(t.Context(), issued.Certificate), "")
	for kind, want := range map[string]float64{unsigned: 6, malformed: 2, newer: 1} {
		eventually(t, fmt.Sprintf("%v %s are told of", want, kind), limit, func() bool {
			return testutil.ToFloat64(n.metrics.entries.WithLabelValues(kind)) == want && strings.Contains(n.log.String(), "kind="+kind)
		})
	}
}

// An entry that stands twice, as after a lost acknowledgement or by an enemy's hand, counts once: a restoration that comes
// again lifts no later revocation.
func TestEntriesThatStandTwice(t *testing.T) {
	w := newWorld(t)
	n := w.node()
	who := Target{Identity: licences}
	issued := n.enrol(licences)
	must(t, n.Revoke(t.Context(), who, "xzsp/0001", Misuse))
	must(t, n.Restore(t.Context(), who, "xzsp/0001"))
	must(t, n.Revoke(t.Context(), who, "xzsp/0001", Misuse))
	var all []exchange.Message
	done := fmt.Errorf("read")
	_ = w.bus().Follow(t.Context(), Topic, nil, func(_ context.Context, msgs []exchange.Message) error {
		all = append(all, msgs...)
		if len(all) >= 5 {
			return done
		}
		return nil
	})
	must(t, w.bus().Append(t.Context(), Topic, all))
	must(t, n.Settled(t.Context()))
	wantCode(t, "identity", n.AdmitsIdentity(licences), "0201")
	wantCode(t, "certificate", n.Admits(t.Context(), issued.Certificate), "0201")
}

func randomNonce() (n nonce) {
	rand.Read(n[:])
	return n
}

// After a rotation the old key signs until every node has had the time to learn of the new one; entries by any are read.
func TestKeysOfEntriesRotate(t *testing.T) {
	w := newWorld(t)
	n := w.node()
	first := n.enrol(licences)
	_, err := w.authority.Rotate(t.Context(), ordersSecret)
	must(t, err)
	ring, err := w.authority.Ring(t.Context(), ordersSecret)
	must(t, err)
	if key, err := n.signer(t.Context()); err != nil || !key.Equal(signing(ring[0])) {
		t.Errorf("the new key signs at once, %v", err)
	}
	w.pass(seasoning)
	if key, err := n.signer(t.Context()); err != nil || !key.Equal(signing(ring[1])) {
		t.Errorf("the new key does not sign, %v", err)
	}
	second := n.enrol(tax)
	n.stop()
	n = w.node()
	wantCode(t, "of the first key", n.Admits(t.Context(), first.Certificate), "")
	wantCode(t, "of the second", n.Admits(t.Context(), second.Certificate), "")
}

// Without the keys nothing is passed over: entries wait until the authority is back.
func TestAuthorityIsAway(t *testing.T) {
	w := newWorld(t)
	a, b := w.node(), w.node(func(c *Config) { c.Authority = w.authority })
	issued := a.enrol(licences)
	must(t, b.Settled(t.Context()))
	key, err := a.signer(t.Context())
	must(t, err)
	w.authority.Shut(true)
	err = a.Revoke(t.Context(), Target{Identity: licences}, "xzsp/0001", Misuse)
	if exchange.KindOf(err) != exchange.Unavailable {
		t.Errorf("revoke without a key: %v", err)
	}
	e := &entry{Format: entryFormat, Kind: isRevoked, Nonce: randomNonce(), At: w.clock(), Target: licences.String(), Reason: Misuse}
	value, err := e.bytes()
	must(t, err)
	m := exchange.Message{Topic: Topic, Key: []byte(e.key()), Value: value}
	envelope.SignOrder(key, &m)
	must(t, w.bus().Append(t.Context(), Topic, []exchange.Message{m}))
	eventually(t, "it is noticed", limit, func() bool { return strings.Contains(b.log.String(), "keys of the roll") })
	w.authority.Shut(false)
	must(t, b.Settled(t.Context()))
	wantCode(t, "after it is back", b.Admits(t.Context(), issued.Certificate), "0201")
}

// away is a bus that can be cut off.
type away struct {
	Topics
	mu   sync.Mutex
	gone bool
	lose int // acknowledgements to lose
}

func (a *away) cut(gone bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gone = gone
}

var errAway = &exchange.Problem{Code: "YM-BUS-0105", Kind: exchange.Unavailable}

func (a *away) EndOffsets(ctx context.Context, topic string) (map[int]int64, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.gone {
		return nil, errAway
	}
	return a.Topics.EndOffsets(ctx, topic)
}

func (a *away) Append(ctx context.Context, topic string, msgs []exchange.Message) error {
	a.mu.Lock()
	gone, lose := a.gone, a.lose > 0
	a.lose--
	a.mu.Unlock()
	if gone {
		return errAway
	}
	if err := a.Topics.Append(ctx, topic, msgs); err != nil || lose {
		return errAway
	}
	return nil
}

func TestBusIsAway(t *testing.T) {
	w := newWorld(t)
	cut := &away{Topics: w.bus()}
	n := w.node(func(c *Config) { c.Topics = cut })
	issued := n.enrol(licences)
	token := n.invite(tax)
	n.patience.answer = 100 * time.Millisecond
	cut.cut(true)
	wantCode(t, "what is known", n.Admits(t.Context(), issued.Certificate), "")
	_, _, err := n.Signatory(t.Context(), envelope.SignerID{1})
	wantCode(t, "what is not cannot be said yet", err, "0301")
	_, request := draw(t)
	_, err = n.Enrol(t.Context(), token, request)
	wantCode(t, "enrol", err, "0301")
	wantCode(t, "revoke", n.Revoke(t.Context(), Target{Identity: licences}, "", Misuse), "0302")
	cut.cut(false)
	n.patience.answer = limit
	_, known, err := n.Signatory(t.Context(), envelope.SignerID{1})
	if known || err != nil {
		t.Errorf("nobody's certificate: %t %v", known, err)
	}
	cut.mu.Lock()
	cut.lose = 1
	cut.mu.Unlock()
	_, err = n.Enrol(t.Context(), token, request) // the token was not used up
	wantCode(t, "enrol, the acknowledgement lost", err, "")
}

func TestNothingIsAdmittedBeforeThePastIsFolded(t *testing.T) {
	w := newWorld(t)
	r, err := New(Config{Topics: w.bus(), Authority: w.authority, City: rolltest.City, Clock: w.clock})
	must(t, err)
	r.patience.answer = 50 * time.Millisecond
	issued := w.node().enrol(licences)
	wantCode(t, "certificate", r.Admits(t.Context(), issued.Certificate), "0303")
	wantCode(t, "identity", r.AdmitsIdentity(licences), "0303")
	_, _, err = r.Signatory(t.Context(), idOf(issued.Certificate))
	wantCode(t, "signatory", err, "0303")
	_, err = r.Identities()
	wantCode(t, "list", err, "0303")
}

// partitions is a bus whose topic is spread.
type partitions struct{ Topics }

func (partitions) EndOffsets(context.Context, string) (map[int]int64, error) {
	return map[int]int64{0: 0, 1: 0}, nil
}

func TestSeveralPartitionsAreRefused(t *testing.T) {
	r, err := New(Config{Topics: partitions{}, Authority: rolltest.NewAuthority(t), City: rolltest.City})
	must(t, err)
	wantCode(t, "run", r.Run(t.Context()), "0304")
}

func TestNewNeedsItsParts(t *testing.T) {
	for _, cfg := range []Config{{}, {Topics: partitions{}}, {Topics: partitions{}, Authority: rolltest.NewAuthority(t)}} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v is taken", cfg)
		}
	}
}
