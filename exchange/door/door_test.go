package door

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/broker"
)

// town is a city's door on a real TLS connection.
type town struct {
	*httptest.Server
	root *x509.Certificate
	key  *ecdsa.PrivateKey

	mu       sync.Mutex // guards all below
	revoked  map[string]bool
	reported []audit.Entry
	let      Caller
}

// Admits is the town's roll.
func (w *town) Admits(c *x509.Certificate) error { return w.admits(c.URIs[0].String()) }

func (w *town) AdmitsIdentity(i certs.Identity) error { return w.admits(i.String()) }

func (w *town) admits(who string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.revoked[who] {
		return &exchange.Problem{Code: "YM-ROL-0000", Kind: exchange.Unauthorised, What: text("已吊销", "revoked")}
	}
	return nil
}

func build(t *testing.T, proxies ...netip.Prefix) *town {
	t.Helper()
	w := &town{revoked: map[string]bool{}}
	w.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.root = sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "root"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, w.key, w.key)
	path := filepath.Join(t.TempDir(), "callers.yaml")
	content := "- {department: xzsp, clerk: '0017', token_sha256: " + TokenHash("clerk") + "}\n" +
		"- {department: xzsp, clerk: '0001', token_sha256: " + TokenHash("admin") + ", admin: true}\n" +
		"- {department: wjw, clerk: '0009', token_sha256: " + TokenHash("other") + "}\n" +
		"- {department: jcw, clerk: desk, supervisor: true}\n"
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	callers, err := LoadCallers(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	keeper := New(Config{Callers: callers, City: "liling", Roll: w, Proxies: proxies, Report: func(_ context.Context, e audit.Entry) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.reported = append(w.reported, e)
	}})
	fail := func(rw http.ResponseWriter, _ *http.Request, err error) {
		var p *exchange.Problem
		errors.As(err, &p)
		rw.WriteHeader(http.StatusTeapot)
		io.WriteString(rw, p.Code)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(rw http.ResponseWriter, r *http.Request) {
		caller, err := keeper.Caller(r)
		if err != nil {
			fail(rw, r, err)
			return
		}
		w.mu.Lock()
		w.let = caller
		w.mu.Unlock()
	})
	mux.HandleFunc("/supervise", func(rw http.ResponseWriter, r *http.Request) {
		if _, err := keeper.With(Supervisor)(r); err != nil {
			fail(rw, r, err)
		}
	})
	w.Server = httptest.NewUnstartedServer(keeper.Guard(mux, fail))
	pool := x509.NewCertPool()
	pool.AddCert(w.root)
	w.TLS = &tls.Config{ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool}
	w.StartTLS()
	t.Cleanup(w.Close)
	return w
}

func sign(t *testing.T, c, parent *x509.Certificate, key, by *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	if parent == nil {
		parent = c
	}
	c.SerialNumber, _ = rand.Int(rand.Reader, big.NewInt(1<<62))
	if c.NotAfter.IsZero() {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	made, _ := x509.ParseCertificate(der)
	return made
}

// client has a certificate with the URIs, by the town's root or by a stranger's.
func (w *town) client(t *testing.T, genuine bool, change func(*x509.Certificate), uris ...string) *http.Client {
	t.Helper()
	transport := w.Client().Transport.(*http.Transport).Clone()
	if uris != nil {
		key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		c := &x509.Certificate{Subject: pkix.Name{CommonName: "xzsp/clerk/0001"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
		for _, uri := range uris {
			parsed, err := url.Parse(uri)
			if err != nil {
				t.Fatal(err)
			}
			c.URIs = append(c.URIs, parsed)
		}
		if change != nil {
			change(c)
		}
		root, by := w.root, w.key
		if !genuine { // of the same name
			by, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			root = sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "root"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, by, by)
		}
		made := sign(t, c, root, key, by)
		transport.TLSClientConfig.Certificates = []tls.Certificate{{Certificate: [][]byte{made.Raw}, PrivateKey: key}}
	}
	return &http.Client{Transport: transport}
}

func (w *town) ask(t *testing.T, client *http.Client, path string, headers ...[2]string) (code string, err error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		r.Header[h[0]] = append(r.Header[h[0]], h[1])
	}
	response, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

const (
	desk    = "spiffe://liling/dept/xzsp/service/window"
	licence = "spiffe://liling/dept/scjg/adapter/licences"
)

func auth(token string) [2]string { return [2]string{"Authorization", "Bearer " + token} }

// TestWhoComesIn: everybody is who a certificate, a token or both say, and nobody else.
func TestWhoComesIn(t *testing.T) {
	w := build(t)
	tests := []struct {
		name    string
		uris    []string
		headers [][2]string
		want    string // the caller
	}{
		{"token", nil, [][2]string{auth("clerk")}, "xzsp/0017"},
		{"certificate of a service", []string{desk}, nil, "xzsp/window"},
		{"certificate of a clerk", []string{"spiffe://liling/dept/xzsp/clerk/0017"}, nil, "xzsp/0017"},
		{"a service carries its clerk", []string{desk}, [][2]string{auth("clerk")}, "xzsp/0017"},
		{"an adapter's connection carries its department's clerk's token not at all", []string{licence}, [][2]string{auth("clerk")}, ""},
	}
	for _, test := range tests {
		code, err := w.ask(t, w.client(t, true, nil, test.uris...), "/", test.headers...)
		if test.want == "" {
			if code == "" {
				t.Errorf("%s: let in", test.name)
			}
			continue
		}
		if err != nil || code != "" || w.let.Name() != test.want || w.let.Certified != (test.uris != nil) {
			t.Errorf("%s: %q %v, %+v", test.name, code, err, w.let)
		}
	}
	if code, _ := w.ask(t, w.client(t, true, nil, "spiffe://liling/dept/jcw/service/desk"), "/supervise"); code != "" {
		t.Errorf("a role for a certificate's holder: %s", code)
	}
	if code, _ := w.ask(t, w.client(t, true, nil), "/supervise", auth("clerk")); code != "YM-API-0403" {
		t.Errorf("without the role: %s", code)
	}
}

// TestForgedRequests: 50 ways to be taken for somebody else; each is refused, and stands in the log.
func TestForgedRequests(t *testing.T) {
	w := build(t)
	type forgery struct {
		name    string
		uris    []string
		stolen  bool // signed by somebody else than the city
		change  func(*x509.Certificate)
		headers [][2]string
		want    string // the problem's code; empty: the connection already is refused
	}
	with := func(name, value string) [][2]string { return [][2]string{auth("clerk"), {name, value}} }
	none := func(payload string) string { return "eyJhbGciOiJub25lIn0." + payload + "." }
	tests := []forgery{
		{name: "nobody", want: "YM-API-0401"},
		{name: "unknown token", headers: [][2]string{auth("clerc")}, want: "YM-API-0401"},
		{name: "token's hash", headers: [][2]string{auth(TokenHash("clerk"))}, want: "YM-API-0401"},
		{name: "empty token", headers: [][2]string{auth("")}, want: "YM-API-0401"},
		{name: "two tokens", headers: [][2]string{auth("clerk"), auth("admin")}, want: "YM-API-0401"},
		{name: "alg none", headers: [][2]string{auth(none("eyJkZXBhcnRtZW50IjoieHpzcCJ9"))}, want: "YM-API-0401"},
		{name: "alg none, with a signature", headers: [][2]string{auth(none("e30") + "c2ln")}, want: "YM-API-0401"},
		{name: "digest", headers: [][2]string{{"Authorization", "Digest username=clerk"}}, want: "YM-API-0401"},
		{name: "user for password", headers: [][2]string{{"Authorization", "Basic Y2xlcms6"}}, want: "YM-API-0401"},
		{name: "token with NUL", headers: [][2]string{auth("clerk\u00a0")}, want: "YM-API-0401"},
		{name: "another department's token over our certificate", uris: []string{desk}, headers: [][2]string{auth("other")}, want: "YM-API-0406"},
		{name: "unknown token over a certificate", uris: []string{desk}, headers: [][2]string{auth("x")}, want: "YM-API-0401"},
		{name: "another city", uris: []string{"spiffe://zhuzhou/dept/xzsp/service/window"}, want: "YM-API-0404"},
		{name: "two identities", uris: []string{desk, "spiffe://liling/dept/wjw/service/window"}, want: "YM-API-0404"},
		{name: "web address", uris: []string{"https://liling/dept/xzsp/service/window"}, want: "YM-API-0404"},
		{name: "other role", uris: []string{"spiffe://liling/dept/xzsp/root/window"}, want: "YM-API-0404"},
		{name: "department with dots", uris: []string{"spiffe://liling/dept/../xzsp/service/window"}, want: "YM-API-0404"},
		{name: "query in the identity", uris: []string{desk + "?x=1"}, want: "YM-API-0404"},
		{name: "escapes", uris: []string{"spiffe://liling/dept/x%7Asp/service/window"}, want: "YM-API-0404"},
		{name: "user in the identity", uris: []string{"spiffe://a@liling/dept/xzsp/service/window"}, want: "YM-API-0404"},
		{name: "port in the city", uris: []string{"spiffe://liling:1/dept/xzsp/service/window"}, want: "YM-API-0404"},
		{name: "capitals", uris: []string{"spiffe://LILING/dept/xzsp/service/window"}, want: "YM-API-0404"},
		{name: "name in the common name only", uris: []string{}, want: "YM-API-0404"},
		{name: "an adapter asks", uris: []string{licence}, want: "YM-API-0405"},
		{name: "a node asks", uris: []string{"spiffe://liling/node/first"}, want: "YM-API-0405"},
		{name: "a department's node", uris: []string{"spiffe://liling/dept/xzsp/node/first"}, want: "YM-API-0404"},
		{name: "signed by a stranger", uris: []string{desk}, stolen: true},
		{name: "expired", uris: []string{desk}, change: func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(-time.Minute)
		}},
		{name: "not yet", uris: []string{desk}, change: func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
		}},
		{name: "a server's certificate", uris: []string{desk}, change: func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }},
	}
	for _, name := range append(append([]string{}, vouching...), "X-Ssl-Client-Cert", "Ssl-Client-S-Dn", "X-Yimen-Caller", "X-Tls-Client-Dn", "x_client_cert", "X_SSL_CLIENT_VERIFY", "x-CLIENT-cert") {
		tests = append(tests, forgery{name: "header " + name, headers: with(name, "spiffe://liling/dept/xzsp/clerk/0001"), want: "YM-API-0407"})
	}
	for _, name := range forwarding {
		tests = append(tests, forgery{name: "header " + name, headers: with(name, "127.0.0.1"), want: "YM-API-0407"})
	}
	if len(tests) < 50 {
		t.Errorf("only %d forgeries", len(tests))
	}
	for _, f := range tests {
		w.mu.Lock()
		w.reported = nil
		w.mu.Unlock()
		code, err := w.ask(t, w.client(t, !f.stolen, f.change, f.uris...), "/", f.headers...)
		w.mu.Lock()
		reported := w.reported
		w.mu.Unlock()
		switch {
		case f.want == "" && err == nil:
			t.Errorf("%s: the connection was taken", f.name)
		case f.want != "" && (err != nil || code != f.want):
			t.Errorf("%s: %q, %v", f.name, code, err)
		case f.want != "" && (len(reported) != 1 || reported[0].Refusal != f.want || reported[0].Kind != audit.Rejection):
			t.Errorf("%s: reported %+v", f.name, reported)
		}
	}
}

// TestRevocationActsOnOpenConnections: the next request on a connection that was let in before is refused.
func TestRevocationActsOnOpenConnections(t *testing.T) {
	w := build(t)
	client := w.client(t, true, nil, desk)
	if code, err := w.ask(t, client, "/"); code != "" || err != nil {
		t.Fatal(code, err)
	}
	w.mu.Lock()
	w.revoked[desk] = true
	w.revoked["spiffe://liling/dept/xzsp/clerk/0017"] = true
	w.mu.Unlock()
	if code, _ := w.ask(t, client, "/"); code != "YM-ROL-0000" {
		t.Errorf("certificate: %q", code)
	}
	if code, _ := w.ask(t, w.client(t, true, nil), "/", auth("clerk")); code != "YM-ROL-0000" {
		t.Errorf("token of a revoked clerk: %q", code)
	}
}

// Who is remembered is refused once they are revoked, whatever became of the token that they showed, and nobody is reported for it.
func TestRemember(t *testing.T) {
	const clerk = "spiffe://liling/dept/xzsp/clerk/0017"
	named, err := url.Parse(desk)
	if err != nil {
		t.Fatal(err)
	}
	connection := &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{{URIs: []*url.URL{named}}}}}
	for name, test := range map[string]struct {
		tls   *tls.ConnectionState
		token string
		by    string
		want  bool // whether they are still let in, once that is revoked
	}{
		"a token":                                    {nil, "clerk", clerk, false},
		"a certificate":                              {connection, "", desk, false},
		"a token over a certificate":                 {connection, "clerk", desk, false},
		"the same, the clerk revoked":                {connection, "clerk", clerk, false},
		"a certificate, a clerk of the name revoked": {connection, "", clerk, true},
	} {
		w := &town{revoked: map[string]bool{}}
		keeper := New(Config{City: "liling", Roll: w, Report: func(context.Context, audit.Entry) { t.Errorf("%s: reported", name) }})
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		if r.TLS = test.tls; test.token != "" {
			r.Header.Set("Authorization", "Bearer "+test.token)
		}
		still := keeper.Remember(r, Caller{Caller: broker.Caller{Department: "xzsp", Clerk: "0017"}})
		r.Header.Set("Authorization", "Bearer of somebody else")
		if err := still(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		w.revoked[test.by] = true
		if err := still(); (err == nil) != test.want {
			t.Errorf("%s: revoked: %v", name, err)
		}
	}
}

// TestOwnProxies: what the city's own proxy says of where a request came from is dropped; who is calling it cannot say either.
func TestOwnProxies(t *testing.T) {
	w := build(t, netip.MustParsePrefix("127.0.0.0/8"))
	client := w.client(t, true, nil)
	if code, err := w.ask(t, client, "/", auth("clerk"), [2]string{"X-Forwarded-For", "10.0.0.1"}); code != "" || err != nil {
		t.Errorf("%q %v", code, err)
	}
	if code, _ := w.ask(t, client, "/", auth("clerk"), [2]string{"X-Client-Cert", "x"}); code != "YM-API-0407" {
		t.Errorf("%q", code)
	}
}
