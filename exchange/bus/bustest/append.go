package bustest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
)

func testOffsets(t *testing.T, s Server) {
	b := connect(t, s)
	name := topic(t, b, "offsets", 1)
	for round := range 3 {
		msgs := mustAppend(t, b, name, message("a", "1"), message("b", "2"), message("a", "3"))
		for i, m := range msgs {
			if want := int64(3*round + i); m.Offset != want || m.Partition != 0 {
				t.Errorf("message %d of round %d at %d/%d, want offset %d", i, round, m.Partition, m.Offset, want)
			}
		}
	}
	ends, err := b.EndOffsets(limit(t, 10*time.Second), name)
	if err != nil || len(ends) != 1 || ends[0] != 9 {
		t.Errorf("end offsets %v (%v), want 9", ends, err)
	}
	if err := b.Append(t.Context(), name, nil); err != nil {
		t.Errorf("append nothing: %v", err)
	}
}

func testOrder(t *testing.T, s Server) {
	b := connect(t, s)
	name := topic(t, b, "order", 2)
	const callers, rounds = 8, 20
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for r := range rounds {
				mustAppend(t, b, name, message(fmt.Sprint(c), fmt.Sprint(2*r)), message(fmt.Sprint(c), fmt.Sprint(2*r+1)))
			}
		})
	}
	wg.Wait()
	next := make(map[string]int)
	for _, msgs := range read(t, b, name, nil, callers*rounds*2) {
		for _, m := range msgs {
			if want := fmt.Sprint(next[string(m.Key)]); string(m.Value) != want {
				t.Fatalf("caller %s: read %s, want %s", m.Key, m.Value, want)
			}
			next[string(m.Key)]++
		}
	}
}

func testRoute(t *testing.T, s Server) {
	b := connect(t, s)
	name := topic(t, b, "route", 8)
	var msgs []exchange.Message
	for i := range 64 {
		m := message(fmt.Sprintf("key %d", i), "")
		m.Route = []byte{byte(i % 4)}
		msgs = append(msgs, m)
	}
	partition := make(map[byte]int)
	for _, m := range mustAppend(t, b, name, msgs...) {
		p, ok := partition[m.Route[0]]
		if ok && p != m.Partition {
			t.Fatalf("route %d on partitions %d and %d", m.Route[0], p, m.Partition)
		}
		partition[m.Route[0]] = m.Partition
	}
	// Apache Kafka's own test vectors of murmur2, taken to eight partitions.
	for key, want := range map[string]int{"foobar": 6, "21": 4, "abc": 3} {
		if got := mustAppend(t, b, name, message(key, "x"))[0].Partition; got != want {
			t.Errorf("key %q on partition %d, want %d", key, got, want)
		}
	}
}

func testConcurrent(t *testing.T, s Server) {
	b := connect(t, s)
	name := topic(t, b, "concurrent", 4)
	const callers, each = 32, 50
	var wg sync.WaitGroup
	var mu sync.Mutex
	placed := make(map[string]string) // value → partition/offset
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				m := mustAppend(t, b, name, message(fmt.Sprint(i), fmt.Sprintf("%d/%d", c, i)))[0]
				mu.Lock()
				placed[string(m.Value)] = fmt.Sprintf("%d/%d", m.Partition, m.Offset)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, msgs := range read(t, b, name, nil, callers*each) {
		for _, m := range msgs {
			if at := fmt.Sprintf("%d/%d", m.Partition, m.Offset); placed[string(m.Value)] != at {
				t.Fatalf("message %s stands at %s, its caller was told %s", m.Value, at, placed[string(m.Value)])
			}
		}
	}
}

func testContents(t *testing.T, s Server) {
	b := connect(t, s)
	name := topic(t, b, "contents", 1)
	headers := []exchange.Header{{Name: "ce_id", Value: []byte("1")}, {Name: "中文", Value: []byte{}}, {Name: "ce_id", Value: []byte("2")}, {Name: "none"}}
	sent := []exchange.Message{
		{Key: []byte("full"), Value: []byte{0, 1, 255}, Headers: headers},
		{Key: []byte("tombstone"), Value: nil},
		{Key: []byte("empty"), Value: []byte{}},
		{Key: nil, Value: []byte("without a key")},
		{Key: []byte{}, Value: []byte("with an empty key")},
	}
	before := time.Now().Add(-time.Minute)
	mustAppend(t, b, name, sent...)
	for i, m := range read(t, b, name, nil, len(sent))[0] {
		want := sent[i]
		if !bytes.Equal(m.Key, want.Key) || (m.Key == nil) != (want.Key == nil) {
			t.Errorf("message %d: key %q (nil: %v), want %q", i, m.Key, m.Key == nil, want.Key)
		}
		if !bytes.Equal(m.Value, want.Value) || (m.Value == nil) != (want.Value == nil) {
			t.Errorf("message %d: value %q (nil: %v), want %q", i, m.Value, m.Value == nil, want.Value)
		}
		same := slices.EqualFunc(m.Headers, want.Headers, func(a, b exchange.Header) bool { return a.Name == b.Name && bytes.Equal(a.Value, b.Value) })
		if !same {
			t.Errorf("message %d: headers %v, want %v", i, m.Headers, want.Headers)
		}
		if m.Time.Before(before) || m.Time.After(time.Now().Add(time.Minute)) {
			t.Errorf("message %d: time %v", i, m.Time)
		}
	}
}

func testLimit(t *testing.T, s Server) {
	b := connect(t, s)
	name := topic(t, b, "limit", 1)
	noise := make([]byte, bus.MaxMessage+1) // does not compress
	rand.NewChaCha8([32]byte{1}).Read(noise)
	largest := exchange.Message{Key: []byte("k"), Value: noise[:bus.MaxMessage-100]}
	mustAppend(t, b, name, largest)

	err := b.Append(t.Context(), name, []exchange.Message{message("small", "1"), {Key: []byte("large"), Value: noise}})
	kindIs(t, err, exchange.Invalid)
	if ends, _ := b.EndOffsets(t.Context(), name); ends[0] != 1 {
		t.Errorf("%d messages stand on the topic, want 1: nothing of a refused call is sent", ends[0])
	}
	if got := read(t, b, name, nil, 1)[0][0]; !bytes.Equal(got.Value, largest.Value) {
		t.Error("the largest message came back changed")
	}
}

func testBulk(t *testing.T, s Server) {
	b := connect(t, s)
	name := topic(t, b, "bulk", 3)
	noise := make([]byte, 600)
	source := rand.NewChaCha8([32]byte{2})
	var msgs []exchange.Message
	for i := range 12_000 {
		source.Read(noise)
		msgs = append(msgs, exchange.Message{Key: fmt.Append(nil, i), Value: slices.Clone(noise)})
	}
	mustAppend(t, b, name, msgs...)
	at := make(map[[2]int64]*exchange.Message)
	for i := range msgs {
		at[[2]int64{int64(msgs[i].Partition), msgs[i].Offset}] = &msgs[i]
	}
	for _, got := range read(t, b, name, nil, len(msgs)) {
		for _, m := range got {
			want := at[[2]int64{int64(m.Partition), m.Offset}]
			if want == nil || !bytes.Equal(want.Key, m.Key) || !bytes.Equal(want.Value, m.Value) {
				t.Fatalf("another message stands at %d/%d", m.Partition, m.Offset)
			}
		}
	}
}

func testContext(t *testing.T, s Server) {
	b := connect(t, s)
	name := topic(t, b, "context", 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := b.Append(ctx, name, []exchange.Message{message("k", "secret")})
	kindIs(t, err, exchange.Unavailable)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), s.Addr) || strings.Contains(err.Error(), "secret") {
		t.Errorf("the error must wrap the context's, name the broker and hold no content: %v", err)
	}
	mustAppend(t, b, name, message("k", "after")) // the bus goes on

	gone, err := bus.Connect(bus.Config{Brokers: []string{"127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer gone.Close()
	kindIs(t, gone.Append(limit(t, 300*time.Millisecond), name, []exchange.Message{message("k", "v")}), exchange.Unavailable)
	kindIs(t, gone.Ping(limit(t, 300*time.Millisecond)), exchange.Unavailable)
	if err := b.Ping(limit(t, 10*time.Second)); err != nil {
		t.Error(err)
	}
}

func testMissing(t *testing.T, s Server) {
	b := connect(t, s)
	const name = "bustest.nobody-made-this"
	ctx := limit(t, 30*time.Second)
	var wg sync.WaitGroup
	for what, call := range map[string]func() error{
		"append": func() error { return b.Append(ctx, name, []exchange.Message{message("k", "v")}) },
		"follow": func() error {
			return b.Follow(ctx, name, nil, func(context.Context, []exchange.Message) error { return nil })
		},
		"end": func() error { _, err := b.EndOffsets(ctx, name); return err },
	} {
		wg.Go(func() {
			if err := call(); exchange.KindOf(err) != exchange.NotFound || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v, want not found", what, err)
			}
		})
	}
	wg.Wait()
}
