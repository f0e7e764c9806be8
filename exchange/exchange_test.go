package exchange_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
)

func TestValidName(t *testing.T) {
	for _, good := range []string{"a", "scjg", "food-licence-new", "a1-2b", strings.Repeat("a", 64)} {
		if !exchange.ValidName(good) {
			t.Errorf("%q is refused", good)
		}
	}
	for _, bad := range []string{"", "-a", "a-", "a--b", "1a", "A", "a_b", "a.b", "a/b", "a b", "部门", "a\n", "~", strings.Repeat("a", 65)} {
		if exchange.ValidName(bad) {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestValidAdapter(t *testing.T) {
	if !exchange.ValidAdapter("scjg/food-licence") {
		t.Error("a sound name is refused")
	}
	for _, bad := range []string{"", "scjg", "scjg/", "/a", "scjg/a/b", "../etc", "scjg/A", "scjg /a"} {
		if exchange.ValidAdapter(bad) {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestHolderNeverPrintsItsNumber(t *testing.T) {
	const number = "430281199001010017"
	h := exchange.Holder{Kind: exchange.Person, Number: number}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{h, &h, []exchange.Holder{h}, struct{ H exchange.Holder }{h}} {
			if text := fmt.Sprintf(verb, value); strings.Contains(text, number) || strings.Contains(text, number[6:14]) {
				t.Errorf("%s of %T prints it", verb, value)
			}
		}
	}
	if text := h.LogValue().String(); strings.Contains(text, number[6:14]) {
		t.Error("the log shows it")
	}
}

func TestScope(t *testing.T) {
	person := exchange.Holder{Kind: exchange.Person, Number: "430281199001010017"}
	company := exchange.Holder{Kind: exchange.Organisation, Number: "91430281000000019C"}
	cases := []struct {
		scope exchange.Scope
		who   exchange.Holder
		want  bool
	}{
		{exchange.Scope{}, person, true},
		{exchange.Scope{}, company, true},
		{exchange.Scope{Kind: exchange.Organisation}, company, true},
		{exchange.Scope{Kind: exchange.Organisation}, person, false},
		{exchange.Scope{Divisions: []string{"43"}}, company, true},
		{exchange.Scope{Divisions: []string{"44", "430281"}}, company, true},
		{exchange.Scope{Divisions: []string{"91"}}, company, false},
		{exchange.Scope{Divisions: []string{"43"}}, person, true},
		{exchange.Scope{Divisions: []string{"44"}}, person, false},
		{exchange.Scope{Divisions: []string{"43"}}, exchange.Holder{}, false},
	}
	for i, c := range cases {
		if got := c.scope.Includes(c.who); got != c.want {
			t.Errorf("case %d: %t", i, got)
		}
	}
}

func TestDayIsTheDayInChina(t *testing.T) {
	if got := exchange.DateOf(time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC)); got != "2026-11-24" {
		t.Errorf("midnight in China is %s", got)
	}
	for _, bad := range []string{"", "2026-02-30", "2026-2-3", "20260203", "2026-02-03T00:00:00Z", "昨天"} {
		if d, err := exchange.ParseDate(bad); err == nil {
			t.Errorf("%q is the day %s", bad, d)
		}
	}
}

func TestValidityIncludesBothEnds(t *testing.T) {
	r := exchange.Record{From: "2026-01-01", Until: "2026-12-31"}
	for day, want := range map[exchange.Date]bool{"2025-12-31": false, "2026-01-01": true, "2026-12-31": true, "2027-01-01": false} {
		if r.ValidOn(day) != want {
			t.Errorf("%s: %t", day, !want)
		}
	}
	if open := (&exchange.Record{}); !open.ValidOn("1949-10-01") {
		t.Error("a record without bounds has one")
	}
}

func TestNearest(t *testing.T) {
	known := []string{"column", "constant", "split", "food-licence-new"}
	for word, want := range map[string]string{"colum": "column", "columm": "column", "food-licence-nwe": "food-licence-new", "splt": "split",
		"": "", "zebra": "", "完全不同": "", strings.Repeat("column", 50): ""} {
		if got := exchange.Nearest(word, known); got != want {
			t.Errorf("%.20q: %q, want %q", word, got, want)
		}
	}
}
