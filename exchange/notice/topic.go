package notice

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/journal"
)

// noticesTopic is the topic of a department's notices.
type noticesTopic struct {
	name string

	mu      sync.Mutex    // guards the next two
	next    map[int]int64 // by partition, the offset behind the last notice that is folded; the store has it too
	changed chan struct{} // closed, and replaced, whenever something was folded

	// Both are of whoever makes notices.
	sure bool // every notice is folded that this node has appended, or may have
	late bool // it was waited for in vain, and is not again in this round
}

// newTopics are the topics of the departments, and how far each was folded.
func newTopics(ctx context.Context, departments []exchange.Department, s *store) (map[exchange.Department]*noticesTopic, error) {
	all := map[exchange.Department]*noticesTopic{}
	for _, d := range departments {
		name := envelope.NoticesTopic(d)
		next, err := s.places(ctx, name)
		if err != nil {
			return nil, err
		}
		all[d] = &noticesTopic{name: name, next: next, changed: make(chan struct{})}
	}
	return all, nil
}

func (t *noticesTopic) folded(partition int) (next int64, changed <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.next[partition], t.changed
}

func (t *noticesTopic) places() map[int]int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.next)
}

func (t *noticesTopic) fold(partition int, next int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next[partition] = next
	close(t.changed)
	t.changed = make(chan struct{})
}

// foldNotices follows what any node has told a department's cases, so that it is not told again.
func (o *Office) foldNotices(ctx context.Context, t *noticesTopic) error {
	from := func() (map[int]int64, error) { return t.places(), nil }
	return o.again(ctx, t.name, from, func(_ context.Context, msgs []exchange.Message) error {
		partition, next := msgs[0].Partition, msgs[len(msgs)-1].Offset+1
		rows := []row{placed(t.name, partition, next)}
		for i := range msgs {
			e, err := readEvent(&msgs[i])
			if err != nil {
				o.metrics.refused.WithLabelValues("notice").Inc()
				continue
			}
			if at := o.writtenAt(&msgs[i]); !o.forgotten(at) {
				rows = append(rows, told(e.ID, at))
			}
		}
		if err := o.store.put(false, rows...); err != nil {
			return err
		}
		t.fold(partition, next)
		return nil
	})
}

// topicOf is the topic of a department. Nobody follows that of one which has left the catalogue.
func (o *Office) topicOf(d exchange.Department) *noticesTopic {
	if t := o.topics[d]; t != nil {
		return t
	}
	return &noticesTopic{name: envelope.NoticesTopic(d), sure: true}
}

// makeSure waits a little until what this node may have appended to a topic is folded: the process before this one may have been stopped in
// the middle of that, too. A topic that cannot be read keeps nothing from other departments: in each round it is waited for once.
func (o *Office) makeSure(ctx context.Context, t *noticesTopic) error {
	if t.sure {
		return nil
	}
	if t.late {
		return fmt.Errorf("topic %s is not read to its end yet", t.name)
	}
	ctx, cancel := context.WithTimeout(ctx, o.reading)
	defer cancel()
	if err := o.readToEnd(ctx, t); err != nil {
		t.late = true
		return fmt.Errorf("read topic %s to its end: %w", t.name, err)
	}
	t.sure = true
	return nil
}

// readToEnd waits until everything is folded that stands on a topic now.
func (o *Office) readToEnd(ctx context.Context, t *noticesTopic) error {
	ends, err := o.cfg.Topics.EndOffsets(ctx, t.name)
	if err != nil {
		return err
	}
	firsts, err := o.cfg.Topics.FirstOffsets(ctx, t.name)
	if err != nil {
		return err
	}
	for p, end := range ends {
		if firsts[p] >= end {
			continue // all have aged, and there is nothing to fold
		}
		if err := journal.Await(ctx, end, func() (int64, <-chan struct{}) { return t.folded(p) }); err != nil {
			return err
		}
	}
	return nil
}

// writtenAt is when Kafka took a message, where it says so.
func (o *Office) writtenAt(m *exchange.Message) time.Time {
	if m.Time.IsZero() {
		return o.cfg.Clock()
	}
	return m.Time
}
