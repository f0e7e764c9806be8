package grants

import (
	"context"
	"crypto/rand"
	"time"

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
	b.all = append(b.all, numbered{e, m.Offset + 1})
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
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := b.cfg.Journal.Until(ctx, upTo); err != nil {
		return nil, err
	}
	b.mu.RLock()
	all := b.all[:len(b.all):len(b.all)]
	b.mu.RUnlock()
	then := newState(c.Grants())
	for _, e := range all {
		if e.next <= upTo {
			_ = then.fold(e.entry) // what counted then counts now, and what did not does not
		}
	}
	return c.WithGrants(then.inForce(), upTo), nil
}

// patience bounds how long a node may take to fold what another has folded.
const patience = 15 * time.Second
