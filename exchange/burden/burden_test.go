package burden

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
)

const grants = `- {department: scjg, evidence: business-licence, item: own-item, basis: {zh: 《法》}, from: 2026-01-01, until: 2026-12-31}
- {department: scjg, evidence: property-title, item: own-item, basis: {zh: 《法》}, from: 2026-01-01, until: 2026-12-31}
`

const item = `item: own-item
name: {zh: 事项}
department: scjg
applicant: org
materials:
  - {material: form, name: {zh: 表}, basis: {zh: 《法》}, necessity: required, made_by: applicant}
  - {material: licence, name: {zh: 照}, basis: {zh: 《法》}, necessity: required, alternatives: [[business-licence]]}
  - {material: premises, name: {zh: 房}, basis: {zh: 《法》}, necessity: required, alternatives: [[property-title], [property-registration]]}
  - {material: tax, name: {zh: 税}, basis: {zh: 《法》}, necessity: required, alternatives: [[business-licence, tax-clearance]]}
  - {material: founder, name: {zh: 人}, basis: {zh: 《法》}, necessity: required, alternatives: [[{evidence: business-licence, of: representative}]]}
`

var now = time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)

func source(t exchange.EvidenceType, change func(*exchange.Source)) exchange.Source {
	s := exchange.Source{Folded: true, Coverage: exchange.Coverage{Type: t, Holders: exchange.Scope{Kind: exchange.Organisation}, CompleteUpTo: now.Add(-time.Hour)}}
	if change != nil {
		change(&s)
	}
	return s
}

func own(t *testing.T, sources ...exchange.Source) (Item, Report) {
	t.Helper()
	c, err := catalogue.Load(catalogue.Builtin(), fstest.MapFS{"items/own.yaml": {Data: []byte(item)}, "grants.yaml": {Data: []byte(grants)}})
	if err != nil {
		t.Fatal(err)
	}
	r := Of(c, sources, now)
	for _, i := range r.Items {
		if i.Code == "own-item" {
			return i, r
		}
	}
	t.Fatal("the item is not in the report")
	return Item{}, r
}

func TestStates(t *testing.T) {
	all := []exchange.Source{source("business-licence", nil), source("property-title", nil), source("tax-clearance", nil), source("property-registration", nil)}
	item, report := own(t, all...)
	want := []State{Made, Dropped, Partly, Blocked, Blocked}
	for i, m := range item.Materials {
		if m.State != want[i] {
			t.Errorf("%s is %s, want %s: %v", m.Code, m.State, want[i], m.Obstacles)
		}
	}
	if item.Sum != (Sum{Demanded: 5, Dropped: 1, Partly: 1, Blocked: 2, Made: 1, After: 4}) {
		t.Errorf("%+v", item.Sum)
	}
	for i, want := range map[int]Obstacle{2: {"property-registration", NoGrant}, 3: {"tax-clearance", NoGrant}, 4: {"business-licence", NoSource}} {
		if got := item.Materials[i].Obstacles; len(got) != 1 || got[0] != want {
			t.Errorf("material %d: %v, want %v", i, got, want)
		}
	}
	sum := Sum{}
	for _, d := range report.Departments {
		sum = sum.plus(d.Sum)
	}
	if sum != report.Total || report.Total.Dropped != 1 || report.Total.Demanded != report.Total.After+report.Total.Dropped {
		t.Errorf("departments %+v, total %+v", sum, report.Total)
	}
	for i := 1; i < len(report.Steps); i++ {
		if report.Steps[i].Alone > report.Steps[i-1].Alone {
			t.Error("steps are not in order")
		}
	}
}

// What the broker would not rely on is not counted.
func TestSources(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*exchange.Source)
		want   Why
	}{
		"fresh":         {func(*exchange.Source) {}, ""},
		"of both kinds": {func(s *exchange.Source) { s.Holders.Kind = "" }, ""},
		"not folded":    {func(s *exchange.Source) { s.Folded = false }, Incomplete},
		"never read":    {func(s *exchange.Source) { s.CompleteUpTo = time.Time{} }, Incomplete},
		"unreadable":    {func(s *exchange.Source) { s.Unreadable = 1 }, Incomplete},
		"refused":       {func(s *exchange.Source) { s.Refused = 1 }, Incomplete},
		"bearable":      {func(s *exchange.Source) { s.Unreadable, s.Tolerance = 1, 1 }, ""},
		"old":           {func(s *exchange.Source) { s.CompleteUpTo = now.Add(-100 * time.Hour) }, Stale},
		"clock ahead":   {func(s *exchange.Source) { s.CompleteUpTo = now.Add(100 * time.Hour) }, Incomplete},
		"of persons":    {func(s *exchange.Source) { s.Holders.Kind = exchange.Person }, NoSource},
	} {
		t.Run(name, func(t *testing.T) {
			item, _ := own(t, source("business-licence", tc.change))
			got := Why("")
			if o := item.Materials[1].Obstacles; len(o) > 0 {
				got = o[0].Why
			}
			if got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
	// One source that cannot be relied on takes the type down: its holders are nobody knows who.
	item, _ := own(t, source("business-licence", nil), source("business-licence", func(s *exchange.Source) { s.Folded = false }))
	if item.Materials[1].State != Blocked {
		t.Error("one of two sources is not folded")
	}
}
