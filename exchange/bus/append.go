package bus

import (
	"cmp"
	"context"
	"fmt"

	kafka "github.com/segmentio/kafka-go"

	"github.com/onedoor/yimen/exchange"
)

// MaxMessage is the most bytes of a message, key, value and headers together. Kafka's own limit, 1 MiB
// for a batch, lies above it, with room for what compression can add.
const MaxMessage = 900 << 10

// Append puts the messages onto the topic and sets the Partition and Offset of each, and its Time where the topic has the broker
// date them (LogAppendTime). It returns nil once all are acknowledged, and then only. Route (or Key, where there is no Route) decides the partition as
// Java's clients do. Messages for one partition keep their order; callers who append to one partition at
// the same time share requests.
//
// After an error, whether a message stands on the topic is not known: append all of them again. A context
// that ends is such an error, of Kind Unavailable. The messages are not touched after Append returned.
func (b *Bus) Append(ctx context.Context, topic string, msgs []exchange.Message) error {
	for i := range msgs {
		if size := weight(&msgs[i]); size > MaxMessage {
			return tooLarge(topic, i, size)
		}
	}
	if err := b.join(); err != nil {
		return err
	}
	defer b.work.Done()
	partitions, err := b.partitions(ctx, topic)
	if err != nil {
		return b.unreachable(exchange.Text{
			ZH: "向主题 " + topic + " 追加（尚未发出任何消息）",
			EN: "append to topic " + topic + " (nothing was sent)",
		}, err)
	}
	loads := distribute(msgs, partitions)
	for _, l := range loads {
		b.lane(topic, l.partition).add(l)
	}
	if err := await(ctx, loads); err != nil {
		return b.unsettled(topic, len(msgs), err)
	}
	b.metrics.appended.WithLabelValues(topic).Add(float64(len(msgs)))
	return nil
}

// distribute sorts the messages by partition, in their order.
func distribute(msgs []exchange.Message, partitions []int) []*load {
	byPartition := make(map[int]*load, min(len(partitions), len(msgs)))
	var loads []*load
	for i := range msgs {
		m := &msgs[i]
		partition := partitionOf(m, partitions)
		l := byPartition[partition]
		if l == nil {
			l = &load{partition: partition, done: make(chan struct{})}
			byPartition[partition] = l
			loads = append(loads, l)
		}
		l.msgs = append(l.msgs, m)
	}
	return loads
}

// partitionOf is where Java's clients put the message.
func partitionOf(m *exchange.Message, partitions []int) int {
	if len(partitions) == 1 {
		return partitions[0]
	}
	route := m.Route
	if route == nil {
		route = m.Key
	}
	return kafka.Murmur2Balancer{Consistent: true}.Balance(kafka.Message{Key: route}, partitions...)
}

// await waits for all loads, to which the end of the bus is an end too, or until ctx ends. It writes into the messages where they stand and
// since when.
func await(ctx context.Context, loads []*load) error {
	var first error
	for _, l := range loads {
		select {
		case <-l.done:
		case <-ctx.Done():
			l.lane.forsake(l)
			first = cmp.Or(first, context.Cause(ctx))
		}
		if err := l.settle(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// weight is at least the number of bytes a message takes in a batch before compression.
func weight(m *exchange.Message) int {
	const frame, headerFrame = 32, 10 // lengths, offset and time, each at its longest
	n := frame + len(m.Key) + len(m.Value)
	for i := range m.Headers {
		n += headerFrame + len(m.Headers[i].Name) + len(m.Headers[i].Value)
	}
	return n
}

// lane gives the sender of a partition.
func (b *Bus) lane(topic string, partition int) *lane {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := place{topic, partition}
	l := b.lanes[at]
	if l == nil {
		l = &lane{bus: b, place: at}
		b.lanes[at] = l
	}
	return l
}

func (p place) String() string { return fmt.Sprintf("%s/%d", p.topic, p.partition) }
