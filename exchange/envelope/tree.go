package envelope

import (
	"math/bits"

	"github.com/transparency-dev/merkle/rfc6962"
)

// tree is a Merkle tree as RFC 6962 (2.1) describes it: level 0 has the leaves' hashes, the last level is the root alone. A
// node without a sibling is carried up unchanged, which is the same as splitting at the largest power of two.
type tree [][][hashSize]byte

// grow builds the tree over at least one leaf.
func grow(a algorithms, leaves [][hashSize]byte) tree {
	t := tree{leaves}
	for below := leaves; len(below) > 1; {
		level := make([][hashSize]byte, 0, (len(below)+1)/2)
		for i := 0; i+1 < len(below); i += 2 {
			level = append(level, hashNode(a, below[i][:], below[i+1][:]))
		}
		if len(below)%2 == 1 {
			level = append(level, below[len(below)-1])
		}
		t = append(t, level)
		below = level
	}
	return t
}

func (t tree) root() [hashSize]byte { return t[len(t)-1][0] }

// appendPath appends the hashes that lead from a leaf to the root, the lowest first.
func (t tree) appendPath(out []byte, index int) []byte {
	for _, level := range t {
		if sibling := index ^ 1; sibling < len(level) {
			out = append(out, level[sibling][:]...)
		}
		index >>= 1
	}
	return out
}

// pathLength is how many hashes lead from the leaf to the root of a tree of that size.
func pathLength(index, size uint32) int {
	inner := bits.Len32(index ^ (size - 1))
	return inner + bits.OnesCount32(index>>inner)
}

func hashNode(a algorithms, left, right []byte) [hashSize]byte {
	var node [1 + 2*hashSize]byte
	node[0] = rfc6962.RFC6962NodeHashPrefix
	copy(node[1:], left)
	copy(node[1+hashSize:], right)
	return a.sum(node[:])
}

// hasher hashes a suite's trees for the library that verifies proofs.
type hasher struct{ algorithms }

func (h hasher) EmptyRoot() []byte { sum := h.sum(nil); return sum[:] }

func (h hasher) HashLeaf(leaf []byte) []byte {
	sum := h.sum(append([]byte{rfc6962.RFC6962LeafHashPrefix}, leaf...))
	return sum[:]
}

func (h hasher) HashChildren(left, right []byte) []byte {
	sum := hashNode(h.algorithms, left, right)
	return sum[:]
}

func (h hasher) Size() int { return hashSize }
