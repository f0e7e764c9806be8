package doubts

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/journal"
)

// TextsTopic is where what people write goes, sealed. It stands apart from the acts, of which none may go because they follow from each
// other: here a tombstone frees the topic of a text, as on the topics of evidence.
const TextsTopic = "doubts.texts"

// texts are what people wrote, as the topic has it. They are safe for concurrent use.
type texts struct {
	topics journal.Topics
	clock  func() time.Time
	log    *slog.Logger
	rest   time.Duration // for how long Kafka leaves a part of the topic as it is

	mu      sync.RWMutex // guards all below
	next    int64
	changed chan struct{} // closed, and replaced, whenever something was folded
	all     map[string]sealedText
}

// sealedText is a text, or that it was erased.
type sealedText struct {
	sealed []byte    // nil: erased
	came   time.Time // when Kafka took the text
	buried time.Time // when Kafka took the first tombstone; zero: none came back yet
}

// textKey is the key of a text's message.
func textKey(doubt, entry string) string { return doubt + "/" + entry }

func newTexts(cfg *Config) *texts {
	return &texts{topics: cfg.Topics, clock: cfg.Clock, log: cfg.Log, rest: cfg.Rest, changed: make(chan struct{}), all: map[string]sealedText{}}
}

const textsAgain = time.Second

// run follows the topic until ctx ends.
func (t *texts) run(ctx context.Context) error {
	for {
		t.mu.RLock()
		next := t.next
		t.mu.RUnlock()
		err := t.topics.Follow(ctx, TextsTopic, map[int]int64{0: next}, t.fold)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		t.log.Warn("a topic is not being followed; beginning again", "topic", TextsTopic, "error", err)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(textsAgain):
		}
	}
}

func (t *texts) fold(_ context.Context, messages []exchange.Message) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range messages {
		if m := &messages[i]; m.Offset >= t.next { // a message can come twice
			t.take(string(m.Key), m)
			t.next = m.Offset + 1
		}
	}
	close(t.changed)
	t.changed = make(chan struct{})
	return nil
}

// take takes a text or a tombstone. One tombstone is not enough: it may stand in the newest part of the topic, which Kafka leaves as it is
// until something comes after its rest. The second is that.
func (t *texts) take(key string, m *exchange.Message) {
	at := m.Time
	if at.IsZero() {
		at = t.clock()
	}
	known, there := t.all[key]
	switch {
	case m.Value != nil:
		t.all[key] = sealedText{sealed: m.Value, came: at}
	case !there: // its text is gone already
	case known.buried.IsZero():
		t.all[key] = sealedText{came: known.came, buried: at}
	case at.Sub(known.buried) > t.rest:
		delete(t.all, key)
	}
}

// folded is how far the topic is, and what is closed when it is further.
func (t *texts) folded() (next int64, changed <-chan struct{}) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.next, t.changed
}

// settled waits for all that stands on the topic now.
func (t *texts) settled(ctx context.Context) error {
	ends, err := t.topics.EndOffsets(ctx, TextsTopic)
	if err != nil {
		return err
	}
	return journal.Await(ctx, ends[0], t.folded)
}

// write puts a text onto the topic and waits until it has come back.
func (t *texts) write(ctx context.Context, key string, sealed []byte) (digest []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, textsPatience)
	defer cancel()
	messages := []exchange.Message{{Topic: TextsTopic, Key: []byte(key), Value: sealed}}
	if err := t.topics.Append(ctx, TextsTopic, messages); err != nil {
		return nil, textNotWritten(err)
	}
	if err := journal.Await(ctx, messages[0].Offset+1, t.folded); err != nil {
		return nil, textNotWritten(err)
	}
	sum := sha256.Sum256(sealed)
	return sum[:], nil
}

const textsPatience = 15 * time.Second

// get is a text, nil where it was erased. The act that names it may have come here first: then it waits for what stands there now.
func (t *texts) get(ctx context.Context, key string) ([]byte, error) {
	t.mu.RLock()
	of, there := t.all[key]
	t.mu.RUnlock()
	if there {
		return of.sealed, nil
	}
	ctx, cancel := context.WithTimeout(ctx, textsPatience)
	defer cancel()
	if err := t.settled(ctx); err != nil {
		return nil, textsNotRead(err)
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.all[key].sealed, nil
}

// owed are the tombstones that the topic lacks: the first of what goes, and the second of what was buried before Kafka's last rest.
func (t *texts) owed(goes func(doubt, entry string, came time.Time) bool) (tombstones []exchange.Message) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	now := t.clock()
	for _, key := range slices.Sorted(maps.Keys(t.all)) {
		of := t.all[key]
		doubt, entry, _ := strings.Cut(key, "/")
		if of.sealed != nil && goes(doubt, entry, of.came) || of.sealed == nil && now.Sub(of.buried) > t.rest {
			tombstones = append(tombstones, exchange.Message{Topic: TextsTopic, Key: []byte(key)})
		}
	}
	return tombstones
}
