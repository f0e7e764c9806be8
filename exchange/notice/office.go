package notice

import (
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/notice/webhook"
)

// Topics are Kafka as an Office needs it; see package bus.
type Topics interface {
	Append(ctx context.Context, topic string, messages []exchange.Message) error
	Follow(ctx context.Context, topic string, from map[int]int64, handle func(context.Context, []exchange.Message) error) error
	FirstOffsets(ctx context.Context, topic string) (map[int]int64, error)
	EndOffsets(ctx context.Context, topic string) (map[int]int64, error)
}

// Keys sign what the exchange tells its nodes. They are safe for concurrent use.
type Keys interface {
	Verifiers(ctx context.Context) ([]ed25519.PublicKey, error)
	Signer(ctx context.Context) (ed25519.PrivateKey, error)
}

// Config is what an Office is made of. All but the last five is required.
type Config struct {
	City        string
	Dir         string // what must outlive a restart
	Departments []exchange.Department
	Topics      Topics
	Keys        Keys
	Holdings    Holdings
	Reliances   Reliances
	Sender      *webhook.Sender
	// Audit makes an act durable in the audit log before it is done.
	Audit   func(ctx context.Context, who, act, target string) error
	Standby time.Duration // how long others have before this node does what is left undone
	GiveUp  time.Duration // how long a delivery is tried; 0: 72 h
	Clock   func() time.Time
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// Office makes notices and delivers them. It is safe for concurrent use.
type Office struct {
	cfg     Config
	store   *store
	metrics *metrics
	pauses  func(failures int) time.Duration
	rest    time.Duration // how often it is looked whether something is due
	reading time.Duration // how long the notices of others wait in a round until those of one department are read
	looks   chan struct{} // there may be something to look at
	sends   chan struct{} // there may be something to deliver
	topics  map[exchange.Department]*noticesTopic

	working sync.Mutex // held while rows of work or of what was erased change; guards marks
	marks   uint64
	placing sync.Mutex // guards next
	next    map[string]map[int]int64
	settled atomic.Bool // Settled has succeeded once

	mu      sync.RWMutex // guards all below
	board   board
	changed chan struct{} // closed, and replaced, whenever something was folded
}

const defaultGiveUp = 72 * time.Hour

// New opens the office's directory. Close it after the last call.
func New(cfg Config) (*Office, error) {
	if cfg.Topics == nil || cfg.Keys == nil || cfg.Holdings == nil || cfg.Reliances == nil || cfg.Sender == nil || cfg.Audit == nil || cfg.Dir == "" {
		return nil, errors.New("notices need a directory, topics, keys, holdings, reliances, a sender and an audit log")
	}
	if cfg.GiveUp == 0 {
		cfg.GiveUp = defaultGiveUp
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	o := &Office{cfg: cfg, pauses: pauseAfter, rest: time.Second, reading: 5 * time.Second, looks: make(chan struct{}, 1), sends: make(chan struct{}, 1), next: map[string]map[int]int64{}, changed: make(chan struct{})}
	var err error
	if o.metrics, err = newMetrics(cfg.Metrics, o.subscriptions); err != nil {
		return nil, err
	}
	if o.store, err = openStore(cfg.Dir, cfg.Log); err != nil {
		return nil, err
	}
	if err := o.recall(context.Background()); err != nil {
		return nil, errors.Join(err, o.store.close())
	}
	return o, nil
}

// recall reads what the store has of the topics.
func (o *Office) recall(ctx context.Context) (err error) {
	if o.board, err = o.store.board(ctx); err != nil {
		return err
	}
	o.topics, err = newTopics(ctx, o.cfg.Departments, o.store)
	return err
}

// Close gives the directory free.
func (o *Office) Close() error { return o.store.close() }

// Run folds the subscriptions, and makes and delivers notices, until ctx ends. It outlives Kafka and the authority being away.
func (o *Office) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return o.foldSubscriptions(ctx) })
	for _, t := range o.topics {
		group.Go(func() error { return o.foldNotices(ctx, t) })
	}
	group.Go(func() error { return o.repeat(ctx, "make notices", o.looks, o.lookAll) })
	group.Go(func() error { return o.deliverAll(ctx) })
	group.Go(func() error { return o.sweepAll(ctx) })
	return group.Wait()
}

// repeat does something whenever it may be due. What it errs over is tried again.
func (o *Office) repeat(ctx context.Context, name string, wake <-chan struct{}, do func(context.Context) error) error {
	tick := time.NewTicker(o.rest)
	defer tick.Stop()
	for {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			o.cfg.Log.Warn("notices are late", "act", name, "error", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-wake:
		case <-tick.C:
		}
	}
}

// call says that something may be due.
func call(wake chan<- struct{}) {
	select {
	case wake <- struct{}{}:
	default: // it was called already
	}
}

// again follows a topic until ctx ends, from where the handler has come.
func (o *Office) again(ctx context.Context, topic string, from func() (map[int]int64, error), handle func(context.Context, []exchange.Message) error) error {
	for {
		next, err := from()
		if err == nil {
			err = o.cfg.Topics.Follow(ctx, topic, next, handle)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		o.cfg.Log.Warn("a topic of notices is not being followed; beginning again", "topic", topic, "error", err)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(o.rest):
		}
	}
}
