package certs_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

var _ envelope.Signer = (*certs.Credential)(nil)

var licences = adapterOf("scjg", "licences")

// holder is an adapter with a credential of its own.
type holder struct {
	t    *testing.T
	city *city
	cfg  certs.CredentialConfig
}

func newHolder(t *testing.T) *holder {
	return &holder{t, newCity(t), certs.CredentialConfig{Dir: filepath.Join(t.TempDir(), "certs"), Name: "licences"}}
}

// order draws a key and has a certificate issued for it.
func (h *holder) order(change ...func(*certs.Order)) (crypto.Signer, certs.Papers) {
	h.t.Helper()
	key, request, err := certs.NewRequest(envelope.Standard, rand.Reader, "")
	if err != nil {
		h.t.Fatal(err)
	}
	o := certs.Order{Request: request, Identity: licences}
	for _, c := range change {
		c(&o)
	}
	return key, h.city.papers(o)
}

func (h *holder) saved(change ...func(*certs.Order)) *certs.Credential {
	h.t.Helper()
	key, papers := h.order(change...)
	c, err := certs.SaveCredential(h.cfg, key, papers)
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// renew has the authority answer a request as the exchange would.
func (h *holder) renew(_ context.Context, request []byte) (certs.Papers, error) {
	return h.city.papers(certs.Order{Request: request, Identity: licences}), nil
}

// renewNow lets the credential renew itself once.
func (h *holder) renewNow(c *certs.Credential) {
	h.t.Helper()
	before := h.signs(c)
	if err := certs.RenewOnce(h.t.Context(), c, h.renew); err != nil || h.signs(c) == before {
		h.t.Fatal("not renewed:", err)
	}
}

// signs checks that a credential signs for the certificate on the disk.
func (h *holder) signs(c *certs.Credential) envelope.SignerID {
	h.t.Helper()
	signature, by, err := c.Sign([]byte("root of a batch"))
	if err != nil {
		h.t.Fatal(err)
	}
	shown, err := c.Certificate()
	if err != nil {
		h.t.Fatal(err)
	}
	if by != envelope.SignerID(certs.FingerprintOf(shown.Certificate[0])) || !ed25519.Verify(shown.Leaf.PublicKey.(ed25519.PublicKey), []byte("root of a batch"), signature) {
		h.t.Error("the signature is not of the certificate it names")
	}
	return by
}

func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	var p *exchange.Problem
	if !errors.As(err, &p) || p.Code != code || p.What.ZH == "" || p.What.EN == "" || p.Mend.ZH == "" || p.Mend.EN == "" {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

func TestCredentialIsKept(t *testing.T) {
	h := newHolder(t)
	by := h.signs(h.saved())
	again, err := certs.OpenCredential(h.cfg)
	if err != nil {
		t.Fatal(err)
	}
	if again.Identity() != licences || h.signs(again) != by {
		t.Errorf("opened again it is %v", again.Identity())
	}
	for _, name := range []string{"licences.key", "licences.crt", "roots.crt"} {
		info, err := os.Stat(filepath.Join(h.cfg.Dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	public, err := os.ReadFile(filepath.Join(h.cfg.Dir, "licences.crt"))
	if err != nil || bytes.Contains(public, []byte("PRIVATE")) || !bytes.HasPrefix(public, []byte("-----BEGIN CERTIFICATE")) {
		t.Errorf("licences.crt: %v", err)
	}
}

func TestUnusableCredentials(t *testing.T) {
	later := func() time.Time { return time.Now().Add(80 * time.Hour) }
	earlier := func() time.Time { return time.Now().Add(-80 * time.Hour) }
	file := func(name string, do func(path string) error) func(*testing.T, *holder) {
		return func(t *testing.T, h *holder) {
			if err := do(filepath.Join(h.cfg.Dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	open := func(path string) error { return os.Chmod(path, 0o644) }
	tests := []struct {
		name, code string
		spoil      func(*testing.T, *holder)
	}{
		{"key that others read", "YM-KEY-0101", file("licences.key", open)},
		{"roots that others read", "YM-KEY-0101", file("roots.crt", open)},
		{"no key", "YM-KEY-0204", file("licences.key", os.Remove)},
		{"half a key", "YM-KEY-0205", file("licences.key", func(p string) error { return os.Truncate(p, 70) })},
		{"no certificate", "YM-KEY-0205", file("licences.key", func(p string) error { return os.Truncate(p, 150) })},
		{"empty roots", "YM-KEY-0205", file("roots.crt", func(p string) error { return os.Truncate(p, 0) })},
		{"out of date", "YM-KEY-0202", func(_ *testing.T, h *holder) { h.cfg.Clock = later }},
		{"not valid yet", "YM-KEY-0203", func(_ *testing.T, h *holder) { h.cfg.Clock = earlier }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHolder(t)
			h.saved()
			test.spoil(t, h)
			_, err := certs.OpenCredential(h.cfg)
			wantCode(t, "open", err, test.code)
		})
	}
}

func TestPapersThatAreNotTheirs(t *testing.T) {
	h := newHolder(t)
	before := h.signs(h.saved())
	otherKey, _ := h.order()
	key, papers := h.order()
	stranger := newCity(t)
	tests := map[string]struct {
		key    crypto.Signer
		papers certs.Papers
	}{
		"for another key":       {otherKey, papers},
		"of another authority":  {key, certs.Papers{Chain: papers.Chain, Roots: [][]byte{stranger.Roots()[0].Raw}}},
		"without a certificate": {key, certs.Papers{Roots: papers.Roots}},
		"without roots":         {key, certs.Papers{Chain: papers.Chain}},
		"rubbish":               {key, certs.Papers{Chain: [][]byte{[]byte("x")}, Roots: papers.Roots}},
	}
	for name, test := range tests {
		_, err := certs.SaveCredential(h.cfg, test.key, test.papers)
		wantCode(t, name, err, "YM-KEY-0206")
	}
	kept, err := certs.OpenCredential(h.cfg)
	if err != nil || h.signs(kept) != before {
		t.Errorf("what was there is gone: %v", err)
	}
}

// However far a save comes, what lies on the disk is a pair: the old one or the new one.
func TestCrashWhileSaving(t *testing.T) {
	for steps := 0; ; steps++ {
		h := newHolder(t)
		old := h.signs(h.saved())
		key, papers := h.order()
		all, err := certs.SaveSome(h.cfg, key, papers, steps)
		if err != nil {
			t.Fatal(err)
		}
		if steps > all {
			break
		}
		if err := os.WriteFile(filepath.Join(h.cfg.Dir, ".new-1.key"), []byte("half a file"), 0o600); err != nil { // of the step in which it died
			t.Fatal(err)
		}
		c, err := certs.OpenCredential(h.cfg)
		if err != nil {
			t.Fatalf("after %d of %d steps: %v", steps, all, err)
		}
		id, fresh := h.signs(c), envelope.SignerID(certs.FingerprintOf(papers.Chain[0]))
		if id != old && id != fresh || steps == all && id != fresh || steps == 0 && id != old {
			t.Errorf("after %d of %d steps it is neither pair", steps, all)
		}
	}
}

func TestExpiredCredentialSignsNothing(t *testing.T) {
	h := newHolder(t)
	now := time.Now()
	h.cfg.Clock = func() time.Time { return now }
	c := h.saved()
	now = c.Until()
	_, _, err := c.Sign([]byte("x"))
	wantCode(t, "sign", err, "YM-KEY-0202")
	_, err = c.Certificate()
	wantCode(t, "show the certificate", err, "YM-KEY-0202")
}

func TestServerKeySignsNothing(t *testing.T) {
	h := newHolder(t)
	key, request, err := certs.NewServerRequest(rand.Reader, "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := certs.SaveCredential(h.cfg, key, h.city.papers(certs.Order{Request: request, Identity: nodeOf("n1"), Hosts: []string{"localhost"}}))
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = c.Sign([]byte("x"))
	wantCode(t, "sign", err, "YM-KEY-0208")
}

// A renewal comes at two thirds of the life, a little earlier by chance, with a new key; failures change nothing.
func TestKeepRenews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHolder(t)
		c := h.saved()
		first, begun := h.signs(c), time.Now()
		type attempt struct {
			after   time.Duration
			request []byte
		}
		var attempts []attempt
		failures := 3
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- c.Keep(ctx, func(ctx context.Context, request []byte) (certs.Papers, error) {
				attempts = append(attempts, attempt{time.Since(begun), request})
				if h.signs(c) != first && len(attempts) <= failures+1 {
					t.Error("the pair changed before the new one came")
				}
				if len(attempts) <= failures {
					return certs.Papers{}, errors.New("the exchange is away")
				}
				return h.renew(ctx, request)
			})
		}()
		time.Sleep(49 * time.Hour)
		synctest.Wait()
		if len(attempts) != failures+1 || h.signs(c) == first {
			t.Fatalf("%d attempts", len(attempts))
		}
		if at := attempts[0].after; at < 44*time.Hour || at > 48*time.Hour {
			t.Errorf("the first attempt came after %v of 72 h", at)
		}
		seen := map[string]bool{}
		for i, a := range attempts {
			key := string(publicKey(t, a.request))
			if seen[key] {
				t.Error("a key came twice")
			}
			seen[key] = true
			if i > 0 && a.after-attempts[i-1].after < time.Second {
				t.Error("no pause between attempts")
			}
		}
		kept, err := certs.OpenCredential(h.cfg)
		if err != nil || h.signs(kept) != h.signs(c) {
			t.Errorf("on the disk: %v", err)
		}
		time.Sleep(49 * time.Hour)
		synctest.Wait()
		if len(attempts) != failures+2 {
			t.Errorf("%d attempts after the second renewal", len(attempts))
		}
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func publicKey(t *testing.T, request []byte) []byte {
	t.Helper()
	r, err := x509.ParseCertificateRequest(request)
	if err != nil || r.CheckSignature() != nil || r.Subject.CommonName != licences.Principal() {
		t.Fatalf("request: %v", err)
	}
	return r.RawSubjectPublicKeyInfo
}

// By a clock that is days ahead every certificate is due at once; the exchange is not flooded for that.
func TestKeepWithAClockAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHolder(t)
		h.cfg.Clock = func() time.Time { return time.Now().Add(60 * time.Hour) }
		c := h.saved()
		ctx, stop := context.WithCancel(t.Context())
		asked := 0
		ended := make(chan error, 1)
		go func() {
			ended <- c.Keep(ctx, func(ctx context.Context, request []byte) (certs.Papers, error) {
				asked++
				return h.renew(ctx, request)
			})
		}()
		time.Sleep(10*time.Minute + time.Second)
		synctest.Wait()
		stop()
		<-ended
		if asked < 1 || asked > 11 {
			t.Errorf("asked %d times in 10 minutes", asked)
		}
	})
}

// What the exchange gives is looked at before the old pair is given up.
func TestKeepRefusesForeignPapers(t *testing.T) {
	answers := map[string]func(h *holder, request []byte) (certs.Papers, error){
		"somebody else's name": func(h *holder, request []byte) (certs.Papers, error) {
			return h.city.papers(certs.Order{Request: request, Identity: adapterOf("gaj", "licences")}), nil
		},
		"another key": func(h *holder, _ []byte) (certs.Papers, error) {
			_, papers := h.order()
			return papers, nil
		},
		"a chain that ends nowhere": func(h *holder, request []byte) (certs.Papers, error) {
			papers := h.city.papers(certs.Order{Request: request, Identity: licences})
			papers.Roots = [][]byte{newCity(h.t).Roots()[0].Raw}
			return papers, nil
		},
		"a disk that takes nothing": func(h *holder, request []byte) (certs.Papers, error) {
			papers := h.city.papers(certs.Order{Request: request, Identity: licences})
			return papers, errors.Join(os.RemoveAll(h.cfg.Dir), os.WriteFile(h.cfg.Dir, nil, 0o600)) // a file stands in the directory's place
		},
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			var said strings.Builder
			synctest.Test(t, func(t *testing.T) {
				h := newHolder(t)
				h.cfg.Log = logTo(&said)
				c := h.saved()
				before := h.signs(c)
				ctx, stop := context.WithCancel(t.Context())
				asked := 0
				ended := make(chan error, 1)
				go func() {
					ended <- c.Keep(ctx, func(_ context.Context, request []byte) (certs.Papers, error) {
						asked++
						return answer(h, request)
					})
				}()
				time.Sleep(50 * time.Hour)
				synctest.Wait()
				stop()
				<-ended
				if asked == 0 || h.signs(c) != before {
					t.Errorf("asked %d times; it took them", asked)
				}
			})
			if !strings.Contains(said.String(), "not renewed") {
				t.Errorf("the log says %q", said.String())
			}
		})
	}
}

// A person who enrols anew while an adapter runs need not restart it.
func TestKeepTakesOverWhatWasEnrolledAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHolder(t)
		c := h.saved()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- c.Keep(ctx, func(context.Context, []byte) (certs.Papers, error) {
				return certs.Papers{}, errors.New("it was revoked")
			})
		}()
		time.Sleep(50 * time.Hour)
		anew := h.signs(h.saved())
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if h.signs(c) != anew {
			t.Error("it was not taken over")
		}
		stop()
		<-ended
	})
}

// The pair that is current at the handshake is shown, and no server is trusted but under the pinned roots.
func TestCredentialOverTLS(t *testing.T) {
	h := newHolder(t)
	c := h.saved()
	client := c.TLS()
	for _, renewed := range []bool{false, true} {
		if renewed {
			h.renewNow(c)
		}
		seen, err := handshake(t, h.city.server("localhost"), client)
		if err != nil {
			t.Fatal(err)
		}
		shown, err := c.Certificate()
		if err != nil || len(seen) == 0 || !seen[0].Equal(shown.Leaf) {
			t.Errorf("another certificate was shown: %v", err)
		}
	}
	if _, err := handshake(t, newCity(t).server("localhost"), client); err == nil {
		t.Error("a server of another authority was trusted")
	}
	if _, err := handshake(t, h.city.server("elsewhere"), client); err == nil {
		t.Error("a server of another name was trusted")
	}
}

// handshake gives what the server saw.
func handshake(t *testing.T, server, client *tls.Config) ([]*x509.Certificate, error) {
	t.Helper()
	near, far := net.Pipe()
	defer near.Close()
	client = client.Clone()
	client.ServerName = "localhost"
	seen := make(chan []*x509.Certificate, 1)
	go func() {
		defer far.Close()
		conn := tls.Server(far, server)
		if err := conn.HandshakeContext(t.Context()); err != nil {
			seen <- nil
			return
		}
		seen <- conn.ConnectionState().PeerCertificates
		io.WriteString(conn, "!") // the client's certificate was taken
	}()
	conn := tls.Client(near, client)
	_, err := conn.Read(make([]byte, 1))
	near.Close()
	return <-seen, err
}

func logTo(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

func TestFingerprints(t *testing.T) {
	f := certs.FingerprintOf([]byte("certificate"))
	written := f.String()
	if !strings.HasPrefix(written, "SHA256:") || len(written) != len("SHA256:")+32*3-1 {
		t.Errorf("written %s", written)
	}
	for _, good := range []string{written, strings.ToUpper(written), " " + written + "\n", "SHA256:" + strings.ReplaceAll(written[7:], ":", "")} {
		if got, err := certs.ParseFingerprint(good); err != nil || got != f {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "SHA256:", written[7:], written[:len(written)-3], written + ":00", "SHA1:" + written[7:], "SHA256:zz" + written[9:], strings.ReplaceAll(written, ":", "-")} {
		_, err := certs.ParseFingerprint(bad)
		wantCode(t, bad, err, "YM-KEY-0201")
	}
}

func TestPrincipals(t *testing.T) {
	tests := map[string]string{
		"scjg/licences":                        "spiffe://liling/dept/scjg/adapter/licences",
		"scjg/adapter/licences":                "spiffe://liling/dept/scjg/adapter/licences",
		"xzsp/clerk/0017":                      "spiffe://liling/dept/xzsp/clerk/0017",
		"xzsp/service/window":                  "spiffe://liling/dept/xzsp/service/window",
		"node/a1":                              "spiffe://liling/node/a1",
		"spiffe://liling/dept/scjg/adapter/a":  "spiffe://liling/dept/scjg/adapter/a",
		"spiffe://zhuzhou/dept/scjg/adapter/a": "",
		"":                                     "",
		"scjg":                                 "",
		"scjg/":                                "",
		"scjg/king/a":                          "",
		"scjg/node/a":                          "",
		"scjg/broker/a":                        "",
		"broker/kafka1":                        "spiffe://liling/broker/kafka1",
		"scjg/adapter/A":                       "",
		"scjg/adapter/a/b":                     "",
		"spiffe:scjg/a":                        "",
		"spiffe://liling/dept/scjg/adapter/a?x=y":   "",
		"spiffe://liling/dept/../dept/scjg/clerk/a": "",
	}
	for name, want := range tests {
		i, err := certs.ParsePrincipal("liling", name)
		if (err == nil) != (want != "") || err == nil && i.String() != want {
			t.Errorf("%q: %v %v", name, i, err)
		}
		if err != nil {
			continue
		}
		if again, err := certs.ParsePrincipal("liling", i.Principal()); err != nil || again != i {
			t.Errorf("%s read again is %v, %v", i.Principal(), again, err)
		}
	}
}

func FuzzFingerprint(f *testing.F) {
	f.Add(certs.FingerprintOf(nil).String())
	f.Add("SHA256:3b:9e")
	f.Add("sha256:" + strings.Repeat("0", 64))
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := certs.ParseFingerprint(text)
		if err != nil {
			return
		}
		if again, err := certs.ParseFingerprint(parsed.String()); err != nil || again != parsed {
			t.Errorf("%q is written %s", text, parsed)
		}
	})
}

func FuzzPrincipal(f *testing.F) {
	f.Add("scjg/licences")
	f.Add("node/1")
	f.Add("spiffe://liling/dept/scjg/adapter/a")
	f.Fuzz(func(t *testing.T, text string) {
		i, err := certs.ParsePrincipal("liling", text)
		if err != nil {
			return
		}
		if again, err := certs.ParsePrincipal("liling", i.Principal()); err != nil || again != i || i.Check() != nil {
			t.Errorf("%q is %v, read again %v, %v", text, i, again, err)
		}
	})
}

func FuzzKeyFile(f *testing.F) {
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n"))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, content []byte) {
		key, _, err := certs.ParseKeyFile(content)
		if (key == nil) != (err != nil) {
			t.Errorf("%v, %v", key, err)
		}
	})
}
