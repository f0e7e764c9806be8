package certstest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
)

// identities are one of each role.
var identities = []certs.Identity{
	{City: City, Department: "scjg", Role: certs.Adapter, Name: "licences"},
	{City: City, Department: "gaj", Role: certs.Service, Name: "counter"},
	{City: City, Department: "scjg", Role: certs.Clerk, Name: "Wang.0042"},
	{City: City, Role: certs.Node, Name: "node-1"},
	{City: City, Role: certs.Broker, Name: "kafka1"},
}

var adapter, node = identities[0], identities[3]

func testIssue(t *testing.T, place Place) {
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	serials := map[string]bool{}
	for _, identity := range identities {
		authority := place.openFor(t, identity)
		for _, key := range []crypto.Signer{ed, p256} {
			order := certs.Order{Request: request(t, key, nil), Identity: identity}
			if identity.Department == "" {
				order.Hosts = []string{"node1.liling.example", "127.0.0.1", "localhost", "::1"}
			}
			issued, err := authority.Issue(within(t), order)
			if err != nil {
				t.Fatalf("%s: %v", identity, err)
			}
			checkIssued(t, authority, order, issued)
			if !key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(issued.Certificate.PublicKey) {
				t.Errorf("%s: the certificate is for another key", identity)
			}
			if serial := issued.Certificate.SerialNumber.String(); serials[serial] {
				t.Errorf("serial number %s twice", serial)
			} else {
				serials[serial] = true
			}
			if issued.Certificate.SerialNumber.BitLen() < 100 {
				t.Errorf("serial number %s can be guessed", issued.Certificate.SerialNumber)
			}
		}
	}
}

// checkIssued looks at a certificate with the standard library alone.
func checkIssued(t *testing.T, authority certs.Authority, order certs.Order, issued certs.Issued) {
	t.Helper()
	c := issued.Certificate
	if len(issued.Chain) == 0 || !bytes.Equal(issued.Chain[0], c.Raw) {
		t.Fatal("the chain does not begin with the certificate")
	}
	if got, err := certs.IdentityOf(c); err != nil || got != order.Identity {
		t.Errorf("identity %v, %v, want %v", got, err, order.Identity)
	}
	if want := "CN=" + order.Identity.Principal() + ",O=" + City; c.Subject.String() != want {
		t.Errorf("subject %s, want %s", c.Subject, want)
	}
	uses := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if order.Identity.Department == "" {
		uses = append(uses, x509.ExtKeyUsageServerAuth)
	}
	verify(t, authority, issued, uses)
	for _, host := range order.Hosts {
		if err := c.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if names := len(c.DNSNames) + len(c.IPAddresses) + len(c.EmailAddresses); names != len(order.Hosts) {
		t.Errorf("%d names besides the identity, want %d", names, len(order.Hosts))
	}
	if c.IsCA || c.KeyUsage != x509.KeyUsageDigitalSignature || len(c.ExtKeyUsage) != len(uses) {
		t.Errorf("it may be used for more: CA %v, usage %b, %v", c.IsCA, c.KeyUsage, c.ExtKeyUsage)
	}
}

func verify(t *testing.T, authority certs.Authority, issued certs.Issued, uses []x509.ExtKeyUsage) {
	t.Helper()
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, root := range authority.Roots() {
		roots.AddCert(root)
	}
	for _, raw := range issued.Chain[1:] {
		c, err := x509.ParseCertificate(raw)
		if err != nil {
			t.Fatal(err)
		}
		between.AddCert(c)
	}
	for _, use := range uses {
		if _, err := issued.Certificate.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{use}}); err != nil {
			t.Errorf("chain for use %v: %v", use, err)
		}
	}
	if _, err := issued.Certificate.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}); err == nil && !slices.Contains(uses, x509.ExtKeyUsageServerAuth) {
		t.Error("it could serve")
	}
}

func testLife(t *testing.T, place Place) {
	_, key, _ := ed25519.GenerateKey(rand.Reader)
	broker := identities[4]
	for _, row := range []struct {
		who           certs.Identity
		ordered, want time.Duration
	}{
		{adapter, 0, certs.MaxLife},
		{adapter, -time.Hour, certs.MaxLife},
		{adapter, 1000 * time.Hour, certs.MaxLife},
		{adapter, certs.MaxLife - time.Second, certs.MaxLife},
		{adapter, time.Hour, time.Hour + certs.Backdate},
		{node, certs.BrokerLife, certs.MaxLife},
		{broker, 0, certs.BrokerLife},
		{broker, 9000 * time.Hour, certs.BrokerLife},
		{broker, time.Hour, time.Hour + certs.Backdate},
	} {
		authority := place.openFor(t, row.who)
		began, ordered, want := time.Now(), row.ordered, row.want
		issued, err := authority.Issue(within(t), certs.Order{Request: request(t, key, nil), Identity: row.who, Life: ordered})
		if err != nil {
			t.Fatal(err)
		}
		c := issued.Certificate
		life := c.NotAfter.Sub(c.NotBefore)
		if life > want || life < want-3*time.Second {
			t.Errorf("%s: ordered %v, lives %v, want %v", row.who.Role, ordered, life, want)
		}
		if before := began.Sub(c.NotBefore); before < certs.Backdate-5*time.Second || before > certs.Backdate+5*time.Second {
			t.Errorf("begins %v before its issue, want a minute", before)
		}
	}
}

// A request asks to be an authority, a node, another department, and to live at a host.
func testForged(t *testing.T, place Place) {
	authority := place.Open(t)
	_, key, _ := ed25519.GenerateKey(rand.Reader)
	other, _ := url.Parse("spiffe://liling/node/node-1")
	authorityFlag, _ := asn1.Marshal(struct{ IsCA bool }{true})
	forged := request(t, key, &x509.CertificateRequest{
		Subject:         pkix.Name{CommonName: "node/node-1", Organization: []string{"other"}, OrganizationalUnit: []string{"gaj"}, SerialNumber: "7"},
		URIs:            []*url.URL{other},
		DNSNames:        []string{"node1.liling.example"},
		IPAddresses:     []net.IP{net.IPv4(127, 0, 0, 1)},
		EmailAddresses:  []string{"a@b.example"},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Critical: true, Value: authorityFlag}},
	})
	order := certs.Order{Request: forged, Identity: adapter}
	issued, err := authority.Issue(within(t), order)
	if err != nil {
		t.Fatal(err)
	}
	checkIssued(t, authority, order, issued)
}

func testRefused(t *testing.T, place Place) {
	authority := place.Open(t)
	_, key, _ := ed25519.GenerateKey(rand.Reader)
	good := request(t, key, nil)
	unsigned := slices.Clone(good)
	unsigned[len(unsigned)-1] ^= 1
	large, _ := rsa.GenerateKey(rand.Reader, 2048)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	elsewhere := adapter
	elsewhere.City = "changsha"
	nameless := adapter
	nameless.Name = "Licences 1"
	for name, order := range map[string]certs.Order{
		"signature that does not hold": {Request: unsigned, Identity: adapter},
		"RSA":                          {Request: request(t, large, nil), Identity: adapter},
		"P-384":                        {Request: request(t, p384, nil), Identity: adapter},
		"no request":                   {Identity: adapter},
		"more after the request":       {Request: append(slices.Clone(good), 0), Identity: adapter},
		"hosts of an adapter":          {Request: good, Identity: adapter, Hosts: []string{"scjg.example"}},
		"host with a wildcard":         {Request: good, Identity: node, Hosts: []string{"*.example"}},
		"two hosts in one":             {Request: good, Identity: node, Hosts: []string{"a.example,b.example"}},
		"another city":                 {Request: good, Identity: elsewhere},
		"name that is none":            {Request: good, Identity: nameless},
		"no identity":                  {Request: good},
	} {
		issued, err := authority.Issue(within(t), order)
		if err == nil {
			t.Errorf("%s: issued to %s", name, issued.Certificate.Subject)
		} else if kind := exchange.KindOf(err); kind != exchange.Invalid {
			t.Errorf("%s: %s: %v", name, kind, err)
		}
	}
	if _, err := authority.Issue(within(t), certs.Order{Request: good, Identity: adapter}); err != nil || authority.State() != certs.OK {
		t.Errorf("after refusals: %v, state %s", err, authority.State())
	}
}

func testRoots(t *testing.T, place Place) {
	first, second := place.Open(t).Roots(), place.Open(t).Roots()
	if len(first) == 0 || !slices.EqualFunc(first, second, (*x509.Certificate).Equal) {
		t.Fatalf("%d roots and %d, not the same", len(first), len(second))
	}
	for _, root := range first {
		if !root.IsCA || !root.BasicConstraintsValid || !root.MaxPathLenZero || root.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign {
			t.Errorf("root %s: CA %v, path %d, usage %b", root.Subject, root.IsCA, root.MaxPathLen, root.KeyUsage)
		}
		if !slices.Equal(root.PermittedURIDomains, []string{City}) {
			t.Errorf("root %s may certify identities of %v", root.Subject, root.PermittedURIDomains)
		}
		if left := time.Until(root.NotAfter); left < 5*365*24*time.Hour {
			t.Errorf("root %s ends in %v", root.Subject, left)
		}
	}
}

// request is a certificate request in which only the key and its signature count.
func request(t *testing.T, key crypto.Signer, template *x509.CertificateRequest) []byte {
	t.Helper()
	if template == nil {
		template = &x509.CertificateRequest{}
	}
	raw, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
