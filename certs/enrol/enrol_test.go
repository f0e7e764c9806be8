package enrol_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/enrol"
	"github.com/onedoor/yimen/certs/roll"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/contract"
)

func TestJoin(t *testing.T) {
	w := newWorld(t)
	key, request := draw(t)
	token := w.invite(licences)
	joined, err := w.join(token, request)
	must(t, err)
	if joined.Identity != licences.String() || string(joined.SealingKey) != "public" || !slices.Equal(joined.Kafka, []string{"kafka1.example:9093"}) || !joined.KafkaTLS {
		t.Errorf("joined %+v", joined)
	}
	c, err := certs.SaveCredential(certs.CredentialConfig{Dir: t.TempDir(), Name: "identity"}, key, joined.Papers())
	if must(t, err); c.Identity() != licences || !c.Until().Equal(joined.Until) {
		t.Errorf("the credential is %v until %v", c.Identity(), c.Until())
	}
	_, request = draw(t)
	_, err = w.join(token, request)
	wants(t, "the token again", err, "YM-ROL-0104")
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if must(t, err); strings.Contains(w.received(), base64.StdEncoding.EncodeToString(private)[40:]) {
		t.Error("the private key left the machine")
	}
}

// TestTokenGoesToTheExchangeAlone: whoever does not prove to be the exchange of the fingerprint is sent nothing at all.
func TestTokenGoesToTheExchangeAlone(t *testing.T) {
	w := newWorld(t)
	handler, stranger := contract.Handler(enrol.Operations(w.cfg), nil), newAuthority(t)
	plain := httptest.NewServer(handler)
	t.Cleanup(plain.Close)
	self := quiet(httptest.NewUnstartedServer(handler)) // with a certificate of its own making
	self.StartTLS()
	t.Cleanup(self.Close)
	// An enemy's chain with the real root added to it proves nothing.
	posing := quiet(httptest.NewUnstartedServer(handler))
	posing.TLS = serving(t, stranger, main, "127.0.0.1")
	shown := &posing.TLS.Certificates[0]
	shown.Certificate = append(shown.Certificate, w.authority.Roots()[0].Raw)
	posing.StartTLS()
	t.Cleanup(posing.Close)
	other := certs.FingerprintOf(stranger.Roots()[0].Raw)
	tests := []struct {
		name, server string
		fingerprint  certs.Fingerprint
		code         string
	}{
		{"another fingerprint", w.url, other, "YM-ENR-0202"},
		{"another authority", w.serve(handler, stranger, main, "127.0.0.1"), w.fingerprint(), "YM-ENR-0202"},
		{"a certificate of its own making", self.URL, w.fingerprint(), "YM-ENR-0202"},
		{"another authority, the real root added", posing.URL, w.fingerprint(), "YM-ENR-0203"},
		{"an adapter in the place of a node", w.serve(handler, w.authority, licences, ""), w.fingerprint(), "YM-ENR-0203"},
		{"a node of another host", w.serve(handler, w.authority, main, "yimen.example"), w.fingerprint(), "YM-ENR-0203"},
		{"plain HTTP", plain.URL, w.fingerprint(), "YM-ENR-0201"},
		{"TLS where there is none", strings.Replace(plain.URL, "http:", "https:", 1), w.fingerprint(), "YM-ENR-0205"},
		{"no address", "yimen.example", w.fingerprint(), "YM-ENR-0201"},
	}
	token := w.invite(licences)
	before := w.received()
	for _, test := range tests {
		_, request := draw(t)
		_, err := enrol.Join(t.Context(), test.server, test.fingerprint, token, drawn(request), time.Now)
		wants(t, test.name, err, test.code)
		if w.received() != before {
			t.Fatalf("%s: something was sent", test.name)
		}
	}
	_, err := enrol.Join(t.Context(), w.url, other, token, drawn(nil), time.Now)
	var p *exchange.Problem
	if errors.As(err, &p); p == nil || !strings.Contains(p.Why.EN, other.String()) || !strings.Contains(p.Why.ZH, w.fingerprint().String()) {
		t.Errorf("it does not say what was expected and seen: %v", err)
	}
	late := func() time.Time { return time.Now().Add(80 * time.Hour) }
	_, err = enrol.Join(t.Context(), w.url, w.fingerprint(), token, drawn(nil), late)
	wants(t, "a node whose certificate is out of date", err, "YM-ENR-0203")
	_, request := draw(t)
	_, err = w.join(token, request)
	wants(t, "the token is still good", err, "")
}

// TestRedirectionIsNotFollowed: the exchange itself does not send a token elsewhere.
func TestRedirectionIsNotFollowed(t *testing.T) {
	w := newWorld(t)
	target := w.serve(contract.Handler(enrol.Operations(w.cfg), nil), w.authority, main, "127.0.0.1")
	server := w.serve(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, target+r.URL.Path, http.StatusTemporaryRedirect)
	}), w.authority, main, "127.0.0.1")
	_, request := draw(t)
	_, err := enrol.Join(t.Context(), server, w.fingerprint(), w.invite(licences), drawn(request), time.Now)
	wants(t, "a redirection", err, "YM-ENR-0205")
	if n := strings.Count(w.received(), "token"); n != 0 {
		t.Errorf("the token was sent %d times", n)
	}
}

// lying is an authority that says that its root is another.
type lying struct {
	certs.Authority
	root *x509.Certificate
}

func (l lying) Roots() []*x509.Certificate { return []*x509.Certificate{l.root} }

func TestAnswerMustHoldTheRoot(t *testing.T) {
	w := newWorld(t)
	cfg := w.cfg
	cfg.Authority = lying{w.authority, newAuthority(t).Roots()[0]}
	server := w.serve(contract.Handler(enrol.Operations(cfg), nil), w.authority, main, "127.0.0.1")
	_, request := draw(t)
	_, err := enrol.Join(t.Context(), server, w.fingerprint(), w.invite(licences), drawn(request), time.Now)
	wants(t, "another root", err, "YM-ENR-0204")
}

func TestRenew(t *testing.T) {
	w := newWorld(t)
	c := w.credential()
	_, request := draw(t)
	joined, err := w.showing(c.TLS()).Renew(t.Context(), request)
	if must(t, err); joined.Identity != licences.String() || len(joined.Chain) == 0 {
		t.Errorf("renewed %+v", joined)
	}
	_, fresh := draw(t)
	_, err = w.client("").Renew(t.Context(), fresh)
	wants(t, "without a certificate", err, "YM-ENR-0105")
	_, err = w.showing(c.TLS()).Renew(t.Context(), request)
	wants(t, "the same key", err, "YM-ROL-0108")
	_, err = w.showing(w.outside(w.authority).TLS()).Renew(t.Context(), fresh)
	wants(t, "a certificate that is not on the roll", err, "YM-ROL-0101")
	posing := w.outside(newAuthority(t)).TLS()
	posing.RootCAs = c.TLS().RootCAs
	_, err = w.showing(posing).Renew(t.Context(), fresh)
	wants(t, "a certificate of another authority", err, "YM-ENR-0205")
	must(t, w.client(adminToken).Revoke(t.Context(), "scjg", "breach"))
	_, err = w.showing(c.TLS()).Renew(t.Context(), fresh)
	wants(t, "a revoked certificate", err, "YM-ROL-0102")
}

// TestOwn: whoever shows a certificate is told how it stands, and where it is not good any more, why.
func TestOwn(t *testing.T) {
	w := newWorld(t)
	c := w.credential()
	own, err := w.showing(c.TLS()).Own(t.Context())
	if must(t, err); own.Identity != licences.String() || own.Fingerprint != certs.FingerprintOf(c.Leaf().Raw).String() {
		t.Errorf("own is %+v", own)
	}
	_, err = w.client(adminToken).Own(t.Context())
	wants(t, "without a certificate", err, "YM-ENR-0105")
	_, err = w.showing(w.outside(w.authority).TLS()).Own(t.Context())
	wants(t, "a certificate that is not on the roll", err, "YM-ROL-0101")
	must(t, w.client(adminToken).Revoke(t.Context(), "scjg/licences", "key-lost"))
	_, err = w.showing(c.TLS()).Own(t.Context())
	wants(t, "a revoked certificate", err, "YM-ROL-0102")
}

// outside is a credential for the identity that no roll knows.
func (w *world) outside(authority *certs.LocalAuthority) *certs.Credential {
	w.t.Helper()
	key, request := draw(w.t)
	made, err := authority.Issue(w.t.Context(), certs.Order{Request: request, Identity: licences})
	must(w.t, err)
	c, err := certs.SaveCredential(certs.CredentialConfig{Dir: w.t.TempDir(), Name: "a"}, key, certs.Papers{Chain: made.Chain, Roots: [][]byte{authority.Roots()[0].Raw}})
	must(w.t, err)
	return c
}

// TestCredentialKeepsItself over the wire, with the pair that it has.
func TestCredentialKeepsItself(t *testing.T) {
	w := newWorld(t)
	c := w.credential(func(cfg *certs.CredentialConfig) {
		cfg.Clock = func() time.Time { return time.Now().Add(50 * time.Hour) } // due
	})
	_, before, err := c.Sign(nil)
	must(t, err)
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	err = c.Keep(ctx, func(ctx context.Context, request []byte) (certs.Papers, error) {
		joined, err := w.showing(c.TLS()).Renew(ctx, request)
		stop() // one is enough; it is kept all the same
		return joined.Papers(), err
	})
	if _, after, signErr := c.Sign(nil); signErr != nil || after == before || !errors.Is(err, context.Canceled) {
		t.Errorf("not renewed: %v, %v", err, signErr)
	}
}

// TestHeadersProveNothing: what a proxy, or anybody, says of a certificate is not believed.
func TestHeadersProveNothing(t *testing.T) {
	w := newWorld(t)
	shown, err := w.credential().Certificate()
	must(t, err)
	_, request := draw(t)
	body, _ := json.Marshal(map[string]any{"request": request})
	written := url.QueryEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: shown.Certificate[0]})))
	headers := map[string]string{"X-Ssl-Client-Verify": "SUCCESS", "X-Forwarded-For": "127.0.0.1"}
	for _, name := range []string{"X-Client-Cert", "X-Forwarded-Client-Cert", "Ssl-Client-Cert", "X-SSL-Client-Cert"} {
		headers[name] = written
	}
	if status, said := w.send("POST", "/v1/renewals", string(body), headers); status != 401 || !strings.Contains(said, "YM-ENR-0105") {
		t.Errorf("%d %s", status, said)
	}
}

// TestTokenIsNotUsedUpForNothing: where the exchange cannot say what a machine needs, the token stays good.
func TestTokenIsNotUsedUpForNothing(t *testing.T) {
	w := newWorld(t)
	token := w.invite(licences)
	w.breaks(&exchange.Problem{Code: "YM-KEY-0301", Kind: exchange.Unavailable})
	_, request := draw(t)
	_, err := w.join(token, request)
	wants(t, "without keys", err, "YM-KEY-0301")
	w.breaks(nil)
	_, err = w.join(token, request)
	wants(t, "with keys", err, "")
}

func TestAdministration(t *testing.T) {
	w := newWorld(t)
	admin, ctx := w.client(adminToken), t.Context()
	roots, err := admin.Roots(ctx)
	if must(t, err); len(roots) != 1 || roots[0] != w.fingerprint() {
		t.Errorf("roots %v", roots)
	}
	invited, err := admin.Invite(ctx, "scjg/licences", 2*time.Hour)
	if must(t, err); invited.Identity != licences.String() || time.Until(invited.Until) > 2*time.Hour || time.Until(invited.Until) < time.Hour {
		t.Errorf("invited %+v", invited)
	}
	_, request := draw(t)
	joined, err := w.join(invited.Token, request)
	must(t, err)
	all, err := admin.Identities(ctx)
	if must(t, err); len(all) != 1 || all[0].Principal != "scjg/adapter/licences" || all[0].Fingerprint != certs.FingerprintOf(joined.Chain[0]).String() || !all[0].Revoked.IsZero() {
		t.Errorf("listed %+v", all)
	}
	must(t, admin.Revoke(ctx, "scjg/licences", "key-lost"))
	all, err = admin.Identities(ctx)
	if must(t, err); all[0].Revoked.IsZero() || all[0].Reason != "key-lost" || all[0].RevokedBy != "xzsp/0001" {
		t.Errorf("revoked %+v", all)
	}
	must(t, admin.Restore(ctx, "scjg/licences"))
	want := []string{"xzsp/0001 identity-invite scjg/adapter/licences", "xzsp/0001 identity-revoke scjg/adapter/licences", "xzsp/0001 identity-restore scjg/adapter/licences"}
	if !slices.Equal(w.acts, want) {
		t.Errorf("recorded %q", w.acts)
	}
}

// TestNoActWithoutItsRecord: what cannot be put into the audit log is not done.
func TestNoActWithoutItsRecord(t *testing.T) {
	w := newWorld(t)
	admin, ctx := w.client(adminToken), t.Context()
	must(t, w.roll.Revoke(ctx, mustTarget(t, "gaj"), "x", "breach"))
	w.breaks(&exchange.Problem{Code: "YM-AUD-0999", Kind: exchange.Unavailable})
	_, err := admin.Invite(ctx, "scjg/licences", 0)
	wants(t, "invite", err, "YM-AUD-0999")
	wants(t, "revoke", admin.Revoke(ctx, "scjg", "breach"), "YM-AUD-0999")
	wants(t, "restore", admin.Restore(ctx, "gaj"), "YM-AUD-0999")
	if w.roll.AdmitsIdentity(licences) != nil || len(w.roll.Standings()) != 0 || w.roll.AdmitsIdentity(certs.Identity{City: "liling", Department: "gaj", Role: certs.Clerk, Name: "1"}) == nil {
		t.Error("something was done")
	}
}

func TestWhatAdministratorsCannotDo(t *testing.T) {
	w := newWorld(t)
	admin, ctx := w.client(adminToken), t.Context()
	invite := func(who string) error { _, err := admin.Invite(ctx, who, 0); return err }
	inviteFor := func(life time.Duration) error { _, err := admin.Invite(ctx, "scjg/late", life); return err }
	for _, test := range []struct {
		name string
		err  error
		code string
	}{
		{"for a year", inviteFor(365 * 24 * time.Hour), "YM-ENR-0106"},
		{"for less than nothing", inviteFor(-time.Hour), "YM-ENR-0106"},
		{"no identity", invite("scjg"), "YM-ENR-0102"},
		{"another city's", invite("spiffe://zhuzhou/dept/scjg/adapter/a"), "YM-ENR-0102"},
		{"a node", invite("node/main"), "YM-ROL-0106"},
		{"a number for a staff code", invite("xzsp/clerk/43028119900101005X"), "YM-ROL-0113"},
		{"no reason", admin.Revoke(ctx, "scjg", ""), "YM-ENR-0104"},
		{"a name for a reason", admin.Revoke(ctx, "scjg", "Mr Wang"), "YM-ENR-0104"},
		{"nothing to revoke", admin.Revoke(ctx, "", "breach"), "YM-ENR-0103"},
		{"half a fingerprint", admin.Revoke(ctx, "SHA256:3b", "breach"), "YM-ENR-0103"},
		{"an unknown certificate", admin.Revoke(ctx, certs.Fingerprint{1}.String(), "breach"), "YM-ROL-0112"},
		{"a certificate to restore", admin.Restore(ctx, certs.Fingerprint{1}.String()), "YM-ROL-0109"},
	} {
		wants(t, test.name, test.err, test.code)
	}
}

// TestOnlyAdministrators learn or change anything, whatever else is wrong with a request.
func TestOnlyAdministrators(t *testing.T) {
	w := newWorld(t)
	for _, token := range []string{"", "another", adminToken + "x"} {
		for route, body := range map[string]string{"GET /v1/identities": "", "POST /v1/invitations": "no JSON", "POST /v1/revocations": `{"target":"scjg","reason":"breach"}`, "POST /v1/restorations": ""} {
			method, path, _ := strings.Cut(route, " ")
			if status, said := w.send(method, path, body, map[string]string{"Authorization": "Bearer " + token}); status != 403 || !strings.Contains(said, "YM-API-0403") {
				t.Errorf("%s: %d %s", route, status, said)
			}
		}
	}
	if len(w.acts) > 0 || w.roll.AdmitsIdentity(licences) != nil {
		t.Errorf("acts of others: %q", w.acts)
	}
}

// send sends a request as it is.
func (w *world) send(method, path, body string, headers map[string]string) (int, string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	must(w.t, err)
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	answer, err := w.client("").HTTP.Do(r)
	must(w.t, err)
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if must(w.t, err); answer.StatusCode < 404 && answer.Header.Get("Cache-Control") != "no-store" {
		w.t.Errorf("%s %s: others may keep the answer", method, path)
	}
	return answer.StatusCode, string(said)
}

func TestBodies(t *testing.T) {
	w := newWorld(t)
	token := w.invite(licences)
	_, request := draw(t)
	encoded := base64.StdEncoding.EncodeToString(request)
	sound := `{"token":"` + token + `","request":"` + encoded + `"}`
	for _, test := range []struct{ name, body, code string }{
		{"nothing", "", "YM-API-0101"},
		{"no object", "[]", "YM-API-0101"},
		{"half", sound[:20], "YM-API-0101"},
		{"two", sound + sound, "YM-API-0101"},
		{"member twice", strings.Replace(sound, "{", `{"token":"x",`, 1), "YM-API-0101"},
		{"other letters", strings.Replace(sound, "token", "Token", 1), "YM-API-0101"},
		{"one more", strings.Replace(sound, "{", `{"identity":"a",`, 1), "YM-API-0101"},
		{"a number", `{"token":7}`, "YM-API-0101"},
		{"no base64", `{"token":"` + token + `","request":"!!"}`, "YM-API-0101"},
		{"no UTF-8", `{"token":"` + "\xff" + `"}`, "YM-API-0101"},
		{"too large", `{"token":"` + strings.Repeat("x", 70<<10) + `"}`, "YM-API-0101"},
		{"no token", `{"request":"` + encoded + `"}`, "YM-ROL-0104"},
		{"no request", `{"token":"` + token + `"}`, "YM-KEY-0103"},
		{"sound", sound, ""},
	} {
		status, said := w.send("POST", "/v1/enrolments", test.body, nil)
		if (status == 200) != (test.code == "") || !strings.Contains(said, test.code) {
			t.Errorf("%s: %d %s", test.name, status, said)
		}
		if bytes.Contains([]byte(said), []byte(token)) {
			t.Errorf("%s: the answer repeats the token", test.name)
		}
	}
}

// mustTarget reads a target.
func mustTarget(t *testing.T, s string) roll.Target {
	t.Helper()
	target, err := roll.ParseTarget("liling", s)
	must(t, err)
	return target
}
