package envelope

import (
	"bytes"
	"math/bits"
	"sync"
)

// neighbours is how many messages of a batch share what was found out of the first of them: nearly all of their ways to the root
// are the same. A way costs a hash a step, 13 in a batch of 8,000; from a neighbour's it takes 3.
const neighbours = 1 << joins

// joins is at how many steps a neighbour's way can join.
const joins = 4

// keptPaths bounds the neighbourhoods that are remembered. Batches arrive interleaved over partitions.
const keptPaths = 4096

// path is the way of one message of a batch to the root, which a signature that holds is over.
type path struct {
	proven
	index    uint32
	nodes    [joins][hashSize]byte // its own, from the leaf upwards
	siblings [][hashSize]byte      // its proof
}

// vicinity names the neighbours in a batch. An adapter signs no two batches at one time.
type vicinity struct {
	by SignerID
	at int64
	of uint32
}

// paths are those that were seen last. They are safe for concurrent use.
type paths struct {
	mu sync.Mutex
	by map[vicinity]*path
}

func (s *signature) vicinity() vicinity { return vicinity{s.by, s.at, s.index / neighbours} }

func (p *paths) near(s *signature) *path {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.by[s.vicinity()]
}

func (p *paths) keep(s *signature, known *path) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.by == nil || len(p.by) >= keptPaths {
		p.by = map[vicinity]*path{}
	}
	p.by[s.vicinity()] = known
}

// leads says whether the message's way joins the one that is known and is the same from there on: then the root comes out as it
// did. False says nothing: the way must be gone to its end.
func (p *path) leads(s *signature, work *scratch, leaf [hashSize]byte) bool {
	if s.suite != p.suite || s.size != p.size || len(s.proof) != len(p.siblings) || !bytes.Equal(s.signed, p.signed[:p.length]) {
		return false
	}
	if s.index == p.index {
		return leaf == p.nodes[0] && p.continues(s, 0)
	}
	join := bits.Len32(s.index^p.index) - 1 // the step at which each is the other's sibling
	if join >= s.regular(s.index) || join >= s.regular(p.index) {
		return false
	}
	return s.climb(work, leaf, join, nil) == p.siblings[join] && [hashSize]byte(s.proof[join]) == p.nodes[join] && p.continues(s, join+1)
}

// continues says whether both proofs are the same from a step on.
func (p *path) continues(s *signature, from int) bool {
	for i := from; i < len(s.proof); i++ {
		if [hashSize]byte(s.proof[i]) != p.siblings[i] {
			return false
		}
	}
	return true
}

// regular is how many steps of a leaf's way come one by one from the leaf upwards. Those of the last leaves of a tree that is not
// full are fewer: beyond, some are left out.
func (s *signature) regular(index uint32) int { return bits.Len32(index ^ (s.size - 1)) }

// climb goes some regular steps from the leaf upwards, and notes the nodes it comes by, its first included.
func (s *signature) climb(work *scratch, node [hashSize]byte, steps int, by [][hashSize]byte) [hashSize]byte {
	for i := range steps {
		if i < len(by) {
			by[i] = node
		}
		if s.index>>i&1 == 0 {
			node = [hashSize]byte(work.HashChildren(node[:], s.proof[i]))
		} else {
			node = [hashSize]byte(work.HashChildren(s.proof[i], node[:]))
		}
	}
	if steps < len(by) {
		by[steps] = node
	}
	return node
}

// pathOf is the way of a message whose signature holds.
func pathOf(s *signature, work *scratch, leaf [hashSize]byte, known proven) *path {
	p := &path{proven: known, index: s.index, siblings: make([][hashSize]byte, len(s.proof))}
	for i := range s.proof {
		p.siblings[i] = [hashSize]byte(s.proof[i])
	}
	s.climb(work, leaf, min(len(p.nodes)-1, s.regular(s.index)), p.nodes[:])
	return p
}
