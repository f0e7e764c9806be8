package roll

import (
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/journal"
)

var tax = certs.Identity{City: "liling", Department: "swj", Role: certs.Adapter, Name: "tax"}

// folded is a state, and an authority for the certificates that are folded into it.
type folded struct {
	t         *testing.T
	state     state
	authority *certs.LocalAuthority
	at        time.Time
}

func newFolded(t *testing.T) *folded {
	t.Helper()
	authority, err := certs.NewLocal(certs.LocalConfig{Dir: filepath.Join(t.TempDir(), "keys"), City: "liling"})
	if err != nil {
		t.Fatal(err)
	}
	return &folded{t, newState("liling"), authority, time.Now()}
}

// add folds an entry as another node might have sent it.
func (f *folded) add(e entry) error {
	if e.ID == "" {
		e.ID = rand.Text()
	}
	if e.At.IsZero() {
		e.At = f.at
	}
	e.Format = format
	return f.state.fold(&e)
}

func (f *folded) must(e entry) {
	f.t.Helper()
	if err := f.add(e); err != nil {
		f.t.Fatal(err)
	}
}

// invite gives the hash of a token that is good for an hour.
func (f *folded) invite(who certs.Identity) string {
	f.t.Helper()
	hash := hashOf(rand.Text())
	f.must(entry{Kind: invited, Identity: who.String(), Token: hash, Until: f.at.Add(time.Hour)})
	return hash
}

// certificate makes one that is on no roll yet.
func (f *folded) certificate(who certs.Identity) [][]byte {
	f.t.Helper()
	_, csr := request(f.t, "")
	made, err := f.authority.Issue(f.t.Context(), certs.Order{Request: csr, Identity: who})
	if err != nil {
		f.t.Fatal(err)
	}
	return made.Chain
}

// enrol gives a certificate's id.
func (f *folded) enrol(who certs.Identity) string {
	f.t.Helper()
	chain := f.certificate(who)
	f.must(entry{Kind: issued, Identity: who.String(), Chain: chain, Token: f.invite(who)})
	return hexOf(envelope.SignerID(certs.FingerprintOf(chain[0])))
}

func (f *folded) revoke(target Target) {
	f.t.Helper()
	f.must(entry{Kind: revoked, Target: target.String(), Reason: "breach"})
}

// TestWhatEntitles: whatever the node that sent an entry had looked at before, the fold has the last word.
func TestWhatEntitles(t *testing.T) {
	tests := []struct {
		name  string
		stage func(f *folded) entry // what entitles, and to whom
		code  string                // "": a certificate is issued
	}{
		{"an invitation", func(f *folded) entry { return entry{Token: f.invite(licences)} }, ""},
		{"an invitation in its last moment", func(f *folded) entry { return entry{Token: f.invite(licences), At: f.at.Add(time.Hour)} }, ""},
		{"an invitation out of date", func(f *folded) entry { return entry{Token: f.invite(licences), At: f.at.Add(time.Hour + 1)} }, "YM-ROL-0104"},
		{"somebody else's", func(f *folded) entry { return entry{Token: f.invite(tax)} }, "YM-ROL-0104"},
		{"one that nobody made", func(f *folded) entry { return entry{Token: hashOf("guess")} }, "YM-ROL-0104"},
		{"one that was used", func(f *folded) entry {
			token := f.invite(licences)
			f.must(entry{Kind: issued, Identity: licences.String(), Chain: f.certificate(licences), Token: token})
			return entry{Token: token}
		}, "YM-ROL-0104"},
		{"one that was replaced", func(f *folded) entry {
			token := f.invite(licences)
			f.invite(licences)
			return entry{Token: token}
		}, "YM-ROL-0104"},
		{"one of before a revocation", func(f *folded) entry {
			token := f.invite(licences)
			f.revoke(Target{Identity: licences})
			f.must(entry{Kind: restored, Target: licences.String()})
			return entry{Token: token}
		}, "YM-ROL-0104"},
		{"one of before the department's revocation", func(f *folded) entry {
			token := f.invite(licences)
			f.revoke(Target{Department: "scjg"})
			f.must(entry{Kind: restored, Target: "department:scjg"})
			return entry{Token: token}
		}, "YM-ROL-0104"},
		{"a certificate", func(f *folded) entry { return entry{Renews: f.enrol(licences)} }, ""},
		{"a certificate once more, its answer lost", func(f *folded) entry {
			old := f.enrol(licences)
			f.must(entry{Kind: issued, Identity: licences.String(), Chain: f.certificate(licences), Renews: old})
			return entry{Renews: old}
		}, ""},
		{"somebody else's certificate", func(f *folded) entry { return entry{Renews: f.enrol(tax)} }, "YM-ROL-0101"},
		{"no certificate of ours", func(f *folded) entry { return entry{Renews: hexOf(envelope.SignerID{9})} }, "YM-ROL-0101"},
		{"a certificate out of date", func(f *folded) entry {
			return entry{Renews: f.enrol(licences), At: f.at.Add(certs.MaxLife + time.Minute)}
		}, "YM-ROL-0103"},
		{"a revoked certificate", func(f *folded) entry {
			old := f.enrol(licences)
			id, _ := idOf(old)
			f.revoke(Target{Certificate: certs.Fingerprint(id)})
			return entry{Renews: old}
		}, "YM-ROL-0102"},
		{"a certificate of a revoked department", func(f *folded) entry {
			old := f.enrol(licences)
			f.revoke(Target{Department: "scjg"})
			return entry{Renews: old}
		}, "YM-ROL-0102"},
		{"a key that has a certificate", func(f *folded) entry {
			chain := f.certificate(licences)
			f.must(entry{Kind: issued, Identity: licences.String(), Chain: chain, Token: f.invite(licences)})
			return entry{Chain: chain, Token: f.invite(licences)}
		}, "YM-ROL-0108"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFolded(t)
			e := test.stage(f)
			e.Kind, e.Identity = issued, licences.String()
			if e.Chain == nil {
				e.Chain = f.certificate(licences)
			}
			before := len(f.state.certificates)
			err := f.add(e)
			if code(err) != test.code || (err == nil) != (test.code == "") {
				t.Errorf("%v, want %q", err, test.code)
			}
			if grown := len(f.state.certificates) > before; grown != (test.code == "") {
				t.Errorf("%d certificates, %d before", len(f.state.certificates), before)
			}
		})
	}
}

// TestEntriesThatComeAgain: a lost acknowledgement, or an enemy who can write to the topic, brings an entry once more. Of all of
// them the worst would be a restoration, which would lift a later revocation.
func TestEntriesThatComeAgain(t *testing.T) {
	f := newFolded(t)
	lift := entry{Kind: restored, Target: licences.String(), ID: "lift"}
	f.revoke(Target{Identity: licences})
	f.must(lift)
	f.revoke(Target{Identity: licences})
	if err := f.add(lift); err != journal.ErrRepeated {
		t.Errorf("the same restoration again: %v", err)
	}
	if is := f.state.revokedOf(licences); is.at.IsZero() {
		t.Error("it lifted a later revocation")
	}
}

// TestKeyServesOneCertificate: two identities with one key could each be taken for the other.
func TestKeyServesOneCertificate(t *testing.T) {
	f := newFolded(t)
	_, csr := request(t, "")
	for i, who := range []certs.Identity{licences, tax} {
		made, err := f.authority.Issue(t.Context(), certs.Order{Request: csr, Identity: who})
		if err != nil {
			t.Fatal(err)
		}
		err = f.add(entry{Kind: issued, Identity: who.String(), Chain: made.Chain, Token: f.invite(who)})
		if want := []string{"", "YM-ROL-0108"}[i]; code(err) != want {
			t.Errorf("%s: %v", who, err)
		}
	}
}
