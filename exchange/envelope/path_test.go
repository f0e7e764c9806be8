package envelope

import (
	"slices"
	"testing"
)

// TestNeighbourLeads: what a neighbour's way vouches for is what the whole way would have come to, down to the last byte of the proof.
func TestNeighbourLeads(t *testing.T) {
	work := &scratch{algorithms: standard{}}
	for size := 1; size <= 70; size++ {
		leaves := make([]leaf, size)
		for i := range leaves {
			leaves[i].hash = standard{}.sum([]byte{leafPrefix, byte(i)})
		}
		root := tree(standard{}, leaves)
		signatures := make([]signature, size)
		for i := range leaves {
			signatures[i] = signature{suite: Standard, size: uint32(size), index: uint32(i), signed: []byte("s"), proof: slices.Collect(slices.Chunk(leaves[i].header, hashSize))}
		}
		led := 0
		for i := range signatures {
			p := pathOf(&signatures[i], work, leaves[i].hash, proven{statement: statement{suite: Standard, size: uint32(size), root: root}, signed: [maxSignature]byte{'s'}, length: 1})
			for j := range signatures {
				s := signatures[j]
				if s.vicinity() != signatures[i].vicinity() || !p.leads(&s, work, leaves[j].hash) {
					continue
				}
				led++
				refuses(t, p, s, leaves[j].hash)
			}
		}
		others := (size - 1) / neighbours * neighbours // all but the last neighbours, whose ways can be short of a step
		if led < size || led < others*neighbours {
			t.Errorf("%d leaves: neighbours led %d times", size, led)
		}
	}
}

// refuses spoils each part of a signature that led to the root.
func refuses(t *testing.T, p *path, s signature, leaf [hashSize]byte) {
	t.Helper()
	work := &scratch{algorithms: standard{}}
	for i := range s.proof {
		spoilt := s
		spoilt.proof = slices.Clone(s.proof)
		spoilt.proof[i] = slices.Clone(s.proof[i])
		spoilt.proof[i][hashSize-1] ^= 1
		if p.leads(&spoilt, work, leaf) {
			t.Errorf("leaf %d of %d by %d: step %d of the proof does not count", s.index, s.size, p.index, i)
		}
	}
	for name, spoil := range map[string]func(s *signature, leaf *[hashSize]byte){
		"another leaf":      func(_ *signature, l *[hashSize]byte) { l[0] ^= 1 },
		"another signature": func(s *signature, _ *[hashSize]byte) { s.signed = []byte("t") },
		"another size":      func(s *signature, _ *[hashSize]byte) { s.size++ },
		"another suite":     func(s *signature, _ *[hashSize]byte) { s.suite = National },
		"a longer proof":    func(s *signature, _ *[hashSize]byte) { s.proof = append(slices.Clone(s.proof), make([]byte, hashSize)) },
	} {
		spoilt, of := s, leaf
		spoil(&spoilt, &of)
		if p.leads(&spoilt, work, of) {
			t.Errorf("leaf %d of %d by %d: %s is taken", s.index, s.size, p.index, name)
		}
	}
}
