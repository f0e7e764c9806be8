package envelope

import (
	"encoding/binary"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

// signature is the header that makes a message provable: who signed which batch when, and that the message is in it.
type signature struct {
	suite Suite
	by    SignerID
	at    time.Time // to the microsecond
	size  uint32    // messages of the batch
	index uint32    // of this one
	made  []byte    // the signature itself
	path  []byte    // from the message to the root, hash by hash
}

// A header is: format, suite, certificate, time, size, index, length of the signature, signature, path.
const (
	signatureFormat = 0x01
	signatureHead   = 1 + 1 + len(SignerID{}) + 8 + 4 + 4 + 1
)

// append writes the header but for the path.
func (s *signature) append(out []byte) []byte {
	out = append(out, signatureFormat, byte(s.suite))
	out = append(out, s.by[:]...)
	out = binary.BigEndian.AppendUint64(out, uint64(s.at.UnixMicro()))
	out = binary.BigEndian.AppendUint32(out, s.size)
	out = binary.BigEndian.AppendUint32(out, s.index)
	out = append(out, byte(len(s.made)))
	return append(out, s.made...)
}

// readSignature reads a header, and nothing that was written in another way.
func readSignature(b []byte) (s signature, ok bool) {
	if len(b) < signatureHead || b[0] != signatureFormat {
		return s, false
	}
	s.suite = Suite(b[1])
	s.by = SignerID(b[2:34])
	s.at = time.UnixMicro(int64(binary.BigEndian.Uint64(b[34:42]))).UTC()
	s.size, s.index = binary.BigEndian.Uint32(b[42:46]), binary.BigEndian.Uint32(b[46:50])
	length, rest := int(b[50]), b[signatureHead:]
	if length == 0 || length > len(rest) || s.index >= s.size {
		return s, false
	}
	s.made, s.path = rest[:length], rest[length:]
	return s, len(s.path) == hashSize*pathLength(s.index, s.size)
}

// content is what the signature is of: all that every message of the batch has in common.
func (s *signature) content(adapter exchange.Adapter, root [hashSize]byte) []byte {
	out := append(make([]byte, 0, 192), "yimen batch signature v1\x00"...)
	out = append(out, byte(s.suite))
	out = appendText(out, string(adapter))
	out = binary.BigEndian.AppendUint64(out, uint64(s.at.UnixMicro()))
	out = binary.BigEndian.AppendUint32(out, s.size)
	out = append(out, root[:]...)
	return append(out, s.by[:]...)
}

// root is the root of the batch's tree, if the message with that leaf is in it.
func (s *signature) root(a algorithms, leaf [hashSize]byte) (root [hashSize]byte, ok bool) {
	var path [32][]byte
	for i := range len(s.path) / hashSize {
		path[i] = s.path[i*hashSize : (i+1)*hashSize]
	}
	sum, err := proof.RootFromInclusionProof(hasher{a}, uint64(s.index), uint64(s.size), leaf[:], path[:len(s.path)/hashSize])
	if err != nil {
		return root, false
	}
	return [hashSize]byte(sum), true
}

// appendLeaf appends what a message's leaf is the hash of: all that is bound, and the value. No value is not an empty one.
func appendLeaf(out []byte, m *exchange.Message) []byte {
	out = appendBound(append(out, rfc6962.RFC6962LeafHashPrefix), m)
	if m.Value == nil {
		return append(out, 0)
	}
	return append(append(out, 1), m.Value...)
}
