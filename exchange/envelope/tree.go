package envelope

import (
	"math/bits"

	"github.com/transparency-dev/merkle"
)

// treeHasher hashes a Merkle tree as RFC 6962 has it, with the hash of a suite.
type treeHasher struct{ algorithms }

var _ merkle.LogHasher = treeHasher{}

// The first byte of what is hashed keeps a leaf from passing for a node, and a node for a leaf.
const (
	leafMark = 0x00
	nodeMark = 0x01
)

func (h treeHasher) EmptyRoot() []byte { return h.hash(nil) }

func (h treeHasher) HashLeaf(leaf []byte) []byte {
	return h.hash(append(append(make([]byte, 0, 1+len(leaf)), leafMark), leaf...))
}

func (h treeHasher) HashChildren(left, right []byte) []byte {
	return h.hash(append(append(append(make([]byte, 0, 1+2*hashSize), nodeMark), left...), right...))
}

func (h treeHasher) Size() int { return hashSize }

func (h treeHasher) hash(marked []byte) []byte {
	sum := h.sum(marked)
	return sum[:]
}

// tree is a whole Merkle tree: levels[0] are the leaves' hashes, the last level is the root alone. A node without a
// neighbour goes up as it is, which yields RFC 6962's tree.
type tree struct{ levels [][][hashSize]byte }

// grow builds the tree over at least one leaf.
func grow(a algorithms, leaves [][hashSize]byte) tree {
	t := tree{levels: [][][hashSize]byte{leaves}}
	var node [1 + 2*hashSize]byte
	node[0] = nodeMark
	for below := leaves; len(below) > 1; {
		level := make([][hashSize]byte, 0, (len(below)+1)/2)
		for i := 0; i+1 < len(below); i += 2 {
			copy(node[1:], below[i][:])
			copy(node[1+hashSize:], below[i+1][:])
			level = append(level, a.sum(node[:]))
		}
		if len(below)%2 == 1 {
			level = append(level, below[len(below)-1])
		}
		t.levels = append(t.levels, level)
		below = level
	}
	return t
}

func (t tree) root() [hashSize]byte { return t.levels[len(t.levels)-1][0] }

// appendPath appends the inclusion proof of a leaf, from the bottom to the top.
func (t tree) appendPath(out []byte, index int) []byte {
	for _, level := range t.levels {
		if sibling := index ^ 1; sibling < len(level) {
			out = append(out, level[sibling][:]...)
		}
		index /= 2
	}
	return out
}

// pathBound is the longest a path can be in a tree of that many leaves.
func pathBound(size int) int { return bits.Len(uint(size)) * hashSize }
