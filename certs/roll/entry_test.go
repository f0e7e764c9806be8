package roll

import (
	"bytes"
	"crypto/rand"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/roll/rolltest"
)

// specimens are one sound entry of each kind.
func specimens(t testing.TB) map[string]*entry {
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	base := func(kind string) *entry {
		return &entry{Format: entryFormat, Kind: kind, Nonce: nonce{1}, At: at, By: "xzsp/0001"}
	}
	_, request, err := certs.NewRequest(rand.Reader, "")
	must(t, err)
	authority := rolltest.NewAuthority(t)
	issue := func(who certs.Identity, change func(*entry)) *entry {
		e := base(isIssued)
		e.Identity, e.Chain = who.String(), authority.Papers(certs.Order{Request: request, Identity: who}).Chain
		change(e)
		return e
	}
	invited := base(isInvited)
	invited.Identity, invited.TokenHash, invited.Until = licences.String(), make([]byte, 32), at.Add(time.Hour)
	revoked, restored := base(isRevoked), base(isRestored)
	revoked.Target, revoked.Reason = certs.Fingerprint{1}.String(), KeyCompromised
	restored.Target = "scjg"
	return map[string]*entry{
		"invited":  invited,
		"enrolled": issue(licences, func(e *entry) { e.Invitation = &nonce{2} }),
		"renewed":  issue(licences, func(e *entry) { e.Renews = &certs.Fingerprint{3} }),
		"node":     issue(rolltest.Node("n1"), func(*entry) {}),
		"revoked":  revoked,
		"restored": restored,
	}
}

func TestEntriesAreReadAsWritten(t *testing.T) {
	for name, e := range specimens(t) {
		value, err := e.bytes()
		must(t, err)
		got, err := parse(rolltest.City, []byte(e.key()), value)
		if err != nil {
			t.Errorf("%s: %v in %s", name, err, value)
			continue
		}
		e.who, e.leaf, e.target = got.who, got.leaf, got.target
		if !reflect.DeepEqual(got, e) {
			t.Errorf("%s: got\n%+v\nwant\n%+v", name, got, e)
		}
	}
}

func TestMalformedEntries(t *testing.T) {
	tests := []struct {
		name, of string
		spoil    func(*entry)
	}{
		{"no nonce", "revoked", func(e *entry) { e.Nonce = nonce{} }},
		{"no time", "revoked", func(e *entry) { e.At = time.Time{} }},
		{"no kind", "revoked", func(e *entry) { e.Kind = "" }},
		{"no reason", "revoked", func(e *entry) { e.Reason = "" }},
		{"no target", "revoked", func(e *entry) { e.Target = "" }},
		{"target in another form", "revoked", func(e *entry) { e.Target = "scjg/licences" }},
		{"target of another city", "revoked", func(e *entry) { e.Target = "spiffe://zhuzhou/dept/scjg/adapter/a" }},
		{"revoked with an identity", "revoked", func(e *entry) { e.Identity = licences.String() }},
		{"restored with a reason", "restored", func(e *entry) { e.Reason = Misuse }},
		{"restored certificate", "restored", func(e *entry) { e.Target = certs.Fingerprint{1}.String() }},
		{"restored with a chain", "restored", func(e *entry) { e.Chain = [][]byte{{1}} }},
		{"short hash", "invited", func(e *entry) { e.TokenHash = e.TokenHash[1:] }},
		{"no end", "invited", func(e *entry) { e.Until = time.Time{} }},
		{"invited node", "invited", func(e *entry) { e.Identity = rolltest.Node("n1").String() }},
		{"invited with a target", "invited", func(e *entry) { e.Target = "scjg" }},
		{"identity of another city", "invited", func(e *entry) { e.Identity = "spiffe://zhuzhou/dept/scjg/adapter/licences" }},
		{"no identity", "invited", func(e *entry) { e.Identity = "" }},
		{"nothing entitles", "enrolled", func(e *entry) { e.Invitation = nil }},
		{"two entitle", "enrolled", func(e *entry) { e.Renews = &certs.Fingerprint{1} }},
		{"no certificate", "enrolled", func(e *entry) { e.Chain = nil }},
		{"rubbish for a certificate", "enrolled", func(e *entry) { e.Chain = [][]byte{{1, 2}} }},
		{"somebody else's certificate", "enrolled", func(e *entry) { e.Identity = tax.String() }},
		{"issued with a reason", "enrolled", func(e *entry) { e.Reason = Misuse }},
		{"issued with a token", "enrolled", func(e *entry) { e.TokenHash = make([]byte, 32) }},
	}
	for _, test := range tests {
		e := specimens(t)[test.of]
		test.spoil(e)
		value, err := e.bytes()
		must(t, err)
		if _, err := parse(rolltest.City, []byte(e.key()), value); !errors.Is(err, errMalformed) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	value, err := specimens(t)["restored"].bytes()
	must(t, err)
	for name, raw := range map[string]string{"unknown member": strings.Replace(string(value), `"v":1`, `"v":1,"x":1`, 1), "member twice": strings.Replace(string(value), `"v":1`, `"v":1,"v":1`, 1),
		"trailing bytes": string(value) + "{}", "no object": "[]", "format 0": strings.Replace(string(value), `"v":1`, `"v":0`, 1), "nothing": ""} {
		if _, err := parse(rolltest.City, []byte("scjg"), []byte(raw)); !errors.Is(err, errMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := parse(rolltest.City, []byte("gaj"), value); !errors.Is(err, errMalformed) {
		t.Errorf("another key: %v", err)
	}
	if _, err := parse(rolltest.City, []byte("gaj"), []byte(`{"v":2}`)); !errors.Is(err, errNewer) {
		t.Errorf("newer: %v", err)
	}
}

func TestTargets(t *testing.T) {
	f := certs.FingerprintOf(nil)
	for written, want := range map[string]Target{
		"scjg":                  {Department: "scjg"},
		"scjg/licences":         {Identity: licences},
		licences.String():       {Identity: licences},
		f.String():              {Certificate: f},
		"node/n1":               {Identity: rolltest.Node("n1")},
		"xzsp/clerk/Zhang.0017": {Identity: certs.Identity{City: rolltest.City, Department: "xzsp", Role: certs.Clerk, Name: "Zhang.0017"}},
	} {
		got, err := ParseTarget(rolltest.City, written)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", written, got, err)
		}
		if again, err := ParseTarget(rolltest.City, got.String()); err != nil || again != want {
			t.Errorf("%s, read again: %+v, %v", got, again, err)
		}
	}
	for _, bad := range []string{"", "/", "SCJG", "scjg/", "scjg/a/b/c", "SHA256:00", "spiffe://zhuzhou/dept/scjg/adapter/a"} {
		if got, err := ParseTarget(rolltest.City, bad); err == nil {
			t.Errorf("%q is %+v", bad, got)
		}
	}
}

func TestEveryReasonHasItsText(t *testing.T) {
	if len(Reasons()) != len(reasons) {
		t.Error("a reason is not listed")
	}
	for _, r := range Reasons() {
		if r.Text().ZH == "" || r.Text().EN == "" {
			t.Errorf("%s has no text", r)
		}
	}
	if later := Reason("of_tomorrow"); later.Text().EN != "of_tomorrow" || later.known() {
		t.Error("a reason of tomorrow")
	}
}

func FuzzEntry(f *testing.F) {
	for _, e := range specimens(f) {
		value, err := e.bytes()
		must(f, err)
		f.Add([]byte(e.key()), value)
	}
	f.Add([]byte("scjg"), []byte(`{"v":2}`))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		e, err := parse(rolltest.City, key, value)
		if (e == nil) != (err != nil) {
			t.Fatalf("%v, %v", e, err)
		}
		if err != nil {
			return
		}
		written, err := e.bytes()
		must(t, err)
		again, err := parse(rolltest.City, key, written)
		if err != nil {
			t.Fatalf("%s is written %s, which is none: %v", value, written, err)
		}
		rewritten, _ := again.bytes()
		if !bytes.Equal(written, rewritten) {
			t.Errorf("%s is written %s", written, rewritten)
		}
		// What can be read can be folded, and folding it again changes nothing.
		s := newState()
		_ = s.fold(e)
		if err := s.fold(again); !errors.Is(err, errRepeated) {
			t.Errorf("folded twice: %v", err)
		}
	})
}
