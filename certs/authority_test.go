package certs_test

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"path/filepath"
	"testing"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
)

// city is a local authority, and what its certificates are used for.
type city struct {
	*certs.LocalAuthority
	t testing.TB
}

func newCity(t testing.TB) *city {
	t.Helper()
	a, err := certs.NewLocal(certs.LocalConfig{Dir: filepath.Join(t.TempDir(), "keys"), City: "liling"})
	if err != nil {
		t.Fatal(err)
	}
	return &city{a, t}
}

// papers issues a certificate as its holder would get it.
func (c *city) papers(order certs.Order) certs.Papers {
	c.t.Helper()
	issued, err := c.Issue(c.t.Context(), order)
	if err != nil {
		c.t.Fatal(err)
	}
	return certs.Papers{Chain: issued.Chain, Roots: [][]byte{c.Roots()[0].Raw}}
}

// server is what a node of the city serves TLS with.
func (c *city) server(host string) *tls.Config {
	c.t.Helper()
	key, request, err := certs.NewServerRequest(rand.Reader, "")
	if err != nil {
		c.t.Fatal(err)
	}
	papers := c.papers(certs.Order{Request: request, Identity: nodeOf("n1"), Hosts: []string{host}})
	roots := x509.NewCertPool()
	roots.AddCert(c.Roots()[0])
	return &tls.Config{MinVersion: tls.VersionTLS12, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: roots,
		Certificates: []tls.Certificate{{Certificate: papers.Chain, PrivateKey: key}}}
}

func adapterOf(department exchange.Department, name string) certs.Identity {
	return certs.Identity{City: "liling", Department: department, Role: certs.Adapter, Name: name}
}

func nodeOf(name string) certs.Identity {
	return certs.Identity{City: "liling", Role: certs.Node, Name: name}
}
