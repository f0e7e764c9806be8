// Package grants keeps which department may see which fields of which evidence for which item: asked for, decided by the keeper, taken back.
//
// A grant (共享授权) begins as a request (政务数据共享条例 art. 20), which the type's keeper approves or refuses with a reason within the time of
// its sharing class (art. 21); it can be suspended, resumed and revoked (art. 27). Each act is an entry of the topic "catalogue", signed by the
// exchange, that names the version of the grant it replaces: of two for the same version the first on the topic counts. The grants of the
// YAML catalogue are there from the beginning, as version 0.
//
// A Book is folded by the topic's journal. On gives a catalogue with the grants in force, one that never changes, so that a query sees one
// state from its beginning to its end; an act counts from the next query on.
package grants

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/journal"
)

// Config is what a Book is made of. Clock is not required, and Shares.
type Config struct {
	City    *catalogue.Catalogue        // with the city's starting grants
	Current func() *catalogue.Catalogue // with those in force, as queries see it
	Journal *journal.Journal            // of catalogue.Topic
	// Fields are the names a grant may give of a type: the properties at the top of its document. None: the type has no schema yet.
	Fields func(exchange.EvidenceType) []string
	// Audit makes an act durable in the audit log before it is done.
	Audit func(ctx context.Context, who, act, target string) error
	// Shares says whether anything of the type is published; nil: it is. Until then the time to share (art. 22) runs.
	Shares func(exchange.EvidenceType) bool
	Clock  func() time.Time // nil: time.Now
}

// Book is the grants of a city. It is safe for concurrent use.
type Book struct {
	cfg  Config
	past journal.Past[*entry]

	mu    sync.RWMutex // guards state
	state state
}

// New makes a book with the starting grants, and has the journal fold what is done since.
func New(cfg Config) (*Book, error) {
	if cfg.City == nil || cfg.Current == nil || cfg.Journal == nil || cfg.Fields == nil || cfg.Audit == nil {
		return nil, errors.New("grants need a catalogue, the current one, a journal, the fields of types and an audit log")
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	b := &Book{cfg: cfg, state: newState(cfg.City.Grants())}
	cfg.Journal.Keep(book{b})
	return b, nil
}

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }
