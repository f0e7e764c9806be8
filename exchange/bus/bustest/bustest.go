// Package bustest holds the contract that every Kafka must keep for package bus.
package bustest

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
)

// Server is a Kafka under test.
type Server struct {
	Addr    string
	Restart func(kill bool) // comes back on the same address with the same data; kill: without a chance to say goodbye
}

// Contract tests a Kafka, and package bus against it. One server serves all tests.
func Contract(t *testing.T, start func(*testing.T) Server) {
	server := start(t)
	for name, test := range map[string]func(*testing.T, Server){
		"append sets offsets that count up":         testOffsets,
		"a partition keeps the order":               testOrder,
		"one route, one partition":                  testRoute,
		"32 callers share partitions":               testConcurrent,
		"tombstones, headers and empty values":      testContents,
		"a message at the limit and one above":      testLimit,
		"many megabytes in one call":                testBulk,
		"follow from an offset":                     testFollowFrom,
		"follow stops where handling fails":         testHandleFails,
		"read stops where it is told to":            testReadUntil,
		"follow sees what comes later":              testFollowLive,
		"who waits together has one answer":         testFollowTogether,
		"what flows is gathered, not what is alone": testGather,
		"an offset that is gone starts at earliest": testOffsetGone,
		"an ended context is said to be unknown":    testContext,
		"a missing topic is named":                  testMissing,
		"ensure twice, and against what differs":    testEnsure,
		"what differs is found and mended":          testFindings,
		"close ends everything":                     testClose,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, server)
		})
	}
}

// Restarts tests what happens around a restart. The server must not be shared meanwhile.
func Restarts(t *testing.T, start func(*testing.T) Server) {
	server := start(t)
	for _, kill := range []bool{false, true} {
		t.Run(fmt.Sprintf("acknowledged is followed, kill=%v", kill), func(t *testing.T) { testRestart(t, server, kill) })
	}
}

func connect(t *testing.T, s Server) *bus.Bus {
	t.Helper()
	return connectWith(t, bus.Config{Brokers: []string{s.Addr}})
}

func connectWith(t *testing.T, config bus.Config) *bus.Bus {
	t.Helper()
	config.ClientID, config.Log = "bustest", slog.New(slog.NewTextHandler(t.Output(), nil))
	b, err := bus.Connect(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// topic makes a topic named after the test.
func topic(t *testing.T, b *bus.Bus, name string, partitions int) string {
	t.Helper()
	name = fmt.Sprintf("bustest.%s-%d", name, time.Now().UnixNano())
	if err := b.Ensure(limit(t, 30*time.Second), []bus.Topic{{Name: name, Partitions: partitions, Replicas: 1}}); err != nil {
		t.Fatal(err)
	}
	return name
}

func limit(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func message(key, value string) exchange.Message {
	return exchange.Message{Key: []byte(key), Value: []byte(value)}
}

func mustAppend(t *testing.T, b *bus.Bus, topic string, msgs ...exchange.Message) []exchange.Message {
	t.Helper()
	if err := b.Append(limit(t, 60*time.Second), topic, msgs); err != nil {
		t.Fatal(err)
	}
	return msgs
}

// read follows the topic until it has count messages; each partition's stand in order.
func read(t *testing.T, b *bus.Bus, topic string, from map[int]int64, count int) map[int][]exchange.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var mu sync.Mutex
	got, n := make(map[int][]exchange.Message), 0
	err := b.Follow(ctx, topic, from, func(_ context.Context, msgs []exchange.Message) error {
		mu.Lock()
		defer mu.Unlock()
		got[msgs[0].Partition] = append(got[msgs[0].Partition], msgs...)
		if n += len(msgs); n >= count {
			cancel()
		}
		return nil
	})
	mu.Lock()
	defer mu.Unlock()
	if n != count {
		t.Fatalf("followed %d messages of %s, want %d (%v)", n, topic, count, err)
	}
	for p, msgs := range got {
		for i := range msgs {
			if msgs[i].Topic != topic || msgs[i].Partition != p || i > 0 && msgs[i].Offset <= msgs[i-1].Offset {
				t.Fatalf("%s/%d: message %d out of order", topic, p, i)
			}
		}
	}
	return got
}

func kindIs(t *testing.T, err error, kind exchange.Kind) {
	t.Helper()
	if err == nil || exchange.KindOf(err) != kind {
		t.Fatalf("error %v, want one of kind %s", err, kind)
	}
}
