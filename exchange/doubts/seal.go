package doubts

import (
	"bytes"
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

// written is a text as an entry has it: sealed and bound to its place, or the digest of one that stands on the TextsTopic.
type written struct {
	sealed, digest []byte
	doubt, entry   string
}

// place tells where a text belongs: moved to another entry it does not open.
func place(doubt, entry string) string { return doubt + "\x00" + entry }

// read opens a text; empty: there is none, or it was erased.
func (b *Book) read(ctx context.Context, w written, with cipher.AEAD) (string, error) {
	if w.digest == nil {
		return w.open(w.sealed, with)
	}
	sealed, err := b.texts.get(ctx, textKey(w.doubt, w.entry))
	if err != nil || sealed == nil {
		return "", err
	}
	if sum := sha256.Sum256(sealed); !bytes.Equal(sum[:], w.digest) {
		return "", errNotAsSealed
	}
	return w.open(sealed, with)
}

var errNotAsSealed = errors.New("open what a doubt says: it is not as it was sealed, or under another secret")

func (w written) open(sealed []byte, with cipher.AEAD) (string, error) {
	if sealed == nil {
		return "", nil
	}
	plain, err := with.Open(nil, nil, sealed, []byte(place(w.doubt, w.entry)))
	if err != nil {
		return "", errNotAsSealed
	}
	return string(plain), nil
}
