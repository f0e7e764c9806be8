package roll

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/roll/rolltest"
	"github.com/onedoor/yimen/exchange"
)

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
