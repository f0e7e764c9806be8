package broker

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
)

var (
	now     = time.Date(2026, 11, 23, 10, 0, 0, 0, exchange.China)
	fresh   = now.Add(-time.Hour)
	old     = now.Add(-73 * time.Hour)
	bound   = 72 * time.Hour
	citizen = exchange.Holder{Kind: exchange.Person, Number: "430281199001010017"}
)

// A premise changes the premises of one row. Types are single letters: a, b, c.
type premise func(*Premises)

func source(t exchange.EvidenceType, name string, upTo time.Time, change ...func(*exchange.Source)) premise {
	s := exchange.Source{Coverage: exchange.Coverage{
		Adapter: exchange.Adapter("keeper/" + name), Type: t, CompleteUpTo: upTo}, Folded: true}
	for _, c := range change {
		c(&s)
	}
	return func(p *Premises) { p.Found.Sources = append(p.Found.Sources, s) }
}

func unfolded(s *exchange.Source)    { s.Folded = false }
func quarantined(s *exchange.Source) { s.HolderQuarantined = true }
func overTolerance(s *exchange.Source) {
	s.Unreadable, s.Tolerance = 3, 2
}
func refused(s *exchange.Source)  { s.Refused = 1 }
func bearable(s *exchange.Source) { s.Unreadable, s.Tolerance = 2, 2 }
func orgs(s *exchange.Source)     { s.Holders.Kind = exchange.Organisation }
func elsewhere(s *exchange.Source) {
	s.Holders = exchange.Scope{Kind: exchange.Person, Divisions: []string{"11"}}
}
func here(s *exchange.Source) {
	s.Holders = exchange.Scope{Kind: exchange.Person, Divisions: []string{"4301", "4302"}}
}

func record(t exchange.EvidenceType, id byte, status exchange.Status, change ...func(*exchange.Record)) premise {
	r := exchange.Record{Type: t, ID: exchange.RecordID{id}, Version: 7, Keeper: "keeper", Adapter: "keeper/1", Status: status,
		AsOf: now.Add(-2 * time.Hour), Holders: []exchange.Holder{citizen}, Payload: []byte(`{"name":"张晓明","area":120.50,"owner":"x"}`)}
	for _, c := range change {
		c(&r)
	}
	return func(p *Premises) { p.Found.Records = append(p.Found.Records, r) }
}

func from(d exchange.Date) func(*exchange.Record)  { return func(r *exchange.Record) { r.From = d } }
func until(d exchange.Date) func(*exchange.Record) { return func(r *exchange.Record) { r.Until = d } }
func asOf(t time.Time) func(*exchange.Record)      { return func(r *exchange.Record) { r.AsOf = t } }
func by(name string) func(*exchange.Record) {
	return func(r *exchange.Record) { r.Adapter = exchange.Adapter("keeper/" + name) }
}
func payload(s string) func(*exchange.Record) {
	return func(r *exchange.Record) { r.Payload = []byte(s) }
}

func noGrant(t exchange.EvidenceType) premise { return func(p *Premises) { delete(p.Grants, t) } }

func on(d exchange.Date) premise { return func(p *Premises) { p.On = d } }

func chosen(t exchange.EvidenceType, id byte) premise {
	return func(p *Premises) { p.Chosen = Chosen{t: exchange.RecordID{id}} }
}

func stated(t exchange.EvidenceType, facts string) premise {
	return func(p *Premises) { p.Stated = Stated{t: members(json.RawMessage(facts))} }
}

func together(r *exchange.Record) {
	r.Holders = append(r.Holders, exchange.Holder{Kind: exchange.Person, Number: "430281199001010025"})
}

// premises builds what Decide gets: one material with the alternatives given as "a+b|c", all types granted.
func premises(alternatives string, given ...premise) Premises {
	m := catalogue.Material{Code: "m", Name: text("材料", "material"), Basis: text("法", "law")}
	for set := range strings.SplitSeq(alternatives, "|") {
		var types catalogue.Alternative
		for t := range strings.SplitSeq(set, "+") {
			if t != "" {
				types = append(types, catalogue.Need{Evidence: exchange.EvidenceType(t)})
			}
		}
		if types != nil {
			m.Alternatives = append(m.Alternatives, types)
		}
	}
	p := Premises{Service: catalogue.Service{Code: "item", Materials: []catalogue.Material{m}}, Holder: citizen, Now: now,
		Evidence: map[exchange.EvidenceType]catalogue.Evidence{}, Grants: map[exchange.EvidenceType]catalogue.Grant{}}
	for _, t := range []exchange.EvidenceType{"a", "b", "c"} {
		p.Evidence[t] = catalogue.Evidence{Type: t, Keeper: "keeper", StaleAfter: bound}
		p.Grants[t] = catalogue.Grant{Fields: []string{"area", "name"}}
	}
	for _, g := range given {
		g(&p)
	}
	return p
}

// with gathers premises into one row's.
func with(given ...premise) []premise { return given }

func holds(t exchange.EvidenceType) premise {
	return func(p *Premises) { source(t, "1", fresh)(p); record(t, t[0], exchange.Valid)(p) }
}
func checks(t exchange.EvidenceType) premise {
	return func(p *Premises) { holds(t)(p); record(t, t[0]+100, exchange.Valid)(p) }
}
func unknown(t exchange.EvidenceType) premise { return source(t, "1", old) }
func lacks(t exchange.EvidenceType) premise   { return source(t, "1", fresh) }

func TestTruthTable(t *testing.T) {
	for name, tc := range map[string]struct {
		alternatives string
		given        []premise
		want         string // outcome/reason
	}{
		// No grant, applicant made: the records do not matter.
		"applicant made":        {"", with(holds("a")), "supply/applicant_made"},
		"no grant, record":      {"a", with(holds("a"), noGrant("a")), "supply/no_grant"},
		"no grant, nothing":     {"a", with(noGrant("a")), "supply/no_grant"},
		"no grant, quarantined": {"a", with(source("a", "1", fresh, quarantined), noGrant("a")), "supply/no_grant"},
		// One usable record.
		"held":                             {"a", with(holds("a")), "held/"},
		"held on its first day":            {"a", with(source("a", "1", fresh), record("a", 1, exchange.Valid, from("2026-11-23"))), "held/"},
		"held on its last day":             {"a", with(source("a", "1", fresh), record("a", 1, exchange.Valid, until("2026-11-23"))), "held/"},
		"held, source never complete":      {"a", with(source("a", "1", time.Time{}), record("a", 1, exchange.Valid)), "held/"},
		"held, source still folding":       {"a", with(source("a", "1", fresh, unfolded), record("a", 1, exchange.Valid)), "held/"},
		"held, rows unreadable":            {"a", with(source("a", "1", fresh, overTolerance), record("a", 1, exchange.Valid)), "held/"},
		"held, no source known":            {"a", with(record("a", 1, exchange.Valid)), "held/"},
		"held, other source stale":         {"a", with(holds("a"), source("a", "2", old)), "held/"},
		"held, other source incomplete":    {"a", with(holds("a"), source("a", "2", time.Time{})), "held/"},
		"held, beside a withdrawn one":     {"a", with(holds("a"), record("a", 2, exchange.Withdrawn)), "held/"},
		"held, beside an expired one":      {"a", with(holds("a"), record("a", 2, exchange.Valid, until("2026-11-22"))), "held/"},
		"held, beside a revoked one":       {"a", with(holds("a"), record("a", 2, exchange.Revoked)), "held/"},
		"held, beside a future one":        {"a", with(holds("a"), record("a", 2, exchange.Valid, from("2026-11-24"))), "held/"},
		"held, other type's records":       {"a", with(holds("a"), record("b", 2, exchange.Valid)), "held/"},
		"held, old record vouched for":     {"a", with(source("a", "1", fresh), record("a", 1, exchange.Valid, asOf(old))), "held/"},
		"held, at the bound":               {"a", with(source("a", "1", now.Add(-bound)), record("a", 1, exchange.Valid)), "held/"},
		"stale record":                     {"a", with(source("a", "1", old), record("a", 1, exchange.Valid)), "check/source_stale"},
		"stale just past the bound":        {"a", with(source("a", "1", now.Add(-bound-1)), record("a", 1, exchange.Valid)), "check/source_stale"},
		"stale and still folding":          {"a", with(source("a", "1", old, unfolded), record("a", 1, exchange.Valid)), "check/source_stale"},
		"old record, still folding":        {"a", with(source("a", "1", fresh, unfolded), record("a", 1, exchange.Valid, asOf(old))), "check/source_stale"},
		"old record, never complete":       {"a", with(source("a", "1", time.Time{}), record("a", 1, exchange.Valid, asOf(old))), "check/source_stale"},
		"nothing found, records refused":   {"a", with(source("a", "1", fresh, refused)), "unknown/coverage_incomplete"},
		"record found, others refused":     {"a", with(source("a", "1", fresh, refused), record("a", 1, exchange.Valid)), "held/"},
		"old record, unreadable rows":      {"a", with(source("a", "1", fresh, overTolerance), record("a", 1, exchange.Valid, asOf(old))), "held/"},
		"old record, fresh other source":   {"a", with(source("a", "2", fresh), record("a", 1, exchange.Valid, asOf(old))), "check/source_stale"},
		"held by one of two sources":       {"a", with(source("a", "1", old), source("a", "2", fresh), record("a", 1, exchange.Valid, by("2"))), "held/"},
		"held, out of its source's scope":  {"a", with(source("a", "1", fresh, elsewhere), record("a", 1, exchange.Valid)), "held/"},
		"held, document without fields":    {"a", with(source("a", "1", fresh), record("a", 1, exchange.Valid, payload("{}"))), "held/"},
		"document cannot be read":          {"a", with(source("a", "1", fresh), record("a", 1, exchange.Valid, payload("{"))), "unknown/coverage_incomplete"},
		"document missing":                 {"a", with(source("a", "1", fresh), record("a", 1, exchange.Valid, payload(""))), "unknown/coverage_incomplete"},
		"status unheard of":                {"a", with(source("a", "1", fresh), record("a", 1, "lost")), "unknown/coverage_incomplete"},
		"status unheard of beside a valid": {"a", with(holds("a"), record("a", 2, "")), "unknown/coverage_incomplete"},
		// Several usable records.
		"two":                     {"a", with(checks("a")), "check/ambiguous"},
		"two, stale":              {"a", with(source("a", "1", old), record("a", 1, exchange.Valid), record("a", 2, exchange.Valid)), "check/ambiguous"},
		"two of two sources":      {"a", with(source("a", "1", fresh), source("a", "2", fresh), record("a", 1, exchange.Valid), record("a", 2, exchange.Valid, by("2"))), "check/ambiguous"},
		"two, one cannot be read": {"a", with(holds("a"), record("a", 2, exchange.Valid, payload("["))), "unknown/coverage_incomplete"},
		// Quarantine outweighs what was found.
		"quarantined":                   {"a", with(source("a", "1", fresh, quarantined)), "unknown/coverage_incomplete"},
		"quarantined, record":           {"a", with(source("a", "1", fresh, quarantined), record("a", 1, exchange.Valid)), "unknown/coverage_incomplete"},
		"quarantined, two records":      {"a", with(source("a", "1", fresh, quarantined), record("a", 1, exchange.Valid), record("a", 2, exchange.Valid)), "unknown/coverage_incomplete"},
		"quarantined, revoked":          {"a", with(source("a", "1", fresh, quarantined), record("a", 1, exchange.Revoked)), "unknown/coverage_incomplete"},
		"quarantined and stale":         {"a", with(source("a", "1", old, quarantined), record("a", 1, exchange.Valid)), "unknown/coverage_incomplete"},
		"quarantined by another source": {"a", with(holds("a"), source("a", "2", fresh, quarantined)), "unknown/coverage_incomplete"},
		"quarantined outside the scope": {"a", with(holds("a"), source("a", "2", fresh, quarantined, elsewhere)), "unknown/coverage_incomplete"},
		"quarantined in another type":   {"a", with(holds("a"), source("b", "1", fresh, quarantined)), "held/"},
		// Records that cannot be used.
		"expired":                          {"a", with(lacks("a"), record("a", 1, exchange.Valid, until("2026-11-22"))), "supply/expired"},
		"suspended":                        {"a", with(lacks("a"), record("a", 1, exchange.Suspended)), "supply/suspended"},
		"revoked":                          {"a", with(lacks("a"), record("a", 1, exchange.Revoked)), "supply/revoked"},
		"superseded":                       {"a", with(lacks("a"), record("a", 1, exchange.Superseded)), "supply/superseded"},
		"suspended and past its end":       {"a", with(lacks("a"), record("a", 1, exchange.Suspended, until("2020-01-01"))), "supply/suspended"},
		"expired and suspended":            {"a", with(lacks("a"), record("a", 1, exchange.Valid, until("2026-11-22")), record("a", 2, exchange.Suspended)), "supply/suspended"},
		"superseded and revoked":           {"a", with(lacks("a"), record("a", 1, exchange.Superseded), record("a", 2, exchange.Revoked)), "supply/revoked"},
		"superseded and expired":           {"a", with(lacks("a"), record("a", 1, exchange.Superseded), record("a", 2, exchange.Valid, until("2026-11-22"))), "supply/expired"},
		"withdrawn":                        {"a", with(lacks("a"), record("a", 1, exchange.Withdrawn, payload(""))), "supply/not_held"},
		"not in force yet":                 {"a", with(lacks("a"), record("a", 1, exchange.Valid, from("2026-11-24"))), "supply/not_held"},
		"revoked, stale":                   {"a", with(unknown("a"), record("a", 1, exchange.Revoked)), "unknown/source_stale"},
		"revoked, never complete":          {"a", with(source("a", "1", time.Time{}), record("a", 1, exchange.Revoked)), "unknown/coverage_incomplete"},
		"revoked, still folding":           {"a", with(source("a", "1", fresh, unfolded), record("a", 1, exchange.Revoked)), "unknown/coverage_incomplete"},
		"revoked, other source incomplete": {"a", with(lacks("a"), source("a", "2", time.Time{}), record("a", 1, exchange.Revoked)), "unknown/coverage_incomplete"},
		"expired, stale":                   {"a", with(unknown("a"), record("a", 1, exchange.Valid, until("2026-11-22"))), "unknown/source_stale"},
		"suspended, no source":             {"a", with(record("a", 1, exchange.Suspended)), "unknown/coverage_incomplete"},
		// Nothing found.
		"not held":                      {"a", with(lacks("a")), "supply/not_held"},
		"not held, bearable rows":       {"a", with(source("a", "1", fresh, bearable)), "supply/not_held"},
		"not held, two sources":         {"a", with(lacks("a"), source("a", "2", fresh)), "supply/not_held"},
		"not held, clock ahead":         {"a", with(source("a", "1", now.Add(time.Hour))), "supply/not_held"},
		"not held here":                 {"a", with(source("a", "1", fresh, here)), "supply/not_held"},
		"not held, stale elsewhere":     {"a", with(lacks("a"), source("a", "2", old, elsewhere)), "supply/not_held"},
		"not held, incomplete for orgs": {"a", with(lacks("a"), source("a", "2", time.Time{}, orgs)), "supply/not_held"},
		"nothing known":                 {"a", nil, "unknown/coverage_incomplete"},
		"source of another type":        {"a", with(lacks("b")), "unknown/coverage_incomplete"},
		"only sources elsewhere":        {"a", with(source("a", "1", fresh, elsewhere), source("a", "2", fresh, orgs)), "unknown/coverage_incomplete"},
		"never complete":                {"a", with(source("a", "1", time.Time{})), "unknown/coverage_incomplete"},
		"still folding":                 {"a", with(source("a", "1", fresh, unfolded)), "unknown/coverage_incomplete"},
		"too many unreadable rows":      {"a", with(source("a", "1", fresh, overTolerance)), "unknown/coverage_incomplete"},
		"clock absurdly ahead":          {"a", with(source("a", "1", now.Add(bound+1))), "unknown/coverage_incomplete"},
		"stale":                         {"a", with(unknown("a")), "unknown/source_stale"},
		"one of two stale":              {"a", with(lacks("a"), source("a", "2", old)), "unknown/source_stale"},
		"one of two incomplete":         {"a", with(lacks("a"), source("a", "2", fresh, unfolded)), "unknown/coverage_incomplete"},
		"one stale, one incomplete":     {"a", with(unknown("a"), source("a", "2", time.Time{})), "unknown/source_stale"},
		// The day asked for.
		"valid until before that day":      {"a", with(lacks("a"), on("2027-01-02"), record("a", 1, exchange.Valid, until("2027-01-01"))), "supply/expired"},
		"valid on that day's last":         {"a", with(lacks("a"), on("2027-01-01"), record("a", 1, exchange.Valid, until("2027-01-01"))), "held/"},
		"in force by that day":             {"a", with(lacks("a"), on("2027-01-01"), record("a", 1, exchange.Valid, from("2027-01-01"))), "held/"},
		"valid on a day that is over":      {"a", with(lacks("a"), on("2026-01-01"), record("a", 1, exchange.Valid, until("2026-02-01"))), "held/"},
		"not in force on a day over":       {"a", with(lacks("a"), on("2026-01-01"), record("a", 1, exchange.Valid, from("2026-01-02"))), "unknown/coverage_incomplete"},
		"revoked since, perhaps":           {"a", with(lacks("a"), on("2026-01-01"), record("a", 1, exchange.Revoked)), "unknown/coverage_incomplete"},
		"withdrawn since, perhaps":         {"a", with(lacks("a"), on("2026-01-01"), record("a", 1, exchange.Withdrawn, payload(""))), "unknown/coverage_incomplete"},
		"nothing now says nothing of then": {"a", with(lacks("a"), on("2026-11-22")), "unknown/coverage_incomplete"},
		"today, said":                      {"a", with(lacks("a"), on("2026-11-23")), "supply/not_held"},
		"nothing now, asked for tomorrow":  {"a", with(lacks("a"), on("2026-11-24")), "supply/not_held"},
		"no grant on another day":          {"a", with(holds("a"), on("2026-01-01"), noGrant("a")), "supply/no_grant"},
		// The applicant's answer to a question, and what the applicant stated.
		"chosen":                      {"a", with(checks("a"), chosen("a", 'a')), "held/"},
		"chosen, stale":               {"a", with(unknown("a"), record("a", 1, exchange.Valid), record("a", 2, exchange.Valid), chosen("a", 2)), "check/source_stale"},
		"chosen the only one":         {"a", with(holds("a"), chosen("a", 'a')), "held/"},
		"chosen of another type":      {"a", with(checks("a"), chosen("b", 'a')), "check/ambiguous"},
		"chosen, no grant":            {"a", with(checks("a"), chosen("a", 'a'), noGrant("a")), "supply/no_grant"},
		"facts agree":                 {"a", with(holds("a"), stated("a", `{"area":"120.5","name":"张 晓明"}`)), "held/"},
		"facts differ":                {"a", with(holds("a"), stated("a", `{"area":121}`)), "check/facts_differ"},
		"a fact the record lacks":     {"a", with(source("a", "1", fresh), record("a", 1, exchange.Valid, payload(`{}`)), stated("a", `{"area":121}`)), "check/facts_differ"},
		"facts differ and stale":      {"a", with(unknown("a"), record("a", 1, exchange.Valid), stated("a", `{"area":121}`)), "check/facts_differ"},
		"a name differs":              {"a", with(holds("a"), stated("a", `{"name":"张晓朙"}`)), "held/"},
		"a fact beyond the grant":     {"a", with(holds("a"), stated("a", `{"owner":"y"}`)), "held/"},
		"facts of another type":       {"a", with(holds("a"), stated("b", `{"area":121}`)), "held/"},
		"facts, nothing held":         {"a", with(lacks("a"), stated("a", `{"area":121}`)), "supply/not_held"},
		"facts tell which":            {"a", with(holds("a"), record("a", 2, exchange.Valid, payload(`{"area":99}`)), stated("a", `{"area":99}`)), "held/"},
		"facts fit two of three":      {"a", with(checks("a"), record("a", 2, exchange.Valid, payload(`{"area":99}`)), stated("a", `{"area":120.5}`)), "check/ambiguous"},
		"facts fit none of two":       {"a", with(checks("a"), stated("a", `{"area":99}`)), "check/ambiguous"},
		"chosen, and facts differ":    {"a", with(checks("a"), chosen("a", 'a'), stated("a", `{"area":99}`)), "check/facts_differ"},
		"a record of several holders": {"a", with(source("a", "1", fresh), record("a", 1, exchange.Valid, together)), "held/"},
		// Sets: the worst counts.
		"set held":                {"a+b", with(holds("a"), holds("b")), "held/"},
		"set check":               {"a+b", with(holds("a"), checks("b")), "check/ambiguous"},
		"set unknown over check":  {"a+b", with(checks("a"), unknown("b")), "unknown/source_stale"},
		"set unknown over held":   {"a+b", with(unknown("a"), holds("b")), "unknown/source_stale"},
		"set supply over unknown": {"a+b", with(unknown("a"), lacks("b")), "supply/not_held"},
		"set supply over held":    {"a+b+c", with(holds("a"), lacks("b"), holds("c")), "supply/not_held"},
		"set without a grant":     {"a+b", with(holds("a"), holds("b"), noGrant("b")), "supply/no_grant"},
		"set, first of equals":    {"a+b", with(lacks("a"), record("a", 1, exchange.Revoked), lacks("b")), "supply/revoked"},
		// Alternatives: the best counts.
		"either held":                  {"a|b", with(lacks("a"), holds("b")), "held/"},
		"either held over check":       {"a|b", with(checks("a"), holds("b")), "held/"},
		"either check over unknown":    {"a|b", with(unknown("a"), checks("b")), "check/ambiguous"},
		"either check over supply":     {"a|b", with(lacks("a"), checks("b")), "check/ambiguous"},
		"either unknown over supply":   {"a|b", with(lacks("a"), unknown("b")), "unknown/source_stale"},
		"either unknown over no grant": {"a|b", with(noGrant("a"), unknown("b")), "unknown/source_stale"},
		"either supply":                {"a|b", with(lacks("a"), lacks("b")), "supply/not_held"},
		"either, first of equals":      {"a|b", with(noGrant("a"), lacks("b")), "supply/no_grant"},
		"alternative of sets held":     {"a+b|c", with(lacks("a"), holds("b"), holds("c")), "held/"},
		"alternative of sets check":    {"a+b|c", with(holds("a"), checks("b"), unknown("c")), "check/ambiguous"},
		"alternative of sets unknown":  {"a+b|c", with(holds("a"), unknown("b"), lacks("c")), "unknown/source_stale"},
		"alternative of sets supply":   {"a+b|a+c", with(holds("a"), lacks("b"), lacks("c")), "supply/not_held"},
	} {
		t.Run(name, func(t *testing.T) {
			a := Decide(premises(tc.alternatives, tc.given...))[0]
			if got := fmt.Sprintf("%s/%s", a.Outcome, a.Reason); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestNoGrantTellsNothing(t *testing.T) {
	bare := Decide(premises("a", noGrant("a")))
	for _, found := range []premise{holds("a"), checks("a"), unknown("a"), lacks("a"), source("a", "1", fresh, quarantined)} {
		if with := Decide(premises("a", found, noGrant("a"))); !reflect.DeepEqual(bare, with) {
			t.Errorf("the answer depends on what was found: %+v", with)
		}
	}
}

func TestEvidenceShown(t *testing.T) {
	a := Decide(premises("a", source("a", "1", fresh), record("a", 1, exchange.Valid, until("2027-01-01"))))[0]
	want := exchange.Evidence{Type: "a", Outcome: exchange.Held, Keeper: "keeper", AsOf: fresh, Version: 7, Until: "2027-01-01",
		Record: exchange.RecordID{1}.String(), Assurance: exchange.AssuranceA,
		Fields: json.RawMessage(`{"name":"张晓明","area":120.50}`)}
	if len(a.Evidence) != 1 || !reflect.DeepEqual(a.Evidence[0], want) {
		t.Errorf("got %+v, want %+v", a.Evidence, want)
	}
	if a.Material != "m" || a.Name.ZH != "材料" || a.Basis.ZH != "法" {
		t.Errorf("answer %+v", a)
	}

	two := Decide(premises("a", source("a", "1", fresh), record("a", 2, exchange.Valid), record("a", 1, exchange.Valid)))[0]
	if len(two.Evidence) != 2 || two.Evidence[0].Record != (exchange.RecordID{1}).String() || two.Evidence[1].Record != (exchange.RecordID{2}).String() {
		t.Errorf("ambiguous: %+v", two.Evidence)
	}

	gone := Decide(premises("a", lacks("a"), record("a", 1, exchange.Revoked)))[0].Evidence[0]
	if gone.Record == "" || gone.Fields != nil || !gone.AsOf.Equal(fresh) {
		t.Errorf("revoked: %+v", gone)
	}

	noFields := premises("a", holds("a"))
	noFields.Grants["a"] = catalogue.Grant{}
	if e := Decide(noFields)[0].Evidence[0]; e.Fields != nil || e.Record == "" {
		t.Errorf("a grant without fields: %+v", e)
	}

	// What is held rests on one alternative alone; what is not, on all, each type once.
	for alternatives, want := range map[string]string{"a|b": "b", "c|a": "c a", "a+c|a": "a c"} {
		var types []string
		for _, e := range Decide(premises(alternatives, lacks("a"), holds("b")))[0].Evidence {
			types = append(types, string(e.Type))
		}
		if got := strings.Join(types, " "); got != want {
			t.Errorf("%s rests on %q, want %q", alternatives, got, want)
		}
	}
}

func TestAsOf(t *testing.T) {
	for name, tc := range map[string]struct {
		given []premise
		want  time.Time
	}{
		"the source's word":             {with(source("a", "1", fresh), record("a", 1, exchange.Valid)), fresh},
		"the record's word":             {with(source("a", "1", fresh), record("a", 1, exchange.Valid, asOf(now.Add(-time.Minute)))), now.Add(-time.Minute)},
		"not folded yet":                {with(source("a", "1", fresh, unfolded), record("a", 1, exchange.Valid)), now.Add(-2 * time.Hour)},
		"rows unreadable":               {with(source("a", "1", fresh, overTolerance), record("a", 1, exchange.Valid)), fresh},
		"another adapter's word":        {with(source("a", "2", fresh), record("a", 1, exchange.Valid)), now.Add(-2 * time.Hour)},
		"stale":                         {with(source("a", "1", old), record("a", 1, exchange.Valid, asOf(old.Add(-time.Hour)))), old},
		"source's clock ahead":          {with(source("a", "1", now.Add(time.Hour)), record("a", 1, exchange.Valid)), now},
		"record's clock ahead":          {with(source("a", "1", fresh), record("a", 1, exchange.Valid, asOf(now.Add(time.Hour)))), now},
		"not held: the oldest word":     {with(source("a", "1", fresh), source("a", "2", fresh.Add(-time.Hour))), fresh.Add(-time.Hour)},
		"not held: only in scope":       {with(source("a", "1", fresh), source("a", "2", fresh.Add(-time.Hour), elsewhere)), fresh},
		"not held, clock ahead":         {with(source("a", "1", now.Add(time.Minute))), now},
		"unknown, stale":                {with(source("a", "1", old)), old},
		"unknown, incomplete: no claim": {with(source("a", "1", fresh, unfolded)), time.Time{}},
		"unknown, quarantined":          {with(source("a", "1", fresh, quarantined)), time.Time{}},
	} {
		if got := Decide(premises("a", tc.given...))[0].Evidence[0].AsOf; !got.Equal(tc.want) {
			t.Errorf("%s: as of %v, want %v", name, got, tc.want)
		}
	}
}

// Validity is a matter of the day in China, not of the server's zone.
func TestTodayIsInChina(t *testing.T) {
	p := premises("a", record("a", 1, exchange.Valid, until("2026-11-23"), asOf(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC))),
		source("a", "1", time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)))
	p.Now = time.Date(2026, 11, 23, 15, 59, 59, 0, time.UTC) // 23:59:59 in China
	if a := Decide(p)[0]; a.Outcome != exchange.Held {
		t.Errorf("last second: %s/%s", a.Outcome, a.Reason)
	}
	p.Now = p.Now.Add(time.Second)
	if a := Decide(p)[0]; a.Reason != exchange.Expired {
		t.Errorf("next day: %s/%s", a.Outcome, a.Reason)
	}
}
