// Package impact says what a new schema of an evidence type would break, before anybody publishes it.
//
// Assess looks at what rests on the type: the service items that ask for it, the grants that show its fields, the adapters
// that publish it, and every record that is held. It changes nothing and tells no value of any document.
package impact

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/schemas"
)

// Holdings is what an assessment needs of the index of records.
type Holdings interface {
	// Each yields the newest version of each record of the type that is not withdrawn, in the order of their ids, with the
	// place of its message, until yield says false. The payload is the receiver's to keep.
	Each(ctx context.Context, t exchange.EvidenceType, yield func(r exchange.Record, partition int, offset int64) bool) error
	// Count is about how many records Each will yield.
	Count(ctx context.Context, t exchange.EvidenceType) (int64, error)
	// Speakers lists the adapters that ever stated coverage of the type.
	Speakers(t exchange.EvidenceType) []exchange.Adapter
}

// Question is a change of schema that somebody thinks of. All but Old, Day, Progress and Workers is required.
type Question struct {
	Old       *schemas.Schema // the type's schema today; nil: the type is new
	New       *schemas.Schema
	Catalogue *catalogue.Catalogue
	Holdings  Holdings
	Day       exchange.Date // grants that ended before are left out; empty: none is
	// Progress is told now and then how many records were looked at, of about how many; never twice at once.
	Progress func(done, of int64)
	Workers  int // that judge records at the same time; 0: one core is left free, and at most eight are used
}

// Assess answers the question. The report is the same however many workers there were.
func Assess(ctx context.Context, q Question) (Report, error) {
	if err := q.check(); err != nil {
		return Report{}, err
	}
	t := q.New.Type
	r := Report{Type: t, New: q.New.ID, Items: []Item{}, Grants: []Grant{}}
	if q.Old != nil {
		r.Old = q.Old.ID
	}
	keeper, known := q.Catalogue.Evidence(t)
	if !known {
		r.Notes = append(r.Notes, unknownType(t))
	}
	r.Keeper = keeper.Keeper
	r.items(&q)
	r.grants(&q)
	changed, err := changedFacts(q.Old, q.New)
	if err != nil {
		return Report{}, err
	}
	all, err := judge(ctx, &q, changed)
	if err != nil {
		return Report{}, fmt.Errorf("assess schema of %s: %w", t, err)
	}
	r.records(all, q.Holdings.Speakers(t), changed)
	r.sumUp()
	return r, nil
}

func (q *Question) check() error {
	switch {
	case q.New == nil, q.Catalogue == nil, q.Holdings == nil:
		return &exchange.Problem{Code: "YM-IMP-0100", Kind: exchange.Internal,
			What: text("影响分析缺少新模式、目录或索引", "the new schema, the catalogue or the index is missing"),
			Mend: text("请报告这个程序错误", "report this mistake of the program")}
	case q.Old != nil && q.Old.Type != q.New.Type:
		return &exchange.Problem{Code: "YM-IMP-0101", Kind: exchange.Invalid,
			What: text("新旧 Schema 不是同一证照类型", "the two schemas are of different evidence types"),
			Why:  text(fmt.Sprintf("现行的是 %s，新的是 %s", q.Old.Type, q.New.Type), fmt.Sprintf("today's is of %s, the new one of %s", q.Old.Type, q.New.Type)),
			Mend: text("把 x-evidence-type 改为 "+string(q.Old.Type)+"，或者作为新类型登记", "set x-evidence-type to "+string(q.Old.Type)+", or register it as a type of its own")}
	}
	return nil
}

// workers leaves one core to the queries that are answered meanwhile.
func (q *Question) workers() int {
	if q.Workers > 0 {
		return q.Workers
	}
	return max(1, min(8, runtime.GOMAXPROCS(0)-1))
}

// items lists who asks for the type, with what their conditions read of its records.
func (r *Report) items(q *Question) {
	has := topFields(q.New)
	for _, service := range q.Catalogue.Services() {
		item := Item{Code: service.Code, Name: service.Name, Department: service.Department}
		for _, m := range service.Materials {
			using, reads := 0, []string{}
			for _, set := range m.Alternatives {
				of := needsOf(set, r.Type)
				if len(of) > 0 {
					using++
				}
				for _, n := range of {
					reads = append(reads, n.When.Fields()...)
				}
			}
			if using > 0 {
				item.Materials = append(item.Materials, materialOf(&m, using, reads, has))
			}
		}
		if item.Materials != nil {
			r.Items = append(r.Items, item)
		}
	}
}

// needsOf are those of an alternative that the type meets.
func needsOf(set catalogue.Alternative, t exchange.EvidenceType) (all []catalogue.Need) {
	for _, n := range set {
		if n.Evidence == t {
			all = append(all, n)
		}
	}
	return all
}

func materialOf(m *catalogue.Material, using int, reads []string, has map[string]bool) Material {
	slices.Sort(reads)
	of := Material{Code: m.Code, Name: m.Name, Only: using == len(m.Alternatives), Reads: slices.Compact(reads)}
	for _, field := range of.Reads {
		if !has[field] {
			of.Lost = append(of.Lost, field)
		}
	}
	of.say()
	return of
}

// grants lists who may see the type's records, and which of the fields they may see go.
func (r *Report) grants(q *Question) {
	had, has := topFields(q.Old), topFields(q.New)
	for _, g := range q.Catalogue.Grants() {
		if g.Evidence != r.Type || g.Until < q.Day {
			continue
		}
		entry := Grant{Department: g.Department, Item: g.Item, From: g.From, Until: g.Until}
		for _, field := range g.Fields {
			switch {
			case has[field]:
			case had[field] || q.Old == nil:
				entry.Lost = append(entry.Lost, field)
			default:
				entry.Unknown = append(entry.Unknown, field)
			}
		}
		entry.say()
		r.Grants = append(r.Grants, entry)
	}
}

// topFields are the names that a grant may give: the properties at the top of a document.
func topFields(s *schemas.Schema) map[string]bool {
	names := map[string]bool{}
	if s == nil {
		return names
	}
	for _, f := range s.Fields() {
		if name := f.Pointer[1:]; !strings.Contains(name, "/") {
			names[strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~")] = true
		}
	}
	return names
}

// facts says which of the facts that the exchange reads from a document may be read differently by the new schema.
type facts struct{ natural, holders bool }

// changedFacts compares what the two schemas say of a document's identity and holders. A type's first schema changes nothing.
func changedFacts(old, new *schemas.Schema) (facts, error) {
	if old == nil {
		return facts{}, nil
	}
	before, err := statements(old)
	if err != nil {
		return facts{}, err
	}
	after, err := statements(new)
	if err != nil {
		return facts{}, err
	}
	return facts{
		natural: !reflect.DeepEqual(before.Record, after.Record),
		holders: !reflect.DeepEqual(before.Holder, after.Holder),
	}, nil
}

// identity is what a schema says of whose a document is and which certificate it describes.
type identity struct {
	Record []string            `json:"x-record-id"`
	Holder []map[string]string `json:"x-holder"`
}

func statements(s *schemas.Schema) (identity, error) {
	var id identity
	if err := json.Unmarshal(s.Text, &id); err != nil { // schemas.Parse has read the same text
		return id, fmt.Errorf("read schema %s: %w", s.ID, err)
	}
	return id, nil
}

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }
