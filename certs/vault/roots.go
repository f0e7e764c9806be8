package vault

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/vault/api"
)

// learn reads the roots of all issuers of the mount, where Vault lists others than before. An issuer is thus trusted before
// it becomes the default, and as long as it is listed.
func (a *Authority) learn(ctx context.Context, limit time.Duration) error {
	issuers, err := a.listIssuers(ctx, limit)
	if err != nil {
		return err
	}
	a.mu.RLock()
	same := slices.Equal(issuers, a.issuers)
	a.mu.RUnlock()
	if same {
		return nil
	}
	var roots []*x509.Certificate
	for _, issuer := range issuers {
		root, err := a.readRoot(ctx, limit, issuer)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(roots, root.Equal) {
			roots = append(roots, root)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roots, a.issuers = roots, issuers
	return nil
}

// listIssuers gives the names of the issuers, sorted; at least one.
func (a *Authority) listIssuers(ctx context.Context, limit time.Duration) ([]string, error) {
	answer, err := within(ctx, limit, func(ctx context.Context) (*api.Secret, error) {
		return a.client.Logical().ListWithContext(ctx, a.config.PKI+"/issuers")
	})
	if err != nil {
		return nil, fmt.Errorf("list issuers: %w", err)
	}
	var issuers []string
	if answer != nil {
		keys, _ := answer.Data["keys"].([]any)
		for _, key := range keys {
			if name, ok := key.(string); ok {
				issuers = append(issuers, name)
			}
		}
	}
	if len(issuers) == 0 {
		return nil, &fault{reason: spoilt, said: a.config.PKI + " has no issuer"}
	}
	slices.Sort(issuers)
	return issuers, nil
}

// readRoot is the end of the issuer's chain: its root, or the highest that Vault knows of.
func (a *Authority) readRoot(ctx context.Context, limit time.Duration, issuer string) (*x509.Certificate, error) {
	answer, err := a.read(ctx, limit, a.config.PKI+"/issuer/"+issuer+"/json")
	if err != nil {
		return nil, fmt.Errorf("read issuer: %w", err)
	}
	var data map[string]any
	if answer != nil {
		data = answer.Data
	}
	chain, err := parseChain(data["certificate"], data["ca_chain"])
	if err != nil {
		return nil, err
	}
	for _, c := range chain {
		if selfSigned(c) {
			return c, nil
		}
	}
	return chain[len(chain)-1], nil
}

func selfSigned(c *x509.Certificate) bool {
	return bytes.Equal(c.RawSubject, c.RawIssuer) && c.CheckSignatureFrom(c) == nil
}
