package kafka

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
)

// City is the trust domain of every certificate that an Authority issues.
const City = "testcity"

// Authority is a certificate authority for tests: one root, and certificates as the city's authority would issue them.
type Authority struct {
	t    testing.TB
	root *x509.Certificate
	key  crypto.Signer
}

// NewAuthority makes an authority with a root of its own.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{t: t, key: ecdsaKey(t)}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "root of the test"},
		NotBefore: time.Now().Add(-240 * time.Hour), NotAfter: time.Now().Add(240 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err == nil {
		a.root, err = x509.ParseCertificate(der)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// AuthorityOf is an exchange's own authority, kept in the folder, so that brokers and departments have one root.
func AuthorityOf(t testing.TB, folder string) *Authority {
	t.Helper()
	if _, err := certs.NewLocal(certs.LocalConfig{Dir: folder, City: City}); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, "authority.pem"), filepath.Join(folder, "authority.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return &Authority{t: t, root: pair.Leaf, key: pair.PrivateKey.(crypto.Signer)}
}

// Leaf says what certificate to issue.
type Leaf struct {
	Identity certs.Identity
	Until    time.Time // zero: an hour from now
	P256     bool      // an ECDSA key; otherwise Ed25519, as adapters have
}

// Issue makes a key and its certificate. Those of nodes and brokers are good for a server on 127.0.0.1 too.
func (a *Authority) Issue(leaf Leaf) tls.Certificate {
	a.t.Helper()
	var key crypto.Signer = ecdsaKey(a.t)
	if !leaf.P256 {
		_, key, _ = ed25519.GenerateKey(rand.Reader) // crypto/rand does not fail
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: leaf.Identity.Principal()}, URIs: []*url.URL{leaf.Identity.URI()},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: leaf.Until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if leaf.Until.IsZero() {
		template.NotAfter = time.Now().Add(time.Hour)
	}
	if leaf.Identity.Department == "" {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.root, key.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Client is how a holder of the certificates connects: it trusts this authority alone.
func (a *Authority) Client(certificates ...tls.Certificate) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(a.root)
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: pool, Certificates: certificates}
}

// As connects as an identity, with a certificate issued just now.
func (a *Authority) As(i certs.Identity) *tls.Config { return a.Client(a.Issue(Leaf{Identity: i})) }

// RootPEM is the root as a file holds it.
func (a *Authority) RootPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Raw})
}

// PEM is a certificate and its key (PKCS #8) as files hold them.
func PEM(t testing.TB, c tls.Certificate) (certificate, key []byte) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// Adapter is an adapter of the test's city.
func Adapter(department, name string) certs.Identity {
	return certs.Identity{City: City, Department: exchange.Department(department), Role: certs.Adapter, Name: name}
}

// Broker is one of the city's Kafka.
func Broker(name string) certs.Identity {
	return certs.Identity{City: City, Role: certs.Broker, Name: name}
}

// Node is a part of the exchange itself. "main" is a super user of the cluster, as the brokers are.
func Node(name string) certs.Identity {
	return certs.Identity{City: City, Role: certs.Node, Name: name}
}

func ecdsaKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func serial() *big.Int {
	random := make([]byte, 16)
	rand.Read(random)
	return new(big.Int).SetBytes(random)
}
