package compat_test

import (
	"testing"

	"github.com/onedoor/yimen/schemas/compat"
)

// trap is a pair that is easily judged wrongly: by rules that look at one keyword at a time, or by an earlier Check.
type trap struct {
	name     string
	year     int // draft
	old, new string
	document string // accepted by old and refused by new; "" where every document that old accepts is accepted
}

// tooHard are the traps that Check may give up on: it counts them as incompatible, which is safe.
var tooHard = map[string]bool{
	"unevaluatedProperties depends on the branch": true,
	"contains evaluates items in 2020-12":         true,
	"minContains of 0 still evaluates":            true,
	"unique booleans are two at most":             true,
	"unique values: 1 and 1.0 are one":            true,
}

var traps = []trap{
	{"draft-04 limit made exclusive", 4, `{"maximum":10}`, `{"maximum":10,"exclusiveMaximum":true}`, `10`},
	{"draft-04 exclusive limit alone means nothing more", 4, `{"maximum":10,"exclusiveMaximum":true}`, `{"maximum":10,"exclusiveMaximum":false}`, ``},
	{"integers below 10 are at most 9", 7, `{"type":"integer","exclusiveMaximum":10}`, `{"type":"integer","maximum":9}`, ``},
	{"numbers below 10 are not at most 9", 7, `{"type":"number","exclusiveMaximum":10}`, `{"type":"number","maximum":9}`, `9.5`},
	{"1.0 is an integer", 7, `{"const":1.0}`, `{"type":"integer"}`, ``},
	{"enum of 1.0 and const of 1", 7, `{"enum":[1.0]}`, `{"const":1}`, ``},
	{"length counts code points, not what one sees", 7, `{"const":"e\u0301"}`, `{"maxLength":1}`, `"e\u0301"`},
	{"members in another order are the same constant", 7, `{"enum":[{"a":1,"b":[1.0]}]}`, `{"const":{"b":[1],"a":1.0}}`, ``},
	{"a property of an empty name", 7, `{"required":[""],"properties":{"":{"type":"string"}}}`, `{"properties":{"":{"type":"integer"}}}`, `{"":""}`},
	{"a property like that of every object elsewhere", 7, `{"required":["__proto__"]}`, `{"properties":{"__proto__":{"type":"integer"}}}`, `{"__proto__":null}`},
	{"minContains of 0 asks for nothing", 2020, `{"type":"array"}`, `{"contains":false,"minContains":0}`, ``},
	{"minContains of 0 still evaluates", 2020, `{"contains":{"type":"integer"},"minContains":0,"unevaluatedItems":false}`, `{"items":{"type":"integer"}}`, ``},
	{"an embedded resource", 2020, `{"$id":"http://x/a","items":{"$ref":"b#/$defs/t"},"$defs":{"b":{"$id":"b","$defs":{"t":{"type":"integer"}}}}}`, `{"items":{"type":"number"}}`, ``},
	{"an embedded resource, narrowed", 2020, `{"items":{"type":"number"}}`, `{"$id":"http://x/a","items":{"$ref":"b#/$defs/t"},"$defs":{"b":{"$id":"b","$defs":{"t":{"type":"integer"}}}}}`, `[0.5]`},
	{"dependentSchemas of a name that may not be", 2020, `{"propertyNames":{"maxLength":1}}`, `{"dependentSchemas":{"ab":false}}`, ``},
	{"unevaluatedProperties through a reference", 2020, `{"$ref":"#/$defs/t","unevaluatedProperties":false,"$defs":{"t":{"properties":{"a":true}}}}`, `{"propertyNames":{"const":"a"}}`, ``},
	{"unevaluatedProperties do not look into not", 2020, `{"not":{"not":{"properties":{"a":true}}}}`, `{"not":{"not":{"properties":{"a":true}}},"unevaluatedProperties":false}`, `{"a":0}`},
	{"numbers above 2^53 are exact", 7, `{"const":9007199254740993}`, `{"maximum":9007199254740992}`, `9007199254740993`},
	{"multiples of 6 are multiples of 3", 7, `{"multipleOf":6}`, `{"multipleOf":3}`, ``},
	{"multiples of 3 are not multiples of 6", 7, `{"multipleOf":3}`, `{"multipleOf":6}`, `3`},
	{"multiples of 2 and of 3 are multiples of 6", 7, `{"allOf":[{"multipleOf":2},{"multipleOf":3}]}`, `{"multipleOf":6}`, ``},
	{"multiples of 0.01 by 0.1", 7, `{"type":"number","multipleOf":0.01}`, `{"type":"number","multipleOf":0.1}`, `0.01`},
	{"integers are multiples of 0.5", 7, `{"type":"integer"}`, `{"multipleOf":0.5}`, ``},
	{"length counts characters", 7, `{"const":"𠮷𠮷"}`, `{"maxLength":2}`, ``},
	{"enum narrowed by type", 7, `{"enum":[1,"a",null]}`, `{"type":["integer","string"]}`, `null`},
	{"type split into anyOf", 7, `{"type":["string","null"],"maxLength":3}`, `{"anyOf":[{"type":"string","maxLength":3},{"type":"null"}]}`, ``},
	{"anyOf joined into type", 7, `{"anyOf":[{"type":"string"},{"type":"integer"}]}`, `{"type":["integer","string"]}`, ``},
	{"oneOf with overlap", 7, `{"anyOf":[{"type":"integer"},{"minimum":0}]}`, `{"oneOf":[{"type":"integer"},{"minimum":0}]}`, `0`},
	{"oneOf to anyOf", 7, `{"oneOf":[{"type":"integer"},{"minimum":0}]}`, `{"anyOf":[{"type":"integer"},{"minimum":0}]}`, ``},
	{"a new branch of oneOf takes documents away", 7, `{"oneOf":[{"type":"string"}]}`, `{"oneOf":[{"type":"string"},{"maxLength":5}]}`, `"a"`},
	{"not is turned round", 7, `{"not":{"minimum":5}}`, `{"not":{"minimum":3}}`, `4`},
	{"not loosened", 7, `{"not":{"minimum":3}}`, `{"not":{"minimum":5}}`, ``},
	{"not not", 7, `{"type":"string","minLength":2}`, `{"not":{"not":{"type":"string","minLength":2}}}`, ``},
	{"if alone says nothing", 7, `{}`, `{"if":{"type":"string"}}`, ``},
	{"then bites where if holds", 7, `{"type":"string"}`, `{"if":{"minLength":2},"then":{"maxLength":2}}`, `"aaa"`},
	{"else that covers the rest", 7, `{"if":{"minLength":2},"then":{"maxLength":3},"else":{"maxLength":1}}`, `{"maxLength":3}`, ``},
	{"$ref hides its siblings in draft-07", 7, `{"properties":{"a":{"$ref":"#/definitions/t","minLength":3}},"definitions":{"t":{"type":"string"}}}`,
		`{"properties":{"a":{"type":"string","minLength":3}}}`, `{"a":""}`},
	{"$ref hides if in draft-07", 7, `{"$ref":"#/definitions/t","definitions":{"t":{}},"if":{},"then":{"type":"array"}}`, `{"if":{},"then":{"type":"array"}}`, `0`},
	{"$ref hides else in draft-07", 7, `{"$ref":"#/definitions/t","definitions":{"t":{"type":"number"}},"if":{"type":"null"},"else":{"type":"object"}}`, `{"oneOf":[{},true]}`, `0`},
	{"$ref hides propertyNames in draft-07", 7, `{"$ref":"#/definitions/t","definitions":{"t":{"type":"object","required":["a"]}},"propertyNames":{"pattern":"^[0-9]{2}$"}}`,
		`{"type":"array"}`, `{"a":null}`},
	{"$ref hides contains in draft-06", 6, `{"$ref":"#/definitions/t","definitions":{"t":{"type":"array"}},"contains":{"type":"string"}}`, `{"contains":{"type":"string"}}`, `[]`},
	{"$ref hides its new siblings in draft-07", 7, `{"type":"array"}`, `{"$ref":"#/definitions/t","definitions":{"t":{}},"if":{},"then":{"type":"string"},"contains":false,"propertyNames":false}`, ``},
	{"$ref has siblings in 2020-12", 2020, `{"properties":{"a":{"$ref":"#/$defs/t","minLength":3}},"$defs":{"t":{"type":"string"}}}`,
		`{"properties":{"a":{"type":"string","minLength":3}}}`, ``},
	{"a list that refers to itself, widened", 7, `{"type":"object","properties":{"v":{"type":"integer"},"n":{"$ref":"#"}}}`,
		`{"type":"object","properties":{"v":{"type":"number"},"n":{"$ref":"#"}}}`, ``},
	{"a list that refers to itself, narrowed", 7, `{"type":"object","properties":{"v":{"type":"number"},"n":{"$ref":"#"}}}`,
		`{"type":"object","properties":{"n":{"$ref":"#/definitions/l"}},"definitions":{"l":{"properties":{"v":{"type":"integer"},"n":{"$ref":"#/definitions/l"}}}}}`, `{"n":{"v":0.5}}`},
	{"two schemas that refer to each other", 7,
		`{"$ref":"#/definitions/a","definitions":{"a":{"type":"array","items":{"$ref":"#/definitions/b"}},"b":{"type":"array","items":{"$ref":"#/definitions/a"}}}}`,
		`{"type":"array","items":{"$ref":"#"}}`, ``},
	{"a list without an end holds nothing", 7, `{"type":"object","required":["n"],"properties":{"n":{"$ref":"#"}}}`, `false`, ``},
	{"a default rescues nothing", 7, `{"type":"object"}`, `{"type":"object","required":["a"],"properties":{"a":{"default":1}}}`, `{}`},
	{"a declared property in an open schema", 7, `{"type":"object"}`, `{"type":"object","properties":{"a":{"type":"string"}}}`, `{"a":0}`},
	{"a property of an open schema that declares none", 7, `{"type":"object"}`, `{"type":"object","properties":{"a":{}}}`, ``},
	{"closed names meet a pattern", 7, `{"properties":{"a":{"type":"string"}},"additionalProperties":false}`, `{"patternProperties":{"^a":{"type":"string"}},"additionalProperties":false}`, ``},
	{"a pattern that meets a declared name too", 7, `{"properties":{"ab":{"type":"integer"}}}`, `{"properties":{"ab":{"type":"integer"}},"patternProperties":{"^a":{"type":"string"}}}`, `{"ab":1}`},
	{"propertyNames bounds what additional may be", 7, `{"propertyNames":{"enum":["a","b"]}}`, `{"properties":{"a":true,"b":true},"additionalProperties":false}`, ``},
	{"propertyNames bounds the number of members", 7, `{"type":"object","propertyNames":{"enum":["a","b"]}}`, `{"maxProperties":2}`, ``},
	{"propertyNames forbids a required name", 7, `{"type":"object","required":["a"],"propertyNames":{"maxLength":0}}`, `false`, ``},
	{"required of an undeclared name", 7, `{"required":["a"]}`, `{"required":["a","b"]}`, `{"a":null}`},
	{"two required names are two members", 7, `{"type":"object","required":["a","b"]}`, `{"minProperties":2}`, ``},
	{"required names and a lower maximum", 7, `{"type":"object","required":["a","b"],"maxProperties":1}`, `false`, ``},
	{"dependencies by names", 7, `{"type":"object","required":["a"],"dependencies":{"a":["b"]}}`, `{"required":["b"]}`, ``},
	{"dependentRequired added", 2020, `{}`, `{"dependentRequired":{"a":["b"]}}`, `{"a":null}`},
	{"dependentSchemas added", 2020, `{}`, `{"dependentSchemas":{"a":{"maxProperties":1}}}`, `{"a":null,"b":null}`},
	{"unevaluatedProperties sees through allOf", 2020, `{"properties":{"a":true},"additionalProperties":false}`, `{"allOf":[{"properties":{"a":true}}],"unevaluatedProperties":false}`, ``},
	{"unevaluatedProperties depends on the branch", 2020, `{"type":"object","properties":{"a":{"type":"string"},"b":true},"additionalProperties":false}`,
		`{"anyOf":[{"properties":{"a":{"type":"string"}}},{"properties":{"b":{"type":"string"}},"required":["b"]}],"unevaluatedProperties":false}`, `{"b":0}`},
	{"unevaluatedItems after prefixItems", 2020, `{"prefixItems":[true]}`, `{"prefixItems":[true],"unevaluatedItems":false}`, `[0,0]`},
	{"contains evaluates items in 2020-12", 2020, `{"type":"array","items":{"const":1},"minItems":1}`, `{"contains":{"const":1},"unevaluatedItems":false}`, ``},
	{"minContains 0 asks for nothing", 2020, `{"type":"array"}`, `{"contains":{"type":"string"},"minContains":0}`, ``},
	{"maxContains", 2020, `{"type":"array","items":{"type":"string"},"maxItems":2}`, `{"contains":{"type":"string"},"minContains":0,"maxContains":2}`, ``},
	{"contains is met by every item", 7, `{"type":"array","items":{"type":"string"},"minItems":1}`, `{"contains":{"type":"string"}}`, ``},
	{"contains is not met by no items", 7, `{"type":"array","items":{"type":"string"}}`, `{"contains":{"type":"string"}}`, `[]`},
	{"unique booleans are two at most", 7, `{"type":"array","items":{"type":"boolean"},"uniqueItems":true}`, `{"maxItems":2}`, ``},
	{"unique values: 1 and 1.0 are one", 7, `{"type":"array","items":{"anyOf":[{"const":1},{"const":1.0}]},"uniqueItems":true}`, `{"maxItems":1}`, ``},
	{"one item is unique", 7, `{"type":"array","maxItems":1}`, `{"uniqueItems":true}`, ``},
	{"tuple to prefix: more items", 7, `{"items":[{"type":"string"}]}`, `{"items":[{"type":"string"}],"additionalItems":false}`, `["a",0]`},
	{"additionalItems beside items that are no tuple", 7, `{"items":{"type":"string"}}`, `{"items":{"type":"string"},"additionalItems":false}`, ``},
	{"a format added", 7, `{"type":"string"}`, `{"type":"string","format":"date"}`, `""`},
	{"a format of numbers only", 7, `{"type":"number"}`, `{"format":"date"}`, ``},
	{"a pattern implied", 7, `{"pattern":"^[0-9]{17}[0-9X]$"}`, `{"pattern":"^[0-9]"}`, ``},
	{"a pattern bounds the length", 7, `{"type":"string","pattern":"^[0-9]{4}$"}`, `{"maxLength":4}`, ``},
	{"a pattern that is not anchored", 7, `{"type":"string"}`, `{"pattern":"[a-z]*"}`, ``},
	{"an unanchored pattern bites", 7, `{"type":"string"}`, `{"pattern":"[a-z]"}`, `""`},
	{"$ matches at the end only", 7, `{"const":"a\n"}`, `{"pattern":"a$"}`, `"a\n"`},
	{"false holds nothing", 7, `false`, `{"type":"string","minLength":3}`, ``},
	{"an enum cut down by a neighbour", 7, `{"enum":["a","abc"],"maxLength":2}`, `{"const":"a"}`, ``},
	{"const of an object by its members", 7, `{"const":{"a":1,"b":[2]}}`, `{"properties":{"a":{"type":"integer"},"b":{"items":{"const":2}}},"additionalProperties":false}`, ``},
	{"an absent type means any value", 7, `{"minLength":2}`, `{"type":"string","minLength":2}`, `null`},
}

// TestTraps runs them all; a contradiction is proved by its document.
func TestTraps(t *testing.T) {
	for _, c := range traps {
		t.Run(c.name, func(t *testing.T) {
			p, ok := c.pair(t)
			if !ok {
				t.Fatal("does not compile")
			}
			v := compat.Check(p.old, p.new, compat.Strict)
			documentsHold(t, p, v)
			if v.Undecided && tooHard[c.name] {
				return
			}
			if c.document == "" {
				refute(t, p)
				if !v.Compatible {
					t.Errorf("not called compatible (undecided: %v): %s", v.Undecided, text(v))
				}
				return
			}
			doc := decode(t, []byte(c.document))
			if p.old.Validate(doc) != nil || p.new.Validate(doc) == nil {
				t.Fatalf("the table is wrong: %s is not accepted by old and refused by new", c.document)
			}
			if v.Compatible {
				t.Errorf("called compatible, but %s contradicts it", c.document)
			} else if !shows(v) {
				t.Errorf("shows no document, though there is one: %s", text(v))
			}
		})
	}
}

func (c trap) pair(t *testing.T) (pair, bool) {
	t.Helper()
	p := pair{seed: 1}
	for _, d := range dialects {
		if d.year == c.year {
			p.oldDraft, p.newDraft = d, d
		}
	}
	p.oldRoot, p.newRoot = dressed(t, c.old, p.oldDraft), dressed(t, c.new, p.newDraft)
	return p.compiled()
}

// dressed reads a schema and says its draft; a boolean becomes an object that means the same.
func dressed(t *testing.T, written string, d dialect) map[string]any {
	t.Helper()
	root, isMap := decode(t, []byte(written)).(map[string]any)
	if !isMap {
		if root = map[string]any{}; written == "false" {
			root["not"] = map[string]any{}
		}
	}
	root["$schema"] = d.uri
	return root
}
