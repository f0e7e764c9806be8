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

	"github.com/onedoor/yimen/exchange/envelope"
)

// NewRequest draws keys, and writes a request for them that ReadRequest reads. By Standard it is one key, for a certificate; by National
// there is an SM2 key to sign by besides, which the holder drops where the roll does not name it (Papers.Suite). The principal is whom the
// requester takes itself for, such as "scjg/adapter/licences"; the exchange refuses a request under another's token. Empty:
// whomever the token is for.
func NewRequest(s envelope.Suite, random io.Reader, principal string) (key crypto.Signer, request []byte, err error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return nil, nil, fmt.Errorf("draw key: %w", err)
	}
	key, request, err = requestFor(ed25519.NewKeyFromSeed(seed), principal)
	if err != nil || s != envelope.National {
		return key, request, err
	}
	return withSM2(key.(ed25519.PrivateKey), request, random, principal)
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
