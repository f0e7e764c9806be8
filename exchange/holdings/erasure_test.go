package holdings_test

import (
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/holdings"
)

// ordersKey signs the orders of every test world.
var ordersKey = ed25519.NewKeyFromSeed([]byte("the exchange's orders in a test!"))

// forget is an order to forget the holder, or the record where the number is empty, on its topic.
func (w *world) forget(id, number string, of exchange.EvidenceType, record exchange.RecordID) exchange.Message {
	w.t.Helper()
	var h *exchange.Holder
	if number != "" {
		known := holder(number)
		h = &known
	}
	e, err := w.index.Forget(w.t.Context(), h, of, record)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.order(id, e)
}

func (w *world) order(id string, e holdings.Erasure) exchange.Message {
	w.t.Helper()
	e.ID, e.At, e.By, e.Basis = id, noon, "xzsp/0001", "pipl-47"
	m, err := e.Message(ordersKey)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

func marriageOf(version int, numbers ...string) statement {
	return statement{of: marriage, natural: "J430281-2018-000001", version: version, holders: numbers, name: "x"}
}

// TestForgottenHolder: what is held of somebody is gone at once, and what comes later does not come in; the other spouse keeps
// the marriage.
func TestForgottenHolder(t *testing.T) {
	a, b := citizen(1), citizen(2)
	w := newWorld(t)
	w.state(marriageOf(1, a, b), statement{of: licence, natural: "n", version: 1, holders: []string{company(1)}, name: "x"})
	w.fold(w.heartbeat(exchange.Coverage{Adapter: "mzj/marriages", Type: marriage, Alive: noon, CompleteUpTo: noon}))
	if w.records(a) == "" || w.records(b) == "" {
		t.Fatal("the test needs a marriage")
	}
	order := w.forget("1", a, "", exchange.RecordID{})
	w.fold(order)
	w.state(marriageOf(2, a, b)) // published again
	for _, restarted := range []bool{false, true} {
		if restarted {
			w.restart()
		}
		if got := w.records(a); got != "" {
			t.Errorf("restarted %v: of the forgotten is found %s", restarted, got)
		}
		if got := w.records(b); !strings.Contains(got, "@2 valid") {
			t.Errorf("restarted %v: of the other spouse is found %q", restarted, got)
		}
		if got := w.records(company(1)); got == "" {
			t.Error("somebody else is forgotten")
		}
	}
	sources := w.find(a, marriage).Sources
	if len(sources) != 1 || sources[0].Refused != 0 || sources[0].HolderQuarantined {
		t.Errorf("what is forgotten counts as missing: %+v", sources)
	}
	// Both forgotten: the record is gone, and a withdrawal of it too.
	w.fold(w.forget("2", b, "", exchange.RecordID{}))
	w.state(marriageOf(3))
	if w.records(a)+w.records(b) != "" {
		t.Error("found after both were forgotten")
	}
}

// TestWithdrawalStandsForTheOther: forgetting one of two holders must not bring back for the other what was withdrawn.
func TestWithdrawalStandsForTheOther(t *testing.T) {
	a, b := citizen(1), citizen(2)
	w := newWorld(t)
	w.state(marriageOf(1, a, b), marriageOf(2))
	before := w.records(b)
	w.fold(w.forget("1", a, "", exchange.RecordID{}))
	if got := w.records(b); got != before || !strings.Contains(got, "withdrawn") {
		t.Errorf("found %q, before %q", got, before)
	}
}

func TestForgottenRecordAndLift(t *testing.T) {
	w := newWorld(t)
	s := statement{of: licence, natural: "n", version: 1, holders: []string{company(1)}, name: "x"}
	w.state(s, statement{of: licence, natural: "m", version: 1, holders: []string{company(1)}, name: "y"})
	id := w.sealer("scjg/licences").RecordID(licence, "n")
	order := w.forget("1", "", licence, id)
	w.fold(order)
	s.version = 2
	w.state(s)
	if got := w.records(company(1)); strings.Count(got, "@") != 1 {
		t.Errorf("found %s", got)
	}
	if n := w.index.Counts().Refused["erased"]; n != 1 {
		t.Errorf("%d refused as erased", n)
	}
	w.fold(w.order("2", holdings.Erasure{Kind: holdings.EraseLift, Lifts: "1"}))
	s.version = 3
	w.state(s)
	if got := w.records(company(1)); strings.Count(got, "@") != 2 || !strings.Contains(got, "@3") {
		t.Errorf("after the lift is found %s", got)
	}
}

// TestTracesAreTombstones: the order lists every message that stands of the holder, as Kafka knows it, and no other.
func TestTracesAreTombstones(t *testing.T) {
	a := citizen(1)
	w := newWorld(t)
	single := statement{of: marriage, natural: "x", version: 1, holders: []string{a}, name: "x"}
	shared := marriageOf(1, a, citizen(2))
	msgs := []exchange.Message{w.seal(single)}
	single.version = 2
	msgs = append(msgs, w.seal(single), w.rejection(envelope.Rejection{Adapter: "mzj/marriages", Type: marriage, Row: [16]byte{7}, Code: "YM-ID-0101",
		Holders: []exchange.Holder{holder(a)}, At: noon}))
	w.fold(append(append([]exchange.Message{}, msgs...), w.seal(shared))...)
	h := holder(a)
	e, err := w.index.Forget(t.Context(), &h, "", exchange.RecordID{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, m := range msgs {
		want[m.Topic+string(m.Key)+string(m.Route)] = true
	}
	tombstones := e.Tombstones(ordersKey)
	for _, m := range tombstones {
		if !want[m.Topic+string(m.Key)+string(m.Route)] || m.Value != nil {
			t.Errorf("tombstone %+v", m)
		}
	}
	if len(tombstones) != len(want) {
		t.Errorf("%d tombstones, want %d", len(tombstones), len(want))
	}
	w.fold(w.order("1", e))
	w.fold(tombstones...)
	if refused := w.index.Counts().Refused; len(refused) != 0 {
		t.Errorf("refused %v", refused)
	}
}

// TestNothingIsFoundBeforeTheOrders: a node that was away, or an index restored from a backup, shows nothing until it has read
// what was ordered meanwhile.
func TestNothingIsFoundBeforeTheOrders(t *testing.T) {
	w := newWorld(t)
	w.state(statement{of: licence, natural: "n", version: 1, holders: []string{company(1)}, name: "x"})
	order := w.append(w.forget("1", company(1), "", exchange.RecordID{}))
	w.index.Obey(order[0].Offset + 1)
	if found, err := w.index.Find(t.Context(), holder(company(1)), []exchange.EvidenceType{licence}); exchange.KindOf(err) != exchange.Unavailable || found.Records != nil {
		t.Fatalf("%+v %v", found, err)
	}
	if err := w.index.Fold(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	if got := w.records(company(1)); got != "" {
		t.Errorf("found %s", got)
	}
}

func TestForgedErasures(t *testing.T) {
	w := newWorld(t)
	s := statement{of: licence, natural: "n", version: 1, holders: []string{company(1)}, name: "x"}
	w.state(s)
	good := w.forget("1", company(1), "", exchange.RecordID{})
	_, stranger, _ := ed25519.GenerateKey(nil)
	var forged []exchange.Message
	unsigned := good
	unsigned.Headers = nil
	moved := good
	moved.Key = []byte("2")
	resigned := unsigned
	resigned.Headers = nil
	envelope.SignOrder(stranger, &resigned)
	forged = append(forged, unsigned, moved, resigned)
	for _, value := range []string{"", "{}", `{"format":9}`, strings.Replace(string(good.Value), `"holder":"`, `"holder":"zz`, 1),
		strings.Replace(string(good.Value), `"kind":"holder"`, `"kind":"lift"`, 1), string(good.Value) + "{}"} {
		m := exchange.Message{Topic: good.Topic, Key: good.Key, Value: []byte(value)}
		envelope.SignOrder(ordersKey, &m)
		forged = append(forged, m)
	}
	w.fold(forged...)
	if n := w.index.Counts().Refused["malformed_erasure"]; n != int64(len(forged)) || w.records(company(1)) == "" {
		t.Errorf("%d of %d refused", n, len(forged))
	}
}

// TestOrderOfArrivalDoesNotMatter: evidence and orders in any order leave the same to be found.
func TestOrderOfArrivalDoesNotMatter(t *testing.T) {
	for round := range 40 {
		r := rand.New(rand.NewPCG(uint64(round), 7))
		w := newWorld(t)
		var evidence, orders []exchange.Message
		for i := range 12 {
			evidence = append(evidence, w.seal(statement{of: marriage, natural: fmt.Sprint(i % 4), version: 1 + i/4,
				holders: []string{citizen(1 + r.IntN(3)), citizen(4 + r.IntN(3))}, name: fmt.Sprint(i)}))
		}
		names := w.sealer("mzj/marriages")
		for i := range 3 {
			e := holdings.Erasure{Kind: holdings.EraseRecord, Type: marriage, Record: names.RecordID(marriage, fmt.Sprint(r.IntN(4))).String()}
			if r.IntN(2) == 0 {
				h := holder(citizen(1 + r.IntN(6)))
				e, _ = w.index.Forget(t.Context(), &h, "", exchange.RecordID{})
			}
			orders = append(orders, w.order(fmt.Sprint(i), e))
		}
		orders = append(orders, w.order("l", holdings.Erasure{Kind: holdings.EraseLift, Lifts: "nothing"}))
		evidence, orders = w.append(evidence...), w.append(orders...)
		other := w.copyTo(t.TempDir())
		fold := func(to *world, msgs []exchange.Message) {
			if err := to.index.Fold(t.Context(), msgs); err != nil {
				t.Fatal(err)
			}
		}
		fold(w, orders)
		fold(w, evidence)
		for len(evidence)+len(orders) > 0 {
			from := &evidence
			if len(evidence) == 0 || len(orders) > 0 && r.IntN(3) == 0 {
				from = &orders
			}
			n := 1 + r.IntN(len(*from))
			fold(other, (*from)[:n])
			*from = (*from)[n:]
		}
		for n := 1; n < 7; n++ {
			if one, two := w.records(citizen(n)), other.records(citizen(n)); one != two {
				t.Fatalf("round %d: found %q, and %q in another order", round, one, two)
			}
		}
	}
}

func FuzzErasure(f *testing.F) {
	f.Add([]byte("1"), []byte(`{"format":1,"id":"1","kind":"lift","at":"2026-11-23T10:00:00Z","by":"a","basis":"b","lifts":"2"}`))
	f.Add([]byte("1"), []byte(`{"format":1,"id":"1","kind":"record","at":"2026-11-23T10:00:00Z","type":"x","record":"00"}`))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		m := exchange.Message{Topic: holdings.ErasuresTopic, Key: key, Value: value}
		envelope.SignOrder(ordersKey, &m)
		w := newWorld(t)
		w.fold(m)
		refused := w.index.Counts().Refused["malformed_erasure"]
		if known := int64(len(w.index.Erasures())); refused+known != 1 {
			t.Errorf("%d refused and %d known", refused, known)
		}
	})
}
