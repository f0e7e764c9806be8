package envelope

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// maxSigned is the most messages that one signature is given for. A batch of an adapter is far smaller.
const maxSigned = 1 << 20

// Sign signs all the messages with one signature, and gives each its own proof. Messages of an earlier batch of the adapter may
// be among them: they are signed anew.
func (b *Batch) Sign(groups ...[]exchange.Message) error {
	size := 0
	for _, messages := range groups {
		size += len(messages)
	}
	if size == 0 {
		return nil
	}
	if size > maxSigned {
		return fmt.Errorf("sign batch of %s: %d messages, at most %d", b.sealer.adapter, size, maxSigned)
	}
	a := suites[b.sealer.suite]
	grown := grow(a, b.leaves(a, size, groups))
	s, err := b.sealer.sign(grown.root(), uint32(size))
	if err != nil {
		return fmt.Errorf("sign batch of %s: %w", b.sealer.adapter, err)
	}
	room := make([]byte, 0, size*(signatureHead+len(s.made)+hashSize*(len(grown)-1))) // one allocation for all headers
	for _, messages := range groups {
		for i := range messages {
			start := len(room)
			room = grown.appendPath(s.append(room), int(s.index))
			attach(&messages[i], room[start:len(room):len(room)])
			s.index++
		}
	}
	return nil
}

func (b *Batch) leaves(a algorithms, size int, groups [][]exchange.Message) [][hashSize]byte {
	leaves := make([][hashSize]byte, 0, size)
	for _, messages := range groups {
		for i := range messages {
			b.buffer = appendLeaf(b.buffer[:0], &messages[i])
			leaves = append(leaves, a.sum(b.buffer))
		}
	}
	return leaves
}

// sign signs the root of a batch, as of now. The certificate is part of what is signed, and only the signer knows which one is
// current: where that is not the one of the batch before, what was signed names another, and it is signed again.
func (s *Sealer) sign(root [hashSize]byte, size uint32) (signature, error) {
	made := signature{suite: s.suite, at: s.now().UTC().Truncate(time.Microsecond), size: size}
	for range 3 {
		named := SignerID{}
		if last := s.certificate.Load(); last != nil {
			named = *last
		}
		made.by = named
		mark, by, err := s.signer.Sign(made.content(s.adapter, root))
		if err != nil {
			return made, err
		}
		if len(mark) == 0 || len(mark) > math.MaxUint8 {
			return made, fmt.Errorf("a signature of %d bytes", len(mark))
		}
		if made.made = mark; by == named {
			return made, nil
		}
		s.certificate.Store(&by)
	}
	return made, errors.New("the certificate is renewed all the time")
}

// attach gives a message its signature, in the place of an older one.
func attach(m *exchange.Message, header []byte) {
	m.Headers = slices.DeleteFunc(m.Headers, func(h exchange.Header) bool { return h.Name == headerSignature })
	m.Headers = append(m.Headers, exchange.Header{Name: headerSignature, Value: header})
}
