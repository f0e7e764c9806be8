package holdings

import (
	"context"
	"errors"
	"slices"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/schemas"
	"github.com/onedoor/yimen/schemas/gate"
)

// describe reads a record's facts by the schema it names. An error without a reason means that it cannot be said yet.
func describe(schema func(context.Context, string) (*schemas.Schema, error)) func(context.Context, *envelope.Opened) (schemas.Facts, Reason, error) {
	return func(ctx context.Context, o *envelope.Opened) (schemas.Facts, Reason, error) {
		s, err := schema(ctx, o.Schema)
		if err != nil {
			return schemas.Facts{}, "", err
		}
		if s == nil || s.Type != o.Type {
			return schemas.Facts{}, unknownSchema, nil
		}
		doc, err := gate.Decode(o.Payload)
		if err != nil {
			return schemas.Facts{}, unreadableFacts, err
		}
		facts, err := s.Facts(doc)
		if err != nil {
			return schemas.Facts{}, unreadableFacts, err
		}
		return facts, "", nil
	}
}

// arrival is one version that came by a message and may be kept.
type arrival struct {
	message *exchange.Message
	record  record
	number  exchange.Version
	version version
	content [16]byte // of the digest
	holders []token  // whom it names; once orders to forget were looked at, not those who are forgotten
	hidden  bool     // it names nobody but those who are forgotten
}

// trace is what is kept of the arrival under its record's id.
func (a *arrival) trace() trace {
	t := trace{state: stated, position: a.version.position, content: a.content, size: len(a.version.payload), holders: a.holders}
	if a.version.state == withdrawn {
		t.state, t.withdrawal = withdrawn, &a.version
	}
	return t
}

// repeats says whether the version that is there says the same.
func (a *arrival) repeats(t *trace) bool {
	return a.content == t.content && (a.version.state == withdrawn) == (t.state == withdrawn)
}

// foldEvidence adds the record versions that the index does not have.
func (x *Index) foldEvidence(ctx context.Context, b *batch, msgs []exchange.Message) error {
	arrivals, err := x.arrivals(ctx, b, msgs)
	if err != nil {
		return err
	}
	x.obeying.RLock() // from here on no order to forget comes in between
	defer x.obeying.RUnlock()
	claim := x.claims.take(arrivals)
	defer x.claims.free(claim)
	arrivals = x.obey(b, arrivals)
	dossiers, err := x.dossiers(ctx, arrivals)
	if err != nil {
		return err
	}
	b.rows = slices.Grow(b.rows, 2*len(arrivals)+1)
	for i := range arrivals {
		if err := x.enter(ctx, b, dossiers.of[arrivals[i].record], &arrivals[i]); err != nil {
			return err
		}
	}
	x.fresh.learn(dossiers.all)
	return x.store(ctx, b, msgs[len(msgs)-1].Offset+1)
}

// arrivals opens messages and refuses those that cannot be used.
func (x *Index) arrivals(ctx context.Context, b *batch, msgs []exchange.Message) ([]arrival, error) {
	all := make([]arrival, 0, len(msgs))
	for i := range msgs {
		m := &msgs[i]
		if m.Value == nil { // frees the topic of bytes; what shall be forgotten is said by orders
			if err := x.settle(ctx, b, m); err != nil {
				return nil, err
			}
			continue
		}
		if x.forgotten(b, m) {
			continue
		}
		a, ok, err := x.read(ctx, b, m)
		if err != nil {
			return nil, err
		}
		if ok {
			all = append(all, a)
		}
	}
	return all, nil
}

// obey leaves out what must be forgotten by now: records, and of every version the holders.
func (x *Index) obey(b *batch, arrivals []arrival) []arrival {
	if x.orders.none() {
		return arrivals
	}
	arrivals = slices.DeleteFunc(arrivals, func(a arrival) bool {
		return x.orders.records[a.record].covers(a.version.logged) && x.forgotten(b, a.message)
	})
	for i := range arrivals {
		a := &arrivals[i]
		var all bool
		a.holders, all = x.orders.visible(a.holders, a.version.logged)
		a.hidden = !all && len(a.holders) == 0
	}
	return arrivals
}

// enter takes a version into its dossier, or refuses it.
func (x *Index) enter(ctx context.Context, b *batch, d *dossier, a *arrival) error {
	before, known := d.at(a.number)
	switch {
	case known && !a.repeats(&before):
		if a.hidden {
			x.refuse(b, a.message, erased, nil)
			return nil
		}
		x.refuse(b, a.message, conflictingContent, nil)
		x.gap(b, a.message)
		return nil
	case known && len(without(a.holders, before.holders)) == 0:
		b.duplicates++
		b.place.Duplicates++
		return nil
	case known: // it was published again after an order to forget was lifted
		a.holders = append(slices.Clone(before.holders), without(a.holders, before.holders)...)
	}
	if a.hidden {
		x.refuse(b, a.message, erased, nil)
		a.version.payload = nil
	} else {
		b.records++
		b.place.Records++
	}
	b.place.Gaps = b.place.Gaps.closed(a.record.ID, a.number)
	if err := x.keep(ctx, b, d, a); err != nil {
		return err
	}
	if a.hidden && len(d.latest.everyone()) == 0 {
		b.owe(a.message.Topic, a.message.Key, a.message.Partition)
	}
	return nil
}

// read opens a message and takes the facts from it, or refuses it.
func (x *Index) read(ctx context.Context, b *batch, m *exchange.Message) (a arrival, ok bool, err error) {
	o, err := reading(x, m, func() (envelope.Opened, error) { return x.open(ctx, m) })
	if err != nil {
		reason, undecided := unopened(err)
		if undecided {
			return a, false, err
		}
		x.refuse(b, m, reason, err)
		x.gap(b, m)
		return a, false, nil
	}
	if o.Type != exchange.EvidenceType(b.of) || !exchange.ValidName(b.of) {
		x.refuse(b, m, wrongTopic, nil)
		return a, false, nil
	}
	if !x.keeps(o.Adapter.Department(), o.Type) {
		x.refuse(b, m, notKeeper, nil)
		return a, false, nil
	}
	a = arrival{message: m, record: record{Type: o.Type, ID: o.ID}, number: o.Version, content: [16]byte(o.Digest[:]),
		version: version{state: withdrawn, position: b.at(m), at: o.At, logged: m.Time, adapter: o.Adapter, schema: o.Schema, status: exchange.Withdrawn}}
	if o.Withdrawn {
		return a, true, nil
	}
	var reason Reason
	facts, err := reading(x, m, func() (facts schemas.Facts, err error) {
		facts, reason, err = x.describe(ctx, &o)
		return facts, err
	})
	if errors.Is(err, errCrashed) {
		reason = crashed
	}
	if err != nil && reason == "" {
		return a, false, err
	}
	if reason == "" && len(facts.Holders) == 0 {
		reason = unreadableFacts
	}
	if reason != "" {
		x.refuse(b, m, reason, err)
		x.gap(b, m)
		return a, false, nil
	}
	v := &a.version
	v.state, v.status, v.from, v.until, v.payload = stated, facts.Status, facts.From, facts.Until, o.Payload
	a.holders = make([]token, len(facts.Holders))
	for i, h := range facts.Holders {
		a.holders[i] = b.secrets.token(h)
	}
	return a, true, nil
}
