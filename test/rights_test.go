package test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/catalogue"
)

// The matrix of rights: every department asks for every item of generated cities on several days, and each material's answer is
// one cell: refused as a whole, without a grant, or held with just the granted fields. What each cell must be is read off the
// list of grants that the city's file was written from, never off the catalogue.

const (
	rightsCities      = 42
	rightsDepartments = 8
	rightsItems       = 12
	rightsTypes       = 10
	rightsMaterials   = 5 // of an item, each met by one type
)

var rightsDays = []exchange.Date{"2026-01-01", "2026-06-30", "2026-07-01", "2026-12-31", "2027-01-01"}

var rightsFields = []string{"a", "b", "c", "d"}

// right is one line of a city's list of grants.
type right struct {
	department, item, evidence string
	fields                     []string
	from, until                exchange.Date
}

// rightsCity is a city as it was drawn.
type rightsCity struct {
	decides map[string]string   // item → department
	needs   map[string][]string // item → type of each material
	rights  []right
}

func TestMatrixOfRights(t *testing.T) {
	cells, denied, granted := 0, 0, 0
	for seed := range uint64(rightsCities) {
		city := drawRights(rand.New(rand.NewPCG(seed, 26)))
		loaded, err := catalogue.Load(city.files())
		if err != nil {
			t.Fatal(err)
		}
		for _, day := range rightsDays {
			asked := askerOn(t, loaded, day)
			for d := range rightsDepartments {
				department := fmt.Sprint("dept-", d)
				for item, needs := range city.needs {
					conclusion, err := asked.Query(t.Context(), broker.Query{Case: "LL-2026-1123-0041", Item: exchange.Item(item),
						Applicant: exchange.Holder{Kind: exchange.Person, Number: "430281199001010017"},
						Caller:    broker.Caller{Department: exchange.Department(department), Clerk: "w3-017"}})
					mayAsk := city.mayAsk(department, item, day)
					if mayAsk != (err == nil) || !mayAsk && exchange.KindOf(err) != exchange.Denied {
						t.Fatalf("city %d, %s, %s, %s: %v, may ask: %t", seed, department, item, day, err, mayAsk)
					}
					for i, evidence := range needs {
						cells++
						if !mayAsk {
							denied++
							continue
						}
						want, has := city.sees(department, item, evidence, day)
						if has {
							granted++
						}
						if wrong := cellIs(conclusion.Answers[i], want, has); wrong != "" {
							t.Errorf("city %d, %s, %s, %s, %s: %s", seed, department, item, evidence, day, wrong)
						}
					}
				}
			}
		}
	}
	t.Logf("%d cells: %d denied, %d granted", cells, denied, granted)
	if cells < 100_000 || denied < cells/20 || granted < cells/20 {
		t.Errorf("the matrix is too small or too plain: %d cells, %d denied, %d granted", cells, denied, granted)
	}
}

// cellIs says in what the answer differs from what the department may see, "" where it does not.
func cellIs(got exchange.Answer, fields []string, has bool) string {
	if !has {
		if got.Outcome != exchange.Supply || got.Reason != exchange.NoGrant || len(got.Evidence) != 1 || got.Evidence[0].Record != "" || got.Evidence[0].Fields != nil {
			return fmt.Sprintf("without a grant: %s/%s", got.Outcome, got.Reason)
		}
		return ""
	}
	if got.Outcome != exchange.Held || len(got.Evidence) != 1 {
		return fmt.Sprintf("with a grant: %s/%s", got.Outcome, got.Reason)
	}
	seen := map[string]json.RawMessage{}
	if text := got.Evidence[0].Fields; text != nil {
		if err := json.Unmarshal(text, &seen); err != nil {
			return err.Error()
		}
	}
	if len(seen) != len(fields) || slices.ContainsFunc(fields, func(f string) bool { return seen[f] == nil }) {
		return fmt.Sprintf("sees %d fields, want %v", len(seen), fields)
	}
	return ""
}

func drawRights(r *rand.Rand) *rightsCity {
	c := &rightsCity{decides: map[string]string{}, needs: map[string][]string{}}
	for i := range rightsItems {
		item := fmt.Sprint("item-", i)
		c.decides[item] = fmt.Sprint("dept-", r.IntN(rightsDepartments))
		for _, t := range r.Perm(rightsTypes)[:rightsMaterials] {
			evidence := fmt.Sprint("type-", t)
			c.needs[item] = append(c.needs[item], evidence)
			for d := range rightsDepartments {
				c.rights = append(c.rights, drawRight(r, fmt.Sprint("dept-", d), item, evidence)...)
			}
		}
	}
	return c
}

// drawRight draws none, one, or two grants that follow each other.
func drawRight(r *rand.Rand, department, item, evidence string) []right {
	fields := func() (some []string) {
		for _, f := range rightsFields {
			if r.IntN(2) == 0 {
				some = append(some, f)
			}
		}
		return some
	}
	switch r.IntN(10) {
	case 0:
		return []right{{department, item, evidence, fields(), "2026-01-01", "2026-06-30"}, {department, item, evidence, fields(), "2026-07-01", "2026-12-31"}}
	case 1, 2:
		return []right{{department, item, evidence, fields(), "2026-06-30", "2026-12-31"}}
	}
	return nil
}

func (r right) on(day exchange.Date) bool { return !(day < r.from) && !(r.until < day) }

func (c *rightsCity) mayAsk(department, item string, day exchange.Date) bool {
	return c.decides[item] == department || slices.ContainsFunc(c.rights, func(r right) bool {
		return r.department == department && r.item == item && r.on(day)
	})
}

func (c *rightsCity) sees(department, item, evidence string, day exchange.Date) ([]string, bool) {
	for _, r := range c.rights {
		if r.department == department && r.item == item && r.evidence == evidence && r.on(day) {
			return r.fields, true
		}
	}
	return nil, false
}

// files is the city as its administrators would write it.
func (c *rightsCity) files() fstest.MapFS {
	var departments, evidence, grants strings.Builder
	for d := range rightsDepartments {
		fmt.Fprintf(&departments, "dept-%d: {zh: 部门, en: Department}\n", d)
	}
	for e := range rightsTypes {
		fmt.Fprintf(&evidence, "type-%d: {name: {zh: 证, en: Certificate}, keeper: dept-%d, stale_after: 72h}\n", e, e%rightsDepartments)
	}
	for _, r := range c.rights {
		fmt.Fprintf(&grants, "- {department: %s, item: %s, evidence: %s, fields: [%s], basis: {zh: 法, en: Law}, from: %s, until: %s}\n",
			r.department, r.item, r.evidence, strings.Join(r.fields, ", "), r.from, r.until)
	}
	files := fstest.MapFS{}
	for name, text := range map[string]string{"departments.yaml": departments.String(), "evidence.yaml": evidence.String(), "grants.yaml": grants.String()} {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	for item, needs := range c.needs {
		var text strings.Builder
		fmt.Fprintf(&text, "item: %s\nname: {zh: 事项}\ndepartment: %s\napplicant: any\nmaterials:\n", item, c.decides[item])
		for i, need := range needs {
			fmt.Fprintf(&text, "- {material: m-%d, name: {zh: 材料}, basis: {zh: 法}, necessity: required, alternatives: [[%s]]}\n", i, need)
		}
		files["items/"+item+".yaml"] = &fstest.MapFile{Data: []byte(text.String())}
	}
	return files
}

// askerOn is a broker of the city at noon of a day, over an index that holds everything of everybody.
func askerOn(t *testing.T, c *catalogue.Catalogue, day exchange.Date) *broker.Broker {
	t.Helper()
	noon, err := time.ParseInLocation(time.DateOnly, string(day), exchange.China)
	if err != nil {
		t.Fatal(err)
	}
	noon = noon.Add(12 * time.Hour)
	b, err := broker.New(broker.Config{Catalogue: c, Holdings: plenty{noon}, Audit: forgetful{}, Clock: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// plenty holds one valid record of every type of everybody.
type plenty struct{ now time.Time }

func (p plenty) Find(_ context.Context, holder exchange.Holder, types []exchange.EvidenceType) (exchange.Found, error) {
	if len(types) == 0 {
		return exchange.Found{}, errors.New("asked for nothing")
	}
	var found exchange.Found
	for i, t := range types {
		found.Records = append(found.Records, exchange.Record{Type: t, ID: exchange.RecordID{byte(i + 1)}, Version: 1, Status: exchange.Valid,
			AsOf: p.now, Holders: []exchange.Holder{holder}, Payload: []byte(`{"a":1,"b":"2","c":[3],"d":{"e":4}}`)})
		found.Sources = append(found.Sources, exchange.Source{Coverage: exchange.Coverage{Type: t, CompleteUpTo: p.now}, Folded: true})
	}
	return found, nil
}
