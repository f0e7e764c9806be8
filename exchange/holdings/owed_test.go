package holdings_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/holdings"
)

// TestOwed looks which messages get tombstones, and that each does once.
func TestOwed(t *testing.T) {
	w := newObedient(t)
	alone := statement{of: licence, natural: company(1), version: 1, holders: []string{company(1)}, name: "x", partition: 2}
	next := alone
	next.version, next.partition = 2, 2
	w.state(alone, next, wed(1, citizen(1), citizen(2)))
	w.fold(w.rejection(envelope.Rejection{Adapter: "scjg/licences", Type: licence, Row: [16]byte{1}, Holders: []exchange.Holder{holder(company(1))}, At: noon}),
		w.rejection(envelope.Rejection{Adapter: "scjg/licences", Type: licence, Row: [16]byte{2}, Holders: []exchange.Holder{holder(company(1)), holder(company(2))}, At: noon}))
	owed := func(when string, want ...string) []exchange.Message {
		t.Helper()
		for range 2 {
			all, err := w.index.Owed(t.Context(), noon)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range all {
				if got = append(got, fmt.Sprintf("%s/%d %d %d", m.Topic, m.Partition, m.Key[len(m.Key)-1], len(m.Route))); m.Value != nil {
					t.Errorf("%s: a tombstone has a value", when)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s: owed %q, want %q", when, got, want)
			}
			w.again()
		}
		all, _ := w.index.Owed(t.Context(), noon)
		return all
	}
	owned, err := w.index.Owned(t.Context(), holder(citizen(1)))
	if err != nil || len(owned.Alone) != 0 || len(owned.Shared) != 1 || owned.Shared[0].Type != marriage {
		t.Errorf("owned %+v, %v", owned, err)
	}
	owed("at first")
	w.fold(w.forgetHolder(1, citizen(1)))
	owed("a shared record stays")
	w.fold(w.forgetHolder(2, company(1)))
	tombstones := owed("a record of one holder goes, with the row that is about nobody else",
		"evidence.business-licence/2 1 16", "evidence.business-licence/2 2 16", "quarantine.scjg/0 0 0")
	later := next
	later.version = 3
	w.state(later)
	w.fold(w.rejection(envelope.Rejection{Adapter: "scjg/licences", Type: licence, Row: [16]byte{3}, Holders: []exchange.Holder{holder(company(1))}, At: noon}))
	owed("what came later", "evidence.business-licence/2 1 16", "evidence.business-licence/2 2 16", "evidence.business-licence/2 3 16", "quarantine.scjg/0 0 0", "quarantine.scjg/0 0 0")
	w.fold(tombstones...)
	owed("after the tombstones", "evidence.business-licence/2 3 16", "quarantine.scjg/0 0 0")
	w.fold(w.forgetHolder(3, citizen(2)))
	owed("the last holder of a shared record", "evidence.business-licence/2 3 16", "evidence.marriage-certificate/0 1 16", "quarantine.scjg/0 0 0")
	w.fold(w.forgetRecord(4, licence, company(9)))
	unread := exchange.Message{Topic: "evidence.business-licence", Value: []byte("not even sealed"), Partition: 1, Key: binaryKey(w.sealer("scjg/licences").RecordID(licence, company(9)), 7)}
	w.fold(unread)
	owed("a record that nobody could read", "evidence.business-licence/1 7 16", "evidence.business-licence/2 3 16", "evidence.marriage-certificate/0 1 16", "quarantine.scjg/0 0 0")
	want := map[holdings.Reason]int64{"erased": 3}
	if got := w.index.Counts().Refused; len(got) != 1 || got["erased"] != want["erased"] {
		t.Errorf("refused %v, want %v", got, want)
	}
}

func binaryKey(id exchange.RecordID, version byte) []byte {
	return append(append(id[:], 0, 0, 0, 0, 0, 0, 0), version)
}

// TestPurgeLeavesNoBytes looks for the sealed rows of who must be forgotten in all files of the index, before and after.
func TestPurgeLeavesNoBytes(t *testing.T) {
	w := newObedient(t)
	const holders = 300
	for n := range holders {
		s := wed(1, citizen(n))
		if s.natural = fmt.Sprintf("J430281-2018-%06d", n); n == 7 {
			s.holders = append(s.holders, citizen(holders))
		}
		w.state(s)
	}
	sealed := func(number string) (rows [][]byte) {
		owned, err := w.index.Owned(t.Context(), holder(number))
		if err != nil {
			t.Fatal(err)
		}
		prefixes := [][]byte{append([]byte("h"), owned.Token[:]...)}
		for _, r := range owned.Alone {
			prefixes = append(prefixes, append([]byte("r"), r.ID[:]...))
		}
		if err := w.store.Scan(t.Context(), prefixes, func(_, value []byte) bool { rows = append(rows, bytes.Clone(value)); return true }); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	gone, left := sealed(citizen(3)), sealed(citizen(4))
	gone = append(gone, sealed(citizen(7))...)
	record := w.forgetRecord(1, marriage, fmt.Sprintf("J430281-2018-%06d", 5))
	gone = append(gone, sealed(citizen(5))...)
	if len(gone) != 5 || len(left) != 2 {
		t.Fatalf("%d rows to go, %d to stay", len(gone), len(left))
	}
	count := func(rows [][]byte) (n int) {
		t.Helper()
		files, _ := readAll(t, w.dir)
		for _, row := range rows {
			for _, content := range files {
				if bytes.Contains(content, row) {
					n++
					break
				}
			}
		}
		return n
	}
	if err := w.store.Close(); err != nil { // so that they are in files
		t.Fatal(err)
	}
	w.open()
	w.index.ErasuresUpTo(0)
	if count(gone) != len(gone) || count(left) != len(left) {
		t.Fatalf("before: %d and %d of the rows are in files", count(gone), count(left))
	}
	orders := []exchange.Message{w.forgetHolder(2, citizen(3)), record, w.forgetHolder(3, citizen(7))}
	var places []string
	for n, natural := range []int{3, 7, 5} {
		owned, _ := w.index.Owned(t.Context(), holder(citizen(natural)))
		places = append(places, "h"+string(owned.Token[:]))
		if n != 1 { // the record of two stays, its traces change
			places = append(places, "r"+string(owned.Alone[0].ID[:]))
		} else {
			places = append(places, "r"+string(owned.Shared[0].ID[:]))
		}
	}
	w.fold(orders...)
	w.again() // what is to be purged is not forgotten
	for _, place := range places {
		if !slices.ContainsFunc(w.toPurge(), func(prefix string) bool { return strings.HasPrefix(prefix, place) }) {
			t.Errorf("%.1s… is not purged", place)
		}
	}
	for range 2 {
		if err := w.index.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(gone); n != 0 {
		t.Errorf("after: %d rows of who is forgotten are in files", n)
	}
	if n := count(left); n != len(left) {
		t.Errorf("after: %d rows of somebody else are left", n)
	}
	if got := w.records(citizen(holders)); got == "" {
		t.Error("the other holder's record is gone")
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	w.fold(w.forgetHolder(4, citizen(9)))
	if err := w.index.Purge(stopped); !errors.Is(err, context.Canceled) {
		t.Errorf("cut off: %v", err)
	}
	if len(w.toPurge()) == 0 {
		t.Error("what was cut off is forgotten")
	}
	if err := w.index.Purge(t.Context()); err != nil || len(w.toPurge()) != 0 {
		t.Errorf("what was cut off is not done again: %v", err)
	}
}

// toPurge lists where rows were deleted that may still be in files.
func (w *world) toPurge() (prefixes []string) {
	w.t.Helper()
	if err := w.store.Scan(w.t.Context(), [][]byte{[]byte("p")}, func(key, _ []byte) bool { prefixes = append(prefixes, string(key[9:])); return true }); err != nil {
		w.t.Fatal(err)
	}
	return prefixes
}

// TestSecondTombstone: on topics that are compacted a message is owed two tombstones, the second once the first has rested, also
// where the index was closed in between, where another node said one too early, and however late the first came.
func TestSecondTombstone(t *testing.T) {
	w := newObedient(t)
	w.rest = time.Hour
	w.again()
	w.state(statement{of: licence, natural: company(1), version: 1, holders: []string{company(1)}, name: "x", partition: 2})
	w.fold(w.forgetHolder(1, company(1)))
	owed := func(when string, at time.Duration, want int) []exchange.Message {
		t.Helper()
		w.again()
		all, err := w.index.Owed(t.Context(), noon.Add(at))
		if err != nil || len(all) != want {
			t.Fatalf("%s: %d owed, want %d, %v", when, len(all), want, err)
		}
		return all
	}
	come := func(m exchange.Message, at time.Duration) {
		m.Time = noon.Add(at)
		w.fold(m)
	}
	first := owed("at first", 0, 1)[0]
	if !first.Time.IsZero() {
		t.Error("one is said to have come back")
	}
	owed("late", 100*time.Hour, 1)
	come(first, 100*time.Hour)
	owed("while the first rests", 101*time.Hour, 0)
	come(first, 100*time.Hour+time.Minute) // another node's
	owed("while the first rests still", 101*time.Hour, 0)
	second := owed("after the rest", 101*time.Hour+time.Second, 1)[0]
	if !second.Time.Equal(noon.Add(100 * time.Hour)) {
		t.Errorf("the first came at %s", second.Time)
	}
	come(second, 101*time.Hour) // by a clock that is ahead of Kafka's: too early
	owed("after one too early", 101*time.Hour+time.Second, 1)
	come(second, 101*time.Hour+time.Second)
	owed("at last", 1000*time.Hour, 0)
}
