package ledger

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/test/logs"
)

const origin = "liling.yimen/audit"

var (
	noon     = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	logKey   = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	tokenKey = bytes.Repeat([]byte{2}, 32)
	number   = "430281199001010017"
	person   = exchange.Holder{Kind: exchange.Person, Number: number}
	company  = exchange.Holder{Kind: exchange.Organisation, Number: "91430281000000019C"}
)

// fakeTopic is a topic of one partition in memory.
type fakeTopic struct {
	mu    sync.Mutex
	msgs  []exchange.Message
	moved chan struct{}
	away  error // every look at its end fails
	ended error // Follow ends with it
}

func newTopic() *fakeTopic { return &fakeTopic{moved: make(chan struct{})} }

func (f *fakeTopic) Append(_ context.Context, topic string, msgs []exchange.Message) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range msgs {
		msgs[i].Offset = int64(len(f.msgs))
		if n := len(f.msgs); n > 0 {
			msgs[i].Offset = f.msgs[n-1].Offset + 1
		}
		f.msgs = append(f.msgs, msgs[i])
	}
	close(f.moved)
	f.moved = make(chan struct{})
	return nil
}

// page is at most 500 messages from the offset on, as a bus hands them over.
func (f *fakeTopic) page(from int64) ([]exchange.Message, chan struct{}, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := 0
	for at < len(f.msgs) && f.msgs[at].Offset < from {
		at = max(at+1, min(int(from-f.msgs[0].Offset), len(f.msgs)-1))
	}
	return f.msgs[at:min(at+500, len(f.msgs))], f.moved, f.ended
}

func (f *fakeTopic) Follow(ctx context.Context, _ string, from map[int]int64, handle func(context.Context, []exchange.Message) error) error {
	for next := from[0]; ; {
		msgs, moved, err := f.page(next)
		if err != nil {
			return err
		}
		if len(msgs) > 0 {
			if err := handle(ctx, msgs); err != nil {
				return err
			}
			next = msgs[len(msgs)-1].Offset + 1
			continue
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (f *fakeTopic) EndOffsets(context.Context, string) (map[int]int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away != nil {
		return nil, f.away
	}
	if n := len(f.msgs); n > 0 {
		return map[int]int64{0: f.msgs[n-1].Offset + 1}, nil
	}
	return map[int]int64{0: 0}, nil
}

// clock is what time it is in a test.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a ledger with all that it needs.
type world struct {
	t     testing.TB
	topic *fakeTopic
	clock *clock
	log   *audit.Log
	said  *logs.Buffer
	cfg   Config
	*Ledger
	stop func()
}

func auditKeys(context.Context) (audit.Keys, error) {
	return audit.Keys{Token: tokenKey, Signature: logKey}, nil
}

func always(key ed25519.PrivateKey) func(context.Context) (ed25519.PrivateKey, error) {
	return func(context.Context) (ed25519.PrivateKey, error) { return key, nil }
}

func (w *world) token(h exchange.Holder) string {
	w.t.Helper()
	token, err := w.log.Token(w.t.Context(), h)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// newWorld is a world whose ledger is not open yet.
func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, topic: newTopic(), clock: &clock{now: noon}, said: &logs.Buffer{}}
	var err error
	w.log, err = audit.New(audit.Config{Appender: w.topic, Keys: auditKeys, Clock: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	w.cfg = Config{Dir: t.TempDir(), Origin: origin, Key: always(logKey), Topic: w.topic, Clock: w.clock.Now, Log: slog.New(slog.NewTextHandler(w.said, nil))}
	return w
}

// opened is a world whose ledger is open but does not run.
func opened(t testing.TB) *world {
	t.Helper()
	w := newWorld(t)
	w.open()
	t.Cleanup(w.close)
	return w
}

func (w *world) open() {
	w.t.Helper()
	l, err := Open(w.t.Context(), w.cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	l.pace = pace{publish: 5 * time.Millisecond, gather: time.Millisecond, retry: time.Millisecond, arrive: 10 * time.Second}
	w.Ledger = l
}

// run runs the ledger until stop or close.
func (w *world) run() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Ledger.Run(ctx) }()
	w.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Errorf("Run: %v", err)
		}
		w.stop = nil
	}
}

func (w *world) close() {
	if w.stop != nil {
		w.stop()
	}
	if w.Ledger != nil {
		if err := w.Ledger.Close(); err != nil {
			w.t.Errorf("Close: %v", err)
		}
		w.Ledger = nil
	}
}

// fill sequences what stands on the topic and publishes it, without Run.
func (w *world) fill() {
	w.t.Helper()
	for w.sequenced.Load() < uint64(len(w.topic.msgs)) {
		msgs, _, _ := w.topic.page(int64(w.sequenced.Load()))
		if err := w.sequence(w.t.Context(), msgs); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := w.round(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// query is an entry of an answered query.
func query(i int) audit.Entry {
	e := audit.Entry{Department: "scjg", Clerk: "w3-017", Case: fmt.Sprintf("LL-2026-%04d", i), Item: "food-licence-new", Decision: audit.Answered, Holder: person,
		Materials: []audit.Material{{Material: "business-licence", Outcome: exchange.Held, Evidence: []audit.Evidence{
			{Type: "business-licence", Outcome: exchange.Held, Record: "00112233445566778899aabbccddeeff", Version: 3}}}},
		Catalogue: "c0ffee", Evaluated: noon, Inputs: exchange.InputsOf(map[string]map[int]int64{"evidence.business-licence": {0: 17}})}
	switch i % 5 {
	case 1:
		e.Department, e.Clerk, e.Holder = "xzsp", "0017", company
	case 2:
		e.Item, e.Decision, e.Refusal, e.Materials, e.Inputs = "enterprise-deregistration", audit.Refused, "not_permitted", nil, exchange.Inputs{}
	case 3:
		e.Materials = append(e.Materials, audit.Material{Material: "id-card", Outcome: exchange.Supply, Reason: exchange.NotHeld,
			Evidence: []audit.Evidence{{Type: "id-card", Outcome: exchange.Supply, Reason: exchange.NotHeld}}})
	}
	return e
}

// ask appends entries, a second apart, and gives their receipts.
func (w *world) ask(n int) []audit.Receipt {
	w.t.Helper()
	receipts := make([]audit.Receipt, n)
	for i := range receipts {
		var err error
		if receipts[i], err = w.log.Append(w.t.Context(), query(len(w.topic.msgs))); err != nil {
			w.t.Fatal(err)
		}
		w.clock.forward(time.Second)
	}
	return receipts
}

// enter makes an entry durable, without limits.
func (w *world) enter(ctx context.Context, e *audit.Entry) error {
	if err := w.log.Stamp(ctx, e); err != nil {
		return err
	}
	_, err := w.log.Append(ctx, *e)
	return err
}

// until waits for something that another goroutine brings about.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within ten seconds: %s", what)
		}
	}
}

func contains(t testing.TB, where, what string) {
	t.Helper()
	if !strings.Contains(where, what) {
		t.Errorf("%q is not in\n%s", what, where)
	}
}

// sequence makes leaves of messages, all durable when it returns.
func (l *Ledger) sequence(ctx context.Context, msgs []exchange.Message) error {
	b := l.batch()
	if err := b.addAll(ctx, msgs); err != nil {
		return err
	}
	return b.commit()
}
