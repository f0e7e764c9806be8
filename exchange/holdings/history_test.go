package holdings_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
)

// history is a record's turns in a few words.
func (w *world) history(of exchange.EvidenceType, natural string) string {
	w.t.Helper()
	turns, err := w.index.History(w.t.Context(), of, w.sealer(w.adapter(of)).RecordID(of, natural))
	if err != nil {
		w.t.Fatal(err)
	}
	var said []string
	for _, t := range turns {
		said = append(said, fmt.Sprintf("%d %s until %s", t.Version, t.Status, t.Until))
		if t.Logged.IsZero() {
			w.t.Errorf("version %d has no time", t.Version)
		}
	}
	return strings.Join(said, ", ")
}

func TestHistory(t *testing.T) {
	w := newObedient(t)
	one, other := citizen(1), citizen(2)
	w.state(statement{of: licence, natural: "L", version: 1, holders: []string{company(1)}, name: "甲"},
		statement{of: licence, natural: "L", version: 2, holders: []string{company(1)}, name: "甲"}, // the same again
		statement{of: licence, natural: "L", version: 4, holders: []string{company(1)}, name: "乙"},
		statement{of: licence, natural: "L", version: 3, holders: []string{company(1)}, name: "甲"}, // late
		statement{of: licence, natural: "L", version: 5},
		statement{of: licence, natural: "L", version: 6},
		statement{of: marriage, natural: "M", version: 1, holders: []string{one, other}, name: "丙"})
	if got, want := w.history(licence, "L"), "1 valid until 2053-05-17, 4 valid until 2053-05-17, 5 withdrawn until "; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := w.history(licence, "unheard of"); got != "" {
		t.Errorf("of nothing: %s", got)
	}
	w.fold(w.forgetHolder(1, one)) // the other spouse is left
	if got, want := w.history(marriage, "M"), "1 valid until "; got != want {
		t.Errorf("after one was forgotten: %s", got)
	}
	w.fold(w.forgetHolder(2, other), w.forgetRecord(3, licence, "L"))
	if got := w.history(marriage, "M") + w.history(licence, "L"); got != "" {
		t.Errorf("forgotten, and still: %s", got)
	}
}
