package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/onedoor/yimen/exchange"
)

const (
	rootFile = "authority.pem" // key and certificate in one file, so that one cannot be without the other
	rootLife = 20 * 365 * 24 * time.Hour

	blockKey         = "PRIVATE KEY"
	blockCertificate = "CERTIFICATE"
)

// root is the local authority's own key and the certificate that it signed for itself.
type root struct {
	key         crypto.Signer
	certificate *x509.Certificate
}

// makeRoot makes the file of a new root. It may certify this city's identities only, and no other authority.
func makeRoot(city string, now time.Time, random io.Reader) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return nil, fmt.Errorf("make the authority's key: %w", err)
	}
	serial, err := newSerial(random)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:                serial,
		Subject:                     pkix.Name{CommonName: "Yimen " + city, Organization: []string{city}},
		NotBefore:                   now.Add(-Backdate),
		NotAfter:                    now.Add(rootLife),
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid:       true,
		IsCA:                        true,
		MaxPathLenZero:              true,
		PermittedURIDomains:         []string{city},
		PermittedDNSDomainsCritical: true, // of all name constraints
	}
	certificate, err := x509.CreateCertificate(random, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign the authority's certificate: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode the authority's key: %w", err)
	}
	file := pem.EncodeToMemory(&pem.Block{Type: blockKey, Bytes: private})
	return append(file, pem.EncodeToMemory(&pem.Block{Type: blockCertificate, Bytes: certificate})...), nil
}

// parseRoot reads what makeRoot made for the same city.
func parseRoot(path string, file []byte, city string) (root, error) {
	broken := func(zh, en string) (root, error) { return root{}, damaged(path, exchange.Text{ZH: zh, EN: en}) }
	keyBlock, rest := pem.Decode(file)
	certificateBlock, rest := pem.Decode(rest)
	if keyBlock == nil || keyBlock.Type != blockKey || certificateBlock == nil || certificateBlock.Type != blockCertificate || len(rest) > 0 {
		return broken("内容不是一个密钥和一个证书", "it is not one key and one certificate")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok {
		return broken("密钥无法读取", "its key cannot be read")
	}
	certificate, err := x509.ParseCertificate(certificateBlock.Bytes)
	if err != nil || !key.PublicKey.Equal(certificate.PublicKey) || !certificate.IsCA {
		return broken("证书与密钥不符", "its certificate is not the key's")
	}
	if len(certificate.Subject.Organization) != 1 || certificate.Subject.Organization[0] != city {
		return broken("它属于另一个城市", "it is another city's")
	}
	return root{key: key, certificate: certificate}, nil
}

// newSerial draws a serial number of 128 bits, never 0.
func newSerial(random io.Reader) (*big.Int, error) {
	raw := make([]byte, 17)
	if _, err := io.ReadFull(random, raw[1:]); err != nil {
		return nil, fmt.Errorf("draw a serial number: %w", err)
	}
	raw[0] = 1 // 2^128 more: as long for every certificate, and positive
	return new(big.Int).SetBytes(raw), nil
}
