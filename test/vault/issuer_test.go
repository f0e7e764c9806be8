package vault_test

import (
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	authority "github.com/onedoor/yimen/certs/vault"
	"github.com/onedoor/yimen/test/vault"
)

// The root is replaced, and later the PKI is put under a root outside Vault. Certificates of all hold, as long as their
// issuers are listed, and nobody needs to restart.
func TestIssuersChange(t *testing.T) {
	s := vault.Start(t)
	asked, watching := byAppRole(t, s), byAppRole(t, s)
	asked.Refresh, watching.Refresh = 5*time.Minute, 500*time.Millisecond
	a, b := open(t, asked), open(t, watching)
	first, err := a.Issue(t.Context(), order(t))
	if err != nil {
		t.Fatal(err)
	}
	s.NewRoot()
	second, err := a.Issue(t.Context(), order(t)) // learns of the issuer by its certificate
	if err != nil {
		t.Fatal(err)
	}
	s.NewIntermediate()
	third, err := a.Issue(t.Context(), order(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Chain) != 1 || len(second.Chain) != 1 || len(third.Chain) != 2 {
		t.Errorf("chains of %d, %d and %d certificates, want 1, 1 and 2", len(first.Chain), len(second.Chain), len(third.Chain))
	}
	roots := []string{"CN=Yimen liling 2,O=liling", "CN=Yimen liling,O=liling", "CN=machines"}
	slices.Sort(roots)
	for end := time.Now().Add(5 * time.Second); !slices.Equal(subjects(b), roots) && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	for _, of := range []*authority.Authority{a, b} {
		if got := subjects(of); !slices.Equal(got, roots) {
			t.Errorf("roots %q, want %q", got, roots)
		}
		for _, issued := range []certs.Issued{first, second, third} {
			verify(t, of, issued)
		}
	}
}

func subjects(a certs.Authority) (all []string) {
	for _, root := range a.Roots() {
		all = append(all, root.Subject.String())
	}
	slices.Sort(all)
	return all
}

func verify(t *testing.T, a certs.Authority, issued certs.Issued) {
	t.Helper()
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, root := range a.Roots() {
		roots.AddCert(root)
	}
	for _, raw := range issued.Chain[1:] {
		c, err := x509.ParseCertificate(raw)
		if err != nil {
			t.Fatal(err)
		}
		between.AddCert(c)
	}
	if _, err := issued.Certificate.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Error(err)
	}
}
