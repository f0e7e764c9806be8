package holdings

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// foldErasures takes orders to forget. What they name leaves the engine in the same commit that notes the order. Nobody else
// folds meanwhile.
func (x *Index) foldErasures(ctx context.Context, b *batch, msgs []exchange.Message) error {
	for i := range msgs {
		m := &msgs[i]
		e, err := parseErasure(m)
		if err != nil || !x.isOrder(m) {
			x.refuse(b, m, malformedErasure, err)
			continue
		}
		value, err := json.Marshal(e)
		if err != nil {
			return err
		}
		b.put(append([]byte{familyErasure}, e.ID...), value)
		b.erasures = append(b.erasures, e)
		x.mu.Lock()
		x.forgotten.add(e) // already: the next order of this batch must know
		x.mu.Unlock()
		if err := x.takeOut(ctx, b, &e); err != nil {
			return err
		}
	}
	return nil
}

// takeOut deletes the rows of what is to be forgotten.
func (x *Index) takeOut(ctx context.Context, b *batch, e *Erasure) error {
	switch e.Kind {
	case EraseRecord:
		id, _ := e.record()
		return x.each(ctx, recordPrefix(id, []byte(e.Type)), func(key []byte, v *version) {
			b.remove(key)
			for _, t := range v.holders {
				b.remove(pointerKey(t, e.Type, id))
			}
		})
	case EraseHolder:
		t, _ := e.token()
		return x.takeOutHolder(ctx, b, t)
	}
	return nil
}

func (x *Index) takeOutHolder(ctx context.Context, b *batch, t token) error {
	records, marks, err := x.of(ctx, t)
	if err != nil {
		return err
	}
	for _, mark := range marks {
		b.remove(mark)
	}
	for _, r := range records {
		b.remove(pointerKey(t, r.evidence, r.id))
		err := x.each(ctx, recordPrefix(r.id, []byte(r.evidence)), func(key []byte, v *version) {
			if len(v.holders) > 0 && !slices.ContainsFunc(v.holders, func(h token) bool { return h != t && !x.isForgotten(h) }) {
				v.empty()
				b.put(slices.Clone(key), x.secrets.seal(nil, key, v.append(nil)))
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// empty leaves of a version only that it was there, so that an older one, of other holders perhaps, does not stand again.
func (v *version) empty() {
	v.withdrawn, v.status, v.from, v.until, v.holders, v.payload, v.digest = true, exchange.Withdrawn, "", "", nil, nil, exchange.Digest{}
}

// ofAlone yields the versions of a record that are nobody's but the holder's. A withdrawal, which names nobody, is of all who ever
// held the record: without it the record would stand again for the others.
func (x *Index) ofAlone(ctx context.Context, r reference, t token, do func(key []byte)) error {
	type row struct {
		key       []byte
		withdrawn bool
	}
	var own []row
	shared := false
	err := x.each(ctx, recordPrefix(r.id, []byte(r.evidence)), func(key []byte, v *version) {
		if slices.ContainsFunc(v.holders, func(h token) bool { return h != t && !x.isForgotten(h) }) {
			shared = true
			return
		}
		own = append(own, row{slices.Clone(key), len(v.holders) == 0})
	})
	for _, o := range own {
		if !o.withdrawn || !shared {
			do(o.key)
		}
	}
	return err
}

func (b *batch) remove(key []byte) { b.rows = append(b.rows, Row{Key: slices.Clone(key), Gone: true}) }

// reference is a record that ever named a holder.
type reference struct {
	evidence exchange.EvidenceType
	id       exchange.RecordID
}

// of lists the records and the marks of quarantined rows that stand under a holder's token.
func (x *Index) of(ctx context.Context, t token) (records []reference, marks [][]byte, err error) {
	err = x.engine.Scan(ctx, [][]byte{holderPrefix(t)}, func(key, _ []byte) bool {
		if evidence, id, ok := readPointer(key[StemSize:]); ok {
			records = append(records, reference{exchange.EvidenceType(evidence), id})
		} else {
			marks = append(marks, slices.Clone(key))
		}
		return true
	})
	return records, marks, err
}

// each yields the versions of a record.
func (x *Index) each(ctx context.Context, prefix []byte, do func(key []byte, v *version)) error {
	var failed error
	err := x.engine.Scan(ctx, [][]byte{prefix}, func(key, value []byte) bool {
		var v version
		if v, failed = x.unseal(key, value); failed == nil {
			do(key, &v)
		}
		return failed == nil
	})
	return errors.Join(err, failed)
}

// Forget prepares an order to forget a holder or a record: it names the holder by the token and lists what stands on topics now.
// Exactly one of holder and record is given. The caller fills in the rest and appends it.
func (x *Index) Forget(ctx context.Context, holder *exchange.Holder, of exchange.EvidenceType, record exchange.RecordID) (Erasure, error) {
	if holder == nil {
		e := Erasure{Kind: EraseRecord, Type: of, Record: record.String()}
		r := reference{of, record}
		return e, x.each(ctx, recordPrefix(record, []byte(of)), func(key []byte, _ *version) { e.trace(r, key) })
	}
	t := x.secrets.token(*holder)
	e := Erasure{Kind: EraseHolder, Holder: hex.EncodeToString(t[:])}
	records, marks, err := x.of(ctx, t)
	if err != nil {
		return e, err
	}
	for _, r := range records {
		if err := x.ofAlone(ctx, r, t, func(key []byte) { e.trace(r, key) }); err != nil {
			return e, err
		}
	}
	for _, mark := range marks {
		if _, adapter, _, ok := readMark(mark[StemSize:]); ok {
			row := mark[len(mark)-positionSize-16 : len(mark)-positionSize]
			e.Traces = append(e.Traces, Trace{Topic: envelope.QuarantineTopic(exchange.Adapter(adapter).Department()), Key: slices.Clone(row)})
		}
	}
	return e, nil
}

// trace notes the message of a version.
func (e *Erasure) trace(r reference, key []byte) {
	_, number, _ := readRecordKey(key)
	e.Traces = append(e.Traces, Trace{Topic: evidenceTopic(r.evidence), Key: envelope.RecordMessageKey(r.id, number), Route: slices.Clone(r.id[:])})
}
