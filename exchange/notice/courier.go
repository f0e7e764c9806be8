package notice

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange/notice/webhook"
)

// deliver has its turn with what waits for a webhook, and says when and after how many failures the next one is. It ends with the first
// failure, with what a minute allows, and early enough that a slow receiver does not keep others waiting.
func (o *Office) deliver(ctx context.Context, s Subscription, failures int) (int, time.Time) {
	began := o.cfg.Clock()
	all, err := o.store.waiting(ctx, s.ID, mostInTurn)
	if err != nil {
		o.cfg.Log.Error("notices that wait cannot be read", "subscription", s.ID, "error", err)
		return failures, began.Add(o.pauses(1))
	}
	for i := range all {
		if ctx.Err() != nil || o.cfg.Clock().Sub(began) > longestTurn {
			break
		}
		err := o.send(ctx, s, &all[i])
		now := o.cfg.Clock()
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
	return failures, began
}

// What a turn comes to at most, but for the delivery that is under way.
const (
	mostInTurn  = 20
	longestTurn = 5 * time.Second
)

// errEnded means that the receiver ended its subscription.
var errEnded = errors.New("the receiver ended its subscription")

// send tries a delivery once and writes down what became of it.
func (o *Office) send(ctx context.Context, s Subscription, d *delivery) error {
	if _, waits, err := o.store.get(pairKey(waitingRow, s.ID, d.Event.ID)); !waits || err != nil {
		return err // it was done, or ended, since the turn began
	}
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
