package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// By the national suite a machine has two keys: the one of its certificate, by which it calls (crypto/tls knows no SM2), and an SM2 key
// by which it signs what it publishes. The second has no certificate of its own: the roll names it beside the first one's.

// nationalKey is the pair of them. To TLS and X.509 it is the certificate's key.
type nationalKey struct {
	ed25519.PrivateKey
	signing *sm2.PrivateKey
}

const signingBlock = "SM2 PRIVATE KEY" // in a key file, after the chain

// withSM2 draws the SM2 key, and adds a request for it to that for the certificate.
func withSM2(key ed25519.PrivateKey, request []byte, random io.Reader, principal string) (crypto.Signer, []byte, error) {
	signing, err := sm2.GenerateKey(random)
	if err != nil {
		return nil, nil, fmt.Errorf("draw signing key: %w", err)
	}
	second, err := smx509.CreateCertificateRequest(random, &x509.CertificateRequest{Subject: pkix.Name{CommonName: principal}}, signing)
	if err != nil {
		return nil, nil, fmt.Errorf("write request for the signing key: %w", err)
	}
	return &nationalKey{key, signing}, append(request, second...), nil
}

// ReadRequest takes a request apart: the one for the certificate, which it leaves unread, and the SM2 point (uncompressed, 65 bytes)
// that is to be named beside it, nil where none is. That the second request's signature holds proves that the requester has the
// key's private half.
func ReadRequest(request []byte) (certificate, signing []byte, err error) {
	var first asn1.RawValue
	rest, err := asn1.Unmarshal(request, &first)
	if err != nil || len(rest) == 0 {
		return request, nil, nil // whoever issues says what is wrong with it
	}
	second, err := smx509.ParseCertificateRequest(rest)
	if err == nil {
		err = second.CheckSignature()
	}
	if err != nil {
		return nil, nil, refused(exchange.Text{ZH: "签名密钥的请求不是有效的 PKCS #10，或其签名与公钥不符", EN: "the signing key's request is no sound PKCS #10, or its signature is not by its key"})
	}
	key, ok := second.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != sm2.P256() {
		return nil, nil, refused(exchange.Text{ZH: "签名密钥不是 SM2", EN: "the signing key is not one of SM2"})
	}
	point, err := sm2.PublicKeyToECDH(key)
	if err != nil {
		return nil, nil, refused(exchange.Text{ZH: "签名密钥不是 SM2", EN: "the signing key is not one of SM2"})
	}
	return first.FullBytes, point.Bytes(), nil
}

// bySuite is the key as the roll has it: without an SM2 key that it does not name.
func bySuite(key crypto.Signer, s envelope.Suite) (crypto.Signer, error) {
	national, is := key.(*nationalKey)
	switch {
	case is && s == envelope.Standard:
		return national.PrivateKey, nil
	case !is && s == envelope.National:
		return nil, errors.New("it is to sign by SM2, and there is no such key")
	}
	return key, nil
}

// signingPEM is the SM2 key as a key file has it.
func (k *nationalKey) signingPEM() ([]byte, error) {
	der, err := smx509.MarshalPKCS8PrivateKey(k.signing)
	if err != nil {
		return nil, fmt.Errorf("write signing key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: signingBlock, Bytes: der}), nil
}

// withSigning gives the key of a key file, with the SM2 key that stands after the chain, if one does.
func withSigning(key ed25519.PrivateKey, rest []byte) (crypto.Signer, error) {
	for block, rest := pem.Decode(rest); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != signingBlock {
			continue
		}
		parsed, err := smx509.ParsePKCS8PrivateKey(block.Bytes)
		signing, ok := parsed.(*sm2.PrivateKey)
		if err != nil || !ok {
			return nil, errors.New("its signing key cannot be read") // the cause might show some of it
		}
		return &nationalKey{key, signing}, nil
	}
	return key, nil
}
