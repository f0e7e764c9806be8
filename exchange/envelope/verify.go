package envelope

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// ErrUndecided is what opening yields while it cannot be said yet whose signature a message has, or with which key it opens: ask
// again later.
var ErrUndecided = errors.New("it cannot be said yet whether the message is good")

const (
	// clocksApart is how far the adapter's clock may be ahead of Kafka's.
	clocksApart = 5 * time.Minute
	// maxPending is how long a signed batch may wait for Kafka: an adapter that crashed, or was cut off, sends it again
	// unchanged. A key that was stolen cannot sign for longer ago than this.
	maxPending = 14 * 24 * time.Hour
	// keptRoots bounds the batches whose signature need not be checked again.
	keptRoots = 4096
)

// verifier checks signatures. It is safe for concurrent use.
type verifier struct {
	directory Directory
	pending   time.Duration
	paths     paths

	mu   sync.Mutex
	good map[proven]struct{} // signatures that hold: mathematics, which does not change
}

// proven is a signature that holds, with what it says. The certificate's name stands for its key.
type proven struct {
	statement
	signed [maxSignature]byte
	length int
}

// verify says who signed the message and when.
func (v *verifier) verify(ctx context.Context, m *exchange.Message) (exchange.Adapter, Moment, error) {
	adapter, err := Author(m)
	if err != nil {
		return "", Moment{}, err
	}
	header := headerBytes(m, headerSignature)
	if header == nil {
		return adapter, Moment{}, unsigned
	}
	s, ok := readSignature(header)
	if !ok {
		return adapter, Moment{}, wronglySigned
	}
	who, known, err := v.directory.Signatory(ctx, s.by)
	switch {
	case err != nil:
		return adapter, Moment{}, fmt.Errorf("%w: %w", ErrUndecided, err)
	case !known:
		return adapter, Moment{}, unknownSigner
	case who.Adapter != adapter:
		return adapter, Moment{}, anotherSigner
	case who.Suite != s.suite, !sealedBy(m, s.suite):
		return adapter, Moment{}, mixedSuites
	}
	if err := v.inTime(m, &who, s.moment().Time); err != nil {
		return adapter, Moment{}, err
	}
	if !v.genuine(&s, m, &who) {
		return adapter, Moment{}, wronglySigned
	}
	return adapter, s.moment(), nil
}

// genuine says whether the signature is over a root to which the message leads.
func (v *verifier) genuine(s *signature, m *exchange.Message, who *Signatory) bool {
	work := scratches.Get().(*scratch)
	defer scratches.Put(work)
	leaf := s.leaf(m, work)
	if near := v.paths.near(s); near != nil && near.adapter == who.Adapter && near.leads(s, work, leaf) {
		return true
	}
	said, ok := s.said(leaf, who.Adapter, work)
	if !ok {
		return false
	}
	name := proven{statement: said, length: len(s.signed)}
	copy(name.signed[:], s.signed)
	if !v.holds(&name, who.Public) {
		return false
	}
	v.paths.keep(s, pathOf(s, work, leaf, name))
	return true
}

// sealedBy says whether the message is sealed by that suite, or not at all.
func sealedBy(m *exchange.Message, s Suite) bool {
	return len(m.Value) < nameSize || m.Header(headerContent) != contentSealed || m.Value[0] != format || Suite(m.Value[1]) == s
}

// inTime says whether the certificate was good when it signed, and the message was written in time. Kafka's time counts where
// it is known: whoever signs can write any time.
func (v *verifier) inTime(m *exchange.Message, who *Signatory, signed time.Time) error {
	written, revoked := m.Time, !who.Revoked.IsZero()
	if written.IsZero() {
		written = signed
		if revoked { // then nothing but the signer's word says that it was written before
			return revokedBefore
		}
	}
	switch {
	case signed.Before(who.From) || signed.After(who.Until):
		return notValidThen
	case revoked && !written.Before(who.Revoked):
		return revokedBefore
	case v.pending < 0:
		return nil
	case signed.After(written.Add(clocksApart)), written.Sub(signed) > v.pending:
		return wrongMoment
	}
	return nil
}

// holds checks a signature, once for all messages of a batch.
func (v *verifier) holds(said *proven, public []byte) bool {
	v.mu.Lock()
	_, known := v.good[*said]
	v.mu.Unlock()
	if known {
		return true
	}
	if !suites[said.suite].verify(public, said.append(nil), said.signed[:said.length]) {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.good) >= keptRoots {
		clear(v.good)
	}
	v.good[*said] = struct{}{}
	return true
}

func headerBytes(m *exchange.Message, name string) []byte {
	for i := range m.Headers {
		if m.Headers[i].Name == name {
			return m.Headers[i].Value
		}
	}
	return nil
}

// Author is the adapter that a message names as its sender.
func Author(m *exchange.Message) (exchange.Adapter, error) {
	adapter := strings.TrimPrefix(m.Header(headerSource), "/")
	if !exchange.ValidAdapter(adapter) {
		return "", fmt.Errorf("source is not an adapter's name")
	}
	return exchange.Adapter(adapter), nil
}
