package holdings_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/erasure"
	"github.com/onedoor/yimen/exchange/holdings"
	"github.com/onedoor/yimen/schemas"
)

// newObedient is a world whose index obeys orders to forget, of which there are none yet.
func newObedient(t testing.TB) *world {
	w := newWorld(t)
	w.orders = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	w.restart()
	w.index.ErasuresUpTo(0)
	return w
}

// again opens the world's index anew, as a node does that has followed the topic of orders to its end.
func (w *world) again() {
	w.t.Helper()
	w.restart()
	w.index.ErasuresUpTo(w.ends[erasure.Topic][0])
}

func orderID(n int) string { return fmt.Sprintf("01JDC5V7YK%016d", n) }

func (w *world) sign(n int, o erasure.Order) exchange.Message {
	w.t.Helper()
	o.ID, o.At, o.By, o.Basis = orderID(n), noon, "scjg/clerk/w3-017", "PIPL-47(1)(3)"
	m, err := o.Message(w.orders)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// forgetHolder is the order to forget a holder, as the exchange gives it.
func (w *world) forgetHolder(n int, number string) exchange.Message {
	w.t.Helper()
	owned, err := w.index.Owned(w.t.Context(), holder(number))
	if err != nil {
		w.t.Fatal(err)
	}
	return w.sign(n, erasure.Order{Kind: erasure.OfHolder, Holder: owned.Token, Records: owned.Alone})
}

func (w *world) forgetRecord(n int, of exchange.EvidenceType, natural string) exchange.Message {
	return w.sign(n, erasure.Order{Kind: erasure.OfRecord, Records: []erasure.Record{{Type: of, ID: w.sealer(w.adapter(of)).RecordID(of, natural)}}})
}

func (w *world) lift(n, of int) exchange.Message {
	return w.sign(n, erasure.Order{Kind: erasure.Lift, Lifts: orderID(of)})
}

// published is the message as Kafka dates it.
func published(minute int, m exchange.Message) exchange.Message {
	m.Time = at(minute)
	return m
}

func wed(version int, holders ...string) statement {
	return statement{of: marriage, natural: "J430281-2018-000001", version: version, name: "x", holders: holders}
}

func (w *world) beat(a exchange.Adapter, of exchange.EvidenceType) exchange.Message {
	return w.heartbeat(exchange.Coverage{Adapter: a, Type: of, Alive: noon, CompleteUpTo: noon})
}

// unknown says of which of the types nobody can tell what the holder has.
func (w *world) unknown(number string, types ...exchange.EvidenceType) string {
	w.t.Helper()
	var all []string
	for _, s := range w.find(number, types...).Sources {
		if s.HolderQuarantined {
			all = append(all, string(s.Type))
		}
	}
	return strings.Join(all, " ")
}

// TestWhatIsForgotten folds messages and asks for three holders, in one go, after a restart, and where the orders come first.
func TestWhatIsForgotten(t *testing.T) {
	a, b, c := citizen(1), citizen(2), citizen(3)
	const natural = "J430281-2018-000001"
	type step = func(*world) exchange.Message
	say := func(minute, version int, holders ...string) step {
		return func(w *world) exchange.Message { return published(minute, w.seal(wed(version, holders...))) }
	}
	forget := func(minute, n int, number string) step {
		return func(w *world) exchange.Message { return published(minute, w.forgetHolder(n, number)) }
	}
	forgetRecord := func(minute, n int) step {
		return func(w *world) exchange.Message { return published(minute, w.forgetRecord(n, marriage, natural)) }
	}
	lift := func(minute, n, of int) step {
		return func(w *world) exchange.Message { return published(minute, w.lift(n, of)) }
	}
	held := func(version int) string {
		return fmt.Sprintf("marriage-certificate@%d valid 12:%02d", version, version)
	}
	for name, row := range map[string]struct {
		steps   []step
		found   [3]string
		unknown [3]bool // nobody can tell
		late    bool    // what was published after a lift: the orders may not come last
	}{
		"nobody":            {steps: []step{say(1, 1, a, b)}, found: [3]string{held(1), held(1)}},
		"the only holder":   {steps: []step{say(1, 1, a), forget(2, 1, a)}, unknown: [3]bool{true}},
		"a holder of two":   {steps: []step{say(1, 1, a, b), forget(2, 1, a)}, found: [3]string{"", held(1)}, unknown: [3]bool{true}},
		"both, one by one":  {steps: []step{say(1, 1, a, b), forget(2, 1, a), forget(3, 2, b)}, unknown: [3]bool{true, true}},
		"a version to come": {steps: []step{say(1, 1, a, b), forget(2, 1, a), say(3, 2, a, b)}, found: [3]string{"", held(2)}, unknown: [3]bool{true}},
		// What a version says of those who may be known still counts when it names only those who must be forgotten.
		"corrected to whom is forgotten":   {steps: []step{say(1, 1, a), say(2, 2, b), forget(3, 1, b)}, unknown: [3]bool{false, true}},
		"corrected so afterwards":          {steps: []step{say(1, 1, a), forget(2, 1, b), say(3, 2, b)}, unknown: [3]bool{false, true}},
		"corrected from whom is forgotten": {steps: []step{say(1, 1, a), say(2, 2, b), forget(3, 1, a)}, found: [3]string{"", held(2)}, unknown: [3]bool{true}},
		"withdrawn":                        {steps: []step{say(1, 1, a, b), say(2, 2), forget(3, 1, a)}, found: [3]string{"", "marriage-certificate@2 withdrawn 12:02"}, unknown: [3]bool{true}},
		"withdrawn afterwards":             {steps: []step{say(1, 1, a, b), forget(2, 1, a), say(3, 2)}, found: [3]string{"", "marriage-certificate@2 withdrawn 12:02"}, unknown: [3]bool{true}},
		"somebody unheard of":              {steps: []step{say(1, 1, a), forget(2, 1, c)}, found: [3]string{held(1)}, unknown: [3]bool{false, false, true}},
		"a record":                         {steps: []step{say(1, 1, a, b), say(2, 2, b), forgetRecord(3, 1)}},
		"a record's version to come":       {steps: []step{say(1, 1, a, b), forgetRecord(2, 1), say(3, 2, b), say(4, 3, c)}},
		"a record withdrawn":               {steps: []step{say(1, 1, a), forgetRecord(2, 1), say(3, 2)}},
		"a record and a holder":            {steps: []step{say(1, 1, a, b), forgetRecord(2, 1), forget(3, 2, b)}, unknown: [3]bool{false, true}},
		"a holder and the record":          {steps: []step{say(1, 1, a, b), forget(2, 1, b), forgetRecord(3, 2)}, unknown: [3]bool{false, true}},
		// A lift is for what is published from then on.
		"lifted":                        {steps: []step{say(1, 1, a, b), forget(2, 1, a), lift(3, 2, 1)}, found: [3]string{"", held(1)}, unknown: [3]bool{true}},
		"lifted, stated again":          {steps: []step{say(1, 1, a, b), forget(2, 1, a), lift(3, 2, 1), say(4, 2, a, b)}, found: [3]string{held(2), held(2)}, late: true},
		"lifted, the same again":        {steps: []step{say(1, 1, a, b), forget(2, 1, a), lift(3, 2, 1), say(4, 1, a, b)}, found: [3]string{held(1), held(1)}, late: true},
		"lifted, then an older one":     {steps: []step{say(1, 2, a), forget(2, 1, a), lift(3, 2, 1), say(4, 1, a)}, found: [3]string{}, unknown: [3]bool{true}, late: true},
		"lifted, then of another":       {steps: []step{say(1, 1, a), forget(2, 1, a), lift(3, 2, 1), say(4, 2, b)}, found: [3]string{"", held(2)}, unknown: [3]bool{true}, late: true},
		"lifted and forgotten again":    {steps: []step{say(1, 1, a), forget(2, 1, a), lift(3, 2, 1), say(4, 2, a), forget(5, 3, a), say(6, 3, a)}, unknown: [3]bool{true}, late: true},
		"one of two orders lifted":      {steps: []step{say(1, 1, a), forget(2, 1, a), forget(3, 2, a), lift(4, 3, 1), say(5, 2, a)}, unknown: [3]bool{true}},
		"a record lifted":               {steps: []step{say(1, 1, a), forgetRecord(2, 1), lift(3, 2, 1)}},
		"a record lifted, stated again": {steps: []step{say(1, 5, a), forgetRecord(2, 1), lift(3, 2, 1), say(4, 2, a, b)}, found: [3]string{held(2), held(2)}, late: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newObedient(t)
			w.fold(w.beat("mzj/marriages", marriage))
			check := func(when string, w *world) {
				t.Helper()
				for i, number := range []string{a, b, c} {
					if got := w.records(number); got != row.found[i] {
						t.Errorf("%s: holder %d: found %q, want %q", when, i, got, row.found[i])
					}
					if got := w.unknown(number, marriage) != ""; got != row.unknown[i] {
						t.Errorf("%s: holder %d: unknown is %v", when, i, got)
					}
				}
				for _, m := range w.each(marriage) {
					if strings.Join(row.found[:], "") == "" {
						t.Errorf("%s: the walk shows %v", when, m)
					}
				}
			}
			var evidence, orders []exchange.Message
			for _, step := range row.steps {
				m := step(w)
				if w.fold(m); m.Topic == erasure.Topic {
					orders = append(orders, m)
				} else {
					evidence = append(evidence, m)
				}
			}
			check("as they came", w)
			w.again()
			check("after a restart", w)
			first := w.copyTo(t.TempDir())
			first.ends = map[string]map[int]int64{}
			first.index.ErasuresUpTo(int64(len(orders)))
			first.fold(w.beat("mzj/marriages", marriage))
			first.fold(orders...)
			first.fold(evidence...)
			check("orders first", first)
			if !row.late {
				last := w.copyTo(t.TempDir())
				last.ends = map[string]map[int]int64{}
				last.index.ErasuresUpTo(int64(len(orders)))
				last.fold(w.beat("mzj/marriages", marriage))
				last.fold(evidence...)
				last.fold(orders...)
				check("orders last", last)
			}
			if gaps := w.find(c, marriage).Sources[0].Refused; gaps != 0 {
				t.Errorf("%d gaps: what is forgotten counts against the source", gaps)
			}
		})
	}
}

// TestNothingIsToldBeforeOrdersAreFolded begins from a backup that is older than an order.
func TestNothingIsToldBeforeOrdersAreFolded(t *testing.T) {
	w := newObedient(t)
	w.state(wed(1, citizen(1), citizen(2)))
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	backup := t.TempDir()
	if err := os.CopyFS(backup, os.DirFS(w.dir)); err != nil {
		t.Fatal(err)
	}
	w.open()
	w.index.ErasuresUpTo(0)
	orders := w.append(w.forgetHolder(1, citizen(1)), w.lift(2, 1), w.forgetHolder(3, citizen(1)))
	later := w.append(w.seal(wed(2, citizen(1))))

	n := w.copyTo(backup)
	closed := func(when string) {
		t.Helper()
		_, err := n.index.Find(t.Context(), holder(citizen(1)), []exchange.EvidenceType{marriage})
		each := n.index.Each(t.Context(), marriage, func(exchange.Record, int, int64) bool { t.Errorf("%s: the walk shows a record", when); return true })
		_, owned := n.index.Owned(t.Context(), holder(citizen(1)))
		for _, err := range []error{err, each, owned} {
			var p *exchange.Problem
			if !errors.As(err, &p) || p.Kind != exchange.Unavailable || p.Code != "YM-IDX-0104" {
				t.Errorf("%s: %v", when, err)
			}
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := n.index.Obeyed(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: obeyed: %v", when, err)
		}
	}
	closed("before the end is known")
	n.index.ErasuresUpTo(int64(len(orders)))
	closed("before any order")
	if err := n.index.Fold(t.Context(), later); err != nil { // other topics may be ahead
		t.Fatal(err)
	}
	for i := range orders {
		closed(fmt.Sprintf("before order %d", i+1))
		if err := n.index.Fold(t.Context(), orders[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.index.Obeyed(t.Context()); err != nil {
		t.Error(err)
	}
	if got := n.records(citizen(1)); got != "" {
		t.Errorf("found %q", got)
	}
	n.restart()
	closed("after a restart")
	n.index.ErasuresUpTo(int64(len(orders)))
	if got := n.records(citizen(1)); got != "" || n.find(citizen(1), marriage).Inputs[erasure.Topic][0] != 3 {
		t.Errorf("found %q", got)
	}
	n.index.ErasuresUpTo(int64(len(orders)) + 1) // the topic has grown while the node was cut off
	closed("after the topic grew")
}

// TestOrdersRefused has an order for each reason, and looks whether folding goes on and nothing is forgotten.
func TestOrdersRefused(t *testing.T) {
	stranger := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, 32))
	for name, row := range map[string]struct {
		message func(*world) exchange.Message
		reason  holdings.Reason
	}{
		"forged": {func(w *world) exchange.Message {
			m := w.forgetHolder(1, citizen(1))
			m.Headers = nil
			envelope.SignOrder(stranger, &m)
			return m
		}, "not_signed"},
		"changed": {func(w *world) exchange.Message {
			m := w.forgetHolder(1, citizen(2))
			m.Value = w.forgetHolder(1, citizen(1)).Value
			return m
		}, "not_signed"},
		"empty": {func(*world) exchange.Message { return exchange.Message{Topic: erasure.Topic} }, "not_signed"},
		"malformed": {func(w *world) exchange.Message {
			m := exchange.Message{Topic: erasure.Topic, Key: []byte(orderID(1)), Value: []byte("{}")}
			envelope.SignOrder(w.orders, &m)
			return m
		}, "malformed_order"},
		"lift of nothing": {func(w *world) exchange.Message { return w.lift(1, 9) }, "unknown_order"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newObedient(t)
			w.state(wed(1, citizen(1)))
			w.fold(row.message(w))
			refused, err := w.index.Refused(t.Context())
			if err != nil || len(refused) != 1 || refused[0].Reason != row.reason || refused[0].Topic != erasure.Topic {
				t.Errorf("refused %+v, %v", refused, err)
			}
			if w.records(citizen(1)) == "" || w.unknown(citizen(1), marriage) != "" {
				t.Error("something was forgotten")
			}
			w.fold(w.forgetHolder(2, citizen(1)))
			if w.records(citizen(1)) != "" {
				t.Error("the order after it was not carried out")
			}
		})
	}
}

func TestOrdersTwice(t *testing.T) {
	w := newObedient(t)
	w.state(wed(1, citizen(1)))
	one := w.forgetHolder(1, citizen(1))
	other := w.forgetHolder(1, citizen(2))
	w.fold(one, one, other, w.lift(2, 1), w.lift(2, 1), w.lift(3, 1), w.lift(4, 3), one)
	c := w.index.Counts()
	if c.Duplicates != 3 || c.Refused["conflicting_content"] != 1 || c.Refused["unknown_order"] != 1 {
		t.Errorf("counts %+v", c)
	}
	w.fold(published(1, w.seal(wed(2, citizen(1)))))
	if got := w.records(citizen(1)); got != "marriage-certificate@2 valid 12:02" {
		t.Errorf("after the lift: %q", got)
	}
	if err := w.index.Fold(t.Context(), []exchange.Message{{Topic: erasure.Topic, Partition: 1}}); err == nil {
		t.Error("orders of a second partition, which may be in any order, are folded")
	}
}

// TestOwed looks which messages get tombstones, and that each does once.
func TestOwed(t *testing.T) {
	w := newObedient(t)
	alone := statement{of: licence, natural: company(1), version: 1, holders: []string{company(1)}, name: "x", partition: 2}
	next := alone
	next.version, next.partition = 2, 2
	w.state(alone, next, wed(1, citizen(1), citizen(2)))
	w.fold(w.rejection(envelope.Rejection{Adapter: "scjg/licences", Type: licence, Row: [16]byte{1}, Holders: []exchange.Holder{holder(company(1))}, At: noon}),
		w.rejection(envelope.Rejection{Adapter: "scjg/licences", Type: licence, Row: [16]byte{2}, Holders: []exchange.Holder{holder(company(1)), holder(company(2))}, At: noon}))
	owed := func(when string, want ...string) []exchange.Message {
		t.Helper()
		for range 2 {
			all, err := w.index.Owed(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range all {
				if got = append(got, fmt.Sprintf("%s/%d %d %d", m.Topic, m.Partition, m.Key[len(m.Key)-1], len(m.Route))); m.Value != nil {
					t.Errorf("%s: a tombstone has a value", when)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s: owed %q, want %q", when, got, want)
			}
			w.again()
		}
		all, _ := w.index.Owed(t.Context())
		return all
	}
	owned, err := w.index.Owned(t.Context(), holder(citizen(1)))
	if err != nil || len(owned.Alone) != 0 || len(owned.Shared) != 1 || owned.Shared[0].Type != marriage {
		t.Errorf("owned %+v, %v", owned, err)
	}
	owed("at first")
	w.fold(w.forgetHolder(1, citizen(1)))
	owed("a shared record stays")
	w.fold(w.forgetHolder(2, company(1)))
	tombstones := owed("a record of one holder goes, with the row that is about nobody else",
		"evidence.business-licence/2 1 16", "evidence.business-licence/2 2 16", "quarantine.scjg/0 0 0")
	later := next
	later.version = 3
	w.state(later)
	w.fold(w.rejection(envelope.Rejection{Adapter: "scjg/licences", Type: licence, Row: [16]byte{3}, Holders: []exchange.Holder{holder(company(1))}, At: noon}))
	owed("what came later", "evidence.business-licence/2 1 16", "evidence.business-licence/2 2 16", "evidence.business-licence/2 3 16", "quarantine.scjg/0 0 0", "quarantine.scjg/0 0 0")
	w.fold(tombstones...)
	owed("after the tombstones", "evidence.business-licence/2 3 16", "quarantine.scjg/0 0 0")
	w.fold(w.forgetHolder(3, citizen(2)))
	owed("the last holder of a shared record", "evidence.business-licence/2 3 16", "evidence.marriage-certificate/0 1 16", "quarantine.scjg/0 0 0")
	w.fold(w.forgetRecord(4, licence, company(9)))
	unread := exchange.Message{Topic: "evidence.business-licence", Value: []byte("not even sealed"), Partition: 1, Key: binaryKey(w.sealer("scjg/licences").RecordID(licence, company(9)), 7)}
	w.fold(unread)
	owed("a record that nobody could read", "evidence.business-licence/1 7 16", "evidence.business-licence/2 3 16", "evidence.marriage-certificate/0 1 16", "quarantine.scjg/0 0 0")
	want := map[holdings.Reason]int64{"erased": 3}
	if got := w.index.Counts().Refused; len(got) != 1 || got["erased"] != want["erased"] {
		t.Errorf("refused %v, want %v", got, want)
	}
}

func binaryKey(id exchange.RecordID, version byte) []byte {
	return append(append(id[:], 0, 0, 0, 0, 0, 0, 0), version)
}

// TestForgottenRowsInQuarantine: what was rejected of a forgotten holder says nothing any more, to others either.
func TestForgottenRowsInQuarantine(t *testing.T) {
	w := newObedient(t)
	reject := func(row byte, numbers ...string) exchange.Message {
		r := envelope.Rejection{Adapter: "mzj/marriages", Type: marriage, Row: [16]byte{row}, At: noon}
		for _, n := range numbers {
			r.Holders = append(r.Holders, holder(n))
		}
		return w.rejection(r)
	}
	a, b := citizen(1), citizen(2)
	w.fold(w.beat("mzj/marriages", marriage), reject(1, a), reject(2, a, b), reject(3, b))
	w.fold(w.forgetHolder(1, b), w.lift(2, 1))
	look := func(when string, first, second bool) {
		t.Helper()
		for range 2 {
			if got := w.unknown(a, marriage) != ""; got != first {
				t.Errorf("%s: the first is unknown: %v", when, got)
			}
			marks := 0
			err := w.store.Scan(t.Context(), [][]byte{[]byte("h")}, func(key, _ []byte) bool {
				if key[17] == 'q' {
					marks++
				}
				return true
			})
			if err != nil || marks != 2 {
				t.Errorf("%s: %d marks, %v: want the first's alone", when, marks, err)
			}
			w.again()
		}
	}
	look("the second is forgotten", true, true)
	old := published(-1, reject(4, b)) // written before the lift
	w.fold(old)
	look("an old row came late", true, true)
	if n := w.index.Counts().Refused["erased"]; n != 1 {
		t.Errorf("%d refused", n)
	}
	w.fold(published(0, w.resolution("mzj/marriages", [16]byte{1})), w.resolution("mzj/marriages", [16]byte{2}))
	beat := w.heartbeat(exchange.Coverage{Adapter: "mzj/marriages", Type: marriage, Alive: at(1), CompleteUpTo: noon, Rejected: map[int]int64{0: w.ends["quarantine.mzj"][0]}})
	w.fold(beat)
	if got := w.unknown(a, marriage); got != "" {
		t.Errorf("the first is still unknown of %s", got)
	}
}

// TestForgottenRecordsAreNoGaps: what the keeper says of a record that must be forgotten need not be known.
func TestForgottenRecordsAreNoGaps(t *testing.T) {
	w := newObedient(t)
	stranger := newWorld(t)
	lost := func(n, version int) exchange.Message {
		s := statement{of: licence, natural: company(n), version: version, holders: []string{company(n)}, name: "x"}
		m := stranger.seal(s)
		copy(m.Key, w.seal(s).Key)
		return m
	}
	w.fold(w.heartbeat(said(1, 0)))
	w.state(statement{of: licence, natural: company(1), version: 1, holders: []string{company(1)}, name: "x"},
		statement{of: licence, natural: company(2), version: 1, holders: []string{company(2)}, name: "x"})
	w.fold(lost(1, 2), lost(2, 2), lost(3, 1))
	look := func(when string, want int64) {
		t.Helper()
		for range 2 {
			if got := w.find(company(9), licence).Sources[0].Refused; got != want {
				t.Errorf("%s: %d gaps, want %d", when, got, want)
			}
			w.again()
		}
	}
	look("at first", 3)
	w.fold(w.forgetRecord(1, licence, company(1)))
	look("one record forgotten", 2)
	w.fold(w.forgetHolder(2, company(2)))
	look("a holder forgotten whose record it was", 1)
	w.fold(lost(1, 3), lost(2, 3))
	look("more that cannot be read", 1)
	w.fold(w.lift(3, 2))
	look("lifted", 2)
}

// TestLargeDocumentsOfSeveral lie once, and are found by all, until nobody is left.
func TestLargeDocumentsOfSeveral(t *testing.T) {
	w := newObedient(t)
	var holders []string
	for n := range 5 {
		holders = append(holders, citizen(n))
	}
	s := wed(1, holders...)
	s.name = strings.Repeat("瓷", 10_000)
	w.state(s)
	documents := func() int {
		n := 0
		if err := w.store.Scan(t.Context(), [][]byte{[]byte("d")}, func(_, value []byte) bool { n += len(value); return true }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	size := len(document(s))
	if n := documents(); n < size || n > size+100 {
		t.Errorf("%d bytes lie apart, the document has %d", n, size)
	}
	for _, number := range holders {
		if found := w.find(number, marriage).Records; len(found) != 1 || !bytes.Equal(found[0].Payload, document(s)) {
			t.Errorf("found %d records", len(found))
		}
	}
	if all := w.each(marriage); len(all) != 1 {
		t.Errorf("the walk shows %d", len(all))
	}
	for n, number := range holders {
		if documents() == 0 {
			t.Errorf("the document is gone with %d holders left", len(holders)-n)
		}
		w.fold(w.forgetHolder(n, number))
	}
	if documents() != 0 || len(w.each(marriage)) != 0 {
		t.Error("the document is there without holders")
	}
}

// TestNeverHalfForgotten asks all the time while holders are forgotten: each answer is of before or of after.
func TestNeverHalfForgotten(t *testing.T) {
	w := newObedient(t)
	const holders = 40
	w.fold(w.beat("mzj/marriages", marriage))
	for n := range holders {
		s := wed(1, citizen(n))
		s.natural = fmt.Sprintf("J430281-2018-%06d", n)
		w.state(s)
	}
	var orders []exchange.Message
	for n := range holders {
		orders = append(orders, w.forgetHolder(n, citizen(n)))
	}
	orders = w.append(orders...)
	done := make(chan struct{})
	var asking sync.WaitGroup
	for asker := range 2 {
		asking.Go(func() {
			gone := map[int]bool{}
			for n := asker; ; n = (n + 7) % holders {
				select {
				case <-done:
					return
				default:
				}
				found, err := w.index.Find(context.Background(), holder(citizen(n)), []exchange.EvidenceType{marriage})
				if err != nil {
					t.Error(err)
					return
				}
				switch held, unknown := len(found.Records) == 1, found.Sources[0].HolderQuarantined; {
				case held == unknown:
					t.Errorf("holder %d: held %v, unknown %v", n, held, unknown)
				case held && gone[n]:
					t.Errorf("holder %d is there again", n)
				default:
					gone[n] = unknown
				}
			}
		})
	}
	for i := range orders {
		if err := w.index.Fold(t.Context(), orders[i:i+1]); err != nil {
			t.Error(err)
		}
	}
	close(done)
	asking.Wait()
}

// meddling is an engine that lets something happen before it reads.
type meddling struct {
	holdings.Engine
	meddle func() // once
}

func (m *meddling) Scan(ctx context.Context, prefixes [][]byte, yield func(key, value []byte) bool) error {
	if meddle := m.meddle; meddle != nil {
		m.meddle = nil
		meddle()
	}
	return m.Engine.Scan(ctx, prefixes, yield)
}

// meddled is a world whose engine can be meddled with.
func meddled(t *testing.T) (*world, *meddling) {
	w := newObedient(t)
	engine := &meddling{Engine: w.store}
	c := w.config()
	c.Engine = engine
	var err error
	if w.index, err = holdings.New(c); err != nil {
		t.Fatal(err)
	}
	w.index.ErasuresUpTo(0)
	return w, engine
}

// TestOrderWhileSomebodyAsks comes when Find has looked at memory and not yet at the rows.
func TestOrderWhileSomebodyAsks(t *testing.T) {
	for name, order := range map[string]func(*world) exchange.Message{
		"on the holder":     func(w *world) exchange.Message { return w.forgetHolder(1, citizen(1)) },
		"on another holder": func(w *world) exchange.Message { return w.forgetHolder(1, citizen(2)) },
		"on the record":     func(w *world) exchange.Message { return w.forgetRecord(1, marriage, "J430281-2018-000001") },
	} {
		t.Run(name, func(t *testing.T) {
			w, engine := meddled(t)
			large := wed(1, citizen(1), citizen(2))
			large.name = strings.Repeat("瓷", 12_000)
			w.state(large)
			w.fold(w.beat("mzj/marriages", marriage))
			m := order(w)
			engine.meddle = func() { w.fold(m) }
			held, unknown := name == "on another holder", name == "on the holder"
			found := w.find(citizen(1), marriage)
			if engine.meddle != nil || (len(found.Records) == 1) != held || found.Sources[0].HolderQuarantined != unknown || found.Inputs[erasure.Topic][0] != 1 {
				t.Errorf("found %d records, %+v, inputs %v", len(found.Records), found.Sources, found.Inputs)
			}
		})
	}
}

// TestOrderWhileEvidenceIsFolded comes when a message about the record is being opened, and when its rows are being made.
func TestOrderWhileEvidenceIsFolded(t *testing.T) {
	rows := func(w *world) (n int) {
		if err := w.store.Scan(t.Context(), [][]byte{[]byte("h"), []byte("r")}, func(_, _ []byte) bool { n++; return true }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	t.Run("being opened", func(t *testing.T) {
		w := newObedient(t)
		order := w.forgetRecord(1, marriage, "J430281-2018-000001")
		m := w.seal(wed(1, citizen(1)))
		opened := 0
		w.index.Without(func(m *exchange.Message) (envelope.Opened, error) {
			if opened++; opened == 1 {
				w.fold(order)
			}
			return w.opener.Record(t.Context(), m)
		}, func(*envelope.Opened) (schemas.Facts, error) {
			return schemas.Facts{Status: exchange.Valid, Holders: []exchange.Holder{holder(citizen(1))}}, nil
		})
		w.fold(m, m)
		if n := w.index.Counts().Refused["erased"]; n != 2 || opened != 1 || rows(w) != 0 {
			t.Errorf("%d refused, %d opened, %d rows", n, opened, rows(w))
		}
	})
	t.Run("being stored", func(t *testing.T) {
		w, engine := meddled(t)
		w.state(wed(1, citizen(1)))
		w.restart() // so that it is asked what there is of the record
		engine.Engine = w.store
		c := w.config()
		c.Engine = engine
		var err error
		if w.index, err = holdings.New(c); err != nil {
			t.Fatal(err)
		}
		w.index.ErasuresUpTo(0)
		order := w.append(w.forgetRecord(1, marriage, "J430281-2018-000001"))
		carried := make(chan error, 1)
		engine.meddle = func() {
			go func() { carried <- w.index.Fold(context.Background(), order) }()
			select { // it must wait: this is long enough for one that does not
			case err := <-carried:
				carried <- err
			case <-time.After(100 * time.Millisecond):
			}
		}
		w.state(wed(2, citizen(1)))
		if err := <-carried; err != nil || engine.meddle != nil || rows(w) != 0 {
			t.Errorf("%v, %d rows", err, rows(w))
		}
	})
}

// failing is an engine whose next commits fail.
type failing struct {
	holdings.Engine
	commits int
}

func (f *failing) Commit(ctx context.Context, rows []holdings.Row) error {
	if f.commits > 0 {
		f.commits--
		return errors.New("disk full")
	}
	return f.Engine.Commit(ctx, rows)
}

// TestOrderThatCouldNotBeStored hides at once what it is about, and is carried out when it is given again.
func TestOrderThatCouldNotBeStored(t *testing.T) {
	w := newObedient(t)
	w.state(wed(1, citizen(1)))
	order, lift := w.append(w.forgetHolder(1, citizen(1)))[0], published(1, w.append(w.lift(2, 1))[0])
	engine := &failing{Engine: w.store}
	c := w.config()
	c.Engine = engine
	var err error
	if w.index, err = holdings.New(c); err != nil {
		t.Fatal(err)
	}
	w.index.ErasuresUpTo(0)
	for _, m := range []exchange.Message{order, lift} {
		engine.commits = 2
		for range 2 {
			if err := w.index.Fold(t.Context(), []exchange.Message{m}); err == nil {
				t.Fatal("an order that was not stored is folded")
			}
			if got := w.records(citizen(1)); got != "" {
				t.Errorf("found %q", got)
			}
		}
		if err := w.index.Fold(t.Context(), []exchange.Message{m}); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.index.Counts().Duplicates; n != 0 {
		t.Errorf("%d duplicates", n)
	}
	w.again()
	if got := w.records(citizen(1)); got != "" {
		t.Errorf("found %q", got)
	}
	w.fold(published(2, w.seal(wed(2, citizen(1)))))
	if w.records(citizen(1)) == "" {
		t.Error("the lift is not kept")
	}
}

// TestPurgeLeavesNoBytes looks for the sealed rows of who must be forgotten in all files of the index, before and after.
func TestPurgeLeavesNoBytes(t *testing.T) {
	w := newObedient(t)
	const holders = 300
	for n := range holders {
		s := wed(1, citizen(n))
		if s.natural = fmt.Sprintf("J430281-2018-%06d", n); n == 7 {
			s.holders = append(s.holders, citizen(holders))
		}
		w.state(s)
	}
	sealed := func(number string) (rows [][]byte) {
		owned, err := w.index.Owned(t.Context(), holder(number))
		if err != nil {
			t.Fatal(err)
		}
		prefixes := [][]byte{append([]byte("h"), owned.Token[:]...)}
		for _, r := range owned.Alone {
			prefixes = append(prefixes, append([]byte("r"), r.ID[:]...))
		}
		if err := w.store.Scan(t.Context(), prefixes, func(_, value []byte) bool { rows = append(rows, bytes.Clone(value)); return true }); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	gone, left := sealed(citizen(3)), sealed(citizen(4))
	gone = append(gone, sealed(citizen(7))...)
	record := w.forgetRecord(1, marriage, fmt.Sprintf("J430281-2018-%06d", 5))
	gone = append(gone, sealed(citizen(5))...)
	if len(gone) != 5 || len(left) != 2 {
		t.Fatalf("%d rows to go, %d to stay", len(gone), len(left))
	}
	count := func(rows [][]byte) (n int) {
		t.Helper()
		files, _ := readAll(t, w.dir)
		for _, row := range rows {
			for _, content := range files {
				if bytes.Contains(content, row) {
					n++
					break
				}
			}
		}
		return n
	}
	if err := w.store.Close(); err != nil { // so that they are in files
		t.Fatal(err)
	}
	w.open()
	w.index.ErasuresUpTo(0)
	if count(gone) != len(gone) || count(left) != len(left) {
		t.Fatalf("before: %d and %d of the rows are in files", count(gone), count(left))
	}
	orders := []exchange.Message{w.forgetHolder(2, citizen(3)), record, w.forgetHolder(3, citizen(7))}
	var places []string
	for n, natural := range []int{3, 7, 5} {
		owned, _ := w.index.Owned(t.Context(), holder(citizen(natural)))
		places = append(places, "h"+string(owned.Token[:]))
		if n != 1 { // the record of two stays, its traces change
			places = append(places, "r"+string(owned.Alone[0].ID[:]))
		} else {
			places = append(places, "r"+string(owned.Shared[0].ID[:]))
		}
	}
	w.fold(orders...)
	w.again() // what is to be purged is not forgotten
	for _, place := range places {
		if !slices.ContainsFunc(w.toPurge(), func(prefix string) bool { return strings.HasPrefix(prefix, place) }) {
			t.Errorf("%.1s… is not purged", place)
		}
	}
	for range 2 {
		if err := w.index.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(gone); n != 0 {
		t.Errorf("after: %d rows of who is forgotten are in files", n)
	}
	if n := count(left); n != len(left) {
		t.Errorf("after: %d rows of somebody else are left", n)
	}
	if got := w.records(citizen(holders)); got == "" {
		t.Error("the other holder's record is gone")
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	w.fold(w.forgetHolder(4, citizen(9)))
	if err := w.index.Purge(stopped); !errors.Is(err, context.Canceled) {
		t.Errorf("cut off: %v", err)
	}
	if len(w.toPurge()) == 0 {
		t.Error("what was cut off is forgotten")
	}
	if err := w.index.Purge(t.Context()); err != nil || len(w.toPurge()) != 0 {
		t.Errorf("what was cut off is not done again: %v", err)
	}
}

// toPurge lists where rows were deleted that may still be in files.
func (w *world) toPurge() (prefixes []string) {
	w.t.Helper()
	if err := w.store.Scan(w.t.Context(), [][]byte{[]byte("p")}, func(key, _ []byte) bool { prefixes = append(prefixes, string(key[9:])); return true }); err != nil {
		w.t.Fatal(err)
	}
	return prefixes
}
