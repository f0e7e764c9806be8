package copies

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
)

func named() Named {
	return Named{exchange.Holder{Kind: exchange.Person, Number: citizen}, "property-title", exchange.RecordID{1, 2}, noon.AddDate(0, 0, 30)}
}

func code(t testing.TB, p *Press, n Named) string {
	t.Helper()
	written, err := p.Code(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return written
}

// A code tells the exchange alone what it names, and nothing to others: not even that two name the same, nor whose number is longer.
func TestCode(t *testing.T) {
	p := press(1)
	first, second := code(t, p, named()), code(t, p, named())
	got, err := p.Read(t.Context(), first, noon)
	if err != nil || got.Holder.Number != citizen || got.Holder.Kind != exchange.Person || got.Type != "property-title" || got.Record != named().Record || !got.Expires.Equal(named().Expires) {
		t.Errorf("%+v %v", got, err)
	}
	if first == second || strings.Contains(first, citizen) || strings.Trim(first[4:], "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
		t.Errorf("codes %s, %s", first, second)
	}
	other := named()
	other.Type = "tax-clearance"
	if length := len(code(t, p, other)); length != len(first) {
		t.Errorf("%d and %d characters", len(first), length)
	}
	for name, test := range map[string]struct {
		by   *Press
		code string
		at   time.Time
		want string
	}{
		"in its last second":  {p, first, named().Expires.Add(-time.Second), ""},
		"as a scanner types":  {p, first + "\r\n", noon, ""},
		"too late":            {p, first, named().Expires, "YM-CPY-0103"},
		"of another exchange": {press(2), first, noon, "YM-CPY-0102"},
		"without its prefix":  {p, first[4:], noon, "YM-CPY-0102"},
		"cut off":             {p, first[:len(first)-8], noon, "YM-CPY-0102"},
		"one letter changed":  {p, strings.Replace(first, first[9:10], map[bool]string{true: "B", false: "A"}[first[9] == 'A'], 1), noon, "YM-CPY-0102"},
		"in small letters":    {p, strings.ToLower(first), noon, "YM-CPY-0102"},
		"empty":               {p, "", noon, "YM-CPY-0102"},
		"endless":             {p, codePrefix + strings.Repeat("A", 1<<16), noon, "YM-CPY-0102"},
	} {
		_, err := test.by.Read(t.Context(), test.code, test.at)
		var problem *exchange.Problem
		if errors.As(err, &problem); (problem == nil) != (test.want == "") || problem != nil && problem.Code != test.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// No text but a code of this press's names anything.
func FuzzRead(f *testing.F) {
	p := press(1)
	f.Add(code(f, p, named()))
	f.Add("")
	f.Add("YM1.")
	f.Add("YM1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := p.Read(t.Context(), text, noon); (err == nil) != (n.Holder.Number == citizen) {
			t.Errorf("%v %v", n, err)
		}
	})
}

func FuzzNamed(f *testing.F) {
	f.Add(named().spell())
	f.Add("person 1 a 00 99999999999999999999")
	f.Fuzz(func(t *testing.T, spelt string) {
		n, err := parseNamed(spelt)
		if err != nil {
			return
		}
		if again, err := parseNamed(n.spell()); err != nil || again.Holder.Number != n.Holder.Number || again.Record != n.Record || !again.Expires.Equal(n.Expires) {
			t.Errorf("%q: %v", spelt, err)
		}
	})
}
