package compat

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compile(t testing.TB, text string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	c.AssertFormat()
	if err := c.AddResource("https://example.com/s.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("https://example.com/s.json")
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

// confirm makes sure that every document of a verdict is what it claims to be.
func confirm(t testing.TB, old, new *jsonschema.Schema, v Verdict) {
	t.Helper()
	if v.Compatible != (len(v.Findings) == 0) {
		t.Errorf("compatible is %v with %d findings", v.Compatible, len(v.Findings))
	}
	for _, f := range v.Findings {
		if f.What.ZH == "" || f.What.EN == "" || f.Mend.ZH == "" || f.Mend.EN == "" {
			t.Errorf("%s has no text", f.Rule)
		}
		if f.Document == nil {
			continue
		}
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(f.Document)))
		if err != nil {
			t.Fatal(err)
		}
		if err := old.Validate(doc); err != nil {
			t.Errorf("old refuses %s: %v", f.Document, err)
		}
		if new.Validate(doc) == nil {
			t.Errorf("new accepts %s", f.Document)
		}
	}
}

func rules(v Verdict) string {
	var list []string
	for _, f := range v.Findings {
		text := f.Rule + " " + f.Pointer
		if f.Document == nil {
			text += " (no document)"
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

const d4, d20 = `"$schema":"http://json-schema.org/draft-04/schema#",`, `"$schema":"https://json-schema.org/draft/2020-12/schema",`

// TestKeywords: each row is read in both directions; want is the findings, empty where compatible.
func TestKeywords(t *testing.T) {
	for _, c := range []struct{ old, new, forth, back string }{
		{`{"type":"integer"}`, `{"type":"number"}`, "", "type_narrowed /type"},
		{`{"type":"string"}`, `{"type":["string","null"]}`, "", "type_narrowed /type"},
		{`{"type":"string"}`, `true`, "", "type_narrowed /type"},
		{`false`, `true`, "", "schema_false "},
		{`false`, `{"type":"string"}`, "", "schema_false "},
		{`{"enum":["a","b"]}`, `{"enum":["a","b","c"]}`, "", "enum_narrowed /enum"},
		{`{"const":1}`, `{"enum":[1.0,2]}`, "", "const_changed /const"},
		{`{"const":1}`, `{"const":2}`, "const_changed /const", "const_changed /const"},
		{`{"enum":["a","b"]}`, `{"type":"string","maxLength":1}`, "", "enum_narrowed /enum"},
		{`{"enum":["a",1]}`, `{"type":"string"}`, "type_narrowed /type", "enum_narrowed /enum"},
		{`{"type":"boolean"}`, `{"enum":[true,false]}`, "", ""},
		{`{"type":"number","minimum":1}`, `{"type":"number","minimum":0}`, "", "minimum_raised /minimum"},
		{`{"type":"number","maximum":1}`, `{"type":"number","exclusiveMaximum":1}`, "maximum_lowered /exclusiveMaximum", ""},
		{`{"type":"integer","exclusiveMinimum":0}`, `{"type":"integer","minimum":1}`, "", ""},
		{`{"type":"number","exclusiveMinimum":0}`, `{"type":"number","minimum":1}`, "minimum_raised /minimum", ""},
		{`{` + d4 + `"type":"number","maximum":10,"exclusiveMaximum":true}`, `{"type":"number","exclusiveMaximum":10}`, "", ""},
		{`{` + d4 + `"type":"number","maximum":10,"exclusiveMaximum":true}`, `{` + d20 + `"type":"number","maximum":10}`, "", "maximum_lowered /exclusiveMaximum"},
		{`{"type":"number","multipleOf":4}`, `{"type":"number","multipleOf":2}`, "", "multiple_of_changed /multipleOf"},
		{`{"type":"number","multipleOf":0.01}`, `{"type":"number","multipleOf":0.001}`, "", "multiple_of_changed /multipleOf"},
		{`{"type":"number","multipleOf":1}`, `{"type":"integer"}`, "", ""},
		{`{"type":"integer","minimum":1,"maximum":3}`, `{"enum":[1,2,3]}`, "", ""},
		{`{"type":"string","minLength":2}`, `{"type":"string","minLength":1}`, "", "min_length_raised /minLength"},
		{`{"type":"string","maxLength":2}`, `{"type":"string","maxLength":3}`, "", "max_length_lowered /maxLength"},
		{`{"type":"string","pattern":"^[0-9]{6}$"}`, `{"type":"string","pattern":"^[0-9]+$"}`, "", "pattern_changed /pattern"},
		{`{"type":"string","pattern":"^[0-9]{6}$"}`, `{"type":"string","minLength":6,"maxLength":6}`, "", "pattern_changed /pattern"},
		{`{"type":"string","pattern":"^(a|b)$"}`, `{"enum":["a","b"]}`, "", ""},
		{`{"type":"string","pattern":"^.$"}`, `{"enum":["a","0"]}`, "enum_narrowed /enum", ""},
		{`{"type":"string","format":"date"}`, `{"type":"string"}`, "", "format_changed /format"},
		{`{"type":"string","format":"date"}`, `{"type":"string","format":"ipv4"}`, "format_changed /format", "format_changed /format"},
		{`{"type":"object","additionalProperties":false,"properties":{"a":{"type":"string"}}}`,
			`{"type":"object","additionalProperties":false,"properties":{"a":{"type":"string"},"b":{"type":"string"}}}`, "", "additional_properties_closed /additionalProperties"},
		{`{"type":"object","properties":{"a":{"type":"string"}}}`, `{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}}`, "property_added_to_open /properties/b", ""},
		{`{"type":"object"}`, `{"type":"object","required":["a"]}`, "required_added /required", ""},
		{`{"type":"object","required":["a"]}`, `{"type":"object","required":["a"],"properties":{"b":{}}}`, "", ""},
		{`{"type":"object","required":["a","b"]}`, `{"type":"object","minProperties":2}`, "", "required_added /required"},
		{`{"type":"object","maxProperties":2}`, `{"type":"object","maxProperties":3}`, "", "max_properties_lowered /maxProperties"},
		{`{"type":"object","additionalProperties":false,"properties":{"a":{},"b":{}}}`, `{"type":"object","maxProperties":2}`, "", "additional_properties_closed /additionalProperties"},
		{`{"type":"object","patternProperties":{"^x":{"type":"integer"}}}`, `{"type":"object","patternProperties":{"^x":{"type":"number"}}}`, "", "type_narrowed /patternProperties/^x/type"},
		{`{"type":"object","patternProperties":{"^x":{"type":"integer"}},"additionalProperties":false}`, `{"type":"object","additionalProperties":{"type":"integer"}}`, "", "additional_properties_closed /additionalProperties"},
		{`{"type":"object","patternProperties":{"^[a-z]+$":{"type":"integer"}},"additionalProperties":false}`, `{"type":"object","propertyNames":{"pattern":"^[a-z]*$"}}`, "", "additional_properties_closed /additionalProperties, property_added_to_open /patternProperties/^[a-z]+$"},
		{`{"type":"object","propertyNames":{"maxLength":3}}`, `{"type":"object","propertyNames":{"maxLength":4}}`, "", "property_names_changed /propertyNames"},
		{`{"type":"object","dependencies":{"a":["b"]}}`, `{"type":"object"}`, "", "dependency_added /dependencies/a"},
		{`{"type":"object","dependencies":{"a":["b"],"b":["c"]}}`, `{"type":"object","dependencies":{"a":["c"]}}`, "", "dependency_added /dependencies/a, dependency_added /dependencies/b"},
		{`{"type":"object","dependencies":{"a":{"required":["b"]}}}`, `{` + d20 + `"type":"object","dependentRequired":{"a":["b"]}}`, "", ""},
		{`{"type":"array","items":{"type":"integer"}}`, `{"type":"array","items":{"type":"number"}}`, "", "type_narrowed /items/type"},
		{`{"type":"array","items":[{"type":"integer"}]}`, `{` + d20 + `"type":"array","prefixItems":[{"type":"number"}]}`, "", "type_narrowed /items/0/type"},
		{`{"type":"array","items":[{"type":"integer"}],"additionalItems":false}`, `{"type":"array","items":{"type":"integer"}}`, "", "items_narrowed /additionalItems"},
		{`{"type":"array","items":[{},{}],"additionalItems":false}`, `{"type":"array","maxItems":2}`, "", ""},
		{`{"type":"array","minItems":2}`, `{"type":"array","minItems":1}`, "", "min_items_raised /minItems"},
		{`{"type":"array","uniqueItems":true}`, `{"type":"array"}`, "", "unique_items_added /uniqueItems"},
		{`{"type":"array","maxItems":1}`, `{"type":"array","uniqueItems":true}`, "", "max_items_lowered /maxItems"},
		{`{"type":"array","contains":{"type":"integer"}}`, `{"type":"array","contains":{"type":"number"}}`, "", "contains_changed /contains"},
		{`{` + d20 + `"type":"array","contains":{"type":"integer"},"minContains":2}`, `{` + d20 + `"type":"array","contains":{"type":"integer"}}`, "", "contains_changed /contains"},
		{`{` + d20 + `"type":"array","contains":{"type":"integer"},"maxContains":2}`, `{` + d20 + `"type":"array","contains":{"type":"integer"}}`, "", "contains_changed /maxContains"},
		{`{"type":"array","minItems":1,"items":{"type":"integer"}}`, `{"type":"array","contains":{"type":"integer"}}`, "", "type_narrowed /items/type"},
		{`{"oneOf":[{"type":"string"}]}`, `{"oneOf":[{"type":"string"},{"type":"integer"}]}`, "", "one_of_changed /oneOf"},
		{`{"oneOf":[{"type":"string"},{"type":"null"}]}`, `{"oneOf":[{"type":"string"},{"type":"null"},{"type":"integer"}]}`, "", "one_of_changed /oneOf"},
		{`{"oneOf":[{"type":"number"},{"type":"integer"}]}`, `{"anyOf":[{"type":"number"},{"type":"integer"}]}`, "", "one_of_changed /oneOf"},
		{`{"anyOf":[{"type":"string"},{"type":"null"}]}`, `{"type":["null","string"]}`, "", ""},
		{`{"not":{"type":"number"}}`, `{"not":{"type":"integer"}}`, "", "not_changed /not"},
		{`{"allOf":[{"minimum":1},{"maximum":2}],"type":"number"}`, `{"type":"number","minimum":1,"maximum":2}`, "", ""},
		{`{"$ref":"#/definitions/a","definitions":{"a":{"type":"string"}}}`, `{"type":"string"}`, "", ""},
		{`{"if":{"required":["a"]},"then":{"required":["b"]}}`, `{"if":{"required":["a"]},"then":{"required":["b","c"]}}`, "required_added /then/required", ""},
		{`{"type":"object","properties":{"a":{"type":"string"}}}`, `{"type":"object","properties":{"a":{"type":"string"}},"if":{"properties":{"a":{"const":"x"}},"required":["a"]},"then":{"required":["b"]}}`, "required_added /then/required", ""},
		{`{` + d20 + `"type":"object","allOf":[{"properties":{"a":{}}}],"unevaluatedProperties":false}`, `{` + d20 + `"type":"object","allOf":[{"properties":{"a":{}}}],"properties":{"b":{}},"unevaluatedProperties":false}`, "", "unevaluated_properties_closed /unevaluatedProperties"},
		{`{` + d20 + `"type":"array","prefixItems":[{}],"unevaluatedItems":false}`, `{` + d20 + `"type":"array","maxItems":1}`, "", ""},
		{`{"type":"object","required":["a"],"properties":{"a":{"type":"object","required":["b"],"properties":{"b":{"type":"integer"}}}}}`,
			`{"type":"object","required":["a"],"properties":{"a":{"type":"object","required":["b"],"properties":{"b":{"type":"number"}}}}}`, "", "type_narrowed /properties/a/properties/b/type"},
		{`{"oneOf":[{"properties":{"k":{"const":"a"},"x":{"type":"integer"}},"required":["k"]},{"properties":{"k":{"const":"b"}},"required":["k"]}]}`,
			`{"oneOf":[{"properties":{"k":{"const":"a"},"x":{"type":"integer"}},"required":["k"]},{"properties":{"k":{"const":"b"}},"required":["k"]},{"type":"object","properties":{"k":{"const":"c"}},"required":["k"]}]}`, "-", "-"},
	} {
		check(t, c.old, c.new, c.forth)
		check(t, c.new, c.old, c.back)
	}
}

func check(t *testing.T, from, to, want string) {
	t.Helper()
	old, new := compile(t, from), compile(t, to)
	v := Check(old, new, Strict)
	confirm(t, old, new, v)
	if got := rules(v); got != want && want != "-" {
		t.Errorf("\n   %s\n-> %s\n got %q\nwant %q", from, to, got, want)
	}
}

// TestRecursion: trees and lists compared with themselves in another form end with the right verdict.
func TestRecursion(t *testing.T) {
	tree := `{"type":"object","properties":{"v":{"type":"%s"},"kids":{"type":"array","items":{"$ref":"#"}}}}`
	check(t, fmt.Sprintf(tree, "integer"), fmt.Sprintf(tree, "number"), "")
	check(t, fmt.Sprintf(tree, "number"), fmt.Sprintf(tree, "integer"), "type_narrowed /properties/v/type")
	list := `{"type":"object","required":["next"],"properties":{"next":{"anyOf":[{"type":"null"},{"$ref":"#"}]}}}`
	unrolled := `{"type":"object","required":["next"],"properties":{"next":{"anyOf":[{"type":"null"},{"type":"object","required":["next"],"properties":{"next":{"anyOf":[{"type":"null"},{"$ref":"#"}]}}}]}}}`
	check(t, list, unrolled, "")
	check(t, unrolled, list, "")
	endless := `{"type":"object","required":["next"],"properties":{"next":{"$ref":"#"}}}`
	check(t, endless, `{"type":"string"}`, "")
	check(t, `{`+d20+`"$dynamicAnchor":"n","type":"object","properties":{"kids":{"type":"array","items":{"$dynamicRef":"#n"}}}}`,
		`{`+d20+`"$dynamicAnchor":"n","type":"object","properties":{"kids":{"type":"array","items":{"$dynamicRef":"#n"}}}}`, "")
}

func TestLenient(t *testing.T) {
	for _, c := range []struct {
		old, new string
		want     bool
	}{
		{`{"type":"object","properties":{"a":{}}}`, `{"type":"object","properties":{"a":{},"b":{"type":"string"}}}`, true},
		{`{"type":"object","properties":{"a":{}}}`, `{"type":"object","properties":{"a":{}},"additionalProperties":false}`, true},
		{`{"type":"object","properties":{"a":{}}}`, `{"type":"object","properties":{"a":{},"b":{"default":1}},"required":["b"]}`, true},
		{`{"type":"object","properties":{"a":{}}}`, `{"type":"object","properties":{"a":{},"b":{}},"required":["b"]}`, false},
		{`{"type":"object","properties":{"a":{}}}`, `{"type":"object","properties":{"a":{"type":"string"}}}`, false},
		{`{"type":"object","properties":{"a":{}},"additionalProperties":{"type":"string"}}`, `{"type":"object","properties":{"a":{}},"additionalProperties":false}`, false},
	} {
		old, new := compile(t, c.old), compile(t, c.new)
		v := Check(old, new, Lenient)
		confirm(t, old, new, v)
		if v.Compatible != c.want {
			t.Errorf("%s -> %s: got %q", c.old, c.new, rules(v))
		}
		if strict := Check(old, new, Strict); strict.Compatible {
			t.Errorf("%s -> %s is compatible under STRICT", c.old, c.new)
		}
	}
}

// web is a schema whose cases multiply with each level.
func web(levels int, leaf string) string {
	defs := []string{fmt.Sprintf(`"d0":%s`, leaf)}
	for i := 1; i <= levels; i++ {
		defs = append(defs, fmt.Sprintf(`"d%d":{"anyOf":[{"properties":{"a%d":{"$ref":"#/definitions/d%d"}}},{"properties":{"b%d":{"$ref":"#/definitions/d%d"}}}]}`, i, i, i-1, i, i-1))
	}
	return fmt.Sprintf(`{"definitions":{%s},"$ref":"#/definitions/d%d"}`, strings.Join(defs, ","), levels)
}

func hostile() map[string][2]string {
	var pairs, other []string
	for i := range 30 {
		pairs = append(pairs, fmt.Sprintf(`{"anyOf":[{"properties":{"p%d":{"type":"string"}},"required":["p%d"]},{"properties":{"q%d":{"minimum":%d}}}]}`, i, i, i, i))
		other = append(other, fmt.Sprintf(`{"oneOf":[{"properties":{"p%d":{"minLength":%d}}},{"properties":{"q%d":{"maximum":%d}}}]}`, i, i, i, i))
	}
	return map[string][2]string{
		"web":   {web(30, `{"type":"integer"}`), web(30, `{"type":"integer","minimum":3}`)},
		"sat":   {`{"allOf":[` + strings.Join(pairs, ",") + `]}`, `{"not":{"allOf":[` + strings.Join(other, ",") + `]}}`},
		"regex": {`{"pattern":"(a|b)*a(a|b){14}$"}`, `{"pattern":"(b|a)*a(b|a){14}$"}`},
	}
}

func TestStepBound(t *testing.T) {
	for name, pair := range hostile() {
		old, new := compile(t, pair[0]), compile(t, pair[1])
		for _, p := range [][2]*jsonschema.Schema{{old, new}, {new, old}} {
			start := time.Now()
			v := Check(p[0], p[1], Strict)
			took := time.Since(start)
			confirm(t, p[0], p[1], v)
			t.Log(name, took, v.Compatible, v.Undecided, rules(v))
			if took > 3*time.Second {
				t.Errorf("%s took %v", name, took)
			}
		}
	}
}

func TestSame(t *testing.T) {
	old, new := bigPair(t, 40)
	first := Check(old, new, Strict)
	for range 20 {
		old, new = bigPair(t, 40)
		if again := Check(old, new, Strict); !reflect.DeepEqual(first, again) {
			t.Fatalf("got %v, then %v", first, again)
		}
	}
}

// bigPair is a schema of so many properties and the same with a few changed.
func bigPair(t testing.TB, size int) (old, new *jsonschema.Schema) {
	schema := func(changed bool) string {
		props, required := map[string]any{}, []string{}
		for i := range size {
			name := fmt.Sprintf("field_%03d", i)
			p := map[string]any{"type": "string", "maxLength": 100 + i}
			switch i % 5 {
			case 1:
				p = map[string]any{"type": "string", "pattern": "^[0-9A-Z]{18}$"}
			case 2:
				p = map[string]any{"type": "string", "format": "date"}
			case 3:
				p = map[string]any{"type": "integer", "minimum": i}
			case 4:
				p = map[string]any{"enum": []any{"a", "b", i}}
			}
			if changed && i%40 == 3 {
				p["minimum"] = i + 1
			}
			if props[name] = p; i%2 == 0 {
				required = append(required, name)
			}
		}
		if changed {
			props["added"] = map[string]any{"type": "string"}
			required = append(required, "field_001")
		}
		text, _ := json.Marshal(map[string]any{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
			"properties": props, "required": required, "additionalProperties": false})
		return string(text)
	}
	return compile(t, schema(false)), compile(t, schema(true))
}

func BenchmarkCheck(b *testing.B) {
	old, new := bigPair(b, 200)
	v := Check(old, new, Strict)
	if len(v.Findings) != 6 || v.Undecided {
		b.Fatal(rules(v))
	}
	b.ReportAllocs()
	for b.Loop() {
		Check(old, new, Strict)
	}
}
