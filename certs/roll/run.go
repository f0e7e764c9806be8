package roll

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// Run folds the topic until ctx ends.
func (r *Roll) Run(ctx context.Context) error {
	ends, err := r.cfg.Topics.EndOffsets(ctx, Topic)
	if err != nil {
		return err
	}
	if len(ends) != 1 {
		return severalPartitions(len(ends))
	}
	r.mu.RLock()
	from := map[int]int64{0: r.state.next}
	r.mu.RUnlock()
	return r.cfg.Topics.Follow(ctx, Topic, from, r.take)
}

// take folds messages of the topic. What is not an entry of ours is counted and passed over.
func (r *Roll) take(_ context.Context, messages []exchange.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range messages {
		m := &messages[i]
		if m.Offset < r.state.next {
			continue // a message can come twice
		}
		r.state.next = m.Offset + 1
		e, reason, err := r.read(m)
		if err == nil {
			reason, err = "void", r.state.fold(&e)
		}
		if err != nil {
			r.refused.WithLabelValues(reason).Inc()
			r.cfg.Log.Warn("entry of the roll passed over", "offset", m.Offset, "reason", reason, "error", err)
		}
	}
	close(r.changed)
	r.changed = make(chan struct{})
	return nil
}

// read reads an entry and sees that the exchange wrote it.
func (r *Roll) read(m *exchange.Message) (e entry, reason string, err error) {
	signed := false
	for _, key := range r.cfg.Orders {
		signed = signed || envelope.VerifyOrder(key.Public().(ed25519.PublicKey), m) == nil
	}
	if !signed {
		return e, "not_signed", envelope.ErrNotSigned
	}
	e, err = parseEntry(m.Value)
	return e, "malformed", err
}

// Settled waits until everything that stood on the topic at the call is folded.
func (r *Roll) Settled(ctx context.Context) error {
	ends, err := r.cfg.Topics.EndOffsets(ctx, Topic)
	if err != nil {
		return err
	}
	return r.until(ctx, func(s *state) bool { return s.next >= ends[0] })
}

// until waits for the state to become as wanted.
func (r *Roll) until(ctx context.Context, wanted func(*state) bool) error {
	for {
		r.mu.RLock()
		done, changed := wanted(&r.state), r.changed
		r.mu.RUnlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// appendPatience bounds how long an entry may take to stand on the topic and be folded here.
const appendPatience = 15 * time.Second

// add appends an entry and waits until it is folded here.
func (r *Roll) add(ctx context.Context, e *entry) error {
	ctx, cancel := context.WithTimeout(ctx, appendPatience)
	defer cancel()
	e.Format, e.ID, e.At = format, rand.Text(), r.cfg.Clock().UTC()
	m, err := e.message()
	if err != nil {
		return err
	}
	envelope.SignOrder(r.cfg.Orders[len(r.cfg.Orders)-1], &m)
	messages := []exchange.Message{m}
	if err := r.cfg.Topics.Append(ctx, Topic, messages); err != nil {
		return notWritten(err)
	}
	end := messages[0].Offset
	if err := r.until(ctx, func(s *state) bool { return s.next > end }); err != nil {
		return notWritten(fmt.Errorf("wait for the entry: %w", err))
	}
	return nil
}
