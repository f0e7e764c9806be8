package holdings_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/holdings"
)

// each lists what Each yields of a type, sorted by content.
func (w *world) each(t exchange.EvidenceType) []string {
	w.t.Helper()
	var all []string
	err := w.index.Each(w.t.Context(), t, func(r exchange.Record, partition int, offset int64) bool {
		all = append(all, fmt.Sprintf("%s@%d %s %d/%d %d", r.Type, r.Version, r.Status, partition, offset, len(r.Holders)))
		return true
	})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func TestEach(t *testing.T) {
	a, b := citizen(1), citizen(2)
	wed := func(natural string, version, partition int, holders ...string) statement {
		return statement{of: marriage, natural: natural, version: version, name: "x", holders: holders, partition: partition}
	}
	for name, row := range map[string]struct {
		folded []statement
		want   []string
		count  int64
	}{
		"nothing":                {nil, nil, 0},
		"several":                {[]statement{wed("J1", 1, 0, a), wed("J2", 4, 1, b)}, []string{"marriage-certificate@1 valid 0/0 0", "marriage-certificate@4 valid 1/0 0"}, 2},
		"newest only":            {[]statement{wed("J1", 1, 0, a), wed("J1", 3, 0, a), wed("J1", 2, 0, a)}, []string{"marriage-certificate@3 valid 0/1 0"}, 1},
		"withdrawn":              {[]statement{wed("J1", 1, 0, a), wed("J1", 2, 0)}, nil, 1},
		"withdrawn before":       {[]statement{wed("J1", 2, 0), wed("J1", 1, 0, a)}, nil, 1},
		"stated again":           {[]statement{wed("J1", 1, 0, a), wed("J1", 2, 0), wed("J1", 3, 0, b)}, []string{"marriage-certificate@3 valid 0/2 0"}, 1},
		"another type":           {[]statement{{of: licence, natural: company(1), version: 1, holders: []string{company(1)}, name: "y"}}, nil, 0},
		"refused":                {[]statement{{adapter: "scjg/licences", of: marriage, natural: "J1", version: 1, holders: []string{a}, name: "x"}}, nil, 0},
		"said twice":             {[]statement{wed("J1", 1, 0, a), wed("J1", 1, 0, a)}, []string{"marriage-certificate@1 valid 0/0 0"}, 1},
		"another type beside it": {[]statement{{of: licence, natural: company(1), version: 1, holders: []string{company(1)}, name: "y"}, wed("J1", 1, 0, a)}, []string{"marriage-certificate@1 valid 0/0 0"}, 1},
		"conflict is left out":   {[]statement{wed("J1", 1, 0, a), wed("J1", 1, 0, b)}, []string{"marriage-certificate@1 valid 0/0 0"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.state(row.folded...)
			for range 2 {
				if got := w.each(marriage); !slices.Equal(got, row.want) {
					t.Errorf("got %q, want %q", got, row.want)
				}
				if n, err := w.index.Count(t.Context(), marriage); n != row.count || err != nil {
					t.Errorf("count %d, %v, want %d", n, err, row.count)
				}
				w.restart()
			}
		})
	}
}

func TestEachYieldsTheRecord(t *testing.T) {
	w := newWorld(t)
	s := statement{of: licence, natural: company(1), version: 3, holders: []string{company(1)}, name: "醴陵瓷厂"}
	w.state(s)
	schema, _ := w.schemas.ByType(licence)
	err := w.index.Each(t.Context(), licence, func(r exchange.Record, _ int, _ int64) bool {
		if r.ID != w.sealer("scjg/licences").RecordID(licence, company(1)) || r.Version != 3 || r.Adapter != "scjg/licences" || r.Keeper != "scjg" ||
			r.Schema != schema.ID || r.Until != "2053-05-17" || !r.AsOf.Equal(at(3)) || !bytes.Equal(r.Payload, document(s)) {
			t.Errorf("yielded %v of %v", r.ID, r.Adapter)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestEachWhileFolding walks over several slices of two types while new versions, withdrawals and new records are folded:
// what it yields is what was there when it began, each record once and in order.
func TestEachWhileFolding(t *testing.T) {
	w := newWorld(t)
	plain(w)
	const records = 4000
	foldPlain(t, w, 0, records)
	ctx, stop := context.WithCancel(t.Context())
	var folding sync.WaitGroup
	for partition := range benchPartitions {
		folding.Go(func() {
			for from := int64(records / benchPartitions); ctx.Err() == nil && from < 6*records; from += benchBatch {
				msgs := plainMessages(partition, from, benchBatch)
				for i := range msgs[:benchBatch/2] { // newer versions of what was there
					old := plainMessages(partition, (from+int64(i))%(records/benchPartitions), 1)[0]
					msgs[i].Key = append(old.Key[:16:16], 0, 0, 0, 0, byte(from>>24), byte(from>>16), byte(from>>8), byte(from))
				}
				if err := w.index.Fold(context.Background(), msgs); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 5 {
		var last exchange.RecordID
		seen := 0
		err := w.index.Each(t.Context(), licence, func(r exchange.Record, partition int, offset int64) bool {
			if seen > 0 && bytes.Compare(r.ID[:], last[:]) <= 0 {
				t.Error("a record twice or out of order")
			}
			last = r.ID
			seen++
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
		if seen < records {
			t.Errorf("%d records", seen)
		}
	}
	stop()
	folding.Wait()
}

// TestEachIsOfOneMoment withdraws and adds while the receiver has the first record.
func TestEachIsOfOneMoment(t *testing.T) {
	w := newWorld(t)
	const records = 1200 // three slices
	for n := range records {
		w.state(statement{of: licence, natural: company(n), version: 1, holders: []string{company(n)}, name: "x"})
	}
	seen := 0
	err := w.index.Each(t.Context(), licence, func(r exchange.Record, _ int, _ int64) bool {
		if seen == 0 {
			for n := range records {
				s := statement{of: licence, natural: company(n), version: 2, name: "y"}
				if n%2 == 0 {
					s.holders = []string{company(n)}
				}
				w.state(s)
			}
			w.state(statement{of: licence, natural: company(records), version: 1, holders: []string{company(records)}, name: "z"})
		}
		if r.Version != 1 {
			t.Errorf("version %d was not there at the beginning", r.Version)
		}
		seen++
		return true
	})
	if err != nil || seen != records {
		t.Errorf("%d records, %v", seen, err)
	}
	if after := len(w.each(licence)); after != records/2+1 {
		t.Errorf("afterwards %d records", after)
	}
}

func TestEachStops(t *testing.T) {
	w := newWorld(t)
	w.fold(w.licences(20)...)
	seen := 0
	if err := w.index.Each(t.Context(), licence, func(exchange.Record, int, int64) bool { seen++; return seen < 3 }); err != nil || seen != 3 {
		t.Errorf("stopped after %d, %v", seen, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	seen = 0
	err := w.index.Each(ctx, licence, func(exchange.Record, int, int64) bool { seen++; cancel(); return true })
	if !errors.Is(err, context.Canceled) || seen != 1 {
		t.Errorf("cancelled after %d: %v", seen, err)
	}
	if err := w.index.Each(ctx, licence, func(exchange.Record, int, int64) bool { t.Error("yielded"); return true }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
	if _, err := w.index.Count(ctx, licence); !errors.Is(err, context.Canceled) {
		t.Errorf("count cancelled before: %v", err)
	}
	w.store.Close()
	if err := w.index.Each(t.Context(), licence, func(exchange.Record, int, int64) bool { return true }); err == nil {
		t.Error("no error from a closed engine")
	}
}

// TestEachOfDamagedRows changes rows behind the index's back.
func TestEachOfDamagedRows(t *testing.T) {
	const canary = "金丝雀有限公司"
	for name, damage := range map[string]func(w *world, key, value []byte) holdings.Row{
		"a flipped bit": func(_ *world, key, value []byte) holdings.Row {
			value[len(value)/2] ^= 1
			return holdings.Row{Key: key, Value: value}
		},
		"cut off":      func(_ *world, key, value []byte) holdings.Row { return holdings.Row{Key: key, Value: value[:5]} },
		"empty":        func(_ *world, key, _ []byte) holdings.Row { return holdings.Row{Key: key} },
		"in the clear": func(_ *world, key, _ []byte) holdings.Row { return holdings.Row{Key: key, Value: []byte(canary)} },
		"of another record": func(_ *world, key, value []byte) holdings.Row {
			key[3] ^= 1
			return holdings.Row{Key: key, Value: value}
		},
		"a key that is no key": func(_ *world, key, value []byte) holdings.Row { return holdings.Row{Key: key[:20], Value: value} },
		"a type without an end": func(_ *world, key, value []byte) holdings.Row {
			key[len(key)-9] = 'x'
			return holdings.Row{Key: key, Value: value}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.state(statement{of: licence, natural: company(7), version: 1, holders: []string{company(7)}, name: canary})
			var row holdings.Row
			if err := w.store.Scan(t.Context(), [][]byte{[]byte("r")}, func(key, value []byte) bool {
				row = damage(w, bytes.Clone(key), bytes.Clone(value))
				return false
			}); err != nil {
				t.Fatal(err)
			}
			if err := w.store.Commit(t.Context(), []holdings.Row{row}); err != nil {
				t.Fatal(err)
			}
			err := w.index.Each(t.Context(), licence, func(exchange.Record, int, int64) bool { return true })
			var p *exchange.Problem
			if !errors.As(err, &p) || p.Code != "YM-IDX-0103" {
				t.Fatalf("got %v", err)
			}
			for _, secret := range []string{canary, company(7)} {
				if strings.Contains(err.Error()+p.In(exchange.ZH), secret) {
					t.Errorf("the error tells %q", err)
				}
			}
			if err := w.index.Each(t.Context(), food, func(exchange.Record, int, int64) bool { return true }); err != nil && !strings.Contains(name, "key") && !strings.Contains(name, "end") {
				t.Errorf("another type: %v", err)
			}
		})
	}
}

func TestSpeakers(t *testing.T) {
	w := newWorld(t)
	second := said(1, 0)
	second.Adapter = "scjg/archive"
	other := said(2, 0)
	other.Adapter, other.Type = "scjg/food", food
	stranger := said(1, 0)
	stranger.Adapter = "mzj/marriages" // not the keeper of licences
	for _, c := range []exchange.Coverage{said(1, 0), said(2, 0), second, other, stranger} {
		w.fold(w.heartbeat(c))
	}
	for range 2 {
		if got := w.index.Speakers(licence); !slices.Equal(got, []exchange.Adapter{"scjg/archive", "scjg/licences"}) {
			t.Errorf("speakers %v", got)
		}
		if got := w.index.Speakers(marriage); got != nil {
			t.Errorf("speakers %v", got)
		}
		w.restart()
	}
}

// BenchmarkEach walks over records of the type that is asked for, and of one that has none.
func BenchmarkEach(b *testing.B) {
	const records = 200_000
	w := newWorldWith(b, 0)
	plain(w)
	foldPlain(b, w, 0, records)
	for _, of := range []exchange.EvidenceType{licence, food} {
		b.Run(string(of), func(b *testing.B) {
			longest := time.Duration(0)
			for b.Loop() {
				seen, last := 0, time.Now()
				err := w.index.Each(context.Background(), of, func(exchange.Record, int, int64) bool {
					seen++
					longest, last = max(longest, time.Since(last)), time.Now()
					return true
				})
				if err != nil || seen != map[exchange.EvidenceType]int{licence: records}[of] {
					b.Fatal(seen, err)
				}
			}
			b.ReportMetric(float64(b.N)*records/b.Elapsed().Seconds(), "keys/s")
			b.ReportMetric(float64(longest.Microseconds()), "longest-µs")
		})
	}
}
