package ledger

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/tessera/client"
)

// Exported is a leaf with the proof that it is in the log, which anybody can check without the log.
type Exported struct {
	Index uint64 `json:"index"`
	Leaf  string `json:"leaf"`  // its bytes: a line, and for an entry the entry as it lies in the topic
	Proof string `json:"proof"` // of C2SP's tlog-proof, with the checkpoint
}

// rebuilt is after how many leaves the tiles kept for proofs are dropped.
const rebuilt = 64 * width

// Export hands over the leaves from one on, up to another (0: all that are published), each with its proof. They are all under one
// checkpoint, which was checked by the keys; the proofs were not: Verify does that.
func Export(ctx context.Context, source Source, keys Keys, from, to uint64, handle func(Exported) error) error {
	t, err := keys.trust()
	if err != nil {
		return badKeys(err)
	}
	raw, err := source.ReadCheckpoint(ctx)
	if err != nil {
		return unreadable(err)
	}
	r, err := t.open(raw)
	if err != nil {
		return disproved(err)
	}
	if to == 0 || to > r.size {
		to = r.size
	}
	var proofs *client.ProofBuilder
	var leaves [][]byte
	for at := from; at < to; at++ {
		if proofs == nil || at%rebuilt == 0 {
			if proofs, err = client.NewProofBuilder(ctx, r.size, source.ReadTile); err != nil {
				return unreadable(err)
			}
		}
		if leaves == nil || at%width == 0 {
			if leaves, err = bundleOf(ctx, source.ReadEntryBundle, at/width, r.size); err != nil {
				return unreadable(err)
			}
		}
		e, err := exported(ctx, proofs, at, leaves[at%width], raw)
		if err == nil {
			err = handle(e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func exported(ctx context.Context, proofs *client.ProofBuilder, at uint64, data, checkpoint []byte) (Exported, error) {
	l, err := readLeaf(at, data)
	if err != nil {
		return Exported{}, unreadable(err)
	}
	path, err := proofs.InclusionProof(ctx, at)
	if err != nil {
		return Exported{}, unreadable(fmt.Errorf("prove leaf %d: %w", at, err))
	}
	return Exported{Index: at, Leaf: string(data), Proof: string(proofText(&l, path, checkpoint))}, nil
}

// proofText writes a proof. Its extra data is the leaf's line, without which nobody who has the entry could make the leaf.
func proofText(l *leaf, path [][]byte, checkpoint []byte) []byte {
	head := l.head()
	p := proof.TLogProof{Index: uint64(l.offset), Checkpoint: checkpoint, ExtraData: head[:len(head)-1]}
	for _, hash := range path {
		p.Hashes = append(p.Hashes, [sha256.Size]byte(hash))
	}
	return p.Marshal()
}

// Verify checks the proof by the keys alone.
func (e Exported) Verify(keys Keys) (Proven, error) {
	t, err := keys.trust()
	if err != nil {
		return Proven{}, badKeys(err)
	}
	p, err := t.proven([]byte(e.Proof), []byte(e.Leaf))
	if err == nil && p.Index != e.Index {
		return Proven{}, disproved(errNoLeaf)
	}
	return p, err
}
