package bus

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/onedoor/yimen/exchange"
)

// mute is a Kafka that, once told, takes what is appended and answers nothing.
type mute struct {
	cluster *kfake.Cluster
	silent  atomic.Bool
	taken   atomic.Int64 // requests that got no answer
}

func startMute(t *testing.T, topic string, partitions int32) *mute {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, topic))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	m := &mute{cluster: cluster}
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if m.silent.Load() {
			m.taken.Add(1)
		}
		return nil, nil, m.silent.Load()
	})
	return m
}

func (m *mute) connect(t *testing.T) *Bus {
	t.Helper()
	b, err := Connect(Config{Brokers: m.cluster.ListenAddrs()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func (l *lane) queue() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within ten seconds", what)
		}
	}
}

// TestCloseWhileAppendsWait: one request is on its way and gets no answer, others wait behind it, and a connection is free. Close ends
// each Append at once, which says why, and sends nothing more.
func TestCloseWhileAppendsWait(t *testing.T) {
	const waiting = 20
	m := startMute(t, "t", 2)
	b := m.connect(t)
	warm := make([]exchange.Message, 8) // for both partitions, so that two connections are open
	for i := range warm {
		warm[i].Key = fmt.Append(nil, i)
	}
	if err := b.Append(t.Context(), "t", warm); err != nil {
		t.Fatal(err)
	}
	m.silent.Store(true)
	ended := make(chan error, 1+waiting)
	one := func() { ended <- b.Append(context.Background(), "t", []exchange.Message{{Key: warm[0].Key}}) }
	go one()
	eventually(t, "the broker has the first", func() bool { return m.taken.Load() == 1 })
	for range waiting {
		go one()
	}
	behind := b.lane("t", warm[0].Partition)
	eventually(t, "the others wait", func() bool { return behind.queue() == waiting })

	began := time.Now()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	for range waiting + 1 {
		var problem *exchange.Problem
		if err := <-ended; !errors.As(err, &problem) || problem.Kind != exchange.Unavailable || !errors.Is(err, errClosed) || problem.Why.EN != "this process is stopping" {
			t.Errorf("%v", err)
		}
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("Close and the Appends that it ended took %s", took)
	}
	time.Sleep(50 * time.Millisecond) // what was sent would have come
	if n := m.taken.Load(); n != 1 {
		t.Errorf("the broker was sent %d requests, want that before Close alone", n)
	}
}

// TestAppendIsLeft: who does not wait any more goes at once, although a request is on its way, and what is in no request is never sent.
func TestAppendIsLeft(t *testing.T) {
	m := startMute(t, "t", 1)
	b := m.connect(t)
	m.silent.Store(true)
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error, 2)
	one := func() { ended <- b.Append(ctx, "t", []exchange.Message{{Value: []byte("v")}}) }
	go one()
	eventually(t, "the broker has the first", func() bool { return m.taken.Load() == 1 })
	go one()
	lane := b.lane("t", 0)
	eventually(t, "the other waits", func() bool { return lane.queue() == 1 })
	cancel(enough)
	for range 2 {
		if err := <-ended; exchange.KindOf(err) != exchange.Unavailable || !errors.Is(err, enough) {
			t.Error(err)
		}
	}
	if n := lane.queue(); n != 0 {
		t.Errorf("%d still wait for nobody", n)
	}
	if err := b.Close(); err != nil || m.taken.Load() != 1 {
		t.Errorf("%v, %d requests", err, m.taken.Load())
	}
}
