package compat_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/big"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Schemas, mutations of schemas and documents near them, all from one seed: the same seed, the same pair.

// dialect is a draft that the generator writes.
type dialect struct {
	year  int // 4, 6, 7 or 2020; compared with the years of a keyword
	uri   string
	draft *jsonschema.Draft
	defs  string // where definitions lie
}

var dialects = []dialect{
	{4, "http://json-schema.org/draft-04/schema#", jsonschema.Draft4, "definitions"},
	{6, "http://json-schema.org/draft-06/schema#", jsonschema.Draft6, "definitions"},
	{7, "http://json-schema.org/draft-07/schema#", jsonschema.Draft7, "definitions"},
	{2020, "https://json-schema.org/draft/2020-12/schema", jsonschema.Draft2020, "$defs"},
}

// The small pools make it likely that two schemas and a document speak of the same things.
var (
	namePool    = []string{"a", "b", "c", "ab", "名"}
	patternPool = []string{"^a", "b$", "^[a-c]+$", "^[0-9]{2}$", "x", "^.{1,3}$", "^(a|b)$", "名", "^$", "^a?b*$", "^[^a]"}
	stringPool  = []string{"", "a", "b", "c", "ab", "ba", "abc", "x", "ax", "12", "7", "名", "𠮷", "a名b", "xxxxx", "aaaaaaaa", "2024-02-29",
		"2023-02-29", "1.2.3.4", "a@b.cn", "2024-02-29T10:00:00Z", "::1", "http://a.cn/b"}
	formatPool = []string{"date", "ipv4", "email", "date-time", "ipv6", "uri", "no-such-format"}
	numberPool = []string{"0", "1", "2", "3", "5", "10", "-1", "-3", "0.5", "1.5", "2.5", "4", "6", "1e2", "9007199254740993"}
)

func number(s string) json.Number { return json.Number(s) }

// generator makes schemas of one draft.
type generator struct {
	r       *rand.Rand
	d       dialect
	defs    int  // how many definitions a $ref may name
	formats bool // whether "format" may be used
	words   []keyword
	most    int // keywords of one kind in a schema
}

func newGenerator(seed uint64, d dialect) *generator {
	g := &generator{r: rand.New(rand.NewPCG(seed, uint64(d.year))), d: d, words: keywords}
	g.most = pick(g.r, []int{3, 3, 3, 6})
	g.formats = d.year != 2020 || g.chance(0.3) // the second validator for 2020-12 asserts none
	return g
}

func (g *generator) chance(p float64) bool { return g.r.Float64() < p }

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// some gives n different values of the pool, in its order.
func some[T any](r *rand.Rand, from []T, n int) []T {
	var out []T
	for i, v := range from {
		if left := len(from) - i; r.IntN(left) < n-len(out) {
			out = append(out, v)
		}
	}
	return out
}

// keyword is a word of the language: in which drafts, beside which type it bites, and how to write it into a schema.
type keyword struct {
	name        string
	first, last int
	kind        string // the type it bites; "" for any
	write       func(g *generator, s map[string]any, depth int)
}

func (k keyword) in(year int) bool { return k.first <= year && year <= k.last }

var keywords = slices.Concat(plainKeywords, numericKeywords, objectKeywords, arrayKeywords, joiningKeywords)

var plainKeywords = []keyword{
	{"type", 4, 2020, "", func(g *generator, s map[string]any, _ int) { s["type"] = g.types() }},
	{"enum", 4, 2020, "", func(g *generator, s map[string]any, _ int) {
		list := []any{}
		for range 1 + g.r.IntN(4) {
			if v := g.constant(1); !slices.ContainsFunc(list, func(w any) bool { return same(v, w) }) {
				list = append(list, v)
			}
		}
		s["enum"] = list
	}},
	{"const", 6, 2020, "", func(g *generator, s map[string]any, _ int) { s["const"] = g.constant(1) }},
	{"minLength", 4, 2020, "string", func(g *generator, s map[string]any, _ int) { s["minLength"] = g.count(3) }},
	{"maxLength", 4, 2020, "string", func(g *generator, s map[string]any, _ int) { s["maxLength"] = g.count(6) }},
	{"pattern", 4, 2020, "string", func(g *generator, s map[string]any, _ int) { s["pattern"] = pick(g.r, patternPool) }},
	{"format", 4, 2020, "string", func(g *generator, s map[string]any, _ int) {
		if g.formats {
			s["format"] = pick(g.r, formatPool)
		}
	}},
}

var numericKeywords = []keyword{
	{"minimum", 4, 2020, "number", func(g *generator, s map[string]any, _ int) { s["minimum"] = number(pick(g.r, numberPool)) }},
	{"maximum", 4, 2020, "number", func(g *generator, s map[string]any, _ int) { s["maximum"] = number(pick(g.r, numberPool)) }},
	{"exclusiveMinimum", 4, 2020, "number", func(g *generator, s map[string]any, _ int) { g.exclusive(s, "minimum", "exclusiveMinimum") }},
	{"exclusiveMaximum", 4, 2020, "number", func(g *generator, s map[string]any, _ int) { g.exclusive(s, "maximum", "exclusiveMaximum") }},
	{"multipleOf", 4, 2020, "number", func(g *generator, s map[string]any, _ int) {
		s["multipleOf"] = number(pick(g.r, []string{"1", "2", "3", "4", "6", "0.5", "1.5", "0.01"}))
	}},
}

// exclusive writes draft-04's flag beside its limit, or the later drafts' limit of its own.
func (g *generator) exclusive(s map[string]any, limit, name string) {
	if g.d.year > 4 {
		s[name] = number(pick(g.r, numberPool))
		return
	}
	if s[limit] == nil {
		s[limit] = number(pick(g.r, numberPool))
	}
	s[name] = g.chance(0.8)
}

var objectKeywords = []keyword{
	{"properties", 4, 2020, "object", func(g *generator, s map[string]any, depth int) {
		m := map[string]any{}
		for _, n := range some(g.r, namePool, 1+g.r.IntN(3)) {
			m[n] = g.schema(depth - 1)
		}
		s["properties"] = m
	}},
	{"patternProperties", 4, 2020, "object", func(g *generator, s map[string]any, depth int) {
		m := map[string]any{}
		for _, n := range some(g.r, patternPool, 1+g.r.IntN(2)) {
			m[n] = g.schema(depth - 1)
		}
		s["patternProperties"] = m
	}},
	{"additionalProperties", 4, 2020, "object", func(g *generator, s map[string]any, depth int) { s["additionalProperties"] = g.boolOr(depth) }},
	{"propertyNames", 6, 2020, "object", func(g *generator, s map[string]any, depth int) { s["propertyNames"] = g.ofKind("string", depth-1) }},
	{"required", 4, 2020, "object", func(g *generator, s map[string]any, _ int) {
		s["required"] = anys(some(g.r, namePool, 1+g.r.IntN(2)))
	}},
	{"minProperties", 4, 2020, "object", func(g *generator, s map[string]any, _ int) { s["minProperties"] = g.count(3) }},
	{"maxProperties", 4, 2020, "object", func(g *generator, s map[string]any, _ int) { s["maxProperties"] = g.count(4) }},
	{"dependencies", 4, 7, "object", func(g *generator, s map[string]any, depth int) {
		m := map[string]any{}
		for _, n := range some(g.r, namePool, 1+g.r.IntN(2)) {
			if m[n] = any(anys(some(g.r, namePool, 1+g.r.IntN(2)))); g.chance(0.4) {
				m[n] = g.schema(depth - 1)
			}
		}
		s["dependencies"] = m
	}},
	{"dependentRequired", 2020, 2020, "object", func(g *generator, s map[string]any, _ int) {
		s["dependentRequired"] = map[string]any{pick(g.r, namePool): anys(some(g.r, namePool, 1+g.r.IntN(2)))}
	}},
	{"dependentSchemas", 2020, 2020, "object", func(g *generator, s map[string]any, depth int) {
		s["dependentSchemas"] = map[string]any{pick(g.r, namePool): g.schema(depth - 1)}
	}},
	{"unevaluatedProperties", 2020, 2020, "object", func(g *generator, s map[string]any, depth int) { s["unevaluatedProperties"] = g.boolOr(depth) }},
}

var arrayKeywords = []keyword{
	{"items", 4, 2020, "array", func(g *generator, s map[string]any, depth int) {
		if s["items"] = g.schemaOrBool(depth - 1); g.d.year < 2020 && g.chance(0.4) {
			s["items"] = g.schemas(depth)
		}
	}},
	{"additionalItems", 4, 7, "array", func(g *generator, s map[string]any, depth int) {
		if _, tuple := s["items"].([]any); !tuple {
			s["items"] = g.schemas(depth)
		}
		s["additionalItems"] = g.boolOr(depth)
	}},
	{"prefixItems", 2020, 2020, "array", func(g *generator, s map[string]any, depth int) { s["prefixItems"] = g.schemas(depth) }},
	{"contains", 6, 2020, "array", func(g *generator, s map[string]any, depth int) { s["contains"] = g.schema(depth - 1) }},
	{"minContains", 2020, 2020, "array", func(g *generator, s map[string]any, depth int) {
		if s["minContains"] = g.count(3); s["contains"] == nil {
			s["contains"] = g.schema(depth - 1)
		}
	}},
	{"maxContains", 2020, 2020, "array", func(g *generator, s map[string]any, depth int) {
		if s["maxContains"] = g.count(3); s["contains"] == nil {
			s["contains"] = g.schema(depth - 1)
		}
	}},
	{"minItems", 4, 2020, "array", func(g *generator, s map[string]any, _ int) { s["minItems"] = g.count(3) }},
	{"maxItems", 4, 2020, "array", func(g *generator, s map[string]any, _ int) { s["maxItems"] = g.count(4) }},
	{"uniqueItems", 4, 2020, "array", func(g *generator, s map[string]any, _ int) { s["uniqueItems"] = g.chance(0.8) }},
	{"unevaluatedItems", 2020, 2020, "array", func(g *generator, s map[string]any, depth int) { s["unevaluatedItems"] = g.boolOr(depth) }},
}

var joiningKeywords = []keyword{
	{"allOf", 4, 2020, "", func(g *generator, s map[string]any, depth int) { s["allOf"] = g.schemas(depth) }},
	{"anyOf", 4, 2020, "", func(g *generator, s map[string]any, depth int) { s["anyOf"] = g.schemas(depth) }},
	{"oneOf", 4, 2020, "", func(g *generator, s map[string]any, depth int) { s["oneOf"] = g.schemas(depth) }},
	{"not", 4, 2020, "", func(g *generator, s map[string]any, depth int) { s["not"] = g.schema(depth - 1) }},
	{"if", 7, 2020, "", func(g *generator, s map[string]any, depth int) { g.conditional(s, depth, g.r.IntN(3)) }},
	{"then", 7, 2020, "", func(g *generator, s map[string]any, depth int) { g.conditional(s, depth, 0) }},
	{"else", 7, 2020, "", func(g *generator, s map[string]any, depth int) { g.conditional(s, depth, 1) }},
	{"$ref", 4, 2020, "", func(g *generator, s map[string]any, _ int) {
		if g.defs > 0 {
			s["$ref"] = "#/" + g.d.defs + "/d" + strconv.Itoa(g.r.IntN(g.defs))
		}
	}},
}

// conditional writes if, with then (0), else (1) or both (2).
func (g *generator) conditional(s map[string]any, depth, which int) {
	s["if"] = g.schema(depth - 1)
	if which != 1 {
		s["then"] = g.schema(depth - 1)
	}
	if which != 0 {
		s["else"] = g.schema(depth - 1)
	}
}

func keywordNamed(name string) keyword {
	return keywords[slices.IndexFunc(keywords, func(k keyword) bool { return k.name == name })]
}

var kinds = []string{"null", "boolean", "integer", "number", "string", "array", "object"}

func (g *generator) types() any {
	if g.chance(0.7) {
		return pick(g.r, kinds)
	}
	return anys(some(g.r, kinds, 1+g.r.IntN(3)))
}

func (g *generator) count(below int) json.Number { return number(strconv.Itoa(g.r.IntN(below))) }

func (g *generator) constant(depth int) any {
	switch n := g.r.IntN(12); {
	case n < 4:
		return pick(g.r, stringPool)
	case n < 8:
		return number(pick(g.r, numberPool))
	case n < 10 || depth <= 0:
		return pick(g.r, []any{nil, true, false})
	case n == 10:
		return []any{g.constant(0)}
	}
	return map[string]any{pick(g.r, namePool): g.constant(0)}
}

func (g *generator) boolOr(depth int) any {
	if g.chance(0.5) {
		return g.chance(0.3)
	}
	return g.schema(depth - 1)
}

func (g *generator) schemaOrBool(depth int) any {
	if g.d.year > 4 && g.chance(0.15) {
		return g.chance(0.5)
	}
	return g.schema(depth)
}

func (g *generator) schemas(depth int) []any {
	list := make([]any, 1+g.r.IntN(3))
	for i := range list {
		list[i] = g.schemaOrBool(depth - 1)
	}
	return list
}

// schema writes one schema with depth levels below it.
func (g *generator) schema(depth int) any {
	if depth <= 0 && g.d.year > 4 && g.chance(0.08) {
		return g.chance(0.6)
	}
	if depth <= 0 && g.chance(0.1) {
		return map[string]any{}
	}
	if g.chance(0.15) {
		s := map[string]any{}
		for range 1 + g.r.IntN(2) {
			g.add(s, g.fit("", depth), depth)
		}
		return s
	}
	return g.ofKind(pick(g.r, []string{"number", "integer", "string", "string", "object", "object", "array"}), depth)
}

// ofKind writes a schema that is mostly about one kind of value.
func (g *generator) ofKind(kind string, depth int) any {
	s := map[string]any{}
	if g.chance(0.75) {
		if s["type"] = any(kind); g.chance(0.1) {
			s["type"] = []any{kind, "null"}
		}
	}
	if kind == "integer" {
		kind = "number"
	}
	for range g.r.IntN(g.most + 1) {
		g.add(s, g.fit(kind, depth), depth)
	}
	for range g.most / 3 {
		if g.chance(0.85) {
			continue
		}
		g.add(s, g.fit("", depth), depth)
	}
	return s
}

// fit picks a keyword of the draft that bites the kind; at depth 0 one without schemas in it.
func (g *generator) fit(kind string, depth int) keyword {
	for {
		k := pick(g.r, g.words)
		if k.kind == kind && k.in(g.d.year) && (depth > 0 || !nests(k.name)) {
			return k
		}
	}
}

func nests(name string) bool {
	_, holds := children[name]
	return holds
}

// add writes a keyword; schemas below depth 0 stay flat because every writer passes less depth on.
func (g *generator) add(s map[string]any, k keyword, depth int) { k.write(g, s, max(depth, 0)) }

// root writes a whole schema with its definitions.
func (g *generator) root(depth int) map[string]any {
	if g.defs = 0; g.chance(0.35) {
		g.defs = 1 + g.r.IntN(2)
	}
	s, isMap := g.schema(depth).(map[string]any)
	if !isMap {
		s = map[string]any{}
	}
	if g.defs > 0 {
		defs := map[string]any{}
		for i := range g.defs {
			defs["d"+strconv.Itoa(i)] = g.schema(depth - 1)
		}
		s[g.d.defs] = defs
		if g.chance(0.5) {
			g.add(s, keywordNamed("$ref"), 0)
		}
	}
	s["$schema"] = g.d.uri
	return s
}

// children says how schemas lie below a keyword: "one", "list" or "map".
var children = map[string]string{
	"properties": "map", "patternProperties": "map", "additionalProperties": "one", "propertyNames": "one", "dependencies": "map",
	"dependentSchemas": "map", "unevaluatedProperties": "one", "items": "one or list", "additionalItems": "one", "prefixItems": "list",
	"contains": "one", "unevaluatedItems": "one", "allOf": "list", "anyOf": "list", "oneOf": "list", "not": "one", "if": "one",
	"then": "one", "else": "one", "definitions": "map", "$defs": "map",
}

// place is where a schema stands, to be read and replaced.
type place struct {
	get   func() any
	set   func(any)
	below string // the keyword above it
}

// places lists every schema below and with s.
func places(at place, out *[]place) {
	s := at.get()
	*out = append(*out, at)
	m, isMap := s.(map[string]any)
	if !isMap {
		return
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if children[k] == "" {
			continue
		}
		switch v := m[k].(type) {
		case []any:
			for i := range v {
				places(place{func() any { return v[i] }, func(x any) { v[i] = x }, k}, out)
			}
		case map[string]any:
			if children[k] != "map" {
				places(place{func() any { return m[k] }, func(x any) { m[k] = x }, k}, out)
				continue
			}
			for _, name := range slices.Sorted(maps.Keys(v)) {
				if _, names := v[name].([]any); !names { // dependencies hold lists of names too
					places(place{func() any { return v[name] }, func(x any) { v[name] = x }, k}, out)
				}
			}
		case bool:
			places(place{func() any { return m[k] }, func(x any) { m[k] = x }, k}, out)
		}
	}
}

func rootPlace(root map[string]any) place {
	return place{get: func() any { return root }, set: func(any) {}}
}

// clone copies a schema or a document.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, w := range v {
			out[k] = clone(w)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, w := range v {
			out[i] = clone(w)
		}
		return out
	}
	return v
}

func anys[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

func same(v, w any) bool { return text(v) == text(w) }

// text writes a schema or a document as JSON, its members sorted.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // the generator makes JSON only
	}
	return string(b)
}

// mutate gives a copy of a root with one to five small edits.
func (g *generator) mutate(root map[string]any) map[string]any {
	out := clone(root).(map[string]any)
	for range 1 + g.r.IntN(5) {
		var all []place
		places(rootPlace(out), &all)
		g.edit(all[g.r.IntN(1+g.r.IntN(len(all)))], out) // rather near the root, where documents notice
	}
	out["$schema"] = g.d.uri
	return out
}

// edit changes the schema at one place.
func (g *generator) edit(at place, root map[string]any) {
	s, isMap := at.get().(map[string]any)
	if !isMap {
		at.set(g.schemaOrBool(0))
		return
	}
	switch n := g.r.IntN(100); {
	case n < 30:
		g.remove(s)
	case n < 60:
		g.tweak(s)
	case n < 72:
		g.add(s, g.fit(g.kindOf(s), 1), 1)
	case n < 88 && at.below != "":
		at.set(g.wrap(s))
	case n < 88:
		g.wrapRoot(s)
	case n < 93:
		g.unwrap(at, s)
	case n < 96 && g.d.year > 4 && at.below != "":
		at.set(g.chance(0.7))
	default:
		fresh := g.schema(1)
		if at.below != "" {
			at.set(fresh)
		}
	}
}

// kindOf is the kind of value that a schema is about, or any kind.
func (g *generator) kindOf(s map[string]any) string {
	switch kind := s["type"]; kind {
	case "integer":
		return "number"
	case "number", "string", "object", "array":
		return kind.(string)
	}
	return pick(g.r, []string{"", "", "number", "string", "object", "array"})
}

// editable are the keywords of s that an edit may take away.
func editable(s map[string]any) []string {
	var names []string
	for _, k := range slices.Sorted(maps.Keys(s)) {
		if k != "$schema" && k != "definitions" && k != "$defs" {
			names = append(names, k)
		}
	}
	return names
}

func (g *generator) remove(s map[string]any) {
	names := editable(s)
	if len(names) == 0 {
		return
	}
	name := pick(g.r, names)
	delete(s, name)
	if g.d.year == 4 && (name == "minimum" || name == "maximum") {
		delete(s, "exclusiveM"+name[1:])
	}
}

// tweak changes a keyword's value a little.
func (g *generator) tweak(s map[string]any) {
	names := editable(s)
	if len(names) == 0 {
		return
	}
	name := pick(g.r, names)
	if name == "const" {
		s[name] = g.constant(1)
		return
	}
	switch v := s[name].(type) {
	case json.Number:
		s[name] = g.nudge(name, v)
	case []any:
		s[name] = g.nudgeList(name, v)
	case bool:
		s[name] = !v
	case map[string]any:
		g.nudgeMap(name, v)
	case string:
		if name == "type" {
			s[name] = g.widen(v)
			return
		}
		g.add(s, keywordNamed(name), 1)
	}
}

// widen makes a type another that often holds more.
func (g *generator) widen(kind string) any {
	if kind == "integer" && g.chance(0.5) {
		return "number"
	}
	if g.chance(0.7) {
		if other := pick(g.r, kinds); other != kind {
			return []any{kind, other}
		}
	}
	return g.types()
}

func (g *generator) nudge(name string, n json.Number) json.Number {
	value, _ := new(big.Rat).SetString(n.String())
	if name == "multipleOf" {
		if g.chance(0.5) {
			return decimal(value.Mul(value, big.NewRat(1, 2)))
		}
		return decimal(value.Mul(value, big.NewRat(2, 1)))
	}
	counts := strings.HasPrefix(name, "min") && name != "minimum" || strings.HasPrefix(name, "max") && name != "maximum"
	step := big.NewRat(int64(g.r.IntN(5)-2), 1)
	if !counts && g.chance(0.3) {
		step = big.NewRat(1, 2)
	}
	if value.Add(value, step); counts && value.Sign() < 0 {
		return "0"
	}
	return decimal(value)
}

// decimal writes a number whose denominator is a product of 2 and 5 exactly.
func decimal(r *big.Rat) json.Number {
	s := r.FloatString(20)
	s = strings.TrimRight(s, "0")
	return json.Number(strings.TrimSuffix(s, "."))
}

func (g *generator) nudgeList(name string, list []any) any {
	list = slices.Clone(list)
	switch {
	case len(list) > 1 && g.chance(0.4):
		i := g.r.IntN(len(list))
		return slices.Delete(list, i, i+1)
	case len(list) > 1 && g.chance(0.3):
		g.r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		return list
	}
	var more any
	switch name {
	case "enum":
		more = g.constant(1)
	case "required":
		more = pick(g.r, namePool)
	case "type":
		more = pick(g.r, kinds)
	default:
		return append(list, g.schemaOrBool(0))
	}
	if slices.ContainsFunc(list, func(v any) bool { return same(v, more) }) {
		return list
	}
	return append(list, more)
}

func (g *generator) nudgeMap(name string, m map[string]any) {
	if children[name] != "map" {
		g.tweak(m)
		return
	}
	if names := slices.Sorted(maps.Keys(m)); len(names) > 0 && g.chance(0.5) {
		delete(m, pick(g.r, names))
		return
	}
	if name == "patternProperties" {
		m[pick(g.r, patternPool)] = g.schema(0)
		return
	}
	m[pick(g.r, namePool)] = g.schema(0)
}

// wrap puts a schema below a keyword; often that means the same, or more.
func (g *generator) wrap(s any) any {
	other := g.schema(0)
	switch g.r.IntN(9) {
	case 0:
		return map[string]any{"allOf": []any{s}}
	case 1:
		return map[string]any{"anyOf": []any{s}}
	case 2, 3:
		return map[string]any{"anyOf": []any{other, s}}
	case 4:
		return map[string]any{"oneOf": []any{s, other}}
	case 5:
		return map[string]any{"not": map[string]any{"not": s}}
	case 6:
		return map[string]any{"allOf": []any{s, other}}
	case 7:
		if g.d.year >= 7 {
			return map[string]any{"if": other, "then": s, "else": s}
		}
	}
	return map[string]any{"allOf": []any{map[string]any{"anyOf": []any{s, other}}}}
}

// wrapRoot does the same to a root, whose definitions stay where they are.
func (g *generator) wrapRoot(root map[string]any) {
	inner := map[string]any{}
	for _, k := range editable(root) {
		inner[k] = root[k]
		delete(root, k)
	}
	if m, isMap := g.wrap(inner).(map[string]any); isMap {
		maps.Copy(root, m)
	}
}

// unwrap puts a schema from below in the place of the one above.
func (g *generator) unwrap(at place, s map[string]any) {
	var below []place
	places(place{get: func() any { return s }}, &below)
	if len(below) < 2 {
		return
	}
	inner := clone(pick(g.r, below[1:]).get())
	if m, isMap := inner.(map[string]any); isMap && at.below == "" {
		for _, k := range editable(s) {
			delete(s, k)
		}
		maps.Copy(s, m)
		return
	}
	if at.below != "" && (g.d.year > 4 || !isBool(inner)) {
		at.set(inner)
	}
}

func isBool(v any) bool { _, is := v.(bool); return is }

// pair is two schemas to compare, as JSON values and compiled.
type pair struct {
	seed               uint64
	oldRoot, newRoot   map[string]any
	old, new           *jsonschema.Schema
	oldDraft, newDraft dialect
}

// newPair makes the pair of a seed; ok is false where the draw is no schema that passes the gate.
func newPair(seed uint64) (p pair, ok bool) {
	d := dialects[seed%uint64(len(dialects))]
	g := newGenerator(seed, d)
	p = pair{seed: seed, oldDraft: d, newDraft: d}
	p.oldRoot = g.root(1 + g.r.IntN(3))
	switch {
	case g.chance(0.1):
		p.newRoot = g.root(1 + g.r.IntN(2))
	default:
		p.newRoot = g.mutate(p.oldRoot)
	}
	if g.chance(0.15) && d.year != 2020 {
		later := dialects[slices.IndexFunc(dialects, func(e dialect) bool { return e.year == d.year })+1]
		p.newRoot, p.newDraft = translate(p.newRoot, d, later), later
	}
	if g.chance(0.35) {
		p.oldRoot, p.newRoot, p.oldDraft, p.newDraft = p.newRoot, p.oldRoot, p.newDraft, p.oldDraft
	}
	return p.compiled()
}

func (p pair) compiled() (pair, bool) {
	var err error
	if p.old, err = compile(p.oldRoot, p.oldDraft.draft); err != nil {
		return p, false
	}
	if p.new, err = compile(p.newRoot, p.newDraft.draft); err != nil {
		return p, false
	}
	return p, !loops(p.old) && !loops(p.new)
}

// compile reads a schema as the gate does: formats asserted.
func compile(root any, draft *jsonschema.Draft) (*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(draft)
	c.AssertFormat()
	if err := c.AddResource("https://yimen.test/schema.json", clone(root)); err != nil {
		return nil, err
	}
	return c.Compile("https://yimen.test/schema.json")
}

// loops says whether a schema comes back to itself without a step into the document; the gate refuses those.
func loops(root *jsonschema.Schema) bool {
	const open, done = 1, 2
	state := map[*jsonschema.Schema]int{}
	var all []*jsonschema.Schema
	var visit func(s *jsonschema.Schema) bool
	visit = func(s *jsonschema.Schema) bool {
		if s == nil || state[s] == done {
			return false
		}
		if state[s] == open {
			return true
		}
		state[s] = open
		for _, next := range beside(s) {
			if visit(next) {
				return true
			}
		}
		state[s] = done
		all = append(all, inside(s)...)
		return false
	}
	if visit(root) {
		return true
	}
	for len(all) > 0 {
		next := all[len(all)-1]
		all = all[:len(all)-1]
		if visit(next) {
			return true
		}
	}
	return false
}

// beside are the schemas that s puts to the same value.
func beside(s *jsonschema.Schema) []*jsonschema.Schema {
	out := slices.Concat([]*jsonschema.Schema{s.Ref, s.RecursiveRef, s.Not, s.If, s.Then, s.Else}, s.AllOf, s.AnyOf, s.OneOf)
	if s.DynamicRef != nil {
		out = append(out, s.DynamicRef.Ref)
	}
	for _, d := range s.Dependencies {
		if sub, is := d.(*jsonschema.Schema); is {
			out = append(out, sub)
		}
	}
	return slices.AppendSeq(out, maps.Values(s.DependentSchemas))
}

// inside are the schemas that s puts to values within the value.
func inside(s *jsonschema.Schema) []*jsonschema.Schema {
	out := slices.Concat([]*jsonschema.Schema{s.PropertyNames, s.UnevaluatedProperties, s.Contains, s.Items2020, s.UnevaluatedItems}, s.PrefixItems)
	for _, v := range []any{s.AdditionalProperties, s.Items, s.AdditionalItems} {
		switch v := v.(type) {
		case *jsonschema.Schema:
			out = append(out, v)
		case []*jsonschema.Schema:
			out = append(out, v...)
		}
	}
	out = slices.AppendSeq(out, maps.Values(s.Properties))
	return slices.AppendSeq(out, maps.Values(s.PatternProperties))
}

// translate writes a schema of one draft in the next, so that it means the same.
func translate(root map[string]any, from, to dialect) map[string]any {
	out := clone(root).(map[string]any)
	var all []place
	places(rootPlace(out), &all)
	for _, at := range all {
		s, isMap := at.get().(map[string]any)
		if !isMap {
			continue
		}
		if from.year == 4 {
			limitsFrom4(s)
		}
		if to.year == 2020 {
			keywordsFrom7(s, to)
		}
	}
	out["$schema"] = to.uri
	return out
}

func limitsFrom4(s map[string]any) {
	for limit, flag := range map[string]string{"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"} {
		on, has := s[flag].(bool)
		if delete(s, flag); has && on {
			s[flag] = s[limit]
			delete(s, limit)
		}
	}
}

func keywordsFrom7(s map[string]any, to dialect) {
	if ref, has := s["$ref"].(string); has {
		for _, k := range editable(s) {
			delete(s, k)
		}
		s["$ref"] = strings.Replace(ref, "#/definitions/", "#/"+to.defs+"/", 1)
	}
	if defs, has := s["definitions"]; has {
		delete(s, "definitions")
		s[to.defs] = defs
	}
	if tuple, has := s["items"].([]any); has {
		delete(s, "items")
		s["prefixItems"] = tuple
		if rest, has := s["additionalItems"]; has {
			s["items"] = rest
		}
	}
	delete(s, "additionalItems")
	required, schemas := map[string]any{}, map[string]any{}
	deps, _ := s["dependencies"].(map[string]any)
	for name, d := range deps {
		if _, names := d.([]any); names {
			required[name] = d
		} else {
			schemas[name] = d
		}
	}
	delete(s, "dependencies")
	if len(required) > 0 {
		s["dependentRequired"] = required
	}
	if len(schemas) > 0 {
		s["dependentSchemas"] = schemas
	}
}

// sampler makes documents that two schemas are likely to disagree about.
type sampler struct {
	r       *rand.Rand
	roots   []map[string]any
	numbers []*big.Rat
	consts  []any
	names   []string
	texts   []string
	lengths []int
}

func newSampler(seed uint64, roots ...map[string]any) *sampler {
	s := &sampler{r: rand.New(rand.NewPCG(seed, 99)), roots: roots, names: slices.Clone(namePool)}
	for _, root := range roots {
		s.gather(root, 0)
	}
	if len(s.numbers) == 0 {
		s.numbers = append(s.numbers, new(big.Rat))
	}
	slices.Sort(s.names)
	s.names = slices.Compact(s.names)
	return s
}

// gather collects every value that a schema speaks of; also those of foreign schemas, whose words are not from the pools.
func (s *sampler) gather(v any, depth int) {
	switch v := v.(type) {
	case json.Number:
		if n, ok := new(big.Rat).SetString(v.String()); ok && len(v) < 30 {
			s.numbers = append(s.numbers, n)
			if n.IsInt() && n.Sign() >= 0 && n.Cmp(big.NewRat(40, 1)) <= 0 {
				s.lengths = append(s.lengths, int(n.Num().Int64()))
			}
		}
	case string:
		s.texts = append(s.texts, v)
		s.texts = append(s.texts, samples(v)...)
	case []any:
		for _, w := range v {
			s.gather(w, depth+1)
		}
	case map[string]any:
		s.gatherMap(v, depth)
	}
}

func (s *sampler) gatherMap(m map[string]any, depth int) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if k == "$schema" || k == "$id" || k == "id" {
			continue
		}
		switch w := m[k].(type) {
		case map[string]any:
			if k == "properties" || strings.HasPrefix(k, "depend") {
				s.names = slices.AppendSeq(s.names, maps.Keys(w))
			}
			if k == "patternProperties" {
				for p := range w {
					s.names = append(s.names, samples(p)...)
				}
			}
		case []any:
			if k == "required" {
				for _, n := range w {
					if name, is := n.(string); is {
						s.names = append(s.names, name)
					}
				}
			}
			if k == "enum" || k == "examples" {
				s.consts = append(s.consts, w...)
			}
		}
		if k == "const" || k == "default" {
			s.consts = append(s.consts, m[k])
		}
		s.gather(m[k], depth+1)
	}
}

// samples are strings that a pattern accepts, found by trying.
func samples(pattern string) []string {
	re, err := regexp.Compile(pattern)
	if err != nil || len(pattern) > 200 {
		return nil
	}
	var out []string
	for _, s := range append([]string{strings.Trim(pattern, "^$"), strings.Trim(pattern, "^$") + "0"}, stringPool...) {
		if re.MatchString(s) {
			out = append(out, s)
		}
	}
	return out
}

// laws are the schemas that hold at one place of a document.
type laws []map[string]any

// document makes one: mostly after the old schema, sometimes after both.
func (s *sampler) document() any {
	var at laws
	for i, root := range s.roots {
		if i == 0 || s.r.IntN(3) == 0 {
			at = s.flatten(root, root, at, 0)
		}
	}
	return s.value(at, 4)
}

// flatten lists the schemas that a schema puts to the same value, one branch of each choice.
func (s *sampler) flatten(v any, root map[string]any, out laws, depth int) laws {
	m, isMap := v.(map[string]any)
	if !isMap || depth > 6 {
		return out
	}
	m = maps.Clone(m)
	m["\x00root"] = root
	out = append(out, m)
	if ref, has := m["$ref"].(string); has {
		out = s.flatten(resolve(root, ref), root, out, depth+1)
	}
	all, _ := m["allOf"].([]any)
	for _, w := range all {
		out = s.flatten(w, root, out, depth+1)
	}
	for _, k := range []string{"anyOf", "oneOf"} {
		if list, _ := m[k].([]any); len(list) > 0 {
			out = s.flatten(pick(s.r, list), root, out, depth+1)
		}
	}
	for _, k := range []string{"if", "then", "else", "not"} {
		if s.r.IntN(3) == 0 {
			out = s.flatten(m[k], root, out, depth+1)
		}
	}
	for _, k := range []string{"dependentSchemas", "dependencies"} {
		if deps, has := m[k].(map[string]any); has && len(deps) > 0 && s.r.IntN(2) == 0 {
			out = s.flatten(deps[pick(s.r, slices.Sorted(maps.Keys(deps)))], root, out, depth+1)
		}
	}
	return out
}

func resolve(root map[string]any, ref string) any {
	var at any = root
	steps := strings.Split(strings.TrimPrefix(ref, "#"), "/")
	for _, step := range steps[1:] {
		m, isMap := at.(map[string]any)
		if !isMap {
			return nil
		}
		at = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(step)]
	}
	return at
}

// value makes a value that the laws may accept.
func (s *sampler) value(at laws, depth int) any {
	if s.r.IntN(40) == 0 {
		return s.anything(depth)
	}
	var kindsHere []string
	for _, m := range at {
		if c, has := m["const"]; has && s.r.IntN(4) > 0 {
			return clone(c)
		}
		if list, _ := m["enum"].([]any); len(list) > 0 && s.r.IntN(4) > 0 {
			return clone(pick(s.r, list))
		}
		switch t := m["type"].(type) {
		case string:
			kindsHere = append(kindsHere, t)
		case []any:
			if k, is := pick(s.r, append(t, any("null"))).(string); is {
				kindsHere = append(kindsHere, k)
			}
		}
	}
	if len(kindsHere) == 0 {
		if kindsHere = implied(at); len(kindsHere) == 0 || s.r.IntN(4) == 0 {
			return s.anything(depth)
		}
	}
	return s.ofKind(pick(s.r, kindsHere), at, depth)
}

// implied are the types whose keywords the laws use.
func implied(at laws) []string {
	var out []string
	for _, m := range at {
		for _, k := range keywords {
			if _, has := m[k.name]; has && k.kind != "" {
				out = append(out, k.kind)
			}
		}
	}
	slices.Sort(out)
	return out
}

func (s *sampler) ofKind(kind string, at laws, depth int) any {
	switch kind {
	case "null":
		return nil
	case "boolean":
		return s.r.IntN(2) == 0
	case "integer":
		return s.number(at, true)
	case "number":
		return s.number(at, s.r.IntN(3) == 0)
	case "string":
		return s.string(at)
	case "array":
		return s.array(at, depth)
	}
	return s.object(at, depth)
}

func (s *sampler) anything(depth int) any {
	if len(s.consts) > 0 && s.r.IntN(3) == 0 {
		return clone(pick(s.r, s.consts))
	}
	return s.ofKind(pick(s.r, kinds), nil, depth-1)
}

func (s *sampler) number(at laws, whole bool) any {
	n := new(big.Rat).Set(pick(s.r, s.numbers))
	for _, m := range at {
		for _, k := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"} {
			if limit, is := m[k].(json.Number); is && s.r.IntN(2) == 0 {
				n.SetString(limit.String())
			}
		}
	}
	n.Add(n, pick(s.r, []*big.Rat{new(big.Rat), new(big.Rat), big.NewRat(1, 1), big.NewRat(-1, 1), big.NewRat(1, 2), big.NewRat(-1, 2), big.NewRat(1, 100)}))
	for _, m := range at {
		if step, is := m["multipleOf"].(json.Number); is && s.r.IntN(4) > 0 {
			by, ok := new(big.Rat).SetString(step.String())
			if ok && by.Sign() > 0 {
				times := new(big.Rat).Quo(n, by)
				n.Mul(by, new(big.Rat).SetInt(new(big.Int).Quo(times.Num(), times.Denom())))
			}
		}
	}
	if whole {
		n.SetInt(new(big.Int).Quo(n.Num(), n.Denom()))
	}
	return decimal(n)
}

func (s *sampler) string(at laws) string {
	pool := stringPool
	if len(s.texts) > 0 && s.r.IntN(2) == 0 {
		pool = s.texts
	}
	for _, m := range at {
		if p, is := m["pattern"].(string); is {
			if fits := samples(p); len(fits) > 0 && s.r.IntN(5) > 0 {
				pool = fits
			}
		}
	}
	v := pick(s.r, pool)
	for _, m := range at {
		if n, is := count(m["minLength"]); is && utf8.RuneCountInString(v) < n && s.r.IntN(2) == 0 {
			v += strings.Repeat(pick(s.r, []string{"a", "b", "名"}), min(n-utf8.RuneCountInString(v), 50))
		}
		if n, is := count(m["maxLength"]); is && utf8.RuneCountInString(v) > n && s.r.IntN(2) == 0 {
			v = string([]rune(v)[:n])
		}
	}
	if len(s.lengths) > 0 && s.r.IntN(10) == 0 {
		v = strings.Repeat("a", pick(s.r, s.lengths)+s.r.IntN(2))
	}
	return v
}

func count(v any) (int, bool) {
	n, is := v.(json.Number)
	if !is {
		return 0, false
	}
	i, err := strconv.Atoi(n.String())
	return i, err == nil && i >= 0
}

// length draws how many items or members a value has.
func (s *sampler) length(at laws, usual int, bounds ...string) int {
	n := s.r.IntN(usual + 1)
	for _, m := range at {
		for _, k := range bounds {
			b, is := count(m[k])
			if is && b < 12 && s.r.IntN(3) == 0 || is && b < 80 && s.r.IntN(40) == 0 {
				n = max(0, b+s.r.IntN(3)-1)
			}
		}
	}
	return n
}

func (s *sampler) array(at laws, depth int) any {
	out := []any{}
	if depth <= 0 {
		return out
	}
	n := s.length(at, 3, "minItems", "maxItems", "minContains", "maxContains")
	for i := range n {
		var below laws
		for _, m := range at {
			below = s.item(m, i, below)
		}
		if v := s.value(below, depth-1); len(out) > 0 && s.r.IntN(6) == 0 {
			out = append(out, clone(out[0]))
		} else {
			out = append(out, v)
		}
	}
	return out
}

// item adds the laws of the item at i.
func (s *sampler) item(m map[string]any, i int, below laws) laws {
	root := m["\x00root"].(map[string]any)
	tuple, _ := m["prefixItems"].([]any)
	rest := m["items"]
	if list, old := m["items"].([]any); old {
		tuple, rest = list, m["additionalItems"]
	}
	if i < len(tuple) {
		rest = tuple[i]
	}
	below = s.flatten(rest, root, below, 0)
	if s.r.IntN(2) == 0 {
		below = s.flatten(m["contains"], root, below, 0)
	}
	if rest == nil {
		below = s.flatten(m["unevaluatedItems"], root, below, 0)
	}
	return below
}

func (s *sampler) object(at laws, depth int) any {
	out := map[string]any{}
	if depth <= 0 {
		return out
	}
	var wanted []string
	for _, m := range at {
		for _, k := range []string{"properties", "dependentRequired", "dependentSchemas", "dependencies"} {
			if names, is := m[k].(map[string]any); is {
				for _, n := range slices.Sorted(maps.Keys(names)) {
					if s.r.IntN(2) == 0 {
						wanted = append(wanted, n)
					}
				}
			}
		}
		if names, is := m["required"].([]any); is {
			for _, n := range names {
				if name, is := n.(string); is && s.r.IntN(10) > 0 {
					wanted = append(wanted, name)
				}
			}
		}
		if patterns, is := m["patternProperties"].(map[string]any); is {
			for _, p := range slices.Sorted(maps.Keys(patterns)) {
				if fits := samples(p); len(fits) > 0 && s.r.IntN(2) == 0 {
					wanted = append(wanted, pick(s.r, fits))
				}
			}
		}
	}
	for n := s.length(at, 2, "minProperties", "maxProperties"); len(wanted) < n; {
		if wanted = append(wanted, pick(s.r, s.names)); n > len(s.names) && s.r.IntN(2) == 0 {
			wanted = append(wanted, pick(s.r, s.names)+strconv.Itoa(len(wanted)))
		}
	}
	for _, name := range wanted {
		if _, has := out[name]; !has {
			out[name] = s.value(s.member(at, name), depth-1)
		}
	}
	return out
}

// member lists the laws of the member with a name.
func (s *sampler) member(at laws, name string) laws {
	var below laws
	for _, m := range at {
		root := m["\x00root"].(map[string]any)
		met := false
		if props, is := m["properties"].(map[string]any); is {
			if sub, has := props[name]; has {
				below, met = s.flatten(sub, root, below, 0), true
			}
		}
		if patterns, is := m["patternProperties"].(map[string]any); is {
			for _, p := range slices.Sorted(maps.Keys(patterns)) {
				if re, err := regexp.Compile(p); err == nil && re.MatchString(name) {
					below, met = s.flatten(patterns[p], root, below, 0), true
				}
			}
		}
		if !met {
			below = s.flatten(m["additionalProperties"], root, below, 0)
			below = s.flatten(m["unevaluatedProperties"], root, below, 0)
		}
	}
	return below
}

// decode reads JSON as the gate does, numbers kept as they are written.
func decode(t *testing.T, b []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("decode %s: %v", b, err)
	}
	return v
}
