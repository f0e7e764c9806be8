package holdings_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/erasure"
	"github.com/onedoor/yimen/exchange/holdings"
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

// TestForgotten: a record is to be forgotten as a whole where an order in force says so, and not because nothing is known of it; it is so after
// a restart too.
func TestForgotten(t *testing.T) {
	w := newObedient(t)
	const natural = "J430281-2018-000001"
	id := w.sealer(w.adapter(marriage)).RecordID(marriage, natural)
	is := func(what string, want bool) {
		t.Helper()
		for range 2 {
			if got := w.index.Forgotten(marriage, id); got != want {
				t.Errorf("%s: %v", what, got)
			}
			w.again()
		}
	}
	is("unheard of", false)
	w.fold(published(1, w.seal(wed(1, citizen(1), citizen(2)))))
	w.fold(published(2, w.forgetHolder(1, citizen(1))))
	is("of one of its two holders", false)
	w.fold(published(3, w.forgetRecord(2, marriage, natural)))
	is("the record", true)
	w.fold(published(4, w.lift(3, 2)))
	is("lifted", false)
	w.fold(published(5, w.seal(wed(2, citizen(3)))))
	if w.index.Forgotten("food-licence", id) {
		t.Error("a record of another type")
	}
}
