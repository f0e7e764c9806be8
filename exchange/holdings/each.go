package holdings

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/onedoor/yimen/exchange"
)

// A walk reads in slices, between which the engine is let go: what an engine holds for a reader, such as files that were
// merged away, is held for milliseconds, whatever the receiver of the records does with them.
const (
	sliceRecords = 512     // or
	sliceBytes   = 4 << 20 // of payload, whichever is reached first, or
	sliceKeys    = 1 << 16 // rows looked at, most of them of other types
)

// Each yields the records of a type that the index holds when it is called, each once, in the order of their ids: the newest
// version of each, unless that is a withdrawal. Its holders are not known to the index and left out; the partition and
// offset are those of the message that brought it. The payload is the receiver's to keep, and as personal as any.
//
// Folding goes on meanwhile and does not show: what was folded after the call is left out. What is to be forgotten goes at once.
// Memory is bounded, whatever the number of records. The keys of all types are passed, some millions a second, but only the
// type's rows are read. It errs with a Problem of kind Unavailable until the orders to forget are folded.
func (x *Index) Each(ctx context.Context, t exchange.EvidenceType, yield func(r exchange.Record, partition int, offset int64) bool) error {
	if err := x.mayAnswer(); err != nil {
		return err
	}
	x.mu.RLock()
	w := walk{x: x, of: t, next: x.next[evidenceTopic(t)]}
	x.mu.RUnlock()
	for !w.done {
		found, err := w.slice(ctx)
		if err != nil {
			return fmt.Errorf("read records of %s: %w", t, err)
		}
		for i := range found {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("read records of %s: %w", t, err)
			}
			if at := found[i].at; !yield(found[i].Record, at.Partition, at.Offset) {
				return nil
			}
		}
	}
	return nil
}

// Count is how many records of a type there are, withdrawn ones included. It passes the keys of all types.
func (x *Index) Count(ctx context.Context, t exchange.EvidenceType) (int64, error) {
	w := walk{x: x, of: t, unread: true}
	for !w.done {
		if _, err := w.slice(ctx); err != nil {
			return 0, fmt.Errorf("count records of %s: %w", t, err)
		}
	}
	return w.records, nil
}

// Speakers lists the adapters that ever stated coverage of a type, sorted.
func (x *Index) Speakers(t exchange.EvidenceType) []exchange.Adapter {
	var all []exchange.Adapter
	x.mu.RLock()
	defer x.mu.RUnlock()
	for who := range x.speakers {
		if who.evidence == t {
			all = append(all, who.adapter)
		}
	}
	slices.Sort(all)
	return all
}

// Sources are the adapters that speak of the types and what their statements are worth now, whoever the holder is: that a
// row of a holder is in quarantine is not said.
func (x *Index) Sources(types []exchange.EvidenceType) []exchange.Source {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return slices.Clone(x.backdrop(types).sources)
}

// walk goes over the records of one type.
type walk struct {
	x       *Index
	of      exchange.EvidenceType
	next    map[int]int64 // what had been folded when it began; only those versions count
	unread  bool          // count only
	records int64         // seen so far
	done    bool

	from    []byte // the key to go on from
	current []byte // the record being looked at: its key without the version
	settled bool   // its version that counts was seen
}

// listed is a record and where its message stands.
type listed struct {
	exchange.Record
	at position
}

// slice reads on, a bounded part: first the traces, then what the records' first holders see.
func (w *walk) slice(ctx context.Context) (found []listed, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ordered := w.x.Ordered()
	var failed error
	var views [][]byte
	passed, size := 0, 0
	w.done = true
	err = w.x.engine.Walk(ctx, []byte{familyRecord}, w.from, func(key []byte, value func() ([]byte, error)) bool {
		if passed == sliceKeys || len(found) == sliceRecords || size >= sliceBytes {
			w.from, w.done = append(w.from[:0], key...), false
			return false
		}
		passed++
		evidence, id, number, ok := readRecordKey(key)
		if !ok {
			failed = errDamaged
			return false
		}
		if string(evidence) != string(w.of) || !w.enter(key[:len(key)-versionSize]) {
			return true
		}
		var t trace
		if t, failed = w.read(ctx, key, value); failed != nil {
			return false
		}
		if w.takes(&t) {
			found = append(found, listed{exchange.Record{Type: w.of, ID: id, Version: number}, t.position})
			views, size = append(views, viewKey(t.holders[0], record{Type: w.of, ID: id}, number)), size+t.size
		}
		return true
	})
	if err = errors.Join(err, failed); err == nil {
		found, err = w.x.seen(ctx, found, views, ordered)
	}
	if errors.Is(err, errDamaged) {
		err = damaged(err)
	}
	return found, err
}

// enter says whether a row of that record may be the version that counts.
func (w *walk) enter(of []byte) bool {
	if !bytes.Equal(of, w.current) {
		w.current, w.settled = append(w.current[:0], of...), false
	}
	return !w.settled
}

// read opens a trace.
func (w *walk) read(ctx context.Context, key []byte, value func() ([]byte, error)) (trace, error) {
	sealed, err := value()
	if err != nil {
		return trace{}, err
	}
	return w.x.readTrace(ctx, key, sealed)
}

// takes counts the record of a trace, and says whether its document is wanted: not where the version was folded after the walk
// began, withdraws the record, or names nobody who is not forgotten.
func (w *walk) takes(t *trace) bool {
	if w.unread {
		w.settled = true
		if t.state == withdrawn || len(t.everyone()) > 0 {
			w.records++
		}
		return false
	}
	if !t.position.before(w.next) {
		return false
	}
	w.settled = true
	return t.state == stated && len(t.holders) > 0
}

// seen fills in records as one of their holders sees them. What went since by an order to forget is left out.
func (x *Index) seen(ctx context.Context, all []listed, views [][]byte, ordered uint64) ([]listed, error) {
	there := make([]bool, len(all))
	var documents [][]byte
	var of []int
	fill := func(i int, key, value []byte) error {
		plain, err := x.unseal(ctx, nil, key, value)
		if err != nil {
			return err
		}
		v, err := readVersion(plain, &x.names)
		if err != nil || v.state != stated && v.state != apart {
			return errDamaged
		}
		r := &all[i].Record
		if *r = v.record(r.Type, r.ID, r.Version); v.state == apart {
			documents, of = append(documents, documentKey(record{Type: r.Type, ID: r.ID}, r.Version)), append(of, i)
		}
		there[i] = v.state == stated
		return nil
	}
	err := x.engine.Get(ctx, views, func(i int, value []byte) error { return fill(i, views[i], value) })
	if err == nil && documents != nil {
		err = x.engine.Get(ctx, documents, func(i int, value []byte) (err error) {
			there[of[i]] = true
			all[of[i]].Payload, err = x.unseal(ctx, nil, documents[i], value)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	if !slices.Contains(there, false) {
		return all, nil
	}
	if x.Ordered() == ordered {
		return nil, errDamaged
	}
	left := all[:0]
	for i := range all {
		if there[i] {
			left = append(left, all[i])
		}
	}
	return left, nil
}

// Ordered tells one moment's orders to forget from another's.
func (x *Index) Ordered() uint64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.orders.count
}
