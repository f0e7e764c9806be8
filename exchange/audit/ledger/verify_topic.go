package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// The ways in which following ends: everything has been compared, or nothing comes though the topic says that there is more.
var (
	errSeen  = errors.New("all is seen")
	errQuiet = errors.New("nothing comes")
)

// quietness is how long a topic may be silent that has more to tell.
const quietness = 15 * time.Second

// compareTopic holds every message of the topic against its leaf.
func (in *inspection) compareTopic(ctx context.Context, size uint64) error {
	ends, err := in.Topic.EndOffsets(ctx, topicName)
	if err != nil {
		return err
	}
	if len(ends) != 1 {
		return manyPartitions(len(ends))
	}
	end := uint64(ends[0])
	in.report.Waiting = int64(end) - int64(min(end, in.report.Size))
	if end < size {
		in.find(TopicLost, fmt.Sprintf("offset %d", end), "the topic ends here, and the log has %d leaves", size)
	}
	c := topicCheck{in: in, until: min(end, size), size: size}
	if c.until == 0 {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c.quiet = time.AfterFunc(quietness, func() { cancel(errQuiet) })
	defer c.quiet.Stop()
	switch err := in.Topic.Follow(ctx, topicName, map[int]int64{0: 0}, c.take); {
	case errors.Is(err, errSeen):
		return nil
	case errors.Is(context.Cause(ctx), errQuiet):
		in.find(TopicLost, fmt.Sprintf("offset %d", c.next), "the topic should have messages from here on, and gives none")
		return nil
	default:
		return err
	}
}

// topicCheck compares as it follows.
type topicCheck struct {
	in          *inspection
	next, until uint64
	size        uint64
	bundle      uint64
	leaves      [][]byte
	quiet       *time.Timer
}

func (c *topicCheck) take(ctx context.Context, msgs []exchange.Message) error {
	c.quiet.Reset(quietness)
	for i := range msgs {
		m := &msgs[i]
		at := uint64(m.Offset)
		if at < c.next {
			continue // handed over again
		}
		for ; c.next < min(at, c.until); c.next++ {
			c.in.find(TopicLost, fmt.Sprintf("offset %d", c.next), "the topic has no message here any more")
		}
		if at >= c.until {
			return errSeen
		}
		if err := c.compare(ctx, m); err != nil {
			return err
		}
		if c.next++; c.next == c.until {
			return errSeen
		}
	}
	return nil
}

func (c *topicCheck) compare(ctx context.Context, m *exchange.Message) error {
	at := uint64(m.Offset)
	if c.leaves == nil || c.bundle != at/width {
		var err error
		if c.leaves, err = bundleOf(ctx, c.in.Source.ReadEntryBundle, at/width, c.size); err != nil {
			return err
		}
		c.bundle = at / width
	}
	l, err := readLeaf(at, c.leaves[at%width])
	if err != nil || !l.matches(m) || l.kind == againLeaf && c.in.ids[idKey(l.id)] != sha256.Sum256(m.Value) {
		c.in.find(TopicLost, fmt.Sprintf("offset %d", at), "the message is not the one that the log has")
	}
	return nil
}
