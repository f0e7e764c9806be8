package vault_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/certstest"
	"github.com/onedoor/yimen/certs/vault"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/test/logs"
)

func TestContract(t *testing.T) {
	certstest.Test(t, func(t *testing.T) certstest.Place {
		f := newFake(t)
		return certstest.Place{Learns: 5 * time.Second, Open: func(t *testing.T) certs.Authority { return f.open(t, f.config(t)) }}
	})
}

func order(t *testing.T, identity certs.Identity) certs.Order {
	t.Helper()
	_, key, _ := ed25519.GenerateKey(rand.Reader)
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return certs.Order{Request: request, Identity: identity, Life: time.Hour}
}

var adapter = certs.Identity{City: certstest.City, Department: "scjg", Role: certs.Adapter, Name: "licences"}

// What Vault signs must be what was ordered: a Vault whose role was changed by somebody is not believed.
func TestAnotherCertificateIsNotTaken(t *testing.T) {
	node := certs.Identity{City: certstest.City, Role: certs.Node, Name: "one"}
	other, err := certs.NewLocal(certs.LocalConfig{Dir: filepath.Join(t.TempDir(), "keys"), City: certstest.City})
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]func(f *fake, ordered *certs.Order) certs.Order{
		"another identity": func(_ *fake, o *certs.Order) certs.Order {
			o.Identity.Name = "permits"
			return *o
		},
		"another role":  func(_ *fake, o *certs.Order) certs.Order { o.Identity = node; return *o },
		"another key":   func(_ *fake, o *certs.Order) certs.Order { return order(t, o.Identity) },
		"a longer life": func(_ *fake, o *certs.Order) certs.Order { o.Life = 9 * time.Hour; return *o },
		"a host besides": func(_ *fake, o *certs.Order) certs.Order {
			o.Identity, o.Hosts = node, []string{"a.example"}
			return *o
		},
		"of another root": func(f *fake, o *certs.Order) certs.Order {
			f.signer = other
			return *o
		},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			a := f.open(t, f.config(t))
			ordered := order(t, adapter)
			changed := ordered
			changed = change(f, &changed)
			wrong, err := f.signer.Issue(t.Context(), changed)
			if err != nil {
				t.Fatal(err)
			}
			f.set(func() {
				f.spoil = func(path string, answer map[string]any) map[string]any {
					if strings.Contains(path, "/sign/") {
						return replaced(answer, wrong.Certificate)
					}
					return answer
				}
			})
			if issued, err := a.Issue(t.Context(), ordered); err == nil || issued.Certificate != nil || !strings.Contains(err.Error(), "YM-VLT-0105") {
				t.Errorf("taken: %v, %v", issued.Certificate, err)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func became(t *testing.T, a certs.Authority, want certs.State) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); a.State() != want; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("state %s, want %s", a.State(), want)
		}
	}
}

// The environment of the process has no say: its token, its address and its leave to trust anybody are not used.
func TestEnvironmentHasNoSay(t *testing.T) {
	f := newFake(t)
	config := f.config(t)
	for name, value := range map[string]string{
		"VAULT_TOKEN": "hvs.environment", "VAULT_SKIP_VERIFY": "true", "VAULT_ADDR": "https://elsewhere.invalid", "VAULT_AGENT_ADDR": "https://elsewhere.invalid",
		"VAULT_NAMESPACE": "other", "VAULT_HEADERS": `{"X-Other": "1"}`, "VAULT_MAX_RETRIES": "9", "HTTPS_PROXY": "http://elsewhere.invalid",
	} {
		t.Setenv(name, value)
	}
	a := f.open(t, config)
	if _, err := a.Ring(t.Context(), "sealing"); err != nil {
		t.Fatal(err)
	}
	f.set(func() {
		if f.strange["hvs.environment"] {
			t.Error("the token of the environment was shown")
		}
	})
	config = f.config(t)
	config.CA = newFake(t).ca
	if f.server.Certificate().Equal(newFake(t).server.Certificate()) {
		config.CA = f.file(t, "other.pem", toPEM(f.signer.Roots()[0].Raw)) // httptest has one certificate for all
	}
	if a, err := vault.Open(t.Context(), config); err == nil {
		a.Close()
		t.Error("a server of another CA was trusted")
	}
}

// A redirect would take the token elsewhere.
func TestRedirectIsNotFollowed(t *testing.T) {
	f := newFake(t)
	a := f.open(t, f.config(t))
	f.set(func() { f.status = http.StatusTemporaryRedirect })
	_, err := a.Issue(t.Context(), order(t, adapter))
	if exchange.KindOf(err) != exchange.Unavailable || strings.Contains(err.Error(), "elsewhere.invalid") {
		t.Errorf("got %v", err)
	}
}

func TestStatusesAndStates(t *testing.T) {
	for status, want := range map[int]struct {
		state certs.State
		kind  exchange.Kind
		words string
	}{
		429: {certs.Degraded, exchange.Unavailable, "limited"},
		500: {certs.Degraded, exchange.Unavailable, "broken"},
		503: {certs.Degraded, exchange.Unavailable, "sealed"},
		473: {certs.Degraded, exchange.Unavailable, "sealed"},
		400: {certs.OK, exchange.Invalid, "refused"},
		403: {certs.OK, exchange.Denied, "denied"},
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			config := f.config(t)
			config.Refresh = time.Minute // the request alone tells
			a := f.open(t, config)
			f.set(func() { f.status = status })
			_, err := a.Issue(t.Context(), order(t, adapter))
			var p *exchange.Problem
			if !errors.As(err, &p) || p.Kind != want.kind || p.Mend.ZH == "" || !strings.Contains(err.Error(), want.words) {
				t.Errorf("%v", err)
			}
			if strings.ContainsAny(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
			if status < 500 && status != 429 && status != 473 && a.State() != want.state {
				t.Errorf("state %s, want %s", a.State(), want.state)
			}
			if want.state == certs.Degraded {
				became(t, a, certs.Degraded)
				f.set(func() { f.status = 0 })
				became(t, a, certs.OK)
			}
		})
	}
}

// A token that was revoked is replaced when it is refused; a refusal that a new token does not mend stands.
func TestRevokedTokenIsReplaced(t *testing.T) {
	f := newFake(t)
	var clock moved
	config := f.config(t)
	config.Clock, config.Refresh = clock.now, time.Minute
	a := f.open(t, config)
	f.set(func() { clear(f.tokens) })
	clock.forward(time.Minute)
	if _, err := a.Issue(t.Context(), order(t, adapter)); err != nil {
		t.Errorf("with a revoked token: %v", err)
	}
	f.set(func() { clear(f.tokens); f.said = nil })
	if _, err := a.Issue(t.Context(), order(t, adapter)); exchange.KindOf(err) != exchange.Denied {
		t.Errorf("a young token was refused: %v", err)
	}
	f.set(func() {
		if len(f.said) != 1 {
			t.Errorf("a young token that is refused led to %v", f.said)
		}
	})
}

// Whoever does not wait learns nothing of Vault, and says nothing of it.
func TestCallerWhoDoesNotWait(t *testing.T) {
	f := newFake(t)
	a := f.open(t, f.config(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Issue(ctx, order(t, adapter)); exchange.KindOf(err) != exchange.Unavailable || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := a.Ring(ctx, "sealing"); exchange.KindOf(err) != exchange.Unavailable {
		t.Errorf("got %v", err)
	}
	if a.State() != certs.OK {
		t.Errorf("state %s", a.State())
	}
	if _, err := a.Ring(t.Context(), "sealing"); err != nil {
		t.Error(err)
	}
}

// moved is a clock that can be moved.
type moved struct{ by atomic.Int64 }

func (m *moved) now() time.Time           { return time.Now().Add(time.Duration(m.by.Load())) }
func (m *moved) forward(by time.Duration) { m.by.Add(int64(by)) }

// The machine slept, or its clock was set: what is held is refused until Vault has been asked, which is at once.
func TestClockJumps(t *testing.T) {
	f := newFake(t)
	var clock moved
	config := f.config(t)
	config.Clock, config.Refresh = clock.now, 5*time.Minute
	a := f.open(t, config)
	before, err := a.Ring(t.Context(), "sealing")
	if err != nil {
		t.Fatal(err)
	}
	clock.forward(16 * time.Minute)
	if keys, err := a.Ring(t.Context(), "sealing"); exchange.KindOf(err) != exchange.Unavailable {
		t.Errorf("%v, %v", keys, err)
	}
	became(t, a, certs.OK)
	if after, err := a.Ring(t.Context(), "sealing"); err != nil || !bytes.Equal(before[0].Secret, after[0].Secret) {
		t.Errorf("the ring is another, %v", err)
	}
}

// Queries of a closed authority do not make it ask Vault: a thousand of them are a thousand refusals, and no request.
func TestClosedAuthorityIsNoCrowd(t *testing.T) {
	f := newFake(t)
	var clock moved
	config := f.config(t)
	config.Clock, config.Refresh = clock.now, time.Minute
	a := f.open(t, config)
	if _, err := a.Ring(t.Context(), "sealing"); err != nil {
		t.Fatal(err)
	}
	f.set(func() { f.status = http.StatusServiceUnavailable })
	clock.forward(2 * time.Hour)
	if _, err := a.Issue(t.Context(), order(t, adapter)); exchange.KindOf(err) != exchange.Unavailable {
		t.Errorf("got %v", err)
	}
	became(t, a, certs.Closed)
	f.set(func() { f.said = nil })
	began := time.Now()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for time.Since(began) < 300*time.Millisecond {
				if _, err := a.Ring(t.Context(), "sealing"); exchange.KindOf(err) != exchange.Unavailable {
					t.Errorf("got %v", err)
					return
				}
			}
		})
	}
	group.Wait()
	f.set(func() {
		if len(f.said) > 3 {
			t.Errorf("%d requests in 300 ms", len(f.said))
		}
	})
}

func TestClose(t *testing.T) {
	f := newFake(t)
	a := f.open(t, f.config(t))
	if _, err := a.Ring(t.Context(), "sealing"); err != nil {
		t.Fatal(err)
	}
	a.Close()
	f.set(func() {
		if len(f.tokens) != 0 {
			t.Error("the token was not given back")
		}
	})
	_, ring := a.Ring(t.Context(), "sealing")
	_, rotate := a.Rotate(t.Context(), "sealing")
	_, issue := a.Issue(t.Context(), order(t, adapter))
	for _, err := range []error{ring, rotate, issue} {
		if exchange.KindOf(err) != exchange.Unavailable {
			t.Errorf("after closing: %v", err)
		}
	}
	if a.State() != certs.Closed {
		t.Errorf("state %s", a.State())
	}
}

// Nothing that is secret is logged or told, whatever goes wrong.
func TestNothingSecretIsTold(t *testing.T) {
	f := newFake(t)
	var told logs.Buffer
	config := f.config(t)
	config.Log = slog.New(slog.NewTextHandler(&told, &slog.HandlerOptions{Level: slog.LevelDebug}))
	a := f.open(t, config)
	keys, err := a.Ring(t.Context(), "sealing")
	if err != nil {
		t.Fatal(err)
	}
	for _, status := range []int{400, 403, 404, 429, 500, 503} {
		f.set(func() { f.status = status })
		_, issue := a.Issue(t.Context(), order(t, adapter))
		_, rotate := a.Rotate(t.Context(), "sealing")
		told.Write([]byte(errors.Join(issue, rotate).Error()))
	}
	text := told.String()
	for _, secret := range []string{"hvs.", "the secret-id", string(keys[0].Secret)} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is told in %s", secret, text)
		}
	}
	if _, err := os.Stat(config.Login.SecretID); err == nil {
		t.Error("the file with the used token is still there")
	}
}
