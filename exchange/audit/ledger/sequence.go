package ledger

import (
	"context"
	"crypto/sha256"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/folded"
)

const (
	topicName = audit.Topic
	// mostLeaves is how many leaves are made durable together at most: 32 bundles.
	mostLeaves = 32 * width
)

// Run follows the topic and publishes until ctx ends, then returns nil. It outlives a bus that is away, a full disk and an absent
// witness. Where the topic is not the one the log was made of, it returns a Problem of the kind Conflict: no machine can mend that.
func (l *Ledger) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return l.sequencing(ctx) })
	group.Go(func() error { return l.publishing(ctx) })
	return group.Wait()
}

// sequencing makes leaves of messages until ctx ends. Whatever goes wrong, it begins again from what the log on the disk says.
func (l *Ledger) sequencing(ctx context.Context) error {
	for {
		err := l.catchUp(ctx)
		if err == nil {
			err = l.follow(ctx)
		}
		if ctx.Err() != nil {
			return nil
		}
		if exchange.KindOf(err) == exchange.Conflict {
			return err
		}
		l.metrics.failures.Inc()
		l.cfg.Log.Error("sequencing the audit log begins again", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(l.pace.retry):
		}
	}
}

// follow takes the topic up behind the last leaf.
func (l *Ledger) follow(ctx context.Context) error {
	end, err := l.topicEnd(ctx)
	if err != nil {
		return err
	}
	next := int64(l.sequenced.Load()) // a leaf's place is its message's offset
	if end < next {
		return otherTopic(next)
	}
	inbox := make(chan []exchange.Message, 4)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return l.cfg.Topic.Follow(ctx, topicName, map[int]int64{0: next}, func(ctx context.Context, msgs []exchange.Message) error {
			select {
			case inbox <- msgs:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
	})
	group.Go(func() error { return l.take(ctx, inbox) })
	return group.Wait()
}

// take makes leaves of what comes in, and makes them durable together: all that waits, or what came within the time to gather. Each message
// becomes a leaf when it comes, so that the work is spread over that time: queries are answered meanwhile.
func (l *Ledger) take(ctx context.Context, inbox <-chan []exchange.Message) error {
	for b := l.batch(); ; {
		var msgs []exchange.Message
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case msgs = <-inbox:
		}
		if err := b.addAll(ctx, msgs); err != nil {
			return err
		}
		patience := time.NewTimer(l.pace.gather)
		for waiting := true; waiting && len(b.leaves) < mostLeaves; {
			select {
			case more := <-inbox:
				if err := b.addAll(ctx, more); err != nil {
					return err
				}
			case <-patience.C:
				waiting = false
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		patience.Stop()
		if err := b.commit(); err != nil {
			return err
		}
	}
}

// batch is the leaves that are made durable together.
type batch struct {
	ledger *Ledger
	from   uint64 // of the first leaf
	at     uint64 // of the next leaf
	leaves [][]byte
	rows   []folded.Row
	fresh  map[string][sha256.Size]byte // ids that are not in the index yet
	count  map[leafKind]int
	heard  int64 // the newest entry's time
}

// batch is an empty one behind all leaves that are durable.
func (l *Ledger) batch() *batch {
	next := l.sequenced.Load()
	return &batch{ledger: l, from: next, at: next, fresh: map[string][sha256.Size]byte{}, count: map[leafKind]int{}}
}

// addAll makes leaves of messages, and commits what comes to too many on the way.
func (b *batch) addAll(ctx context.Context, msgs []exchange.Message) error {
	for i := range msgs {
		if len(b.leaves) >= mostLeaves {
			if err := b.commit(); err != nil {
				return err
			}
		}
		if err := b.add(ctx, &msgs[i]); err != nil {
			return err
		}
	}
	return nil
}

// commit makes the leaves durable in the tree first, then indexed, and begins the next batch behind them. After an error the batch is of
// no use: what became of its leaves the log on the disk says.
func (b *batch) commit() error {
	l := b.ledger
	if len(b.leaves) == 0 {
		return nil
	}
	if err := l.tree.append(b.from, b.leaves); err != nil {
		return err
	}
	if err := l.index.commit(b.rows, b.at); err != nil {
		return err
	}
	l.sequenced.Store(b.at)
	l.heard.Store(max(b.heard, l.heard.Load())) // nobody else does
	for kind, n := range b.count {
		l.metrics.leaves.WithLabelValues(string(kind)).Add(float64(n))
	}
	*b = *l.batch()
	return nil
}

func (b *batch) add(ctx context.Context, m *exchange.Message) error {
	if m.Offset < int64(b.at) {
		return b.repeated(ctx, m)
	}
	if m.Offset-int64(b.at) > mostMissing {
		return otherTopic(int64(b.at))
	}
	for int64(b.at) < m.Offset {
		b.put(leaf{kind: missingLeaf, offset: int64(b.at), id: missingID})
	}
	l, err := b.leafOf(m)
	if err == nil {
		b.put(l)
	}
	return err
}

// mostMissing is how many messages in a row may be missing from the topic. More is another topic.
const mostMissing = 1 << 20

func (b *batch) put(l leaf) {
	switch l.kind {
	case conflictLeaf, strayLeaf:
		b.ledger.cfg.Log.Error("somebody else writes to the audit topic", "kind", l.kind, "offset", l.offset)
	case missingLeaf:
		b.ledger.cfg.Log.Error("the audit topic has lost a message", "offset", l.offset)
	}
	if l.kind == entryLeaf {
		b.heard = max(b.heard, l.entry.Time.UnixNano())
	}
	b.leaves = append(b.leaves, l.marshal())
	b.rows = append(b.rows, rowsOf(b.at, &l, b.fresh[l.id])...)
	b.count[l.kind]++
	b.at++
}

// repeated makes sure that a message which the bus hands over again is the one that the log has.
func (b *batch) repeated(ctx context.Context, m *exchange.Message) error {
	var l leaf
	var err error
	if at, size := uint64(m.Offset), b.ledger.sequenced.Load(); at < size {
		l, err = b.ledger.tree.leaf(ctx, at, size)
	} else {
		l, err = readLeaf(at, b.leaves[at-size])
	}
	if err == nil && !l.matches(m) {
		err = otherTopic(m.Offset)
	}
	return err
}

// leafOf says what a message is.
func (b *batch) leafOf(m *exchange.Message) (leaf, error) {
	l := leaf{kind: strayLeaf, offset: m.Offset}
	entry, err := audit.EntryOf(m)
	if err != nil {
		l.id = strayHash(m)
		return l, nil
	}
	l.id, l.entry = entry.ID, entry
	sum := sha256.Sum256(m.Value)
	known, found := b.fresh[l.id]
	if !found {
		if _, known, found, err = b.ledger.index.find(l.id); err != nil {
			return leaf{}, err
		}
	}
	switch {
	case !found:
		l.kind, l.body = entryLeaf, m.Value
		b.fresh[l.id] = sum
	case known == sum:
		l.kind = againLeaf
	default:
		l.kind, l.body = conflictLeaf, m.Value
	}
	return l, nil
}
