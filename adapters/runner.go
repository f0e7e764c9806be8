package adapters

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/onedoor/yimen/adapters/mapping"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/trace"
	"github.com/onedoor/yimen/schemas"
	"github.com/prometheus/client_golang/prometheus"
	oteltrace "go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"
)

// Bus is what an adapter needs of Kafka.
type Bus interface {
	// Append returns nil when every message is acknowledged, with its partition and offset filled in.
	// After an error nobody knows which of them arrived.
	Append(ctx context.Context, topic string, messages []exchange.Message) error
	// Follow hands over each partition's messages in order, from the offsets given, until ctx ends or handle errs.
	Follow(ctx context.Context, topic string, from map[int]int64, handle func(context.Context, []exchange.Message) error) error
	// FirstOffsets and EndOffsets give, for each partition, where what stands on it begins and ends.
	FirstOffsets(ctx context.Context, topic string) (map[int]int64, error)
	EndOffsets(ctx context.Context, topic string) (map[int]int64, error)
}

// Config is what a runner is made of.
type Config struct {
	Manifest *Manifest
	Source   Source
	Schema   *schemas.Schema // of the manifest's evidence type

	DepartmentKey     []byte // the department's secret; see envelope.NewNames
	ExchangePublicKey []byte // what records are sealed to at first; see SealTo
	Signer            envelope.Signer
	StateDir          string
	Bus               Bus

	Clock    func() time.Time
	Log      *slog.Logger
	Metrics  prometheus.Registerer // nil: none
	Tracer   oteltrace.Tracer      // nil: readings are not traced
	Progress func(Progress)        // nil: none; called after each batch
	// Explain finds what is behind an error that Serve is about to log. nil: it stands for itself.
	Explain func(context.Context, error) error

	// AllowWithdrawals lets a reading withdraw more records than the manifest's bound.
	AllowWithdrawals bool
}

// Progress says how far a reading is.
type Progress struct {
	Adapter exchange.Adapter `json:"adapter"`
	Result
}

// Result counts what became of the rows of one reading.
type Result struct {
	Read        int64 `json:"read"`        // rows of the source
	Published   int64 `json:"published"`   // new records and new versions
	Unchanged   int64 `json:"unchanged"`   // rows whose content stands published already
	Quarantined int64 `json:"quarantined"` // rows in quarantine, unreadable ones included
	Unreadable  int64 `json:"unreadable"`  // rows whose holder could not be read
	Withdrawn   int64 `json:"withdrawn"`   // records whose row is gone
	HeldBack    int64 `json:"held_back"`   // records whose row is gone, or hidden in a row that cannot be read: not withdrawn yet
	Records     int64 `json:"records"`     // that stand published after the reading
	// Skipped says that source and mapping are as they were at the last reading; the counts are that reading's.
	Skipped bool          `json:"skipped,omitempty"`
	Took    time.Duration `json:"took_ns,omitempty"`
}

// Runner publishes one source. It is used by one goroutine at a time.
type Runner struct {
	cfg     Config
	mapping *mapping.Mapping
	names   *envelope.Names
	sealer  *envelope.Sealer
	safe    *safe
	state   *state
	meaning string
	metrics *metrics
}

// Open makes the runner ready: it takes the state, appends again what was pending when the last run died, and rebuilds a lost
// state from the adapter's own topic.
func Open(ctx context.Context, cfg Config) (*Runner, error) {
	m := cfg.Manifest
	rules, err := mapping.Compile(m.Mapping, m.Absent)
	if err != nil {
		return nil, err
	}
	sealer, err := envelope.NewSealer(envelope.SealerConfig{Adapter: m.Adapter, DepartmentKey: cfg.DepartmentKey,
		ExchangeKey: cfg.ExchangePublicKey, Signer: cfg.Signer, Clock: cfg.Clock})
	if err != nil {
		return nil, fmt.Errorf("set up %s: %w", m.Adapter, err)
	}
	locked, err := newSafe(cfg.DepartmentKey)
	if err != nil {
		return nil, err
	}
	s, err := openState(cfg.StateDir, m.Adapter, m.Evidence)
	if err != nil {
		return nil, err
	}
	r := &Runner{cfg: cfg, mapping: rules, names: sealer.Names, sealer: sealer, safe: locked, state: s,
		meaning: m.Hash() + " " + cfg.Schema.ID, metrics: newMetrics(cfg.Metrics, m.Adapter)}
	err = r.keptKey()
	if err == nil {
		err = r.recover(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// SealTo has what is published from the next batch on sealed to another public key of the exchange.
func (r *Runner) SealTo(exchangeKey []byte) error { return r.sealer.SealTo(exchangeKey) }

// Close gives the state back.
func (r *Runner) Close() error {
	r.metrics.close()
	return r.state.Close()
}

func (r *Runner) recover(ctx context.Context) error {
	if r.state.fresh() {
		if err := r.rebuild(ctx); err != nil {
			return fmt.Errorf("rebuild state of %s: %w", r.cfg.Manifest.Adapter, err)
		}
	}
	return r.resend(ctx)
}

// resend appends what was pending, unchanged: whether it had arrived is not known, and twice does no harm. Only the signature is
// renewed where the certificate was, since the exchange takes nothing more of one that was revoked.
func (r *Runner) resend(ctx context.Context) error {
	topics, last := map[string][]exchange.Message{}, uint64(0)
	err := r.state.pending(func(sequence uint64, m exchange.Message) error {
		topics[m.Topic] = append(topics[m.Topic], m)
		last = sequence
		return nil
	})
	if err != nil || len(topics) == 0 {
		return err
	}
	batch := slices.Collect(maps.Values(topics))
	if err := r.sealer.Renew(batch...); err != nil {
		return err
	}
	if err := r.append(ctx, batch...); err != nil {
		return err
	}
	r.acknowledged(batch...)
	w := r.state.write()
	defer w.discard()
	return errors.Join(w.release(last), w.commit(true))
}

// append appends each topic's messages, side by side.
func (r *Runner) append(ctx context.Context, batch ...[]exchange.Message) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, messages := range batch {
		if len(messages) == 0 {
			continue
		}
		group.Go(func() error {
			topic := messages[0].Topic
			ctx, span := trace.Step(ctx, "append "+topic)
			err := r.cfg.Bus.Append(ctx, topic, messages)
			trace.End(span, err)
			if err != nil {
				return fmt.Errorf("append %d messages to %s: %w", len(messages), topic, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// acknowledged notes up to where appended messages reach.
func (r *Runner) acknowledged(batch ...[]exchange.Message) {
	evidence := envelope.EvidenceTopic(r.cfg.Manifest.Evidence)
	for _, messages := range batch {
		for i := range messages {
			if messages[i].Topic == evidence {
				r.state.meta.End.include(&messages[i])
			} else {
				r.state.meta.Rejected.include(&messages[i])
			}
		}
	}
}

// Heartbeat states the adapter's coverage: that it is alive, and how complete its data is since the last reading.
func (r *Runner) Heartbeat(ctx context.Context) error {
	messages, err := r.statement()
	if err != nil {
		return err
	}
	trace.Mark(ctx, messages)
	if err := r.cfg.Bus.Append(ctx, messages[0].Topic, messages); err != nil {
		return fmt.Errorf("state coverage of %s: %w", r.cfg.Manifest.Adapter, err)
	}
	return nil
}

// heartbeat is how often a standing adapter states its coverage.
const heartbeat = 30 * time.Second

// Serve reads the source again and again, every manifest.Every, and states the coverage in between, until ctx ends. A reading
// that fails is logged and tried again: the coverage then grows old, which answers show.
func (r *Runner) Serve(ctx context.Context) error {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	again := time.NewTicker(time.Duration(r.cfg.Manifest.Every))
	defer again.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
			err = r.Heartbeat(ctx)
		case <-again.C:
			_, err = r.Run(ctx)
		}
		if err != nil && ctx.Err() == nil {
			if r.cfg.Explain != nil {
				err = r.cfg.Explain(ctx, err)
			}
			r.cfg.Log.Error("adapter goes on after an error", "adapter", r.cfg.Manifest.Adapter, "error", err)
		}
	}
}
