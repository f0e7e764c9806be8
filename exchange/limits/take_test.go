package limits

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
)

// messages are entries as they lie in the topic, with all that an answer was made from.
func messages(t testing.TB, entries []audit.Entry) []exchange.Message {
	t.Helper()
	msgs := make([]exchange.Message, len(entries))
	for i, e := range entries {
		e.Catalogue, e.Evaluated = "v1", e.Time
		e.Inputs = exchange.InputsOf(map[string]map[int]int64{"evidence.business-licence": {0: 12, 1: 13}})
		if e.Found && e.Materials == nil {
			e.Materials = []audit.Material{{Material: "licence", Outcome: exchange.Held, Evidence: []audit.Evidence{{Type: "business-licence", Outcome: exchange.Held,
				Record: "00112233445566778899aabbccddeeff", Version: 3}, {Type: "id-card", Outcome: exchange.Supply, Reason: exchange.NotHeld}}}}
		}
		e = spelt(e)
		value, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		msgs[i] = exchange.Message{Topic: audit.Topic, Offset: int64(i), Key: []byte(e.ID), Value: value, Time: e.Time}
	}
	return msgs
}

// spelt is an entry whose members have the form that the log holds them to.
func spelt(e audit.Entry) audit.Entry {
	e.ID, e.Time, e.Subject = idOf(&e), e.Time.Truncate(time.Millisecond), token(e.Subject)
	if e.Case != "" {
		e.Case = "LL-2026-" + e.Case
	}
	parties := make(map[exchange.Role]audit.Party, len(e.Parties))
	for role, p := range e.Parties {
		p.Subject = token(p.Subject)
		parties[role] = p
	}
	e.Parties = parties
	return e
}

// idOf is an id that an entry can have on the topic, another for each that a test gives it.
func idOf(e *audit.Entry) string {
	return audit.FirstID(e.Time)[:10] + strings.ToUpper(token(e.ID)[:16])
}

// token is one that stands for nobody, another for each subject.
func token(subject string) string {
	sum := sha256.Sum256([]byte(subject))
	return hex.EncodeToString(sum[:])
}

// What is read off the topic comes to the same as the entries themselves, in whatever batches it comes.
func TestTake(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 40 {
		entries := someDays(r)
		w := newWorld(t, Rules{Suspend: tight}, 2)
		w.now = monday.AddDate(0, 1, 0)
		for i := range entries {
			w.nodes[0].Fold(&entries[i])
		}
		msgs := messages(t, entries)
		for len(msgs) > 0 {
			n := 1 + r.IntN(len(msgs))
			if err := w.nodes[1].Take(t.Context(), msgs[:n]); err != nil {
				t.Fatal(err)
			}
			msgs = msgs[n:]
		}
		if one, other := w.nodes[0].state(), w.nodes[1].state(); one != other || one == "" {
			t.Fatalf("folded\n%s\ntaken\n%s", one, other)
		}
		w.suspended(w.nodes[0].list()...)
	}
}

// What the bus has read for all who follow comes to the same, and is as it was when several have taken it.
func TestTakeWhatOthersHave(t *testing.T) {
	w := newWorld(t, Rules{Suspend: tight}, 3)
	w.now = monday.AddDate(0, 1, 0)
	msgs := messages(t, someDays(rand.New(rand.NewPCG(11, 12))))
	read := slices.Clone(msgs)
	for i := range read {
		read[i].Read = new(audit.Recent).Read(read[i].Key, read[i].Value)
	}
	var followers sync.WaitGroup
	for i, of := range [][]exchange.Message{msgs, read, read} {
		followers.Go(func() {
			if err := w.nodes[i].Take(t.Context(), of); err != nil {
				t.Error(err)
			}
		})
	}
	followers.Wait()
	if one := w.nodes[0].state(); one == "" || w.nodes[1].state() != one || w.nodes[2].state() != one {
		t.Errorf("%s\n%s\n%s", one, w.nodes[1].state(), w.nodes[2].state())
	}
	for _, m := range read {
		if !reflect.DeepEqual(m.Read, new(audit.Recent).Read(m.Key, m.Value)) {
			t.Errorf("entry %d has changed", m.Offset)
		}
	}
}

func TestTakeManyAtOnce(t *testing.T) {
	w := newWorld(t, Rules{DepartmentSubjectsDay: -1}, 1)
	var entries []audit.Entry
	for i := range 1500 {
		entries = append(entries, w.entry(by("xzsp", numbered("w", i%30)), func(e *audit.Entry) { e.Decision = audit.Answered }))
	}
	msgs := messages(t, entries)
	msgs = slices.Insert(msgs, 700, exchange.Message{Value: []byte("no entry")}, exchange.Message{}, exchange.Message{Value: []byte(`{"id":""}`)},
		exchange.Message{Value: []byte(`{"id":"x","id":"y"}`)}, exchange.Message{Value: []byte(`{"id":"x","time":"yesterday"}`)},
		exchange.Message{Value: []byte(`{"id":"x","time":"2026-11-02T01:00:00Z","materials":[{"evidence":7}]}`)})
	if err := w.nodes[0].Take(t.Context(), msgs); err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, s := range w.nodes[0].departments["xzsp"].open {
		if s != nil {
			total += s.total.queries
		}
	}
	if total != 1500 {
		t.Errorf("%d of 1500 counted", total)
	}
	families, err := w.nodes[0].metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "yimen_limits_unreadable_entries_total" && f.GetMetric()[0].GetCounter().GetValue() != 6 {
			t.Errorf("unreadable: %v", f)
		}
	}
}

// Who is suspended is told when a node has caught up; alarms of long ago are not raised again.
func TestStartTellsWhoIsSuspended(t *testing.T) {
	w := newWorld(t, Rules{}, 1)
	w.until(50, near("near"))
	w.until(50, unheld, by("xzsp", "w2"))
	w.wait(time.Minute)
	w.lift("xzsp/w2")
	n := w.start(Rules{})
	if said := n.said.String(); len(n.alarms()) > 0 || strings.Count(said, "\n") != 1 || !strings.Contains(said, "rule=neighbours department=xzsp clerk=w1") {
		t.Errorf("alarms %v, said\n%s", n.alarms(), said)
	}
}

// However long the topic, what is kept is that of the last days, of cases in use, and of those who are suspended.
func TestMemoryIsBounded(t *testing.T) {
	w := newWorld(t, Rules{}, 1)
	w.until(50, near("near"), by("gone", "w1"))
	for day := range 400 {
		w.now = monday.AddDate(0, 0, day+1)
		for range 20 {
			w.repeat(1, by("xzsp", numbered("of this month ", day/31)), nonce(numbered("n", w.ids)))
			w.wait(time.Minute)
		}
	}
	n := w.nodes[0]
	if clerks := n.departments["xzsp"].clerks; len(clerks) > 3 {
		t.Errorf("%d clerks are remembered", len(clerks))
	}
	if kept := len(n.cases.younger.first) + len(n.cases.older.first); kept > 120*20 || kept < 60*20 {
		t.Errorf("%d cases are remembered", kept)
	}
	if kept := len(n.nonces.younger) + len(n.nonces.older); kept > 20 {
		t.Errorf("%d nonces are remembered", kept)
	}
	w.suspended("gone/w1 neighbours")
}

// Whatever is read, it does not panic, and what is no query of today changes nothing.
func FuzzTake(f *testing.F) {
	w := newWorld(f, Rules{}, 1)
	for _, m := range messages(f, []audit.Entry{w.entry(), w.entry(unheld, nonce("n")), {ID: "x", Kind: audit.Act, Act: LiftAct, Target: "xzsp/w1", Time: monday},
		w.entry(notAllowed), w.entry(look, func(e *audit.Entry) { e.Decision = audit.Answered }), w.entry(byToken, notAllowed)}) {
		f.Add(m.Key, m.Value)
	}
	f.Add([]byte("x"), []byte(`{"id":"x"}`))
	for _, day := range []time.Time{time.UnixMilli(0), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)} {
		for _, m := range messages(f, []audit.Entry{w.entry(func(e *audit.Entry) { e.Time = day }), {ID: "x", Kind: audit.Act, Act: LiftAct, Target: "/", Time: day}}) {
			f.Add(m.Key, m.Value)
		}
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		w := newWorld(t, Rules{}, 1)
		w.repeat(60)
		if err := w.nodes[0].Take(t.Context(), []exchange.Message{{Key: key, Value: value}, {Key: key, Value: value}}); err != nil {
			t.Fatal(err)
		}
		if e, err := audit.Skim(key, value); err != nil || e.Act != LiftAct {
			w.want("after it", w.ask(), "limited_clerk_hour")
		}
	})
}

// Many at once, in the broker's order each: with the race detector this shows what is not guarded.
func TestConcurrentUse(t *testing.T) {
	w := newWorld(t, Rules{}, 1)
	n := w.nodes[0]
	var work sync.WaitGroup
	answered := make([]int, 8)
	for g := range answered {
		work.Go(func() {
			for i := range 400 {
				e := audit.Entry{ID: fmt.Sprint(g, " ", i), Time: monday, Department: "xzsp", Clerk: numbered("w", g%2), Case: fmt.Sprint("c", g, i), Item: "i",
					Subject: fmt.Sprint(g, i), Near: fmt.Sprint(g, i), Nonce: fmt.Sprint(g, i)}
				if n.Admit(&e) == nil {
					answered[g]++
					e.Decision, e.Found = audit.Answered, true
				}
				n.Fold(&e)
				if i%100 == 0 {
					n.Suspensions()
					n.Fold(&audit.Entry{ID: "a", Kind: audit.Act, Act: LiftAct, Target: "scjg/w1", Time: monday})
				}
			}
		})
	}
	work.Wait()
	total := 0
	for _, a := range answered {
		total += a
	}
	if total != 120 { // an hour of two clerks, to the last query
		t.Errorf("%d answers", total)
	}
}
