package holdings_test

import (
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// TestWhatWasRefusedCountsAgainstTheSource: a version that cannot be taken may say anything, so its record vouches for nothing
// and nobody else can be said to have nothing, until a newer version can be taken.
func TestWhatWasRefusedCountsAgainstTheSource(t *testing.T) {
	w := newWorld(t)
	licenceOf := func(n, version int) statement {
		return statement{of: licence, natural: company(n), version: version, holders: []string{company(n)}, name: "x"}
	}
	stranger := newWorld(t) // another exchange: what is sealed to it cannot be opened here
	look := func(when string, refused int64, first, second bool) {
		t.Helper()
		for range 2 {
			for number, want := range map[int]bool{1: first, 2: second} {
				s := w.find(company(number), licence).Sources
				if len(s) != 1 || s[0].Refused != refused || s[0].HolderQuarantined != want {
					t.Errorf("%s: company %d: %+v", when, number, s)
				}
			}
			w.restart()
		}
	}
	w.fold(w.heartbeat(said(1, 0)))
	w.state(licenceOf(1, 1), licenceOf(2, 1))
	look("at first", 0, false, false)

	lost := stranger.seal(licenceOf(1, 2))
	copy(lost.Key, w.seal(licenceOf(1, 2)).Key)
	w.fold(lost)
	look("after a version sealed to somebody else", 1, true, false)

	unknown := w.draft("scjg/licences", envelope.Draft{Type: licence, ID: exchange.RecordID{9}, Version: 1, Schema: "00000000-0000-0000-0000-000000000001", Payload: []byte("{}"), At: noon}, 0)
	w.fold(unknown)
	look("after a record nobody can describe", 2, true, false)

	foreign := w.draft("gaj/licences", envelope.Draft{Type: licence, ID: exchange.RecordID{8}, Version: 1, Schema: "00000000-0000-0000-0000-000000000001", Payload: []byte("{}"), At: noon}, 0)
	w.fold(foreign)
	look("what others write says nothing of the keeper's records", 2, true, false)

	w.state(licenceOf(1, 3))
	look("after a newer version", 1, false, false)
}
