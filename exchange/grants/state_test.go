package grants

import (
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/workdays"
)

// TestStateMachine tries every act on every status.
func TestStateMachine(t *testing.T) {
	acts := []Act{Request, Approve, Refuse, Extend, Suspend, Resume, Revoke}
	for status, becomes := range map[Status]string{ // in the order of acts; "-": it cannot be done
		"":        "requested - - - - - -",
		Requested: "- granted refused requested - - -",
		Granted:   "- - - - suspended - revoked",
		Refused:   "- - - - - - -",
		Suspended: "- - - - - granted revoked",
		Revoked:   "- - - - - - -",
	} {
		for i, want := range strings.Fields(becomes) {
			s := newState(nil)
			if status != "" {
				s.grants["g"] = &Standing{ID: "g", Status: status, Version: 3, Terms: terms}
			}
			replaces := 3
			if status == "" {
				replaces = 0
			}
			err := s.fold(&entry{ID: "e", Grant: "g", Replaces: replaces, Act: acts[i], Terms: &terms, Reason: "r", At: time.Unix(1, 0), By: "a/b"})
			if (err == nil) != (want != "-") {
				t.Errorf("%s of a grant that is %q: %v, want %s", acts[i], status, err, want)
			}
			if err == nil && (string(s.grants["g"].Status) != want || s.grants["g"].Version != replaces+1) {
				t.Errorf("%s of a grant that is %q: %+v, want %s", acts[i], status, s.grants["g"], want)
			}
		}
	}
}

// TestFoldRefuses: entries that came by another way than the desk.
func TestFoldRefuses(t *testing.T) {
	baseless := terms
	baseless.Basis = text(" ", "")
	for name, e := range map[string]entry{
		"no basis":    {ID: "e", Grant: "n", Act: Request, Terms: &baseless},
		"no terms":    {ID: "e", Grant: "n", Act: Request},
		"old version": {ID: "e", Grant: "g", Act: Approve, Replaces: 0},
		"no reason":   {ID: "e", Grant: "g", Act: Refuse, Replaces: 1},
		"repeated":    {ID: "first", Grant: "g", Act: Approve, Replaces: 1},
		"overlapping": {ID: "e", Grant: "g", Act: Approve, Replaces: 1},
		"unknown":     {ID: "e", Grant: "n", Act: Approve},
	} {
		s := newState(nil)
		s.grants["g"] = &Standing{ID: "g", Status: Requested, Version: 1, Terms: terms, last: "first"}
		s.grants["o"] = &Standing{ID: "o", Status: Suspended, Version: 1, Terms: terms}
		if err := s.fold(&e); err == nil || s.grants["g"].Version != 1 || s.grants["n"] != nil {
			t.Errorf("%s: %v, %+v", name, err, s.grants["g"])
		}
	}
}

// TestClocks goes by the official calendar.
func TestClocks(t *testing.T) {
	at := func(day string) time.Time {
		moment, err := time.ParseInLocation(time.DateOnly, day, exchange.China)
		if err != nil {
			t.Fatal(err)
		}
		return moment.Add(9 * time.Hour)
	}
	clock := func(article int, due exchange.Date, overdue, provisional bool) workdays.Clock {
		return workdays.Clock{Article: article, Due: due, Overdue: overdue, Provisional: provisional}
	}
	for name, c := range map[string]struct {
		g      Standing
		today  exchange.Date
		shared bool
		want   workdays.Clock
	}{
		"unconditional":     {Standing{Status: Requested, Class: catalogue.Unconditional, Requested: at("2026-09-30")}, "2026-10-08", false, clock(21, "2026-10-08", false, false)},
		"conditional":       {Standing{Status: Requested, Class: catalogue.Conditional, Requested: at("2026-02-13")}, "2026-03-05", false, clock(21, "2026-03-05", false, false)},
		"overdue":           {Standing{Status: Requested, Class: catalogue.Conditional, Requested: at("2026-02-13")}, "2026-03-06", false, clock(21, "2026-03-05", true, false)},
		"extended":          {Standing{Status: Requested, Class: catalogue.Conditional, Requested: at("2026-02-13"), Extended: true}, "2026-03-06", false, clock(21, "2026-03-19", false, false)},
		"to share":          {Standing{Status: Granted, Version: 2, Requested: at("2026-02-13"), Decided: at("2026-11-23")}, "2026-12-22", false, clock(22, "2026-12-21", true, false)},
		"into another year": {Standing{Status: Granted, Version: 2, Requested: at("2026-12-01"), Decided: at("2026-12-15")}, "2026-12-22", false, clock(22, "2027-01-12", false, true)},
		"shared":            {Standing{Status: Granted, Version: 2, Requested: at("2026-02-13"), Decided: at("2026-11-23")}, "2026-12-22", true, workdays.Clock{}},
		"the city's own":    {Standing{Status: Granted}, "2026-12-22", false, workdays.Clock{}},
		"revoked":           {Standing{Status: Revoked, Version: 3, Requested: at("2026-02-13")}, "2026-12-22", false, workdays.Clock{}},
	} {
		got := clockOf(&c.g, c.today, c.shared)
		if got == nil {
			got = &workdays.Clock{}
		}
		if *got != c.want {
			t.Errorf("%s: %+v, want %+v", name, *got, c.want)
		}
	}
}

func FuzzParseEntry(f *testing.F) {
	e := entry{Format: format, Kind: kind, ID: "a", At: time.Unix(1, 0), By: "xzsp/1", Grant: "g", Act: Request, Terms: &terms}
	m, err := e.message()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(m.Value)
	f.Add([]byte(`{"kind":"item","id":"x"}`))
	f.Add([]byte(`{"kind":"grant","kind":"item"}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		e, err := parseEntry(value)
		if e != nil && (err != nil || e.Kind != kind || e.Grant == "") {
			t.Errorf("%q: %+v %v", value, e, err)
		}
		if e != nil {
			s := newState(nil)
			_ = s.fold(e) // never panics
		}
	})
}
