package envelope

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/sha256"
	"fmt"
	"hash"
)

// standard is Ed25519 (RFC 8032), SHA-256, AES-256-GCM, and HPKE (RFC 9180) over X25519.
type standard struct{}

func (standard) newHash() hash.Hash             { return sha256.New() }
func (standard) sum(data []byte) [hashSize]byte { return sha256.Sum256(data) }

func (standard) keySize() int { return 32 }

func (standard) newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("set up cipher: %w", err)
	}
	return cipher.NewGCM(block)
}

func (standard) mark() string  { return "yimen-exchange-key-1 " }
func (standard) wrapSize() int { return 32 + 32 + 16 } // encapsulated key, data key, tag

func kem() hpke.KEM { return hpke.DHKEM(ecdh.X25519()) }

func (standard) openingKey(secret []byte) (openingKey, error) {
	key, err := kem().DeriveKeyPair(secret)
	if err != nil {
		return nil, fmt.Errorf("derive sealing key: %w", err)
	}
	return x25519Opening{key}, nil
}

func (standard) sealingKey(raw []byte) (sealingKey, error) {
	key, err := kem().NewPublicKey(raw)
	if err != nil {
		return nil, fmt.Errorf("read sealing key: %w", err)
	}
	return x25519Sealing{key}, nil
}

type x25519Opening struct{ key hpke.PrivateKey }

func (k x25519Opening) public() []byte { return k.key.PublicKey().Bytes() }

func (k x25519Opening) unwrap(wrapped []byte) ([]byte, error) {
	return hpke.Open(k.key, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(wrapPurpose), wrapped)
}

type x25519Sealing struct{ key hpke.PublicKey }

func (k x25519Sealing) wrap(key []byte) ([]byte, error) {
	wrapped, err := hpke.Seal(k.key, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(wrapPurpose), key)
	if err != nil {
		return nil, fmt.Errorf("wrap batch key: %w", err)
	}
	return wrapped, nil
}

func (standard) verify(public, message, signature []byte) bool {
	return len(public) == ed25519.PublicKeySize && ed25519.Verify(public, message, signature)
}
