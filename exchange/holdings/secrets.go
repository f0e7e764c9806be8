package holdings

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"
	"sync"

	"github.com/onedoor/yimen/exchange"
)

const (
	keySize  = 32
	sealSize = 12 + 16 // what sealing adds: nonce and tag
)

// secrets holds the keys that stand between the engine's rows and what they mean.
type secrets struct {
	macs *sync.Pool  // of *mac, HMAC-SHA256 under the token key
	rows cipher.AEAD // seals rows; it draws a nonce for each and puts it in front
}

// newSecrets derives the key of the rows from the sealing key and the index's salt, so that an index built anew
// under the same sealing key uses another one.
func newSecrets(keys Keys, salt []byte) (*secrets, error) {
	key, err := hkdf.Key(sha256.New, keys.Seal, salt, "yimen index rows v1", keySize)
	if err != nil {
		return nil, fmt.Errorf("derive key of index rows: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("set up cipher of index rows: %w", err)
	}
	rows, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("set up cipher of index rows: %w", err)
	}
	tokenKey := append([]byte(nil), keys.Token...)
	return &secrets{rows: rows, macs: &sync.Pool{New: func() any { return &mac{Hash: hmac.New(sha256.New, tokenKey)} }}}, nil
}

// token is the same for a holder in every index under the same key, and says nothing without it.
func (s *secrets) token(h exchange.Holder) token { return s.mac(string(h.Kind), h.Number) }

// check tells one pair of keys from another without telling anything of them.
func (s *secrets) check(salt []byte) []byte {
	mac := s.mac("", "index check")
	return append(mac[:], s.rows.Seal(nil, nil, nil, salt)...)
}

// fits says whether check was made under the same keys.
func (s *secrets) fits(check, salt []byte) bool {
	mac := s.mac("", "index check")
	if len(check) < len(mac) || !hmac.Equal(check[:len(mac)], mac[:]) {
		return false
	}
	_, err := s.rows.Open(nil, nil, check[len(mac):], salt)
	return err == nil
}

// mac is an HMAC together with what goes in and comes out.
type mac struct {
	hash.Hash
	text []byte
}

func (s *secrets) mac(kind, number string) token {
	m := s.macs.Get().(*mac)
	defer s.macs.Put(m)
	m.Reset()
	m.text = append(append(append(m.text[:0], kind...), 0), number...)
	m.Write(m.text)
	m.text = m.Sum(m.text[:0])
	return token(m.text)
}

// seal encrypts a row; only under the same key does it open again.
func (s *secrets) seal(to, key, plain []byte) []byte { return s.rows.Seal(to, nil, plain, key) }

// open appends what a row says.
func (s *secrets) open(to, key, sealed []byte) ([]byte, error) {
	plain, err := s.rows.Open(to, nil, sealed, key)
	if err != nil {
		return nil, errDamaged
	}
	return plain, nil
}

// unseal appends what a row says to a slice.
func (x *Index) unseal(ctx context.Context, to, key, sealed []byte) ([]byte, error) {
	secrets, err := x.secrets.Get(ctx)
	if err != nil {
		return nil, err
	}
	return secrets.open(to, key, sealed)
}
