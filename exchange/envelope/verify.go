package envelope

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/transparency-dev/merkle/proof"

	"github.com/onedoor/yimen/exchange"
)

// A message's own time is Kafka's, the moment it was appended. The bounds of how far it may lie from the signing time.
const (
	// maxAhead is how far the department's clock may be ahead of Kafka's.
	maxAhead = 5 * time.Minute
	// maxWait is how long a batch may have lain pending at an adapter that could not reach Kafka: a machine that was off
	// over the longest public holiday, and some days more. Beyond it, what is signed is rather somebody's copy.
	maxWait = 14 * 24 * time.Hour
)

// verifier says whether messages were signed by whom they name. It is safe for concurrent use.
type verifier struct {
	directory Directory

	mu    sync.Mutex
	roots map[verified]struct{} // whose signature was checked and holds
}

// verified is a root with all its signature says and the signature itself. Only that the signature holds is remembered,
// which no later event can change; the certificate is looked up for every message, so that its revocation acts at once.
type verified struct {
	signing
	signature string
}

// keptRoots bounds the roots a verifier remembers, as keptKeys does batch keys.
const keptRoots = keptKeys

// verify says whether the adapter signed the message as it is. An error that is neither ErrNotSigned nor ErrNotGenuine means
// that this cannot be said yet.
func (v *verifier) verify(ctx context.Context, m *exchange.Message, p *signature, adapter exchange.Adapter) error {
	who, issued, err := v.directory.Signatory(ctx, p.by)
	switch {
	case err != nil:
		return fmt.Errorf("look up certificate: %w", err)
	case !issued:
		return notSigned("no such certificate was issued")
	case who.Adapter != adapter:
		return notSigned("the certificate is another's")
	case who.Suite != p.suite:
		return notSigned("the certificate is of another suite of algorithms")
	}
	if err := who.mayHaveSigned(p.at, m.Time); err != nil {
		return err
	}
	return v.check(m, p, &who)
}

// mayHaveSigned says whether the certificate was good for a message that was signed and written at those times.
func (s *Signatory) mayHaveSigned(signed, written time.Time) error {
	if signed.Before(s.From) || signed.After(s.Until) {
		return notSigned("the certificate was not valid at the signing time")
	}
	revoked := !s.Revoked.IsZero()
	if written.IsZero() { // not known: then nothing says that it was before the revocation
		if revoked {
			return notSigned("the certificate is revoked")
		}
		return nil
	}
	switch {
	case revoked && !written.Before(s.Revoked):
		return notSigned("the certificate was revoked before the message was written")
	case written.Before(signed.Add(-maxAhead)):
		return notSigned("it was signed later than it was written")
	case written.After(signed.Add(maxWait)):
		return notSigned("it was signed too long before it was written")
	}
	return nil
}

// check computes the root that the message and its path yield, and checks the signature of it.
func (v *verifier) check(m *exchange.Message, p *signature, who *Signatory) error {
	a, known := suites[p.suite]
	if !known {
		return notSigned("there is no such suite of algorithms")
	}
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	*buffer = appendLeaf((*buffer)[:0], m)
	leaf := a.sum(*buffer)
	root, err := proof.RootFromInclusionProof(treeHasher{a}, uint64(p.index), uint64(p.size), leaf[:], p.path)
	if err != nil {
		return notSigned("its place in the batch is impossible")
	}
	said := verified{signing: signing{suite: p.suite, adapter: who.Adapter, by: p.by, at: p.at.UnixMicro(), size: p.size,
		root: [hashSize]byte(root)}, signature: string(p.bytes)}
	if v.remembers(&said) {
		return nil
	}
	if !a.verify(who.Public, said.message(), p.bytes) {
		return notSigned("the signature is not of this message")
	}
	v.remember(&said)
	return nil
}

func (v *verifier) remembers(said *verified) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, ok := v.roots[*said]
	return ok
}

func (v *verifier) remember(said *verified) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.roots) >= keptRoots {
		clear(v.roots)
	}
	v.roots[*said] = struct{}{}
}

// buffers hold what is about to be hashed.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

func notSigned(why string) error { return fmt.Errorf("%w: %s", ErrNotSigned, why) }
