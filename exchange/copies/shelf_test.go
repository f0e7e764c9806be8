package copies

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onedoor/yimen/exchange"
)

func put(t *testing.T, s *Shelf, department exchange.Department, size int) string {
	t.Helper()
	place, err := s.Reserve(department)
	if err != nil {
		t.Fatal(err)
	}
	defer place.Leave()
	return place.Put(Kept{File: make([]byte, size), Receipt: "01"})
}

func take(s *Shelf, ticket string) (Kept, error) {
	return s.Take(ticket, func(Kept) error { return nil })
}

func refused(t *testing.T, err error, code string) {
	t.Helper()
	var p *exchange.Problem
	if !errors.As(err, &p) || p.Code != code {
		t.Errorf("want %s: %v", code, err)
	}
}

// Of many who come at once one gets the file.
func TestOneTakes(t *testing.T) {
	s := NewShelf(time.Now)
	ticket := put(t, s, "xzsp", 1)
	var took atomic.Int64
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := take(s, ticket); err == nil {
				took.Add(1)
			}
		})
	}
	all.Wait()
	if took.Load() != 1 {
		t.Errorf("%d took it", took.Load())
	}
	kept, err := s.Find(ticket)
	if refused(t, err, "YM-CPY-0203"); kept.Receipt != "01" || kept.Department != "xzsp" || kept.File != nil {
		t.Errorf("of what was fetched is known %+v", kept)
	}
	_, err = take(s, "")
	refused(t, err, "YM-CPY-0202")
}

// What has had its time is gone from memory, whether somebody comes or not; so is all that is forgotten.
func TestNothingStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewShelf(time.Now)
		ticket := put(t, s, "xzsp", 100)
		time.Sleep(Waits - time.Second)
		if _, err := s.Find(ticket); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		empty(t, s)
		_, err := s.Find(ticket)
		refused(t, err, "YM-CPY-0202")
		ticket = put(t, s, "xzsp", 100)
		s.Forget()
		_, err = take(s, ticket)
		refused(t, err, "YM-CPY-0202")
		time.Sleep(Waits)
	})
}

func empty(t *testing.T, s *Shelf) {
	t.Helper()
	if len(s.waiting) != 0 || s.all != (room{}) || len(s.ofOne) != 0 || len(s.fetched) != 0 || len(s.inOrder) != 0 {
		t.Errorf("%d files of %+v stay, of %d departments, and of %d that they were fetched", len(s.waiting), s.all, len(s.ofOne), len(s.fetched))
	}
}

func TestShelfIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewShelf(time.Now)
		none := func(department exchange.Department) {
			t.Helper()
			_, err := s.Reserve(department)
			refused(t, err, "YM-CPY-0201")
		}
		for range mostOfOne.files {
			put(t, s, "a", 1)
		}
		none("a") // the others have room
		for i := mostOfOne.files; i < most.files; i++ {
			put(t, s, exchange.Department(fmt.Sprint("b", i%10)), 1)
		}
		none("c")
		time.Sleep(Waits)
		for range mostOfOne.bytes / MaxFile {
			put(t, s, "a", MaxFile)
		}
		none("a") // of its bytes as well
		put(t, s, "b", MaxFile)
		time.Sleep(Waits)
		synctest.Wait()
		empty(t, s)
	})
}

// Who fetches makes room for more, and what is known of the fetched is bounded too.
func TestFetchedFilesTakeNoRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewShelf(time.Now)
		first := put(t, s, "prov", 1000)
		for ticket := first; len(s.inOrder) < mostFetched; ticket = put(t, s, "prov", 1000) {
			if _, err := take(s, ticket); err != nil {
				t.Fatal(err)
			}
		}
		_, err := s.Find(first)
		refused(t, err, "YM-CPY-0203")
		if _, err := take(s, put(t, s, "prov", 1)); err != nil || len(s.fetched) != mostFetched {
			t.Errorf("%d are known to be fetched, %v", len(s.fetched), err)
		}
		_, err = s.Find(first)
		refused(t, err, "YM-CPY-0202")
		time.Sleep(Waits)
		synctest.Wait()
		empty(t, s)
	})
}

// A place that is left is free again, a file that could not be entered waits on, and one that was discarded is nobody's.
func TestPlaceIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewShelf(time.Now)
		place, err := s.Reserve("a")
		if err != nil {
			t.Fatal(err)
		}
		place.Leave()
		place.Leave()
		empty(t, s)
		ticket, full := put(t, s, "a", 1), errors.New("disk full")
		if _, err := s.Take(ticket, func(Kept) error {
			_, err := s.Find(ticket)
			refused(t, err, "YM-CPY-0203") // somebody has it in hand
			return full
		}); !errors.Is(err, full) {
			t.Error(err)
		}
		if _, err := s.Find(ticket); err != nil {
			t.Error(err)
		}
		if kept := s.Discard(ticket); kept.Receipt != "01" || s.Discard(ticket).Receipt != "" {
			t.Errorf("discarded was %+v", kept)
		}
		empty(t, s)
		time.Sleep(Waits)
	})
}
