// Package enginetest is the contract that every engine of the index keeps.
package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/onedoor/yimen/exchange/holdings"
)

// Engine is an engine that can be closed and opened again at the same place.
type Engine interface {
	holdings.Engine
	io.Closer
}

// Run checks an engine. open opens the one at a place, which begins empty; it is called again after Close.
func Run(t *testing.T, open func(t testing.TB, place string) Engine) {
	for name, test := range map[string]func(*testing.T, *fixture){
		"get yields what is there":           getYields,
		"get stops with yield's error":       getStops,
		"scan goes in order of keys":         scanOrders,
		"scan leaves the rest of a prefix":   scanLeaves,
		"walk goes on from a key":            walkGoesOn,
		"walk reads what is asked for":       walkReads,
		"the last of two rows counts":        lastCounts,
		"values may be empty":                emptyValues,
		"deleted rows are gone":              deletes,
		"a commit keeps no slices":           keepsNone,
		"purge changes nothing to read":      purges,
		"a cancelled call does nothing":      cancelled,
		"a commit is all or nothing to read": atomic,
		"commits survive closing":            survives,
		"use after close is an error":        afterClose,
		"large values and many rows":         large,
	} {
		t.Run(name, func(t *testing.T) {
			place := t.TempDir()
			f := &fixture{Engine: open(t, place), open: func() Engine { return open(t, place) }}
			t.Cleanup(func() { f.Close() })
			test(t, f)
		})
	}
}

type fixture struct {
	Engine
	open func() Engine
}

func (f *fixture) put(t *testing.T, pairs ...string) {
	t.Helper()
	var rows []holdings.Row
	for i := 0; i < len(pairs); i += 2 {
		rows = append(rows, holdings.Row{Key: []byte(pairs[i]), Value: []byte(pairs[i+1])})
	}
	if err := f.Commit(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) scan(t *testing.T, prefixes ...string) []string {
	t.Helper()
	var all []string
	err := f.Scan(t.Context(), keys(prefixes...), func(key, value []byte) bool {
		all = append(all, string(key)+"="+string(value))
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func keys(names ...string) [][]byte {
	var all [][]byte
	for _, name := range names {
		all = append(all, []byte(name))
	}
	return all
}

// stem is a key's part that look-ups name in full.
func stem(name string) string { return name + strings.Repeat("·", 20)[:holdings.StemSize-len(name)] }

func getYields(t *testing.T, f *fixture) {
	long := stem("r") + "tail"
	f.put(t, "a", "1", "b", "2", long, "3", stem("r"), "4")
	want := []string{"", "2", "3", "4", "1", "", "2"}
	got := make([]string, len(want))
	err := f.Get(t.Context(), keys("none", "b", long, stem("r"), "a", stem("r")+"other", "b"), func(i int, value []byte) error {
		got[i] = string(value)
		return nil
	})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func getStops(t *testing.T, f *fixture) {
	f.put(t, "a", "1", "b", "2")
	stop, calls := errors.New("enough"), 0
	err := f.Get(t.Context(), keys("a", "b"), func(int, []byte) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("got %v after %d calls", err, calls)
	}
}

func scanOrders(t *testing.T, f *fixture) {
	f.put(t, stem("h")+"2", "c", "a\xff\xff", "x", "a", "1", "b", "2", stem("h")+"1", "b", "a\x00", "y", stem("h"), "a", stem("i"), "z")
	for _, row := range []struct {
		prefixes []string
		want     []string
	}{
		{[]string{"a"}, []string{"a=1", "a\x00=y", "a\xff\xff=x"}},
		{[]string{"a\xff"}, []string{"a\xff\xff=x"}},
		{[]string{stem("h")}, []string{stem("h") + "=a", stem("h") + "1=b", stem("h") + "2=c"}},
		{[]string{stem("h") + "2", "b", "none", stem("h") + "2"}, []string{stem("h") + "2=c", "b=2", stem("h") + "2=c"}},
		{[]string{stem("g"), stem("j")}, nil},
		{nil, nil},
	} {
		if got := f.scan(t, row.prefixes...); !slices.Equal(got, row.want) {
			t.Errorf("scan %q: got %q, want %q", row.prefixes, got, row.want)
		}
	}
}

func scanLeaves(t *testing.T, f *fixture) {
	f.put(t, "a1", "", "a2", "", "b1", "", "b2", "")
	var got []string
	err := f.Scan(t.Context(), keys("b", "a"), func(key, _ []byte) bool {
		got = append(got, string(key))
		return false
	})
	if err != nil || !slices.Equal(got, []string{"b1", "a1"}) {
		t.Errorf("got %q, %v", got, err)
	}
}

func walkGoesOn(t *testing.T, f *fixture) {
	f.put(t, stem("r")+"2", "c", "r", "a", "q\xff", "x", stem("r")+"1", "b", stem("r")+"1\x00", "d", "s", "y")
	for _, row := range []struct {
		prefix, from string
		most         int
		want         []string
	}{
		{"r", "", 9, []string{"r=a", stem("r") + "1=b", stem("r") + "1\x00=d", stem("r") + "2=c"}},
		{"r", "a", 9, []string{"r=a", stem("r") + "1=b", stem("r") + "1\x00=d", stem("r") + "2=c"}},
		{"r", stem("r") + "1", 2, []string{stem("r") + "1=b", stem("r") + "1\x00=d"}},
		{"r", stem("r") + "1\x00", 9, []string{stem("r") + "1\x00=d", stem("r") + "2=c"}},
		{stem("r"), stem("r") + "11", 9, []string{stem("r") + "2=c"}},
		{"r", "s", 9, nil},
		{"r", stem("r") + "3", 9, nil},
		{"t", "", 9, nil},
	} {
		var got []string
		err := f.Walk(t.Context(), []byte(row.prefix), []byte(row.from), func(key []byte, value func() ([]byte, error)) bool {
			v, err := value()
			if err != nil {
				t.Error(err)
			}
			got = append(got, string(key)+"="+string(v))
			return len(got) < row.most
		})
		if err != nil || !slices.Equal(got, row.want) {
			t.Errorf("walk %q from %q: got %q, %v, want %q", row.prefix, row.from, got, err, row.want)
		}
	}
}

// walkReads reads the value of every second row, of large and small ones.
func walkReads(t *testing.T, f *fixture) {
	for i := range 20 {
		f.put(t, fmt.Sprintf("%s%02d", stem("r"), i), strings.Repeat("v", i*100))
	}
	if err := f.Close(); err != nil { // so that values come from the disk
		t.Fatal(err)
	}
	f.Engine = f.open()
	i := 0
	err := f.Walk(t.Context(), []byte("r"), nil, func(_ []byte, value func() ([]byte, error)) bool {
		if i++; i%2 == 0 {
			return true
		}
		v, err := value()
		if err != nil || len(v) != (i-1)*100 {
			t.Errorf("row %d has a value of %d bytes, %v", i, len(v), err)
		}
		return true
	})
	if err != nil || i != 20 {
		t.Errorf("%d rows, %v", i, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if f.Walk(t.Context(), []byte("r"), nil, func([]byte, func() ([]byte, error)) bool { return true }) == nil {
		t.Error("walk after close is no error")
	}
}

func lastCounts(t *testing.T, f *fixture) {
	f.put(t, "a", "1", "a", "2")
	f.put(t, "b", "3")
	f.put(t, "b", "4")
	if got := f.scan(t, "a", "b"); !slices.Equal(got, []string{"a=2", "b=4"}) {
		t.Errorf("got %q", got)
	}
}

func emptyValues(t *testing.T, f *fixture) {
	f.put(t, "a", "")
	found := false
	err := f.Get(t.Context(), keys("a"), func(int, []byte) error { found = true; return nil })
	if err != nil || !found {
		t.Errorf("found %v, %v", found, err)
	}
}

func deletes(t *testing.T, f *fixture) {
	f.put(t, "a", "1", "b", "2", "c", "3", stem("r")+"x", "4", stem("r")+"y", "5")
	err := f.Commit(t.Context(), []holdings.Row{
		{Key: []byte("a"), Delete: true},
		{Key: []byte("none"), Delete: true},
		{Key: []byte("b"), Delete: true}, {Key: []byte("b"), Value: []byte("again")},
		{Key: []byte("c"), Value: []byte("again")}, {Key: []byte("c"), Delete: true},
		{Key: []byte(stem("r") + "x"), Delete: true, Value: []byte("counts for nothing")},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"b=again", stem("r") + "y=5"}
	for range 2 {
		if got := f.scan(t, "a", "b", "c", "n", "r"); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		found := 0
		if err := f.Get(t.Context(), keys("a", "c", stem("r")+"x"), func(int, []byte) error { found++; return nil }); err != nil || found != 0 {
			t.Errorf("%d deleted rows are found, %v", found, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		f.Engine = f.open()
	}
}

func keepsNone(t *testing.T, f *fixture) {
	rows := []holdings.Row{{Key: []byte("a"), Value: []byte("1")}, {Key: []byte("b"), Delete: true}}
	f.put(t, "b", "2", "c", "3")
	if err := f.Commit(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	rows[0].Key[0], rows[0].Value[0], rows[1].Key[0] = 'x', 'x', 'c'
	if got := f.scan(t, "a", "b", "c", "x"); !slices.Equal(got, []string{"a=1", "c=3"}) {
		t.Errorf("got %q", got)
	}
}

func purges(t *testing.T, f *fixture) {
	f.put(t, stem("h")+"1", "a", stem("h")+"2", "b", stem("r"), "c", "\xff\xff", "d", "q", "e")
	if err := f.Commit(t.Context(), []holdings.Row{{Key: []byte(stem("h") + "1"), Delete: true}, {Key: []byte("\xff\xff"), Delete: true}}); err != nil {
		t.Fatal(err)
	}
	want := f.scan(t, "h", "q", "r", "\xff")
	many := keys()
	for i := range 1000 {
		many = append(many, fmt.Appendf(nil, "h%05d", i))
	}
	for name, prefixes := range map[string][][]byte{"nothing": nil, "some": keys(stem("h"), "\xff\xff", "none"), "many": many} {
		if err := f.Purge(t.Context(), prefixes); err != nil {
			t.Errorf("purge %s: %v", name, err)
		}
		if got := f.scan(t, "h", "q", "r", "\xff"); !slices.Equal(got, want) {
			t.Errorf("after purging %s: got %q, want %q", name, got, want)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if f.Purge(t.Context(), keys("h")) == nil {
		t.Error("purge after close is no error")
	}
	f.Engine = f.open()
	if got := f.scan(t, "h", "q", "r", "\xff"); !slices.Equal(got, want) {
		t.Errorf("after closing: got %q, want %q", got, want)
	}
}

func cancelled(t *testing.T, f *fixture) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Commit(ctx, []holdings.Row{{Key: []byte("a")}}); !errors.Is(err, context.Canceled) {
		t.Errorf("commit: %v", err)
	}
	if got := f.scan(t, "a"); got != nil {
		t.Errorf("a cancelled commit stored %q", got)
	}
}

func atomic(t *testing.T, f *fixture) {
	const rounds, width = 200, 20
	var writing sync.WaitGroup
	for writer := range 3 {
		writing.Go(func() {
			for round := range rounds {
				var rows []holdings.Row
				for i := range width {
					rows = append(rows, holdings.Row{Key: fmt.Appendf(nil, "w%d/%02d", writer, i), Value: fmt.Appendf(nil, "%d", round)})
				}
				if err := f.Commit(context.Background(), rows); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { writing.Wait(); close(done) }()
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		for writer := range 3 {
			values := map[string]int{}
			err := f.Scan(t.Context(), [][]byte{fmt.Appendf(nil, "w%d/", writer)}, func(_, value []byte) bool {
				values[string(value)]++
				return true
			})
			if err != nil || len(values) > 1 {
				t.Fatalf("one read sees several commits: %v, %v", values, err)
			}
			for value, n := range values {
				if n != width {
					t.Fatalf("one read sees %d of the %d rows of commit %s", n, width, value)
				}
			}
		}
	}
}

func survives(t *testing.T, f *fixture) {
	f.put(t, "a", "1", stem("r")+"x", strings.Repeat("v", 600))
	before := f.scan(t, "a", "r")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f.Engine = f.open()
	if got := f.scan(t, "a", "r"); !slices.Equal(got, before) {
		t.Errorf("got %q, want %q", got, before)
	}
}

func afterClose(t *testing.T, f *fixture) {
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if f.Commit(t.Context(), []holdings.Row{{Key: []byte("a")}}) == nil {
		t.Error("commit after close is no error")
	}
	if f.Get(t.Context(), keys("a"), func(int, []byte) error { return nil }) == nil {
		t.Error("get after close is no error")
	}
	if f.Scan(t.Context(), keys("a"), func(_, _ []byte) bool { return true }) == nil {
		t.Error("scan after close is no error")
	}
}

func large(t *testing.T, f *fixture) {
	value := bytes.Repeat([]byte("v"), 1<<20)
	for i := range 40 { // more than an engine would hold in memory unwritten
		rows := []holdings.Row{{Key: fmt.Appendf(nil, "%s%03d", stem("r"), i), Value: value}}
		for j := range 200 {
			rows = append(rows, holdings.Row{Key: fmt.Appendf(nil, "h%016d", j*40+i), Value: []byte{}})
		}
		if err := f.Commit(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
	}
	for prefix, want := range map[string]int{stem("r"): 40, "h": 8000, stem("r") + "03": 10} {
		got := 0
		err := f.Scan(t.Context(), keys(prefix), func(_, value []byte) bool { got++; return true })
		if err != nil || got != want {
			t.Errorf("%q: %d rows, %v, want %d", prefix, got, err, want)
		}
	}
}
