package webhook

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// sender may dial networks and trusts a server's certificate.
func sender(t *testing.T, roots *x509.CertPool, networks ...string) *Sender {
	t.Helper()
	var allow []netip.Prefix
	for _, n := range networks {
		allow = append(allow, netip.MustParsePrefix(n))
	}
	s := New(Config{Origin: "liling.yimen", Allow: allow, Roots: roots, Clock: func() time.Time { return time.Unix(1_800_000_000, 0) },
		Sign: func(context.Context) (ed25519.PrivateKey, error) {
			return ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), nil
		}})
	t.Cleanup(func() { s.Close() })
	return s
}

func TestAddressesThatMayNotBeNamed(t *testing.T) {
	s := sender(t, nil)
	for address, want := range map[string]string{
		"https://cases.example.gov.cn/notices": "", "https://10.20.0.5:8443/n": "", "http://127.0.0.1:8080/n": "", "http://localhost/n": "", "http://[::1]/n": "",
		"": "YM-SUB-0101", "cases.example.org": "YM-SUB-0101", "https://": "YM-SUB-0101", "https:///n": "YM-SUB-0101", "https:opaque": "YM-SUB-0101", "https://" + strings.Repeat("a", 600): "YM-SUB-0101",
		"http://cases.example.gov.cn/n": "YM-SUB-0102", "http://10.0.0.1/n": "YM-SUB-0102", "http://127.0.0.1.example.com/n": "YM-SUB-0102", "file:///etc/passwd": "YM-SUB-0101",
		"gopher://x/": "YM-SUB-0102", "https://a:b@x/n": "YM-SUB-0103", "https://x/n?token=1": "YM-SUB-0103", "https://x/n?": "YM-SUB-0103", "https://x/n#f": "YM-SUB-0103",
		"https://x/11010519491231002X": "YM-SUB-0103",
	} {
		err := s.Check(address)
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", address, err, want)
		}
		if err != nil && len(address) > 9 && strings.Contains(err.Error(), address) {
			t.Errorf("the refusal repeats %q", address)
		}
	}
}

// TestOnlyAllowedNetworksAreDialled: whatever a name resolves to, the address that is dialled counts.
func TestOnlyAllowedNetworksAreDialled(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		asked.Add(1)
		out.Header().Set("WebHook-Allowed-Origin", "*")
	}))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for _, networks := range [][]string{nil, {"10.0.0.0/8"}, {"127.0.0.2/32"}} {
		s := sender(t, nil, networks...)
		for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]"} {
			if _, err := s.Ask(t.Context(), "http://"+host+":"+port); err == nil || !strings.Contains(err.Error(), "YM-SUB-0105") {
				t.Errorf("%s with %v: %v", host, networks, err)
			}
			var failure *Failure
			if err := s.Send(t.Context(), "http://"+host+":"+port, "id", nil); !errors.As(err, &failure) || !errors.Is(err, errForbidden) {
				t.Errorf("send to %s with %v: %v", host, networks, err)
			}
		}
	}
	if asked.Load() != 0 {
		t.Errorf("the server was asked %d times", asked.Load())
	}
	s := sender(t, nil, "127.0.0.0/8")
	if _, err := s.Ask(t.Context(), "http://[::ffff:127.0.0.1]:"+port); err != nil {
		t.Errorf("allowed, and still: %v", err)
	}
}

// TestRedirectsAreNotFollowed: they would lead past what was checked.
func TestRedirectsAreNotFollowed(t *testing.T) {
	var reached atomic.Bool
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
	defer inner.Close()
	outer := httptest.NewTLSServer(http.RedirectHandler(inner.URL, http.StatusTemporaryRedirect))
	defer outer.Close()
	roots := x509.NewCertPool()
	roots.AddCert(outer.Certificate())
	s := sender(t, roots, "127.0.0.0/8")
	var failure *Failure
	if err := s.Send(t.Context(), outer.URL, "id", []byte("{}")); !errors.As(err, &failure) || failure.Status != http.StatusTemporaryRedirect || reached.Load() {
		t.Errorf("%v, reached: %v", err, reached.Load())
	}
	if err := sender(t, nil, "127.0.0.0/8").Send(t.Context(), outer.URL, "id", nil); !errors.As(err, &failure) || failure.Status != 0 {
		t.Errorf("a certificate of nobody's: %v", err)
	}
}

func TestHandshake(t *testing.T) {
	for name, row := range map[string]struct {
		origin, rate string
		want         string
		perMinute    int
	}{
		"this sender": {origin: "Liling.Yimen", rate: "120", perMinute: 120}, "anybody": {origin: "*", rate: "*"},
		"nobody": {want: "YM-SUB-0106"}, "another": {origin: "zhuzhou.yimen", want: "YM-SUB-0106"}, "nonsense": {origin: "*", rate: "-5"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
			if in.Method != http.MethodOptions || in.Header.Get("WebHook-Request-Origin") != "liling.yimen" {
				t.Errorf("asked by %s, %v", in.Method, in.Header)
			}
			if row.origin != "" {
				out.Header().Set("WebHook-Allowed-Origin", row.origin)
				out.Header().Set("WebHook-Allowed-Rate", row.rate)
			}
		}))
		n, err := sender(t, nil, "127.0.0.0/8").Ask(t.Context(), server.URL)
		if n != row.perMinute || (row.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %d, %v", name, n, err)
		}
		server.Close()
		if _, err := sender(t, nil, "127.0.0.0/8").Ask(t.Context(), server.URL); err == nil || !strings.Contains(err.Error(), "YM-SUB-0104") || strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("nobody there: %v", err)
		}
	}
}

func TestAskedToWait(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Retry-After", "90")
		out.WriteHeader(http.StatusTooManyRequests)
	}))
	defer server.Close()
	var failure *Failure
	if err := sender(t, nil, "127.0.0.0/8").Send(t.Context(), server.URL, "id", nil); !errors.As(err, &failure) || failure.After != 90*time.Second {
		t.Errorf("got %v", err)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("https://cases.example.gov.cn/notices")
	s := New(Config{Origin: "x"})
	f.Fuzz(func(t *testing.T, address string) {
		if s.Check(address) == nil && !strings.HasPrefix(strings.ToLower(address), "https://") && !strings.HasPrefix(strings.ToLower(address), "http://") {
			t.Errorf("%q may be named", address)
		}
	})
}
