package envelope

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// How far apart Kafka's time of a message may lie from the time it was signed at.
const (
	// maxAhead is by how much the clock of an adapter's machine may go before Kafka's.
	maxAhead = 5 * time.Minute
	// maxWait is how long a batch may wait for Kafka: longer than the longest holidays, during which nobody mends a network.
	// It is also how long a stolen key is of use after its certificate's end, if nobody revokes the certificate.
	maxWait = 14 * 24 * time.Hour
)

// verify says when the message was signed, if the adapter that it names has signed it and could do so. It errs with one of the
// ErrNotSigned, or with the Directory's error.
func (o *Opener) verify(ctx context.Context, m *exchange.Message, adapter exchange.Adapter) (time.Time, error) {
	header, signed := signatureOf(m)
	if !signed {
		return time.Time{}, unsigned
	}
	s, ok := readSignature(header)
	if !ok {
		return time.Time{}, wronglySigned
	}
	who, known, err := o.directory.Signatory(ctx, s.by)
	if err != nil {
		return time.Time{}, fmt.Errorf("find whose certificate signed: %w", err)
	}
	if !known {
		return time.Time{}, unknownSigner
	}
	if who.Suite != s.suite || !o.holds(m, &s, adapter, who.Public) {
		return time.Time{}, wronglySigned
	}
	return s.at, who.may(adapter, s.at, m.Time)
}

func signatureOf(m *exchange.Message) (header []byte, signed bool) {
	for i := range m.Headers {
		if m.Headers[i].Name == headerSignature {
			return m.Headers[i].Value, true
		}
	}
	return nil, false
}

// may says whether the signatory could sign for the adapter at that time what was written at another.
func (w *Signatory) may(adapter exchange.Adapter, signed, written time.Time) error {
	switch {
	case w.Adapter != adapter:
		return anotherSigner
	case signed.Before(w.From) || signed.After(w.Until):
		return notValidThen
	case written.Before(signed.Add(-maxAhead)) || written.After(signed.Add(maxWait)):
		return wrongMoment
	case !w.Revoked.IsZero() && !written.Before(w.Revoked):
		return revokedBefore
	}
	return nil
}

// holds says whether the signature is the key's, of a batch of the adapter that this message is in.
func (o *Opener) holds(m *exchange.Message, s *signature, adapter exchange.Adapter, public []byte) bool {
	a, known := suites[s.suite]
	if !known {
		return false
	}
	buffer := o.buffers.Get().(*[]byte)
	*buffer = appendLeaf((*buffer)[:0], m)
	leaf := a.sum(*buffer)
	o.buffers.Put(buffer)
	root, ok := s.root(a, leaf)
	return ok && o.seen.verified(a, s, adapter, root, public)
}

// seen remembers the batches whose signature was found to hold. It knows nothing of certificates: whether one is valid, or
// revoked, is asked for each message.
type seen struct {
	mu      sync.RWMutex
	batches map[batchName]checked
}

// batchName is what a signature says of a batch but for the signature itself.
type batchName struct {
	suite   Suite
	adapter exchange.Adapter
	by      SignerID
	at      int64
	size    uint32
	root    [hashSize]byte
}

// checked is a signature with the key under which it holds.
type checked struct{ public, made []byte }

// keptBatches bounds what is remembered. Batches arrive interleaved over partitions, so a few hundred are in play at a time;
// checking again is correct, only slower.
const keptBatches = 2048

func (k *seen) verified(a algorithms, s *signature, adapter exchange.Adapter, root [hashSize]byte, public []byte) bool {
	name := batchName{s.suite, adapter, s.by, s.at.UnixMicro(), s.size, root}
	k.mu.RLock()
	before, ok := k.batches[name]
	k.mu.RUnlock()
	if ok && bytes.Equal(before.made, s.made) && bytes.Equal(before.public, public) {
		return true
	}
	if !a.verify(public, s.content(adapter, root), s.made) {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.batches) >= keptBatches {
		clear(k.batches)
	}
	k.batches[name] = checked{bytes.Clone(public), bytes.Clone(s.made)}
	return true
}
