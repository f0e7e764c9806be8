package audit

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
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
	// Size is how many receipts one signature is over, where it is over several: then it is over their number and the root of the
	// Merkle tree (RFC 6962, SHA-256) whose leaves are what each would have been signed over alone. Index says which of them this
	// is, from 0, and Path has the hashes of its inclusion proof one after the other, in Base64.
	Size  uint64 `json:"size,omitzero"`
	Index uint64 `json:"index,omitzero"`
	Path  string `json:"path,omitempty"`
}

// ErrReceipt is what a receipt yields that does not hold.
var ErrReceipt = errors.New("receipt does not hold")

// receiptContext keeps a signature of a receipt from passing for one of anything else, receiptsContext that of several.
const (
	receiptContext  = "yimen audit receipt v1"
	receiptsContext = "yimen audit receipts v1"
)

// statement is what the signature of a receipt alone is over: four lines, the time as JSON has it.
func (r *Receipt) statement() []byte {
	text := make([]byte, 0, 160)
	for _, line := range [...]string{receiptContext, r.ID, r.Hash} {
		text = append(append(text, line...), '\n')
	}
	return append(r.Time.UTC().AppendFormat(text, time.RFC3339Nano), '\n')
}

// together is what one signature of several receipts is over: three lines, the root in hexadecimal.
func together(size uint64, root []byte) []byte {
	return fmt.Appendf(nil, "%s\n%d\n%x\n", receiptsContext, size, root)
}

// signed is what the receipt's signature is over; false: nothing is, with such a path.
func (r *Receipt) signed() ([]byte, bool) {
	if r.Size == 0 && r.Index == 0 && r.Path == "" {
		return r.statement(), true
	}
	path, err := base64.StdEncoding.Strict().DecodeString(r.Path)
	if err != nil || r.Size < 2 || len(path)%sha256.Size != 0 {
		return nil, false
	}
	leaf := rfc6962.DefaultHasher.HashLeaf(r.statement())
	root, err := proof.RootFromInclusionProof(rfc6962.DefaultHasher, r.Index, r.Size, leaf, slices.Collect(slices.Chunk(path, sha256.Size)))
	if err != nil {
		return nil, false
	}
	return together(r.Size, root), true
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
	signed, sound := r.signed()
	if err != nil || !sound || len(public) != ed25519.PublicKeySize || r.Key != KeyName(public) || !ed25519.Verify(public, signed, signature) {
		return fmt.Errorf("signature: %w", ErrReceipt)
	}
	e, err := Parse([]byte(r.ID), entry)
	if err != nil || !e.Time.Equal(r.Time) {
		return fmt.Errorf("id and time of the entry: %w", ErrReceipt)
	}
	return nil
}
