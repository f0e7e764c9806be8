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
	ticket, err := s.Put(Kept{File: make([]byte, size), Department: department})
	if err != nil {
		t.Fatal(err)
	}
	return ticket
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
			if _, err := s.Take(ticket); err == nil {
				took.Add(1)
			}
		})
	}
	all.Wait()
	if took.Load() != 1 {
		t.Errorf("%d took it", took.Load())
	}
	_, err := s.Find(ticket)
	refused(t, err, "YM-CPY-0203")
	_, err = s.Take("")
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
		if len(s.kept) != 0 || s.bytes != 0 {
			t.Errorf("%d files of %d bytes stay", len(s.kept), s.bytes)
		}
		_, err := s.Find(ticket)
		refused(t, err, "YM-CPY-0202")
		ticket = put(t, s, "xzsp", 100)
		s.Forget()
		_, err = s.Take(ticket)
		refused(t, err, "YM-CPY-0202")
		time.Sleep(Waits)
	})
}

func TestShelfIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewShelf(time.Now)
		for range mostOfOne {
			put(t, s, "a", 1)
		}
		_, err := s.Put(Kept{Department: "a", File: []byte{1}})
		refused(t, err, "YM-CPY-0201") // the others have room
		for i := mostOfOne; i < mostKept; i++ {
			put(t, s, exchange.Department(fmt.Sprint("b", i%10)), 1)
		}
		_, err = s.Put(Kept{Department: "c", File: []byte{1}})
		refused(t, err, "YM-CPY-0201")
		time.Sleep(Waits)
		big := put(t, s, "a", mostBytes-10)
		_, err = s.Put(Kept{Department: "c", File: make([]byte, 11)})
		refused(t, err, "YM-CPY-0201")
		if _, err := s.Take(big); err != nil {
			t.Fatal(err)
		}
		put(t, s, "c", mostBytes)
		time.Sleep(Waits)
	})
}
