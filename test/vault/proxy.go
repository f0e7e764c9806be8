package vault

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// Proxy stands in front of a Server: it counts, delays, and shows another certificate. Client certificates do not get through.
type Proxy struct {
	URL string

	t       testing.TB
	server  *httptest.Server
	forward http.Handler

	mu          sync.Mutex // guards all below
	delay       time.Duration
	certificate *tls.Certificate
	seen        []seen
}

type seen struct {
	at   time.Time
	path string
}

// Proxy starts a proxy, which ends with the test.
func (s *Server) Proxy() *Proxy {
	s.t.Helper()
	target, err := url.Parse(s.Address())
	s.must(err)
	pem, err := os.ReadFile(s.CA)
	s.must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	forward := httputil.NewSingleHostReverseProxy(target)
	forward.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	forward.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { panic(http.ErrAbortHandler) } // as Vault's own end would look
	p := &Proxy{t: s.t, forward: forward}
	p.certificate = p.pair(s.machines)
	p.server = httptest.NewUnstartedServer(p)
	p.server.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		return &tls.Config{Certificates: []tls.Certificate{*p.certificate}}, nil
	}}
	p.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	p.server.StartTLS()
	s.t.Cleanup(func() { p.server.CloseClientConnections(); p.server.Close() })
	p.URL = p.server.URL
	return p
}

// Delay has every answer wait; 0: no more.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Pose has the proxy show a certificate of a CA that nobody knows, until the function that it gives is called.
func (p *Proxy) Pose() (restore func()) {
	p.t.Helper()
	stranger := p.pair(newAuthority(p.t, "strangers"))
	own := p.show(stranger)
	return func() { p.show(own) }
}

// Requests counts those that came at or after the time, of paths that contain one of the words (none: all).
func (p *Proxy) Requests(from time.Time, words ...string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, s := range p.seen {
		match := len(words) == 0
		for _, word := range words {
			match = match || strings.Contains(s.path, word)
		}
		if match && !s.at.Before(from) {
			n++
		}
	}
	return n
}

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.seen = append(p.seen, seen{at: time.Now(), path: r.URL.Path})
	delay := p.delay
	p.mu.Unlock()
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
			return
		}
	}
	p.forward.ServeHTTP(w, r)
}

func (p *Proxy) show(certificate *tls.Certificate) (before *tls.Certificate) {
	p.mu.Lock()
	before, p.certificate = p.certificate, certificate
	p.mu.Unlock()
	p.server.CloseClientConnections() // a connection that is open was trusted before
	return before
}

func (p *Proxy) pair(ca authority) *tls.Certificate {
	p.t.Helper()
	certificate, key := ca.issue(p.t, p.t.TempDir(), "proxy")
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		p.t.Fatal(err)
	}
	return &pair
}
