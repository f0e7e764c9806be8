package condition_test

import (
	"slices"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/condition"
)

func TestNever(t *testing.T) {
	for text, want := range map[string]bool{
		`false`:                                                   true,
		`record.a == "x" && record.a == "y"`:                      true,
		`record.a == "x" && record.a != "x"`:                      true,
		`record.a in ["x", "y"] && record.a == "z"`:               true,
		`record.n > 5 && record.n < 5`:                            true,
		`record.n >= 5 && 5 > record.n`:                           true,
		`record.n > 5 && record.n < "a"`:                          true, // no value is both a number and a word
		`record.d < "2020-01-01" && record.d > "2021-01-01"`:      true,
		`facts.a && !facts.a`:                                     true,
		`applicant == "company"`:                                  true,
		`applicant == "person" && applicant == "org"`:             true,
		`(record.a == "x" || record.a == "y") && record.a == "z"`: true,
		`record.a in []`:                                          true,
		`(record.a == "x" && record.a == "y") || false`:           true,

		`true`:                               false,
		`record.a == "x" && record.b == "y"`: false,
		`record.a == "x" || record.a == "y"`: false,
		`record.a != "x" && record.a != "y"`: false,
		`record.n >= 5 && record.n <= 5`:     false,
		`record.n == 5 && record.n == 5.0`:   false,
		`record.n > 1152921504606846976 && record.n < 1152921504606846980`: false, // floats cannot tell them apart
		`!(record.a == "x" && record.a == "y")`:                            false,
		`record.a == record.b && record.a != record.b`:                     false, // it never holds, but that is not looked at
		`record.a.exists(x, x == "p") && record.a.exists(x, x == "q")`:     false,
		`applicant == "org"`:               false,
		`facts.a`:                          false,
		`has(record.a) && record.a == "x"`: false,
	} {
		if got := parse(t, text).Never(""); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	if !parse(t, `applicant == "org"`).Never(exchange.Person) || (condition.Condition{}).Never("") {
		t.Error("the applicant's kind")
	}
}

func TestComparisons(t *testing.T) {
	got := parse(t, `record.a == "x" && ("y" == facts.b || record.c in ["p", "q"]) && record.n == 4 && applicant == "org"`).Comparisons()
	want := []condition.Comparison{{"record", "a", "x"}, {"facts", "b", "y"}, {"record", "c", "p"}, {"record", "c", "q"}}
	slices.SortFunc(got, func(a, b condition.Comparison) int { return slices.Index(want, a) - slices.Index(want, b) })
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// What never holds holds in no situation: random ones are tried.
func FuzzNever(f *testing.F) {
	f.Add(`record.a == "x" && record.a != "x"`, []byte(`{"a":"x"}`))
	f.Add(`record.n > 1 && record.n < 1.5 || facts.a`, []byte(`{"n":1.2}`))
	f.Add(`record.n < 3 && record.n in [1, 2.0, "a"]`, []byte(`{"n":2}`))
	f.Fuzz(func(t *testing.T, text string, document []byte) {
		c, err := condition.Parse(text)
		if err != nil {
			return
		}
		for _, kind := range []exchange.HolderKind{exchange.Person, exchange.Organisation} {
			s := condition.Situation{Record: document, Today: "2026-11-26", Applicant: kind, Facts: map[string]any{"a": true}}
			if c.Never(kind) && c.In(s) == condition.Holds {
				t.Fatal("it holds, although it never can")
			}
		}
	})
}
