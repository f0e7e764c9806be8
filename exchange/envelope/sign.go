package envelope

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"sync"
	"time"

	"github.com/transparency-dev/merkle"
	"github.com/transparency-dev/merkle/proof"

	"github.com/onedoor/yimen/exchange"
)

// A signature header is: format, suite, the signer's certificate, the signing time in nanoseconds since 1970, how many messages
// the batch has, which of them this is, how many hashes its proof has, the hashes, and the signature to the end.
const (
	signatureFormat = 0x01
	signatureHead   = 1 + 1 + len(SignerID{}) + 8 + 4 + 4 + 1
	maxProof        = 32  // hashes: a batch of 2^32 messages
	maxSignature    = 128 // bytes
	usualSignature  = 72  // at most, of either suite
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

// signingContext keeps a batch's signature from passing for one of anything else.
const signingContext = "yimen batch v1\n"

// statement is what a batch's signature is over: who signs when by which certificate, and the root over how many messages.
type statement struct {
	suite   Suite
	adapter exchange.Adapter
	by      SignerID
	at      int64
	size    uint32
	root    [hashSize]byte
}

func (s *statement) append(out []byte) []byte {
	out = append(append(out, signingContext...), byte(s.suite))
	out = appendText(out, string(s.adapter))
	out = append(out, s.by[:]...)
	out = binary.BigEndian.AppendUint64(out, uint64(s.at))
	out = binary.BigEndian.AppendUint32(out, s.size)
	return append(out, s.root[:]...)
}

// sign has the adapter's signer sign. A signature says by which certificate it is, and only the signer knows which is current: it
// is taken for the one of the last signature, and where that is over, asked for once more.
func (s *Sealer) sign(said *statement) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range 3 {
		said.by = s.by
		signed, by, err := s.signer.Sign(said.append(nil))
		if err != nil {
			return nil, fmt.Errorf("sign as %s: %w", s.adapter, err)
		}
		if s.by = by; by == said.by {
			return signed, nil
		}
	}
	return nil, fmt.Errorf("sign as %s: every signature is by another certificate", s.adapter)
}

// signingTime is now, and later than any signing time before: what was signed later stands later.
func (s *Sealer) signingTime() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signed = max(s.now().UnixNano(), s.signed+1)
	return s.signed
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
	a := suites[b.sealer.suite]
	said := statement{suite: b.sealer.suite, adapter: b.sealer.adapter, at: b.sealer.signingTime(), size: uint32(len(leaves))}
	b.begin(a, leaves, said.at)
	said.root = tree(a, leaves)
	signed, err := b.sealer.sign(&said)
	if err != nil {
		return err
	}
	for i := range leaves {
		h := leaves[i].header
		copy(h[2:], said.by[:])
		h[signatureHead-1] = byte((len(h) - signatureHead) / hashSize)
		m := leaves[i].message
		m.Headers = append(m.Headers, exchange.Header{Name: headerSignature, Value: append(h, signed...)})
	}
	return nil
}

// Renew signs messages anew, in place of their signatures, if one was signed by a certificate that is not current any more: what
// waited while a certificate was revoked would be refused for ever. Otherwise it leaves them as they are.
func (s *Sealer) Renew(groups ...[]exchange.Message) error {
	_, current, err := s.signer.Sign([]byte("yimen which certificate\n"))
	if err != nil {
		return fmt.Errorf("sign as %s: %w", s.adapter, err)
	}
	stale := false
	for _, group := range groups {
		for i := range group {
			by, ok := readSignature(headerBytes(&group[i], headerSignature))
			stale = stale || !ok || by.by != current
		}
	}
	if !stale {
		return nil
	}
	for _, group := range groups {
		for i := range group {
			group[i].Headers = slices.DeleteFunc(group[i].Headers, func(h exchange.Header) bool { return h.Name == headerSignature })
		}
	}
	return s.Batch().Sign(groups...)
}

// begin hashes the messages and begins their headers, all in one piece of memory.
func (b *Batch) begin(a algorithms, leaves []leaf, at int64) {
	room := signatureHead + bits.Len(uint(len(leaves)-1))*hashSize + usualSignature
	all := make([]byte, room*len(leaves))
	for i := range leaves {
		l := &leaves[i]
		b.buffer = appendLeaf(b.buffer[:0], l.message)
		l.hash = a.sum(b.buffer)
		l.header = all[i*room : i*room+signatureHead : (i+1)*room]
		l.header[0], l.header[1] = signatureFormat, byte(b.sealer.suite)
		binary.BigEndian.PutUint64(l.header[signatureHead-17:], uint64(at))
		binary.BigEndian.PutUint32(l.header[signatureHead-9:], uint32(len(leaves)))
		binary.BigEndian.PutUint32(l.header[signatureHead-5:], uint32(i))
	}
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

// leaf is what the message is in the tree of its batch.
func (s *signature) leaf(m *exchange.Message, work *scratch) [hashSize]byte {
	work.algorithms = suites[s.suite]
	work.bytes = appendLeaf(work.bytes[:0], m)
	return work.sum(work.bytes)
}

// said is what the signature says of a leaf, if it is the adapter's; false: no batch of that size has such a proof.
func (s *signature) said(leaf [hashSize]byte, adapter exchange.Adapter, work *scratch) (said statement, ok bool) {
	root, err := proof.RootFromInclusionProof(work, uint64(s.index), uint64(s.size), leaf[:], s.proof)
	if err != nil {
		return said, false
	}
	return statement{suite: s.suite, adapter: adapter, by: s.by, at: s.at, size: s.size, root: [hashSize]byte(root)}, true
}

// moment is when the signature says that it was made, and for which message of its batch.
func (s *signature) moment() Moment { return Moment{time.Unix(0, s.at).UTC(), s.index} }

// Moment says where a message stands in the order in which its adapter signed. Whoever can write to a topic can write a message
// that stands there once more: where that would change something, the moment tells that it is not new.
type Moment struct {
	Time  time.Time `json:"time"`
	Index uint32    `json:"index,omitempty"` // within the batch
}

// After says whether the message was signed after the other.
func (m Moment) After(other Moment) bool {
	return m.Time.After(other.Time) || m.Time.Equal(other.Time) && m.Index > other.Index
}

// scratch is memory to verify one message in. It hashes a tree as RFC 6962 has it.
type scratch struct {
	algorithms
	bytes []byte
	node  [1 + 2*hashSize]byte
	out   [hashSize]byte
}

var _ merkle.LogHasher = (*scratch)(nil)

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// EmptyRoot, HashLeaf, HashChildren and Size are those of merkle.LogHasher; what they give holds until the next call.
func (w *scratch) EmptyRoot() []byte { return w.hash(nil) }

// HashLeaf hashes a leaf.
func (w *scratch) HashLeaf(leaf []byte) []byte { return w.hash(append([]byte{leafPrefix}, leaf...)) }

// HashChildren hashes an inner node.
func (w *scratch) HashChildren(left, right []byte) []byte {
	w.node[0] = innerPrefix
	copy(w.node[1:], left)
	copy(w.node[1+hashSize:], right)
	return w.hash(w.node[:])
}

// Size is that of a hash.
func (w *scratch) Size() int { return hashSize }

func (w *scratch) hash(b []byte) []byte {
	w.out = w.sum(b)
	return w.out[:]
}
