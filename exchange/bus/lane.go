package bus

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	kafka "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/onedoor/yimen/exchange"
)

const (
	batchBytes    = MaxMessage // before compression
	batchMessages = 10_000

	// Where many callers' messages went in one request, more are about to come: to wait for them for so long costs each caller less than
	// the requests cost all of them. Who comes alone never waits.
	many, linger = 8, time.Millisecond
)

// lane sends to one partition: one request is on its way at a time, which keeps the order, and whatever
// arrives meanwhile goes together with the next one. Its goroutine lives only while there is work.
type lane struct {
	bus *Bus
	place

	mu      sync.Mutex // guards all below, and every load in the lane
	waiting []*load    // the first may be sent in part
	busy    bool       // run is running
}

// load is what one Append has for one partition.
type load struct {
	partition int
	lane      *lane
	msgs      []*exchange.Message // read while it waits in the lane, and not after its caller has gone
	next      int                 // the first message that is in no request yet
	acked     []span
	left      int // messages not acknowledged yet
	forsaken  bool
	err       error
	done      chan struct{}
}

// span is a run of messages with offsets in a row.
type span struct {
	from, n int
	offset  int64
	dated   time.Time // by the broker; zero: it does not date messages
}

// batch is an encoded request and whose messages are in it.
type batch struct {
	body  []byte
	parts []part
}

type part struct {
	load    *load
	from, n int
}

func (l *lane) add(ld *load) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ld.lane, ld.left = l, len(ld.msgs)
	l.waiting = append(l.waiting, ld)
	if !l.busy {
		l.busy = true
		l.bus.work.Add(1) // the caller is registered itself, so Close cannot be past its Wait
		go l.run()
	}
}

// forsake takes a load back: what is in no request yet is not sent, and nobody waits for the rest.
func (l *lane) forsake(ld *load) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ld.forsaken = true
	l.drop(ld)
}

func (l *lane) drop(ld *load) {
	if i := slices.Index(l.waiting, ld); i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
	}
}

func (l *lane) run() {
	defer l.bus.work.Done()
	for {
		b, ok := l.take()
		if !ok {
			return
		}
		began := time.Now()
		answer, err := l.send(b)
		l.bus.metrics.requests.WithLabelValues(l.topic).Observe(time.Since(began).Seconds())
		l.finish(b, answer, err)
		if len(b.parts) >= many {
			time.Sleep(linger)
		}
	}
}

// take fills a batch from what waits. Encoding under the lock is what lets a caller go at any time: after
// that nobody reads its messages. Those it keeps waiting could not be sent earlier anyhow.
func (l *lane) take() (batch, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b batch
	var msgs []*exchange.Message
	size, full := 0, false
	for len(l.waiting) > 0 && !full {
		ld := l.waiting[0]
		from := ld.next
		for ld.next < len(ld.msgs) {
			w := weight(ld.msgs[ld.next])
			if full = len(msgs) == batchMessages || len(msgs) > 0 && size+w > batchBytes; full {
				break
			}
			msgs = append(msgs, ld.msgs[ld.next])
			size += w
			ld.next++
		}
		if ld.next > from {
			b.parts = append(b.parts, part{ld, from, ld.next - from})
		}
		if ld.next == len(ld.msgs) {
			l.waiting = l.waiting[1:]
		}
	}
	if len(msgs) == 0 {
		l.busy, l.waiting = false, nil
		return b, false
	}
	b.body = encode(msgs)
	return b, true
}

// send sends the batch until it is acknowledged or refused, or nobody waits for it any more. After the end of the bus it sends nothing:
// kafka-go would write the request all the same, and leave the answer.
func (l *lane) send(b batch) (*kafka.ProduceResponse, error) {
	ctx := l.bus.life
	var unknown time.Time
	return retry(ctx, l.bus, "append", l.topic, final, func() (*kafka.ProduceResponse, error) {
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case l.forsaken(b):
			return nil, errForsaken
		}
		answer, err := l.bus.client.RawProduce(ctx, &kafka.RawProduceRequest{
			Topic: l.topic, Partition: l.partition, RequiredAcks: kafka.RequireAll,
			RawRecords: protocol.RawRecordSet{Reader: bytes.NewReader(b.body)},
		})
		if err == nil {
			err = answer.Error
		}
		if err == nil {
			return answer, nil
		}
		if errors.Is(err, protocol.ErrNoTopic) { // the topic is missing, or no broker could be asked at all
			if _, why := l.bus.lookUp(ctx, l.topic); why != nil {
				err = why
			}
		}
		return nil, l.bus.judge(l.topic, err, &unknown)
	})
}

// errForsaken ends the tries of a batch. It is a Problem so that it is final; nobody reads it.
var errForsaken = &exchange.Problem{Code: "YM-BUS-0100", Kind: exchange.Unavailable, What: exchange.Text{EN: "nobody waits any more"}}

func (l *lane) forsaken(b batch) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !slices.ContainsFunc(b.parts, func(p part) bool { return !p.load.forsaken })
}

// finish tells the callers. After an error the rest of a load is not sent: a hole is worse than an end.
func (l *lane) finish(b batch, answer *kafka.ProduceResponse, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sent := 0
	for _, p := range b.parts {
		ld := p.load
		if err != nil {
			ld.err = err
			l.drop(ld)
			close(ld.done)
			continue
		}
		ld.acked = append(ld.acked, span{p.from, p.n, answer.BaseOffset + int64(sent), answer.LogAppendTime})
		sent += p.n
		if ld.left -= p.n; ld.left == 0 {
			close(ld.done)
		}
	}
}

// settle writes what the broker said into the caller's messages and gives the load's error.
func (ld *load) settle() error {
	ld.lane.mu.Lock()
	defer ld.lane.mu.Unlock()
	for _, s := range ld.acked {
		for i := range s.n {
			m := ld.msgs[s.from+i]
			m.Partition, m.Offset = ld.partition, s.offset+int64(i)
			if !s.dated.IsZero() {
				m.Time = s.dated
			}
		}
	}
	return ld.err
}
