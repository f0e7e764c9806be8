package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// clockLeeway is how far a holder's clock may be behind the authority's.
const clockLeeway = time.Minute

// CheckRequest reads a certificate request and gives its key, once the requester has proved to hold the private half.
func CheckRequest(der []byte) (crypto.PublicKey, error) {
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, badRequest(exchange.Text{ZH: "无法解析", EN: "it cannot be read"})
	}
	switch key := request.PublicKey.(type) {
	case ed25519.PublicKey:
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			return nil, badRequest(exchange.Text{ZH: "密钥不是 Ed25519 或 P-256", EN: "its key is neither Ed25519 nor P-256"})
		}
	default:
		return nil, badRequest(exchange.Text{ZH: "密钥不是 Ed25519 或 P-256", EN: "its key is neither Ed25519 nor P-256"})
	}
	if err := request.CheckSignature(); err != nil {
		return nil, badRequest(exchange.Text{ZH: "签名不是由该密钥作出", EN: "its signature is not by its key"})
	}
	return request.PublicKey, nil
}

// Template is the certificate an order asks for, without serial number and key.
func (o Order) Template(city string, now time.Time) (*x509.Certificate, error) {
	if err := o.Identity.Check(); err != nil {
		return nil, fmt.Errorf("issue certificate: %w", err)
	}
	if o.Identity.City != city {
		return nil, fmt.Errorf("issue certificate: the identity is of another city")
	}
	if len(o.Hosts) > 0 && o.Identity.Role != Node {
		return nil, fmt.Errorf("issue certificate: only nodes have host names")
	}
	life := o.Life
	if life <= 0 || life > MaxLife {
		life = MaxLife
	}
	c := &x509.Certificate{
		Subject:   pkix.Name{CommonName: o.Identity.Principal(), Organization: []string{city}},
		NotBefore: now.Add(-clockLeeway), NotAfter: now.Add(life),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	c.URIs = append(c.URIs, o.Identity.URI())
	if o.Identity.Role == Node {
		c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	for _, host := range o.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else {
			c.DNSNames = append(c.DNSNames, host)
		}
	}
	return c, nil
}

func badRequest(why exchange.Text) error {
	return &exchange.Problem{Code: "YM-KEY-0111", Kind: exchange.Invalid, Why: why,
		What: exchange.Text{ZH: "证书申请不可用", EN: "the certificate request cannot be used"},
		Mend: exchange.Text{ZH: "用 yimen enroll 生成申请：PKCS #10，Ed25519 或 P-256 密钥", EN: "have `yimen enroll` make it: PKCS #10 with an Ed25519 or P-256 key"}}
}

func damagedRoot(path string, err error) error {
	return &exchange.Problem{Code: "YM-KEY-0112", Kind: exchange.Invalid, Err: err,
		What: exchange.Text{ZH: "根证书文件已损坏：" + path, EN: "the file of the root is damaged: " + path},
		Mend: exchange.Text{ZH: "从备份恢复该文件；没有它，所有部门都要重新入网", EN: "restore it from a backup; without it every department must enrol anew"}}
}
