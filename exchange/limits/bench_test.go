package limits

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
)

// month is a month of 500 clerks, 80 queries a day, in order.
func monthOfEntries(days int) []audit.Entry {
	var all []audit.Entry
	n := 0
	for day := range days {
		start := time.Date(2026, 3, 2, 9, 0, 0, 0, exchange.China).AddDate(0, 0, day)
		for q := range 80 {
			for clerk := range 500 {
				n++
				all = append(all, audit.Entry{ID: fmt.Sprintf("01K%023d", n), Time: start.Add(time.Duration(q)*6*time.Minute + time.Duration(clerk)*time.Millisecond),
					Department: exchange.Department(fmt.Sprintf("d%d", clerk/20)), Clerk: fmt.Sprintf("w%d", clerk), Case: fmt.Sprintf("LL-2026-%d", n),
					Item: "food-licence-new", Subject: fmt.Sprintf("%064d", n), Near: fmt.Sprintf("%016d", n), Decision: audit.Answered, Found: true,
					Nonce: fmt.Sprintf("%032d", n)})
			}
		}
	}
	return all
}

func BenchmarkFold(b *testing.B) {
	entries := monthOfEntries(25)
	b.ReportAllocs()
	for b.Loop() {
		l, err := New(Config{})
		if err != nil {
			b.Fatal(err)
		}
		for i := range entries {
			l.Fold(&entries[i])
		}
		if len(l.Suspensions()) > 0 {
			b.Fatal(l.Suspensions()[0])
		}
	}
	b.ReportMetric(float64(len(entries)*b.N)/b.Elapsed().Seconds(), "entries/s")
}

// Entries as the bus hands them over, each with six materials, which were read on the way in.
func BenchmarkTake(b *testing.B) {
	entries := monthOfEntries(1)
	for i := range entries {
		for _, m := range []string{"business-licence", "id-card", "food-safety", "health", "premises", "fire"} {
			entries[i].Materials = append(entries[i].Materials, audit.Material{Material: m, Outcome: exchange.Held, Evidence: []audit.Evidence{
				{Type: exchange.EvidenceType(m), Outcome: exchange.Held, Record: "00112233445566778899aabbccddeeff", Version: 3}}})
		}
	}
	msgs := messages(b, entries)
	for i := range msgs {
		if msgs[i].Read = new(audit.Recent).Read(msgs[i].Key, msgs[i].Value); msgs[i].Read == nil {
			b.Fatalf("no entry: %s", msgs[i].Value)
		}
	}
	for b.Loop() {
		l, err := New(Config{})
		if err != nil {
			b.Fatal(err)
		}
		for piece := range slices.Chunk(msgs, 2000) {
			if err := l.Take(b.Context(), piece); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(len(msgs)*b.N)/b.Elapsed().Seconds(), "entries/s")
}

func BenchmarkAdmit(b *testing.B) {
	entries := monthOfEntries(1)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		now := entries[0].Time
		l, err := New(Config{Clock: func() time.Time { return now }})
		if err != nil {
			b.Fatal(err)
		}
		l.Await(0)
		b.StartTimer()
		for i := range entries {
			e := entries[i]
			if err := l.Admit(&e); err != nil {
				b.Fatal(err)
			}
			l.Fold(&e)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(len(entries)*b.N), "ns/query")
}
