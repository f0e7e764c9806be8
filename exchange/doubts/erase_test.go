package doubts

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// erases looks for what must go, and gives the keys of the tombstones that were appended.
func (w *world) erases(b *Book, said map[string]time.Time) (keys []string) {
	w.Helper()
	before := len(w.written.All())
	if err := errors.Join(b.erase(w.Context(), said), b.Settled(w.Context())); err != nil {
		w.Fatal(err)
	}
	for _, m := range w.written.All()[before:] {
		if m.Value != nil || m.Topic != TextsTopic {
			w.Errorf("no tombstone: %+v", m)
		}
		keys = append(keys, string(m.Key))
	}
	return keys
}

// TestTextsAreErased: once a record is ordered to be forgotten, what was written of it gets its two tombstones, and no more; the acts stay, and
// so does what they come to.
func TestTextsAreErased(t *testing.T) {
	w := newWorld(t)
	w.does(keeper, w.raise(), Accept, "更正为李四光路")
	said := map[string]time.Time{}
	step := func(what string, wait time.Duration, want int) {
		t.Helper()
		w.now = w.now.Add(wait)
		if got := w.erases(w.Book, said); len(got) != want {
			t.Errorf("%s: tombstones of %v, want %d", what, got, want)
		}
	}
	step("nothing is forgotten", 48*time.Hour, 0)
	w.turns = nil // that nothing is known of the record is no order: an index may be new
	step("nothing is known", time.Hour, 0)
	w.gone = true
	step("the order", 0, 2)
	step("a moment later", 5*time.Minute, 0)
	step("after Kafka's rest", time.Hour, 2)
	step("later", 48*time.Hour, 0)

	w.turns, w.gone = []exchange.Turn{{Version: 5}}, false // the order is lifted
	for _, b := range []*Book{w.Book, w.book()} {          // folded anew it is the same
		all, err := b.show(t.Context(), clerk, b.known(clerk))
		if err != nil || len(all) != 1 || all[0].Version != 2 || all[0].Status != Accepted || all[0].Reason+all[0].Answer != "" || all[0].Fields == nil {
			t.Errorf("%+v, %v", all, err)
		}
		if got := w.erases(b, map[string]time.Time{}); len(got) != 0 {
			t.Errorf("tombstones of %v", got)
		}
	}
}

// TestErasedTextsAreGoneFromANodeThatStarts: where Kafka has compacted the topic, nothing is left but perhaps a tombstone, and nothing is owed.
func TestErasedTextsAreGoneFromANodeThatStarts(t *testing.T) {
	w := newWorld(t)
	w.raise()
	tombstone := exchange.Message{Topic: TextsTopic, Key: w.written.All()[0].Key}
	fresh := newWorld(t)
	if err := fresh.written.Append(t.Context(), TextsTopic, []exchange.Message{tombstone}); err != nil {
		t.Fatal(err)
	}
	if err := fresh.Book.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	fresh.gone = true
	fresh.now = fresh.now.Add(48 * time.Hour)
	if got := fresh.erases(fresh.Book, map[string]time.Time{}); len(got) != 0 {
		t.Errorf("tombstones of %v", got)
	}
}

// TestUnnamedTextsGo: a text whose act never came, or was too late, does not stay.
func TestUnnamedTextsGo(t *testing.T) {
	w := newWorld(t)
	s := w.raise()
	w.does(clerk, s, Withdraw, "")
	if _, err := w.Decide(t.Context(), keeper, s.ID, Decision{Reject, s.Version, "与登记一致"}); code(err) != "YM-DBT-0105" { // it was too late
		t.Fatal(err)
	}
	if _, err := w.Book.texts.write(t.Context(), textKey("d-none", "E"), []byte("sealed")); err != nil {
		t.Fatal(err)
	}
	said := map[string]time.Time{}
	w.now = w.now.Add(unnamedFor)
	if got := w.erases(w.Book, said); len(got) != 0 {
		t.Errorf("too early: tombstones of %v", got)
	}
	w.now = w.now.Add(time.Second)
	got := w.erases(w.Book, said)
	if len(got) != 2 || got[0] != textKey("d-none", "E") && got[1] != textKey("d-none", "E") {
		t.Errorf("tombstones of %v", got)
	}
	if s := w.list(clerk)[0]; s.Reason == "" {
		t.Errorf("what an act names is gone: %+v", s)
	}
}

// TestAnotherTextIsNotTaken: what stands there must be what the act names.
func TestAnotherTextIsNotTaken(t *testing.T) {
	w := newWorld(t)
	w.raise()
	first := w.written.All()[0]
	other := first
	other.Value = append([]byte{}, first.Value...)
	other.Value[0] ^= 1
	if err := w.written.Append(t.Context(), TextsTopic, []exchange.Message{other}); err != nil {
		t.Fatal(err)
	}
	if err := w.Book.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.show(t.Context(), clerk, w.known(clerk)); err == nil || !strings.Contains(err.Error(), "not as it was sealed") {
		t.Errorf("%v", err)
	}
}

// TestTextsInsideTheAct: what was written before it had a topic of its own is shown as ever.
func TestTextsInsideTheAct(t *testing.T) {
	w := newWorld(t)
	seal, err := w.sealer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e := &entry{Format: sealedInside, ID: "E1", At: w.now, By: clerk.Name, Doubt: "d-old", Act: Raise,
		About: &about{Department: "xzsp", Receipt: "R1", Evidence: "business-licence", Record: licence, Version: 7, Fields: []string{"address"}}}
	e.Sealed = seal.Seal(nil, nil, []byte(said), []byte(place(e.Doubt, e.ID)))
	m, err := e.message()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cfg.Journal.Add(t.Context(), e.ID, m); err != nil {
		t.Fatal(err)
	}
	if all := w.list(clerk); len(all) != 1 || all[0].Reason != said {
		t.Errorf("%+v", all)
	}
	e.Text = []byte{1}
	if m, _ = e.message(); m.Value == nil {
		t.Fatal("no message")
	}
	if _, err := parseEntry(m.Value); err == nil {
		t.Error("a text in two places is read")
	}
}

// away is a topic onto which nothing can be written.
type away struct{ dated }

func (away) Append(context.Context, string, []exchange.Message) error { return errors.New("no room") }

// TestNoActWithoutItsText: where what was written cannot be kept nothing is done.
func TestNoActWithoutItsText(t *testing.T) {
	w := newWorld(t)
	w.Book.texts = newTexts(&Config{Topics: away{w.written}})
	if _, err := w.Raise(t.Context(), clerk, raising()); code(err) != "YM-DBT-0302" || exchange.KindOf(err) != exchange.Unavailable || len(w.topic.All()) != 0 {
		t.Errorf("%v, %d entries", err, len(w.topic.All()))
	}
}

// TestTextsThatAreBehind: where the topic is not read to its end, nobody is told that nothing was written.
func TestTextsThatAreBehind(t *testing.T) {
	w := newWorld(t)
	w.raise()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	behind := newTexts(&Config{Topics: w.written})
	if _, err := behind.get(ctx, string(w.written.All()[0].Key)); code(err) != "YM-DBT-0303" {
		t.Errorf("%v", err)
	}
}
