package window

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
)

// curious is an item that asks the applicant for everything there is.
const curious = `
item: curious
name: {zh: 问询事项, en: Curious item}
department: scjg
applicant: any
facts:
  - {fact: rented, name: {zh: 经营场所为租用, en: The premises are rented}, kind: flag}
  - {fact: rooms, name: {zh: 房间数, en: Rooms}, kind: number}
  - {fact: since, name: {zh: 起租日, en: First day of the lease}, kind: date}
  - {fact: use, name: {zh: 用途, en: Use}, kind: choice, choices: [餐饮, 仓储]}
  - {fact: remark, name: {zh: 说明, en: Remark}, kind: text}
materials:
  - {material: licence, name: {zh: 营业执照}, basis: {zh: 法}, necessity: required, alternatives: [[business-licence]]}
  - {material: household, name: {zh: 配偶户口簿}, basis: {zh: 法}, necessity: required, alternatives: [[{evidence: household-registration, of: spouse}]]}
`

const grants = `
- {department: scjg, evidence: business-licence, item: curious, fields: [creditCode, name, capital, registeredOn], basis: {zh: 法}, from: 2026-01-01, until: 2026-12-31}
`

const (
	wife   = "430281199001010025" // a made-up person
	first  = "11111111111111111111111111111111"
	second = "22222222222222222222222222222222"
)

// interview is a broker that is answered: it asks for all that was not said.
func interview(_ context.Context, q broker.Query) (broker.Conclusion, error) {
	licence := exchange.Evidence{Type: "business-licence", Outcome: exchange.Held, Keeper: "scjg", AsOf: noon, Record: first, Version: 1, Assurance: exchange.AssuranceA,
		Fields: json.RawMessage(`{"name":"甲店","registeredOn":"2016-05-06"}`)}
	a := exchange.Answer{Material: "licence", Name: text("营业执照", "Business licence"), Outcome: exchange.Held, Assurance: exchange.AssuranceA}
	if q.Chosen["business-licence"] == (exchange.RecordID{}) {
		a.Outcome, a.Reason, a.Assurance, licence.Outcome = exchange.Check, exchange.Ambiguous, "", exchange.Check
		a.Ask = []exchange.Question{{Type: "business-licence", Choices: []exchange.Choice{{Record: first, Fields: json.RawMessage(`{"name":"甲店"}`)}, {Record: second, Until: "2031-05-06"}}}}
	}
	for _, d := range []exchange.Difference{{Field: "name", Kind: exchange.NameOnly, Held: json.RawMessage(`"甲店"`)}, {Field: "registeredOn", Kind: exchange.Differs, Held: json.RawMessage(`"2016-05-06"`)}} {
		if _, stated := q.Stated["business-licence"][d.Field]; stated {
			licence.Differences = append(licence.Differences, d)
		}
	}
	for _, code := range []string{"rented", "rooms", "since", "use", "remark"} {
		if _, stated := q.Facts[code]; !stated {
			a.Unstated = append(a.Unstated, code)
		}
	}
	a.Evidence = []exchange.Evidence{licence}
	household := exchange.Answer{Material: "household", Name: text("配偶户口簿", "Household register"), Outcome: exchange.Unknown, Reason: exchange.PartyNotStated,
		Evidence: []exchange.Evidence{{Type: "household-registration", Of: exchange.Spouse, Outcome: exchange.Unknown, Reason: exchange.PartyNotStated, Keeper: "gaj"}}}
	if _, stated := q.Parties[exchange.Spouse]; stated {
		household.Outcome, household.Reason, household.Evidence[0].Reason = exchange.Supply, exchange.NotHeld, exchange.NotHeld
	}
	id := fmt.Sprintf("02%d%d%d%d", len(q.Chosen), len(q.Facts), len(q.Parties), len(q.Stated))
	return broker.Conclusion{ID: id, Time: noon, Case: q.Case, Item: q.Item, ItemName: text("问询事项", "Curious item"), Applicant: "924302********3187", Answers: []exchange.Answer{a, household}}, nil
}

// curiously asks for the item that asks back.
func curiously(t testing.TB, ask answers) *world {
	t.Helper()
	w := serve(t, ask, (*httptest.Server).Start)
	w.enter(t)
	if got := w.post(t, "/window/query", "item", "curious", "number", company, "case", "LL-2026-1123-0041", "consent", "yes"); got.header.Get("Location") != "/window/materials/020000" {
		t.Fatalf("ask: %d %s", got.status, got.body)
	}
	return w
}

func lacking(t *testing.T, what, body string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(body, word) {
			t.Errorf("%s lacks %s in %s", what, word, body)
		}
	}
}

func TestListAsksBack(t *testing.T) {
	w := curiously(t, interview)
	list := w.get(t, "/window/materials/020000").body
	lacking(t, "the list", list, "申请人指的是哪一份营业执照？", "企业名称：甲店", "有效期至 2031-05-06", "经营场所为租用", `name="fact-rooms"`, "2026-12-31", "餐饮", `name="party-spouse"`, "配偶的身份证号", `href="#record-business-licence"`)
	if strings.Contains(list, `class="main" form="new"`) || strings.Contains(list, "party-agent") {
		t.Error("the list asks for an agent, of whom the item needs nothing, or has its main action elsewhere")
	}
	said := []string{"record-business-licence", second, "fact-rented", "no", "fact-rooms", "１２.5", "fact-since", "2026-01-31", "fact-use", "餐饮", "fact-remark", " 二楼 ", "party-spouse", wife}
	refused := w.post(t, "/window/materials/020000", said...)
	if refused.status != 422 || len(w.asked) != 1 {
		t.Fatalf("without the spouse's consent: %d, asked %d times", refused.status, len(w.asked))
	}
	lacking(t, "the refusal", refused.body, `href="#agreed"`, `value="`+second+`" checked`, "１２.5", wife)
	got := w.post(t, "/window/materials/020000", append(said, "agreed", "yes")...)
	if got.header.Get("Location") != "/window/materials/021510" || len(w.asked) != 2 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	q := w.asked[1]
	if want := map[string]any{"rented": false, "rooms": 12.5, "since": "2026-01-31", "use": "餐饮", "remark": "二楼"}; !maps.Equal(q.Facts, want) {
		t.Errorf("stated %v", q.Facts)
	}
	if q.Chosen["business-licence"].String() != second || q.Parties[exchange.Spouse].Number != wife || q.Applicant.Number != company || q.Case != "LL-2026-1123-0041" || q.Item != "curious" || q.Caller != w.asked[0].Caller {
		t.Errorf("asked %+v of %v", q, q.Chosen)
	}
	list = w.get(t, "/window/materials/021510").body
	lacking(t, "the second list", list, `<button class="main" form="new"`, "A 级 · 数源部门签发", `value="`+second+`" checked`, `value="二楼"`, "430281********0025")
	if strings.Contains(list, wife) {
		t.Error("the list shows the spouse's number")
	}
	if got := w.get(t, "/window/materials/020000"); got.status != http.StatusNotFound {
		t.Errorf("the list before: %d", got.status)
	}

	// What was said can be unsaid.
	if got := w.post(t, "/window/materials/021510", "record-business-licence", "", "fact-rented", "", "fact-remark", "二楼"); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if q := w.asked[2]; len(q.Chosen) != 0 || !maps.Equal(q.Facts, map[string]any{"remark": "二楼"}) || len(q.Parties) != 1 {
		t.Errorf("asked %+v", q)
	}
}

func TestWhatIsSaidIsChecked(t *testing.T) {
	w := curiously(t, interview)
	for _, test := range []struct {
		name string
		form []string
		want string
	}{
		{"nothing", nil, `href="#record-business-licence"`},
		{"no number", []string{"fact-rooms", "two"}, `href="#fact-rooms"`},
		{"no day", []string{"fact-since", "2026-02-30"}, `href="#fact-since"`},
		{"no person", []string{"party-spouse", "430281199001010026", "agreed", "yes"}, `href="#party-spouse"`},
		{"a record that was not offered", []string{"record-business-licence", strings.Repeat("3", 32)}, "YM-WIN-0106"},
		{"a choice that was not offered", []string{"fact-use", "住宅"}, "YM-WIN-0106"},
		{"a party that is not needed", []string{"party-agent", wife, "agreed", "yes"}, "YM-WIN-0106"},
	} {
		got := w.post(t, "/window/materials/020000", test.form...)
		if got.status != 422 || !strings.Contains(got.body, test.want) || len(w.asked) != 1 {
			t.Errorf("%s: %d, asked %d times, %s", test.name, got.status, len(w.asked), got.body)
		}
	}
	if got := w.post(t, "/window/materials/0199", "fact-rooms", "2"); got.status != http.StatusNotFound || len(w.asked) != 1 {
		t.Errorf("a list of before asks: %d", got.status)
	}
}

func TestRefusalStandsAtItsField(t *testing.T) {
	for code, field := range map[string]string{"YM-QRY-0118": "record-business-licence", "YM-QRY-0119": "party-spouse"} {
		w := curiously(t, func(ctx context.Context, q broker.Query) (broker.Conclusion, error) {
			if len(q.Chosen)+len(q.Parties) == 0 {
				return interview(ctx, q)
			}
			return broker.Conclusion{}, &exchange.Problem{Code: code, Kind: exchange.Invalid, What: text("原因", "why"), Mend: text("办法", "what to do")}
		})
		got := w.post(t, "/window/materials/020000", "record-business-licence", first, "party-spouse", wife, "agreed", "yes")
		if got.status != 422 || !strings.Contains(got.body, `href="#`+field+`"`) {
			t.Errorf("%s: %d %s", code, got.status, got.body)
		}
		if got := w.get(t, "/window/materials/020000"); got.status != http.StatusOK {
			t.Errorf("%s: the list is gone: %d", code, got.status)
		}
	}
}

func TestStatedFieldsAreCompared(t *testing.T) {
	w := curiously(t, interview)
	const place = "/window/materials/020000/1"
	record := w.get(t, place).body
	lacking(t, "the record", record, `name="stated-business-licence-registeredOn"`, `name="stated-business-licence-name"`)
	if strings.Contains(record, "stated-business-licence-capital") || strings.Contains(record, "stated-business-licence-legalRepresentative") {
		t.Error("a field is asked for that no line holds, or that is not granted")
	}
	if strings.Contains(w.get(t, "/window/materials/020000/2").body, "stated-") {
		t.Error("the applicant is asked for what the spouse's document says")
	}
	if got := w.post(t, place, "stated-business-licence-legalRepresentative", "x"); got.status != 422 || len(w.asked) != 1 {
		t.Errorf("what is not asked for: %d", got.status)
	}
	got := w.post(t, place, "stated-business-licence-registeredOn", "2016-06-05", "stated-business-licence-name", `甲"店`)
	if got.header.Get("Location") != "/window/materials/020001/1" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if s := w.asked[1].Stated["business-licence"]; len(s) != 2 || string(s["registeredOn"]) != `"2016-06-05"` || string(s["name"]) != `"甲\"店"` {
		t.Errorf("stated %s", s)
	}
	record, list := w.get(t, "/window/materials/020001/1").body, w.get(t, "/window/materials/020001").body
	lacking(t, "the record", record, "<td>2016-06-05</td><td>2016-05-06</td>", "甲&#34;店", "不影响身份认定", `value="2016-06-05"`)
	for _, body := range []string{record, list} {
		lacking(t, "the page", body, "成立日期 不一致", "企业名称 用字不同")
	}
}

func TestQuestionsAreKeptOnceAnswered(t *testing.T) {
	of := func(t exchange.EvidenceType, record string) exchange.Question {
		return exchange.Question{Type: t, Choices: []exchange.Choice{{Record: record}}}
	}
	got := questions([]exchange.Question{of("a", "1"), of("b", "1"), of("c", "1")}, broker.Chosen{"a": {1}, "b": {2}}, []exchange.Answer{{Ask: []exchange.Question{of("b", "2")}}, {Ask: []exchange.Question{of("b", "3")}}})
	if names := slices.Collect(func(yield func(string) bool) {
		for _, q := range got {
			if !yield(string(q.Type) + q.Choices[0].Record) {
				return
			}
		}
	}); !slices.Equal(names, []string{"b2", "a1"}) {
		t.Errorf("kept %v", names)
	}
}
