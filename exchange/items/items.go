// Package items keeps the life of service items (事项): drafted, reviewed by another person, published from a day, adjusted, withdrawn.
//
// Each act is an entry of the topic "catalogue", signed by the exchange, that names the version of the item it is done to: of two
// for the same version the first on the topic counts. An edition is what an item is from a day on; editions are never changed, an
// adjustment is the next one. The items of the YAML catalogue count where the topic has no edition in effect.
package items

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/journal"
)

// Config is what a Book is made of. Clock is not required.
type Config struct {
	City    *catalogue.Catalogue // with the city's starting items
	Journal *journal.Journal     // of catalogue.Topic
	// Audit makes an act durable in the audit log before it is done.
	Audit func(ctx context.Context, who, act, target string) error
	Clock func() time.Time // nil: time.Now
}

// Book is the life of a city's items. It is safe for concurrent use.
type Book struct {
	cfg  Config
	past journal.Past[*entry]

	mu    sync.RWMutex // guards state
	state state
}

// New makes a book with the starting items, and has the journal fold what is done since.
func New(cfg Config) (*Book, error) {
	if cfg.City == nil || cfg.Journal == nil || cfg.Audit == nil {
		return nil, errors.New("items need a catalogue, a journal and an audit log")
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	b := &Book{cfg: cfg, state: newState(cfg.City)}
	cfg.Journal.Keep(book{b})
	return b, nil
}

// book is the items as their journal folds them.
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

// On is a catalogue with the items in effect on a day, and the day on which it is another; "": none is known.
func (b *Book) On(c *catalogue.Catalogue, day exchange.Date) (on *catalogue.Catalogue, turns exchange.Date) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.state.on(c, day), b.state.turns(day)
}

// AsOf is On as the topic stood up to an offset, so that an answer of then can be given again.
func (b *Book) AsOf(ctx context.Context, c *catalogue.Catalogue, upTo int64, day exchange.Date) (on *catalogue.Catalogue, turns exchange.Date, err error) {
	entries, err := b.past.UpTo(ctx, b.cfg.Journal, upTo)
	if err != nil {
		return nil, "", err
	}
	then := newState(c)
	for _, e := range entries {
		_ = then.fold(e) // what counted then counts now, and what did not does not
	}
	return then.on(c, day), then.turns(day), nil
}

func (b *Book) today() exchange.Date { return exchange.DateOf(b.cfg.Clock()) }

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }
