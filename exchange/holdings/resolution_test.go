package holdings_test

import (
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// quarantinedNow says of each source of licences whether it has a row of the holder in quarantine, all that stands being stated
// at that minute.
func (w *world) quarantinedNow(number string, minute int) map[exchange.Adapter]bool {
	w.t.Helper()
	for _, adapter := range []exchange.Adapter{"scjg/licences", "scjg/archive"} {
		rests := said(minute, 0)
		rests.Adapter, rests.Rejected = adapter, map[int]int64{0: w.ends["quarantine.scjg"][0]}
		w.fold(w.heartbeat(rests))
	}
	now := map[exchange.Adapter]bool{}
	for _, s := range w.find(number, licence).Sources {
		now[s.Adapter] = s.HolderQuarantined
	}
	return now
}

// TestResolutionIsOfOneAdapter: that one adapter of a department has mended its row says nothing of another's.
func TestResolutionIsOfOneAdapter(t *testing.T) {
	w := newWorld(t)
	row := envelope.Rejection{Adapter: "scjg/licences", Type: licence, Row: [16]byte{1}, Holders: []exchange.Holder{holder(company(1))}, At: noon}
	others := row
	others.Adapter = "scjg/archive"
	early := w.resolution("scjg/archive", row.Row)
	w.fold(w.rejection(row), early)
	if now := w.quarantinedNow(company(1), 1); !now["scjg/licences"] || now["scjg/archive"] {
		t.Errorf("after another's resolution: %v", now)
	}
	w.fold(w.rejection(others))
	w.fold(w.resolution("scjg/licences", row.Row))
	if now := w.quarantinedNow(company(1), 2); now["scjg/licences"] || !now["scjg/archive"] {
		t.Errorf("after its own: %v", now)
	}
	w.fold(w.resolution("scjg/archive", row.Row))
	if now := w.quarantinedNow(company(1), 3); now["scjg/licences"] || now["scjg/archive"] {
		t.Errorf("after both: %v", now)
	}
	if n := w.index.Counts().Refused; len(n) != 0 {
		t.Errorf("refused %v", n)
	}
}

// TestRowSentAgainWithItsResolution: what was resolved, and is sent again whole, is resolved.
func TestRowSentAgainWithItsResolution(t *testing.T) {
	w := newWorld(t)
	row := envelope.Rejection{Adapter: "scjg/licences", Type: licence, Row: [16]byte{1}, Holders: []exchange.Holder{holder(company(1))}, At: noon}
	rejected, resolved := w.rejection(row), w.resolution("scjg/licences", row.Row)
	w.fold(rejected, resolved, rejected)
	if now := w.quarantinedNow(company(1), 4); !now["scjg/licences"] {
		t.Error("the row was sent again, and is not minded")
	}
	w.fold(resolved)
	if now := w.quarantinedNow(company(1), 5); now["scjg/licences"] {
		t.Error("its resolution was sent again too, and is not minded")
	}
}
