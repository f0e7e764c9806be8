// Package ledger keeps the audit log so that nobody can rewrite it unseen.
//
// A Ledger follows the topic "audit" and makes each message a leaf of a Merkle tree on disk (C2SP's tlog-tiles, kept by Tessera),
// publishes a signed checkpoint of it every second, and has it cosigned by witnesses who never sign two that contradict each
// other. For every entry it then gives a proof that anybody can check without asking again. What a leaf says follows from the
// topic alone: a log that was lost is made again, the same, and whoever changed anything before that shows.
//
// An exchange puts it together so, with Ed25519 keys made of the rings "log" and "audit-signature":
//
//	log, err := audit.New(audit.Config{Appender: bus, Keys: …, …})
//	l, err := ledger.Open(ctx, ledger.Config{Dir: data + "/audit", Origin: city + ".yimen/audit", Key: …, Topic: bus, Witnesses: …})
//	n.close, n.goes("audit ledger", l.Run)        // show l.VerifierKey() at the start; readiness asks l.Fresh
//	if err := l.Fresh(clock()); err != nil { … }  // in the broker, before each answer or refusal; then log.Append, then the answer
//	operations := ledger.Operations(ledger.Serving{Ledger: l, Enter: …, Reader: …}) // for api.Config.Others
//
// One process at a time keeps a directory; others may keep copies of their own, which come out the same.
package ledger

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/folded"
)

// Topic is the audit topic on its bus. It is safe for concurrent use.
type Topic interface {
	// Follow hands over the messages of each partition from its offset in from on, in order, until ctx ends or handle errs.
	Follow(ctx context.Context, topic string, from map[int]int64, handle func(context.Context, []exchange.Message) error) error
	// EndOffsets gives, for each partition, the offset after its last message.
	EndOffsets(ctx context.Context, topic string) (map[int]int64, error)
}

// Config is what a Ledger is made of.
type Config struct {
	Dir       string                                            // of tiles and index; made if it is not there
	Origin    string                                            // names the log for ever, such as "liling.yimen/audit"
	Key       func(context.Context) (ed25519.PrivateKey, error) // signs checkpoints; asked by Open, and after each Forget
	Topic     Topic
	Witnesses []Witness    // each must cosign before a checkpoint is published
	HTTP      *http.Client // to the witnesses; nil: a plain one
	// StaleAfter is how long answers go on while entries wait for a checkpoint; 0: four hours, as X-Road's servers do.
	StaleAfter time.Duration
	// Delay is how long the holder is not told of a query for an item, where the law says so; nil: not at all.
	Delay   func(exchange.Item) time.Duration
	Clock   func() time.Time      // nil: time.Now
	Log     *slog.Logger          // nil: silent
	Metrics prometheus.Registerer // nil: none
}

const defaultStale = 4 * time.Hour

// Ledger is the log of a directory, held by this process until Close. It is safe for concurrent use.
type Ledger struct {
	cfg       Config
	lock      *pebble.Lock
	tree      *tree
	index     *index
	publisher *publisher
	metrics   *metrics
	pace      pace

	sequenced atomic.Uint64 // leaves that are in the tree and in the index
	end       atomic.Int64  // of the topic, as it was seen last
	looked    atomic.Int64  // when that was, in nanoseconds since 1970
	heard     atomic.Int64  // the time of the newest entry that this process made a leaf of, in the same
	confirmed atomic.Int64  // up to when everything on the topic is known to be published, in nanoseconds since 1970
}

// pace is how fast things happen. Tests are in a hurry.
type pace struct {
	publish time.Duration // between checkpoints
	gather  time.Duration // how long leaves wait for others, so that a quiet log does not write a file for each
	retry   time.Duration // before beginning again after an error
	arrive  time.Duration // how old an entry must be for its absence to be known
}

// Open opens or makes the log in a directory, and brings its index up to it. A directory that another process holds is a Problem of
// the kind Conflict.
func Open(ctx context.Context, cfg Config) (*Ledger, error) {
	l := &Ledger{cfg: cfg.withDefaults(), pace: pace{publish: time.Second, gather: 500 * time.Millisecond, retry: time.Second, arrive: 10 * time.Second}}
	if cfg.Topic == nil || cfg.Key == nil || cfg.Dir == "" {
		return nil, errors.New("audit ledger needs a directory, a topic and a key")
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, unusable(cfg.Dir, err)
	}
	var err error
	if l.lock, err = pebble.LockDirectory(cfg.Dir, vfs.Default); err != nil {
		return nil, held(cfg.Dir, err)
	}
	if err := l.open(ctx); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (c Config) withDefaults() Config {
	if c.StaleAfter == 0 {
		c.StaleAfter = defaultStale
	}
	if c.Delay == nil {
		c.Delay = func(exchange.Item) time.Duration { return 0 }
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.HTTP == nil {
		c.HTTP = &http.Client{}
	}
	return c
}

// The parts of a ledger's directory.
const (
	logDir   = "log"
	indexDir = "index"
)

func (l *Ledger) open(ctx context.Context) (err error) {
	if l.tree, err = openTree(filepath.Join(l.cfg.Dir, logDir)); err != nil {
		return unusable(l.cfg.Dir, err)
	}
	if l.index, err = openIndex(filepath.Join(l.cfg.Dir, indexDir), l.cfg.Log, false); err != nil {
		return badIndex(filepath.Join(l.cfg.Dir, indexDir), err)
	}
	if l.publisher, err = newPublisher(ctx, l.cfg, l.tree); err != nil {
		return err
	}
	if err = l.catchUp(ctx); err != nil {
		return err
	}
	if at := l.publisher.last().at; !at.IsZero() {
		l.confirmed.Store(at.UnixNano())
	}
	l.metrics, err = newMetrics(l.cfg.Metrics, l)
	return err
}

// Close gives the directory free. Run must have returned.
func (l *Ledger) Close() error {
	var all []error
	if l.tree != nil {
		l.tree.close()
	}
	if l.index != nil {
		all = append(all, l.index.close())
	}
	all = append(all, l.lock.Close())
	return errors.Join(all...)
}

// Forget drops the key from memory, for the moment when the authority closes. It is asked for again when needed; until it can be had,
// leaves are sequenced and no checkpoint is published.
func (l *Ledger) Forget() { l.publisher.key.Forget() }

// VerifierKey is what verifiers and witnesses need to know this log by.
func (l *Ledger) VerifierKey() string { return l.publisher.vkey }

// Fresh errs, with a Problem of the kind Unavailable, while entries have waited for a published checkpoint for longer than
// StaleAfter: then there is to be no answer, because nobody could prove what was asked. It costs next to nothing.
func (l *Ledger) Fresh(now time.Time) error {
	if now.UnixNano()-l.confirmed.Load() <= int64(l.cfg.StaleAfter) {
		return nil
	}
	return stale(l.cfg.StaleAfter)
}

// catchUp indexes what the log has and the index has not.
func (l *Ledger) catchUp(ctx context.Context) error {
	size, err := l.tree.IntegratedSize(ctx)
	if err != nil {
		return unusable(l.cfg.Dir, err)
	}
	next, err := l.index.next()
	if err != nil {
		return badIndex(filepath.Join(l.cfg.Dir, indexDir), err)
	}
	if next > size || l.publisher.last().size > size {
		return cut(l.cfg.Dir, max(next, l.publisher.last().size), size)
	}
	var rows []folded.Row
	err = l.tree.each(ctx, next, size, func(at uint64, data []byte) error {
		leaf, err := readLeaf(at, data)
		if err != nil {
			return err
		}
		rows = append(rows, rowsOf(at, &leaf, sha256.Sum256(leaf.body))...)
		if len(rows) < rowsAtOnce {
			return nil
		}
		err = l.index.commit(rows, at+1)
		rows = rows[:0]
		return err
	})
	if err == nil && next < size {
		err = l.index.commit(rows, size)
	}
	if err != nil {
		return damaged(l.cfg.Dir, fmt.Errorf("index the log: %w", err))
	}
	l.sequenced.Store(size)
	return nil
}

// rowsAtOnce is how many rows are gathered before they are stored.
const rowsAtOnce = 10_000
