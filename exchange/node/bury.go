package node

import (
	"context"
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange"
)

const (
	buryEvery = time.Second // how often it is asked what topics still hold
	buryAgain = time.Minute // what has not come back by then is appended once more
)

// bury frees topics and the index's files of the bytes of what was forgotten. Nothing hangs on it but the bytes: no query
// reads them any more.
func (n *Node) bury(ctx context.Context) error {
	g := gravedigger{node: n, said: map[string]time.Time{}}
	tick := time.NewTicker(buryEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for _, act := range []struct {
			name string
			do   func(context.Context) error
		}{{"append tombstones", g.append}, {"purge the index's files", n.Index.Purge}} {
			if err := act.do(ctx); err != nil && ctx.Err() == nil {
				n.around.Log.Warn("bytes of what was erased are not freed yet", "act", act.name, "error", err)
			}
		}
	}
}

// gravedigger remembers what it did, so that it does not do it every second.
type gravedigger struct {
	node *Node
	said map[string]time.Time // by topic and key: when a tombstone was appended
}

// append appends the tombstones that are owed: the first at once, the second when Kafka's rest is over. Kafka begins a new part
// of a topic only when something comes, so on a quiet topic the first would stay in the newest part with what it is for.
func (g *gravedigger) append(ctx context.Context) error {
	now := g.node.around.Clock()
	owed, err := g.node.Index.Owed(ctx, now)
	if err != nil {
		return err
	}
	if len(owed) == 0 {
		clear(g.said)
		return nil
	}
	again := min(buryAgain, g.node.cfg.Kafka.rest())
	owed = slices.DeleteFunc(owed, func(m exchange.Message) bool {
		before, said := g.said[saying(m)]
		return said && now.Sub(before) < again
	})
	return g.say(ctx, owed)
}

// saying tells the first tombstone of a message from its second.
func saying(m exchange.Message) string { return m.Topic + "/" + string(m.Key) + "/" + m.Time.String() }

func (g *gravedigger) say(ctx context.Context, tombstones []exchange.Message) error {
	byTopic := map[string][]exchange.Message{}
	for _, m := range tombstones {
		byTopic[m.Topic] = append(byTopic[m.Topic], m)
	}
	for topic, all := range byTopic {
		said := make([]string, len(all))
		for i, m := range all {
			said[i], all[i].Time = saying(m), time.Time{}
		}
		if err := g.node.Bus.Append(ctx, topic, all); err != nil {
			return err
		}
		for _, s := range said {
			g.said[s] = g.node.around.Clock()
		}
	}
	return nil
}
