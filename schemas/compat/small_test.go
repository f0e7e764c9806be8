package compat_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/onedoor/yimen/schemas/compat"
	"github.com/onedoor/yimen/schemas/gate"
)

// Beside the random documents of the property test: schemas over a small alphabet, and all documents of it up to a size.

// world makes schemas of one draft over the alphabet.
type world struct {
	*rand.Rand
	year int
	defs int
}

func (w *world) of(list ...string) string { return list[w.IntN(len(list))] }

func (w *world) name() string { return w.of("a", "b", "ab", "", "__proto__", "~/%中") }

func (w *world) scalar() string {
	return w.of("null", "true", "false", "0", "1", "1.0", "0.5", "-1", "1e0", `""`, `"a"`, `"ab"`, `"b\n"`, `"中"`, `"𠮷"`)
}

func (w *world) constant() string {
	if w.IntN(3) > 0 {
		return w.scalar()
	}
	return w.of(`[]`, `[1]`, `[1.0]`, `[0,1]`, `[[1]]`, `{}`, `{"a":1}`, `{"b":1,"a":0}`, `{"a":0,"b":1.0}`, `{"":null}`, `{"a":{"a":1}}`)
}

func (w *world) pattern() string {
	return w.of("^a", "a$", "b", "^a?$", "^$", "[^a]", "[]a]", "[^]b", "(?i)A", "^.$", `\w`, "^(a|b)*$", `\bb`, "^[^b]+$", `a\n|b`, `^\u{61}`, `(?m)b$`)
}

func (w *world) object(n int, each func() string) string {
	out, seen := "{", map[string]bool{}
	for range n {
		name := w.name()
		if seen[name] {
			continue
		}
		if len(seen) > 0 {
			out += ","
		}
		seen[name] = true
		key, _ := json.Marshal(name)
		out += string(key) + ":" + each()
	}
	return out + "}"
}

func (w *world) list(n int, each func() string) string {
	out := "["
	for i := range n {
		if i > 0 {
			out += ","
		}
		out += each()
	}
	return out + "]"
}

func (w *world) names() string {
	out, seen := "[", map[string]bool{}
	for range 1 + w.IntN(2) {
		name := w.name()
		if seen[name] {
			continue
		}
		if len(seen) > 0 {
			out += ","
		}
		seen[name] = true
		key, _ := json.Marshal(name)
		out += string(key)
	}
	return out + "]"
}

// schema is one with a few keywords.
func (w *world) schema(depth int) string {
	if w.year > 4 && w.IntN(9) == 0 {
		return w.of("true", "false")
	}
	kinds := []string{`"string"`, `"number"`, `"integer"`, `"object"`, `"array"`, `"null"`, `"boolean"`, `["object","array"]`, `["integer","string"]`}
	out, seen := "{", map[string]bool{}
	add := func(keyword, value string) {
		if seen[keyword] {
			return
		}
		if len(seen) > 0 {
			out += ","
		}
		seen[keyword] = true
		out += `"` + keyword + `":` + value
	}
	one := func() string { return w.schema(depth - 1) }
	some := func() string { return w.list(1+w.IntN(3), one) }
	small := func() string { return strconv.Itoa(w.IntN(4)) }
	for range 1 + w.IntN(3) {
		switch w.IntN(34) {
		case 0, 1, 2:
			add("type", kinds[w.IntN(len(kinds))])
		case 3:
			add("enum", w.list(1, w.constant))
		case 4:
			if w.year > 4 {
				add("const", w.constant())
			}
		case 5:
			add("minimum", w.of("0", "1", "0.5", "-1"))
		case 6:
			add("maximum", w.of("0", "1", "0.5", "1.0"))
		case 7:
			add("multipleOf", w.of("1", "0.5", "2", "0.1", "1e-2"))
		case 8:
			if w.year > 4 {
				add(w.of("exclusiveMinimum", "exclusiveMaximum"), w.of("0", "1"))
			} else {
				add("maximum", "1")
				add("exclusiveMaximum", w.of("true", "false"))
			}
		case 9:
			add(w.of("minLength", "maxLength"), small())
		case 10:
			p, _ := json.Marshal(w.pattern())
			add("pattern", string(p))
		case 11:
			add("required", w.names())
		case 12:
			add(w.of("minProperties", "maxProperties"), small())
		case 13:
			add(w.of("minItems", "maxItems"), small())
		case 14:
			add("uniqueItems", "true")
		case 15:
			if depth > 0 || w.defs > 0 {
				add("$ref", `"#/definitions/`+strconv.Itoa(w.IntN(2))+`"`)
			}
		case 16, 17, 18:
			if depth > 0 {
				add("properties", w.object(1+w.IntN(2), one))
			}
		case 19:
			if depth > 0 {
				p, _ := json.Marshal(w.pattern())
				add("patternProperties", "{"+string(p)+":"+one()+"}")
			}
		case 20:
			if depth > 0 {
				add("additionalProperties", w.of("false", one()))
			}
		case 21:
			if depth > 0 && w.year > 4 {
				add("propertyNames", one())
			}
		case 22:
			if depth > 0 && w.year > 4 {
				add("contains", one())
				if w.year == 2020 && w.IntN(2) == 0 {
					add(w.of("minContains", "maxContains"), small())
				}
			}
		case 23:
			if depth > 0 {
				if w.year == 2020 {
					add("prefixItems", some())
				} else {
					add("items", some())
					add("additionalItems", w.of("false", one()))
				}
			}
		case 24, 25:
			if depth > 0 {
				add("items", one())
			}
		case 26:
			if depth > 0 {
				add("anyOf", some())
			}
		case 27:
			if depth > 0 {
				add("oneOf", some())
			}
		case 28:
			if depth > 0 {
				add("allOf", some())
			}
		case 29:
			if depth > 0 {
				add("not", one())
			}
		case 30:
			if depth > 0 && w.year >= 7 {
				add("if", one())
				add("then", one())
				if w.IntN(2) == 0 {
					add("else", one())
				}
			}
		case 31:
			if depth > 0 {
				switch {
				case w.year < 2020 && w.IntN(2) == 0:
					add("dependencies", w.object(1, one))
				case w.year < 2020:
					add("dependencies", w.object(1, w.names))
				case w.IntN(2) == 0:
					add("dependentSchemas", w.object(1, one))
				default:
					add("dependentRequired", w.object(1, w.names))
				}
			}
		case 32, 33:
			if depth > 0 && w.year == 2020 {
				add(w.of("unevaluatedProperties", "unevaluatedItems"), w.of("false", one()))
			}
		}
	}
	return out + "}"
}

// near makes another schema out of one, mostly one that accepts as much or more.
func (w *world) near(a string, depth int) string {
	x := w.schema(depth)
	switch w.IntN(12) {
	case 0:
		return `{"not":{"not":` + a + `}}`
	case 1:
		return `{"anyOf":[` + x + `,` + a + `]}`
	case 2:
		return `{"not":{"allOf":[` + x + `,{"not":` + a + `}]}}`
	case 3:
		return `{"oneOf":[` + a + `,{"allOf":[` + x + `,{"not":` + a + `}]}]}`
	case 4:
		if w.year >= 7 {
			return `{"if":` + x + `,"then":` + a + `,"else":` + a + `}`
		}
	case 5:
		return `{"allOf":[` + a + `,{"anyOf":[` + x + `,{"not":` + x + `}]}]}`
	case 6:
		return `{"oneOf":[{"allOf":[` + a + `,` + x + `]},{"allOf":[` + a + `,{"not":` + x + `}]}]}`
	case 7:
		return `{"anyOf":[` + a + `,` + x + `,` + w.schema(depth) + `]}`
	case 8:
		return `{"oneOf":[` + x + `,` + a + `]}`
	}
	return x
}

// documents are all of the alphabet up to a size.
func documents() []any {
	scalars := []string{"null", "true", "0", "1", "0.5", "-1", "2", `""`, `"a"`, `"ab"`, `"b\n"`, `"中"`, `"𠮷"`, `"A"`, `"aab"`, `"中b"`, `"]"`}
	inner := append([]string{"{}", "[]", `{"a":1}`, `[1]`, `[1,1.0]`, `{"":null}`, `[[]]`, `{"b":"a"}`, `{"a":{}}`}, scalars[:12]...)
	names := []string{"a", "b", "ab", "", "__proto__", "~/%中", "c", "A"}
	texts := append([]string{}, scalars...)
	texts = append(texts, "{}", "[]")
	few := []string{"null", "0", "1", "0.5", `"a"`, `""`, "{}", "[]", `[1]`, `{"a":1}`}
	for _, x := range inner {
		texts = append(texts, "["+x+"]")
		for _, y := range few {
			texts = append(texts, "["+x+","+y+"]")
		}
	}
	for _, x := range few[:5] {
		for _, y := range few[:6] {
			for _, z := range few[1:6] {
				texts = append(texts, "["+x+","+y+","+z+"]")
			}
		}
	}
	quoted := func(s string) string { q, _ := json.Marshal(s); return string(q) }
	for i, n := range names {
		for _, x := range inner {
			texts = append(texts, "{"+quoted(n)+":"+x+"}")
		}
		for _, m := range names[:i] {
			for _, x := range few[:6] {
				for _, y := range few[1:8] {
					texts = append(texts, "{"+quoted(n)+":"+x+","+quoted(m)+":"+y+"}")
				}
			}
			for _, l := range names[:min(i, 3)] {
				if l != m {
					for _, x := range few[:5] {
						texts = append(texts, "{"+quoted(n)+":"+x+","+quoted(m)+":1,"+quoted(l)+`:"a"}`, "{"+quoted(n)+":1,"+quoted(m)+":"+x+","+quoted(l)+`:0}`)
					}
				}
			}
		}
	}
	var list []any
	for _, t := range texts {
		v, err := gate.Decode([]byte(t))
		if err != nil {
			panic(t)
		}
		list = append(list, v)
	}
	return list
}

// TestSmallWorld: of pairs over a small alphabet none that is called compatible is found by any small document.
func TestSmallWorld(t *testing.T) {
	docs := documents()
	dialects := map[int]string{4: "http://json-schema.org/draft-04/schema#", 6: "http://json-schema.org/draft-06/schema#", 7: "http://json-schema.org/draft-07/schema#", 2020: "https://json-schema.org/draft/2020-12/schema"}
	write := func(w *world, body string, defs [2]string) string {
		return `{"$schema":"` + dialects[w.year] + `","allOf":[` + body + `],"definitions":{"0":` + defs[0] + `,"1":` + defs[1] + `}}`
	}
	pairs, compatible, silent, undecided := 0, 0, 0, 0
	for seed := range seeds(t, 100) {
		r := rand.New(rand.NewPCG(seed, 99))
		years := []int{4, 6, 7, 2020}
		wo := &world{Rand: r, year: years[r.IntN(4)]}
		defs := [2]string{wo.schema(1), wo.schema(1)}
		wo.defs = 2
		a := wo.schema(2)
		wn := &world{Rand: r, year: wo.year, defs: 2}
		b := wn.near(a, 1)
		if r.IntN(6) == 0 {
			wn.year = years[r.IntN(4)]
			b = wn.schema(2)
		}
		oldText, newText := write(wo, a, defs), write(wn, b, defs)
		if r.IntN(3) == 0 {
			newText = write(wn, b, [2]string{wn.schema(1), defs[1]})
		}
		old, err := gate.Admit([]byte(oldText))
		if err != nil {
			continue
		}
		new, err := gate.Admit([]byte(newText))
		if err != nil {
			continue
		}
		pairs++
		start := time.Now()
		v := compat.Check(old.Compiled, new.Compiled, compat.Strict)
		if took := time.Since(start); took > time.Second {
			t.Logf("seed %d took %v: %s %s", seed, took, oldText, newText)
		}
		var shown any
		found := false
		for _, d := range docs {
			if old.Compiled.Validate(d) == nil && new.Compiled.Validate(d) != nil {
				shown, found = d, true
				break
			}
		}
		switch {
		case v.Compatible && found:
			out, _ := json.Marshal(shown)
			t.Errorf("seed %d: called compatible:\n old %s\n new %s\n document %s", seed, oldText, newText, out)
			if os.Getenv("YIMEN_TEST_LONG") == "" {
				return
			}
		case v.Compatible:
			compatible++
			silent++
		case !found && !shows(v):
			silent++
		}
		if v.Undecided {
			undecided++
		}
	}
	t.Logf("%d pairs: %d compatible, %d undecided; %d that no document contradicts", pairs, compatible, undecided, silent)
}
