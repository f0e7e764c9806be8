package notice

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// known is how many outcomes and events on topics the store knows of.
func (w *world) known() (n int) {
	w.Helper()
	for _, kind := range []byte{outcomeRow, toldRow} {
		rows, err := w.store.count(w.Context(), []byte{kind})
		if err != nil {
			w.Fatal(err)
		}
		n += rows
	}
	return n
}

// TestOutcomesAreForgotten: what became of old deliveries does not stay for ever, and nothing of then is told or delivered again: not when the
// record has another turn, and not by a node that has lost its data. Whoever subscribes a case then is told all of it.
func TestOutcomesAreForgotten(t *testing.T) {
	w := newWorld(t)
	hook := newReceiver(t, 0, 0)
	w.turns(licence, exchange.Valid)
	w.relies(licence, "xzsp", "LL-1")
	w.subscribed("xzsp", Wish{Case: "LL-1", URL: hook.URL})
	w.turns(licence, exchange.Suspended)
	mine := Person{Department: "xzsp"}
	w.until("the outcome", func() bool { return w.list(mine)[0].Delivered == 1 })
	w.until("the notice folded", func() bool { return w.known() == 2 })
	w.pass(kept)
	if err := w.sweep(t.Context()); err != nil || w.known() != 2 {
		t.Fatalf("%d rows before their time, %v", w.known(), err)
	}
	w.pass(25 * time.Hour)
	if err := w.sweep(t.Context()); err != nil || w.known() != 0 {
		t.Fatalf("%d rows after it, %v", w.known(), err)
	}

	w.turns(licence, exchange.Revoked)
	w.until("the next outcome", func() bool { return w.list(mine)[0].Delivered >= 2 })
	w.quiet()
	w.stop()
	w.start(t.TempDir(), time.Minute) // all is lost; it looks once it has read what was told
	w.sees(licence, []byte("sealed"))
	w.until("the fold", func() bool { return w.list(mine)[0].Delivered == 2 && w.known() == 2 })
	w.pass(time.Minute)
	w.quiet()
	want := []string{"LL-1 suspended", "LL-1 revoked"}
	if got := w.told("xzsp", 2); !slices.Equal(got, want) || len(hook.taken()) != 2 {
		t.Errorf("told %v, want %v; %d delivered", got, want, len(hook.taken()))
	}

	late := newReceiver(t, 1, http.StatusServiceUnavailable)
	w.subscribed("xzsp", Wish{Case: "LL-1", URL: late.URL})
	w.until("all for who is late", func() bool { w.pass(time.Minute); return len(late.taken()) == 2 })
	w.quiet()
	if n := len(hook.taken()); n != 2 {
		t.Errorf("%d delivered to who was there before", n)
	}
	// What is forgotten comes onto the topic once more, with the same id, for who is late.
	if on := w.topics.on(envelope.NoticesTopic("xzsp")); len(on) != 3 || on[2].Header("ce_id") != on[0].Header("ce_id") {
		t.Errorf("%d notices on the topic", len(on))
	}
}

// TestOldRowsBeginToAge: rows of a store of before, which do not say when, are kept for as long as new ones.
func TestOldRowsBeginToAge(t *testing.T) {
	w := newWorld(t)
	for _, key := range [][]byte{pairKey(outcomeRow, "s-1", "e"), append([]byte{toldRow}, "e"...)} {
		if err := w.store.put(true, row{key: key}); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		wait time.Duration
		want int
	}{{0, 2}, {known, 2}, {time.Hour, 0}} {
		w.pass(step.wait)
		if err := w.sweep(t.Context()); err != nil || w.known() != step.want {
			t.Errorf("after %v more: %d rows, %v", step.wait, w.known(), err)
		}
	}
}
