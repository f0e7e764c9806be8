package ledger

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/folded"
)

// TestIndexOfAnotherFormatIsTold: it is not made anew unasked, and whoever deletes it has it made of the log.
func TestIndexOfAnotherFormatIsTold(t *testing.T) {
	w := opened(t)
	dir := filepath.Join(w.cfg.Dir, indexDir)
	w.ask(20)
	w.fill()
	w.close()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	other, err := folded.Open(folded.Config{Dir: dir, Of: "audit index", Format: indexFormat + 1, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(other.Commit(nil, 20), other.Close()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		l, err := Open(t.Context(), w.cfg)
		var p *exchange.Problem
		if !errors.As(err, &p) || p.Code != "YM-AUD-0303" {
			t.Fatalf("opened as %v, %v", l, err)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	w.open()
	if next, err := w.index.next(); next != 20 || err != nil {
		t.Errorf("next is %d, %v", next, err)
	}
}

// TestIDsOfAnyTime: whatever is greater than all that are indexed is new, and what is not must be looked for: that may be new as well, where
// clocks differ; and all of it holds after a restart.
func TestIDsOfAnyTime(t *testing.T) {
	w := opened(t)
	w.ask(3)
	w.fill()
	put := func(m exchange.Message) {
		w.topic.Append(t.Context(), audit.Topic, []exchange.Message{{Topic: audit.Topic, Key: m.Key, Value: m.Value}})
	}
	w.close()
	w.open()
	first, last := w.topic.msgs[0], w.topic.msgs[2]
	put(last)
	put(first)
	w.clock.forward(-time.Hour)
	w.ask(1)
	w.fill()
	put(w.topic.msgs[5])
	w.fill()
	var kinds []leafKind
	for _, l := range w.leaves() {
		kinds = append(kinds, l.kind)
	}
	if want := []leafKind{entryLeaf, entryLeaf, entryLeaf, againLeaf, againLeaf, entryLeaf, againLeaf}; !slices.Equal(kinds, want) {
		t.Errorf("%v, want %v", kinds, want)
	}
}
