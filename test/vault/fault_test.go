package vault_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/onedoor/yimen/certs"
	authority "github.com/onedoor/yimen/certs/vault"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/test/vault"
)

const (
	prompt = 50 * time.Millisecond // no query may be slower, whatever Vault does
	back   = 5 * time.Second       // how soon after Vault is back all is as before
)

// Vault fails in every way that we know of. Secrets in memory serve on, nothing is issued, and nobody waits; when Vault is
// back, so is the authority.
func TestFaults(t *testing.T) {
	s := vault.Start(t)
	proxy := s.Proxy()
	limits := func(do func(path string)) func() {
		return func() {
			for _, mount := range []string{"yimen-transit", "yimen-kv", "yimen-pki", "auth/approle"} {
				do(mount)
			}
		}
	}
	quota := func(mount string) string { return "sys/quotas/rate-limit/" + strings.ReplaceAll(mount, "/", "-") }
	var restore func()
	faults := []struct {
		name, reason string
		spoil, mend  func()
	}{
		{"sealed", "sealed", s.Seal, s.Unseal},
		{"paused", "slow", s.Pause, s.Resume},
		{"slow", "slow", func() { proxy.Delay(5 * time.Minute) }, func() { proxy.Delay(0) }},
		{"rate-limiting", "limited",
			limits(func(mount string) {
				s.Write(quota(mount), map[string]any{"path": mount, "rate": 0.001, "interval": "1h"})
			}),
			limits(func(mount string) { s.Root().Delete(quota(mount)) })},
		{"gone", "unreachable", s.Kill, s.Restart},
		{"posed as", "untrusted", func() { restore = proxy.Pose() }, func() { restore() }},
	}
	registry := prometheus.NewRegistry()
	config := byAppRole(t, s)
	config.Address, config.Refresh, config.Metrics = proxy.URL, time.Second, registry
	a := open(t, config)
	before, err := a.Ring(t.Context(), "sealing")
	if err != nil {
		t.Fatal(err)
	}
	watch := watchRing(t, a)
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			fault.spoil()
			became(t, a, certs.Degraded, 10*time.Second)
			refusedAtOnce(t, a)
			if got := value(t, registry, "yimen_authority_state", "degraded"); got != 1 {
				t.Errorf("metric of the state degraded is %v", got)
			}
			if value(t, registry, "yimen_authority_failures_total", fault.reason) == 0 {
				t.Errorf("no failure was counted as %s", fault.reason)
			}
			if keys, err := a.Ring(t.Context(), "sealing"); err != nil || len(keys) != 1 || string(keys[0].Secret) != string(before[0].Secret) {
				t.Errorf("degraded, the ring is %v, %v", keys, err)
			}
			fault.mend()
			took := became(t, a, certs.OK, back)
			t.Logf("back after %v", took.Round(10*time.Millisecond))
			if _, err := a.Issue(t.Context(), order(t)); err != nil {
				t.Errorf("back again, but: %v", err)
			}
		})
	}
	watch()
}

// watchRing asks all the time; the function that it gives stops that and tells how long the slowest answer took.
func watchRing(t *testing.T, a certs.Authority) (stop func()) {
	var slowest time.Duration
	done := make(chan struct{})
	var group sync.WaitGroup
	asked := 0
	group.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
			began := time.Now()
			_, err := a.Ring(t.Context(), "sealing")
			a.Roots()
			a.State()
			slowest = max(slowest, time.Since(began))
			asked++
			if err != nil {
				t.Errorf("ring: %v", err)
				return
			}
		}
	})
	return func() {
		close(done)
		group.Wait()
		t.Logf("%d queries, the slowest took %v", asked, slowest)
		if slowest > prompt {
			t.Errorf("a query took %v, the most is %v", slowest, prompt)
		}
	}
}

// refusedAtOnce: what needs Vault errs without asking it.
func refusedAtOnce(t *testing.T, a certs.Authority) {
	t.Helper()
	began := time.Now()
	_, issue := a.Issue(t.Context(), order(t))
	_, rotate := a.Rotate(t.Context(), "sealing")
	_, unknown := a.Ring(t.Context(), "never-asked-for")
	if took := time.Since(began); took > 4*prompt {
		t.Errorf("refusing took %v", took)
	}
	for what, err := range map[string]error{"issue": issue, "rotate": rotate, "ring of a new name": unknown} {
		var p *exchange.Problem
		if !errors.As(err, &p) || p.Kind != exchange.Unavailable || p.Mend.ZH == "" || p.Why.ZH == "" {
			t.Errorf("%s: %v, want a problem of the kind unavailable", what, err)
		}
	}
}

// became waits for the state, and says how long that took.
func became(t *testing.T, a certs.Authority, want certs.State, within time.Duration) time.Duration {
	t.Helper()
	began := time.Now()
	for a.State() != want {
		if time.Since(began) > within {
			t.Fatalf("state %s after %v, want %s", a.State(), within, want)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(began)
}

func order(t *testing.T) certs.Order {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return certs.Order{Request: request, Identity: certs.Identity{City: vault.City, Department: "scjg", Role: certs.Adapter, Name: "licences"}}
}

// value adds up a metric over the series that have the label's value.
func value(t *testing.T, registry *prometheus.Registry, name, label string) (sum float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == name && hasLabel(m, label) {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

func hasLabel(m *dto.Metric, value string) bool {
	for _, pair := range m.GetLabel() {
		if pair.GetValue() == value {
			return true
		}
	}
	return false
}

// moved is a clock that can be moved.
type moved struct{ by atomic.Int64 }

func (m *moved) now() time.Time           { return time.Now().Add(time.Duration(m.by.Load())) }
func (m *moved) forward(by time.Duration) { m.by.Add(int64(by)) }

// The time is over for which secrets may be held: nothing is answered. Vault comes back: the same secrets are.
func TestClosedAndBack(t *testing.T) {
	s := vault.Start(t)
	var clock moved
	registry := prometheus.NewRegistry()
	config := byAppRole(t, s)
	config.Clock, config.Metrics, config.Refresh = clock.now, registry, time.Second
	a := open(t, config)
	before, err := a.Ring(t.Context(), "sealing")
	if err != nil {
		t.Fatal(err)
	}
	s.Seal()
	became(t, a, certs.Degraded, 10*time.Second)
	clock.forward(14 * time.Minute)
	if _, err := a.Ring(t.Context(), "sealing"); err != nil || a.State() != certs.Degraded {
		t.Errorf("after 14 minutes: %s, %v", a.State(), err)
	}
	clock.forward(2 * time.Minute)
	if keys, err := a.Ring(t.Context(), "sealing"); exchange.KindOf(err) != exchange.Unavailable || keys != nil || a.State() != certs.Closed {
		t.Errorf("after 16 minutes: %s, %v, %v", a.State(), keys, err)
	}
	if got := value(t, registry, "yimen_authority_state", "closed"); got != 1 {
		t.Errorf("metric of the state closed is %v", got)
	}
	refusedAtOnce(t, a)
	s.Unseal()
	t.Logf("back after %v", became(t, a, certs.OK, back).Round(10*time.Millisecond))
	after, err := a.Ring(t.Context(), "sealing")
	if err != nil || len(after) != 1 || string(after[0].Secret) != string(before[0].Secret) {
		t.Errorf("back again, the ring is %v, %v", after, err)
	}
}

// Many nodes find a Vault that has been unsealed after hours: none has a token any more, nor a secret. They are all back in
// time, by two requests each.
func TestManyComeBackWithoutARush(t *testing.T) {
	const nodes = 20
	s := vault.Start(t)
	proxy := s.Proxy()
	var clock moved
	var all []*authority.Authority
	for range nodes {
		config := byAppRole(t, s)
		config.Address, config.Clock, config.Timeout = proxy.URL, clock.now, 3*time.Second // a busy machine is not what is tested
		config.Log = slog.New(slog.DiscardHandler)
		a := open(t, config)
		for _, name := range []string{"sealing", "index", "log"} {
			if _, err := a.Ring(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, a)
	}
	s.Seal()
	for _, a := range all {
		if _, err := a.Issue(t.Context(), order(t)); exchange.KindOf(err) != exchange.Unavailable || a.State() != certs.Degraded {
			t.Fatalf("issued by a sealed Vault: %s, %v", a.State(), err)
		}
	}
	clock.forward(2 * time.Hour)
	for _, a := range all {
		became(t, a, certs.Closed, time.Second)
	}
	s.Unseal()
	unsealed := time.Now()
	for _, a := range all {
		became(t, a, certs.OK, back-time.Since(unsealed))
	}
	t.Logf("%d nodes are back after %v", nodes, time.Since(unsealed).Round(10*time.Millisecond))
	time.Sleep(time.Until(unsealed.Add(10 * time.Second))) // the promise is of ten seconds
	if n := proxy.Requests(unsealed); n > 2*nodes {
		t.Errorf("%d requests of %d nodes in the ten seconds after unsealing, the most is %d", n, nodes, 2*nodes)
	} else {
		t.Logf("%d requests in ten seconds", n)
	}
}
