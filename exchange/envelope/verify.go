package envelope

import (
	"context"
	"crypto/sha256"
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

	mu   sync.Mutex
	good map[[sha256.Size]byte]struct{} // signatures that hold, each with statement and key: mathematics, which does not change
}

// verify says who signed the message and when.
func (v *verifier) verify(ctx context.Context, m *exchange.Message) (exchange.Adapter, time.Time, error) {
	adapter, err := Author(m)
	if err != nil {
		return "", time.Time{}, err
	}
	s, ok := readSignature(headerBytes(m, headerSignature))
	if !ok {
		return adapter, time.Time{}, notSigned("there is no signature")
	}
	who, known, err := v.directory.Signatory(ctx, s.by)
	switch {
	case err != nil:
		return adapter, time.Time{}, fmt.Errorf("%w: %w", ErrUndecided, err)
	case !known:
		return adapter, time.Time{}, notSigned("nobody has the certificate")
	case who.Adapter != adapter:
		return adapter, time.Time{}, notSigned("the certificate is another's")
	case who.Suite != s.suite:
		return adapter, time.Time{}, notSigned("the certificate is of another suite")
	}
	if err := v.inTime(m, &who, s.signedAt()); err != nil {
		return adapter, time.Time{}, err
	}
	root, _, ok := s.root(m, nil)
	if !ok || !v.holds(&s, adapter, root[:], who.Public) {
		return adapter, time.Time{}, notSigned("the signature does not hold")
	}
	return adapter, s.signedAt(), nil
}

// inTime says whether the certificate was good when it signed, and the message was written in time. Kafka's time counts where
// it is known: whoever signs can write any time.
func (v *verifier) inTime(m *exchange.Message, who *Signatory, signed time.Time) error {
	written := m.Time
	if written.IsZero() {
		written = signed
	}
	switch {
	case signed.Before(who.From) || signed.After(who.Until):
		return notSigned("the certificate was not valid when it signed")
	case !who.Revoked.IsZero() && !written.Before(who.Revoked):
		return notSigned("the certificate was revoked before the message was written")
	case v.pending < 0:
		return nil
	case signed.After(written.Add(clocksApart)):
		return notSigned("it was signed after it was written")
	case written.Sub(signed) > v.pending:
		return notSigned("it was signed too long before it was written")
	}
	return nil
}

// holds checks a signature, once for all messages of a batch.
func (v *verifier) holds(s *signature, adapter exchange.Adapter, root, public []byte) bool {
	said := statement(s.suite, adapter, s.at, s.size, root)
	h := sha256.New()
	for _, part := range [...][]byte{said, public, s.signed} {
		h.Write(appendText(nil, part))
	}
	name := [sha256.Size]byte(h.Sum(nil))
	v.mu.Lock()
	_, known := v.good[name]
	v.mu.Unlock()
	if known {
		return true
	}
	if !suites[s.suite].verify(public, said, s.signed) {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.good) >= keptRoots {
		clear(v.good)
	}
	v.good[name] = struct{}{}
	return true
}

func notSigned(why string) error { return fmt.Errorf("%w: %s", ErrNotSigned, why) }

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
