package node

import (
	"context"
	"fmt"
	"time"

	"github.com/onedoor/yimen/exchange/api"
)

// checks are what must hold before queries are answered.
func (n *Node) checks() []api.Check {
	return []api.Check{
		{Name: "parts", OK: func(context.Context) error { return n.broken() }},
		{Name: "kafka", OK: n.Bus.Ping},
		{Name: "clock", OK: func(context.Context) error { return n.clock.right() }},
		{Name: "schemas", OK: n.Registry.Settled},
		{Name: "index", OK: func(ctx context.Context) error {
			lag, err := n.Lag(ctx)
			if err == nil && lag > readyLag {
				err = fmt.Errorf("%d messages behind", lag)
			}
			return err
		}},
	}
}

// readyLag is how far the index may be behind its topics and still count as ready: coverage keeps answers honest
// whatever the lag is, but a node that folds a whole city anew would answer "unknown" to everything.
const readyLag = 100_000

// Lag is how many messages of all topics are not folded yet.
func (n *Node) Lag(ctx context.Context) (int64, error) {
	var lag int64
	for _, topic := range folded(n.Catalogue) {
		ends, err := n.Bus.EndOffsets(ctx, topic)
		if err != nil {
			return 0, err
		}
		next, err := n.Index.Next(ctx, topic)
		if err != nil {
			return 0, err
		}
		for partition, end := range ends {
			lag += max(0, end-next[partition])
		}
	}
	return lag, nil
}

// Settled waits until everything appended before the call is folded.
func (n *Node) Settled(ctx context.Context) error {
	err := n.await(ctx, func() (bool, error) {
		lag, err := n.Lag(ctx)
		return lag == 0, err
	})
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("wait for the index: %w", ctx.Err())
	}
	return err
}

// await asks again and again until something is so, ctx ends or the node does.
func (n *Node) await(ctx context.Context, so func() (bool, error)) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if yes, err := so(); yes || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-n.life.Done():
			return context.Cause(n.life)
		case <-tick.C:
		}
	}
}

// watchLag keeps the lag metric.
func (n *Node) watchLag(ctx context.Context) error {
	const every = 15 * time.Second
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		limited, cancel := context.WithTimeout(ctx, every)
		if lag, err := n.Lag(limited); err == nil {
			n.lag.Set(float64(lag))
		}
		cancel()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
