package notice

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/journal"
)

// noticesTopic is the topic of a department's notices; it has one partition.
type noticesTopic struct {
	name string

	mu      sync.Mutex // guards all below
	next    int64      // offset behind the last notice that is folded; the store has it too
	changed chan struct{}
	sure    bool // every notice is folded that this node has appended, or may have
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
		all[d] = &noticesTopic{name: name, next: next[0], changed: make(chan struct{})}
	}
	return all, nil
}

func (t *noticesTopic) folded() (next int64, changed <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.next, t.changed
}

func (t *noticesTopic) fold(next int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next = next
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *noticesTopic) isSure() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sure
}

func (t *noticesTopic) setSure(sure bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sure = sure
}

// foldNotices follows what any node has told a department's cases, so that it is not told again.
func (o *Office) foldNotices(ctx context.Context, t *noticesTopic) error {
	from := func() (map[int]int64, error) {
		next, _ := t.folded()
		return map[int]int64{0: next}, nil
	}
	return o.again(ctx, t.name, from, func(_ context.Context, msgs []exchange.Message) error {
		next := msgs[len(msgs)-1].Offset + 1
		rows := []row{placed(t.name, 0, next)}
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
		t.fold(next)
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

// append appends notices. After an error nobody knows whether they stand on the topic: the process before this one may have been stopped
// in the middle of that, too.
func (o *Office) append(ctx context.Context, t *noticesTopic, msgs []exchange.Message) error {
	if len(msgs) == 0 {
		return nil
	}
	err := o.cfg.Topics.Append(ctx, t.name, msgs)
	if err != nil {
		t.setSure(false)
	}
	return err
}

// makeSure waits until what this node may have appended to a topic is folded.
func (o *Office) makeSure(ctx context.Context, t *noticesTopic) error {
	if t.isSure() {
		return nil
	}
	ends, err := o.cfg.Topics.EndOffsets(ctx, t.name)
	if err != nil {
		return err
	}
	firsts, err := o.cfg.Topics.FirstOffsets(ctx, t.name)
	if err != nil {
		return err
	}
	if firsts[0] < ends[0] { // else all have aged, and there is nothing to fold
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if err := journal.Await(ctx, ends[0], t.folded); err != nil {
			return fmt.Errorf("wait until %s is read: %w", t.name, err)
		}
	}
	t.setSure(true)
	return nil
}

// writtenAt is when Kafka took a message, where it says so.
func (o *Office) writtenAt(m *exchange.Message) time.Time {
	if m.Time.IsZero() {
		return o.cfg.Clock()
	}
	return m.Time
}
