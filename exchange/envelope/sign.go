package envelope

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// A signature header is: format, suite, the certificate's name, the signing time in microseconds, the tree's size, the leaf's
// index, the number of hashes in its path, the path, the signature.
const (
	signatureFormat = 0x01
	signatureHead   = 1 + 1 + len(SignerID{}) + 8 + 4 + 4 + 1
	signatureMost   = 128 // bytes of a signature; either suite's are fewer
	pathMost        = 32  // hashes of a path: a tree has fewer than 2^32 leaves
)

// signing is what one signature says: all but the signature itself and a leaf's place.
type signing struct {
	suite   Suite
	adapter exchange.Adapter
	by      SignerID
	at      int64 // microseconds
	size    uint32
	root    [hashSize]byte
}

// message is what is signed. The context keeps it from passing for anything else that the key signs.
func (s *signing) message() []byte {
	out := append([]byte("yimen batch signature v1\x00"), byte(s.suite))
	out = appendText(out, string(s.adapter))
	out = binary.BigEndian.AppendUint64(out, uint64(s.at))
	out = binary.BigEndian.AppendUint32(out, s.size)
	out = append(out, s.root[:]...)
	return append(out, s.by[:]...)
}

// Sign signs the batch's messages, all with one signature, and gives each the header that proves it. Those that make up the
// tree are the messages in the order given.
func (b *Batch) Sign(messages ...[]exchange.Message) error {
	a := suites[b.sealer.suite]
	var leaves [][hashSize]byte
	for _, some := range messages {
		for i := range some {
			b.buffer = appendLeaf(b.buffer[:0], &some[i])
			leaves = append(leaves, a.sum(b.buffer))
		}
	}
	if len(leaves) == 0 {
		return nil
	}
	t := grow(a, leaves)
	s := signing{suite: b.sealer.suite, adapter: b.sealer.adapter, at: b.sealer.signingTime(), size: uint32(len(leaves)), root: t.root()}
	signature, err := b.sealer.sign(&s)
	if err != nil {
		return err
	}
	index := 0
	for _, some := range messages {
		for i := range some {
			some[i].Headers = append(some[i].Headers, exchange.Header{Name: headerSignature, Value: s.header(t, index, signature)})
			index++
		}
	}
	return nil
}

// header writes the header of one leaf.
func (s *signing) header(t tree, index int, signature []byte) []byte {
	out := make([]byte, 0, signatureHead+pathBound(int(s.size))+len(signature))
	out = append(out, signatureFormat, byte(s.suite))
	out = append(out, s.by[:]...)
	out = binary.BigEndian.AppendUint64(out, uint64(s.at))
	out = binary.BigEndian.AppendUint32(out, s.size)
	out = binary.BigEndian.AppendUint32(out, uint32(index))
	out = append(out, 0)
	out = t.appendPath(out, index)
	out[signatureHead-1] = byte((len(out) - signatureHead) / hashSize)
	return append(out, signature...)
}

// sign has the root signed. What is signed names the certificate, and which one is current only its holder knows: it is
// taken for the one that signed last, and asked again where it is not.
func (s *Sealer) sign(what *signing) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range 3 {
		what.by = s.by
		signature, by, err := s.signer.Sign(what.message())
		if err != nil {
			return nil, fmt.Errorf("sign batch of %s: %w", s.adapter, err)
		}
		if s.by = by; by == what.by {
			return signature, nil
		}
	}
	return nil, fmt.Errorf("sign batch of %s: each signature is of another certificate", s.adapter)
}

// signingTime is now, and later than any signing time before: what was signed later counts later.
func (s *Sealer) signingTime() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signed = max(s.now().UnixMicro(), s.signed+1)
	return s.signed
}

// appendLeaf appends what a leaf's hash is of: all that a reader relies on.
func appendLeaf(out []byte, m *exchange.Message) []byte {
	return appendText(appendBound(append(out, leafMark), m), m.Value)
}

// signature is a signature header as it was read.
type signature struct {
	suite Suite
	by    SignerID
	at    time.Time
	size  uint32
	index uint32
	path  [][]byte
	bytes []byte
}

// readSignature reads a signature header; false: it is not one.
func readSignature(b []byte) (p signature, ok bool) {
	if len(b) < signatureHead || b[0] != signatureFormat {
		return p, false
	}
	path, length := b[signatureHead:], int(b[signatureHead-1])
	if signature := len(path) - length*hashSize; length > pathMost || signature <= 0 || signature > signatureMost {
		return p, false
	}
	p.suite, p.by = Suite(b[1]), SignerID(b[2:])
	b = b[2+len(p.by):]
	p.at = time.UnixMicro(int64(binary.BigEndian.Uint64(b)))
	p.size, p.index = binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])
	p.path = make([][]byte, length)
	for i := range p.path {
		p.path[i] = path[i*hashSize : (i+1)*hashSize]
	}
	p.bytes = path[length*hashSize:]
	return p, true
}

// signatureOf reads a message's signature, of which nothing is verified.
func signatureOf(m *exchange.Message) (*signature, error) {
	header := m.Header(headerSignature)
	if header == "" {
		return nil, notSigned("it has no signature")
	}
	s, ok := readSignature([]byte(header))
	if !ok {
		return nil, notSigned("its signature cannot be read")
	}
	return &s, nil
}

func (s *signature) moment() Moment { return Moment{s.at, s.index} }

// Moment says where a message stands in the order in which its adapter signed: a message that was signed before another and
// comes after it has been sent again, by whomever.
type Moment struct {
	Time  time.Time `json:"time"`
	Index uint32    `json:"index"` // within the batch
}

// After says whether the message was signed later than the other.
func (m Moment) After(other Moment) bool {
	return m.Time.After(other.Time) || m.Time.Equal(other.Time) && m.Index > other.Index
}
