package enrol_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/enrol"
	"github.com/onedoor/yimen/certs/enrol/enroltest"
	"github.com/onedoor/yimen/certs/roll"
	"github.com/onedoor/yimen/certs/roll/rolltest"
	"github.com/onedoor/yimen/exchange"
)

func TestEnrolment(t *testing.T) {
	w := newWorld(t)
	key, request := draw(t)
	token := w.Invite(licences)
	papers, err := enrol.Enrol(t.Context(), w.URL, w.Fingerprint(), token, request)
	if err != nil {
		t.Fatal(err)
	}
	if len(papers.SealingKeys) != 1 || string(papers.SealingKeys[0].Public) != "public" || len(papers.Kafka) != 1 || papers.Kafka[0] != "kafka1.example:9093" {
		t.Errorf("papers %+v", papers)
	}
	c, err := certs.SaveCredential(certs.CredentialConfig{Dir: t.TempDir(), Name: "licences"}, key, papers.Certs())
	if err != nil || c.Identity() != licences {
		t.Fatal(err)
	}
	_, request = draw(t)
	_, err = enrol.Enrol(t.Context(), w.URL, w.Fingerprint(), token, request)
	wantCode(t, "the token again", err, "YM-ROL-0101")
	if strings.Contains(w.Logged(), token) || strings.Contains(w.Logged(), "licences") {
		t.Errorf("the log says\n%s", w.Logged())
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil || strings.Contains(w.Received(), base64.StdEncoding.EncodeToString(private)[40:]) {
		t.Error("the private key left the machine")
	}
}

// Whoever does not prove to be the exchange of the fingerprint sees no token, nor anything else of the requester.
func TestTokenGoesToTheExchangeAlone(t *testing.T) {
	w := newWorld(t)
	stranger := rolltest.NewAuthority(t)
	handler := w.Handler(func(*enrol.Config) {})
	self := httptest.NewTLSServer(handler) // with a certificate of its own making
	t.Cleanup(self.Close)
	elsewhere := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			handler.ServeHTTP(rw, r)
			return
		}
		http.Redirect(rw, r, self.URL+r.URL.Path, http.StatusTemporaryRedirect)
	})
	shown := certs.FingerprintOf(stranger.Roots()[0].Raw)
	tests := []struct {
		name, server string
		fingerprint  certs.Fingerprint
		code         string
	}{
		{"another fingerprint", w.URL, shown, "YM-ENR-0203"},
		{"the exchange's root, a chain of another authority", w.Serve(handler, stranger, rolltest.Node("n1"), "127.0.0.1"), w.Fingerprint(), "YM-ENR-0204"},
		{"the exchange's root, a certificate of its own making", self.URL, w.Fingerprint(), "YM-ENR-0204"},
		{"an adapter of a department in the place of a node", w.Serve(handler, w.Authority, licences, "127.0.0.1"), w.Fingerprint(), "YM-ENR-0204"},
		{"a node at another host", w.Serve(handler, w.Authority, rolltest.Node("n2"), "yimen.example"), w.Fingerprint(), "YM-ENR-0204"},
		{"without TLS", w.Plain, w.Fingerprint(), "YM-ENR-0202"},
		{"TLS where there is none", strings.Replace(w.Plain, "http:", "https:", 1), w.Fingerprint(), "YM-ENR-0205"},
		{"something else", w.Serve(http.NotFoundHandler(), w.Authority, rolltest.Node("n1"), "127.0.0.1"), w.Fingerprint(), "YM-ENR-0205"},
		{"a redirection", w.Serve(elsewhere, w.Authority, rolltest.Node("n1"), "127.0.0.1"), w.Fingerprint(), "YM-ENR-0205"},
		{"no address", "yimen.example", w.Fingerprint(), "YM-ENR-0202"},
	}
	token := w.Invite(licences)
	for _, test := range tests {
		before := len(w.Received())
		_, request := draw(t)
		_, err := enrol.Enrol(t.Context(), test.server, test.fingerprint, token, request)
		wantCode(t, test.name, err, test.code)
		if strings.Contains(w.Received()[before:], token) && test.name != "a redirection" {
			t.Errorf("%s: the token was sent", test.name)
		}
	}
	_, err := enrol.Enrol(t.Context(), w.URL, shown, token, nil)
	var p *exchange.Problem
	if errors.As(err, &p); p == nil || !strings.Contains(p.Why.ZH, shown.String()) || !strings.Contains(p.Why.EN, w.Fingerprint().String()) {
		t.Errorf("it does not say what was expected and seen: %v", err)
	}
	_, request := draw(t)
	_, err = enrol.Enrol(t.Context(), w.URL, w.Fingerprint(), token, request)
	wantCode(t, "the token is still good", err, "")
}

// An exchange that says that its root is another one is not believed, even though it proved itself.
func TestAnswerMustHoldTheRoot(t *testing.T) {
	w := newWorld(t)
	stranger, asked := rolltest.NewAuthority(t), 0
	handler := w.Handler(func(c *enrol.Config) {
		c.Roots = func() []*x509.Certificate {
			if asked++; asked > 1 {
				return stranger.Roots()
			}
			return w.Authority.Roots()
		}
	})
	server := w.Serve(handler, w.Authority, rolltest.Node("n1"), "127.0.0.1")
	_, request := draw(t)
	_, err := enrol.Enrol(t.Context(), server, w.Fingerprint(), w.Invite(licences), request)
	wantCode(t, "enrol", err, "YM-ENR-0205")
}

func TestRenewal(t *testing.T) {
	w := newWorld(t)
	c := w.credential(licences)
	_, request := draw(t)
	papers, err := enrol.Renew(t.Context(), w.URL, c.TLS(), request)
	if err != nil || len(papers.Chain) == 0 || len(papers.SealingKeys) != 1 {
		t.Fatalf("%+v %v", papers, err)
	}
	_, err = enrol.Renew(t.Context(), w.URL, w.Authority.Client(), request)
	wantCode(t, "without a certificate", err, "YM-ENR-0103")
	_, err = enrol.Renew(t.Context(), w.URL, c.TLS(), request)
	wantCode(t, "the key again", err, "YM-ROL-0105")

	stray, other := draw(t)
	outside, err := certs.SaveCredential(certs.CredentialConfig{Dir: t.TempDir(), Name: "a"}, stray, w.Authority.Papers(certs.Order{Request: other, Identity: licences}))
	if err != nil {
		t.Fatal(err)
	}
	_, fresh := draw(t)
	_, err = enrol.Renew(t.Context(), w.URL, outside.TLS(), fresh)
	wantCode(t, "a certificate that is not on the roll", err, "YM-ROL-0202")

	foreign := rolltest.NewAuthority(t)
	strangeKey, strangeRequest := draw(t)
	strange, err := certs.SaveCredential(certs.CredentialConfig{Dir: t.TempDir(), Name: "a"}, strangeKey, foreign.Papers(certs.Order{Request: strangeRequest, Identity: licences}))
	if err != nil {
		t.Fatal(err)
	}
	posing := strange.TLS()
	posing.RootCAs = w.Authority.Pool()
	_, err = enrol.Renew(t.Context(), w.URL, posing, fresh)
	wantCode(t, "a certificate of another authority", err, "YM-ENR-0205")

	if _, err := w.admin(enroltest.AdminToken).Revoke(t.Context(), "scjg", roll.Misuse); err != nil {
		t.Fatal(err)
	}
	_, err = enrol.Renew(t.Context(), w.URL, c.TLS(), fresh)
	wantCode(t, "a revoked certificate", err, "YM-ROL-0201")
}

// A credential renews itself over the wire, with the pair it has.
func TestCredentialKeepsItself(t *testing.T) {
	w := newWorld(t)
	key, request := draw(t)
	papers, err := enrol.Enrol(t.Context(), w.URL, w.Fingerprint(), w.Invite(licences), request)
	if err != nil {
		t.Fatal(err)
	}
	due := func() time.Time { return time.Now().Add(50 * time.Hour) }
	c, err := certs.SaveCredential(certs.CredentialConfig{Dir: t.TempDir(), Name: "licences", Clock: due}, key, papers.Certs())
	if err != nil {
		t.Fatal(err)
	}
	_, before, err := c.Sign(nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	err = c.Keep(ctx, func(ctx context.Context, request []byte) (certs.Papers, error) {
		papers, err := enrol.Renew(ctx, w.URL, c.TLS(), request)
		stop() // one is enough; it is kept all the same
		return papers.Certs(), err
	})
	if _, after, signErr := c.Sign(nil); signErr != nil || after == before || !errors.Is(err, context.Canceled) {
		t.Errorf("not renewed: %v, %v", err, signErr)
	}
}

// A header that says who called proves nothing.
func TestHeadersProveNothing(t *testing.T) {
	w := newWorld(t)
	c := w.credential(licences)
	shown, err := c.Certificate()
	if err != nil {
		t.Fatal(err)
	}
	_, request := draw(t)
	body, _ := json.Marshal(map[string]any{"request": request})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL+"/v1/renewals", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	written := url.QueryEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: shown.Certificate[0]})))
	for _, header := range []string{"X-Client-Cert", "X-Forwarded-Client-Cert", "Ssl-Client-Cert", "X-SSL-Client-Cert"} {
		r.Header.Set(header, written)
	}
	r.Header.Set("X-Ssl-Client-Verify", "SUCCESS")
	r.Header.Set("X-Forwarded-For", "127.0.0.1")
	answer, err := w.admin("").HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if said, _ := io.ReadAll(answer.Body); answer.StatusCode != 401 || !bytes.Contains(said, []byte("YM-ENR-0103")) {
		t.Errorf("%d %s", answer.StatusCode, said)
	}
}

// Where the exchange has no sealing key to give, the token is not used up.
func TestTokenIsNotUsedUpForNothing(t *testing.T) {
	w := newWorld(t)
	token := w.Invite(licences)
	w.Seal(&exchange.Problem{Code: "YM-KEY-0998", Kind: exchange.Unavailable, What: exchange.Text{ZH: "密钥不可用", EN: "keys away"}})
	_, request := draw(t)
	_, err := enrol.Enrol(t.Context(), w.URL, w.Fingerprint(), token, request)
	wantCode(t, "without keys", err, "YM-KEY-0998")
	w.Seal(nil)
	_, err = enrol.Enrol(t.Context(), w.URL, w.Fingerprint(), token, request)
	wantCode(t, "with keys", err, "")
}

func TestAdministration(t *testing.T) {
	w := newWorld(t)
	admin, ctx := w.admin(enroltest.AdminToken), t.Context()
	roots, err := admin.Roots(ctx)
	if err != nil || len(roots) != 1 || certs.FingerprintOf(roots[0]) != w.Fingerprint() {
		t.Errorf("roots: %v", err)
	}
	invited, err := admin.Invite(ctx, "scjg/licences", 0)
	if err != nil || invited.Name != "scjg/adapter/licences" || invited.Identity != licences.String() || invited.Token == "" || time.Until(invited.Expires) < 71*time.Hour {
		t.Fatalf("%+v %v", invited, err)
	}
	brief, err := admin.Invite(ctx, "xzsp/clerk/0017", time.Hour)
	if err != nil || time.Until(brief.Expires) > time.Hour {
		t.Errorf("%+v %v", brief, err)
	}
	_, request := draw(t)
	papers, err := enrol.Enrol(ctx, w.URL, w.Fingerprint(), invited.Token, request)
	if err != nil {
		t.Fatal(err)
	}
	f := certs.FingerprintOf(papers.Chain[0])
	w.states("scjg/adapter/licences=valid xzsp/clerk/0017=invited")

	if done, err := admin.Revoke(ctx, f.String(), roll.Superseded); err != nil || done.Target != f.String() {
		t.Errorf("%+v %v", done, err)
	}
	w.states("scjg/adapter/licences=lapsed xzsp/clerk/0017=invited")
	if done, err := admin.Revoke(ctx, "scjg/licences", roll.KeyCompromised); err != nil || done.Target != "scjg/adapter/licences" || done.Reason != roll.KeyCompromised {
		t.Errorf("%+v %v", done, err)
	}
	if _, err := admin.Revoke(ctx, "xzsp", roll.Misuse); err != nil {
		t.Error(err)
	}
	w.states("scjg/adapter/licences=revoked xzsp=revoked xzsp/clerk/0017=revoked")
	rows, err := admin.Identities(ctx)
	if r := rows[0].Revoked; err != nil || r == nil || r.Reason != roll.KeyCompromised || r.By != "xzsp/0001" || r.At.IsZero() || *rows[0].Fingerprint != f {
		t.Errorf("%+v %v", rows[0], err)
	}
	for _, target := range []string{"scjg/licences", "xzsp"} {
		if _, err := admin.Restore(ctx, target); err != nil {
			t.Error(err)
		}
	}
	w.states("scjg/adapter/licences=lapsed xzsp/clerk/0017=none")
}

// states checks what the list says of each identity.
func (w *world) states(want string) {
	w.t.Helper()
	rows, err := w.admin(enroltest.AdminToken).Identities(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	var all []string
	for _, r := range rows {
		all = append(all, r.Name+"="+string(r.State))
	}
	if got := strings.Join(all, " "); got != want {
		w.t.Errorf("listed %s, want %s", got, want)
	}
}

func TestWhatAdministratorsCannotDo(t *testing.T) {
	w := newWorld(t)
	admin, ctx := w.admin(enroltest.AdminToken), t.Context()
	invite := func(identity string, life time.Duration) error {
		_, err := admin.Invite(ctx, identity, life)
		return err
	}
	revoke := func(target string, reason roll.Reason) error { _, err := admin.Revoke(ctx, target, reason); return err }
	restore := func(target string) error { _, err := admin.Restore(ctx, target); return err }
	for _, test := range []struct {
		name string
		err  error
		code string
	}{
		{"no identity", invite("scjg", 0), "YM-ENR-0102"},
		{"another city's", invite("spiffe://zhuzhou/dept/scjg/adapter/a", 0), "YM-ENR-0102"},
		{"node", invite("node/n1", 0), "YM-ROL-0212"},
		{"unknown department", invite("nobody/a", 0), "YM-CAT-0999"},
		{"too long", invite("scjg/a", 10000*time.Hour), "YM-ROL-0213"},
		{"negative", invite("scjg/a", -time.Hour), "YM-ENR-0101"},
		{"nothing", revoke("", roll.Misuse), "YM-ROL-0208"},
		{"no reason", revoke("scjg", ""), "YM-ROL-0207"},
		{"unknown certificate", revoke(certs.Fingerprint{1}.String(), roll.Misuse), "YM-ROL-0206"},
		{"half a fingerprint", revoke("SHA256:3b", roll.Misuse), "YM-KEY-0201"},
		{"nothing to restore", restore("scjg"), "YM-ROL-0204"},
		{"restore what is no target", restore("a/b/c/d"), "YM-ROL-0208"},
	} {
		wantCode(t, test.name, test.err, test.code)
	}
}

// Nobody but an administrator learns or changes anything, whatever else is wrong with the request.
func TestOnlyAdministrators(t *testing.T) {
	w := newWorld(t)
	for _, token := range []string{"", "another", enroltest.AdminToken + "x"} {
		for _, route := range []string{"GET /v1/identities", "POST /v1/invitations", "POST /v1/revocations", "POST /v1/restorations"} {
			method, path, _ := strings.Cut(route, " ")
			status, said := w.send(method, path, "no JSON", "Authorization: Bearer "+token)
			if status != 401 || !strings.Contains(said, "YM-API-0401") {
				t.Errorf("%s: %d %s", route, status, said)
			}
		}
	}
}

// send sends a request as it is.
func (w *world) send(method, path, body string, headers ...string) (int, string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	answer, err := w.admin("").HTTP.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil || answer.Header.Get("Cache-Control") != "no-store" && answer.StatusCode < 404 {
		w.t.Errorf("%s %s: %v, may be kept by others", method, path, err)
	}
	return answer.StatusCode, string(said)
}

func TestBodies(t *testing.T) {
	w := newWorld(t)
	token := w.Invite(licences)
	_, request := draw(t)
	encoded := base64.StdEncoding.EncodeToString(request)
	sound := `{"token":"` + token + `","request":"` + encoded + `"}`
	for _, test := range []struct {
		name, body, content string
		want                string // in the answer
	}{
		{"nothing", "", "", "it is empty"},
		{"no object", "[]", "", "another type"},
		{"half", sound[:20], "", "not sound JSON"},
		{"two", sound + sound, "", "not sound JSON"},
		{"member twice", strings.Replace(sound, "{", `{"token":"x",`, 1), "", "stands twice"},
		{"other letters", strings.Replace(sound, "token", "Token", 1), "", "unknown"},
		{"one more", strings.Replace(sound, "{", `{"identity":"a",`, 1), "", "unknown"},
		{"a number", `{"token":7}`, "", "another type"},
		{"no base64", `{"token":"` + token + `","request":"!!"}`, "", "another type"},
		{"no request", `{"token":"` + token + `"}`, "", "YM-ROL-0103"},
		{"no token", `{"request":"` + encoded + `"}`, "", "YM-ROL-0101"},
		{"no UTF-8", `{"token":"` + "\xff" + `"}`, "", "YM-ENR-0101"},
		{"a form", sound, "text/plain", "Content-Type"},
		{"GBK", sound, "application/json; charset=gbk", "Content-Type"},
		{"too large", `{"token":"` + strings.Repeat("x", 70<<10) + `"}`, "", "64 KiB"},
		{"sound", sound, "application/json; charset=utf-8", `"chain"`},
	} {
		var headers []string
		if test.content != "" {
			headers = []string{"Content-Type: " + test.content}
		}
		status, said := w.send("POST", "/v1/enrolments", test.body, headers...)
		if !strings.Contains(said, test.want) || (status == 200) != (test.name == "sound") {
			t.Errorf("%s: %d %s", test.name, status, said)
		}
		if status != 200 && strings.Contains(said, token) {
			t.Errorf("%s: the answer repeats the token", test.name)
		}
	}
}

func TestOtherMethodsAndAddresses(t *testing.T) {
	w := newWorld(t)
	for route, want := range map[string]int{"GET /v1/enrolments": 405, "POST /v1/roots": 405, "DELETE /v1/identities": 405, "GET /v1/other": 404} {
		method, path, _ := strings.Cut(route, " ")
		if status, _ := w.send(method, path, ""); status != want {
			t.Errorf("%s: %d", route, status)
		}
	}
}

func TestNewNeedsItsParts(t *testing.T) {
	if _, err := enrol.New(enrol.Config{}); err == nil {
		t.Error("an empty configuration is taken")
	}
}

func TestRenewalShowsTheCurrentCertificate(t *testing.T) {
	w := newWorld(t)
	c := w.credential(licences)
	var shown []*x509.Certificate
	handler := w.Handler(func(*enrol.Config) {})
	server := w.Serve(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		shown = r.TLS.PeerCertificates
		handler.ServeHTTP(rw, r)
	}), w.Authority, rolltest.Node("n1"), "127.0.0.1")
	_, request := draw(t)
	if _, err := enrol.Renew(t.Context(), server, c.TLS(), request); err != nil || len(shown) != 1 {
		t.Fatalf("%d shown, %v", len(shown), err)
	}
	if current, err := c.Certificate(); err != nil || !shown[0].Equal(current.Leaf) {
		t.Errorf("another was shown, %v", err)
	}
	var pinned *tls.CertificateVerificationError
	if _, err := enrol.Renew(t.Context(), w.Serve(handler, rolltest.NewAuthority(t), rolltest.Node("n1"), "127.0.0.1"), c.TLS(), request); !errors.As(err, &pinned) {
		t.Errorf("a server of another authority: %v", err)
	}
}
