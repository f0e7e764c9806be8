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
// Folding goes on meanwhile and does not show: what was folded after the call is left out. Memory is bounded, whatever the
// number of records. The keys of all types are passed, some millions a second, but only the type's rows are read.
func (x *Index) Each(ctx context.Context, t exchange.EvidenceType, yield func(r exchange.Record, partition int, offset int64) bool) error {
	x.mu.RLock()
	w := walk{x: x, of: appendName(nil, string(t)), next: x.next[evidenceTopic(t)]}
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
	w := walk{x: x, of: appendName(nil, string(t)), unread: true}
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

// walk goes over the records of one type.
type walk struct {
	x       *Index
	of      []byte        // the type, as in keys
	next    map[int]int64 // what had been folded when it began; only those versions count
	unread  bool          // count only
	records int64         // seen so far
	done    bool

	from    []byte // the key to go on from
	current []byte // the record being looked at: its key without the version
	settled bool   // its version that counts was seen
}

// stated is a record and where its message stands.
type stated struct {
	exchange.Record
	at position
}

// slice reads on, a bounded part.
func (w *walk) slice(ctx context.Context) (found []stated, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var failed error
	passed, size := 0, 0
	w.done = true
	err = w.x.engine.Walk(ctx, []byte{familyRecord}, w.from, func(key []byte, value func() ([]byte, error)) bool {
		if passed == sliceKeys || len(found) == sliceRecords || size >= sliceBytes {
			w.from, w.done = append(w.from[:0], key...), false
			return false
		}
		passed++
		id, number, ok := readRecordKey(key)
		if !ok {
			failed = errDamaged
			return false
		}
		if !w.enter(key[:len(key)-8]) {
			return true
		}
		var r stated
		var kept bool
		if r, kept, failed = w.read(key, value); failed != nil {
			return false
		}
		if kept {
			r.ID, r.Version = id, number
			found, size = append(found, r), size+len(r.Payload)
		}
		return true
	})
	if err = errors.Join(err, failed); errors.Is(err, errDamaged) {
		err = damaged(err)
	}
	return found, err
}

// enter says whether a row of that record may be the version that counts.
func (w *walk) enter(record []byte) bool {
	if !bytes.Equal(record[StemSize:], w.of) {
		return false
	}
	if !bytes.Equal(record, w.current) {
		w.current, w.settled = append(w.current[:0], record...), false
		w.records++
	}
	return !w.settled && !w.unread
}

// read opens a row. It is not kept where it was folded after the walk began, or withdraws the record.
func (w *walk) read(key []byte, value func() ([]byte, error)) (r stated, kept bool, err error) {
	sealed, err := value()
	if err != nil {
		return r, false, err
	}
	v, err := w.x.unseal(key, sealed)
	if err != nil {
		return r, false, err
	}
	if !v.position.before(w.next) {
		return r, false, nil
	}
	w.settled = true
	if v.withdrawn {
		return r, false, nil
	}
	r = stated{v.record(exchange.RecordID{}, 0, exchange.Holder{}), v.position}
	r.Holders = nil
	return r, true, nil
}
