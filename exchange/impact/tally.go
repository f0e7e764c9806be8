package impact

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/onedoor/yimen/exchange"
)

// maxReasons bounds the reasons that are told apart. A document's own field names are in them, so a hostile adapter could
// otherwise fill the memory.
const maxReasons = 500

// reasonKey tells reasons apart.
type reasonKey struct{ pointer, rule, what string }

func (k reasonKey) compare(o reasonKey) int {
	return cmp.Or(cmp.Compare(k.pointer, o.pointer), cmp.Compare(k.rule, o.rule), cmp.Compare(k.what, o.what))
}

// tally is what was counted of records. It does not depend on their order: examples are those of the smallest id, and
// where there are too many reasons, the smallest keys stay, each with its full count.
type tally struct {
	checked       int64
	refused       int64
	refusedBefore int64 // of those refused: by today's schema too
	adapters      map[exchange.Adapter]*adapterCount
	reasons       map[reasonKey]*Reason
	greatest      *reasonKey // nil: none was left out; otherwise greater keys are
	changes       [kindsOfChange]Change
}

type adapterCount struct{ records, refused int64 }

func newTally() *tally {
	return &tally{adapters: map[exchange.Adapter]*adapterCount{}, reasons: map[reasonKey]*Reason{}}
}

func (t *tally) adapter(a exchange.Adapter) *adapterCount {
	c := t.adapters[a]
	if c == nil {
		c = &adapterCount{}
		t.adapters[a] = c
	}
	return c
}

// refuse counts a record under each reason once.
func (t *tally) refuse(r *held, err error) {
	var counted []reasonKey
	for _, reason := range reasonsOf(err) {
		key := reasonKey{reason.Pointer, reason.Rule, reason.What.EN}
		if !slices.Contains(counted, key) {
			counted = append(counted, key)
			reason.Records, reason.Example = 1, example(r)
			t.add(key, reason)
		}
	}
}

// add takes in a reason with its count.
func (t *tally) add(key reasonKey, reason Reason) {
	if t.greatest != nil && key.compare(*t.greatest) > 0 {
		return
	}
	if known := t.reasons[key]; known != nil {
		known.Records += reason.Records
		known.Example = smaller(known.Example, reason.Example)
		return
	}
	t.reasons[key] = &reason
	if len(t.reasons) > 2*maxReasons {
		t.cut()
	}
}

// cut keeps the smallest reasons. One that is left out never comes back, so every count that stays is whole.
func (t *tally) cut() {
	if len(t.reasons) <= maxReasons {
		return
	}
	keys := make([]reasonKey, 0, len(t.reasons))
	for key := range t.reasons {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, reasonKey.compare)
	for _, key := range keys[maxReasons:] {
		delete(t.reasons, key)
	}
	t.greatest = &keys[maxReasons-1]
}

// change counts a record of which something would be read differently.
func (t *tally) change(kind changeKind, r *held) {
	t.changes[kind].add(Change{Records: 1, Example: example(r)})
}

func (c *Change) add(o Change) {
	if o.Records == 0 {
		return
	}
	if c.Records == 0 {
		c.Example = o.Example
	}
	c.Records += o.Records
	c.Example = smaller(c.Example, o.Example)
}

// merge adds another worker's tally.
func (t *tally) merge(o *tally) {
	t.checked += o.checked
	t.refused += o.refused
	t.refusedBefore += o.refusedBefore
	for name, c := range o.adapters {
		mine := t.adapter(name)
		mine.records += c.records
		mine.refused += c.refused
	}
	if o.greatest != nil && (t.greatest == nil || o.greatest.compare(*t.greatest) < 0) {
		t.limit(*o.greatest)
	}
	for key, reason := range o.reasons {
		t.add(key, *reason)
	}
	for kind := range o.changes {
		t.changes[kind].add(o.changes[kind])
	}
}

// limit leaves out what is greater than the other side has kept count of.
func (t *tally) limit(greatest reasonKey) {
	t.greatest = &greatest
	for key := range t.reasons {
		if key.compare(greatest) > 0 {
			delete(t.reasons, key)
		}
	}
}

func example(r *held) Example {
	return Example{Record: r.ID, Version: r.Version, Adapter: r.Adapter, Partition: r.partition, Offset: r.offset}
}

func smaller(a, b Example) Example {
	if bytes.Compare(b.Record[:], a.Record[:]) < 0 {
		return b
	}
	return a
}
