package roll

import (
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
