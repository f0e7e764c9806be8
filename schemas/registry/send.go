package registry

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	mathrand "math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// waiting are senders that wait for what becomes of their proposals, by nonce.
type waiting struct {
	mu   sync.Mutex
	told map[string]chan outcome
}

func (w *waiting) enter(nonce string) <-chan outcome {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.told == nil {
		w.told = map[string]chan outcome{}
	}
	c := make(chan outcome, 1)
	w.told[nonce] = c
	return c
}

func (w *waiting) leave(nonce string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.told, nonce)
}

// tell says whether anybody waits here. Only the first outcome counts: a message that stands twice is stale the second time.
func (w *waiting) tell(o outcome) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, here := w.told[o.nonce]
	if here {
		c <- o
		delete(w.told, o.nonce)
	}
	return here
}

// turns lets one sender of this node at a time into a scope, so that only other nodes make its proposals stale.
type turns struct {
	mu    sync.Mutex
	taken map[string]*turn
}

type turn struct {
	free  chan struct{} // holds a token while nobody is in
	users int
}

// take waits for all scopes, in order, and gives them back by the function.
func (t *turns) take(ctx context.Context, scopes []string) (func(), error) {
	scopes = slices.Compact(slices.Sorted(slices.Values(scopes)))
	for i, scope := range scopes {
		select {
		case <-t.enter(scope).free:
		case <-ctx.Done():
			t.leave(scope, false)
			for _, held := range scopes[:i] {
				t.leave(held, true)
			}
			return nil, context.Cause(ctx)
		}
	}
	return func() {
		for _, scope := range scopes {
			t.leave(scope, true)
		}
	}, nil
}

func (t *turns) enter(scope string) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken == nil {
		t.taken = map[string]*turn{}
	}
	own := t.taken[scope]
	if own == nil {
		own = &turn{free: make(chan struct{}, 1)}
		own.free <- struct{}{}
		t.taken[scope] = own
	}
	own.users++
	return own
}

func (t *turns) leave(scope string, held bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := t.taken[scope]
	if held {
		own.free <- struct{}{}
	}
	if own.users--; own.users == 0 {
		delete(t.taken, scope)
	}
}

// propose judges and sends until a proposal is accepted. judge looks at the state as it is; it gives no proposal where
// nothing is to be done. Before a refusal, or that nothing is to be done, is believed, everything that other nodes did is
// looked at.
func (r *Registry) propose(ctx context.Context, scopes []string, judge func(context.Context) (*proposal, error)) (outcome, error) {
	if r.reads {
		return outcome{}, readsOnly()
	}
	if err := r.opened(ctx); err != nil {
		return outcome{}, err
	}
	done, err := r.turns.take(ctx, scopes)
	if err != nil {
		return outcome{}, tooSlow(err)
	}
	defer done()
	for attempt := 0; ; attempt++ {
		before := r.position()
		p, refusal := judge(ctx)
		if p == nil || refusal != nil {
			switch err := r.Settled(ctx); {
			case err != nil:
				return outcome{}, err
			case r.position() == before:
				return outcome{}, refusal
			}
			if attempt > 0 && refusal == nil {
				return outcome{}, nil
			}
			continue
		}
		o, err := r.send(ctx, p)
		switch {
		case err != nil || o.kind == accepted:
			return o, err
		case o.kind == refused: // a mistake of this program: to judge again would end in the same, over and over, on a topic kept for ever
			return outcome{}, misjudged(p.Operation)
		}
		if err := pause(ctx, attempt); err != nil {
			return outcome{}, tooSlow(err)
		}
	}
}

// pause gives others a chance to be through, longer with each attempt.
func pause(ctx context.Context, attempt int) error {
	const most = 100 * time.Millisecond
	wait := min(time.Millisecond<<min(attempt, 10), most)
	return sleep(ctx, wait/2+mathrand.N(wait))
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// send appends a proposal and waits until the own fold says what became of it.
func (r *Registry) send(ctx context.Context, p *proposal) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, r.patience.answer)
	defer cancel()
	p.Format, p.Nonce, p.At = proposalFormat, newNonce(), r.clock().UTC().Round(time.Millisecond)
	value, err := p.bytes()
	if err != nil {
		return outcome{}, notUTF8()
	}
	if size := len(value) + len(p.Subject); size > maxProposal {
		return outcome{}, tooLarge(size)
	}
	told := r.waiting.enter(p.Nonce)
	defer r.waiting.leave(p.Nonce)
	if err := r.append(ctx, p, value, told); err != nil {
		return outcome{}, err
	}
	select {
	case o := <-told:
		return o, nil
	case <-ctx.Done():
		return outcome{}, tooSlow(context.Cause(ctx))
	}
}

// append puts the message onto the topic. After an error it may stand there or not: it is sent again as it is, until it is
// acknowledged or the own fold has seen it.
func (r *Registry) append(ctx context.Context, p *proposal, value []byte, told <-chan outcome) error {
	for {
		err := r.topics.Append(ctx, Proposals, []exchange.Message{{Topic: Proposals, Key: []byte(p.Subject), Value: value}})
		switch kind := exchange.KindOf(err); {
		case err == nil:
			return nil
		case kind == exchange.Invalid || kind == exchange.Denied || kind == exchange.NotFound:
			return storeDown(err)
		}
		r.log.Warn("the acknowledgement of a proposal was lost; sending it again", "subject", p.Subject, "operation", p.Operation, "error", err)
		if len(told) > 0 {
			return nil
		}
		if sleep(ctx, r.patience.retry/4+mathrand.N(r.patience.retry/4)) != nil {
			return tooSlow(err)
		}
	}
}

func newNonce() string {
	var b [nonceLength / 2]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// heads are the current ones of the scopes. The lock is held.
func (r *Registry) heads(scopes ...string) map[string]int64 {
	heads := make(map[string]int64, len(scopes))
	for _, scope := range scopes {
		heads[scope] = r.state.head(scope)
	}
	return heads
}

func (r *Registry) position() int64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.state.next
}
