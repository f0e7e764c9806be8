package enrol_test

import (
	"crypto"
	"crypto/rand"
	"errors"
	"net/http"
	"testing"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/enrol"
	"github.com/onedoor/yimen/certs/enrol/enroltest"
	"github.com/onedoor/yimen/certs/roll/rolltest"
	"github.com/onedoor/yimen/exchange"
)

var licences = rolltest.Adapter("scjg", "licences")

// world is an exchange and its callers.
type world struct {
	*enroltest.Exchange
	t testing.TB
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return &world{enroltest.Start(t), t}
}

// admin is an administrator's client; another token makes it somebody else's.
func (w *world) admin(token string) *enrol.Client {
	return &enrol.Client{Base: w.URL, Token: token, HTTP: &http.Client{Transport: &http.Transport{TLSClientConfig: w.Authority.Client()}}}
}

func draw(t testing.TB) (crypto.Signer, []byte) {
	t.Helper()
	key, request, err := certs.NewRequest(rand.Reader, "")
	if err != nil {
		t.Fatal(err)
	}
	return key, request
}

// credential enrols an adapter and keeps what it got.
func (w *world) credential(who certs.Identity) *certs.Credential {
	w.t.Helper()
	key, request := draw(w.t)
	papers, err := enrol.Enrol(w.t.Context(), w.URL, w.Fingerprint(), w.Invite(who), request)
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := certs.SaveCredential(certs.CredentialConfig{Dir: w.t.TempDir(), Name: who.Name}, key, papers.Certs())
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func wantCode(t testing.TB, what string, err error, code string) {
	t.Helper()
	var p *exchange.Problem
	if code == "" && err == nil {
		return
	}
	if !errors.As(err, &p) || p.Code != code || p.What.ZH == "" || p.What.EN == "" {
		t.Errorf("%s: %v, want %q", what, err, code)
	}
}
