package roll

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/roll/rolltest"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

func TestEnrolment(t *testing.T) {
	n := newWorld(t).node()
	key, request := draw(t)
	token := n.invite(licences)
	issued, err := n.Enrol(t.Context(), token, request)
	must(t, err)
	if who, err := certs.IdentityOf(issued.Certificate); err != nil || who != licences {
		t.Fatalf("the certificate names %v, %v", who, err)
	}
	wantCode(t, "admit", n.Admits(t.Context(), issued.Certificate), "")
	s, known, err := n.Signatory(t.Context(), idOf(issued.Certificate))
	want := envelope.Signatory{Adapter: "scjg/licences", Suite: envelope.Standard, Public: key.Public().(ed25519.PublicKey),
		From: issued.Certificate.NotBefore, Until: issued.Certificate.NotAfter}
	if err != nil || !known || !reflect.DeepEqual(s, want) {
		t.Errorf("signatory %+v, %t, %v", s, known, err)
	}
	if len(token) < 43 || strings.Contains(n.log.String(), token) {
		t.Errorf("token %d long, log %s", len(token), n.log)
	}
}

// Whatever is wrong with a token, the answer is the same, and no certificate is made.
func TestTokensThatAreNoGood(t *testing.T) {
	w := newWorld(t)
	n := w.node()
	used, outdated, replaced, struck := n.invite(licences), "", n.invite(tax), ""
	_, request := draw(t)
	_, err := n.Enrol(t.Context(), used, request)
	must(t, err)
	n.invite(tax)
	outdated = n.invite(rolltest.Adapter("gaj", "persons"))
	w.pass(defaultLife)
	struck = n.invite(rolltest.Adapter("wjj", "health"))
	must(t, n.Revoke(t.Context(), Target{Department: "wjj"}, "xzsp/0001", Misuse))
	must(t, n.Restore(t.Context(), Target{Department: "wjj"}, "xzsp/0001"))
	made := w.authority.Made()
	said := map[string]bool{}
	for name, token := range map[string]string{"used": used, "outdated": outdated, "replaced": replaced, "of before a revocation": struck, "empty": "",
		"unknown": strings.Repeat("A", 43), "another's with a space": used + " ", "cut": used[:42]} {
		_, request := draw(t)
		_, err := n.Enrol(t.Context(), token, request)
		wantCode(t, name, err, "0101")
		said[fmt.Sprint(err)] = true
	}
	if len(said) != 1 || w.authority.Made() != made {
		t.Errorf("%d answers, %d certificates", len(said), w.authority.Made()-made)
	}
}

func TestWrongTokensAreLimited(t *testing.T) {
	w := newWorld(t)
	registry := prometheus.NewRegistry()
	n := w.node(func(c *Config) { c.Metrics = registry })
	good := n.invite(licences)
	_, request := draw(t)
	for range wrongTokens {
		_, err := n.Enrol(t.Context(), "wrong", request)
		wantCode(t, "wrong token", err, "0101")
	}
	_, err := n.Enrol(t.Context(), "wrong", request)
	wantCode(t, "one too many", err, "0102")
	_, err = n.Enrol(t.Context(), good, request) // else a guess that is right would show
	wantCode(t, "the right one meanwhile", err, "0102")
	if wrong := testutil.ToFloat64(n.metrics.wrong); wrong != wrongTokens {
		t.Errorf("counted %v", wrong)
	}
	w.pass(wrongTokenEvery)
	_, err = n.Enrol(t.Context(), good, request)
	wantCode(t, "the right one after a while", err, "")
	_, request = draw(t)
	_, err = n.Enrol(t.Context(), n.invite(tax), request)
	wantCode(t, "right ones do not count", err, "")
}

func TestRequestsThatAreNoGood(t *testing.T) {
	w := newWorld(t)
	n := w.node()
	_, taken := draw(t)
	_, err := n.Enrol(t.Context(), n.invite(tax), taken)
	must(t, err)
	_, named, err := certs.NewRequest(rand.Reader, tax.Principal())
	must(t, err)
	_, own, err := certs.NewRequest(rand.Reader, licences.Principal())
	must(t, err)
	_, spoilt := draw(t)
	spoilt[len(spoilt)-1] ^= 1
	token := n.invite(licences)
	for _, test := range []struct {
		name    string
		request []byte
		code    string
	}{
		{"empty", nil, "0103"},
		{"rubbish", []byte("-----BEGIN CERTIFICATE REQUEST-----"), "0103"},
		{"key of another identity", taken, "0105"},
		{"name of another identity", named, "0104"},
	} {
		_, err := n.Enrol(t.Context(), token, test.request)
		wantCode(t, test.name, err, test.code)
	}
	if _, err := n.Enrol(t.Context(), token, spoilt); exchange.KindOf(err) != exchange.Invalid {
		t.Errorf("a request whose signature does not hold: %v", err)
	}
	_, err = n.Enrol(t.Context(), token, own) // none of them used the token up
	wantCode(t, "own name", err, "")
}

// A record that stands under one identity cannot come to stand under two, even where two nodes are asked at once for one key.
func TestKeyServesOneCertificate(t *testing.T) {
	w := newWorld(t)
	a, b := w.node(), w.node()
	_, request := draw(t)
	first, second := a.invite(licences), a.invite(tax)
	must(t, b.Settled(t.Context()))
	var won int
	for _, err := range together(
		func() error { _, err := a.Enrol(t.Context(), first, request); return err },
		func() error { _, err := b.Enrol(t.Context(), second, request); return err }) {
		if err == nil {
			won++
		} else {
			wantCode(t, "loser", err, "0105")
		}
	}
	if won != 1 {
		t.Errorf("%d certificates for one key", won)
	}
}

// together runs all at once.
func together(all ...func() error) []error {
	errs, start := make([]error, len(all)), make(chan struct{})
	var group sync.WaitGroup
	for i, do := range all {
		group.Go(func() { <-start; errs[i] = do() })
	}
	close(start)
	group.Wait()
	return errs
}

func TestTwoNodesUseOneInvitation(t *testing.T) {
	w := newWorld(t)
	nodes := []*node{w.node(), w.node()}
	for range 5 {
		token := nodes[0].invite(licences)
		must(t, nodes[1].Settled(t.Context()))
		var mu sync.Mutex
		var won []*x509.Certificate
		var attempts []func() error
		for _, n := range nodes {
			for range 2 {
				_, request := draw(t)
				attempts = append(attempts, func() error {
					issued, err := n.Enrol(t.Context(), token, request)
					if err == nil {
						mu.Lock()
						won = append(won, issued.Certificate)
						mu.Unlock()
					}
					return err
				})
			}
		}
		for _, err := range together(attempts...) {
			if err != nil {
				wantCode(t, "loser", err, "0101")
			}
		}
		if len(won) != 1 {
			t.Fatalf("%d certificates of one invitation", len(won))
		}
		for _, n := range nodes {
			wantCode(t, "the one that won", n.Admits(t.Context(), won[0]), "")
		}
	}
	a, err := nodes[0].Identities()
	must(t, err)
	must(t, nodes[1].Settled(t.Context()))
	b, err := nodes[1].Identities()
	if must(t, err); !reflect.DeepEqual(a, b) {
		t.Errorf("the nodes differ:\n%v\n%v", a, b)
	}
}

func TestRenewal(t *testing.T) {
	w := newWorld(t)
	n := w.node()
	issued := n.enrol(licences)
	w.pass(48 * time.Hour)
	key, request, err := certs.NewRequest(rand.Reader, licences.Principal())
	must(t, err)
	renewed, err := n.Renew(t.Context(), issued.Certificate, request)
	must(t, err)
	if who, err := certs.IdentityOf(renewed.Certificate); err != nil || who != licences || !key.Public().(ed25519.PublicKey).Equal(renewed.Certificate.PublicKey) {
		t.Errorf("renewed for %v, %v", who, err)
	}
	wantCode(t, "the old one goes on", n.Admits(t.Context(), issued.Certificate), "")
	w.pass(25 * time.Hour)
	wantCode(t, "the old one has ended", n.Admits(t.Context(), issued.Certificate), "0203")
	wantCode(t, "the new one", n.Admits(t.Context(), renewed.Certificate), "")
}

func TestRenewalsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	n := w.node()
	_, ownRequest := draw(t)
	issued, err := n.Enrol(t.Context(), n.invite(licences), ownRequest)
	must(t, err)
	struck, of, outdated := n.enrol(tax), n.enrol(rolltest.Adapter("wjj", "health")), n.enrol(rolltest.Adapter("gaj", "persons"))
	must(t, n.Revoke(t.Context(), Target{Certificate: certs.FingerprintOf(struck.Certificate.Raw)}, "xzsp/0001", KeyCompromised))
	must(t, n.Revoke(t.Context(), Target{Department: "wjj"}, "xzsp/0001", Misuse))
	_, foreign := draw(t)
	unknown, err := x509.ParseCertificate(w.authority.Papers(certs.Order{Request: foreign, Identity: licences}).Chain[0])
	must(t, err)
	_, named, err := certs.NewRequest(rand.Reader, tax.Principal())
	must(t, err)
	_, fresh := draw(t)
	for _, test := range []struct {
		name    string
		current *x509.Certificate
		request []byte
		code    string
	}{
		{"revoked certificate", struck.Certificate, fresh, "0201"},
		{"revoked department", of.Certificate, fresh, "0201"},
		{"never on the roll, though of the authority", unknown, fresh, "0202"},
		{"the same key", issued.Certificate, ownRequest, "0105"},
		{"somebody else's name", issued.Certificate, named, "0104"},
		{"rubbish", issued.Certificate, []byte{1}, "0103"},
	} {
		_, err := n.Renew(t.Context(), test.current, test.request)
		wantCode(t, test.name, err, test.code)
	}
	w.pass(certs.MaxLife)
	_, err = n.Renew(t.Context(), outdated.Certificate, fresh)
	wantCode(t, "out of date", err, "0203")
}

func TestRevocations(t *testing.T) {
	w := newWorld(t)
	n := w.node()
	one, other := n.enrol(licences), n.enrol(tax)
	clerk := certs.Identity{City: rolltest.City, Department: "xzsp", Role: certs.Clerk, Name: "0017"}
	wantCode(t, "a clerk that the roll does not know", n.AdmitsIdentity(clerk), "")
	must(t, n.Revoke(t.Context(), Target{Identity: clerk}, "xzsp/0001", LeftService))
	wantCode(t, "clerk", n.AdmitsIdentity(clerk), "0201")
	must(t, n.Revoke(t.Context(), Target{Department: "scjg"}, "xzsp/0001", Misuse))
	wantCode(t, "certificate of the department", n.Admits(t.Context(), one.Certificate), "0201")
	wantCode(t, "certificate of another", n.Admits(t.Context(), other.Certificate), "")
	wantCode(t, "clerk of the department", n.AdmitsIdentity(certs.Identity{City: rolltest.City, Department: "scjg", Role: certs.Clerk, Name: "1"}), "0201")
	s, _, err := n.Signatory(t.Context(), idOf(one.Certificate))
	if err != nil || !s.Revoked.Equal(w.clock().Round(time.Millisecond)) {
		t.Errorf("revoked at %v, %v", s.Revoked, err)
	}
	_, _, err = n.Invite(t.Context(), licences, 0, "xzsp/0001")
	wantCode(t, "invite a revoked one", err, "0214")

	w.pass(time.Hour)
	must(t, n.Revoke(t.Context(), Target{Department: "scjg"}, "xzsp/0001", LeftService)) // again: the first stands
	if again, _, err := n.Signatory(t.Context(), idOf(one.Certificate)); err != nil || !again.Revoked.Equal(s.Revoked) {
		t.Errorf("revoked at %v, %v", again.Revoked, err)
	}

	must(t, n.Restore(t.Context(), Target{Department: "scjg"}, "xzsp/0001"))
	must(t, n.Restore(t.Context(), Target{Identity: clerk}, "xzsp/0001"))
	wantCode(t, "clerk restored", n.AdmitsIdentity(clerk), "")
	wantCode(t, "what was revoked stays so", n.Admits(t.Context(), one.Certificate), "0201")
	wantCode(t, "enrolled anew", n.Admits(t.Context(), n.enrol(licences).Certificate), "")
}

func TestWhatCannotBeDone(t *testing.T) {
	n := newWorld(t).node()
	issued := n.enrol(licences)
	ctx := t.Context()
	revoke := func(target Target, reason Reason) error { return n.Revoke(ctx, target, "xzsp/0001", reason) }
	restore := func(target Target) error { return n.Restore(ctx, target, "xzsp/0001") }
	invite := func(who certs.Identity, life time.Duration) error {
		_, _, err := n.Invite(ctx, who, life, "")
		return err
	}
	clerk := func(name string) certs.Identity {
		return certs.Identity{City: rolltest.City, Department: "xzsp", Role: certs.Clerk, Name: name}
	}
	_, request := draw(t)
	_, nodeErr := n.NodeCertificate(ctx, "No 1", []string{"localhost"}, request)
	for _, test := range []struct {
		name string
		err  error
		code string
	}{
		{"no reason", revoke(Target{Department: "scjg"}, ""), "0207"},
		{"unknown reason", revoke(Target{Department: "scjg"}, "because"), "0207"},
		{"nothing to revoke", revoke(Target{}, Misuse), "0208"},
		{"unknown certificate", revoke(Target{Certificate: certs.Fingerprint{1}}, Misuse), "0206"},
		{"no identity", revoke(Target{Identity: certs.Identity{City: rolltest.City}}, Misuse), "0209"},
		{"number", revoke(Target{Identity: clerk("43028119900101005X")}, Misuse), "0211"},
		{"restore a certificate", restore(Target{Certificate: certs.FingerprintOf(issued.Certificate.Raw)}), "0205"},
		{"restore what is not revoked", restore(Target{Identity: licences}), "0204"},
		{"restore a department that is not", restore(Target{Department: "scjg"}), "0204"},
		{"restore an identity nobody knows", restore(Target{Identity: tax}), "0204"},
		{"invite a node", invite(rolltest.Node("n1"), 0), "0212"},
		{"another city", invite(certs.Identity{City: "zhuzhou", Department: "scjg", Role: certs.Adapter, Name: "a"}, 0), "0210"},
		{"no role", invite(certs.Identity{City: rolltest.City, Department: "scjg", Name: "a"}, 0), "0209"},
		{"number as staff code", invite(clerk("43028119900101005X"), 0), "0211"},
		{"number within a staff code", invite(clerk("id-43028119900101005X"), 0), "0211"},
		{"number of the old form", invite(clerk("430281900101005"), 0), "0211"},
		{"for too long", invite(tax, longestLife+1), "0213"},
		{"for less than no time", invite(tax, -1), "0213"},
		{"a node of no name", nodeErr, "0209"},
	} {
		wantCode(t, test.name, test.err, test.code)
		if test.err != nil && strings.Contains(test.err.Error(), "4302819") {
			t.Errorf("%s: the error shows the number", test.name)
		}
	}
}

func TestNodeCertificate(t *testing.T) {
	n := newWorld(t).node()
	_, request, err := certs.NewServerRequest(rand.Reader, "")
	must(t, err)
	issued, err := n.NodeCertificate(t.Context(), "n1", []string{"yimen.example", "127.0.0.1"}, request)
	must(t, err)
	if err := issued.Certificate.VerifyHostname("yimen.example"); err != nil {
		t.Error(err)
	}
	wantCode(t, "admit", n.Admits(t.Context(), issued.Certificate), "")
	if _, known, err := n.Signatory(t.Context(), idOf(issued.Certificate)); known || err != nil {
		t.Errorf("a node signs records: %t %v", known, err)
	}
	must(t, n.Revoke(t.Context(), Target{Identity: rolltest.Node("n1")}, "xzsp/0001", KeyCompromised))
	wantCode(t, "revoked", n.Admits(t.Context(), issued.Certificate), "0201")
	_, request, err = certs.NewServerRequest(rand.Reader, "")
	must(t, err)
	_, err = n.NodeCertificate(t.Context(), "n1", nil, request)
	wantCode(t, "issue to a revoked node", err, "0201")
}

// A revocation made on one node is known on another in less than a second, and who waits for it is told.
func TestRevocationIsSeenElsewhere(t *testing.T) {
	w := newWorld(t)
	a, b := w.node(), w.node()
	issued := a.enrol(licences)
	wantCode(t, "the other node", b.Admits(t.Context(), issued.Certificate), "") // at once: it catches up
	revised := b.Revised()
	a.enrol(tax)
	must(t, b.Settled(t.Context()))
	select {
	case <-revised:
		t.Error("told without a revocation")
	default:
	}
	must(t, a.Revoke(t.Context(), Target{Identity: licences}, "xzsp/0001", KeyCompromised))
	select {
	case <-revised:
	case <-time.After(time.Second):
		t.Fatal("not told within a second")
	}
	wantCode(t, "the other node", b.Admits(t.Context(), issued.Certificate), "0201")
	revised = b.Revised()
	must(t, a.Restore(t.Context(), Target{Identity: licences}, "xzsp/0001"))
	select {
	case <-revised:
	case <-time.After(time.Second):
		t.Fatal("not told of the restoration within a second")
	}
}

func TestRestart(t *testing.T) {
	w := newWorld(t)
	n := w.node()
	good, struck := n.enrol(licences), n.enrol(tax)
	open := n.invite(rolltest.Adapter("gaj", "persons"))
	used := n.invite(rolltest.Adapter("wjj", "health"))
	_, request := draw(t)
	_, err := n.Enrol(t.Context(), used, request)
	must(t, err)
	must(t, n.Revoke(t.Context(), Target{Identity: tax}, "xzsp/0001", KeyCompromised))
	before, err := n.Identities()
	must(t, err)
	n.stop()

	n = w.node()
	after, err := n.Identities()
	if must(t, err); !reflect.DeepEqual(before, after) {
		t.Errorf("before\n%+v\nafter\n%+v", before, after)
	}
	wantCode(t, "good", n.Admits(t.Context(), good.Certificate), "")
	wantCode(t, "revoked", n.Admits(t.Context(), struck.Certificate), "0201")
	_, request = draw(t)
	_, err = n.Enrol(t.Context(), used, request)
	wantCode(t, "used token", err, "0101")
	_, err = n.Enrol(t.Context(), open, request)
	wantCode(t, "open token", err, "")
}

func TestIdentities(t *testing.T) {
	w := newWorld(t)
	n := w.node()
	issued := n.enrol(licences)
	_, invitedUntil, err := n.Invite(t.Context(), tax, time.Hour, "xzsp/0001")
	must(t, err)
	must(t, n.Revoke(t.Context(), Target{Department: "gaj"}, "xzsp/0001", Misuse))
	at := Revocation{At: w.clock().UTC().Round(time.Millisecond), By: "xzsp/0001", Reason: Misuse}
	want := []Standing{
		{Identity: certs.Identity{City: rolltest.City, Department: "gaj"}, Revoked: at},
		{Identity: licences, Certificate: certs.FingerprintOf(issued.Certificate.Raw), Issued: at.At, Until: issued.Certificate.NotAfter},
		{Identity: tax, Invited: invitedUntil},
	}
	got, err := n.Identities()
	if must(t, err); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	w.pass(time.Hour)
	if got, _ = n.Identities(); !got[2].Invited.IsZero() {
		t.Error("an invitation that is out of date is shown")
	}
}

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

// A certificate that is issued while its holder is being revoked is void on every node.
func TestIssueRacesRevocation(t *testing.T) {
	w := newWorld(t)
	a, b := w.node(), w.node()
	for i := range 5 {
		who := rolltest.Adapter("scjg", fmt.Sprintf("a%d", i))
		token := a.invite(who)
		must(t, b.Settled(t.Context()))
		_, request := draw(t)
		var issued certs.Issued
		errs := together(
			func() (err error) { issued, err = a.Enrol(t.Context(), token, request); return err },
			func() error { return b.Revoke(t.Context(), Target{Identity: who}, "xzsp/0001", Misuse) })
		must(t, errs[1])
		if errs[0] == nil { // it came first in the topic, and is struck all the same
			wantCode(t, "admit", b.Admits(t.Context(), issued.Certificate), "0201")
			must(t, a.Settled(t.Context()))
			wantCode(t, "admit", a.Admits(t.Context(), issued.Certificate), "0201")
		} else if kind := exchange.KindOf(errs[0]); kind != exchange.Denied && kind != exchange.Unauthorised {
			t.Error(errs[0])
		}
	}
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
