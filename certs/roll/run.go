package roll

import (
	"context"
	"crypto/rand"

	"github.com/onedoor/yimen/exchange"
)

// Run folds the topic until ctx ends. It outlives Kafka and the authority being away.
func (r *Roll) Run(ctx context.Context) error { return r.journal.Run(ctx) }

// Settled waits until everything that stood on the topic at the call is folded.
func (r *Roll) Settled(ctx context.Context) error { return r.journal.Settled(ctx) }

// Changed gives a channel that is closed when the roll changes next.
func (r *Roll) Changed() <-chan struct{} { return r.journal.Changed() }

// book is the roll as its journal folds it.
type book struct{ *Roll }

func (b book) Fold(m *exchange.Message) (id string, err error) {
	e, err := parseEntry(m.Value) // outside of the lock, being the greater part
	if err != nil {
		return "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return e.ID, b.state.fold(e)
}

// add appends an entry, waits until it is folded here, and gives why it changed nothing, if so.
func (r *Roll) add(ctx context.Context, e *entry) error {
	e.Format, e.ID, e.At = format, rand.Text(), r.cfg.Clock().UTC()
	m, err := e.message()
	if err != nil {
		return err
	}
	return r.journal.Add(ctx, e.ID, m)
}
