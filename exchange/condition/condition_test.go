package condition_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/condition"
)

func parse(t testing.TB, text string) condition.Condition {
	t.Helper()
	c, err := condition.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return c
}

func TestTruths(t *testing.T) {
	situation := condition.Situation{
		Record:    []byte(`{"kind":"A2","seats":49,"area":12.5,"until":"2031-05-06","born":"2008-11-27","scope":["food","drink"],"odd":1e400}`),
		Facts:     map[string]any{"rented": true, "staff": int64(3), "use": "shop"},
		Applicant: exchange.Person, Today: "2026-11-26",
	}
	for text, want := range map[string]condition.Truth{
		``:                                             condition.Holds,
		`record.kind == "A2"`:                          condition.Holds,
		`record["kind"] == "A1"`:                       condition.Fails,
		`record.seats >= 49 && record.area > 12`:       condition.Holds,
		`record.until > today`:                         condition.Holds,
		`years(record.born, today) >= 18`:              condition.Fails,
		`days(today, record.until) > 365`:              condition.Holds,
		`"food" in record.scope`:                       condition.Holds,
		`facts.rented`:                                 condition.Holds,
		`facts.staff < 3`:                              condition.Fails,
		`facts.use == "shop" && applicant == "person"`: condition.Holds,
		`record.lacking == "x"`:                        condition.Undecided,
		`facts.unstated`:                               condition.Undecided,
		`facts.unstated || record.kind == "A2"`:        condition.Holds, // what is not known does not matter
		`facts.unstated && record.kind == "A1"`:        condition.Fails,
		`!has(record.lacking)`:                         condition.Holds,
		`facts.use`:                                    condition.Undecided, // not true or false
		`days(record.kind, today) > 1`:                 condition.Undecided,
		`record.seats / 0 > 1`:                         condition.Undecided,
	} {
		if text == "" {
			if got := (condition.Condition{}).In(situation); got != want {
				t.Errorf("no condition: %v", got)
			}
			continue
		}
		if got := parse(t, text).In(situation); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestDocumentThatCannotBeRead(t *testing.T) {
	if got := parse(t, `record.a == 1`).In(condition.Situation{Record: []byte("{")}); got != condition.Undecided {
		t.Errorf("%v", got)
	}
}

func TestNames(t *testing.T) {
	c := parse(t, `record.b == 1 && (record["a"] > 2 || has(record.c)) && facts.y && facts["x"] == 1`)
	if got := c.Fields(); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("fields %v", got)
	}
	if got := c.Facts(); !slices.Equal(got, []string{"x", "y"}) {
		t.Errorf("facts %v", got)
	}
	if got := c.Unstated(map[string]any{"x": 1}); !slices.Equal(got, []string{"y"}) {
		t.Errorf("unstated %v", got)
	}
}

func TestRefused(t *testing.T) {
	for _, text := range []string{"", "record.", "1 + 1", `"a"`, "holder.number == 1", "today", "timestamp(today)", "years(1, 2) > 1",
		strings.Repeat("(", 1000), strings.Repeat("a", 3000), `record.a.matches(`} {
		_, err := condition.Parse(text)
		var p *exchange.Problem
		if !errors.As(err, &p) || p.Code != "YM-CAT-0206" || p.What.ZH == "" || p.Mend.EN == "" {
			t.Errorf("%.30q: %v", text, err)
		}
	}
}

// TestCostIsBounded: a document of a keeper's making cannot keep a query busy.
func TestCostIsBounded(t *testing.T) {
	many, _ := json.Marshal(map[string]any{"a": make([]int, 3000)})
	c := parse(t, `record.a.all(x, record.a.all(y, record.a.all(z, x + y + z == 0)))`)
	if got := c.In(condition.Situation{Record: many}); got != condition.Undecided {
		t.Errorf("%v", got)
	}
}

func TestJSON(t *testing.T) {
	for _, c := range []condition.Condition{{}, parse(t, `record.a == "b"`)} {
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var back condition.Condition
		if err := json.Unmarshal(text, &back); err != nil || back.String() != c.String() || back.IsZero() != c.IsZero() {
			t.Errorf("%s: %v, %v", text, back, err)
		}
	}
	if err := json.Unmarshal([]byte(`"1 +"`), new(condition.Condition)); err == nil {
		t.Error("what cannot be parsed was read")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`record.a == "b" && today < record.until`, []byte(`{"a":"b","until":"2031-01-01"}`))
	f.Add(`facts.x > 1.5 || years(record.born, today) >= 18`, []byte(`{"born":1}`))
	f.Add(`record.a.exists(x, x.startsWith("y"))`, []byte(`{"a":["y"]}`))
	f.Fuzz(func(t *testing.T, text string, document []byte) {
		c, err := condition.Parse(text)
		if err != nil {
			return
		}
		s := condition.Situation{Record: document, Today: "2026-11-26", Applicant: exchange.Organisation}
		if first := c.In(s); first != c.In(s) {
			t.Fatal("not the same twice")
		}
	})
}
