package broker

import (
	"slices"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/condition"
)

func parsed(t *testing.T, text string) condition.Condition {
	t.Helper()
	c, err := condition.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func facts(f map[string]any) premise { return func(p *Premises) { p.Facts = f } }

// A condition that is not met reads otherwise than one of which it cannot be told.
func TestConditionReason(t *testing.T) {
	unmet, open := exchange.ConditionNotMet.Text(exchange.Supply), exchange.ConditionNotMet.Text(exchange.Check)
	if unmet == open || unmet.ZH == "" || open.ZH == "" || unmet.EN == "" || open.EN == "" {
		t.Errorf("%v, %v", unmet, open)
	}
}

// TestConditions: what a need asks of a record, with every state of what is known. Records are a's, of which the area is 120.50.
func TestConditions(t *testing.T) {
	const meets, fails, lacks, depends = `record.area > 100`, `record.area > 200`, `record.seats > 4`, `facts.storeys == 1`
	for name, tc := range map[string]struct {
		when  string
		given []premise
		want  string
	}{
		"meets":                            {meets, with(holds("a")), "held/"},
		"fails":                            {fails, with(holds("a")), "supply/condition_not_met"},
		"field is lacking":                 {lacks, with(holds("a")), "check/condition_not_met"},
		"fact is not stated":               {depends, with(holds("a")), "check/condition_not_met"},
		"fact is stated":                   {depends, with(holds("a"), facts(map[string]any{"storeys": 1})), "held/"},
		"fact speaks against":              {depends, with(holds("a"), facts(map[string]any{"storeys": 2})), "supply/condition_not_met"},
		"fails, source stale":              {fails, with(source("a", "1", old), record("a", 1, exchange.Valid)), "unknown/source_stale"},
		"fails, incomplete":                {fails, with(source("a", "1", fresh, overTolerance), record("a", 1, exchange.Valid)), "unknown/coverage_incomplete"},
		"fails, quarantined":               {fails, with(source("a", "1", fresh, quarantined), record("a", 1, exchange.Valid)), "unknown/coverage_incomplete"},
		"fails, no grant":                  {fails, with(holds("a"), noGrant("a")), "supply/no_grant"},
		"fails, beside an expired one":     {fails, with(holds("a"), record("a", 2, exchange.Valid, until("2026-11-22"))), "supply/condition_not_met"},
		"one of two meets":                 {meets, with(holds("a"), record("a", 2, exchange.Valid, payload(`{"area":9}`))), "held/"},
		"two meet":                         {meets, with(holds("a"), record("a", 2, exchange.Valid, payload(`{"area":101}`))), "check/ambiguous"},
		"one meets, of one it is not said": {meets, with(holds("a"), record("a", 2, exchange.Valid, payload(`{"name":"x"}`))), "held/"},
		"the chosen one fails":             {meets, with(holds("a"), record("a", 2, exchange.Valid, payload(`{"area":9}`)), chosen("a", 2)), "supply/condition_not_met"},
		"nothing found":                    {meets, with(source("a", "1", fresh)), "supply/not_held"},
	} {
		p := premises("a", tc.given...)
		p.Service.Materials[0].Alternatives[0][0].When = parsed(t, tc.when)
		got := Decide(p)[0]
		if said := string(got.Outcome) + "/" + string(got.Reason); said != tc.want {
			t.Errorf("%s: %s, want %s", name, said, tc.want)
		}
	}
}

func TestTheSameTypeUnderTwoConditions(t *testing.T) {
	p := premises("a|a", holds("a"))
	p.Service.Materials[0].Alternatives[0][0].When = parsed(t, `record.area > 200`)
	p.Service.Materials[0].Alternatives[1][0].When = parsed(t, `record.area > 100`)
	if got := Decide(p)[0]; got.Outcome != exchange.Held {
		t.Errorf("%s/%s", got.Outcome, got.Reason)
	}
}

// TestMaterialsOfSomeCases: a material is left out only where it is sure that this case does not need it.
func TestMaterialsOfSomeCases(t *testing.T) {
	for name, tc := range map[string]struct {
		facts map[string]any
		asked bool
	}{
		"needed":     {map[string]any{"rented": true}, true},
		"not needed": {map[string]any{"rented": false}, false},
		"not stated": {nil, true},
	} {
		p := premises("a", holds("a"), facts(tc.facts))
		p.Service.Materials = append(p.Service.Materials, catalogue.Material{Code: "lease", If: parsed(t, `facts.rented`)})
		got := Decide(p)
		asked := slices.ContainsFunc(got, func(a exchange.Answer) bool { return a.Material == "lease" })
		if asked != tc.asked || got[0].Material != "m" {
			t.Errorf("%s: asked for %t", name, asked)
		}
		if name == "not stated" && !slices.Equal(got[1].Unstated, []string{"rented"}) {
			t.Errorf("what is to be stated: %v", got[1].Unstated)
		}
	}
}
