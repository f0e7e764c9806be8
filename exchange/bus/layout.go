package bus

import (
	"context"
	"errors"
	"slices"
	"time"

	kafka "github.com/segmentio/kafka-go"

	"github.com/onedoor/yimen/exchange"
)

// layout is what is known of a topic.
type layout struct {
	partitions []int // ascending
	replicas   int   // of the partition with the fewest
	seen       time.Time
}

const (
	// layoutTTL bounds how long a layout is used without another look at the transport's own cache.
	layoutTTL = time.Second
	// missingGrace is how long a topic must stay unknown before it counts as missing: a broker that has
	// just started, or is very busy, may not have told of every topic.
	missingGrace = 5 * time.Second
)

// partitions gives the partitions of a topic, ascending. A topic that is not there is a Problem.
func (b *Bus) partitions(ctx context.Context, topic string) ([]int, error) {
	l, err := b.layout(ctx, topic)
	return l.partitions, err
}

func (b *Bus) layout(ctx context.Context, topic string) (layout, error) {
	b.mu.Lock()
	known, ok := b.layouts[topic]
	b.mu.Unlock()
	if ok && time.Since(known.seen) < layoutTTL {
		return known, nil
	}
	ctx, end := b.within(ctx)
	defer end()
	var unknown time.Time
	return retry(ctx, b, "look up", topic, final, func() (layout, error) {
		l, err := b.lookUp(ctx, topic)
		return l, b.judge(topic, err, &unknown)
	})
}

// judge turns "unknown topic" into a Problem once it has lasted. since is the caller's memory.
func (b *Bus) judge(topic string, err error, since *time.Time) error {
	switch {
	case !errors.Is(err, kafka.UnknownTopicOrPartition):
		*since = time.Time{}
	case since.IsZero():
		*since = time.Now()
	case time.Since(*since) > missingGrace:
		return b.missing(topic, err)
	}
	return err
}

// lookUp reads the layout once. The transport answers from its own cache, which refresh empties.
func (b *Bus) lookUp(ctx context.Context, topic string) (layout, error) {
	answer, err := b.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return layout{}, err
	}
	t := answer.Topics[0]
	if t.Error != nil {
		return layout{}, t.Error
	}
	l := layout{seen: time.Now()}
	for _, p := range t.Partitions {
		l.partitions = append(l.partitions, p.ID)
		if l.replicas == 0 || len(p.Replicas) < l.replicas {
			l.replicas = len(p.Replicas)
		}
	}
	if len(l.partitions) == 0 {
		return layout{}, kafka.LeaderNotAvailable
	}
	slices.Sort(l.partitions)
	b.mu.Lock()
	b.layouts[topic] = l
	b.mu.Unlock()
	return l, nil
}

// EndOffsets gives, for each partition of the topic, the offset after its last message.
func (b *Bus) EndOffsets(ctx context.Context, topic string) (map[int]int64, error) {
	return b.bounds(ctx, topic, kafka.LastOffset)
}

// FirstOffsets gives, for each partition of the topic, the offset of its oldest message; where there is none, its end.
func (b *Bus) FirstOffsets(ctx context.Context, topic string) (map[int]int64, error) {
	return b.bounds(ctx, topic, kafka.FirstOffset)
}

func (b *Bus) bounds(ctx context.Context, topic string, which int64) (map[int]int64, error) {
	ctx, leave, err := b.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	partitions, err := b.partitions(ctx, topic)
	if err == nil {
		var found map[int]int64
		if found, err = b.offsets(ctx, topic, which, partitions...); err == nil {
			return found, nil
		}
	}
	return nil, b.unreachable(exchange.Text{ZH: "读取主题 " + topic + " 的位置", EN: "read the offsets of topic " + topic}, err)
}

// offsets asks for the first or last offset of partitions.
func (b *Bus) offsets(ctx context.Context, topic string, which int64, partitions ...int) (map[int]int64, error) {
	asked := make([]kafka.OffsetRequest, len(partitions))
	for i, p := range partitions {
		asked[i] = kafka.OffsetRequest{Partition: p, Timestamp: which}
	}
	return retry(ctx, b, "list offsets", topic, final, func() (map[int]int64, error) {
		answer, err := b.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: asked}})
		if err != nil {
			return nil, err
		}
		found := make(map[int]int64, len(partitions))
		for _, p := range answer.Topics[topic] {
			switch {
			case errors.Is(p.Error, kafka.Unknown): // kafka-go's word for "this leader could not be asked"
				return nil, errNoAnswer
			case p.Error != nil:
				return nil, p.Error
			}
			found[p.Partition] = max(p.FirstOffset, p.LastOffset) // the one not asked for is -1
		}
		return found, nil
	})
}

var errNoAnswer = errors.New("a partition's leader could not be asked for its offsets")
