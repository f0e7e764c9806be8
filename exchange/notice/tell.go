package notice

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/reliance"
)

// news is an event and to which subscriptions it belongs.
type news struct {
	event Event
	to    []Subscription
}

// look makes the events of a record's turns for those who relied on it, but for those that were made before.
func (o *Office) look(ctx context.Context, w work) error {
	relied, err := o.cfg.Reliances.Relied(ctx, w.Record)
	if err != nil {
		return err
	}
	o.mu.RLock()
	relied = slices.DeleteFunc(relied, func(r reliance.Reliance) bool { return r.Type != w.Type || !o.board.anybody(&r) })
	o.mu.RUnlock()
	if len(relied) == 0 {
		return nil
	}
	erased, err := o.store.erasedAt(w.Record)
	if err != nil {
		return err
	}
	turns, err := o.cfg.Holdings.History(ctx, w.Type, w.Record)
	if err != nil {
		return err
	}
	if len(turns) > 0 && !erased.IsZero() {
		if err := o.notErased(w.Record, erased); err != nil {
			return err
		}
	}
	var all []news
	o.mu.RLock()
	for i := range relied {
		all = append(all, o.newsOf(&relied[i], turns, erased)...)
	}
	o.mu.RUnlock()
	return o.tell(ctx, all)
}

// notErased forgets that a message of a record was erased which is there all the same, unless another was meanwhile.
func (o *Office) notErased(id exchange.RecordID, at time.Time) error {
	o.working.Lock()
	defer o.working.Unlock()
	now, err := o.store.erasedAt(id)
	if err != nil || !now.Equal(at) {
		return err
	}
	return o.store.put(false, row{key: erased(id, at).key, gone: true})
}

// newsOf are the events of the turns since an answer, but for those that were due so long ago that it is not known any more whether they
// were told. mu is held.
func (o *Office) newsOf(r *reliance.Reliance, turns []exchange.Turn, erased time.Time) (all []news) {
	was := State{Version: r.Version}
	add := func(kind Kind, now State, at time.Time) {
		to := slices.DeleteFunc(o.board.told(r, at), func(s Subscription) bool { return o.past(latest(at, r.At, s.At)) })
		if len(to) > 0 {
			all = append(all, news{event(o.cfg.City, r, kind, was, now, at), to})
		}
	}
	if len(turns) == 0 && !erased.IsZero() {
		add(Erased, State{}, erased)
	}
	before := exchange.Status("")
	for i := range turns {
		t := &turns[i]
		if t.Version <= r.Version {
			was.Status = t.Status
		} else {
			add(kindOf(before, t), State{t.Version, t.Status}, t.Logged)
		}
		before = t.Status
	}
	return all
}

// tell tells each department its news; one whose topic is missing keeps nothing from the others.
func (o *Office) tell(ctx context.Context, all []news) error {
	of := map[exchange.Department][]news{}
	for _, n := range all {
		of[n.event.Data.Department] = append(of[n.event.Data.Department], n)
	}
	var failed []error
	for d, all := range of {
		if err := o.tellDepartment(ctx, d, all); err != nil {
			failed = append(failed, fmt.Errorf("tell %s: %w", d, err))
		}
	}
	return errors.Join(failed...)
}

// tellDepartment appends events that are not on the topic yet, and writes down what webhooks must be sent.
func (o *Office) tellDepartment(ctx context.Context, d exchange.Department, all []news) error {
	topic := o.topicOf(d)
	if err := o.makeSure(ctx, topic); err != nil {
		return err
	}
	var msgs []exchange.Message
	var rows []row
	now := o.cfg.Clock()
	for i := range all {
		n := &all[i]
		done := told(n.event.ID, now)
		_, there, err := o.store.get(done.key)
		if err != nil {
			return err
		}
		if !there {
			m, err := n.event.message()
			if err != nil {
				return err
			}
			msgs = append(msgs, m)
			rows = append(rows, done)
			o.metrics.made.WithLabelValues(n.event.kind()).Inc()
		}
		for _, s := range n.to {
			pending, err := o.pending(&n.event, &s, now)
			if err != nil {
				return err
			}
			rows = append(rows, pending...)
		}
	}
	if len(msgs) > 0 {
		topic.sure = false // until it is known, and written down, that they stand there
		if err := o.cfg.Topics.Append(ctx, topic.name, msgs); err != nil {
			return err
		}
	}
	if len(rows) == 0 {
		return nil
	}
	defer call(o.sends)
	if err := o.store.put(true, rows...); err != nil {
		return err
	}
	topic.sure = true
	return nil
}

// pending is the row by which a webhook is sent an event, unless it is there or an outcome is known.
func (o *Office) pending(e *Event, s *Subscription, now time.Time) ([]row, error) {
	if s.URL == "" {
		return nil, nil
	}
	for _, kind := range [...]byte{outcomeRow, waitingRow} {
		if _, found, err := o.store.get(pairKey(kind, s.ID, e.ID)); found || err != nil {
			return nil, err
		}
	}
	d := delivery{Event: *e, Made: now}
	return []row{d.row(s.ID)}, nil
}
