package doubts

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
)

// sealer is made for the work at hand, so that no key lies in memory that the authority has given up.
func (b *Book) sealer(ctx context.Context) (cipher.AEAD, error) {
	secret, err := b.cfg.Secret(ctx)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "yimen doubts text v1", 32)
	if err != nil {
		return nil, fmt.Errorf("derive key of doubts: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("set up cipher of doubts: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// written is a text as an entry has it: sealed, and bound to its place.
type written struct {
	sealed []byte
	place  string
}

// place tells where a text belongs: moved to another entry it does not open.
func place(doubt, entry string) string { return doubt + "\x00" + entry }

func (w written) open(with cipher.AEAD) (string, error) {
	if w.sealed == nil {
		return "", nil
	}
	plain, err := with.Open(nil, nil, w.sealed, []byte(w.place))
	if err != nil {
		return "", errors.New("open what a doubt says: it is not as it was sealed, or under another secret")
	}
	return string(plain), nil
}
