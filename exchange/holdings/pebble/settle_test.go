package pebble

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange/holdings"
)

// fill commits so many bytes in rows whose keys are all over the place.
func fill(t *testing.T, s *Store, round, size int) {
	t.Helper()
	for n := range size >> 20 {
		var rows []holdings.Row
		for i := range 64 {
			rows = append(rows, holdings.Row{Key: fmt.Appendf(nil, "h%016d/%d", (n*64+i)*7919%1_000_003, round), Value: make([]byte, 1<<14)})
		}
		if err := s.Commit(context.Background(), rows); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhatCameInBulkIsPutInOrder looks at the levels before and after.
func TestWhatCameInBulkIsPutInOrder(t *testing.T) {
	s, err := Open(Config{Dir: t.TempDir(), CacheBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.disordered(0) {
		t.Error("an empty store is in disorder")
	}
	for round := range 2 {
		fill(t, s, round, 24<<20)
		if err := s.db.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if m := s.db.Metrics(); m.Levels[0].TablesSize == 0 {
		t.Fatal("nothing lies as it came")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for { // the store does it by itself
		if m := s.db.Metrics(); m.Levels[0].TablesSize == 0 && m.Compact.NumInProgress == 0 {
			break
		}
		select {
		case <-ctx.Done():
			t.Fatal("what came in bulk is not put in order")
		case <-tick.C:
		}
	}
	fill(t, s, 2, 4<<20) // not worth it
	if err := s.db.Flush(); err != nil {
		t.Fatal(err)
	}
	if s.disordered(0) {
		t.Error("a little is put in order again and again")
	}
}

// TestCloseDoesNotWaitForOrder closes while rows are put in order.
func TestCloseDoesNotWaitForOrder(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(Config{Dir: dir, CacheBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 0, 24<<20)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.settle(ctx); err == nil {
		t.Error("a settling that was ended is none")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(Config{Dir: dir, CacheBytes: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	rows := 0
	if err := s.Scan(t.Context(), [][]byte{[]byte("h")}, func(_, _ []byte) bool { rows++; return true }); err != nil || rows != 24*64 {
		t.Errorf("%d rows, %v", rows, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
