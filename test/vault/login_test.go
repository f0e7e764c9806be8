package vault_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/certs"
	authority "github.com/onedoor/yimen/certs/vault"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/test/logs"
	"github.com/onedoor/yimen/test/vault"
)

// A token is renewed while that is of use, and replaced when its longest life is over; nobody notices.
func TestTokensAreRenewedAndReplaced(t *testing.T) {
	s := vault.Start(t)
	proxy := s.Proxy()
	s.Write("auth/approle/role/yimen-node", map[string]any{"token_ttl": "2s", "token_max_ttl": "4s"})
	var log logs.Buffer
	config := byAppRole(t, s)
	config.Address, config.Refresh = proxy.URL, 500*time.Millisecond
	config.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	a := open(t, config)
	if _, err := a.Ring(t.Context(), "sealing"); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < 9*time.Second; time.Sleep(50 * time.Millisecond) {
		if state := a.State(); state != certs.OK {
			t.Fatalf("after %v: state %s\n%s", time.Since(began), state, log.String())
		}
		if _, err := a.Issue(t.Context(), order(t)); err != nil {
			t.Fatalf("after %v: %v\n%s", time.Since(began), err, log.String())
		}
	}
	logins, renewals := proxy.Requests(time.Time{}, "/login"), proxy.Requests(time.Time{}, "/renew-self")
	t.Logf("%d logins and %d renewals", logins, renewals)
	if logins < 3 || logins > 7 || renewals < 3 {
		t.Errorf("%d logins and %d renewals in 9 s with tokens of 2 s, 4 s at most", logins, renewals)
	}
	if unwraps := proxy.Requests(time.Time{}, "/unwrap"); unwraps != 1 {
		t.Errorf("%d secret-ids were fetched, want one", unwraps)
	}
	tellsNoToken(t, log.String())
}

// tellsNoToken looks for what Vault's tokens begin with.
func tellsNoToken(t *testing.T, text string) {
	t.Helper()
	for _, prefix := range []string{"hvs.", "hvb.", "hvr."} {
		if strings.Contains(text, prefix) {
			t.Errorf("a token is told: %s", text)
		}
	}
}

func TestStolenSecretIDIsAnAlarm(t *testing.T) {
	s := vault.Start(t)
	for name, steal := range map[string]func(t *testing.T, path string){
		"opened by somebody else": func(t *testing.T, path string) {
			token, _ := os.ReadFile(path)
			if _, err := s.Root().Unwrap(strings.TrimSpace(string(token))); err != nil {
				t.Fatal(err)
			}
		},
		"opened and wrapped again": func(t *testing.T, path string) {
			token, _ := os.ReadFile(path)
			opened, err := s.Root().Unwrap(strings.TrimSpace(string(token)))
			if err != nil {
				t.Fatal(err)
			}
			again, err := s.Wrapping("5m").Write("sys/wrapping/wrap", opened.Data)
			if err != nil {
				t.Fatal(err)
			}
			os.WriteFile(path, []byte(again.WrapInfo.Token), 0o600)
		},
		"made up": func(t *testing.T, path string) { os.WriteFile(path, []byte("hvs.CAESIMadeUpByNobody"), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			var log logs.Buffer
			registry := prometheus.NewRegistry()
			config := byAppRole(t, s)
			config.Log, config.Metrics = slog.New(slog.NewTextHandler(&log, nil)), registry
			steal(t, config.Login.SecretID)
			began := time.Now()
			_, err := authority.Open(t.Context(), config)
			var p *exchange.Problem
			if !errors.As(err, &p) || p.Code != "YM-VLT-0106" || p.Kind != exchange.Denied {
				t.Fatalf("got %v", err)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("refusing took %v", took)
			}
			if !strings.Contains(log.String(), "ALARM") || value(t, registry, "yimen_authority_failures_total", "stolen") != 1 {
				t.Errorf("no alarm in log or metrics: %s", log.String())
			}
			tellsNoToken(t, log.String()+err.Error())
		})
	}
}

func TestSecretIDIsUsedOnce(t *testing.T) {
	s := vault.Start(t)
	config := byAppRole(t, s)
	path := config.Login.SecretID
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	refuses := func(code string) {
		t.Helper()
		_, err := authority.Open(t.Context(), config)
		var p *exchange.Problem
		if !errors.As(err, &p) || p.Code != code {
			t.Errorf("got %v, want %s", err, code)
		}
	}
	refuses("YM-KEY-0101")
	os.Chmod(path, 0o600)
	open(t, config)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file with the used token is still there: %v", err)
	}
	refuses("YM-VLT-0107")
}

// A secret-id is revoked while the node runs; a new one is brought, and the node takes it without a restart.
func TestNewSecretIDWithoutRestart(t *testing.T) {
	s := vault.Start(t)
	s.Write("auth/approle/role/yimen-node", map[string]any{"token_ttl": "2s", "token_max_ttl": "3s"})
	config := byAppRole(t, s)
	config.Refresh = 500 * time.Millisecond
	a := open(t, config)
	if _, err := a.Ring(t.Context(), "sealing"); err != nil {
		t.Fatal(err)
	}
	accessors, err := s.Root().List("auth/approle/role/yimen-node/secret-id")
	if err != nil {
		t.Fatal(err)
	}
	for _, accessor := range accessors.Data["keys"].([]any) {
		s.Write("auth/approle/role/yimen-node/secret-id-accessor/destroy", map[string]any{"secret_id_accessor": accessor})
	}
	became(t, a, certs.Degraded, 10*time.Second)
	refusedAtOnce(t, a)
	s.Bring(config.Login.SecretID)
	became(t, a, certs.OK, back)
	if _, err := a.Issue(t.Context(), order(t)); err != nil {
		t.Error(err)
	}
}

func TestLoginByCertificate(t *testing.T) {
	s := vault.Start(t)
	by := func(name string) authority.Config {
		certificate, key := s.MachineCertificate(name)
		return authority.Config{Address: s.Address(), CA: s.CA, Login: authority.Login{Kind: "cert", Cert: certificate, Key: key}}
	}
	for range 2 { // nothing needs to be brought for a second start
		a := open(t, by(vault.Machine))
		if _, err := a.Issue(t.Context(), order(t)); err != nil {
			t.Error(err)
		}
	}
	if _, err := authority.Open(t.Context(), by("node2")); exchange.KindOf(err) == exchange.Internal || err == nil {
		t.Errorf("a machine of another name: %v", err)
	}
	other := by(vault.Machine)
	other.CA = other.Login.Cert // no CA of Vault
	if _, err := authority.Open(t.Context(), other); err == nil || !strings.Contains(err.Error(), "untrusted") {
		t.Errorf("a Vault of another CA: %v", err)
	}
}

// Open waits for a Vault that is not there yet, as long as its ctx lets it.
func TestOpenWaits(t *testing.T) {
	s := vault.Start(t)
	config := byAppRole(t, s)
	s.Seal()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	began := time.Now()
	if _, err := authority.Open(ctx, config); exchange.KindOf(err) != exchange.Unavailable || !strings.Contains(err.Error(), "sealed") {
		t.Errorf("opened at a sealed Vault: %v", err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("Open took %v with a ctx of a second", took)
	}
	opened := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		a, err := authority.Open(ctx, config)
		if err == nil {
			err = a.Close()
		}
		opened <- err
	}()
	s.Unseal()
	if err := <-opened; err != nil {
		t.Error(err)
	}
}
