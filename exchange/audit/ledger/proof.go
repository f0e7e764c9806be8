package ledger

import (
	"bytes"
	"fmt"

	"github.com/transparency-dev/formats/proof"
	merkle "github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/onedoor/yimen/exchange"
)

// Proven is what a proof proves: that the leaf at Index of the log that the checkpoint is of is the one shown.
type Proven struct {
	Index      uint64 `json:"index"`
	Size       uint64 `json:"size"` // of the checkpoint
	Checkpoint string `json:"checkpoint"`
}

// VerifyProof checks a proof that Ledger.Proof made, for the entry's bytes, by the keys alone. An error is a Problem that says what
// does not hold.
func VerifyProof(keys Keys, text, entry []byte) (Proven, error) {
	t, err := keys.trust()
	if err != nil {
		return Proven{}, badKeys(err)
	}
	var p proof.TLogProof
	if err := p.Unmarshal(text); err != nil {
		return Proven{}, disproved(err)
	}
	data := append(append(bytes.Clone(p.ExtraData), '\n'), entry...)
	if l, err := parseLeaf(data); err != nil || l.kind != entryLeaf {
		return Proven{}, disproved(errNoLeaf)
	}
	return t.proven(text, data)
}

// proven checks the proof of a leaf.
func (t trust) proven(text, data []byte) (Proven, error) {
	var p proof.TLogProof
	if err := p.Unmarshal(text); err != nil || !bytes.Equal(p.Marshal(), text) {
		return Proven{}, disproved(fmt.Errorf("form of the proof: %w", errMalformed))
	}
	r, err := t.open(p.Checkpoint)
	if err != nil {
		return Proven{}, disproved(err)
	}
	l, err := readLeaf(p.Index, data)
	if err != nil || !bytes.Equal(append(p.ExtraData, '\n'), l.head()) {
		return Proven{}, disproved(errNoLeaf)
	}
	hashes := make([][]byte, len(p.Hashes))
	for i := range p.Hashes {
		hashes[i] = p.Hashes[i][:]
	}
	if err := merkle.VerifyInclusion(rfc6962.DefaultHasher, p.Index, r.size, rfc6962.DefaultHasher.HashLeaf(data), hashes, r.hash); err != nil {
		return Proven{}, disproved(fmt.Errorf("leaf %d is not under the checkpoint: %w", p.Index, errForked))
	}
	return Proven{Index: p.Index, Size: r.size, Checkpoint: string(p.Checkpoint)}, nil
}

func disproved(err error) error {
	return &exchange.Problem{Code: "YM-AUD-0103", Kind: exchange.Invalid, Err: err,
		What: text("证明不成立", "the proof does not hold"),
		Why:  text("记录、证明或检查点不相符，或不是由指定的密钥签署", "the entry, the proof and the checkpoint do not belong together, or other keys signed"),
		Mend: text("核对公钥；公钥无误的，保留这些文件并报告", "check the keys; if they are right, keep the files and report it")}
}
