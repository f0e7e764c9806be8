package impact_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/impact"
	"github.com/onedoor/yimen/schemas"
)

const licences, marriages exchange.Adapter = "scjg/licences", "mzj/marriages"

// held is a city with 3,000 licences, of which 200 have a second version, 100 withdrawn ones, and 300 marriages.
func held(t testing.TB) *world {
	w := newWorld(t)
	w.publish(licences, licence, 1, 0, 2000, company)
	w.publish("scjg/archive", licence, 1, 2000, 3100, company)
	w.publish("scjg/archive", licence, 2, 3000, 3100, nil)
	w.publish(licences, licence, 2, 0, 200, company)
	w.publish(marriages, marriage, 1, 0, 300, couple)
	w.heartbeat(licences, licence)
	w.heartbeat("scjg/new", licence)
	w.heartbeat(marriages, marriage)
	return w
}

func (w *world) assess(q impact.Question) impact.Report {
	w.t.Helper()
	q.Catalogue, q.Holdings, q.Day = w.city, w.index, "2026-11-23"
	r, err := impact.Assess(w.t.Context(), q)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// reasons says in short why records are refused.
func reasons(r impact.Report) string {
	var all []string
	for _, reason := range r.Records.Reasons {
		all = append(all, fmt.Sprintf("%s %s %d", reason.Pointer, reason.Rule, reason.Records))
	}
	return strings.Join(all, ", ")
}

func changes(r impact.Report) string {
	var all []string
	for _, c := range r.Changes {
		all = append(all, fmt.Sprintf("%s %d", c.Fact, c.Records))
	}
	return strings.Join(all, ", ")
}

func TestAssess(t *testing.T) {
	w := held(t)
	withName := func(root map[string]any) { at(root, "properties", "name")["maxLength"] = 300 }
	for name, row := range map[string]struct {
		of      exchange.EvidenceType
		edit    func(root map[string]any)
		refused int64
		reasons string
		changes string
		lost    string
	}{
		"nothing":     {of: licence},
		"looser":      {of: licence, edit: withName},
		"field added": {of: licence, edit: func(root map[string]any) { at(root, "properties")["nickname"] = field("别名") }},
		"made required": {of: licence, edit: func(root map[string]any) {
			root["required"] = append(root["required"].([]any), "legalRepresentative")
			examples(root, func(e map[string]any) { e["legalRepresentative"] = "示例" })
		}, refused: 2000, reasons: "/legalRepresentative required 2000"},
		"required and new": {of: licence, edit: func(root map[string]any) {
			at(root, "properties")["nickname"] = field("别名")
			root["required"] = append(root["required"].([]any), "nickname")
			examples(root, func(e map[string]any) { e["nickname"] = "示例" })
		}, refused: 3000, reasons: "/nickname required 3000"},
		"enum narrowed": {of: licence, edit: func(root map[string]any) {
			delete(at(root, "x-status", "values"), "迁出")
			status := at(root, "properties", "status")
			list := status["enum"].([]any)
			status["enum"] = list[:len(list)-1]
		}, refused: 300, reasons: "/status enum 300"},
		"field removed": {of: licence, edit: func(root map[string]any) {
			delete(at(root, "properties"), "scope")
			examples(root, func(e map[string]any) { delete(e, "scope") })
		}, refused: 3000, reasons: "/scope additionalProperties 3000", lost: "xzsp food-licence-new [scope]"},
		"type changed": {of: licence, edit: func(root map[string]any) {
			at(root, "properties", "capital", "properties")["amount"] = map[string]any{"title": "金额", "x-title-en": "Amount", "type": "number"}
			at(root["examples"].([]any)[0].(map[string]any), "capital")["amount"] = 5000000
		}, refused: 3000, reasons: "/capital/amount type 3000"},
		"two reasons": {of: licence, edit: func(root map[string]any) {
			at(root, "properties", "scope")["maxLength"] = 5
			at(root, "properties", "name")["pattern"] = "^醴陵.*$"
			examples(root, func(e map[string]any) { delete(e, "scope") })
		}, refused: 3000, reasons: "/name pattern 3000, /scope maxLength 3000"},
		"a rule within arrays": {of: marriage, edit: func(root map[string]any) {
			at(root, "properties", "spouses", "items")["required"] = []any{"name", "sex"}
			examples(root, func(e map[string]any) {
				for _, s := range e["spouses"].([]any) {
					s.(map[string]any)["sex"] = "女"
				}
			})
		}, refused: 300, reasons: "/spouses/*/sex required 300"},
		"another identity": {of: licence, edit: func(root map[string]any) {
			root["x-record-id"] = []any{"/creditCode", "/registeredOn"}
		}, changes: "identity 3000"},
		"another holder": {of: licence, edit: func(root map[string]any) {
			root["x-holder"] = []any{map[string]any{"path": "/issuingAuthorityCode", "kind": "org"}}
			root["required"] = append(root["required"].([]any), "issuingAuthorityCode")
			examples(root, func(e map[string]any) { e["issuingAuthorityCode"] = "114302810000000510" })
		}, refused: 3000, reasons: "/issuingAuthorityCode required 3000", changes: "holders 3000"},
		"the same holder in other words": {of: licence, edit: func(root map[string]any) {
			root["x-holder"] = []any{map[string]any{"path": "/creditCode", "kind": "any"}}
			at(root, "properties", "creditCode")["format"] = "cn-holder-number"
		}},
		"another status": {of: licence, edit: func(root map[string]any) { at(root, "x-status", "values")["迁出"] = "revoked" }, changes: "status 300"},
		"no status":      {of: licence, edit: func(root map[string]any) { delete(root, "x-status") }, changes: "status 300"},
		"no validity":    {of: licence, edit: func(root map[string]any) { delete(root, "x-validity") }, changes: "validity 3000"},
	} {
		t.Run(name, func(t *testing.T) {
			w := *w
			w.t = t
			r := w.assess(impact.Question{Old: w.today(row.of), New: w.changed(row.of, row.edit)})
			checked := map[exchange.EvidenceType]int64{licence: 3000, marriage: 300}[row.of]
			if r.Records.Checked != checked || r.Records.Refused != row.refused || r.Records.RefusedBefore != 0 || reasons(r) != row.reasons {
				t.Errorf("%d checked, %d refused (%d before): %s", r.Records.Checked, r.Records.Refused, r.Records.RefusedBefore, reasons(r))
			}
			if changes(r) != row.changes {
				t.Errorf("changes %s", changes(r))
			}
			var lost []string
			for _, g := range r.Grants {
				if g.Lost != nil {
					lost = append(lost, fmt.Sprint(g.Department, " ", g.Item, " ", g.Lost))
				}
			}
			if got := strings.Join(lost, ", "); got != row.lost {
				t.Errorf("grants lose %s", got)
			}
			if r.Breaks() != (row.refused > 0 || row.changes != "" || row.lost != "") {
				t.Errorf("breaks: %v", r.Breaks())
			}
			bilingual(t, r)
			secretive(t, r)
		})
	}
}

func field(title string) map[string]any {
	return map[string]any{"title": title, "x-title-en": "Field", "type": "string", "minLength": 1, "maxLength": 100}
}

// bilingual looks for texts that lack a language.
func bilingual(t *testing.T, r impact.Report) {
	t.Helper()
	var check func(v any, at string)
	check = func(v any, at string) {
		switch v := v.(type) {
		case map[string]any:
			zh, isText := v["zh"]
			if isText && (zh == "" || v["en"] == "") {
				t.Errorf("%s: %v", at, v)
			}
			for name, member := range v {
				check(member, at+"/"+name)
			}
		case []any:
			for i, member := range v {
				check(member, fmt.Sprint(at, "/", i))
			}
		}
	}
	var v any
	if err := json.Unmarshal(encode(r), &v); err != nil {
		t.Fatal(err)
	}
	check(v, "")
}

// secretive looks for what the documents hold.
func secretive(t *testing.T, r impact.Report) {
	t.Helper()
	written := string(encode(r))
	for _, secret := range []string{"金丝雀", "日用陶瓷", "CNY", company(0)["creditCode"].(string)[:12], "430281199", "J430281"} {
		if strings.Contains(written, secret) {
			t.Errorf("the report tells %q", secret)
		}
	}
}

func TestReport(t *testing.T) {
	w := held(t)
	r := w.assess(impact.Question{Old: w.today(licence), New: w.changed(licence, func(root map[string]any) {
		delete(at(root, "properties"), "scope")
		examples(root, func(e map[string]any) { delete(e, "scope") })
	})})
	if r.Type != licence || r.Keeper != "scjg" || r.Old != w.today(licence).ID || r.New == r.Old || r.Notes != nil {
		t.Errorf("report of %s by %s, %s to %s, %v", r.Type, r.Keeper, r.Old, r.New, r.Notes)
	}
	var adapters []string
	for _, a := range r.Adapters {
		adapters = append(adapters, fmt.Sprintf("%s %d %d %v", a.Name, a.Records, a.Refused, a.States))
	}
	if got := strings.Join(adapters, ", "); got != "scjg/archive 1000 1000 false, scjg/licences 2000 2000 true, scjg/new 0 0 true" {
		t.Errorf("adapters %s", got)
	}
	item := slices.IndexFunc(r.Items, func(i impact.Item) bool { return i.Code == "food-licence-new" })
	if item < 0 || len(r.Items[item].Materials) == 0 {
		t.Errorf("items %v", r.Items)
	}
	for _, i := range r.Items {
		if s, ok := w.city.Service(i.Code); !ok || !slices.Contains(s.Types(), licence) {
			t.Errorf("item %s does not ask for it", i.Code)
		}
	}
	if len(r.Grants) != 2 || !slices.Equal(r.Grants[0].Unknown, []string{"nickname"}) || r.Grants[0].Lost != nil || !slices.Equal(r.Grants[1].Lost, []string{"scope"}) {
		t.Errorf("grants %+v", r.Grants)
	}
	// The example is the record with the smallest id, and it is where it is said to be.
	smallest := exchange.RecordID{0xff}
	for n := range 3000 {
		a := licences
		if n >= 2000 {
			a = "scjg/archive"
		}
		if id := w.id(a, licence, n); bytes.Compare(id[:], smallest[:]) < 0 {
			smallest = id
		}
	}
	example := r.Records.Reasons[0].Example
	if example.Record != smallest || example.Adapter == "" || example.Version == 0 {
		t.Errorf("example %+v, want %s", example, smallest)
	}
	err := w.index.Each(t.Context(), licence, func(rec exchange.Record, partition int, offset int64) bool {
		if rec.ID == example.Record && (partition != example.Partition || offset != example.Offset || rec.Version != example.Version) {
			t.Errorf("example stands at %d/%d", partition, offset)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestEqualReports has different numbers of workers.
func TestEqualReports(t *testing.T) {
	w := held(t)
	next := w.changed(licence, func(root map[string]any) {
		root["required"] = append(root["required"].([]any), "legalRepresentative", "status")
		examples(root, func(e map[string]any) { e["legalRepresentative"], e["status"] = "示例", "存续" })
		root["x-record-id"] = []any{"/creditCode", "/registeredOn"}
	})
	first := w.assess(impact.Question{Old: w.today(licence), New: next, Workers: 1})
	if first.Records.Refused != 2900 || !first.Breaks() {
		t.Errorf("refused %d", first.Records.Refused)
	}
	for workers := range 6 {
		if got := w.assess(impact.Question{Old: w.today(licence), New: next, Workers: workers}); !reflect.DeepEqual(got, first) {
			t.Errorf("%d workers: %+v\nwant %+v", workers, got, first)
		}
	}
}

// TestConditionsRead: a field that an item's condition reads is missed, though no grant names it and no record is held.
func TestConditionsRead(t *testing.T) {
	w := newWorld(t)
	material := func(r impact.Report) impact.Material {
		t.Helper()
		for _, i := range r.Items {
			for _, m := range i.Materials {
				if i.Code == "food-licence-renewal" && m.Code == "food-licence" {
					return m
				}
			}
		}
		t.Fatalf("the item is not listed: %+v", r.Items)
		return impact.Material{}
	}
	const food = "food-licence"
	same := w.assess(impact.Question{Old: w.today(food), New: w.today(food)})
	if m := material(same); !slices.Equal(m.Reads, []string{"validUntil"}) || m.Lost != nil || m.Mend.ZH != "" || same.Breaks() {
		t.Errorf("nothing changes: %+v", m)
	}
	r := w.assess(impact.Question{Old: w.today(food), New: w.changed(food, func(root map[string]any) {
		delete(at(root, "properties"), "validUntil")
		delete(root, "x-validity")
		root["required"] = slices.DeleteFunc(root["required"].([]any), func(name any) bool { return name == "validUntil" })
		examples(root, func(e map[string]any) { delete(e, "validUntil") })
	})})
	if m := material(r); !slices.Equal(m.Lost, []string{"validUntil"}) || m.What.EN == "" || m.Mend.EN == "" || !r.Breaks() || len(r.Grants)+len(r.Changes) > 0 || r.Records.Refused > 0 {
		t.Errorf("its field goes: %+v in %+v", m, r)
	}
	if !strings.Contains(r.Summary.EN, " (1 with conditions that cannot be decided any more)") {
		t.Errorf("summary: %s", r.Summary.EN)
	}
	bilingual(t, r)
}

// TestOlderRecords has records that today's schema refuses too.
func TestOlderRecords(t *testing.T) {
	w := newWorld(t)
	w.publish(licences, licence, 1, 0, 50, company)
	strict := w.changed(licence, func(root map[string]any) {
		at(root, "properties", "scope")["maxLength"] = 5
		examples(root, func(e map[string]any) { delete(e, "scope") })
	})
	w.set = w.set.With(strict)
	w.publish(licences, licence, 1, 50, 80, func(n int) map[string]any { doc := company(n); delete(doc, "scope"); return doc })
	r := w.assess(impact.Question{Old: strict, New: strict})
	if r.Records.Checked != 80 || r.Records.Refused != 50 || r.Records.RefusedBefore != 50 {
		t.Errorf("records %+v", r.Records)
	}
}

func TestNewType(t *testing.T) {
	w := newWorld(t)
	text := bytes.ReplaceAll(w.today(licence).Text, []byte(`"x-evidence-type": "business-licence"`), []byte(`"x-evidence-type": "kiln-licence"`))
	kiln, err := schemas.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	r := w.assess(impact.Question{New: kiln})
	if r.Breaks() || r.Old != "" || len(r.Notes) != 1 || len(r.Items)+len(r.Grants)+len(r.Adapters) != 0 || r.Records.Checked != 0 {
		t.Errorf("report %+v", r)
	}
	for _, list := range []string{`"items":[]`, `"grants":[]`, `"adapters":[]`, `"reasons":[]`, `"changes":[]`} {
		if !strings.Contains(string(encode(r)), list) {
			t.Errorf("no %s in %s", list, encode(r))
		}
	}
	// A type the catalogue has already, but nobody has a schema of: a grant's fields must be there.
	r = w.assess(impact.Question{New: w.changed(licence, func(root map[string]any) {
		delete(at(root, "properties"), "scope")
		examples(root, func(e map[string]any) { delete(e, "scope") })
	})})
	if !r.Breaks() || len(r.Grants) != 2 || r.Grants[0].Lost == nil || r.Grants[1].Lost == nil {
		t.Errorf("grants %+v", r.Grants)
	}
}

func TestAnotherIdentityWithoutRecords(t *testing.T) {
	w := newWorld(t)
	r := w.assess(impact.Question{Old: w.today(licence), New: w.changed(licence, func(root map[string]any) { root["x-record-id"] = []any{"/creditCode", "/registeredOn"} })})
	if changes(r) != "identity 0" || !r.Breaks() {
		t.Errorf("changes %s", changes(r))
	}
}

func TestAssessRefuses(t *testing.T) {
	w := newWorld(t)
	whole := impact.Question{Old: w.today(licence), New: w.today(licence), Catalogue: w.city, Holdings: w.index}
	for name, row := range map[string]struct {
		edit func(*impact.Question)
		code string
	}{
		"no schema":    {func(q *impact.Question) { q.New = nil }, "YM-IMP-0100"},
		"no catalogue": {func(q *impact.Question) { q.Catalogue = nil }, "YM-IMP-0100"},
		"no holdings":  {func(q *impact.Question) { q.Holdings = nil }, "YM-IMP-0100"},
		"another type": {func(q *impact.Question) { q.New = w.today(marriage) }, "YM-IMP-0101"},
	} {
		q := whole
		row.edit(&q)
		_, err := impact.Assess(t.Context(), q)
		var p *exchange.Problem
		if !errors.As(err, &p) || p.Code != row.code || p.What.ZH == "" || p.Mend.ZH == "" || p.Mend.EN == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// broken is an index that breaks off.
type broken struct {
	impact.Holdings
	after int
	count error
}

var errBroken = errors.New("disk gone")

func (b broken) Count(context.Context, exchange.EvidenceType) (int64, error) { return 10, b.count }

func (b broken) Each(ctx context.Context, t exchange.EvidenceType, yield func(exchange.Record, int, int64) bool) error {
	for range b.after {
		if !yield(exchange.Record{Type: t, Payload: []byte(`{}`)}, 0, 0) {
			return nil
		}
	}
	return errBroken
}

func TestAssessPassesErrorsOn(t *testing.T) {
	w := newWorld(t)
	q := impact.Question{Old: w.today(licence), New: w.today(licence), Catalogue: w.city}
	for name, index := range map[string]broken{"when counting": {w.index, 0, errBroken}, "at once": {w.index, 0, nil}, "later": {w.index, 1000, nil}} {
		q.Holdings = index
		if _, err := impact.Assess(t.Context(), q); !errors.Is(err, errBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAssessStops(t *testing.T) {
	w := held(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := impact.Assess(ctx, impact.Question{Old: w.today(licence), New: w.today(licence), Catalogue: w.city, Holdings: w.index, Progress: func(int64, int64) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestProgress(t *testing.T) {
	w := held(t)
	var told []string
	last := int64(0)
	w.assess(impact.Question{Old: w.today(licence), New: w.today(licence), Workers: 3, Progress: func(done, of int64) {
		if done < last || done > of {
			t.Errorf("%d of %d after %d", done, of, last)
		}
		last = done
		told = append(told, fmt.Sprint(done, "/", of))
	}})
	if len(told) < 3000/256 || told[len(told)-1] != "3000/3000" {
		t.Errorf("told %v", told)
	}
}

// hostile yields documents with ever other names.
type hostile struct {
	impact.Holdings
	n int
}

func (h hostile) Each(_ context.Context, t exchange.EvidenceType, yield func(exchange.Record, int, int64) bool) error {
	for n := range h.n {
		name := strings.Map(func(r rune) rune { return r - '0' + 'a' }, fmt.Sprintf("%05d", n*7919%100_003%h.n))
		if !yield(exchange.Record{Type: t, ID: exchange.RecordID{byte(n >> 8), byte(n)}, Payload: encode(map[string]any{name: 1})}, 0, 0) {
			return nil
		}
	}
	return nil
}

func TestReasonsAreBounded(t *testing.T) {
	w := newWorld(t)
	q := impact.Question{Old: w.today(licence), New: w.today(licence), Catalogue: w.city, Holdings: hostile{w.index, 3000}, Workers: 1}
	first, err := impact.Assess(t.Context(), q)
	if err != nil || first.Records.Refused != 3000 || len(first.Records.Reasons) != 500 || !first.Records.More {
		t.Fatalf("%d refused for %d reasons, %v", first.Records.Refused, len(first.Records.Reasons), err)
	}
	q.Workers = 4
	second, err := impact.Assess(t.Context(), q)
	if err != nil || !reflect.DeepEqual(first, second) {
		t.Errorf("with four workers another report, %v", err)
	}
}

func TestUnreadableDocuments(t *testing.T) {
	w := newWorld(t)
	q := impact.Question{Old: w.today(licence), New: w.today(licence), Catalogue: w.city, Holdings: garbage{w.index}}
	r, err := impact.Assess(t.Context(), q)
	if err != nil || r.Records.Checked != 4 || r.Records.Refused != 4 || r.Records.RefusedBefore != 4 {
		t.Fatalf("%+v, %v", r.Records, err)
	}
	bilingual(t, r)
	if strings.Contains(string(encode(r)), "canary") {
		t.Errorf("the report tells a value: %s", encode(r))
	}
}

type garbage struct{ impact.Holdings }

func (garbage) Each(_ context.Context, t exchange.EvidenceType, yield func(exchange.Record, int, int64) bool) error {
	for _, doc := range []string{"", `"canary"`, `{"name":"canary","name":"canary"}`, `{"a":"canary"} canary`} {
		yield(exchange.Record{Type: t, Payload: []byte(doc)}, 0, 0)
	}
	return nil
}

// BenchmarkAssess prints how many records a second are judged when none and when all are refused.
func BenchmarkAssess(b *testing.B) {
	const records = 100_000
	w := newWorld(b)
	for n := 0; n < records; n += 1000 {
		w.publish(licences, licence, 1, n, n+1000, company)
	}
	for name, next := range map[string]*schemas.Schema{
		"fits": w.changed(licence, nil),
		"refused": w.changed(licence, func(root map[string]any) {
			delete(at(root, "properties"), "scope")
			examples(root, func(e map[string]any) { delete(e, "scope") })
		}),
		"identity": w.changed(licence, func(root map[string]any) { root["x-record-id"] = []any{"/creditCode", "/registeredOn"} }),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r, err := impact.Assess(b.Context(), impact.Question{Old: w.today(licence), New: next, Catalogue: w.city, Holdings: w.index})
				if err != nil || r.Records.Checked != records {
					b.Fatal(r.Records.Checked, err)
				}
			}
			b.ReportMetric(float64(b.N)*records/b.Elapsed().Seconds(), "records/s")
		})
	}
}
