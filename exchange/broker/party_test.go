package broker

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
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
		married(1, 1)(p)
	}
}

// married gives the applicant and the stated spouse a marriage certificate each; 0: none.
func married(his, hers byte) premise {
	return func(p *Premises) {
		p.Grants["marriage-certificate"] = catalogue.Grant{}
		of := func(found *exchange.Found, id byte) {
			found.Records = slices.DeleteFunc(slices.Clone(found.Records), func(r exchange.Record) bool { return r.Type == "marriage-certificate" })
			if id != 0 {
				found.Records = append(found.Records, exchange.Record{Type: "marriage-certificate", ID: exchange.RecordID{id}, Status: exchange.Valid, AsOf: fresh})
			}
		}
		of(&p.Found, his)
		party := p.Parties[exchange.Spouse]
		of(&party.Found, hers)
		p.Parties[exchange.Spouse] = party
	}
}

// TestWhoBelongsToTheApplicant: a stated spouse is believed where one certificate names both.
func TestWhoBelongsToTheApplicant(t *testing.T) {
	for name, tc := range map[string]struct {
		given []premise
		want  string
	}{
		"one certificate":               {with(spouse(holds("a"))), "held/"},
		"another's husband":             {with(spouse(holds("a")), married(1, 2)), "check/facts_differ"},
		"not married to anybody":        {with(spouse(holds("a")), married(1, 0)), "check/facts_differ"},
		"no certificate found":          {with(spouse(holds("a")), married(0, 0)), "check/party_unproven"},
		"hers alone found":              {with(spouse(holds("a")), married(0, 1)), "check/party_unproven"},
		"no grant for it":               {with(spouse(holds("a")), noGrant("marriage-certificate")), "check/party_unproven"},
		"unproven, and nothing held":    {with(spouse(lacks("a")), married(0, 0)), "supply/not_held"},
		"unproven, and nothing known":   {with(spouse(unknown("a")), married(0, 0)), "unknown/source_stale"},
		"unproven, two records":         {with(spouse(checks("a")), married(0, 0)), "check/party_unproven"},
		"another's, and nothing held":   {with(spouse(lacks("a")), married(1, 2)), "check/facts_differ"},
		"her rows cannot all be read":   {with(spouse(holds("a"), source("marriage-certificate", "1", fresh, quarantined)), married(1, 0)), "check/party_unproven"},
		"one certificate, over by then": {with(spouse(holds("a")), ended), "check/party_unproven"},
	} {
		a := Decide(asking("A", tc.given...))[0]
		if got := fmt.Sprintf("%s/%s", a.Outcome, a.Reason); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
		for _, e := range a.Evidence {
			if a.Reason == exchange.PartyUnproven && e.Fields != nil || a.Reason == exchange.FactsDiffer && (e.Fields != nil || e.Record != "" || !e.AsOf.IsZero()) {
				t.Errorf("%s: shows %+v", name, e)
			}
		}
		if a.Ask != nil {
			t.Errorf("%s: asks %+v", name, a.Ask)
		}
	}
}

// ended divorces them.
func ended(p *Premises) {
	for i := range p.Found.Records {
		if r := &p.Found.Records[i]; r.Type == "marriage-certificate" {
			r.Status = exchange.Revoked
		}
	}
}

// TestRepresentativeAndAgent: a licence that names its representative as a holder shows who it is, one that does not leaves it open;
// an agent stands at the window.
func TestRepresentativeAndAgent(t *testing.T) {
	licence := exchange.Record{Type: "business-licence", ID: exchange.RecordID{3}, Status: exchange.Valid, AsOf: fresh}
	for name, tc := range map[string]struct {
		role  exchange.Role
		names bool
		want  exchange.Reason
	}{
		"named": {exchange.Representative, true, ""}, "not named": {exchange.Representative, false, exchange.PartyUnproven}, "agent": {exchange.Agent, false, ""},
	} {
		p := asking("R", holds("a"))
		p.Service.Materials[0].Alternatives[0][0].Of = tc.role
		p.Grants["business-licence"] = catalogue.Grant{}
		theirs := exchange.Found{Records: slices.Clone(p.Found.Records), Sources: p.Found.Sources}
		if tc.names {
			theirs.Records = append(theirs.Records, licence)
		}
		p.Found.Records = append(p.Found.Records, licence)
		p.Parties = map[exchange.Role]Party{tc.role: {Holder: wife, Found: theirs}}
		if a := Decide(p)[0]; a.Reason != tc.want {
			t.Errorf("%s: %s/%s", name, a.Outcome, a.Reason)
		}
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
	licence := exchange.Record{Type: "business-licence", ID: exchange.RecordID{3}, Status: exchange.Valid, AsOf: fresh}
	p.Grants["business-licence"], p.Found.Records = catalogue.Grant{}, append(p.Found.Records, licence)
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

// TestPartyIsLookedUpAndSeesIt: only what is needed of the spouse and what ties both is looked up of them, and the entry names them by
// a token of their own.
func TestPartyIsLookedUpAndSeesIt(t *testing.T) {
	s := newStage(t)
	files := fstest.MapFS{"grants.yaml": {Data: []byte(grants)}, "items/own.yaml": {Data: []byte(`
item: food-licence-individual
name: {zh: 甲}
department: scjg
applicant: person
materials:
  - {material: licence, name: {zh: 执照}, basis: {zh: 法}, necessity: required, alternatives: [[business-licence]]}
  - {material: health, name: {zh: 健康证明}, basis: {zh: 法}, necessity: required, alternatives: [[{evidence: health-certificate, of: spouse}]]}
`)}}
	var err error
	if s.Broker.cfg.Catalogue, err = catalogue.Load(catalogue.Builtin(), files); err != nil {
		t.Fatal(err)
	}
	q := query()
	q.Parties = map[exchange.Role]exchange.Holder{exchange.Spouse: wife}
	c, err := s.Query(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if s.holdings.calls != 2 || !slices.Equal(s.holdings.asked, []exchange.EvidenceType{"health-certificate"}) {
		t.Errorf("looked up %v at last, of %d", s.holdings.asked, s.holdings.calls)
	}
	if a := c.Answers[1]; a.Outcome != exchange.Supply || a.Evidence[0].Of != exchange.Spouse {
		t.Errorf("%+v", a)
	}
	e := s.entry(t)
	party := e.Parties[exchange.Spouse]
	if len(e.Parties) != 1 || !audit.ValidToken(party.Subject) || party.Subject == e.Subject || party.Near == "" || party.Inputs.IsZero() || e.Materials[1].Evidence[0].Of != exchange.Spouse {
		t.Errorf("entry %+v", e)
	}
	if raw := string(s.topic.msgs[0].Value); strings.Contains(raw, wife.Number) || strings.Contains(raw, wife.Number[6:14]) {
		t.Error("the log has the spouse's number")
	}
	for name, parties := range map[string]map[exchange.Role]exchange.Holder{
		"no such role":      {"cousin": wife},
		"not needed":        {exchange.Agent: wife},
		"the applicant":     {exchange.Spouse: citizen},
		"self":              {exchange.Self: wife},
		"empty":             {"": wife},
		"a company as wife": {exchange.Spouse: {Kind: exchange.Organisation, Number: "91430281000000019C"}},
	} {
		s := newStage(t)
		s.Broker.cfg.Catalogue, _ = catalogue.Load(catalogue.Builtin(), files) // it was loaded above
		q := query()
		q.Parties = parties
		if _, err := s.Query(t.Context(), q); exchange.KindOf(err) != exchange.Invalid || s.holdings.calls != 0 || strings.Contains(err.Error(), "cousin") {
			t.Errorf("%s: %v, %d look-ups", name, err, s.holdings.calls)
		}
	}
}

// Who is both spouse and agent is looked up once, for what is needed of either.
func TestOnePersonInTwoRoles(t *testing.T) {
	p := premises("")
	p.Service.Materials[0].Alternatives = []catalogue.Alternative{{{Evidence: "a", Of: exchange.Spouse}, {Evidence: "b", Of: exchange.Agent}, {Evidence: "c"}}}
	h := &fakeHoldings{}
	if err := p.lookUp(t.Context(), h, map[exchange.Role]exchange.Holder{exchange.Spouse: wife, exchange.Agent: wife}); err != nil {
		t.Fatal(err)
	}
	if h.calls != 1 || !slices.Equal(h.asked, []exchange.EvidenceType{"a", "b"}) || p.Parties[exchange.Spouse].Holder != wife || p.Parties[exchange.Agent].Holder != wife {
		t.Errorf("%d look-ups, of %v: %+v", h.calls, h.asked, p.Parties)
	}
}
