package notice

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/onedoor/yimen/exchange"
)

// courier is where a webhook stands. A webhook that fails is left alone for a while, whatever waits for it; after that the delivery is
// tried which was tried longest ago, so that one that is never taken does not keep the others back.
type courier struct {
	busy     bool
	turn     uint64    // the last one it had
	failures int       // since the last success
	free     time.Time // not before
}

// pauseAfter is how long a webhook is left alone after so many failures in a row: 5 s at first, an hour at most, each up to a half
// longer or shorter, so that not all come at once to what has just come back.
func pauseAfter(failures int) time.Duration {
	b := backoff.ExponentialBackOff{InitialInterval: 5 * time.Second, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: time.Hour}
	b.Reset()
	pause := time.Duration(0)
	for range min(failures, 64) {
		pause = b.NextBackOff()
	}
	return pause
}

// At the same time so many webhooks are sent to, and so many of one department, so that one with slow receivers does not hold up the rest.
const (
	atOnce       = 8
	ofDepartment = 2
)

// couriers share out the turns: whoever had one longest ago comes first.
type couriers struct {
	mu   sync.Mutex // guards all below
	all  map[string]*courier
	busy map[exchange.Department]int
	sum  int // of busy
	turn uint64
}

// deliverAll delivers what waits until ctx ends.
func (o *Office) deliverAll(ctx context.Context) error {
	c := &couriers{all: map[string]*courier{}, busy: map[exchange.Department]int{}}
	var work sync.WaitGroup
	defer work.Wait()
	return o.repeat(ctx, "deliver notices", o.sends, func(ctx context.Context) error {
		if err := o.Settled(ctx); err != nil {
			return err
		}
		ids, err := o.store.waiters(ctx)
		if err != nil {
			return err
		}
		hooks, err := o.hooks(ctx, ids)
		if err != nil {
			return err
		}
		for _, s := range c.begin(hooks, o.cfg.Clock()) {
			work.Go(func() {
				failures, free := o.deliver(ctx, s, c.failures(s.ID))
				c.done(&s, failures, free)
				call(o.sends)
			})
		}
		return nil
	})
}

// hooks are those of the subscriptions that are in force. What waits for others, which ended while it was written down, is deleted.
func (o *Office) hooks(ctx context.Context, ids []string) (all []Subscription, err error) {
	var ended []string
	o.mu.RLock()
	for _, id := range ids {
		if s := o.board.byID[id]; s != nil {
			all = append(all, *s)
		} else {
			ended = append(ended, id)
		}
	}
	o.mu.RUnlock()
	for _, id := range ended {
		rows, err := o.store.under(ctx, pairKey(waitingRow, id, ""))
		if err == nil {
			err = o.store.put(false, rows...)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// begin gives those whose turn it is now, of all for which something waits. Each must be done.
func (c *couriers) begin(waiting []Subscription, now time.Time) (turns []Subscription) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(waiting, now)
	slices.SortStableFunc(waiting, func(a, b Subscription) int { return cmp.Compare(c.all[a.ID].turn, c.all[b.ID].turn) })
	for _, s := range waiting {
		one := c.all[s.ID]
		if one.busy || now.Before(one.free) || c.sum == atOnce || c.busy[s.Department] == ofDepartment {
			continue
		}
		c.turn++
		one.busy, one.turn = true, c.turn
		c.sum++
		c.busy[s.Department]++
		turns = append(turns, s)
	}
	return turns
}

// forget has a courier for each that waits, and else only for those that must not be sent to yet. mu is held.
func (c *couriers) forget(waiting []Subscription, now time.Time) {
	here := make(map[string]bool, len(waiting))
	for _, s := range waiting {
		here[s.ID] = true
		if c.all[s.ID] == nil {
			c.all[s.ID] = &courier{}
		}
	}
	for id, one := range c.all {
		if !here[id] && !one.busy && !now.Before(one.free) {
			delete(c.all, id)
		}
	}
}

func (c *couriers) failures(id string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[id].failures
}

// done ends a turn.
func (c *couriers) done(s *Subscription, failures int, free time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.all[s.ID]
	one.busy, one.failures, one.free = false, failures, free
	c.sum--
	c.busy[s.Department]--
}
