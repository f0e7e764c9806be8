package bus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	kafka "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/onedoor/yimen/exchange"
)

func TestConnectRefuses(t *testing.T) {
	for name, brokers := range map[string][]string{
		"none":        nil,
		"no port":     {"kafka1"},
		"no host":     {":9092"},
		"empty":       {""},
		"a URL":       {"https://kafka1:9092"},
		"one of many": {"kafka1:9092", "kafka2"},
	} {
		b, err := Connect(Config{Brokers: brokers})
		if err == nil {
			b.Close()
		}
		if exchange.KindOf(err) != exchange.Invalid {
			t.Errorf("%s: error %v, want invalid", name, err)
		}
	}
	b, err := Connect(Config{Brokers: []string{"kafka1:9092", "[::1]:9093"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func TestTwoBusesShareMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	for range 2 {
		b, err := Connect(Config{Brokers: []string{"kafka1:9092"}, Metrics: registry})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		b.metrics.resets.WithLabelValues("t").Inc()
	}
	families, err := registry.Gather()
	if err != nil || len(families) != 1 || families[0].GetName() != "yimen_bus_offset_resets_total" || families[0].Metric[0].Counter.GetValue() != 2 {
		t.Errorf("gathered %v (%v), want one counter at 2", families, err)
	}
	registry = prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "yimen_bus_lag_messages", Help: "of somebody else"}))
	if b, err := Connect(Config{Brokers: []string{"kafka1:9092"}, Metrics: registry}); err == nil {
		b.Close()
		t.Error("connected although another metric has the name")
	}
}

func TestFinal(t *testing.T) {
	for _, row := range []struct {
		err  error
		want bool
	}{
		{kafka.NotLeaderForPartition, false},
		{kafka.LeaderNotAvailable, false},
		{kafka.BrokerNotAvailable, false},
		{kafka.NotEnoughReplicas, false},
		{kafka.NotEnoughReplicasAfterAppend, false},
		{kafka.RequestTimedOut, false},
		{kafka.UnknownTopicOrPartition, false},
		{fmt.Errorf("produce: %w", io.ErrUnexpectedEOF), false},
		{context.DeadlineExceeded, false}, // of one request
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, false},
		{protocol.ErrNoLeader, false},
		{kafka.MessageSizeTooLarge, true},
		{fmt.Errorf("produce: %w", kafka.TopicAuthorizationFailed), true},
		{kafka.InvalidRecord, true},
		{kafka.Unknown, true}, // "unexpected server error", such as a full disk
		{kafka.UnsupportedVersion, true},
		{errForsaken, true},
	} {
		if got := final(row.err); got != row.want {
			t.Errorf("final(%v) = %v", row.err, got)
		}
	}
}

func TestPausesStayBelowASecond(t *testing.T) {
	p := pauses()
	p.Reset()
	for range 1000 {
		if pause := p.NextBackOff(); pause <= 0 || pause > time.Second {
			t.Fatalf("pause of %v", pause)
		}
	}
}

// A lane takes what fits into one request, in order, and goes on where it stopped.
func TestTake(t *testing.T) {
	for name, row := range map[string]struct {
		sizes [][]int // of the messages of each load
		want  [][]int // messages of each load in each request, by load
	}{
		"one":                       {[][]int{{1}}, [][]int{{1}}},
		"all loads together":        {[][]int{{1, 1}, {1}, {1}}, [][]int{{2, 1, 1}}},
		"a load over two requests":  {[][]int{{500_000, 500_000}}, [][]int{{1}, {1}}},
		"a full one is not skipped": {[][]int{{500_000, 500_000}, {1}}, [][]int{{1}, {1, 1}}},
		"a huge one goes alone":     {[][]int{{1}, {MaxMessage - 32}, {1}}, [][]int{{1}, {1}, {1}}},
	} {
		t.Run(name, func(t *testing.T) {
			l := &lane{}
			for _, sizes := range row.sizes {
				ld := &load{left: len(sizes), done: make(chan struct{})}
				for _, size := range sizes {
					ld.msgs = append(ld.msgs, &exchange.Message{Value: make([]byte, size)})
				}
				l.waiting = append(l.waiting, ld)
			}
			var got [][]int
			for {
				b, ok := l.take()
				if !ok {
					break
				}
				var counts []int
				for _, p := range b.parts {
					counts = append(counts, p.n)
				}
				got = append(got, counts)
			}
			if fmt.Sprint(got) != fmt.Sprint(row.want) {
				t.Errorf("requests %v, want %v", got, row.want)
			}
		})
	}
}

// What a request could not do is said to every caller in it; the rest of their loads is not sent.
func TestFinishWithError(t *testing.T) {
	l := &lane{}
	long := &load{left: 2, done: make(chan struct{}), msgs: []*exchange.Message{{Value: make([]byte, 500_000)}, {Value: make([]byte, 500_000)}}}
	other := &load{lane: l, left: 1, done: make(chan struct{}), msgs: []*exchange.Message{{Value: []byte("x")}}}
	l.waiting = []*load{long, other}
	b, _ := l.take()
	l.finish(b, nil, io.ErrUnexpectedEOF)
	if <-long.done; long.err == nil {
		t.Error("the caller was not told")
	}
	b, ok := l.take()
	if !ok || len(b.parts) != 1 || b.parts[0].load != other {
		t.Errorf("the next request has %v, want the other caller's message alone", b.parts)
	}
	since := time.UnixMilli(1_790_000_000_000)
	l.finish(b, &kafka.ProduceResponse{BaseOffset: 7, LogAppendTime: since}, nil)
	<-other.done
	if err := other.settle(); err != nil || other.msgs[0].Offset != 7 || !other.msgs[0].Time.Equal(since) {
		t.Errorf("the other caller got %v and %+v", err, other.msgs[0])
	}
}

func TestWeightIsAnUpperBound(t *testing.T) {
	for _, m := range []exchange.Message{
		{},
		{Key: []byte("k"), Value: []byte("v")},
		{Value: make([]byte, 100_000), Headers: []exchange.Header{{}, {Name: strings.Repeat("n", 300), Value: make([]byte, 70_000)}}},
	} {
		set := protocol.RecordSet{Version: 2, Records: &records{msgs: []*exchange.Message{&m, &m}}}
		var plain bytes.Buffer
		if _, err := set.WriteTo(&plain); err != nil {
			t.Fatal(err)
		}
		const around = 4 + 61
		if plain.Len()-around > 2*weight(&m) {
			t.Errorf("two messages take %d bytes, more than %d", plain.Len()-around, 2*weight(&m))
		}
	}
}

// holding is a batch of the offsets, the last of which compaction may have taken out.
func holding(last int64, offsets ...int64) storedBatch {
	var all []exchange.Message
	for _, o := range offsets {
		all = append(all, exchange.Message{Offset: o, Time: time.Unix(o, 0), Value: []byte("v")})
	}
	return storedBatch{last: last, messages: all}
}

func TestRead(t *testing.T) {
	for name, row := range map[string]struct {
		offset int64
		answer []storedBatch
		got    []int64
		next   int64
	}{
		"nothing new":                  {5, nil, nil, 5},
		"as asked":                     {5, []storedBatch{holding(6, 5, 6)}, []int64{5, 6}, 7},
		"older ones before":            {5, []storedBatch{holding(6, 3, 4, 5, 6)}, []int64{5, 6}, 7},
		"holes that compaction left":   {5, []storedBatch{holding(9, 2, 9), holding(18, 15)}, []int64{9, 15}, 19},
		"only older ones: step over":   {5, []storedBatch{holding(3, 2, 3)}, nil, 6},
		"the last is gone":             {5, []storedBatch{holding(9, 2, 3)}, nil, 10},
		"an empty batch: step over it": {5, []storedBatch{holding(9)}, nil, 10},
		"a transaction's marker":       {5, []storedBatch{{last: 5}}, nil, 6},
		"an empty batch, then some":    {5, []storedBatch{holding(9), holding(11, 11)}, []int64{11}, 12},
	} {
		t.Run(name, func(t *testing.T) {
			f := &follower{place: place{"t", 3}, offset: row.offset}
			p := f.read(&fetched{end: 20, batches: row.answer})
			var got []int64
			for _, m := range p.msgs {
				got = append(got, m.Offset)
			}
			if fmt.Sprint(got) != fmt.Sprint(row.got) || p.next != row.next || p.end != 20 {
				t.Errorf("offsets %v then %d, want %v then %d", got, p.next, row.got, row.next)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	b := &Bus{brokers: "kafka1:9093"}
	for answer, kind := range map[kafka.Error]exchange.Kind{
		kafka.TopicAuthorizationFailed: exchange.Denied,
		kafka.MessageSizeTooLarge:      exchange.Invalid,
		kafka.InvalidRecord:            exchange.Invalid,
		kafka.Unknown:                  exchange.Internal,
	} {
		err := b.unsettled("t", 1, fmt.Errorf("%w: broker says", answer))
		var p *exchange.Problem
		if !errors.As(err, &p) || p.Kind != kind || !errors.Is(err, answer) || p.Mend.ZH == "" || p.Mend.EN == "" {
			t.Errorf("%v: %v, want kind %s", answer, err, kind)
		}
	}
	err := b.unsettled("t", 3, fmt.Errorf("%w; last failure: %w", context.DeadlineExceeded, io.ErrUnexpectedEOF))
	if exchange.KindOf(err) != exchange.Unavailable || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "kafka1:9093") {
		t.Errorf("an ended context: %v", err)
	}
}

// A broker that takes the request and never answers: Append returns when its context ends, and says that
// it does not know.
func TestSilentBroker(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
		}
	}()
	b, err := Connect(Config{Brokers: []string{l.Addr().String()}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	err = b.Append(ctx, "t", []exchange.Message{{Key: []byte("k")}})
	if exchange.KindOf(err) != exchange.Unavailable || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	b.Close()
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("append and close took %v", took)
	}
}
