package main

import (
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/identity"
	"github.com/onedoor/yimen/schemas"
	"github.com/onedoor/yimen/schemas/gate"
)

// TestForms sees to it that what is published is what the exchange takes: a record that nobody can find would make queries fast.
func TestForms(t *testing.T) {
	set, err := schemas.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalogue.Load(catalogue.Builtin(), benchCatalogue())
	if err != nil {
		t.Fatal(err)
	}
	service, ok := c.Service(benchItem)
	if !ok || len(service.Materials) != len(forms) {
		t.Fatalf("item %s has %d materials, want %d", benchItem, len(service.Materials), len(forms))
	}
	later := string(exchange.DateOf(time.Now().AddDate(1, 0, 0)))
	naturals := map[string]bool{}
	for i := range forms {
		f := &forms[i]
		schema, ok := set.ByType(f.evidence)
		if !ok {
			t.Fatalf("no schema of %s", f.evidence)
		}
		if e, _ := c.Evidence(f.evidence); e.Keeper != f.adapter.Department() {
			t.Errorf("%s is not the keeper of %s", f.adapter.Department(), f.evidence)
		}
		if alternatives := service.Materials[i].Alternatives; len(alternatives) != 1 || alternatives[0][0].Evidence != f.evidence {
			t.Errorf("material %d asks for %v, want %s", i, alternatives, f.evidence)
		}
		for _, index := range []int{0, 1, 199_999} {
			doc, err := gate.Decode(f.fill(index, later))
			if err != nil {
				t.Fatalf("%s of %d: %v", f.evidence, index, err)
			}
			if err := schema.Validate(doc); err != nil {
				t.Errorf("%s of %d: %v", f.evidence, index, err)
			}
			facts, err := schema.Facts(doc)
			if err != nil || facts.Status != exchange.Valid || len(facts.Holders) == 0 || facts.Holders[0].Number != applicant(index) {
				t.Errorf("%s of %d: facts are not the holder's: %v", f.evidence, index, err)
			}
			natural := string(f.evidence) + facts.Natural
			if naturals[natural] {
				t.Errorf("%s of %d stands twice", f.evidence, index)
			}
			naturals[natural] = true
		}
	}
}

func TestApplicants(t *testing.T) {
	seen := map[string]bool{}
	for _, from := range []int{0, 9_999, 9_989_990, 9_990_000, spouseFrom, spouseFrom + 1_000_000} {
		for index := from; index < from+3; index++ {
			number := applicant(index)
			if _, err := identity.ParseCitizen(number); err != nil {
				t.Errorf("applicant %d: %v", index, err)
			}
			if seen[number] {
				t.Errorf("applicant %d stands twice", index)
			}
			seen[number] = true
		}
	}
}
