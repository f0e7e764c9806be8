// Package grants keeps which department may see which fields of which evidence for which item: asked for, decided by the keeper, taken back.
//
// A grant (共享授权) begins as a request (政务数据共享条例 art. 20), which the type's keeper approves or refuses with a reason within the time of
// its sharing class (art. 21); it can be suspended, resumed and revoked (art. 27). Each act is an entry of the topic "catalogue", signed by the
// exchange, that names the version of the grant it replaces: of two for the same version the first on the topic counts. The grants of the
// YAML catalogue are there from the beginning, as version 0.
//
// A Book folds the topic. Current is the catalogue with the grants in force, one that never changes, so that a query sees one
// state from its beginning to its end; an act counts from the next query on.
package grants

import (
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
)

// Topics are Kafka as a Book needs it; see package bus.
type Topics interface {
	Append(ctx context.Context, topic string, messages []exchange.Message) error
	Follow(ctx context.Context, topic string, from map[int]int64, handle func(context.Context, []exchange.Message) error) error
	EndOffsets(ctx context.Context, topic string) (map[int]int64, error)
}

// Keys sign what the exchange tells its nodes. They are safe for concurrent use.
type Keys interface {
	Verifiers(ctx context.Context) ([]ed25519.PublicKey, error)
	Signer(ctx context.Context) (ed25519.PrivateKey, error)
}

// Config is what a Book is made of. Catalogue, Topics, Keys, Fields and Audit are required.
type Config struct {
	Catalogue *catalogue.Catalogue // with the city's starting grants
	Topics    Topics
	Keys      Keys
	// Fields are the names a grant may give of a type: the properties at the top of its document. None: the type has no schema yet.
	Fields func(exchange.EvidenceType) []string
	// Audit makes an act durable in the audit log before it is done.
	Audit func(ctx context.Context, who, act, target string) error
	// Shares says whether anything of the type is published; nil: it is. Until then the time to share (art. 22) runs.
	Shares  func(exchange.EvidenceType) bool
	Clock   func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: silent
	Metrics prometheus.Registerer
}

// Book is the grants of a city. It is safe for concurrent use.
type Book struct {
	cfg     Config
	refused *prometheus.CounterVec
	current atomic.Pointer[catalogue.Catalogue]

	mu      sync.RWMutex // guards all below
	state   state
	changed chan struct{}    // closed, and replaced, whenever something was folded
	all     []numbered       // what was folded, in its order
	told    map[string]error // what the fold said of entries that this node waits for, by their ids
}

// New makes a book with the starting grants; Run follows what is done since.
func New(cfg Config) (*Book, error) {
	if cfg.Catalogue == nil || cfg.Topics == nil || cfg.Keys == nil || cfg.Fields == nil || cfg.Audit == nil {
		return nil, errors.New("grants need a catalogue, topics, keys, the fields of types and an audit log")
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	b := &Book{cfg: cfg, state: newState(cfg.Catalogue.Grants()), changed: make(chan struct{}), told: map[string]error{}}
	b.current.Store(cfg.Catalogue)
	b.refused = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "yimen_grants_refused_total",
		Help: "Entries of grants that were passed over."}, []string{"reason"})
	if cfg.Metrics != nil {
		if err := cfg.Metrics.Register(b.refused); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// numbered is an entry with the offset behind it.
type numbered struct {
	*entry
	next int64
}

// AsOf is a catalogue with the grants that were in force when the topic was folded up to an offset, so that an answer of then can be given again.
func (b *Book) AsOf(ctx context.Context, c *catalogue.Catalogue, upTo int64) (*catalogue.Catalogue, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := b.until(ctx, upTo); err != nil {
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

// Current is the catalogue with the grants that are in force.
func (b *Book) Current() *catalogue.Catalogue { return b.current.Load() }

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }
