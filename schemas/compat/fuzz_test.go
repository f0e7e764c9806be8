package compat_test

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/onedoor/yimen/schemas/compat"
)

// FuzzCheck compares any two schemas that the gate might let through: no panic, no hang, the same verdict twice, and
// documents that show what they claim.
func FuzzCheck(f *testing.F) {
	for _, seed := range fuzzSeeds {
		f.Add([]byte(seed[0]), []byte(seed[1]))
		f.Add([]byte(seed[1]), []byte(seed[0]))
	}
	for seed := range uint64(40) {
		if p, ok := newPair(seed); ok {
			f.Add([]byte(text(p.oldRoot)), []byte(text(p.newRoot)))
		}
	}
	f.Fuzz(func(t *testing.T, oldText, newText []byte) {
		oldOnce, oldTwice := fuzzed(oldText), fuzzed(oldText)
		newOnce, newTwice := fuzzed(newText), fuzzed(newText)
		if oldOnce == nil || newOnce == nil {
			t.Skip()
		}
		for _, policy := range []compat.Policy{compat.Strict, compat.Lenient} {
			v := compat.Check(oldOnce, newOnce, policy)
			if again := compat.Check(oldTwice, newTwice, policy); text(again) != text(v) {
				t.Errorf("another verdict the second time:\n  %s\n  %s", text(v), text(again))
			}
			if v.Compatible && v.Undecided || v.Compatible == (len(v.Findings) > 0) && !v.Undecided {
				t.Errorf("%s: compatible %v, undecided %v with %d findings", policy, v.Compatible, v.Undecided, len(v.Findings))
			}
			for _, finding := range v.Findings {
				if len(finding.Document) == 0 {
					continue
				}
				doc := decode(t, finding.Document)
				if oldOnce.Validate(doc) != nil || newOnce.Validate(doc) == nil {
					t.Errorf("%s: finding %s at %q: document %s is not accepted by old and refused by new", policy, finding.Rule, finding.Pointer, finding.Document)
				}
			}
		}
	})
}

// fuzzed compiles a text, or gives nil where the gate would refuse it: too long or deep, numbers beyond its bounds,
// references away from here or in a circle.
func fuzzed(written []byte) *jsonschema.Schema {
	if len(written) > 20<<10 {
		return nil
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(written))
	if err != nil || !tame(v, 0) {
		return nil
	}
	s, err := compile(v, jsonschema.Draft7)
	if err != nil || loops(s) {
		return nil
	}
	return s
}

// tame says whether a schema is within the bounds of the gate.
func tame(v any, depth int) bool {
	switch v := v.(type) {
	case map[string]any:
		for k, w := range v {
			ref, isText := w.(string)
			if isText && (k == "$ref" || k == "$dynamicRef" || k == "$recursiveRef") && (ref == "" || ref[0] != '#') {
				return false
			}
			if isText && (k == "$id" || k == "id") || !tame(w, depth+1) {
				return false
			}
		}
	case []any:
		for _, w := range v {
			if !tame(w, depth+1) {
				return false
			}
		}
	case interface{ String() string }: // json.Number
		return len(v.String()) <= 40 && !bytes.ContainsAny([]byte(v.String()), "eE")
	}
	return depth < 64
}

// fuzzSeeds are pairs that speak of every keyword at least once.
var fuzzSeeds = [][2]string{
	{`{"type":"string"}`, `{"type":["string","null"],"minLength":1,"maxLength":9}`},
	{`{"$schema":"http://json-schema.org/draft-04/schema#","minimum":1,"exclusiveMinimum":true}`, `{"minimum":1,"exclusiveMaximum":10,"multipleOf":0.5}`},
	{`{"enum":[1,"a",null,{"a":[1]}]}`, `{"anyOf":[{"const":1},{"type":"string","pattern":"^a"},{"type":"null"},{"type":"object"}]}`},
	{`{"properties":{"a":{"type":"integer"}},"required":["a"],"additionalProperties":false}`, `{"properties":{"a":{"type":"number"},"b":{}},"minProperties":1,"maxProperties":2}`},
	{`{"patternProperties":{"^a":{"type":"string"}},"propertyNames":{"maxLength":2}}`, `{"properties":{"a":{"format":"date"}},"dependencies":{"a":["b"],"b":{"minProperties":2}}}`},
	{`{"$schema":"https://json-schema.org/draft/2020-12/schema","allOf":[{"properties":{"a":true}}],"unevaluatedProperties":false}`, `{"$schema":"https://json-schema.org/draft/2020-12/schema","dependentRequired":{"a":["b"]},"dependentSchemas":{"b":{"required":["a"]}}}`},
	{`{"items":[{"type":"string"},true],"additionalItems":{"type":"number"}}`, `{"items":{"type":["string","number"]},"contains":{"const":1},"minItems":1,"maxItems":3,"uniqueItems":true}`},
	{`{"$schema":"https://json-schema.org/draft/2020-12/schema","prefixItems":[{}],"items":false}`, `{"$schema":"https://json-schema.org/draft/2020-12/schema","contains":{"type":"string"},"minContains":0,"maxContains":2,"unevaluatedItems":{"type":"string"}}`},
	{`{"definitions":{"t":{"type":"object","properties":{"l":{"$ref":"#/definitions/t"},"r":{"$ref":"#"}}}},"$ref":"#/definitions/t"}`, `{"type":"object","properties":{"l":{"$ref":"#"},"r":{"required":["l"]}}}`},
	{`{"if":{"required":["a"]},"then":{"required":["b"]},"else":{"maxProperties":0}}`, `{"oneOf":[{"required":["a","b"]},{"not":{"minProperties":1}}]}`},
	{`{"$schema":"https://json-schema.org/draft/2020-12/schema","$defs":{"n":{"$dynamicAnchor":"n","properties":{"c":{"items":{"$dynamicRef":"#n"}}}}},"$ref":"#/$defs/n"}`, `true`},
	{`{"not":{"not":{"type":"integer","multipleOf":3}}}`, `{"type":"integer","multipleOf":6}`},
	{`{"$schema":"https://json-schema.org/draft/2019-09/schema","$recursiveAnchor":true,"properties":{"a":{"$recursiveRef":"#"}},"unevaluatedProperties":false}`, `false`},
}
