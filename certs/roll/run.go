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

// Run folds the topic until ctx ends. It outlives Kafka and the authority being away.
func (r *Roll) Run(ctx context.Context) error {
	for {
		err := r.follow(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if exchange.KindOf(err) == exchange.Conflict { // the topic is not as it must be
			return err
		}
		r.cfg.Log.Warn("the roll of identities is not being followed; beginning again", "error", err)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(askAgain):
		}
	}
}

func (r *Roll) follow(ctx context.Context) error {
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

// reading is a message as it was read: an entry, or why it is none.
type reading struct {
	entry  *entry
	reason string // for the metric
	err    error
}

// take folds messages of the topic. What is not an entry of ours is counted and passed over. While the keys that verify them
// cannot be had nothing can be said of them: they come again.
func (r *Roll) take(ctx context.Context, messages []exchange.Message) error {
	keys, err := r.orders.Verifiers(ctx)
	if err != nil {
		return err
	}
	readings := make([]reading, len(messages))
	for i := range messages { // outside of the lock, being the greater part
		readings[i] = read(&messages[i], keys)
	}
	r.mu.Lock()
	for i, m := range messages {
		if m.Offset < r.state.next {
			readings[i] = reading{} // a message can come twice
			continue
		}
		r.state.next = m.Offset + 1
		if e := readings[i].entry; e != nil {
			readings[i].reason, readings[i].err = "void", r.state.fold(e)
			if _, waits := r.told[e.ID]; waits && readings[i].err != errRepeated {
				r.told[e.ID] = readings[i].err
			}
		}
	}
	close(r.changed)
	r.changed = make(chan struct{})
	r.mu.Unlock()
	r.report(messages, readings)
	return nil
}

// report counts what was passed over. It logs the last of a kind only: there may be very many.
func (r *Roll) report(messages []exchange.Message, readings []reading) {
	last := map[string]int64{}
	for i, read := range readings {
		if read.err != nil {
			r.refused.WithLabelValues(read.reason).Inc()
			last[read.reason] = messages[i].Offset
		}
	}
	for reason, offset := range last { // without the error: it may name a clerk
		r.cfg.Log.Warn("entries of the roll passed over", "up to offset", offset, "reason", reason)
	}
}

// read reads an entry and sees that the exchange wrote it.
func read(m *exchange.Message, keys []ed25519.PublicKey) reading {
	signed := false
	for _, key := range keys {
		signed = signed || envelope.VerifyOrder(key, m) == nil
	}
	if !signed {
		return reading{nil, "not_signed", envelope.ErrNotSigned}
	}
	e, err := parseEntry(m.Value)
	if err != nil {
		return reading{nil, "malformed", err}
	}
	return reading{entry: &e}
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

// add appends an entry, waits until it is folded here, and gives why it changed nothing, if so.
func (r *Roll) add(ctx context.Context, e *entry) error {
	ctx, cancel := context.WithTimeout(ctx, appendPatience)
	defer cancel()
	e.Format, e.ID, e.At = format, rand.Text(), r.cfg.Clock().UTC()
	m, err := e.message()
	if err != nil {
		return err
	}
	key, err := r.orders.Signer(ctx)
	if err != nil {
		return err
	}
	envelope.SignOrder(key, &m)
	r.await(e.ID)
	defer r.verdict(e.ID)
	messages := []exchange.Message{m}
	if err := r.cfg.Topics.Append(ctx, Topic, messages); err != nil {
		return notWritten(err)
	}
	end := messages[0].Offset
	if err := r.until(ctx, func(s *state) bool { return s.next > end }); err != nil {
		return notWritten(fmt.Errorf("wait for the entry: %w", err))
	}
	return r.verdict(e.ID)
}

func (r *Roll) await(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told[id] = nil
}

// verdict is what the fold said of an awaited entry, which is awaited no more.
func (r *Roll) verdict(id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.told[id]
	delete(r.told, id)
	return err
}
