package broker

import (
	"fmt"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
)

var wife = exchange.Holder{Kind: exchange.Person, Number: "430281199001010025"}

// spouse gathers what is known of the wife.
func spouse(given ...premise) premise {
	return func(p *Premises) {
		theirs := Premises{}
		for _, g := range given {
			g(&theirs)
		}
		p.Parties = map[exchange.Role]Party{exchange.Spouse: {Holder: wife, Found: theirs.Found}}
	}
}

// TestWhoseEvidence: what one holds never stands for what another lacks, in either direction.
func TestWhoseEvidence(t *testing.T) {
	for name, tc := range map[string]struct {
		ask   string // capital letters: of the spouse
		given []premise
		want  string
	}{
		"spouse's, nobody stated":                  {"A", with(holds("a")), "unknown/party_not_stated"},
		"spouse's, no grant":                       {"A", with(holds("a"), noGrant("a")), "supply/no_grant"},
		"spouse's, no grant, stated":               {"A", with(spouse(holds("a")), noGrant("a")), "supply/no_grant"},
		"spouse holds":                             {"A", with(spouse(holds("a"))), "held/"},
		"spouse lacks, applicant holds":            {"A", with(holds("a"), spouse(lacks("a"))), "supply/not_held"},
		"spouse unknown, applicant holds":          {"A", with(holds("a"), spouse(unknown("a"))), "unknown/source_stale"},
		"applicant's, spouse holds":                {"a", with(lacks("a"), spouse(holds("a"))), "supply/not_held"},
		"applicant in quarantine":                  {"A", with(source("a", "1", fresh, quarantined), spouse(holds("a"))), "held/"},
		"spouse in quarantine":                     {"A", with(holds("a"), spouse(source("a", "1", fresh, quarantined), record("a", 1, exchange.Valid))), "unknown/coverage_incomplete"},
		"either, applicant holds, nobody stated":   {"a|A", with(holds("a")), "held/"},
		"either, applicant lacks, nobody stated":   {"a|A", with(lacks("a")), "unknown/party_not_stated"},
		"either, applicant lacks, spouse holds":    {"a|A", with(lacks("a"), spouse(holds("a"))), "held/"},
		"either, both lack":                        {"a|A", with(lacks("a"), spouse(lacks("a"))), "supply/not_held"},
		"both, applicant holds, nobody stated":     {"a+A", with(holds("a")), "unknown/party_not_stated"},
		"both hold":                                {"a+A", with(holds("a"), spouse(holds("a"))), "held/"},
		"applicant's statement is not of spouse":   {"A", with(spouse(holds("a")), stated("a", `{"area":1}`)), "held/"},
		"spouse's record chosen":                   {"A", with(spouse(holds("a"), record("a", 2, exchange.Valid)), chosen("a", 2)), "held/"},
		"spouse's two records":                     {"A", with(spouse(checks("a"))), "check/ambiguous"},
		"representative's, only the spouse stated": {"R", with(spouse(holds("a"))), "unknown/party_not_stated"},
	} {
		a := Decide(asking(tc.ask, tc.given...))[0]
		if got := fmt.Sprintf("%s/%s", a.Outcome, a.Reason); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}

// asking is premises with A, the same of the spouse as a, and R, the representative's a.
func asking(ask string, given ...premise) Premises {
	p := premises("")
	var alternatives []catalogue.Alternative
	var set catalogue.Alternative
	for _, c := range ask {
		switch c {
		case '|':
			alternatives, set = append(alternatives, set), nil
		case 'a':
			set = append(set, catalogue.Need{Evidence: "a"})
		case 'A':
			set = append(set, catalogue.Need{Evidence: "a", Of: exchange.Spouse})
		case 'R':
			set = append(set, catalogue.Need{Evidence: "a", Of: exchange.Representative})
		}
	}
	p.Service.Materials[0].Alternatives = append(alternatives, set)
	for _, g := range given {
		g(&p)
	}
	return p
}

func TestEvidenceSaysWhoseItIs(t *testing.T) {
	a := Decide(asking("a+A", holds("a"), spouse(holds("a"))))[0]
	if len(a.Evidence) != 2 || a.Evidence[0].Of != "" || a.Evidence[1].Of != exchange.Spouse {
		t.Errorf("%+v", a.Evidence)
	}
}

// TestConditionSpeaksOfTheApplicant also where the record is a party's.
func TestConditionSpeaksOfTheApplicant(t *testing.T) {
	p := asking("R", holds("a"))
	p.Holder = exchange.Holder{Kind: exchange.Organisation, Number: "91430281000000019C"}
	p.Parties = map[exchange.Role]Party{exchange.Representative: {Holder: citizen, Found: p.Found}}
	p.Service.Materials[0].Alternatives[0][0].When = parsed(t, `applicant == "org" && record.area > 100`)
	if a := Decide(p)[0]; a.Outcome != exchange.Held {
		t.Errorf("%s/%s", a.Outcome, a.Reason)
	}
}

// TestChosenOfAParty is not astray, and one of nobody is.
func TestChosenOfAParty(t *testing.T) {
	if _, astray := new(asking("a|A", holds("a"), spouse(record("a", 2, exchange.Valid)), chosen("a", 2))).astray(); astray {
		t.Error("the spouse's record is astray")
	}
	if _, astray := new(asking("a|A", holds("a"), spouse(record("a", 2, exchange.Valid)), chosen("a", 3))).astray(); !astray {
		t.Error("nobody's record is not")
	}
}

// TestApplicantIsNotLookedUpForOthers: what is needed of the spouse alone is not asked for of the applicant.
func TestApplicantIsNotLookedUpForOthers(t *testing.T) {
	files := fstest.MapFS{"grants.yaml": {Data: []byte(grants)}, "items/own.yaml": {Data: []byte(`
item: food-licence-individual
name: {zh: 甲}
department: scjg
applicant: person
materials:
  - {material: licence, name: {zh: 执照}, basis: {zh: 法}, necessity: required, alternatives: [[business-licence]]}
  - {material: health, name: {zh: 健康证明}, basis: {zh: 法}, necessity: required, alternatives: [[{evidence: health-certificate, of: spouse}]]}
`)}}
	s := newStage(t)
	var err error
	if s.Broker.cfg.Catalogue, err = catalogue.Load(catalogue.Builtin(), files); err != nil {
		t.Fatal(err)
	}
	c, err := s.Query(t.Context(), query())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.holdings.asked, []exchange.EvidenceType{"business-licence"}) {
		t.Errorf("looked up %v", s.holdings.asked)
	}
	if a := c.Answers[1]; a.Outcome != exchange.Unknown || a.Reason != exchange.PartyNotStated {
		t.Errorf("%s/%s", a.Outcome, a.Reason)
	}
}
