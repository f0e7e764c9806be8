package notice

import (
	"context"
	"errors"
	"time"
)

// kept is for how long an event is made after it was due. Whenever a record has another turn it is looked at whole: what of it was due
// before that time is past. For a day longer it is known of an event that it is on its topic, and what became of its delivery.
//
// Neither is older than what made the event due: the turn, the answer that relied on the record, or the subscription. So nothing is made
// again that was forgotten here; the day is for clocks that differ.
const (
	kept  = 90 * 24 * time.Hour
	known = kept + 24*time.Hour
)

const sweepEvery = time.Hour

// past says whether what was due at a moment is made no more.
func (o *Office) past(due time.Time) bool { return o.cfg.Clock().Sub(due) > kept }

// forgotten says whether it is not known any more what became of something at a moment.
func (o *Office) forgotten(at time.Time) bool { return o.cfg.Clock().Sub(at) > known }

func latest(first time.Time, others ...time.Time) time.Time {
	for _, other := range others {
		if other.After(first) {
			first = other
		}
	}
	return first
}

// sweepAll deletes what is forgotten until ctx ends.
func (o *Office) sweepAll(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := o.sweep(ctx); err != nil && ctx.Err() == nil {
			o.cfg.Log.Warn("what became of old notices is not deleted yet", "error", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// sweep deletes what is forgotten. Rows of before they said when begin to age now.
func (o *Office) sweep(ctx context.Context) error {
	for _, kind := range [...]byte{outcomeRow, toldRow} {
		if err := o.sweepRows(ctx, kind); err != nil {
			return err
		}
	}
	return nil
}

func (o *Office) sweepRows(ctx context.Context, kind byte) error {
	var rows []row
	var failed error
	err := o.store.scan(ctx, []byte{kind}, func(key, value []byte) bool {
		switch at, ok := readMoment(value); {
		case !ok:
			rows = append(rows, row{key: key, value: moment(o.cfg.Clock())})
		case o.forgotten(at):
			rows = append(rows, row{key: key, gone: true})
		}
		if len(rows) == mostAtOnce {
			failed, rows = o.store.put(false, rows...), nil
		}
		return failed == nil
	})
	return errors.Join(err, failed, o.store.put(false, rows...))
}
