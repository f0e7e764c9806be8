package notice

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange/notice/webhook"
)

// courier is where a webhook stands. A webhook that fails is left alone for a while, whatever waits for it; after that the delivery is
// tried which was tried longest ago, so that one that is never taken does not keep the others back.
type courier struct {
	busy     bool
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

// atOnce bounds the webhooks that are sent to at the same time.
const atOnce = 8

// deliverAll delivers what waits until ctx ends, to each webhook one after the other.
func (o *Office) deliverAll(ctx context.Context) error {
	couriers := map[string]*courier{}
	var mu sync.Mutex // guards couriers and what they are
	var work sync.WaitGroup
	defer work.Wait()
	slots := make(chan struct{}, atOnce)
	return o.repeat(ctx, "deliver notices", o.sends, func(ctx context.Context) error {
		if err := o.Settled(ctx); err != nil {
			return err
		}
		now := o.cfg.Clock()
		hooks := o.listed(func(s *Subscription) bool { return s.URL != "" })
		mu.Lock()
		defer mu.Unlock()
		here := make(map[string]bool, len(hooks))
		for _, s := range hooks {
			here[s.ID] = true
			c := couriers[s.ID]
			if c == nil {
				c = &courier{}
				couriers[s.ID] = c
			}
			if c.busy || now.Before(c.free) {
				continue
			}
			c.busy = true
			failures := c.failures
			work.Go(func() {
				slots <- struct{}{}
				failures, free := o.deliver(ctx, s, failures)
				<-slots
				mu.Lock()
				defer mu.Unlock()
				c.busy, c.failures, c.free = false, failures, free
			})
		}
		for id, c := range couriers {
			if !here[id] && !c.busy {
				delete(couriers, id)
			}
		}
		return nil
	})
}

// deliver sends a webhook what waits for it, until nothing does or it has to be left alone: until when, and after how many failures.
func (o *Office) deliver(ctx context.Context, s Subscription, failures int) (int, time.Time) {
	for ctx.Err() == nil {
		now := o.cfg.Clock()
		d, found, err := o.store.waiting(ctx, s.ID, now)
		if err != nil {
			o.cfg.Log.Error("notices that wait cannot be read", "subscription", s.ID, "error", err)
			return failures, now.Add(o.pauses(1))
		}
		if !found {
			return failures, now
		}
		err = o.send(ctx, s, &d)
		var failure *webhook.Failure
		switch {
		case err == nil:
			failures = 0
			if s.PerMinute > 0 {
				return 0, now.Add(time.Minute / time.Duration(s.PerMinute))
			}
		case errors.As(err, &failure):
			failures++
			return failures, now.Add(max(o.pauses(failures), failure.After))
		default: // not the receiver's fault: nothing was sent, or what became of it could not be written down
			if ctx.Err() == nil && !errors.Is(err, errEnded) {
				o.cfg.Log.Warn("a notice could not be delivered", "subscription", s.ID, "error", err)
			}
			return failures, now.Add(o.pauses(1))
		}
	}
	return failures, time.Time{}
}

// errEnded means that the receiver ended its subscription.
var errEnded = errors.New("the receiver ended its subscription")

// send tries a delivery once and writes down what became of it.
func (o *Office) send(ctx context.Context, s Subscription, d *delivery) error {
	if _, known, err := o.store.get(pairKey(outcomeRow, s.ID, d.Event.ID)); known || err != nil {
		if known {
			err = o.store.put(false, row{key: pairKey(waitingRow, s.ID, d.Event.ID), gone: true})
		}
		return err
	}
	body, err := json.Marshal(d.Event)
	if err != nil {
		return fmt.Errorf("write a notice: %w", err)
	}
	err = o.cfg.Sender.Send(ctx, s.URL, d.Event.ID, body)
	var failure *webhook.Failure
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil:
		o.metrics.delivered.WithLabelValues("taken").Inc()
		return o.add(ctx, &entry{Act: delivered, Subscription: s.ID, Event: d.Event.ID})
	case errors.Is(err, webhook.ErrGone):
		return o.gone(ctx, s)
	case !errors.As(err, &failure):
		return err
	}
	return o.missed(ctx, s, d, failure)
}

// gone ends a subscription for its receiver, which has no staff code. It gives errEnded back.
func (o *Office) gone(ctx context.Context, s Subscription) error {
	if err := o.cfg.Audit(ctx, string(s.Department)+"/webhook", "subscription-end", s.ID); err != nil {
		return err
	}
	if err := o.add(ctx, &entry{Act: end, Subscription: s.ID, Why: "410"}); err != nil {
		return err
	}
	return errEnded
}

// missed writes down that a delivery failed, or that it is given up. It gives the failure back.
func (o *Office) missed(ctx context.Context, s Subscription, d *delivery, failure *webhook.Failure) error {
	now := o.cfg.Clock()
	if now.Sub(d.Made) >= o.cfg.GiveUp {
		o.metrics.delivered.WithLabelValues("given_up").Inc()
		o.cfg.Log.Error("a notice is given up", "subscription", s.ID, "event", d.Event.ID, "tries", d.Tries+1, "why", why(failure))
		if err := o.add(ctx, &entry{Act: givenUp, Subscription: s.ID, Event: d.Event.ID, Why: why(failure)}); err != nil {
			return err
		}
		return failure
	}
	o.metrics.delivered.WithLabelValues("failed").Inc()
	d.Tried, d.Tries = now, d.Tries+1
	if err := o.store.put(true, d.row(s.ID)); err != nil {
		return err
	}
	return failure
}

// why is a failure as it stands on the topic: a status, or that nobody answered.
func why(f *webhook.Failure) string {
	if f.Status != 0 {
		return strconv.Itoa(f.Status)
	}
	return "unreachable"
}

// waiting is how many deliveries of a subscription wait at this node.
func (o *Office) waiting(ctx context.Context, subscription string) (int, error) {
	return o.store.count(ctx, pairKey(waitingRow, subscription, ""))
}
