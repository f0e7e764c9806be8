package audit

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Receipt (回执) proves that an entry was made. With the entry's bytes at hand, Hash proves which; Signature proves that the
// exchange said so, from the moment of the answer and without asking it again.
type Receipt struct {
	ID        string    `json:"id"`
	Time      time.Time `json:"time"`
	Hash      string    `json:"hash"` // SHA-256 of the entry as it lies in the topic, in hexadecimal
	Partition int       `json:"partition"`
	Offset    int64     `json:"offset"`
	Key       string    `json:"key,omitempty"`       // the KeyName of whose signature it is
	Signature string    `json:"signature,omitempty"` // Ed25519, in Base64, over the context, the id, the hash and the time
}

// ErrReceipt is what a receipt yields that does not hold.
var ErrReceipt = errors.New("receipt does not hold")

// receiptContext keeps a signature of a receipt from passing for one of anything else.
const receiptContext = "yimen audit receipt v1"

// signed is what a receipt's signature is over: four lines, the time as JSON has it.
func (r *Receipt) signed() []byte {
	text := make([]byte, 0, 160)
	for _, line := range [...]string{receiptContext, r.ID, r.Hash} {
		text = append(append(text, line...), '\n')
	}
	return append(r.Time.UTC().AppendFormat(text, time.RFC3339Nano), '\n')
}

// signer signs receipts; the zero value leaves them as they are.
type signer struct {
	key  ed25519.PrivateKey
	name string
}

func (s *signer) sign(r *Receipt) {
	if s.key == nil {
		return
	}
	r.Key = s.name
	r.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(s.key, r.signed()))
}

// KeyName is a short name for a public key: the first eight bytes of its SHA-256.
func KeyName(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:8])
}

// VerifyReceipt says whether the receipt is the exchange's, and for just this entry: the bytes as they lie in the topic and the
// log. Where it fails the error is ErrReceipt.
func VerifyReceipt(public ed25519.PublicKey, r Receipt, entry []byte) error {
	sum := sha256.Sum256(entry)
	if r.Hash != hex.EncodeToString(sum[:]) {
		return fmt.Errorf("hash of the entry: %w", ErrReceipt)
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(r.Signature)
	if err != nil || len(public) != ed25519.PublicKeySize || r.Key != KeyName(public) || !ed25519.Verify(public, r.signed(), signature) {
		return fmt.Errorf("signature: %w", ErrReceipt)
	}
	e, err := Parse([]byte(r.ID), entry)
	if err != nil || !e.Time.Equal(r.Time) {
		return fmt.Errorf("id and time of the entry: %w", ErrReceipt)
	}
	return nil
}
