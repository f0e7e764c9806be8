package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
)

const tree = `"$defs":{"node":{"type":"object","properties":{"value":{},"left":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/node"}]},"right":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}}}}`

func TestAdmitAccepts(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		draft int
		refs  []Reference
	}{
		"true":                    {`true`, 7, nil},
		"false":                   {` false `, 7, nil},
		"empty":                   {`{}`, 7, nil},
		"draft-04":                {`{"$schema":"http://json-schema.org/draft-04/schema#","minimum":1,"exclusiveMinimum":true}`, 4, nil},
		"draft-06":                {`{"$schema":"http://json-schema.org/draft-06/schema","exclusiveMinimum":1}`, 6, nil},
		"draft-07 by https":       {`{"$schema":"https://json-schema.org/draft-07/schema#","if":true}`, 7, nil},
		"2020-12":                 {`{"$schema":"https://json-schema.org/draft/2020-12/schema","prefixItems":[true]}`, 2020, nil},
		"2020-12 by http":         {`{"$schema":"http://json-schema.org/draft/2020-12/schema#","prefixItems":[true]}`, 2020, nil},
		"the same $schema inside": {`{"$schema":"http://json-schema.org/draft-07/schema#","items":{"$schema":"http://json-schema.org/draft-07/schema"}}`, 7, nil},
		"unknown keywords":        {`{"javaType":"A","connect.index":3,"format":"never-heard-of"}`, 7, nil},
		"a meta-schema":           {`{"items":{"$ref":"http://json-schema.org/draft-07/schema#"}}`, 7, nil},
		"a meta-schema of 2020":   {`{"$schema":"https://json-schema.org/draft/2020-12/schema","$ref":"https://json-schema.org/draft/2020-12/schema"}`, 2020, nil},
		"itself, below":           {`{"properties":{"a":{"$ref":"#"}},"additionalProperties":{"$ref":"#"}}`, 7, nil},
		"a tree":                  {`{"$schema":"https://json-schema.org/draft/2020-12/schema","$ref":"#/$defs/node",` + tree + `}`, 2020, nil},
		"two kinds in a circle": {`{"definitions":{"e":{"properties":{"left":{"$ref":"#/definitions/e"},"right":{"$ref":"#/definitions/e"},"call":{"$ref":"#/definitions/c"}}},
			"c":{"properties":{"args":{"type":"array","items":{"$ref":"#/definitions/e"}}}}},"$ref":"#/definitions/e"}`, 7, nil},
		"an extended tree": {`{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"http://example.com/strict-tree","$dynamicAnchor":"node","$ref":"tree","unevaluatedProperties":false,
			"$defs":{"t":{"$id":"tree","$dynamicAnchor":"node","type":"object","properties":{"data":true,"children":{"type":"array","items":{"$dynamicRef":"#node"}}}}}}`, 2020, nil},
		"anchor":               {`{"$schema":"https://json-schema.org/draft/2020-12/schema","$ref":"#a","$defs":{"x":{"$anchor":"a","type":"string"}}}`, 2020, nil},
		"$id inside":           {`{"$id":"http://example.com/root.json","$ref":"other.json#/definitions/y","definitions":{"x":{"$id":"other.json","definitions":{"y":{"type":"string"}}}}}`, 7, nil},
		"an unknown keyword's": {`{"$ref":"#/components/schemas/a","components":{"schemas":{"a":{"$ref":"#/components/schemas/b"},"b":{"type":"string"}}}}`, 7, nil},
		"reference":            {`{"$ref":"a.json"}`, 7, []Reference{{"a.json", []byte(`{"$ref":"b.json#/definitions/x"}`)}, {"b.json", []byte(`{"definitions":{"x":{"type":"string"}}}`)}}},
		"reference by address": {`{"$id":"https://example.com/v1/root.json","items":{"$ref":"a.json"}}`, 7, []Reference{{"https://example.com/v1/a.json", []byte(`{"type":"string"}`)}}},
		"reference by $id":     {`{"$ref":"https://example.com/a.json"}`, 7, []Reference{{"some-name", []byte(`{"$id":"https://example.com/a.json","type":"string"}`)}}},
		"reference and back":   {`{"type":"object","properties":{"a":{"$ref":"a.json"}}}`, 7, []Reference{{"a.json", []byte(`{"properties":{"b":{"$ref":"a.json"}}}`)}}},
		"reference with space": {`{"$ref":"a%20b.json"}`, 7, []Reference{{"a%20b.json", []byte(`{"type":"string"}`)}}},
		"ECMA escapes":         {`{"pattern":"^[\\u4e00-\\u9fa5\\/\\-]+$","patternProperties":{"^\\ud842\\udfb7\\cJ$":true}}`, 7, nil},
		"script":               {`{"pattern":"^\\p{Script=Han}+$"}`, 7, nil},
		"unanchored":           {`{"pattern":"[0-9]"}`, 7, nil},
		"examples":             {`{"type":"string","examples":["a"],"properties":{"x":{"type":"integer","examples":[1,2]}}}`, 7, nil},
		"default not checked":  {`{"type":"string","default":5}`, 7, nil},
		"draft-04 examples":    {`{"$schema":"http://json-schema.org/draft-04/schema#","type":"string","examples":[5]}`, 4, nil},
		"a switch":             {`{"allOf":[{"if":{"properties":{"k":{"const":"a"}}},"then":{"required":["x"]}},{"if":{"properties":{"k":{"const":"b"}}},"then":{"required":["y"]}}]}`, 7, nil},
		"many kinds":           {`{"oneOf":[` + strings.TrimSuffix(strings.Repeat(`{"type":"object","properties":{"a":{"type":"string"}}},`, 200), ",") + `]}`, 7, nil},
	} {
		s, err := Admit([]byte(c.text), c.refs...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Draft != c.draft || s.Compiled == nil || len(s.ID()) != 36 || !json.Valid(s.Text) {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// web is a schema with so many definitions that each name the next twice, by a keyword of branches.
func web(n int, keyword string) string {
	var b strings.Builder
	b.WriteString(`{"$ref":"#/definitions/w0","definitions":{`)
	for i := range n {
		fmt.Fprintf(&b, `"w%d":{"%s":[{"$ref":"#/definitions/w%d"},{"$ref":"#/definitions/w%d"}]},`, i, keyword, i+1, i+1)
	}
	fmt.Fprintf(&b, `"w%d":{"type":"string"}}}`, n)
	return b.String()
}

func TestAdmitRefuses(t *testing.T) {
	const is2020 = `"$schema":"https://json-schema.org/draft/2020-12/schema",`
	deep := func(n int) string { return strings.Repeat(`{"items":`, n) + "true" + strings.Repeat("}", n) }
	for _, c := range []struct {
		name, text, code, at string
		refs                 []Reference
	}{
		{"nothing", ``, "YM-DOC-0104", "", nil},
		{"a number", `1`, "YM-SCH-0101", "", nil},
		{"a list", `[]`, "YM-SCH-0101", "", nil},
		{"null", `null`, "YM-SCH-0101", "", nil},
		{"two keys", `{"type":"string","type":"string"}`, "YM-DOC-0106", "", nil},
		{"BOM", "\xef\xbb\xbf{}", "YM-DOC-0102", "", nil},
		{"too long", `{"description":"` + strings.Repeat("x", 512<<10) + `"}`, "YM-DOC-0101", "", nil},
		{"too deep", deep(201), "YM-DOC-0108", "", nil},
		{"far too deep", deep(20_000), "YM-DOC-0108", "", nil},
		{"a huge enum", `{"enum":[` + strings.Repeat("1,", 30_000) + `2]}`, "YM-DOC-0109", "", nil},
		{"tiny number", `{"multipleOf":1e-309}`, "YM-DOC-0107", "", nil},
		{"draft-03", `{"$schema":"http://json-schema.org/draft-03/schema#"}`, "YM-SCH-0102", "/$schema", nil},
		{"2019-09", `{"$schema":"https://json-schema.org/draft/2019-09/schema"}`, "YM-SCH-0102", "/$schema", nil},
		{"own dialect", `{"$schema":"https://example.com/meta"}`, "YM-SCH-0102", "/$schema", nil},
		{"no dialect", `{"$schema":7}`, "YM-SCH-0102", "/$schema", nil},
		{"vocabulary", `{` + is2020 + `"$vocabulary":{}}`, "YM-SCH-0102", "/$vocabulary", nil},
		{"extended meta-schema", `{` + is2020 + `"$dynamicAnchor":"meta","anyOf":[{"$ref":"https://json-schema.org/draft/2020-12/schema"},{"$ref":"https://json-schema.org/draft/2020-12/schema"}]}`, "YM-SCH-0102", "/$dynamicAnchor", nil},
		{"another $schema inside", `{"items":{"$schema":"http://json-schema.org/draft-04/schema#"}}`, "YM-SCH-0102", "/items/$schema", nil},
		{"$recursiveRef", `{` + is2020 + `"items":{"$recursiveRef":"#"}}`, "YM-SCH-0103", "/items/$recursiveRef", nil},
		{"http", `{"items":{"$ref":"http://example.com/a.json"}}`, "YM-SCH-0107", "/items/$ref", nil},
		{"https", `{"items":{"$ref":"https://example.com/a.json#/x"}}`, "YM-SCH-0107", "/items/$ref", nil},
		{"file", `{"$ref":"file:///etc/passwd"}`, "YM-SCH-0107", "/$ref", nil},
		{"relative", `{"$ref":"../../etc/passwd"}`, "YM-SCH-0107", "/$ref", nil},
		{"2019-09 by reference", `{"$ref":"https://json-schema.org/draft/2019-09/schema"}`, "YM-SCH-0107", "/$ref", nil},
		{"no target", `{"$ref":"#/definitions/x"}`, "YM-SCH-0107", "/$ref", nil},
		{"no target of an unused definition", `{"definitions":{"a":{"$ref":"#/definitions/x"}}}`, "YM-SCH-0107", "/definitions/a/$ref", nil},
		{"no anchor", `{"$ref":"#x"}`, "YM-SCH-0107", "/$ref", nil},
		{"not a reference", `{"$ref":5}`, "YM-SCH-0107", "/$ref", nil},
		{"bad escape in a reference", `{"$ref":"#/a%zz"}`, "YM-SCH-0107", "/$ref", nil},
		{"relative to a urn", `{"$id":"urn:example:a","properties":{"x":{"$ref":"b.json"}}}`, "YM-SCH-0107", "/properties/x/$ref", []Reference{{"b.json", []byte(`{}`)}}},
		{"dynamic without target", `{` + is2020 + `"$dynamicRef":"#x"}`, "YM-SCH-0107", "/$dynamicRef", nil},
		{"a reference's reference", `{"$ref":"a.json"}`, "YM-SCH-0107", "", []Reference{{"a.json", []byte(`{"$ref":"b.json"}`)}}},
		{"a faulty reference", `{"$ref":"a.json"}`, "YM-DOC-0106", "", []Reference{{"a.json", []byte(`{"a":1,"a":2}`)}}},
		{"a faulty pattern in a reference", `{"$ref":"a.json"}`, "YM-SCH-0109", "", []Reference{{"a.json", []byte(`{"pattern":"("}`)}}},
		{"itself", `{"$ref":"#"}`, "YM-SCH-0108", "", nil},
		{"itself by allOf", `{"allOf":[{"$ref":"#"}]}`, "YM-SCH-0108", "", nil},
		{"itself by not", `{"properties":{"a":{"not":{"$ref":"#/properties/a"}}}}`, "YM-SCH-0108", "/properties/a", nil},
		{"itself by a dynamic reference", `{` + is2020 + `"$dynamicAnchor":"a","anyOf":[{"$dynamicRef":"#a"}]}`, "YM-SCH-0108", "", nil},
		{"each other by references", `{"$ref":"a.json"}`, "YM-SCH-0108", "", []Reference{{"a.json", []byte(`{"allOf":[{"$ref":"b.json"}]}`)}, {"b.json", []byte(`{"$ref":"a.json"}`)}}},
		{"a web of anyOf", web(20, "anyOf"), "YM-SCH-0116", "", nil},
		{"a web of allOf", web(60, "allOf"), "YM-SCH-0116", "", nil},
		{"a cycle by two branches", `{"anyOf":[{"properties":{"a":{"$ref":"#"}}},{"properties":{"a":{"$ref":"#"}}}]}`, "YM-SCH-0115", "", nil},
		{"a cycle by contains", `{"items":{"$ref":"#"},"contains":{"$ref":"#"}}`, "YM-SCH-0115", "", nil},
		{"a cycle by unevaluatedProperties", `{` + is2020 + `"properties":{"a":{"$ref":"#"}},"unevaluatedProperties":{"$ref":"#"}}`, "YM-SCH-0115", "", nil},
		{"a cycle in an unused definition", `{"definitions":{"a":{"allOf":[{"items":{"$ref":"#/definitions/a"}},{"items":{"$ref":"#/definitions/a"}}]}}}`, "YM-SCH-0115", "/definitions/a", nil},
		{"look-ahead", `{"pattern":"^(?=a)b"}`, "YM-SCH-0109", "/pattern", nil},
		{"back-reference", `{"pattern":"(a)\\1"}`, "YM-SCH-0109", "/pattern", nil},
		{"named back-reference", `{"pattern":"(?<x>a)\\k<x>"}`, "YM-SCH-0109", "/pattern", nil},
		{"pattern of a name", `{"patternProperties":{"a/(":{}}}`, "YM-SCH-0109", "/patternProperties/a~1(", nil},
		{"half a character", `{"pattern":"\\ud842"}`, "YM-SCH-0109", "/pattern", nil},
		{"huge repetition", `{"pattern":"(a{1000}){1000}"}`, "YM-SCH-0109", "/pattern", nil},
		{"bare repetition", `{"pattern":"a{100000}"}`, "YM-SCH-0109", "/pattern", nil},
		{"type", `{"properties":{"a":{"type":"strng"}}}`, "YM-SCH-0112", "/properties/a/type", nil},
		{"required of draft-03", `{"properties":{"a":{"required":true}}}`, "YM-SCH-0112", "/properties/a/required", nil},
		{"items of 2020-12", `{` + is2020 + `"items":[true]}`, "YM-SCH-0112", "/items", nil},
		{"meta-schema in a reference", `{"$ref":"a.json"}`, "YM-SCH-0112", "", []Reference{{"a.json", []byte(`{"minLength":-1}`)}}},
		{"twice the same $id", `{"definitions":{"a":{"$id":"urn:x:a"},"b":{"$id":"urn:x:a"}}}`, "YM-SCH-0113", "/definitions/b", nil},
		{"twice the same anchor", `{` + is2020 + `"$defs":{"a":{"$anchor":"x"},"b":{"$anchor":"x"}}}`, "YM-SCH-0113", "/$defs/b", nil},
		{"more than 64 bits", `{"maxLength":18446744073709551616}`, "YM-SCH-0117", "/maxLength", nil},
		{"example", `{"type":"string","examples":["a",5]}`, "YM-SCH-0131", "/examples/1", nil},
		{"example inside", `{"properties":{"a":{"maxLength":1,"examples":["ab"]}}}`, "YM-SCH-0131", "/properties/a/examples/0", nil},
		{"deep example", `{"examples":[` + strings.Repeat("[", 65) + strings.Repeat("]", 65) + `]}`, "YM-SCH-0131", "/examples/0", nil},
	} {
		start := worked()
		s, err := Admit([]byte(c.text), c.refs...)
		took := worked() - start
		var p *exchange.Problem
		switch {
		case !errors.As(err, &p) || p.Code != c.code || s != nil:
			t.Errorf("%s: got %v, want %s", c.name, err, c.code)
		case c.at != "" && p.Why.EN != "at #"+c.at:
			t.Errorf("%s: place is %q, want %q", c.name, p.Why.EN, c.at)
		case p.What.ZH == "" || p.What.EN == "" || p.Mend.ZH == "" || p.Mend.EN == "" || p.Kind != exchange.Invalid:
			t.Errorf("%s: the problem does not say all it should: %+v", c.name, p)
		case took > time.Second:
			t.Errorf("%s: refused after %v", c.name, took)
		}
	}
}
