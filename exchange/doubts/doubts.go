// Package doubts keeps what clerks found wrong in what they were told, and what became of it.
//
// A doubt (疑义) is about one record that an answer rested on: some fields, and why. The record's keeper accepts or rejects it, within ten
// working days with the correction (政务数据共享条例 art. 26). A correction is no act of anybody here: it is there once the index has a newer
// version that says something else. Until then an accepted doubt is open. What is doubted is answered as before: verdicts do not change.
//
// Each act is an entry of the topic "doubts", signed by the exchange, that names the version of the doubt it was done to: of two for the
// same version the first on the topic counts.
//
// What people wrote may tell of a person. It is sealed, on a topic of its own from which it is erased once the record is ordered to be
// forgotten; it is shown to the department that doubts and to the keeper only. A citizen number in it is refused; other names of people are
// not found, which is why it is sealed.
package doubts

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/journal"
)

// Topic is where acts go.
const Topic = "doubts"

// Index has the turns of a record, the oldest first: none, where nothing of it may be told any more. See holdings.Index.
type Index interface {
	History(ctx context.Context, t exchange.EvidenceType, id exchange.RecordID) ([]exchange.Turn, error)
}

// Answers are those given so far, as the audit log has them.
type Answers interface {
	// Rested says how the answer with the receipt rested on the record; false: it did not, or there is no such answer.
	Rested(ctx context.Context, receipt string, id exchange.RecordID) (Reliance, bool, error)
	// Relied lists the answers that rested on any version of the record.
	Relied(ctx context.Context, id exchange.RecordID) ([]Reliance, error)
}

// Reliance is an answer that rested on a record.
type Reliance struct {
	Receipt    string                `json:"receipt"`
	Time       time.Time             `json:"time"`
	Department exchange.Department   `json:"department"`
	Clerk      string                `json:"clerk,omitempty"` // the staff code
	Case       string                `json:"case"`
	Evidence   exchange.EvidenceType `json:"evidence"`
	Version    exchange.Version      `json:"version"` // of the record
}

// Config is what a Book is made of. All but Rest, Log, Clock and Metrics is required.
type Config struct {
	Topics journal.Topics // that have the TextsTopic
	// Journal is that of the Topic; the book is one that it keeps.
	Journal *journal.Journal
	Index   Index
	Answers Answers
	// Forgotten says whether a record was ordered to be forgotten, as a whole and for good unless the order is lifted. That nothing is known
	// of a record is no reason to say so.
	Forgotten func(exchange.EvidenceType, exchange.RecordID) bool
	// Rest is for how long Kafka leaves a part of the TextsTopic as it is, see max.compaction.lag.ms.
	Rest time.Duration
	// Secret is what the texts on the topic are sealed under, 32 bytes that stay the same.
	Secret func(context.Context) ([]byte, error)
	// Keeper is the department that answers for a type.
	Keeper func(exchange.EvidenceType) (exchange.Department, bool)
	// Fields are the names at the top of a type's document.
	Fields func(exchange.EvidenceType) []string
	// Audit makes an act durable in the audit log before it is done.
	Audit   func(ctx context.Context, who, act, target string) error
	Clock   func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: silent
	Metrics prometheus.Registerer
}

// Book is the doubts of a city. It is safe for concurrent use.
type Book struct {
	cfg   Config
	texts *texts

	mu    sync.RWMutex
	state state
}

// New makes an empty book, which the journal and Run fill.
func New(cfg Config) (*Book, error) {
	if cfg.Topics == nil || cfg.Forgotten == nil || cfg.Journal == nil || cfg.Index == nil || cfg.Answers == nil || cfg.Secret == nil || cfg.Keeper == nil || cfg.Fields == nil || cfg.Audit == nil {
		return nil, errors.New("doubts need topics, the orders to forget, a journal, an index, the answers, a secret, keepers, the fields of types and an audit log")
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	b := &Book{cfg: cfg, texts: newTexts(&cfg), state: state{}}
	if cfg.Metrics != nil {
		if err := cfg.Metrics.Register(gauge{b}); err != nil {
			return nil, err
		}
	}
	cfg.Journal.Keep(b)
	return b, nil
}

// Fold takes the next entry of the topic.
func (b *Book) Fold(m *exchange.Message) (id string, err error) {
	e, err := parseEntry(m.Value)
	if err != nil {
		return "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return e.ID, b.state.fold(e)
}

// Settled waits until all that people wrote up to now is here.
func (b *Book) Settled(ctx context.Context) error { return b.texts.settled(ctx) }

func (b *Book) today() exchange.Date { return exchange.DateOf(b.cfg.Clock()) }

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }
