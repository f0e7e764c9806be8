package envelope

import (
	"crypto/cipher"
	"hash"
)

// algorithms are what a suite is made of. They are pure and safe for concurrent use.
type algorithms interface {
	// newHash makes the hash for MACs, and sum is the same at one go.
	newHash() hash.Hash
	sum(data []byte) [hashSize]byte

	// newAEAD seals under a data key of keySize bytes; nonces have 12 bytes, tags 16.
	newAEAD(key []byte) (cipher.AEAD, error)
	keySize() int

	// openingKey derives a private key from a secret, and sealingKey reads what bytes wrote of its public half. A data key
	// has wrapSize bytes once it is wrapped.
	openingKey(secret []byte) (openingKey, error)
	sealingKey(raw []byte) (sealingKey, error)
	wrapSize() int
	// mark stands in front of a public key, so that no other bytes pass for one: what is sealed to them could never be
	// opened again.
	mark() string

	// verify says whether the signature of the message is the public key's; see Signatory for how that is written.
	verify(public, message, signature []byte) bool
}

// openingKey is the exchange's private key.
type openingKey interface {
	unwrap(wrapped []byte) ([]byte, error)
	public() []byte
}

// sealingKey is its public half.
type sealingKey interface {
	wrap(key []byte) ([]byte, error)
}

// hashSize is the size of either suite's hash.
const hashSize = 32

// wrapPurpose keeps a wrapped data key from passing for anything else that was sealed to the exchange.
const wrapPurpose = "yimen batch key v1"

// suites are all there are. The order is that of trying.
var suites = map[Suite]algorithms{Standard: standard{}, National: national{}}
