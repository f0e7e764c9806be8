package limits

import (
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange/contract"
)

// Each is told what it has left itself: less with its own queries, nothing of others', all again when the hour is over.
func TestLeft(t *testing.T) {
	w := newWorld(t, Rules{SpeaksFor: map[string]int{"xzsp/hall": 3}}, 2)
	left := func(clerk string) (all [4]int) {
		for i, q := range w.nodes[1].Left("xzsp", clerk) {
			all[i] = q.Left
		}
		return all
	}
	for range 3 {
		if err := w.ask(about("one")); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.ask(about("two")); err != nil {
		t.Fatal(err)
	}
	for clerk, want := range map[string][4]int{"w1": {176, 58, 596, 198}, "w2": {180, 60, 600, 200}, "hall": {540, 180, 1800, 600}} {
		if got := left(clerk); got != want {
			t.Errorf("%s has %v, want %v", clerk, got, want)
		}
	}
	first := w.nodes[0].Left("xzsp", "w1")[1]
	if want := (contract.Quota{Name: "subjects_hour", Unit: "subjects", Most: 60, Left: 58, Window: time.Hour, Until: time.Hour}); first != want {
		t.Errorf("%+v", first)
	}
	w.now = w.now.Add(time.Hour)
	if got := left("w1"); got != [4]int{180, 60, 596, 198} {
		t.Errorf("in the next hour: %v", got)
	}
	for w.ask() == nil {
	}
	if got := left("w1"); got[1] != 0 {
		t.Errorf("when a budget is spent: %v", got)
	}
	if none := newWorld(t, Unbounded(), 1); none.nodes[0].Left("xzsp", "w1") != nil {
		t.Error("a bound where there is none")
	}
}
