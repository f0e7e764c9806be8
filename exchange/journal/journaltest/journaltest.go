// Package journaltest has a topic in memory and keys, for tests of what is kept in a journal.
package journaltest

import (
	"context"
	"crypto/ed25519"
	"slices"
	"sync"

	"github.com/onedoor/yimen/exchange"
)

// Topic is one partition. It is safe for concurrent use.
type Topic struct {
	mu   sync.Mutex
	all  []exchange.Message
	more chan struct{}
}

// NewTopic makes an empty one.
func NewTopic() *Topic { return &Topic{more: make(chan struct{})} }

// Append appends messages and numbers them.
func (t *Topic) Append(_ context.Context, _ string, messages []exchange.Message) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range messages {
		messages[i].Offset = int64(len(t.all))
		t.all = append(t.all, messages[i])
	}
	close(t.more)
	t.more = make(chan struct{})
	return nil
}

// All are the messages so far.
func (t *Topic) All() []exchange.Message {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.all)
}

// EndOffsets are where the topic ends.
func (t *Topic) EndOffsets(context.Context, string) (map[int]int64, error) {
	return map[int]int64{0: int64(len(t.All()))}, nil
}

// Follow hands over what stands there and what comes, until ctx ends.
func (t *Topic) Follow(ctx context.Context, _ string, from map[int]int64, handle func(context.Context, []exchange.Message) error) error {
	for next := from[0]; ; {
		t.mu.Lock()
		found, more := slices.Clone(t.all[next:]), t.more
		t.mu.Unlock()
		if len(found) > 0 {
			if err := handle(ctx, found); err != nil {
				return err
			}
			next += int64(len(found))
			continue
		}
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Keys sign and verify with the one key.
type Keys struct{ ed25519.PrivateKey }

// NewKeys are keys of a seed.
func NewKeys(seed byte) Keys {
	return Keys{ed25519.NewKeyFromSeed(append(make([]byte, ed25519.SeedSize-1), seed))}
}

// Signer is the key.
func (k Keys) Signer(context.Context) (ed25519.PrivateKey, error) { return k.PrivateKey, nil }

// Verifiers is its public half.
func (k Keys) Verifiers(context.Context) ([]ed25519.PublicKey, error) {
	return []ed25519.PublicKey{k.Public().(ed25519.PublicKey)}, nil
}
