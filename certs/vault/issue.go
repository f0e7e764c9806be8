package vault

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
)

// Issue has Vault's PKI sign the request's key, with the order's values, by the role of the identity's role. What comes back
// must be what was ordered, to the letter, and end in the roots.
func (a *Authority) Issue(ctx context.Context, order certs.Order) (certs.Issued, error) {
	now := a.clock()
	draft, err := order.Draft(now)
	if err != nil {
		return certs.Issued{}, err
	}
	var issued certs.Issued
	err = a.attend(ctx, "issue", func(ctx context.Context) error {
		issued, err = a.sign(ctx, order, draft, draft.NotAfter.Sub(now))
		return err
	})
	if err != nil {
		return certs.Issued{}, a.problem(exchange.Text{ZH: "未能签发证书：" + order.Identity.String(), EN: "no certificate was issued for " + order.Identity.String()}, err)
	}
	return issued, nil
}

func (a *Authority) sign(ctx context.Context, order certs.Order, draft *x509.Certificate, life time.Duration) (certs.Issued, error) {
	var addresses []string
	for _, ip := range draft.IPAddresses {
		addresses = append(addresses, ip.String())
	}
	answer, err := a.write(ctx, longest, a.config.PKI+"/sign/"+string(order.Identity.Role), map[string]any{
		"csr":                  string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: order.Request})),
		"common_name":          draft.Subject.CommonName,
		"uri_sans":             order.Identity.String(),
		"alt_names":            strings.Join(draft.DNSNames, ","),
		"ip_sans":              strings.Join(addresses, ","),
		"exclude_cn_from_sans": true,
		"ttl":                  fmt.Sprintf("%ds", int(life.Seconds())),
	})
	if err != nil {
		return certs.Issued{}, fmt.Errorf("sign: %w", err)
	}
	var data map[string]any
	if answer != nil {
		data = answer.Data
	}
	chain, err := parseChain(data["certificate"], data["ca_chain"])
	if err != nil {
		return certs.Issued{}, err
	}
	if err := certs.Fulfilled(draft, chain[0]); err != nil {
		return certs.Issued{}, &fault{reason: spoilt, said: err.Error()}
	}
	return a.chained(ctx, chain)
}

// chained checks that the chain ends in the roots, the present ones where an issuer is new, and leaves those out.
func (a *Authority) chained(ctx context.Context, chain []*x509.Certificate) (certs.Issued, error) {
	err := a.verify(chain)
	if err != nil {
		if unknown := a.learn(ctx, longest); unknown != nil {
			return certs.Issued{}, unknown
		}
		err = a.verify(chain)
	}
	if err != nil {
		return certs.Issued{}, &fault{reason: spoilt, said: "the certificate does not hold: " + oneLine(err.Error())}
	}
	issued := certs.Issued{Certificate: chain[0]}
	for _, c := range chain {
		if !selfSigned(c) {
			issued.Chain = append(issued.Chain, c.Raw)
		}
	}
	return issued, nil
}

func (a *Authority) verify(chain []*x509.Certificate) error {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, root := range a.Roots() {
		roots.AddCert(root)
	}
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: a.clock(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err
}

// parseChain reads the certificate and those above it, as Vault gives them: PEM, and a list of PEM.
func parseChain(first, above any) ([]*x509.Certificate, error) {
	texts := []any{first}
	if list, ok := above.([]any); ok {
		texts = append(texts, list...)
	}
	var chain []*x509.Certificate
	for _, text := range texts {
		s, _ := text.(string)
		block, _ := pem.Decode([]byte(s))
		if block == nil {
			return nil, &fault{reason: spoilt, said: "a certificate of the answer is no PEM"}
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, &fault{reason: spoilt, said: "a certificate of the answer cannot be read"}
		}
		chain = append(chain, c)
	}
	return chain, nil
}
