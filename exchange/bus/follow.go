package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	kafka "github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"github.com/onedoor/yimen/exchange"
)

const (
	fetchBytes = 2 << 20 // compressed, for one partition; more than two batches of ours
	// fetchWait is how long a broker holds a request for which it has nothing. There is one for each partition, so that a city's
	// brokers answer nothing hundreds of times in it; what comes is handed over at once all the same.
	fetchWait = requestTimeout / 2
	// gatherBytes is what a broker need not gather more than: see Config.Gather.
	gatherBytes = fetchBytes / 8
)

// Follow hands over each partition of the topic from its offset in from (absent: from the beginning), and
// then what comes. One partition's batches are handled one after the other in order; those of different
// partitions at the same time. handle may keep the messages but not change them: others who follow the topic have the same.
//
// Follow returns the error of handle, or the cause of the end of ctx. All else it outlives: broker
// restarts, lost connections, new partitions. A message can come twice. An offset that the topic no longer
// has (or never had) starts that partition again at the earliest, with an error in the log and a metric.
func (b *Bus) Follow(ctx context.Context, topic string, from map[int]int64, handle func(context.Context, []exchange.Message) error) error {
	ctx, leave, err := b.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	partitions, err := b.partitions(ctx, topic)
	if err != nil {
		return b.unreachable(exchange.Text{ZH: "跟读主题 " + topic, EN: "follow topic " + topic}, err)
	}
	group, ctx := errgroup.WithContext(ctx)
	look := time.NewTicker(metadataTTL)
	defer look.Stop()
	followed := make(map[int]bool)
	for first := true; ; first = false {
		for _, p := range partitions {
			if followed[p] {
				continue
			}
			if !first {
				b.log.Info("following a new partition", "topic", topic, "partition", p)
			}
			followed[p] = true
			f := &follower{bus: b, place: place{topic, p}, handle: handle, offset: earliest}
			if offset, ok := from[p]; ok {
				f.offset = offset
			}
			group.Go(func() error { return f.run(ctx) })
		}
		select {
		case <-ctx.Done():
			return group.Wait()
		case <-look.C:
		}
		if now, err := b.partitions(ctx, topic); err == nil { // an error is in the log already; the followers go on
			partitions = now
		}
	}
}

// Read hands over what the partitions named in until have between from (absent: from the beginning) and there, as Follow does, and returns
// once that was handled. Of an offset beyond the end it waits for the messages to come.
func (b *Bus) Read(ctx context.Context, topic string, from, until map[int]int64, handle func(context.Context, []exchange.Message) error) error {
	ctx, leave, err := b.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	group, ctx := errgroup.WithContext(ctx)
	for p, end := range until {
		f := &follower{bus: b, place: place{topic, p}, handle: handle, offset: earliest, end: end}
		if offset, ok := from[p]; ok {
			f.offset = offset
		}
		group.Go(func() error { return f.run(ctx) })
	}
	return group.Wait()
}

// earliest stands for the first offset of the partition.
const earliest int64 = -1

// follower reads one partition.
type follower struct {
	bus *Bus
	place
	handle func(context.Context, []exchange.Message) error
	offset int64 // of the next message, or earliest
	end    int64 // where it is done; 0: never
	flows  bool  // the last request brought something
}

func (f *follower) run(ctx context.Context) error {
	metrics := f.bus.metrics
	lag := func(int64) {}
	if f.end == 0 {
		lag = func(n int64) { metrics.lag.WithLabelValues(f.topic, strconv.Itoa(f.partition)).Set(float64(n)) }
		defer metrics.lag.DeleteLabelValues(f.topic, strconv.Itoa(f.partition))
	}
	for f.end == 0 || f.offset < f.end {
		page, err := f.fetch(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, kafka.OffsetOutOfRange):
			f.reset()
			continue
		case err != nil:
			return fmt.Errorf("fetch %s at offset %d: %w", f.place, f.offset, err)
		}
		lag(page.end - f.offset)
		page.msgs = f.before(page.msgs)
		if len(page.msgs) > 0 {
			if err := f.handle(ctx, page.msgs); err != nil {
				return fmt.Errorf("handle %s from offset %d: %w", f.place, page.msgs[0].Offset, err)
			}
			metrics.followed.WithLabelValues(f.topic).Add(float64(len(page.msgs)))
		}
		f.offset, f.flows = page.next, len(page.msgs) > 0
		lag(max(0, page.end-page.next))
	}
	return nil
}

// before leaves out the messages from the end on.
func (f *follower) before(msgs []exchange.Message) []exchange.Message {
	for f.end > 0 && len(msgs) > 0 && msgs[len(msgs)-1].Offset >= f.end {
		msgs = msgs[:len(msgs)-1]
	}
	return msgs
}

// reset starts again at the earliest: the offset is beyond the end (the topic was created anew) or before
// the beginning (messages were removed before they were read). Both deserve a person's attention.
func (f *follower) reset() {
	f.bus.metrics.resets.WithLabelValues(f.topic).Inc()
	f.bus.log.Error("the offset to read from is not on the topic; reading again from the earliest message. "+
		"The topic was created anew, or messages expired before they were read",
		"topic", f.topic, "partition", f.partition, "offset", f.offset)
	f.offset = earliest
}

// page is what one request brought.
type page struct {
	msgs []exchange.Message
	next int64 // where to go on
	end  int64 // the offset after the last message of the partition
}

func (f *follower) fetch(ctx context.Context) (page, error) {
	gone := func(err error) bool { return errors.Is(err, kafka.OffsetOutOfRange) }
	return retry(ctx, f.bus, "follow", f.topic, gone, func() (page, error) {
		if f.offset < 0 {
			first, err := f.bus.offsets(ctx, f.topic, kafka.FirstOffset, f.partition)
			if err != nil {
				return page{}, err
			}
			f.offset = first[f.partition]
		}
		answer, err := f.bus.fetch(ctx, f.from())
		if err != nil {
			return page{}, err
		}
		return f.read(answer), nil
	})
}

// from is where to go on. Who reads up to an end is waited for.
func (f *follower) from() spot {
	if !f.flows || f.end > 0 {
		return spot{place: f.place, offset: f.offset}
	}
	return spot{f.place, f.offset, f.bus.gather[f.topic]}
}

// read takes the messages out of an answer. Kafka gives whole batches, so the first messages may be
// older than what was asked for; and a batch can be empty, by compaction or because it ends a transaction.
func (f *follower) read(answer *fetched) page {
	p := page{next: f.offset, end: answer.end}
	for _, batch := range answer.batches {
		for _, m := range batch.messages {
			if m.Offset < p.next {
				continue
			}
			m.Topic, m.Partition = f.topic, f.partition
			if !batch.appended.IsZero() { // whatever the writer claims
				m.Time = batch.appended
			}
			p.msgs, p.next = append(p.msgs, m), m.Offset+1
		}
		p.next = max(p.next, batch.last+1)
	}
	if p.next == f.offset && len(answer.batches) > 0 {
		p.next++ // asking for the same offset again would bring the same batch for ever
	}
	return p
}
