// Package rolltest has an authority for the tests of what stands on one: a real P-256 certificate authority in memory.
package rolltest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
)

// City is whom the authority and the identities of tests belong to.
const City = "liling"

// Authority is a certs.Authority in memory. Its fields are set before it is used.
type Authority struct {
	Clock func() time.Time

	t    testing.TB
	key  *ecdsa.PrivateKey
	root *x509.Certificate

	mu     sync.Mutex
	rings  map[string][]certs.Key
	closed bool
	issued int
}

var _ certs.Authority = (*Authority)(nil)

// NewAuthority draws the root.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial(), Subject: pkix.Name{CommonName: "Yimen " + City}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	root, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &Authority{Clock: time.Now, t: t, key: key, root: root, rings: map[string][]certs.Key{}}
}

// Issue makes a certificate for the request's key.
func (a *Authority) Issue(ctx context.Context, order certs.Order) (certs.Issued, error) {
	if err := ctx.Err(); err != nil {
		return certs.Issued{}, err
	}
	request, err := x509.ParseCertificateRequest(order.Request)
	if err == nil {
		err = request.CheckSignature()
	}
	if err != nil {
		return certs.Issued{}, &exchange.Problem{Code: "YM-KEY-0999", Kind: exchange.Invalid, Err: err, What: exchange.Text{ZH: "请求不可用", EN: "the request cannot be used"}}
	}
	life := order.Life
	if life == 0 || life > certs.MaxLife {
		life = certs.MaxLife
	}
	now := a.Clock()
	template := &x509.Certificate{SerialNumber: serial(), Subject: pkix.Name{CommonName: order.Identity.Principal()}, URIs: []*url.URL{order.Identity.URI()},
		NotBefore: now.Add(-time.Minute), NotAfter: now.Add(life), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}
	for _, host := range order.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.root, request.PublicKey, a.key)
	if err != nil {
		return certs.Issued{}, fmt.Errorf("sign certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	a.mu.Lock()
	a.issued++
	a.mu.Unlock()
	return certs.Issued{Certificate: leaf, Chain: [][]byte{der}}, err
}

// Made is how many certificates were issued so far.
func (a *Authority) Made() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.issued
}

// Roots is the root.
func (a *Authority) Roots() []*x509.Certificate { return []*x509.Certificate{a.root} }

// Pool is the root for verifying.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.root)
	return pool
}

// Ring is every version of a secret.
func (a *Authority) Ring(_ context.Context, name string) ([]certs.Key, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, &exchange.Problem{Code: "YM-KEY-0998", Kind: exchange.Unavailable, What: exchange.Text{ZH: "密钥不可用", EN: "the keys are not available"}}
	}
	if len(a.rings[name]) == 0 {
		a.draw(name)
	}
	return append([]certs.Key(nil), a.rings[name]...), nil
}

// Rotate draws the next version.
func (a *Authority) Rotate(_ context.Context, name string) (certs.Key, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.draw(name), nil
}

func (a *Authority) draw(name string) certs.Key {
	k := certs.Key{Version: len(a.rings[name]) + 1, Secret: make([]byte, certs.SecretSize), Made: a.Clock()}
	rand.Read(k.Secret)
	a.rings[name] = append(a.rings[name], k)
	return k
}

// Shut says whether the authority is closed.
func (a *Authority) Shut(closed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = closed
}

// State is OK, or Closed.
func (a *Authority) State() certs.State {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return certs.Closed
	}
	return certs.OK
}

// Close does nothing.
func (a *Authority) Close() error { return nil }

// Papers issues a certificate outside of any roll, as its holder would get it.
func (a *Authority) Papers(order certs.Order) certs.Papers {
	a.t.Helper()
	issued, err := a.Issue(context.Background(), order)
	if err != nil {
		a.t.Fatal(err)
	}
	return certs.Papers{Chain: issued.Chain, Roots: [][]byte{a.root.Raw}}
}

// Server is what a node serves TLS with: a certificate for the local machine, issued outside of any roll.
func (a *Authority) Server(identity certs.Identity, hosts ...string) *tls.Config {
	a.t.Helper()
	key, request, err := certs.NewServerRequest(rand.Reader, "")
	if err != nil {
		a.t.Fatal(err)
	}
	papers := a.Papers(certs.Order{Request: request, Identity: identity, Hosts: hosts})
	return &tls.Config{MinVersion: tls.VersionTLS12, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: a.Pool(),
		Certificates: []tls.Certificate{{Certificate: papers.Chain, PrivateKey: key}}}
}

// Client trusts the root alone, and shows no certificate.
func (a *Authority) Client() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: a.Pool()}
}

// Adapter is the identity of an adapter of the city.
func Adapter(department exchange.Department, name string) certs.Identity {
	return certs.Identity{City: City, Department: department, Role: certs.Adapter, Name: name}
}

// Node is the identity of a node of the city.
func Node(name string) certs.Identity {
	return certs.Identity{City: City, Role: certs.Node, Name: name}
}

func serial() *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	return n
}
