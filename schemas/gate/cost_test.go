package gate

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
)

// rowOfTexts is n texts with commas between them.
func rowOfTexts(n int, each func(int) string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = each(i)
	}
	return strings.Join(all, ",")
}

// TestCostliestDocuments: of schemas that are admitted, the largest documents that are validated at all take less than a
// second and 256 MiB, and larger ones are refused.
func TestCostliestDocuments(t *testing.T) {
	rep, list := strings.Repeat, rowOfTexts
	const d2020 = `"$schema":"https://json-schema.org/draft/2020-12/schema",`
	numbers := func(n int) string {
		return "[" + list(n, func(i int) string { return fmt.Sprint(i + 100000) }) + "]"
	}
	huge := func(n int) string {
		return "[" + list(n, func(i int) string { return fmt.Sprintf("1.%de400", i) }) + "]"
	}
	texts := func(n int) string {
		return "[" + list(n, func(i int) string { return fmt.Sprintf(`"v%d"`, i+100000) }) + "]"
	}
	object := func(n int) string {
		return "{" + list(n, func(i int) string { return fmt.Sprintf(`"v%d":1`, i+100000) }) + "}"
	}
	empty := func(n int) string { return "[" + list(n, func(int) string { return "{}" }) + "]" }
	long := func(part string) func(int) string {
		return func(n int) string { return `"` + rep(part, n*100/len(part)) + `"` }
	}
	for name, c := range map[string]struct {
		schema string
		doc    func(n int) string
	}{
		"numbers in a large enum": {`{"items":{"enum":[` + list(15000, func(i int) string { return fmt.Sprint(i) }) + `]}}`, numbers},
		"numbers in a small enum": {`{"items":{"enum":[` + list(100, func(i int) string { return fmt.Sprint(i) }) + `]}}`, numbers},
		"huge numbers in an enum": {`{"items":{"enum":[` + list(100, func(i int) string { return fmt.Sprint(i) }) + `]}}`, huge},
		"texts in an enum":        {`{"items":{"enum":[` + list(15000, func(i int) string { return fmt.Sprintf(`"w%d"`, i+100000) }) + `]}}`, texts},
		"objects in an enum": {`{"items":{"enum":[` + list(900, func(i int) string { return fmt.Sprintf(`{"a":%d}`, i) }) + `]}}`, func(n int) string {
			return "[" + list(n, func(i int) string { return fmt.Sprintf(`{"a":%de300}`, i+10000) }) + "]"
		}},
		"anyOf":                     {`{"items":{"anyOf":[` + list(990, func(int) string { return `{"type":"string"}` }) + `]}}`, numbers},
		"a little anyOf":            {`{"items":{"anyOf":[` + list(40, func(int) string { return `{"type":"string"}` }) + `]}}`, numbers},
		"oneOf by references":       {`{"items":{"oneOf":[` + list(330, func(i int) string { return fmt.Sprintf(`{"$ref":"#/definitions/d%d"}`, i) }) + `]},"definitions":{` + list(330, func(i int) string { return fmt.Sprintf(`"d%d":{"allOf":[{"minimum":%de9}]}`, i, i+1) }) + `}}`, numbers},
		"multipleOf":                {`{"items":{"allOf":[` + list(990, func(i int) string { return fmt.Sprintf(`{"multipleOf":%d.%de-300}`, i+1, i) }) + `]}}`, huge},
		"minimum":                   {`{"items":{"allOf":[` + list(990, func(i int) string { return fmt.Sprintf(`{"minimum":%de300}`, i) }) + `]}}`, huge},
		"lengths of a long text":    {`{"allOf":[` + list(990, func(i int) string { return fmt.Sprintf(`{"minLength":%d}`, i) }) + `]}`, long("中")},
		"an expression":             {`{"format":"regex"}`, long("(a)")},
		"a URI template":            {`{"format":"uri-template"}`, long("{a}")},
		"a pattern of many states":  {`{"pattern":"(x{0,30}){30}y"}`, long("x")},
		"a pattern of few states":   {`{"pattern":"(x+x+)+y"}`, long("x")},
		"a pattern of Chinese":      {`{"pattern":"^(\\p{Han}|中+)*$"}`, long("中")},
		"a pattern in any case":     {`{"pattern":"(?i)(k|s|中)*z"}`, long("k")},
		"unevaluated properties":    {`{` + d2020 + `"allOf":[` + list(990, func(int) string { return `{"properties":{"a":{}}}` }) + `],"unevaluatedProperties":true}`, object},
		"unevaluated items":         {`{` + d2020 + `"anyOf":[` + list(990, func(int) string { return `{"prefixItems":[{}]}` }) + `],"unevaluatedItems":true}`, numbers},
		"unevaluated within each":   {`{` + d2020 + `"dependentSchemas":{` + list(990, func(i int) string { return fmt.Sprintf(`"v%d":{"unevaluatedProperties":true}`, i+100000) }) + `}}`, object},
		"many required":             {`{"items":{"required":[` + list(15000, func(i int) string { return fmt.Sprintf(`"r%d"`, i) }) + `]}}`, empty},
		"contains":                  {`{"allOf":[` + list(490, func(i int) string { return fmt.Sprintf(`{"contains":{"const":%d}}`, i) }) + `]}`, numbers},
		"maxContains":               {`{` + d2020 + `"allOf":[` + list(490, func(int) string { return `{"contains":{},"maxContains":1}` }) + `]}`, numbers},
		"items that must be unique": {`{"uniqueItems":true}`, func(n int) string { return "[" + list(n, func(i int) string { return movedDelimiters(i) }) + "]" }},
		"twenty lists that are unique": {`{"items":{"uniqueItems":true}}`, func(n int) string {
			return "[" + list(n/20, func(i int) string {
				return "[" + list(20, func(k int) string { return fmt.Sprintf("1.%d%de400", i, k) }) + "]"
			}) + "]"
		}},
		"deep": {`{"definitions":{"a":{"anyOf":[` + list(490, func(int) string { return `{"type":"string"}` }) + `,{"items":{"$ref":"#/definitions/a"}}]}},"$ref":"#/definitions/a"}`, func(n int) string {
			return rep("[", 60) + "[" + list(n, func(int) string { return "0" }) + "]" + rep("]", 60)
		}},
	} {
		s, err := Admit([]byte(c.schema))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		read := func(n int) (any, bool) {
			v, err := Decode([]byte(c.doc(n)))
			return v, err == nil
		}
		most := sort.Search(9_900, func(n int) bool {
			v, ok := read(n + 1)
			return !ok || s.cost.of(sizeOf(v)) > maxCost
		})
		v, ok := read(most)
		if !ok {
			t.Fatal(name)
		}
		costs(t, name, func() {
			start := worked()
			_ = s.Validate(v)
			if took := worked() - start; testing.Verbose() {
				t.Logf("%s: %d, %v", name, most, took)
			}
		})
		if v, ok := read(most + 1); ok && most < 9_900 {
			var p *exchange.Problem
			if err := s.Validate(v); !errors.As(err, &p) || p.Code != "YM-DOC-0111" {
				t.Errorf("%s: %d are not refused: %v", name, most+1, err)
			}
		}
	}
}

// movedDelimiters is another list for each number that the validator gives the same hash: it takes no note of where one text
// ends and the next begins.
func movedDelimiters(i int) string {
	const marks = 65
	first, second := 0, 1
	for range i {
		if second++; second == marks {
			first++
			second = first + 1
		}
	}
	var b strings.Builder
	b.WriteString(`[1e400,"`)
	for k := range marks {
		if k == first || k == second {
			b.WriteString(`","`)
		} else {
			b.WriteString(`\u0004`)
		}
	}
	return b.String() + `"]`
}

// TestCostOfExamples: examples are documents like others.
func TestCostOfExamples(t *testing.T) {
	numbers := rowOfTexts(4_000, func(i int) string { return fmt.Sprint(i) })
	_, err := Admit([]byte(`{"items":{"enum":[` + numbers + `]},"examples":[[` + numbers + `]]}`))
	var p *exchange.Problem
	if !errors.As(err, &p) || p.Code != "YM-SCH-0131" {
		t.Error(err)
	}
	if _, err := Admit([]byte(`{"items":{"enum":[` + numbers + `]},"examples":[[1,2,3]]}`)); err != nil {
		t.Error(err)
	}
}

// TestRecursiveUnion: branches told apart by a constant that all go on in the same field are refused, since the validator
// follows each of them whatever the constant says; what the refusal tells to write instead is admitted and means the same.
func TestRecursiveUnion(t *testing.T) {
	branch := func(kind, children string) string {
		return `{"properties":{"kind":{"const":"` + kind + `"},"children":` + children + `},"required":["kind"],"additionalProperties":false}`
	}
	_, err := Admit([]byte(`{"oneOf":[` + branch("and", `{"items":{"$ref":"#"}}`) + `,` + branch("or", `{"items":{"$ref":"#"}}`) + `]}`))
	var p *exchange.Problem
	if !errors.As(err, &p) || p.Code != "YM-SCH-0115" || !strings.Contains(p.Mend.EN, `"children":true`) {
		t.Errorf("%v", err)
	}
	s, err := Admit([]byte(`{"properties":{"children":{"items":{"$ref":"#"}}},"oneOf":[` + branch("and", "true") + `,` + branch("or", "true") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	for doc, valid := range map[string]bool{
		`{"kind":"and"}`: true,
		`{"kind":"and","children":[{"kind":"or","children":[]}]}`: true,
		`{"kind":"xor"}`:          false,
		`{"kind":"and","more":1}`: false,
		`{"kind":"and","children":[{"kind":"or","children":[{"kind":"not"}]}]}`: false,
		`{"kind":"and","children":[{"kind":"or","more":1}]}`:                    false,
	} {
		v, err := Decode([]byte(doc))
		if err != nil || (s.Validate(v) == nil) != valid {
			t.Error(doc, err)
		}
	}
}
