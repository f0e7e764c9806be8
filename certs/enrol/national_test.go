package enrol_test

import (
	"crypto"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/enrol"
	"github.com/onedoor/yimen/certs/roll"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/envelope"
)

// TestNationalSuite: in a city of the national suite a machine draws an SM2 key too, the roll names it, and it stays with the machine
// over renewals and restarts. Who enrolled before the city changed stays with the standard suite.
func TestNationalSuite(t *testing.T) {
	w := newWorld(t)
	before := w.credential()
	w.change(envelope.National)

	dir := certs.CredentialConfig{Dir: t.TempDir(), Name: "identity"}
	who := certs.Identity{City: "liling", Department: "scjg", Role: certs.Adapter, Name: "permits"}
	c := w.enrolled(who, dir)
	w.signsBy(c, envelope.National)
	opened, err := certs.OpenCredential(dir)
	must(t, err)
	w.signsBy(opened, envelope.National)
	private, err := os.ReadFile(filepath.Join(dir.Dir, "identity.key"))
	if must(t, err); strings.Count(string(private), "BEGIN SM2 PRIVATE KEY") != 1 {
		t.Error("the SM2 key does not lie beside the other")
	}

	_, request, err := certs.NewRequest(envelope.National, rand.Reader, "")
	must(t, err)
	joined, err := w.showing(opened.TLS()).Renew(t.Context(), request)
	if must(t, err); joined.Crypto != envelope.National {
		t.Errorf("renewed for %d", joined.Crypto)
	}
	_, err = w.showing(opened.TLS()).Renew(t.Context(), request)
	wants(t, "the same keys again", err, "YM-ROL-0108")
	_, plain := draw(t)
	_, err = w.showing(opened.TLS()).Renew(t.Context(), plain)
	wants(t, "a renewal without SM2", err, "YM-ROL-0114")
	_, err = w.join(w.invite(certs.Identity{City: "liling", Department: "scjg", Role: certs.Adapter, Name: "others"}), plain)
	wants(t, "an enrolment without SM2", err, "YM-ROL-0114")

	w.signsBy(before, envelope.Standard)
	w.signsBy(w.enrolled(licences, certs.CredentialConfig{Dir: t.TempDir(), Name: "identity"}), envelope.Standard)
}

// change has the city work by a suite from now on.
func (w *world) change(s envelope.Suite) {
	w.t.Helper()
	w.roll = w.runRoll(roll.Config{City: "liling", Topics: w.bus, Authority: w.authority, Suite: s})
	w.cfg.Roll, w.cfg.Suite = w.roll, s
	w.url = w.serve(contract.Handler(enrol.Operations(w.cfg), nil), w.authority, main, "127.0.0.1")
}

// enrolled enrols by the suite that the exchange names.
func (w *world) enrolled(who certs.Identity, at certs.CredentialConfig) *certs.Credential {
	w.t.Helper()
	var key crypto.Signer
	joined, err := enrol.Join(w.t.Context(), w.url, w.fingerprint(), w.invite(who), func(s envelope.Suite) (request []byte, err error) {
		key, request, err = certs.NewRequest(s, rand.Reader, who.Principal())
		return request, err
	}, time.Now)
	must(w.t, err)
	c, err := certs.SaveCredential(at, key, joined.Papers())
	must(w.t, err)
	return c
}

// signsBy sees that the roll knows whose signatures the credential makes, and by which suite.
func (w *world) signsBy(c *certs.Credential, s envelope.Suite) {
	w.t.Helper()
	signature, id, err := c.Sign([]byte("message"))
	must(w.t, err)
	who, known, err := w.roll.Signatory(w.t.Context(), id)
	must(w.t, err)
	if size := map[envelope.Suite]int{envelope.Standard: 32, envelope.National: 65}[s]; !known || c.Suite() != s || who.Suite != s || len(who.Public) != size || len(signature) < 64 {
		w.t.Errorf("%v signs by %d; on the roll: %v, suite %d, a key of %d bytes", c.Identity(), c.Suite(), known, who.Suite, len(who.Public))
	}
}
