package node

import (
	"context"
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/erasure"
)

const (
	buryEvery = time.Second // how often it is asked what topics still hold
	buryAgain = time.Minute // what has not come back by then is appended once more
)

// bury frees topics and the index's files of the bytes of what was forgotten. Nothing hangs on it but the bytes: no query
// reads them any more.
func (n *Node) bury(ctx context.Context) error {
	g := gravedigger{node: n, said: map[string]time.Time{}, stirred: map[string]bool{}}
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
		}{{"append tombstones", g.append}, {"stir quiet topics", g.stir}, {"purge the index's files", n.Index.Purge}} {
			if err := act.do(ctx); err != nil && ctx.Err() == nil {
				n.around.Log.Warn("bytes of what was erased are not freed yet", "act", act.name, "error", err)
			}
		}
	}
}

// gravedigger remembers what it did, so that it does not do it every second.
type gravedigger struct {
	node    *Node
	said    map[string]time.Time // by topic and key: when a tombstone was appended
	stirred map[string]bool      // by order
}

// append appends the tombstones that are owed.
func (g *gravedigger) append(ctx context.Context) error {
	owed, err := g.node.Index.Owed(ctx)
	if err != nil {
		return err
	}
	if len(owed) == 0 {
		clear(g.said)
		return nil
	}
	now := g.node.around.Clock()
	owed = slices.DeleteFunc(owed, func(m exchange.Message) bool {
		before, said := g.said[m.Topic+"/"+string(m.Key)]
		return said && now.Sub(before) < buryAgain
	})
	return g.say(ctx, owed)
}

func (g *gravedigger) say(ctx context.Context, tombstones []exchange.Message) error {
	byTopic := map[string][]exchange.Message{}
	for _, m := range tombstones {
		byTopic[m.Topic] = append(byTopic[m.Topic], m)
	}
	for topic, all := range byTopic {
		if err := g.node.Bus.Append(ctx, topic, all); err != nil {
			return err
		}
		for _, m := range all {
			g.said[m.Topic+"/"+string(m.Key)] = g.node.around.Clock()
		}
	}
	return nil
}

// stir appends one more message where an order's tombstones stand, once the bound for compaction is over: Kafka leaves the newest
// part of a topic as it is and begins another only when something comes, so on a quiet topic the tombstones would stay in it
// with what they are for.
func (g *gravedigger) stir(ctx context.Context) error {
	within := g.node.cfg.Kafka.EraseWithin
	for _, order := range g.node.Index.Orders() {
		age := g.node.around.Clock().Sub(order.At)
		if g.stirred[order.ID] || age < within || age > 3*within {
			continue
		}
		if err := g.say(ctx, g.stirring(order)); err != nil {
			return err
		}
		g.stirred[order.ID] = true
	}
	return nil
}

// stirring gives tombstones of what never was: of a record's version 0, and of a row that no adapter has.
func (g *gravedigger) stirring(order erasure.Order) (all []exchange.Message) {
	for _, r := range order.Records {
		all = append(all, exchange.Message{Topic: envelope.EvidenceTopic(r.Type), Route: r.ID[:], Key: append(r.ID[:], make([]byte, 8)...)})
	}
	if order.Kind != erasure.OfHolder {
		return all
	}
	for _, d := range g.node.Catalogue.Departments() {
		all = append(all, exchange.Message{Topic: envelope.QuarantineTopic(d.Code), Key: make([]byte, 16)})
	}
	return all
}
