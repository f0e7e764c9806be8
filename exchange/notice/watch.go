package notice

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/reliance"
)

// Next gives, for each partition of an evidence topic that was ever folded here, the offset of the next message to fold.
func (o *Office) Next(ctx context.Context, topic string) (map[int]int64, error) {
	return o.store.places(ctx, topic)
}

// Fold takes messages of one partition of an evidence topic after the index has folded them: records that somebody relied on are looked
// at. It is quick, since the index waits for it, and errs only where its rows cannot be read or written.
func (o *Office) Fold(ctx context.Context, msgs []exchange.Message) error {
	if len(msgs) == 0 {
		return nil
	}
	topic, partition := msgs[0].Topic, msgs[0].Partition
	kind, ok := typeOf(topic)
	if !ok {
		return nil
	}
	next, err := o.place(ctx, topic, partition)
	if err != nil {
		return err
	}
	met := map[exchange.RecordID]work{}
	var tombs []row
	for i := range msgs {
		m := &msgs[i]
		if m.Offset < next || len(m.Key) < len(exchange.RecordID{}) {
			continue
		}
		id := exchange.RecordID(m.Key[:len(exchange.RecordID{})])
		met[id] = work{Type: kind, Record: id}
		if m.Value == nil {
			tombs = append(tombs, erased(id, m.Time))
		}
	}
	last := msgs[len(msgs)-1].Offset + 1
	if last <= next {
		return nil
	}
	if len(tombs) > 0 { // before it is asked who relied on them: whoever is learnt of later finds them
		o.working.Lock()
		err := o.store.put(false, tombs...)
		o.working.Unlock()
		if err != nil {
			return err
		}
	}
	if err := o.lookAt(ctx, met, placed(topic, partition, last)); err != nil {
		return err
	}
	o.placing.Lock()
	o.next[topic][partition] = last
	o.placing.Unlock()
	return nil
}

// typeOf is the type whose records are on a topic of evidence.
func typeOf(topic string) (exchange.EvidenceType, bool) {
	name, ok := strings.CutPrefix(topic, evidencePrefix)
	return exchange.EvidenceType(name), ok
}

const evidencePrefix = "evidence."

// place is how far a partition was folded.
func (o *Office) place(ctx context.Context, topic string, partition int) (int64, error) {
	o.placing.Lock()
	defer o.placing.Unlock()
	if o.next[topic] == nil {
		next, err := o.store.places(ctx, topic)
		if err != nil {
			return 0, err
		}
		o.next[topic] = next
	}
	return o.next[topic][partition], nil
}

// Learnt takes what answers relied on that were given just now. The record may have had a turn meanwhile, so it is looked at.
func (o *Office) Learnt(ctx context.Context, all []reliance.Reliance) error {
	met := map[exchange.RecordID]work{}
	settled := o.settled.Load() // before that nobody knows whose case is subscribed, and looking finds out
	o.mu.RLock()
	for i := range all {
		if r := &all[i]; !settled || o.board.anybody(r) { // who subscribes later has the case's records looked at then
			met[r.Record] = work{Type: r.Type, Record: r.Record}
		}
	}
	o.mu.RUnlock()
	return o.enter(met, true)
}

// lookAt enters those records that somebody relied on, along with a place.
func (o *Office) lookAt(ctx context.Context, met map[exchange.RecordID]work, place row) error {
	ids := slices.Collect(maps.Keys(met))
	slices.SortFunc(ids, func(a, b exchange.RecordID) int { return bytes.Compare(a[:], b[:]) }) // near ones share a block
	known, err := o.cfg.Reliances.Known(ctx, ids)
	if err != nil {
		return err
	}
	relied := map[exchange.RecordID]work{}
	for _, id := range known {
		relied[id] = met[id]
	}
	return o.enter(relied, len(relied) > 0, place)
}

// enter writes down which records must be looked at, along with other rows.
func (o *Office) enter(met map[exchange.RecordID]work, durable bool, rows ...row) error {
	if len(met)+len(rows) == 0 {
		return nil
	}
	o.working.Lock()
	defer o.working.Unlock()
	due := o.cfg.Clock().Add(o.cfg.Standby)
	for _, w := range met {
		o.marks++
		w.Mark, w.Due = o.marks, due
		rows = append(rows, w.row())
	}
	if err := o.store.put(durable, rows...); err != nil {
		return err
	}
	if len(met) > 0 {
		call(o.looks)
	}
	return nil
}

// lookAll looks at the records that are due. What could not be looked at stays and is put off, so that it keeps nothing else back.
func (o *Office) lookAll(ctx context.Context) error {
	var all []work
	now := o.cfg.Clock()
	err := o.store.scan(ctx, []byte{workRow}, func(key, value []byte) bool {
		if w, ok := readWork(key, value); ok && !w.Due.After(now) {
			all = append(all, w)
		}
		return len(all) < mostAtOnce
	})
	if err != nil || len(all) == 0 {
		return err
	}
	if err := o.Settled(ctx); err != nil { // who subscribed before the turn is told of it
		return err
	}
	for _, t := range o.topics {
		t.late = false
	}
	var failed []error
	for _, w := range all {
		err := o.look(ctx, w)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			err = errors.Join(err, o.putOff(w))
		} else {
			err = o.looked(w)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("look at record %s: %w", w.Record, err))
		}
		if len(failed) == mostFailures {
			break // it is hardly the records' fault
		}
	}
	if len(all) == mostAtOnce && len(failed) < mostFailures {
		call(o.looks)
	}
	return errors.Join(failed...)
}

const (
	mostAtOnce   = 1000 // bounds what is held in memory
	mostFailures = 20   // and how often it is tried in a row what may be down
)

// putOff has a record looked at later, unless its row was written anew meanwhile.
func (o *Office) putOff(w work) error {
	o.working.Lock()
	defer o.working.Unlock()
	old := w.row()
	now, found, err := o.store.get(old.key)
	if err != nil || !found || !slices.Equal(now, old.value) {
		return err
	}
	w.Tries++
	w.Due = o.cfg.Clock().Add(o.pauses(w.Tries))
	return o.store.put(false, w.row())
}

// looked deletes a work row, unless it was written anew meanwhile.
func (o *Office) looked(w work) error {
	o.working.Lock()
	defer o.working.Unlock()
	r := w.row()
	now, found, err := o.store.get(r.key)
	if err != nil || !found || !slices.Equal(now, r.value) {
		return err
	}
	return o.store.put(false, row{key: r.key, gone: true})
}

// lookAtCase adds a case's records to those that must be looked at.
func (o *Office) lookAtCase(ctx context.Context, d exchange.Department, matter string, met map[exchange.RecordID]work) error {
	records, err := o.cfg.Reliances.OfCase(ctx, d, matter)
	if err != nil {
		return err
	}
	for _, id := range records {
		relied, err := o.cfg.Reliances.Relied(ctx, id)
		if err != nil {
			return err
		}
		for _, r := range relied {
			met[id] = work{Type: r.Type, Record: id} // ids of different types differ
		}
	}
	return nil
}
