package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
)

// NewRequest draws an Ed25519 key and writes a certificate request for it (PKCS #10, DER). The principal is whom the
// requester takes itself for, such as "scjg/adapter/licences"; the exchange refuses a request under another's token. Empty:
// whomever the token is for.
func NewRequest(random io.Reader, principal string) (key crypto.Signer, request []byte, err error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return nil, nil, fmt.Errorf("draw key: %w", err)
	}
	return requestFor(ed25519.NewKeyFromSeed(seed), principal)
}

// NewServerRequest is NewRequest with an ECDSA P-256 key, for servers that browsers call: they do not take Ed25519.
func NewServerRequest(random io.Reader, principal string) (key crypto.Signer, request []byte, err error) {
	drawn, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return nil, nil, fmt.Errorf("draw key: %w", err)
	}
	return requestFor(drawn, principal)
}

func requestFor(key crypto.Signer, principal string) (crypto.Signer, []byte, error) {
	request, err := x509.CreateCertificateRequest(nil, &x509.CertificateRequest{Subject: pkix.Name{CommonName: principal}}, key)
	if err != nil {
		return nil, nil, fmt.Errorf("write certificate request: %w", err)
	}
	return key, request, nil
}
