package kafka_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/bus/bustest"
	"github.com/onedoor/yimen/test/kafka"
)

func server(t *testing.T) bustest.Server {
	c := kafka.Start(t, kafka.Options{})
	return bustest.Server{Addr: c.Addr(), Restart: func(kill bool) {
		if kill {
			c.Kill()
		} else {
			c.Stop()
		}
		c.Restart()
	}}
}

func TestContract(t *testing.T) { bustest.Contract(t, server) }

func TestRestarts(t *testing.T) { bustest.Restarts(t, server) }

func connect(t *testing.T, c *kafka.Cluster) *bus.Bus {
	t.Helper()
	b, err := bus.Connect(bus.Config{Brokers: strings.Split(c.Addr(), ","), Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// Messages that compaction has removed leave holes and empty batches, over which a follower must get.
func TestFollowOverCompaction(t *testing.T) {
	c := kafka.Start(t, kafka.Options{Properties: map[string]string{"log.cleaner.backoff.ms": "200"}})
	b := connect(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	const topic = "compacted"
	if err := b.Ensure(ctx, []bus.Topic{{Name: topic, Compact: true, Config: map[string]string{
		"segment.ms": "500", "min.cleanable.dirty.ratio": "0.01", "min.compaction.lag.ms": "0", "max.compaction.lag.ms": "500", "delete.retention.ms": "0",
	}}}); err != nil {
		t.Fatal(err)
	}
	appendOne := func(key string, value []byte) int64 {
		msgs := []exchange.Message{{Key: []byte(key), Value: value}}
		if err := b.Append(ctx, topic, msgs); err != nil {
			t.Fatal(err)
		}
		return msgs[0].Offset
	}
	for i := range 200 {
		appendOne("same", fmt.Append(nil, i))
	}
	for {
		last := appendOne("same", []byte("last"))
		kept, first := 0, int64(-1)
		follow, stop := context.WithCancel(ctx)
		b.Follow(follow, topic, map[int]int64{0: 5}, func(_ context.Context, msgs []exchange.Message) error {
			if kept += len(msgs); first < 0 {
				first = msgs[0].Offset
			}
			if msgs[len(msgs)-1].Offset == last {
				stop()
			}
			return nil
		})
		stop()
		if ctx.Err() != nil {
			t.Fatalf("nothing was compacted, or the follower never came to offset %d: %d messages, the first at %d", last, kept, first)
		}
		if kept < 100 {
			t.Logf("%d of %d messages left, the first at %d", kept, last+1, first)
			return
		}
		time.Sleep(300 * time.Millisecond)
	}
}

// Three brokers, of which the leader dies: the others go on, and nothing acknowledged is lost.
func TestLeaderDies(t *testing.T) {
	c := kafka.Start(t, kafka.Options{Brokers: 3, JVM: []string{"-Xmx320m"}})
	b := connect(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	const topic = "replicated"
	if err := b.Ensure(ctx, []bus.Topic{{Name: topic, Partitions: 3, Replicas: 3, MinISR: 2}}); err != nil {
		t.Fatal(err)
	}
	var seen atomic.Int64
	follow, stop := context.WithCancel(ctx)
	followed := make(chan map[string]bool, 1)
	go func() {
		got := make(map[string]bool)
		gate := make(chan struct{}, 1)
		b.Follow(follow, topic, nil, func(_ context.Context, msgs []exchange.Message) error {
			gate <- struct{}{}
			defer func() { <-gate }()
			for _, m := range msgs {
				got[string(m.Key)] = true
			}
			seen.Store(int64(len(got)))
			return nil
		})
		followed <- got
	}()
	count, slowest := 0, time.Duration(0)
	appendSome := func() {
		for range 300 {
			began := time.Now()
			if err := b.Append(ctx, topic, []exchange.Message{{Key: fmt.Append(nil, count), Value: []byte("v")}}); err != nil {
				t.Fatal(err)
			}
			slowest = max(slowest, time.Since(began))
			count++
		}
	}
	appendSome()
	c.Kill(0) // it leads one of the three partitions
	appendSome()
	t.Logf("%d appended over the death of a leader, the slowest took %v", count, slowest.Round(time.Millisecond))
	for seen.Load() < int64(count) && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	if got := <-followed; len(got) != count {
		t.Errorf("followed %d of %d acknowledged messages", len(got), count)
	}
}

func BenchmarkBus(b *testing.B) {
	c := kafka.Start(b, kafka.Options{JVM: []string{"-XX:TieredStopAtLevel=4", "-Xmx1g"}})
	bustest.Benchmark(b, c.Addr())
}
