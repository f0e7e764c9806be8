package holdings

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/erasure"
)

// orders are what the index was ordered to forget, as far as the topic was folded.
//
// Whether something must be forgotten depends on the orders and on when its message was written, by Kafka's clock, and on nothing
// else. So an order and what it is about may be folded in any order, and every node comes to the same.
type orders struct {
	given   map[string]given
	records map[record]term
	holders map[token]term
	alone   map[record]int // how many orders in force, on holders, say that the record is that holder's alone
	count   uint64         // how many were taken in; it tells one moment from another
}

// given is an order as it was folded.
type given struct {
	Order    erasure.Order `json:"order"`
	Position position      `json:"position"`
	Time     time.Time     `json:"time"` // of the message
	LiftedBy string        `json:"lifted_by,omitempty"`
}

// term is for how long the orders on one record or holder hold.
type term struct {
	open  int       // how many are in force
	until time.Time // the latest lift of one of the others: what was published before stays forgotten
}

// covers says whether what was published at that moment must be forgotten.
func (t term) covers(published time.Time) bool { return t.open > 0 || published.Before(t.until) }

// ever says whether there was any order.
func (t term) ever() bool { return t != term{} }

func newOrders() orders {
	return orders{given: map[string]given{}, records: map[record]term{}, holders: map[token]term{}, alone: map[record]int{}}
}

func (o *orders) none() bool { return len(o.given) == 0 }

// concerns says whether an order in force takes the whole record.
func (o *orders) concerns(r record) bool { return o.records[r].open > 0 || o.alone[r] > 0 }

// visible leaves out who must be forgotten of those whom something names that was published then. All is true where that is
// nobody.
func (o *orders) visible(named []token, published time.Time) (left []token, all bool) {
	covered := func(t token) bool { return o.holders[t].covers(published) }
	if len(o.holders) == 0 || !slices.ContainsFunc(named, covered) {
		return named, true
	}
	return slices.DeleteFunc(slices.Clone(named), covered), false
}

// take takes an order in, or says why not. Again is true for one that was taken in before, from another place in the topic.
func (o *orders) take(g given) (reason Reason, again bool) {
	if before, known := o.given[g.Order.ID]; known {
		if !before.Order.Equal(&g.Order) {
			return conflictingContent, false
		}
		return "", before.Position != g.Position
	}
	if g.Order.Kind == erasure.Lift {
		before, known := o.given[g.Order.Lifts]
		if !known || before.Order.Kind == erasure.Lift {
			return unknownOrder, false
		}
		if before.LiftedBy == "" {
			before.LiftedBy = g.Order.ID
			o.given[g.Order.Lifts] = before
			o.end(&before.Order, g.moment())
		}
	}
	o.given[g.Order.ID] = g
	o.begin(&g.Order)
	o.count++
	return "", false
}

// begin lets an order hold.
func (o *orders) begin(order *erasure.Order) { o.change(order, 1, time.Time{}) }

// end lifts an order: what is published from then on is not its matter.
func (o *orders) end(order *erasure.Order, at time.Time) { o.change(order, -1, at) }

func (o *orders) change(order *erasure.Order, by int, until time.Time) {
	changed := func(t term) term {
		t.open += by
		if until.After(t.until) {
			t.until = until
		}
		return t
	}
	switch order.Kind {
	case erasure.OfRecord:
		o.records[order.Records[0]] = changed(o.records[order.Records[0]])
	case erasure.OfHolder:
		o.holders[order.Holder] = changed(o.holders[order.Holder])
		for _, r := range order.Records {
			o.alone[r] += by
		}
	}
}

// moment is when an order was written: by Kafka's clock, as what it is compared with.
func (g *given) moment() time.Time {
	if g.Time.IsZero() {
		return g.Order.At
	}
	return g.Time
}

// Orders lists the orders to forget that were taken in, lifts included, oldest first.
func (x *Index) Orders() []erasure.Order {
	x.mu.RLock()
	all := slices.Collect(maps.Values(x.orders.given))
	x.mu.RUnlock()
	slices.SortFunc(all, func(a, b given) int { return cmp.Compare(a.Position.Offset, b.Position.Offset) })
	orders := make([]erasure.Order, len(all))
	for i, g := range all {
		orders[i] = g.Order
	}
	return orders
}

// Forgotten says whether an order in force takes the whole record.
func (x *Index) Forgotten(t exchange.EvidenceType, id exchange.RecordID) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.orders.concerns(record{Type: t, ID: id})
}

func readGiven(b []byte) (g given, err error) {
	if err = decode(b, &g); err == nil && g.Order.Check() != nil {
		err = errDamaged
	}
	return g, err
}

// loadOrders reads the orders that were folded before.
func (x *Index) loadOrders(ctx context.Context) error {
	err := x.scan(ctx, []byte{familyOrder}, func(key, value []byte) error {
		g, err := readGiven(value)
		if err != nil || string(key) != string(orderKey(g.Order.ID)) {
			return errDamaged
		}
		x.orders.given[g.Order.ID] = g
		x.orders.begin(&g.Order)
		x.orders.count++
		return nil
	})
	if err != nil {
		return err
	}
	for _, g := range x.orders.given {
		if g.LiftedBy == "" {
			continue
		}
		lift, known := x.orders.given[g.LiftedBy]
		if !known {
			return errDamaged
		}
		x.orders.end(&g.Order, lift.moment())
	}
	return nil
}

// foldOrder takes one order in and forgets what it says. While it does, nothing else is folded: what was read of a message
// before the order must not be stored after it.
func (x *Index) foldOrder(ctx context.Context, b *batch, m *exchange.Message) error {
	keys, err := x.keysOfOrders(ctx)
	if err != nil {
		return err
	}
	x.obeying.Lock()
	defer x.obeying.Unlock()
	order, err := erasure.Read(m, keys...)
	if err != nil {
		reason := malformedOrder
		if errors.Is(err, envelope.ErrNotSigned) {
			reason = notSigned
		}
		x.refuse(b, m, reason, err)
		return x.store(ctx, b, m.Offset+1)
	}
	// Find must know before the rows go: what it does not find then, it takes for forgotten and not for missing.
	x.mu.Lock()
	reason, again := x.orders.take(given{Order: order, Position: b.at(m), Time: m.Time})
	x.backdrops = &backdrops{}
	x.mu.Unlock()
	switch {
	case reason != "":
		x.refuse(b, m, reason, nil)
	case again:
		b.duplicates++
		b.place.Duplicates++
	default:
		err = x.carryOut(ctx, b, &order)
	}
	if err != nil {
		return err
	}
	return x.store(ctx, b, m.Offset+1)
}

// keysOfOrders are those that sign orders just now: one may have been drawn since the last order.
func (x *Index) keysOfOrders(ctx context.Context) ([]ed25519.PublicKey, error) {
	if x.orderKeys == nil {
		return nil, nil
	}
	return x.orderKeys(ctx)
}

// carryOut adds what follows from an order to the batch.
func (x *Index) carryOut(ctx context.Context, b *batch, order *erasure.Order) (err error) {
	switch order.Kind {
	case erasure.OfRecord:
		err = x.forgetRecord(ctx, b, order.Records[0])
	case erasure.OfHolder:
		err = x.forgetHolder(ctx, b, order.Holder)
	case erasure.Lift:
		b.put(orderKey(order.Lifts), encode(x.orders.given[order.Lifts]))
	}
	if err != nil {
		return fmt.Errorf("carry out order %s: %w", order.ID, err)
	}
	b.put(orderKey(order.ID), encode(x.orders.given[order.ID]))
	return nil
}
