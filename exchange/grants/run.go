package grants

import (
	"context"
	"crypto/rand"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
)

// book is the grants as their journal folds them.
type book struct{ *Book }

func (b book) Fold(m *exchange.Message) (id string, err error) {
	e, err := parseEntry(m.Value)
	if e == nil {
		return "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.past.Add(e, m.Offset)
	return e.ID, b.state.fold(e)
}

// add appends an entry, waits until it is folded here, and gives why it changed nothing, if so.
func (b *Book) add(ctx context.Context, e *entry) error {
	e.Format, e.Kind, e.ID, e.At = format, kind, rand.Text(), b.cfg.Clock().UTC()
	m, err := e.message()
	if err != nil {
		return err
	}
	return b.cfg.Journal.Add(ctx, e.ID, m)
}

// On is a catalogue with the grants that are in force now, the topic being folded up to an offset.
func (b *Book) On(c *catalogue.Catalogue, upTo int64) *catalogue.Catalogue {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return c.WithGrants(b.state.inForce(), upTo)
}

// AsOf is a catalogue with the grants that were in force when the topic was folded up to an offset, so that an answer of then can be given again.
func (b *Book) AsOf(ctx context.Context, c *catalogue.Catalogue, upTo int64) (*catalogue.Catalogue, error) {
	entries, err := b.past.UpTo(ctx, b.cfg.Journal, upTo)
	if err != nil {
		return nil, err
	}
	then := newState(c.Grants())
	for _, e := range entries {
		_ = then.fold(e) // what counted then counts now, and what did not does not
	}
	return c.WithGrants(then.inForce(), upTo), nil
}
