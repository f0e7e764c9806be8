package ledger

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/onedoor/yimen/exchange"
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
