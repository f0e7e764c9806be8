package broker

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/onedoor/yimen/exchange"
)

func TestQuestionShowsWhatTellsApart(t *testing.T) {
	small := `{"name":"张晓明","area":90,"owner":"y"}`
	large := `{"name":"张晓明","area":120.50,"owner":"x"}`
	a := decide("a", source("a", "1", fresh), record("a", 1, exchange.Valid, payload(small), until("2030-01-01")), record("a", 2, exchange.Valid, payload(large)))
	want := []exchange.Question{{Type: "a", Choices: []exchange.Choice{
		{Record: exchange.RecordID{1}.String(), Until: "2030-01-01", Fields: json.RawMessage(`{"area":90}`)},
		{Record: exchange.RecordID{2}.String(), Fields: json.RawMessage(`{"area":120.50}`)},
	}}}
	if !reflect.DeepEqual(a.Ask, want) {
		t.Errorf("asked %s", show(t, a.Ask))
	}
	for _, e := range a.Evidence {
		if string(e.Fields) != `{"area":90}` && string(e.Fields) != `{"area":120.50}` {
			t.Errorf("evidence of an open question shows %s", e.Fields)
		}
	}
	if held := decide("a", checks("a"), chosen("a", 'a')); held.Ask != nil || len(held.Evidence) != 1 || held.Evidence[0].Record != (exchange.RecordID{'a'}).String() {
		t.Errorf("after the choice: %s", show(t, held))
	}
	if both := decide("a+b", checks("a"), checks("b")); len(both.Ask) != 2 || both.Ask[1].Type != "b" || len(both.Ask[1].Choices) != 2 {
		t.Errorf("two questions: %s", show(t, both.Ask))
	}
	if unknown := decide("a+b", checks("a"), unknown("b")); unknown.Ask != nil {
		t.Errorf("asked although the answer settles nothing: %s", show(t, unknown.Ask))
	}
}

func TestChosenMustBeAmongTheUsable(t *testing.T) {
	for name, tc := range map[string]struct {
		given []premise
		want  exchange.EvidenceType
	}{
		"nothing chosen":  {with(checks("a")), ""},
		"one of them":     {with(checks("a"), chosen("a", 'a')), ""},
		"none of them":    {with(checks("a"), chosen("a", 1)), "a"},
		"not granted":     {with(noGrant("a"), chosen("a", 1)), ""},
		"nothing held":    {with(lacks("a"), chosen("a", 1)), "a"},
		"revoked since":   {with(lacks("a"), record("a", 1, exchange.Revoked), chosen("a", 1)), "a"},
		"of another type": {with(holds("a"), holds("b"), chosen("b", 'a')), "b"},
		"expired by then": {with(lacks("a"), record("a", 1, exchange.Valid, until("2026-12-31")), on("2027-01-01"), chosen("a", 1)), "a"},
	} {
		p := premises("a|b", tc.given...)
		if got, astray := p.astray(); got != tc.want || astray != (tc.want != "") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func show(t *testing.T, v any) string {
	t.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
