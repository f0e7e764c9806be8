package grants

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/envelope"
)

// askAgain is how soon the topic is followed again after it could not be.
const askAgain = time.Second

// Run folds the topic until ctx ends. It outlives Kafka and the authority being away.
func (b *Book) Run(ctx context.Context) error {
	for {
		err := b.follow(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if exchange.KindOf(err) == exchange.Conflict { // the topic is not as it must be
			return err
		}
		b.cfg.Log.Warn("grants are not being followed; beginning again", "error", err)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(askAgain):
		}
	}
}

func (b *Book) follow(ctx context.Context) error {
	ends, err := b.cfg.Topics.EndOffsets(ctx, catalogue.Topic)
	if err != nil {
		return err
	}
	if len(ends) != 1 {
		return severalPartitions(len(ends))
	}
	b.mu.RLock()
	from := map[int]int64{0: b.state.next}
	b.mu.RUnlock()
	return b.cfg.Topics.Follow(ctx, catalogue.Topic, from, b.take)
}

// take folds messages of the topic, and puts the catalogue that follows in the place of the one before. While the keys that verify them
// cannot be had, nothing can be said of them: they come again.
func (b *Book) take(ctx context.Context, messages []exchange.Message) error {
	keys, err := b.cfg.Keys.Verifiers(ctx)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	moved := false
	for i := range messages {
		if messages[i].Offset < b.state.next {
			continue // a message can come twice
		}
		b.state.next = messages[i].Offset + 1
		moved = b.one(&messages[i], keys) || moved
	}
	if moved {
		b.current.Store(b.cfg.Catalogue.WithGrants(b.state.inForce(), b.state.next))
	}
	close(b.changed)
	b.changed = make(chan struct{})
	return nil
}

// one folds a message and says whether it changed anything. What is not an entry of ours is counted and passed over.
func (b *Book) one(m *exchange.Message, keys []ed25519.PublicKey) bool {
	e, reason, err := read(m, keys)
	if e != nil {
		reason, err = "void", b.state.fold(e)
		b.all = append(b.all, numbered{e, m.Offset + 1})
		if _, waits := b.told[e.ID]; waits && err != errRepeated {
			b.told[e.ID] = err
		}
	}
	if err != nil {
		b.refused.WithLabelValues(reason).Inc()
		b.cfg.Log.Warn("entry of a grant passed over", "offset", m.Offset, "reason", reason)
	}
	return e != nil && err == nil
}

// read reads an entry and sees that the exchange wrote it; nil and no error: it is of another kind.
func read(m *exchange.Message, keys []ed25519.PublicKey) (*entry, string, error) {
	e, err := parseEntry(m.Value)
	if e == nil {
		return nil, "malformed", err
	}
	for _, key := range keys {
		if envelope.VerifyOrder(key, m) == nil {
			return e, "", nil
		}
	}
	return nil, "not_signed", envelope.ErrNotSigned
}

// Settled waits until everything that stood on the topic at the call is folded.
func (b *Book) Settled(ctx context.Context) error {
	ends, err := b.cfg.Topics.EndOffsets(ctx, catalogue.Topic)
	if err != nil {
		return err
	}
	return b.until(ctx, ends[0])
}

// until waits for what stands before an offset to be folded.
func (b *Book) until(ctx context.Context, end int64) error {
	for {
		b.mu.RLock()
		done, changed := b.state.next >= end, b.changed
		b.mu.RUnlock()
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

// patience bounds how long an entry may take to stand on the topic and be folded here.
const patience = 15 * time.Second

// add appends an entry, waits until it is folded here, and gives why it changed nothing, if so.
func (b *Book) add(ctx context.Context, e *entry) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	e.Format, e.Kind, e.ID, e.At = format, kind, rand.Text(), b.cfg.Clock().UTC()
	m, err := e.message()
	if err != nil {
		return err
	}
	key, err := b.cfg.Keys.Signer(ctx)
	if err != nil {
		return err
	}
	envelope.SignOrder(key, &m)
	b.mu.Lock()
	b.told[e.ID] = nil
	b.mu.Unlock()
	defer b.verdict(e.ID)
	messages := []exchange.Message{m}
	if err := b.cfg.Topics.Append(ctx, catalogue.Topic, messages); err != nil {
		return notWritten(err)
	}
	if err := b.until(ctx, messages[0].Offset+1); err != nil {
		return notWritten(fmt.Errorf("wait for the entry: %w", err))
	}
	return b.verdict(e.ID)
}

// verdict is what the fold said of an awaited entry, which is awaited no more.
func (b *Book) verdict(id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	err := b.told[id]
	delete(b.told, id)
	return err
}
