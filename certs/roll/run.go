package roll

import (
	"context"
	"crypto/ed25519"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// Run folds the roll until ctx ends, and gives the cause.
func (r *Roll) Run(ctx context.Context) error {
	end, err := r.end(ctx)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.follow(ctx) })
	group.Go(func() error { return r.reach(ctx, end) })
	return group.Wait()
}

// end asks for the end of the topic until the bus answers. It refuses a topic whose entries have no one order.
func (r *Roll) end(ctx context.Context) (int64, error) {
	for {
		ends, err := r.cfg.Topics.EndOffsets(ctx, Topic)
		if err == nil && len(ends) != 1 {
			return 0, severalPartitions(len(ends))
		}
		if err == nil {
			return ends[0], nil
		}
		r.cfg.Log.Warn("the bus does not answer", "topic", Topic, "error", err)
		if sleep(ctx, r.patience.retry) != nil {
			return 0, context.Cause(ctx)
		}
	}
}

// follow hands the topic over, and begins again where it was when the bus or the authority was away.
func (r *Roll) follow(ctx context.Context) error {
	for {
		err := r.cfg.Topics.Follow(ctx, Topic, map[int]int64{0: r.position()}, r.take)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.cfg.Log.Warn("following stopped; beginning again", "topic", Topic, "error", err)
		if sleep(ctx, r.patience.retry) != nil {
			return context.Cause(ctx)
		}
	}
}

// What becomes of a message.
const (
	taken     = "taken"
	void      = "void"      // of us and without effect: another was first, or its holder was revoked
	unsigned  = "unsigned"  // not signed by the exchange
	malformed = "malformed" // signed, and not as an entry must be
	newer     = "newer"     // of a format this program does not know
)

// outcome is what came of a message.
type outcome struct {
	kind  string
	nonce nonce
	err   error // why it is void
}

// take folds messages. Without the exchange's keys nothing can be told of them, so it errs and they come again.
func (r *Roll) take(ctx context.Context, msgs []exchange.Message) error {
	keys, err := r.verifiers(ctx)
	if err != nil {
		return err
	}
	read, outcomes := make([]*entry, len(msgs)), make([]outcome, len(msgs))
	for i := range msgs { // outside of the lock, being the greater part
		read[i], outcomes[i].kind = r.read(&msgs[i], keys)
	}
	struck := false
	r.mu.Lock()
	for i, m := range msgs {
		if m.Offset < r.state.next { // a message can come twice
			outcomes[i].kind = ""
			continue
		}
		r.state.next = m.Offset + 1
		if e := read[i]; e != nil {
			outcomes[i] = r.state.outcome(e)
			struck = struck || outcomes[i].kind == taken && (e.Kind == isRevoked || e.Kind == isRestored)
		}
	}
	close(r.moved)
	r.moved = make(chan struct{})
	if struck {
		close(r.revised)
		r.revised = make(chan struct{})
	}
	r.mu.Unlock()
	r.tell(outcomes)
	return nil
}

func (s *state) outcome(e *entry) outcome {
	if err := s.fold(e); err != nil {
		return outcome{void, e.Nonce, err}
	}
	return outcome{taken, e.Nonce, nil}
}

// read verifies and reads a message; no entry: the kind says why.
func (r *Roll) read(m *exchange.Message, keys []ed25519.PublicKey) (*entry, string) {
	if !signedBy(keys, m) {
		return nil, unsigned
	}
	e, err := parse(r.cfg.City, m.Key, m.Value)
	switch {
	case errors.Is(err, errNewer):
		return nil, newer
	case err != nil:
		return nil, malformed
	}
	return e, ""
}

func signedBy(keys []ed25519.PublicKey, m *exchange.Message) bool {
	for _, key := range keys {
		if envelope.VerifyOrder(key, m) == nil {
			return true
		}
	}
	return false
}

// tell lets senders of this node know, counts, and warns of what should not be there: a line a kind, as there may be many.
func (r *Roll) tell(outcomes []outcome) {
	useless := map[string]int{}
	for _, o := range outcomes {
		switch o.kind {
		case "":
			continue
		case taken, void:
			r.waiting.tell(o)
		default:
			useless[o.kind]++
		}
		r.metrics.entries.WithLabelValues(o.kind).Inc()
	}
	for kind, n := range useless {
		r.cfg.Log.Error("messages on the roll of identities have no effect", "kind", kind, "messages", n)
	}
}

func (r *Roll) position() int64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.state.next
}

// Settled waits until everything that stood on the topic when it was called is folded.
func (r *Roll) Settled(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.patience.answer)
	defer cancel()
	ends, err := r.cfg.Topics.EndOffsets(ctx, Topic)
	if err != nil {
		return busDown(err)
	}
	if err := r.reach(ctx, ends[0]); err != nil {
		return behind(err)
	}
	return nil
}

// reach waits until everything before the offset, which was the end of the topic, is folded. The roll is open from then on.
func (r *Roll) reach(ctx context.Context, end int64) error {
	for {
		moved, there := r.reached(end)
		if there {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (r *Roll) reached(end int64) (moved <-chan struct{}, there bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state.next >= end {
		r.open = true
	}
	return r.moved, r.state.next >= end
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
