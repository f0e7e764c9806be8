// Package adaptertest puts any source through the promises a source makes: those of adapters.Source.
package adaptertest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/exchange"
)

// Fixture is a source under test, with the means to do to its data what happens to data. What is nil is not tested.
type Fixture struct {
	Source adapters.Source
	Rows   int       // how many sound rows there are: some thousands, so that a reading that goes on although nobody wants it shows
	Now    time.Time // what the source's clock says

	Change func() // adds one row
	Damage func() // makes one row, not the last, unreadable and leaves the others as they are
	Cut    func() // makes the data end, or fail, in the middle
	Remove func() // takes the data away
}

// Promises tests a source; open makes a new one, over data of its own, for each promise.
func Promises(t *testing.T, open func(t *testing.T) Fixture) {
	for promise, test := range map[string]func(*testing.T, Fixture){
		"every row once, in order":               everyRow,
		"the same place is unchanged":            unchanged,
		"a strange place skips nothing":          strangePlace,
		"a row's place is where reading resumes": resumes,
		"yield's error stops":                    stops,
		"a cancelled reading ends":               cancelled,
		"a damaged row hides no other":           damaged,
		"a changed source is read again":         changed,
		"what cannot be finished is no reading":  func(t *testing.T, f Fixture) { refused(t, f, f.Cut) },
		"what is not there is no reading":        func(t *testing.T, f Fixture) { refused(t, f, f.Remove) },
	} {
		t.Run(promise, func(t *testing.T) { test(t, open(t)) })
	}
}

// row is what is compared of a row.
type row struct {
	line   int
	values string
	damage *exchange.Problem
	place  adapters.Place
}

func same(a, b row) bool {
	return a.line == b.line && a.values == b.values && (a.damage == nil) == (b.damage == nil)
}

// read keeps copies of the rows and checks what holds for each. It spoils the values it was given, which are the reader's own:
// that must show in no other row.
func (f Fixture) read(t *testing.T, from adapters.Place) (rows []row, reading adapters.Reading, err error) {
	t.Helper()
	reading, err = f.Source.Read(t.Context(), from, func(r adapters.Row) error {
		if len(r.Values) != len(r.Columns) || len(r.Columns) == 0 {
			t.Errorf("line %d has %d values for %d columns", r.Line, len(r.Values), len(r.Columns))
		}
		rows = append(rows, row{r.Line, strings.Join(r.Values, "\x1f"), r.Damage, bytes.Clone(r.Place)})
		for i := range r.Values {
			if r.Values[i] == spoilt {
				t.Errorf("line %d shows what was done to another", r.Line)
			}
			r.Values[i] = spoilt
		}
		return nil
	})
	if reading.UpTo.After(f.Now) {
		t.Errorf("it tells the truth up to %v, which is after %v", reading.UpTo, f.Now)
	}
	return rows, reading, err
}

const spoilt = "spoilt by the reader"

// must reads to the end.
func (f Fixture) must(t *testing.T, from adapters.Place) ([]row, adapters.Reading) {
	t.Helper()
	rows, reading, err := f.read(t, from)
	if err != nil {
		t.Fatal(err)
	}
	if len(reading.Place) == 0 || reading.UpTo.IsZero() {
		t.Errorf("reading without place or time: %+v", reading)
	}
	if reading.Unchanged && len(rows) > 0 {
		t.Errorf("%d rows of an unchanged source", len(rows))
	}
	return rows, reading
}

func everyRow(t *testing.T, f Fixture) {
	rows, reading := f.must(t, nil)
	if len(rows) != f.Rows || reading.Unchanged || !reading.Complete {
		t.Fatalf("%d rows, want %d, of %+v", len(rows), f.Rows, reading)
	}
	seen := map[string]bool{}
	for i, r := range rows {
		if r.damage != nil || seen[r.values] || i > 0 && r.line <= rows[i-1].line {
			t.Fatalf("row %d, line %d: damage %v, twice %v", i, r.line, r.damage, seen[r.values])
		}
		seen[r.values] = true
	}
	for _, beginning := range []adapters.Place{nil, {}} {
		if again, _ := f.must(t, beginning); !slices.EqualFunc(rows, again, same) {
			t.Error("the same data was read in two ways")
		}
	}
}

func unchanged(t *testing.T, f Fixture) {
	_, before := f.must(t, nil)
	_, reading := f.must(t, before.Place)
	_, third := f.must(t, reading.Place)
	if !reading.Unchanged || !third.Unchanged || reading.Complete != before.Complete {
		t.Errorf("readings %+v, %+v", reading, third)
	}
}

// strangePlace: a note that this source did not write is refused, or reading starts at the beginning.
func strangePlace(t *testing.T, f Fixture) {
	for _, place := range []string{"strange", "{}", "null", "\x00\xff"} {
		rows, reading, err := f.read(t, adapters.Place(place))
		if reading.Unchanged || err == nil && len(rows) != f.Rows || err != nil && len(rows) > 0 {
			t.Errorf("%q: %d rows, %+v, %v", place, len(rows), reading, err)
		}
	}
}

func resumes(t *testing.T, f Fixture) {
	rows, _ := f.must(t, nil)
	for _, i := range []int{0, len(rows) / 2, len(rows) - 2} {
		if rows[i].place == nil {
			t.Skip("the source cannot resume in the middle")
		}
		if rest, _ := f.must(t, rows[i].place); !slices.EqualFunc(rest, rows[i+1:], same) {
			t.Errorf("after row %d there are %d rows, want %d", i, len(rest), len(rows)-i-1)
		}
	}
}

func stops(t *testing.T, f Fixture) {
	for _, after := range []int{1, f.Rows / 2, f.Rows} {
		enough, count := errors.New("enough"), 0
		reading, err := f.Source.Read(t.Context(), nil, func(adapters.Row) (err error) {
			if count++; count >= after {
				err = enough
			}
			return err
		})
		if err != enough || count != after || reading.Complete || reading.Unchanged {
			t.Errorf("stopped at row %d: %d rows, %+v, %v", after, count, reading, err)
		}
	}
}

func cancelled(t *testing.T, f Fixture) {
	for _, after := range []int{0, 1} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		count := 0
		row := func(adapters.Row) error {
			if count++; count == after {
				cancel()
			}
			return nil
		}
		if after == 0 {
			cancel()
		}
		reading, err := f.Source.Read(ctx, nil, row)
		if !errors.Is(err, context.Canceled) || count >= f.Rows || reading.Complete || reading.Unchanged {
			t.Errorf("cancelled at row %d: %d rows, %+v, %v", after, count, reading, err)
		}
	}
}

func damaged(t *testing.T, f Fixture) {
	before, _ := f.must(t, nil)
	do(t, f.Damage)
	after, _ := f.must(t, nil)
	if len(after) != len(before) {
		t.Fatalf("%d rows, before %d", len(after), len(before))
	}
	count := 0
	for i, r := range after {
		if r.line != before[i].line || r.damage == nil && r.values != before[i].values {
			t.Errorf("row %d has become another", i)
		}
		if r.damage != nil {
			count++
			saysHow(t, r.damage)
		}
	}
	if count != 1 {
		t.Errorf("%d rows are damaged", count)
	}
}

func changed(t *testing.T, f Fixture) {
	before, first := f.must(t, nil)
	do(t, f.Change)
	rows, second := f.must(t, first.Place)
	all, _ := f.must(t, nil)
	if _, third := f.must(t, second.Place); second.Unchanged || !third.Unchanged || len(all) != len(before)+1 {
		t.Fatalf("%d rows, before %d, %+v", len(all), len(before), second)
	}
	known := map[string]bool{}
	for _, r := range slices.Concat(before, rows) {
		known[r.values] = true
	}
	if len(known) != len(all) {
		t.Error("the new row was not read")
	}
}

func refused(t *testing.T, f Fixture, spoil func()) {
	_, before := f.must(t, nil)
	do(t, spoil)
	for _, from := range []adapters.Place{nil, before.Place} {
		rows, reading, err := f.read(t, from)
		problem, ok := errors.AsType[*exchange.Problem](err)
		if !ok || reading.Complete || reading.Unchanged || reading.Place != nil || len(rows) >= f.Rows {
			t.Fatalf("%d rows, %+v, %v", len(rows), reading, err)
		}
		saysHow(t, problem)
	}
}

func saysHow(t *testing.T, p *exchange.Problem) {
	if p.Code == "" || p.What.ZH == "" || p.What.EN == "" || p.Mend.ZH == "" || p.Mend.EN == "" {
		t.Errorf("a problem that does not say how to mend it: %+v", *p)
	}
}

func do(t *testing.T, what func()) {
	if what == nil {
		t.Skip("not said how")
	}
	what()
}
