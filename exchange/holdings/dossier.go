package holdings

import (
	"bytes"
	"context"
	"slices"

	"github.com/onedoor/yimen/exchange"
)

// A record's versions come in any order, twice, and name whomever they like; what a holder sees of the record must follow from
// the set of them. So this is what the rows of a record are, whatever came first:
//
// Each version has a trace, found by the record's id. Each holder whom any of the versions names has a view of each of them, found
// by the holder: the version itself where it names the holder or withdraws the record, else that it names others. So one look
// at a holder's rows says which of the holder's records still are.

// dossier is what the index has of one record while a batch is folded.
type dossier struct {
	record  record
	known   bool // there is a version
	newest  exchange.Version
	latest  trace                      // the newest version's
	older   map[exchange.Version]trace // of other versions, as far as somebody asked
	whole   bool                       // older has them all
	outlook outlook                    // of all its versions that arrive
	// assumed says that nothing was read: latest tells whom the versions name, and of no version.
	assumed bool
}

// at gives the trace of a version that was asked for.
func (d *dossier) at(number exchange.Version) (trace, bool) {
	if d.known && !d.assumed && number == d.newest {
		return d.latest, true
	}
	t, ok := d.older[number]
	return t, ok
}

func (d *dossier) set(number exchange.Version, t trace) {
	switch {
	case !d.known, d.assumed, d.newest == number:
	case d.newest < number:
		d.remember(d.newest, d.latest)
	default:
		d.remember(number, t)
		return
	}
	d.known, d.assumed, d.newest, d.latest = true, false, number, t
}

func (d *dossier) remember(number exchange.Version, t trace) {
	if d.older == nil {
		d.older = map[exchange.Version]trace{}
	}
	d.older[number] = t
}

// dossiers are those of a batch.
type dossiers struct {
	of  map[record]*dossier
	all []dossier
}

// dossiers gives those of the arrivals' records, each with its newest trace and those of the versions that arrive, unless
// that need not be read.
func (x *Index) dossiers(ctx context.Context, arrivals []arrival) (dossiers, error) {
	ds := dossiers{of: make(map[record]*dossier, len(arrivals)), all: make([]dossier, 0, len(arrivals))}
	for i, outlook := range x.fresh.meet(arrivals) {
		a := &arrivals[i]
		d := ds.of[a.record]
		if d == nil {
			ds.all = append(ds.all, dossier{record: a.record, outlook: outlook})
			d = &ds.all[len(ds.all)-1]
			ds.of[a.record] = d
		}
		if d.outlook != outlook {
			d.outlook = unsure
		}
		d.latest.holders = a.holders // of use where it is familiar
	}
	var prefixes [][]byte
	for i := range ds.all {
		switch d := &ds.all[i]; d.outlook {
		case first:
			d.whole, d.latest = true, trace{}
		case familiar:
			d.known, d.assumed = true, true
		default:
			d.latest = trace{}
			prefixes = append(prefixes, recordPrefix(d.record))
		}
	}
	if err := x.readLatest(ctx, ds.of, prefixes); err != nil {
		return ds, err
	}
	return ds, x.readArriving(ctx, ds.of, arrivals)
}

func (x *Index) readLatest(ctx context.Context, all map[record]*dossier, prefixes [][]byte) error {
	if prefixes == nil {
		return nil
	}
	slices.SortFunc(prefixes, bytes.Compare) // near ones share a block
	var failed error
	err := x.engine.Scan(ctx, prefixes, func(key, value []byte) bool {
		evidence, id, number, ok := readRecordKey(key)
		d := all[record{Type: exchange.EvidenceType(evidence), ID: id}]
		if !ok || d == nil || failed != nil {
			failed = errDamaged
			return false
		}
		d.known, d.newest = true, number
		d.latest, failed = x.readTrace(ctx, key, value)
		return false // the newest version comes first
	})
	if err == nil {
		err = failed
	}
	return err
}

// readArriving reads the traces of versions that arrive although there is a newer one.
func (x *Index) readArriving(ctx context.Context, all map[record]*dossier, arrivals []arrival) error {
	var keys [][]byte
	var of []*arrival
	for i := range arrivals {
		a := &arrivals[i]
		if d := all[a.record]; d.known && !d.assumed && a.number < d.newest {
			keys, of = append(keys, recordKey(a.record, a.number)), append(of, a)
		}
	}
	if keys == nil {
		return nil
	}
	return x.engine.Get(ctx, keys, func(i int, value []byte) error {
		t, err := x.readTrace(ctx, keys[i], value)
		all[of[i].record].remember(of[i].number, t)
		return err
	})
}

// complete reads the traces that were not asked for yet.
func (x *Index) complete(ctx context.Context, d *dossier) error {
	if d.whole || !d.known {
		return nil
	}
	stored, err := x.traces(ctx, d.record)
	for number, t := range stored {
		if _, newer := d.at(number); !newer {
			d.remember(number, t)
		}
	}
	d.whole = err == nil
	return err
}

// keep adds the rows of a version to the batch: its trace, its views, and what it changes for those whom other versions name.
func (x *Index) keep(ctx context.Context, b *batch, d *dossier, a *arrival) error {
	var everyone []token
	if d.known {
		everyone = d.latest.everyone()
	}
	joining := without(a.holders, everyone)
	if len(joining) > 0 && d.known {
		if err := x.complete(ctx, d); err != nil {
			return err
		}
		x.show(b, d, a.number, joining)
	}
	x.putViews(b, a, everyone, joining)
	t := a.trace()
	switch {
	case !d.known || a.number >= d.newest:
		t.more = without(everyone, t.holders)
	case len(joining) > 0:
		latest := d.latest
		latest.more = append(slices.Clone(latest.more), without(joining, latest.holders)...)
		x.putTrace(b, d.record, d.newest, &latest)
		d.latest = latest
	}
	x.putTrace(b, d.record, a.number, &t)
	d.set(a.number, t)
	return nil
}

// show gives holders their views of the versions that are there, but for one.
func (x *Index) show(b *batch, d *dossier, but exchange.Version, to []token) {
	one := func(number exchange.Version, t trace) {
		if number == but {
			return
		}
		seen := version{state: others, position: t.position}
		if t.state == withdrawn {
			seen = *t.withdrawal
		}
		b.plain = seen.append(b.plain[:0])
		for _, who := range to {
			x.putView(b, who, d.record, number, b.plain)
		}
	}
	one(d.newest, d.latest)
	for number, t := range d.older {
		one(number, t)
	}
}

// maxWith is how many bytes of documents may lie with the holders of one version. A larger document lies once, apart.
const maxWith = 64 << 10

// putViews adds what the record's holders see of a version: those it names, and those whom only others name.
func (x *Index) putViews(b *batch, a *arrival, everyone, joining []token) {
	v := a.version
	b.plain = v.append(b.plain[:0])
	if v.state == withdrawn {
		for _, who := range everyone {
			x.putView(b, who, a.record, a.number, b.plain)
		}
		return
	}
	if len(a.holders) > 1 && len(a.holders)*len(v.payload) > maxWith {
		key := documentKey(a.record, a.number)
		b.put(key, b.secrets.seal(b.room(len(v.payload)+sealSize), key, v.payload))
		v.state, v.payload = apart, nil
		b.plain = v.append(b.plain[:0])
	}
	for _, who := range a.holders {
		x.putView(b, who, a.record, a.number, b.plain)
	}
	if rest := without(everyone, a.holders); len(rest) > 0 {
		seen := version{state: others, position: v.position}
		b.plain = seen.append(b.plain[:0])
		for _, who := range rest {
			x.putView(b, who, a.record, a.number, b.plain)
		}
	}
}

func (x *Index) putView(b *batch, who token, r record, number exchange.Version, plain []byte) {
	key := appendView(b.room(viewSize(r)), who, r, number)
	b.put(key, b.secrets.seal(b.room(len(plain)+sealSize), key, plain))
}

func (x *Index) putTrace(b *batch, r record, number exchange.Version, t *trace) {
	key := recordKey(r, number)
	b.plain = t.append(b.plain[:0])
	b.put(key, b.secrets.seal(b.room(len(b.plain)+sealSize), key, b.plain))
}

// without is what of a is not in b.
func without(a, b []token) []token {
	if len(b) == 0 {
		return a
	}
	var left []token
	for _, t := range a {
		if !slices.Contains(b, t) {
			left = append(left, t)
		}
	}
	return left
}
