package bustest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
)

// Benchmark measures appending and following messages of 600 bytes that do not compress, on a topic with
// eight partitions and on one with a single partition.
func Benchmark(b *testing.B, addr string) {
	for _, partitions := range []int{8, 1} {
		for _, headers := range []int{0, 10} {
			b.Run(fmt.Sprintf("partitions=%d/headers=%d", partitions, headers), func(b *testing.B) { benchTopic(b, addr, partitions, headers) })
		}
	}
	b.Run("append one by one, 64 callers", func(b *testing.B) { benchSingle(b, addr) })
}

func benchTopic(b *testing.B, addr string, partitions, headers int) {
	conn, name := benchConnect(b, addr, partitions)
	pool := benchMessages(headers)
	b.Run("append 1000", func(b *testing.B) { // b.N batches
		const callers = 4
		var wg sync.WaitGroup
		var next atomic.Int64
		b.ResetTimer()
		for range callers {
			wg.Go(func() {
				mine := append([]exchange.Message(nil), pool...)
				for next.Add(1) <= int64(b.N) {
					if err := conn.Append(b.Context(), name, mine); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		b.ReportMetric(float64(b.N*len(pool))/b.Elapsed().Seconds(), "msg/s")
	})
	b.Run("follow", func(b *testing.B) { // once through the topic, whatever b.N
		ends, err := conn.EndOffsets(b.Context(), name)
		if err != nil {
			b.Fatal(err)
		}
		var left atomic.Int64
		for _, end := range ends {
			left.Add(end)
		}
		total := left.Load()
		for b.Loop() {
			left.Store(total)
			ctx, cancel := context.WithCancel(b.Context())
			conn.Follow(ctx, name, nil, func(_ context.Context, msgs []exchange.Message) error {
				if left.Add(-int64(len(msgs))) <= 0 {
					cancel()
				}
				return nil
			})
			cancel()
		}
		b.ReportMetric(float64(b.N)*float64(total)/b.Elapsed().Seconds(), "msg/s")
	})
}

func benchSingle(b *testing.B, addr string) {
	conn, name := benchConnect(b, addr, 1)
	pool := benchMessages(0)
	var wg sync.WaitGroup
	var next atomic.Int64
	b.ResetTimer()
	for i := range 64 {
		wg.Go(func() {
			mine := []exchange.Message{pool[i]}
			for next.Add(1) <= int64(b.N) {
				if err := conn.Append(b.Context(), name, mine); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

func benchConnect(b *testing.B, addr string, partitions int) (*bus.Bus, string) {
	conn, err := bus.Connect(bus.Config{Brokers: []string{addr}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	name := fmt.Sprintf("bench-%d", time.Now().UnixNano())
	if err := conn.Ensure(b.Context(), []bus.Topic{{Name: name, Partitions: partitions}}); err != nil {
		b.Fatal(err)
	}
	return conn, name
}

func benchMessages(headers int) []exchange.Message {
	source := rand.NewChaCha8([32]byte{3})
	pool := make([]exchange.Message, 1000)
	for i := range pool {
		m := &pool[i]
		m.Key, m.Value = make([]byte, 24), make([]byte, 600)
		source.Read(m.Key)
		source.Read(m.Value)
		m.Route = m.Key[:16]
		for h := range headers {
			m.Headers = append(m.Headers, exchange.Header{Name: fmt.Sprintf("ce_header%d", h), Value: fmt.Appendf(nil, "value of header %d", i)})
		}
	}
	return pool
}
