// Package journal follows a topic of entries that settle something by their order: of two that cannot both be, the first counts.
//
// The topic has one partition and is never cleaned, so that every node folds the same, and a restart changes nothing. Every entry is
// signed by the exchange. What is not, and what is no entry, is counted and passed over. What entries mean is a Book's business.
package journal

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange"
)

// Topics are Kafka as a journal needs it; see package bus.
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

// Book is what entries of one kind add up to.
type Book interface {
	// Fold takes the next entry, which the exchange signed, and gives its id; none: the entry is of another kind. An error says why it
	// changes nothing, ErrRepeated that it was folded before. It is called by one goroutine, and for no offset twice.
	Fold(m *exchange.Message) (id string, err error)
}

// ErrRepeated means that an entry came again, by a lost acknowledgement or an enemy's hand.
var ErrRepeated = errors.New("the entry was folded before")

// Config is what a Journal is made of. Topic, Topics and Keys are required.
type Config struct {
	Topic  string
	Topics Topics
	Keys   Keys
	// Moved hears after entries were folded up to an offset, some of which counted; nil: nobody does. Nobody who waits for the entries
	// is told before it returns.
	Moved   func(next int64)
	Log     *slog.Logger // nil: silent
	Metrics prometheus.Registerer
}

// Journal is a topic and the books that are folded from it. It is safe for concurrent use.
type Journal struct {
	cfg     Config
	books   []Book
	refused *prometheus.CounterVec

	mu      sync.RWMutex // guards all below
	next    int64        // offset of the next entry
	changed chan struct{}
	told    map[string]error // what the fold said of entries that this node waits for, by their ids
}

// New makes a journal of which nothing is folded yet; Run does that, once its books are there.
func New(cfg Config) (*Journal, error) {
	if cfg.Topic == "" || cfg.Topics == nil || cfg.Keys == nil {
		return nil, errors.New("a journal needs a topic, Kafka and keys")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Moved == nil {
		cfg.Moved = func(int64) {}
	}
	j := &Journal{cfg: cfg, changed: make(chan struct{}), told: map[string]error{}}
	j.refused = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "yimen_journal_refused_total",
		Help: "Entries of a topic that settles things by order that were passed over.", ConstLabels: prometheus.Labels{"topic": cfg.Topic}}, []string{"reason"})
	if cfg.Metrics != nil {
		if err := cfg.Metrics.Register(j.refused); err != nil {
			return nil, fmt.Errorf("register metrics of topic %s: %w", cfg.Topic, err)
		}
	}
	return j, nil
}

// Keep has a book folded too. It is for before Run.
func (j *Journal) Keep(b Book) { j.books = append(j.books, b) }

// Settled waits until everything that stood on the topic at the call is folded.
func (j *Journal) Settled(ctx context.Context) error {
	ends, err := j.cfg.Topics.EndOffsets(ctx, j.cfg.Topic)
	if err != nil {
		return err
	}
	return j.Until(ctx, ends[0])
}

// Until waits for what stands before an offset to be folded.
func (j *Journal) Until(ctx context.Context, end int64) error { return Await(ctx, end, j.folded) }

func (j *Journal) folded() (next int64, changed <-chan struct{}) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.next, j.changed
}

// Await waits for what stands before an offset to be folded. folded says how far that has come, and gives a channel that is closed when
// it comes further.
func Await(ctx context.Context, end int64, folded func() (next int64, changed <-chan struct{})) error {
	for {
		next, changed := folded()
		if next >= end {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Changed gives a channel that is closed when something is folded next.
func (j *Journal) Changed() <-chan struct{} {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.changed
}

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }
