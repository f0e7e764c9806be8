package schemas

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/gate"
)

var loadOnce = sync.OnceValues(Builtin)

func builtinSet(t testing.TB) *Set {
	t.Helper()
	set, err := loadOnce()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestBuiltin(t *testing.T) {
	want := []string{"business-licence", "construction-safety-licence", "driving-licence", "food-licence", "health-certificate", "household-registration",
		"marriage-certificate", "property-registration", "property-title", "residence-permit", "social-insurance", "tax-clearance"}
	var got []string
	for _, s := range builtinSet(t).All() {
		got = append(got, string(s.Type))
		if len(s.Examples()) == 0 || s.Description.ZH == "" || s.Description.EN == "" {
			t.Errorf("%s: no example or no description", s.Type)
		}
		for _, text := range s.Examples() {
			doc, err := gate.Decode(text)
			if err == nil {
				err = s.Validate(doc)
			}
			var facts Facts
			if err == nil {
				facts, err = s.Facts(doc)
			}
			if err != nil || facts.Natural == "" || len(facts.Holders) == 0 || facts.Status != exchange.Valid {
				t.Errorf("%s: %v, %+v", s.Type, err, facts)
			}
		}
		for _, f := range s.Fields() {
			if f.Title.ZH == "" || f.Title.EN == "" || f.Type == "" {
				t.Errorf("%s%s: %+v", s.Type, f.Pointer, f)
			}
			if (f.Format == gate.FormatCitizen || f.Format == gate.FormatHolder) && !f.Sensitive {
				t.Errorf("%s%s: the number of a person is not marked sensitive", s.Type, f.Pointer)
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("types %v, want %v", got, want)
	}
}

// TestBuiltinRefusesBrokenExamples breaks the first example of each built-in schema in every way the schema speaks of.
func TestBuiltinRefusesBrokenExamples(t *testing.T) {
	for _, s := range builtinSet(t).All() {
		broken := func(pointer, keyword string, how func(m map[string]any)) {
			t.Helper()
			doc, err := gate.Decode(s.Examples()[0])
			if err != nil {
				t.Fatal(err)
			}
			how(doc.(map[string]any))
			refused(t, s, doc, pointer, keyword)
		}
		broken("/surplus", "additionalProperties", func(m map[string]any) { m["surplus"] = "x" })
		root := map[string]any{}
		if err := json.Unmarshal(s.Text, &root); err != nil {
			t.Fatal(err)
		}
		for _, name := range root["required"].([]any) {
			broken("/"+name.(string), "required", func(m map[string]any) { delete(m, name.(string)) })
		}
		for _, f := range s.Fields() {
			name, inside, deep := strings.Cut(f.Pointer[1:], "/*/")
			in := func(m map[string]any) (map[string]any, string, string) { // the object that holds the field, its name, the pointer
				if !deep {
					return m, name, f.Pointer
				}
				list, _ := m[name].([]any)
				if len(list) == 0 {
					return nil, "", ""
				}
				return list[0].(map[string]any), inside, "/" + name + "/0/" + inside
			}
			probe, err := gate.Decode(s.Examples()[0])
			if err != nil {
				t.Fatal(err)
			}
			m, key, pointer := in(probe.(map[string]any))
			old, given := m[key].(string)
			if !given {
				continue
			}
			set := func(keyword string, v any) {
				t.Helper()
				broken(pointer, keyword, func(m map[string]any) { m, key, _ := in(m); m[key] = v })
			}
			set("type", json.Number("7"))
			switch {
			case f.Enum != nil:
				set("enum", "不存在的取值")
			case f.Format == "date":
				for _, bad := range []string{"2023-02-29", "2023-2-9", "20230209", "2023年02月09日", "2023-13-01", "2023-00-10", "2023-01-00", "２０２３-01-01", "2023-01-01T00:00:00Z", ""} {
					set("format", bad)
				}
			case f.Format == gate.FormatDivision:
				set("format", "990000")
			case f.Format != "":
				set("format", wrongCheck(old))
				set("format", old[1:])
				set("format", " "+old)
			}
		}
	}
}

// wrongCheck changes the last character of a number.
func wrongCheck(number string) string {
	last := byte('1')
	if number[len(number)-1] == last {
		last = '2'
	}
	return number[:len(number)-1] + string(last)
}

// refused checks that a document has exactly one finding, at the place and by the keyword.
func refused(t *testing.T, s *Schema, doc any, pointer, keyword string) {
	t.Helper()
	err := s.Validate(doc)
	var invalid *Invalid
	if !errors.As(err, &invalid) || len(invalid.Findings) != 1 {
		t.Errorf("%s: got %v, want one finding at %s", s.Type, err, pointer)
		return
	}
	f := invalid.Findings[0]
	if f.Pointer != pointer || f.Keyword != keyword {
		t.Errorf("%s: finding at %s by %s, want %s by %s", s.Type, f.Pointer, f.Keyword, pointer, keyword)
	}
	if f.What.ZH == "" || f.What.EN == "" || f.Mend.ZH == "" || f.Mend.EN == "" {
		t.Errorf("%s%s: the finding does not say all it should: %+v", s.Type, pointer, f)
	}
	if exchange.KindOf(err) != exchange.Invalid {
		t.Errorf("%s: kind %s", s.Type, exchange.KindOf(err))
	}
}

func TestFindings(t *testing.T) {
	for _, c := range []struct{ typ, doc, pointer, keyword, zh string }{
		{"business-licence", `[]`, "", "type", "类型不对"},
		{"business-licence", `{"creditCode":"91430281000000019C","name":"x","registeredOn":"2003-05-18","capital":{"amount":"5,000","currency":"CNY"}}`, "/capital/amount", "pattern", "“金额”写法不符合要求"},
		{"business-licence", `{"creditCode":"91430281000000019C","name":"x","registeredOn":"2003-05-18","capital":{"amount":"5000","currency":"人民币"}}`, "/capital/currency", "pattern", "“币种”写法不符合要求"},
		{"business-licence", `{"creditCode":"91430281000000019C","name":"x","registeredOn":"2003-05-18","capital":{"amount":"5000"}}`, "/capital/currency", "required", "“币种”必填，但没有提供"},
		{"business-licence", `{"creditCode":"91430281000000019C","name":"","registeredOn":"2003-05-18"}`, "/name", "minLength", "“企业名称”太短"},
		{"business-licence", `{"creditCode":"91430281000000019C","name":"` + strings.Repeat("长", 201) + `","registeredOn":"2003-05-18"}`, "/name", "maxLength", "“企业名称”太长"},
		{"marriage-certificate", `{"certificateNumber":"J430281-2018-1","spouses":[{"name":"a","number":"430281199001010017"},{"name":"b","number":"430281199001010025"}],"registeredOn":"2018-05-20","issuingAuthority":"x"}`, "/certificateNumber", "pattern", "“结婚证字号”写法不符合要求"},
		{"marriage-certificate", `{"certificateNumber":"J430281-2018-000001","spouses":[{"name":"a","number":"430281199001010017"}],"registeredOn":"2018-05-20","issuingAuthority":"x"}`, "/spouses", "minItems", "“双方”超出范围"},
		{"marriage-certificate", `{"certificateNumber":"J430281-2018-000001","spouses":[{"name":"a","number":"430281199001010017"},{"name":"b"}],"registeredOn":"2018-05-20","issuingAuthority":"x"}`, "/spouses/1", "anyOf", "几组字段一组也没有"},
		{"marriage-certificate", `{"certificateNumber":"J430281-2018-000001","spouses":[{"name":"a","number":"430281199001010017"},{"name":"b","number":"91430281000000019C"}],"registeredOn":"2018-05-20","issuingAuthority":"x"}`, "/spouses/1/number", "format", ""},
		{"social-insurance", `{"citizenNumber":"430281199001010017","name":"a","division":"430281","insurances":[{"kind":"工伤保险","state":"参保缴费","monthsPaid":-1}]}`, "/insurances/0/monthsPaid", "minimum", "“累计缴费月数”超出范围"},
		{"social-insurance", `{"citizenNumber":"430281199001010017","name":"a","division":"430281","insurances":[{"kind":"工伤保险","state":"参保缴费","monthsPaid":1.5}]}`, "/insurances/0/monthsPaid", "type", "“累计缴费月数”类型不对"},
		{"driving-licence", `{"fileNumber":"430200000001","citizenNumber":"430281199001010017","name":"a","classes":["C1","C1"],"validFrom":"2020-01-01"}`, "/classes", "uniqueItems", "“准驾车型”有重复的项"},
		{"driving-licence", `{"fileNumber":"43020000000１","citizenNumber":"430281199001010017","name":"a","classes":["C1"],"validFrom":"2020-01-01"}`, "/fileNumber", "pattern", "“档案编号”写法不符合要求"},
		{"property-title", `{"certificateNumber":"湘(2022)醴陵市不动产权第0000002号","unitNumber":"430281001002XB00004W00000000","owners":[{"name":"x","number":"91430281000000019C"}],"location":"x","rightType":"x","issuedOn":"2022-08-30"}`, "/unitNumber", "pattern", "“不动产单元号”写法不符合要求"},
		{"property-title", `{"certificateNumber":"湘 (2022)醴陵市不动产权第0000002号","unitNumber":"430281001002GB00004W00000000","owners":[{"name":"x","number":"91430281000000019C"}],"location":"x","rightType":"x","issuedOn":"2022-08-30"}`, "/certificateNumber", "pattern", "“不动产权证号”写法不符合要求"},
		{"property-title", `{"certificateNumber":"湘(2022)醴陵市不动产权第0000002号","unitNumber":"430281001002GB00004W00000000","owners":[],"location":"x","rightType":"x","issuedOn":"2022-08-30"}`, "/owners", "minItems", "“权利人”超出范围"},
	} {
		s, _ := builtinSet(t).ByType(exchange.EvidenceType(c.typ))
		doc, err := gate.Decode([]byte(c.doc))
		if err != nil {
			t.Fatal(err)
		}
		refused(t, s, doc, c.pointer, c.keyword)
		var invalid *Invalid
		if errors.As(s.Validate(doc), &invalid) && c.zh != "" && invalid.Findings[0].What.ZH != c.zh {
			t.Errorf("%s%s: %q, want %q", c.typ, c.pointer, invalid.Findings[0].What.ZH, c.zh)
		}
	}
}

// TestFindingsAreSortedAndComplete: a person should have to mend a document once.
func TestFindingsAreSortedAndComplete(t *testing.T) {
	s, _ := builtinSet(t).ByType("business-licence")
	doc, err := gate.Decode([]byte(`{"creditCode":"91430281000000019D","registeredOn":"1/5/2003","x":1,"capital":{"amount":5},"status":"?"}`))
	if err != nil {
		t.Fatal(err)
	}
	var invalid *Invalid
	if !errors.As(s.Validate(doc), &invalid) {
		t.Fatal("accepted")
	}
	var at []string
	for _, f := range invalid.Findings {
		at = append(at, f.Pointer)
	}
	if want := []string{"/capital/amount", "/capital/currency", "/creditCode", "/name", "/registeredOn", "/status", "/x"}; !slices.Equal(at, want) {
		t.Errorf("findings at %v, want %v", at, want)
	}
	var p *exchange.Problem
	if !errors.As(invalid, &p) || p.Code != "YM-DOC-0200" || !strings.Contains(p.In(exchange.ZH), "另有 2 处") || !strings.Contains(p.In(exchange.EN), "2 more") {
		t.Errorf("problem: %v", p)
	}
}

// TestFindingsTellNothing: whatever is wrong, no value of the document is told, nor a name that may be one.
func TestFindingsTellNothing(t *testing.T) {
	const secret = "430281199001010018" // wrong check digit
	for _, s := range builtinSet(t).All() {
		doc := map[string]any{secret: secret, "张三 李四@x": true}
		for _, f := range s.Fields() {
			name, _, _ := strings.Cut(f.Pointer[1:], "/")
			doc[name] = secret
		}
		err := s.Validate(doc)
		var invalid *Invalid
		if !errors.As(err, &invalid) {
			t.Fatalf("%s: %v", s.Type, err)
		}
		text, _ := json.Marshal(invalid.Findings)
		var p *exchange.Problem
		errors.As(err, &p)
		all := string(text) + err.Error() + p.In(exchange.ZH)
		if strings.Contains(all, secret) || strings.Contains(all, "张三") {
			t.Errorf("%s: the findings tell a value: %s", s.Type, all)
		}
	}
}
