package bustest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
)

// filled is a topic of two partitions with a hundred messages, and where each partition ends.
func filled(t *testing.T, b *bus.Bus, name string) (topicName string, ends map[int]int64) {
	t.Helper()
	topicName = topic(t, b, name, 2)
	var msgs []exchange.Message
	for i := range 100 {
		msgs = append(msgs, message(fmt.Sprint(i), fmt.Sprint(i)))
	}
	mustAppend(t, b, topicName, msgs...)
	ends, err := b.EndOffsets(limit(t, 10*time.Second), topicName)
	if err != nil {
		t.Fatal(err)
	}
	return topicName, ends
}

func testFollowFrom(t *testing.T, s Server) {
	b := connect(t, s)
	name, ends := filled(t, b, "from")
	// From the middle of a batch on partition 0, from the beginning of 1.
	from := map[int]int64{0: ends[0] - 3}
	got := read(t, b, name, from, 3+int(ends[1]))
	if len(got[0]) != 3 || got[0][0].Offset != ends[0]-3 || got[1][0].Offset != 0 {
		t.Errorf("read %d messages of partition 0 from offset %d", len(got[0]), got[0][0].Offset)
	}
	// From the end: only what comes.
	next := mustAppend(t, b, name, message("x", "new"))[0]
	got = read(t, b, name, ends, 1)
	if m := got[next.Partition][0]; m.Offset != next.Offset {
		t.Errorf("read offset %d, want %d", m.Offset, next.Offset)
	}
}

func testReadUntil(t *testing.T, s Server) {
	b := connect(t, s)
	name, ends := filled(t, b, "until")
	var mu sync.Mutex
	got := map[int][]int64{}
	take := func(_ context.Context, msgs []exchange.Message) error {
		mu.Lock()
		defer mu.Unlock()
		for _, m := range msgs {
			got[m.Partition] = append(got[m.Partition], m.Offset)
		}
		return nil
	}
	// Part of a batch of partition 0, all of 1; then to the end of 0, and of 1, where nothing is left, nothing.
	for _, part := range []struct{ from, until map[int]int64 }{
		{nil, map[int]int64{0: 5, 1: ends[1]}},
		{map[int]int64{0: 5}, map[int]int64{0: ends[0]}},
		{ends, ends},
	} {
		if err := b.Read(limit(t, 30*time.Second), name, part.from, part.until, take); err != nil {
			t.Fatal(err)
		}
	}
	for p, end := range ends {
		if int64(len(got[p])) != end || got[p][0] != 0 || got[p][end-1] != end-1 {
			t.Errorf("read offsets %v of partition %d, want each below %d once", got[p], p, end)
		}
	}
	full := errors.New("the disk is full")
	err := b.Read(limit(t, 30*time.Second), name, nil, ends, func(context.Context, []exchange.Message) error { return full })
	if !errors.Is(err, full) {
		t.Errorf("read gave %v, want the handler's error", err)
	}
}

func testHandleFails(t *testing.T, s Server) {
	b := connect(t, s)
	name := topic(t, b, "fails", 1)
	mustAppend(t, b, name, message("k", "v"))
	full := errors.New("the disk is full")
	calls := 0
	err := b.Follow(limit(t, 30*time.Second), name, nil, func(context.Context, []exchange.Message) error {
		calls++
		return full
	})
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("follow gave %v after %d calls, want the handler's error after 1", err, calls)
	}
}

func testFollowLive(t *testing.T, s Server) {
	b := connect(t, s)
	name := topic(t, b, "live", 2)
	ctx, cancel := context.WithCancel(t.Context())
	seen := make(chan exchange.Message, 100)
	done := make(chan error)
	go func() {
		done <- b.Follow(ctx, name, nil, func(_ context.Context, msgs []exchange.Message) error {
			for _, m := range msgs {
				seen <- m
			}
			return nil
		})
	}()
	for i := range 5 {
		mustAppend(t, b, name, message(fmt.Sprint(i), "v"))
		appended := time.Now()
		select {
		case m := <-seen:
			if string(m.Key) != fmt.Sprint(i) {
				t.Errorf("read %s, want %d", m.Key, i)
			}
			t.Logf("read %v after the acknowledgement", time.Since(appended).Round(time.Microsecond))
		case <-time.After(20 * time.Second):
			t.Fatal("a message that was appended was not followed")
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("follow ended with %v", err)
	}
}

func testOffsetGone(t *testing.T, s Server) {
	b := connect(t, s)
	name := topic(t, b, "gone", 1)
	mustAppend(t, b, name, message("k", "1"), message("k", "2"))
	if got := read(t, b, name, map[int]int64{0: 1000}, 2); string(got[0][0].Value) != "1" {
		t.Errorf("first read %q, want the earliest", got[0][0].Value)
	}
}

func testEnsure(t *testing.T, s Server) {
	b := connect(t, s)
	ctx := limit(t, 30*time.Second)
	name := fmt.Sprintf("bustest.ensure-%d", time.Now().UnixNano())
	asked := bus.Topic{Name: name, Partitions: 3, Replicas: 1, MinISR: 1, Compact: true, Config: map[string]string{"max.compaction.lag.ms": "86400000"}}
	kept := bus.Topic{Name: name + "-kept", Retention: 24 * time.Hour}
	for range 2 {
		if err := b.Ensure(ctx, []bus.Topic{asked, kept}); err != nil {
			t.Fatal(err)
		}
	}
	if ends, err := b.EndOffsets(ctx, name); err != nil || len(ends) != 3 {
		t.Errorf("the topic has %d partitions (%v), want 3", len(ends), err)
	}
	for what, differs := range map[string]bus.Topic{
		"more partitions":  {Name: name, Partitions: 4, Compact: true},
		"more replicas":    {Name: name, Replicas: 2, Compact: true},
		"a better min ISR": {Name: name, MinISR: 2, Compact: true},
		"another clean-up": {Name: name},
		"longer retention": {Name: kept.Name, Retention: 48 * time.Hour},
		"for ever":         {Name: kept.Name},
	} {
		if err := b.Ensure(ctx, []bus.Topic{differs}); exchange.KindOf(err) != exchange.Conflict {
			t.Errorf("%s: %v, want a conflict", what, err)
		}
	}
	for what, impossible := range map[string]bus.Topic{
		"more replicas than brokers": {Name: name + "-wide", Replicas: 99},
	} {
		err := b.Ensure(ctx, []bus.Topic{impossible})
		if exchange.KindOf(err) != exchange.Conflict {
			t.Errorf("%s: %v, want a conflict", what, err)
		}
	}
	if err := b.Ensure(ctx, []bus.Topic{{Name: name, Partitions: 2, Compact: true}}); err != nil {
		t.Errorf("a topic with more than asked is as good: %v", err)
	}
}

func testClose(t *testing.T, s Server) {
	b := connect(t, s)
	name := topic(t, b, "close", 2)
	done := make(chan error, 2)
	go func() {
		done <- b.Follow(context.Background(), name, nil, func(context.Context, []exchange.Message) error { return nil })
	}()
	go func() {
		for {
			if err := b.Append(context.Background(), name, []exchange.Message{message("k", "v")}); err != nil {
				done <- err
				return
			}
		}
	}()
	time.Sleep(50 * time.Millisecond)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		select {
		case err := <-done:
			if err == nil {
				t.Error("a call that Close ended gave no error")
			}
		case <-time.After(10 * time.Second):
			t.Fatal("Close left a call running")
		}
	}
	kindIs(t, b.Append(t.Context(), name, nil), exchange.Unavailable)
	kindIs(t, b.Ping(t.Context()), exchange.Unavailable)
}

// testRestart appends and follows while the server goes away and comes back: everything that was
// acknowledged is followed, at the offset its caller was told, and in order.
func testRestart(t *testing.T, s Server, kill bool) {
	b := connect(t, s)
	name := topic(t, b, "restart", 3)
	ctx := limit(t, 100*time.Second)
	f := startFollowing(ctx, b, name)

	const callers = 8
	var stop atomic.Bool
	var wg sync.WaitGroup
	acked := make([][]exchange.Message, callers)
	for c := range callers {
		wg.Go(func() {
			for i := 0; !stop.Load(); i++ {
				msgs := []exchange.Message{message(fmt.Sprint(c), fmt.Sprint(2*i)), message(fmt.Sprint(c), fmt.Sprint(2*i+1))}
				if err := b.Append(ctx, name, msgs); err != nil {
					t.Errorf("append over a restart: %v", err)
					return
				}
				acked[c] = append(acked[c], msgs...)
			}
		})
	}
	time.Sleep(300 * time.Millisecond)
	s.Restart(kill)
	time.Sleep(500 * time.Millisecond)
	stop.Store(true)
	wg.Wait()

	total := 0
	for c := range acked {
		if len(acked[c]) == 0 {
			t.Fatalf("caller %d appended nothing", c)
		}
		total += len(acked[c])
		for _, m := range acked[c] {
			if !f.waitFor(ctx, m) {
				t.Fatalf("acknowledged at %d/%d, never followed", m.Partition, m.Offset)
			}
		}
	}
	f.stop()
	t.Logf("%d acknowledged, %d followed", total, len(f.at))
	f.checkOrder(t)
}

// following collects what Follow gives.
type following struct {
	mu    sync.Mutex
	at    map[[2]int64]string // partition and offset → caller and number
	first map[string][]string // caller → its numbers at their first coming
	seen  map[string]bool
	stop  func()
}

func startFollowing(ctx context.Context, b *bus.Bus, topic string) *following {
	f := &following{at: make(map[[2]int64]string), first: make(map[string][]string), seen: make(map[string]bool)}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	f.stop = func() { cancel(); <-done }
	go func() {
		defer close(done)
		b.Follow(ctx, topic, nil, func(_ context.Context, msgs []exchange.Message) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			for _, m := range msgs {
				text := string(m.Key) + "/" + string(m.Value)
				f.at[[2]int64{int64(m.Partition), m.Offset}] = text
				if !f.seen[text] {
					f.seen[text] = true
					f.first[string(m.Key)] = append(f.first[string(m.Key)], string(m.Value))
				}
			}
			return nil
		})
	}()
	return f
}

func (f *following) waitFor(ctx context.Context, m exchange.Message) bool {
	for ctx.Err() == nil {
		f.mu.Lock()
		got, ok := f.at[[2]int64{int64(m.Partition), m.Offset}]
		f.mu.Unlock()
		if ok {
			return got == string(m.Key)+"/"+string(m.Value)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

func (f *following) checkOrder(t *testing.T) {
	t.Helper()
	for caller, numbers := range f.first {
		for i, n := range numbers {
			if n != fmt.Sprint(i) {
				t.Fatalf("caller %s: number %s came as the %dth", caller, n, i)
			}
		}
	}
}

// testFollowTogether: two who wait at the end of a partition are one request to the broker, and one message in memory, which is read once.
func testFollowTogether(t *testing.T, s Server) {
	name := topic(t, connect(t, s), "together", 1)
	type read struct{ text string }
	b := connectWith(t, bus.Config{Brokers: []string{s.Addr}, Read: map[string]func(key, value []byte) any{
		name: func(key, value []byte) any { return &read{string(key) + string(value)} }}})
	ctx, cancel := context.WithCancel(t.Context())
	var followers sync.WaitGroup
	defer followers.Wait()
	defer cancel()
	var seen [2]chan exchange.Message
	for i := range seen {
		seen[i] = make(chan exchange.Message)
		followers.Go(func() {
			b.Follow(ctx, name, nil, func(ctx context.Context, msgs []exchange.Message) error {
				for _, m := range msgs {
					select {
					case seen[i] <- m:
					case <-ctx.Done():
					}
				}
				return nil
			})
		})
	}
	const tries = 100 // they may ask one after the other, but not always
	for range tries {
		mustAppend(t, b, name, message("k", "v"))
		one, other := <-seen[0], <-seen[1]
		if one.Offset != other.Offset || string(one.Value) != string(other.Value) {
			t.Fatalf("offsets %d and %d", one.Offset, other.Offset)
		}
		was, wasOther := one.Read.(*read), other.Read.(*read)
		if was.text != "kv" || *wasOther != *was {
			t.Fatalf("read as %v and %v", was, wasOther)
		}
		if &one.Value[0] == &other.Value[0] {
			if was != wasOther {
				t.Error("one message was read twice")
			}
			return
		}
	}
	t.Errorf("none of %d messages was fetched once for both", tries)
}

// testGather: a message after a silence comes at once, those that follow it come together and not later than was said, and who reads up
// to an end waits for nothing.
func testGather(t *testing.T, s Server) {
	const long = 3 * time.Second
	name := topic(t, connect(t, s), "gathered", 1)
	b := connectWith(t, bus.Config{Brokers: []string{s.Addr}, Gather: map[string]time.Duration{name: long}})
	ctx, cancel := context.WithCancel(t.Context())
	handed, done := make(chan int, 100), make(chan struct{})
	go func() {
		defer close(done)
		b.Follow(ctx, name, nil, func(_ context.Context, msgs []exchange.Message) error { handed <- len(msgs); return nil })
	}()
	defer func() { cancel(); <-done }()
	began := time.Now()
	mustAppend(t, b, name, message("k", "alone"))
	if n := <-handed; n != 1 || time.Since(began) >= long {
		t.Errorf("%d messages after %s", n, time.Since(began))
	}
	const more = 10
	began = time.Now()
	for i := range more {
		mustAppend(t, b, name, message("k", fmt.Sprint(i)))
	}
	calls, took := 0, time.Duration(0)
	for n := 0; n < more; n += <-handed {
		calls++
	}
	if took = time.Since(began); calls > 2 || took > 3*long {
		t.Errorf("%d messages came in %d parts, the last after %s", more, calls, took)
	}
	began = time.Now()
	mustAppend(t, b, name, message("k", "last"))
	err := b.Read(ctx, name, map[int]int64{0: 0}, map[int]int64{0: more + 2}, func(context.Context, []exchange.Message) error { return nil })
	if err != nil || time.Since(began) >= long {
		t.Errorf("read to the end after %s, %v", time.Since(began), err)
	}
}
