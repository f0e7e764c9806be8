package envelope

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// A signature header is: format, suite, the signer's certificate, the signing time in nanoseconds since 1970, how many messages
// the batch has, which of them this is, how many hashes its proof has, the hashes, and the signature to the end.
const (
	signatureFormat = 0x01
	signatureHead   = 1 + 1 + len(SignerID{}) + 8 + 4 + 4 + 1
	maxProof        = 32   // hashes: a batch of 2^32 messages
	maxSignature    = 1024 // bytes
)

// signature is a signature header.
type signature struct {
	suite  Suite
	by     SignerID
	at     int64 // nanoseconds since 1970
	size   uint32
	index  uint32
	proof  [][]byte
	signed []byte
}

// context keeps a batch's signature from passing for one of anything else.
const signingContext = "yimen batch v1\n"

// statement is what a batch's signature is over: who signs when, and the root over how many messages.
func statement(s Suite, adapter exchange.Adapter, at int64, size uint32, root []byte) []byte {
	out := append(make([]byte, 0, 128), signingContext...)
	out = append(out, byte(s))
	out = appendText(out, string(adapter))
	out = binary.BigEndian.AppendUint64(out, uint64(at))
	out = binary.BigEndian.AppendUint32(out, size)
	return append(out, root...)
}

// Sign signs all messages of the batch with one signature, and puts into each the signature and its own proof. It must be called
// once, after the last message was made and before the first is stored or appended.
func (b *Batch) Sign(groups ...[]exchange.Message) error {
	var leaves []leaf
	for _, group := range groups {
		for i := range group {
			leaves = append(leaves, leaf{message: &group[i]})
		}
	}
	if len(leaves) == 0 {
		return nil
	}
	a, at := suites[b.sealer.suite], b.sealer.now().UnixNano()
	depth := bits.Len(uint(len(leaves) - 1))
	for i := range leaves {
		l := &leaves[i]
		b.buffer = appendLeaf(b.buffer[:0], l.message)
		l.hash = a.sum(b.buffer)
		l.header = append(make([]byte, 0, signatureHead+depth*hashSize+96), signatureFormat, byte(b.sealer.suite))
		l.header = l.header[:signatureHead]
		binary.BigEndian.PutUint64(l.header[signatureHead-17:], uint64(at))
		binary.BigEndian.PutUint32(l.header[signatureHead-9:], uint32(len(leaves)))
		binary.BigEndian.PutUint32(l.header[signatureHead-5:], uint32(i))
	}
	root := tree(a, leaves)
	signed, by, err := b.sealer.signer.Sign(statement(b.sealer.suite, b.sealer.adapter, at, uint32(len(leaves)), root[:]))
	if err != nil {
		return fmt.Errorf("sign as %s: %w", b.sealer.adapter, err)
	}
	for i := range leaves {
		h := leaves[i].header
		copy(h[2:], by[:])
		h[signatureHead-1] = byte((len(h) - signatureHead) / hashSize)
		m := leaves[i].message
		m.Headers = append(m.Headers, exchange.Header{Name: headerSignature, Value: append(h, signed...)})
	}
	return nil
}

// leaf is one message of a batch on its way into the tree. Its header gathers the proof.
type leaf struct {
	message *exchange.Message
	hash    [hashSize]byte
	header  []byte
}

// The prefixes of RFC 6962, section 2.1: no leaf passes for an inner node.
const (
	leafPrefix  = 0x00
	innerPrefix = 0x01
)

// appendLeaf writes what a message's leaf is the hash of: everything that is signed of it. Its parts have their lengths in
// front, the value is the last; a tombstone differs from an empty value by its kind.
func appendLeaf(out []byte, m *exchange.Message) []byte {
	return append(appendBound(append(out, leafPrefix), m), m.Value...)
}

// tree is the root over the leaves, which must be some, and appends to each leaf's header the hashes that lead to it.
func tree(a algorithms, leaves []leaf) [hashSize]byte {
	if len(leaves) == 1 {
		return leaves[0].hash
	}
	split := 1 << (bits.Len(uint(len(leaves)-1)) - 1) // the largest power of two below
	left, right := tree(a, leaves[:split]), tree(a, leaves[split:])
	for i := range leaves {
		other := &right
		if i >= split {
			other = &left
		}
		leaves[i].header = append(leaves[i].header, other[:]...)
	}
	return inner(a, left[:], right[:])
}

func inner(a algorithms, left, right []byte) [hashSize]byte {
	var both [1 + 2*hashSize]byte
	both[0] = innerPrefix
	copy(both[1:], left)
	copy(both[1+hashSize:], right)
	return a.sum(both[:])
}

// readSignature reads a signature header.
func readSignature(header []byte) (s signature, ok bool) {
	if len(header) < signatureHead || header[0] != signatureFormat || suites[Suite(header[1])] == nil {
		return s, false
	}
	s.suite, s.by = Suite(header[1]), SignerID(header[2:])
	s.at = int64(binary.BigEndian.Uint64(header[signatureHead-17:]))
	s.size, s.index = binary.BigEndian.Uint32(header[signatureHead-9:]), binary.BigEndian.Uint32(header[signatureHead-5:])
	n, rest := int(header[signatureHead-1]), header[signatureHead:]
	if n > maxProof || len(rest) < n*hashSize || len(rest)-n*hashSize > maxSignature || s.index >= s.size {
		return s, false
	}
	s.proof = make([][]byte, n)
	for i := range s.proof {
		s.proof[i], rest = rest[:hashSize], rest[hashSize:]
	}
	s.signed = rest
	return s, len(rest) > 0
}

// root is the root that the proof leads to from the message (RFC 9162, section 2.1.3.2).
func (s *signature) root(m *exchange.Message, buffer []byte) (root [hashSize]byte, used []byte, ok bool) {
	a := suites[s.suite]
	buffer = appendLeaf(buffer[:0], m)
	root = a.sum(buffer)
	node, last := s.index, s.size-1
	for _, p := range s.proof {
		switch {
		case last == 0:
			return root, buffer, false // the proof is too long
		case node&1 == 1 || node == last:
			root = inner(a, p, root[:])
			for node&1 == 0 && node != 0 {
				node, last = node>>1, last>>1
			}
		default:
			root = inner(a, root[:], p)
		}
		node, last = node>>1, last>>1
	}
	return root, buffer, last == 0
}

// signedAt is when the signature says that it was made.
func (s *signature) signedAt() time.Time { return time.Unix(0, s.at).UTC() }
