package holdings

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// quarantined is where the marks of a row are that is in quarantine: one for each holder it may be about.
type quarantined struct {
	Marks [][]byte `json:"marks"`
	// Said is how far each adapter has spoken of the row, so that no resolution of an earlier time frees it again.
	Said map[exchange.Adapter]envelope.Moment `json:"said,omitempty"`
}

// said is the row after its adapter has spoken. Readers hold the former map.
func (q quarantined) said(adapter exchange.Adapter, signed envelope.Moment) quarantined {
	if before, spoken := q.Said[adapter]; spoken && !signed.After(before) {
		return q
	}
	if q.Said = maps.Clone(q.Said); q.Said == nil {
		q.Said = map[exchange.Adapter]envelope.Moment{}
	}
	q.Said[adapter] = signed
	return q
}

func readQuarantined(b []byte) (quarantined, error) {
	var q quarantined
	if err := decode(b, &q); err != nil {
		return quarantined{}, err
	}
	for _, mark := range q.Marks {
		if len(mark) < StemSize || mark[0] != familyHolder {
			return quarantined{}, errDamaged
		}
		if _, ok := readMark(mark[StemSize:]); !ok {
			return quarantined{}, errDamaged
		}
	}
	return q, nil
}

// resolution is the value of a mark whose row left quarantine; an open mark's value is empty.
type resolution struct {
	position position
	time     time.Time // of the message
}

func (r resolution) encode() []byte { return appendMoment(r.position.append(nil), r.time) }

func readResolution(b []byte) (r resolution, open bool, err error) {
	if len(b) == 0 {
		return r, true, nil
	}
	if len(b) != positionSize+12 {
		return r, false, errDamaged
	}
	r.position, _ = readPosition(b)
	rest := reader{rest: b[positionSize:]}
	r.time = rest.moment()
	if rest.short {
		return resolution{}, false, errDamaged
	}
	return r, false, nil
}

// foldQuarantine marks the holders of rejected rows and unmarks those of resolved ones.
func (x *Index) foldQuarantine(ctx context.Context, b *batch, msgs []exchange.Message) error {
	x.obeying.RLock()
	defer x.obeying.RUnlock()
	department := exchange.Department(b.of)
	keys := make([][]byte, 0, len(msgs))
	for i := range msgs {
		if len(msgs[i].Key) == 16 {
			keys = append(keys, quarantineKey(department, [16]byte(msgs[i].Key)))
		}
	}
	rows := make(map[string]quarantined, len(keys))
	err := x.engine.Get(ctx, keys, func(i int, value []byte) error {
		q, err := readQuarantined(value)
		rows[string(keys[i])] = q
		return err
	})
	if err != nil {
		return err
	}
	for i := range msgs {
		m := &msgs[i]
		if len(m.Key) != 16 {
			x.refuse(b, m, notOpened, nil)
			continue
		}
		key := quarantineKey(department, [16]byte(m.Key))
		before := rows[string(key)]
		after, ok, err := x.mark(ctx, b, m, before)
		if err != nil {
			return err
		}
		if !ok || slices.EqualFunc(before.Marks, after.Marks, bytes.Equal) && maps.Equal(before.Said, after.Said) {
			continue
		}
		rows[string(key)] = after
		b.put(key, encode(after))
	}
	return x.store(ctx, b, msgs[len(msgs)-1].Offset+1)
}

// mark opens and resolves the marks of one row as the message says, and gives those then open.
func (x *Index) mark(ctx context.Context, b *batch, m *exchange.Message, before quarantined) (after quarantined, ok bool, err error) {
	if m.Value == nil {
		return x.unmark(ctx, b, m, before)
	}
	r, err := reading(x, m, func() (envelope.Rejection, error) { return x.opener.Rejection(ctx, m) })
	if err != nil {
		reason, undecided := unopened(err)
		if undecided {
			return before, false, err
		}
		x.refuse(b, m, reason, err)
		return before, false, nil
	}
	switch {
	case r.Adapter.Department() != exchange.Department(b.of), !exchange.ValidName(string(r.Type)):
		x.refuse(b, m, wrongTopic, nil)
		return before, false, nil
	case !x.keeps(r.Adapter.Department(), r.Type):
		x.refuse(b, m, notKeeper, nil)
		return before, false, nil
	}
	before = before.said(r.Adapter, r.Signed)
	if len(r.Holders) == 0 {
		return before, true, nil // it tells of nobody; whoever the row named before may still be meant
	}
	after = x.remark(b, m, before, &r)
	return after, true, nil
}

// remark marks the holders of a rejected row, but for those who must be forgotten, and resolves the marks of whom its adapter
// named in it before.
func (x *Index) remark(b *batch, m *exchange.Message, before quarantined, r *envelope.Rejection) (after quarantined) {
	left, others := byAdapter(before.Marks, r.Adapter)
	after.Marks, after.Said = others, before.Said
	holders := make([]token, len(r.Holders))
	for i, h := range r.Holders {
		holders[i] = b.secrets.token(h)
	}
	holders, all := x.orders.visible(holders, m.Time)
	for _, t := range holders {
		key := markKey(t, r.Type, r.Adapter, r.Row, b.at(m))
		if i := slices.IndexFunc(left, func(mark []byte) bool { return sameMark(mark, key) }); i >= 0 {
			key = left[i]
			left = slices.Delete(left, i, i+1)
		} else if slices.ContainsFunc(after.Marks, func(mark []byte) bool { return sameMark(mark, key) }) {
			continue
		} else {
			b.put(key, []byte{})
		}
		after.Marks = append(after.Marks, key)
	}
	resolve(b, m, left)
	if !all && len(holders) == 0 {
		x.refuse(b, m, erased, nil)
	}
	if !all && len(after.Marks) == 0 {
		b.owe(m.Topic, m.Key, m.Partition)
	}
	return after
}

// unmark resolves the marks that an adapter has on one row, if it says so and has said nothing newer of it.
func (x *Index) unmark(ctx context.Context, b *batch, m *exchange.Message, before quarantined) (after quarantined, ok bool, err error) {
	r, err := reading(x, m, func() (envelope.Resolved, error) { return x.opener.Resolution(ctx, m) })
	if err != nil {
		reason, undecided := unopened(err)
		if undecided {
			return before, false, err
		}
		if _, owed, err := x.debt(ctx, m); err != nil || owed || len(before.Marks) == 0 { // the exchange's own, and no keeper's word on the row
			return before, false, cmp.Or(err, x.settle(ctx, b, m))
		}
		x.refuse(b, m, reason, err)
		return before, false, nil
	}
	own, others := byAdapter(before.Marks, r.Adapter) // that another's row is mended says nothing of its own
	switch last, spoken := before.Said[r.Adapter]; {
	case spoken && last.After(r.Signed):
		x.refuse(b, m, sentAgain, nil)
		return before, false, nil
	case spoken && !r.Signed.After(last) && len(own) == 0: // where there are some, what it resolves was sent again before it
		b.duplicates++
		b.place.Duplicates++
		return before, false, nil
	}
	if err := x.settle(ctx, b, m); err != nil {
		return before, false, err
	}
	resolve(b, m, own)
	return quarantined{Marks: others, Said: before.Said}.said(r.Adapter, r.Signed), true, nil
}

// byAdapter tells the adapter's own marks from those of others that rejected the same row.
func byAdapter(marks [][]byte, adapter exchange.Adapter) (own, others [][]byte) {
	for _, mark := range marks {
		if m, _ := readMark(mark[StemSize:]); string(m.adapter) == string(adapter) {
			own = append(own, mark)
		} else {
			others = append(others, mark)
		}
	}
	return own, others
}

func resolve(b *batch, m *exchange.Message, marks [][]byte) {
	for _, mark := range marks {
		b.put(mark, resolution{b.at(m), m.Time}.encode())
	}
}

// sameMark says whether two marks are of one holder, type, adapter and row, whenever they were opened.
func sameMark(a, b []byte) bool {
	return len(a) == len(b) && bytes.Equal(a[:len(a)-positionSize], b[:len(b)-positionSize])
}
