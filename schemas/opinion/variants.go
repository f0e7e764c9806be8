package opinion

import (
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strings"
	"unicode/utf8"
)

// Variants are documents near a document that gate.Decode gave: fields left out, added, of another type, at and beyond
// bounds. There are at most so many, spread evenly over the document, and the same for the same document. They share what
// they have in common with it and are not to be changed.
func Variants(document any, most int) []any {
	all := nodes(document, nil, nil)
	counts := make([]int, len(all))
	total := 0
	for i, n := range all {
		counts[i] = len(changes(n.value))
		total += counts[i]
	}
	var variants []any
	node, before := 0, 0
	for i := range min(most, total) {
		pick := i * total / min(most, total)
		for pick >= before+counts[node] {
			before += counts[node]
			node++
		}
		n := all[node]
		variants = append(variants, with(document, n.path, changes(n.value)[pick-before]()))
	}
	return variants
}

// node is a value within a document; the steps of its path are names (string) and places (int).
type node struct {
	path  []any
	value any
}

// nodes appends all values within a value to list, itself first, members in the order of their names.
func nodes(v any, path []any, list []node) []node {
	list = append(list, node{path, v})
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			list = nodes(v[name], append(slices.Clip(path), name), list)
		}
	case []any:
		for i, e := range v {
			list = nodes(e, append(slices.Clip(path), i), list)
		}
	}
	return list
}

// with is the document with another value at the end of the path.
func with(doc any, path []any, value any) any {
	if len(path) == 0 {
		return value
	}
	switch step := path[0].(type) {
	case string:
		m := maps.Clone(doc.(map[string]any))
		m[step] = with(m[step], path[1:], value)
		return m
	case int:
		list := slices.Clone(doc.([]any))
		list[step] = with(list[step], path[1:], value)
		return list
	}
	return doc
}

// changes are the ways to put another value into the place of one.
func changes(v any) []func() any {
	var list []func() any
	switch v := v.(type) {
	case map[string]any:
		list = objectChanges(v)
	case []any:
		list = arrayChanges(v)
	case string:
		list = stringChanges(v)
	case json.Number:
		list = numberChanges(v)
	case bool:
		list = constants(!v)
	}
	return append(list, otherTypes(v)...)
}

// others are the scalars among values that are not v.
func others(v any, values ...any) []func() any {
	return constants(slices.DeleteFunc(values, func(other any) bool { return other == v })...)
}

func constants(values ...any) []func() any {
	var list []func() any
	for _, v := range values {
		list = append(list, func() any { return v })
	}
	return list
}

// otherTypes are values of every type but that of v.
func otherTypes(v any) []func() any {
	var list []func() any
	if v != nil {
		list = constants(nil)
	}
	if _, ok := v.(string); !ok {
		list = append(list, constants("", "x")...)
	}
	if _, ok := v.(json.Number); !ok {
		list = append(list, constants(json.Number("0"), json.Number("1.5"))...)
	}
	if _, ok := v.(bool); !ok {
		list = append(list, constants(true)...)
	}
	if _, ok := v.([]any); !ok {
		list = append(list, constants([]any{}, []any{v})...)
	}
	if _, ok := v.(map[string]any); !ok {
		list = append(list, constants(map[string]any{}, map[string]any{"value": v})...)
	}
	return list
}

func objectChanges(m map[string]any) []func() any {
	var list []func() any
	if len(m) > 1 { // else it comes of leaving out the one
		list = constants(map[string]any{})
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		list = append(list, func() any {
			c := maps.Clone(m)
			delete(c, name)
			return c
		})
	}
	for _, surplus := range []string{"surplus", "", "$ref"} {
		if _, known := m[surplus]; known {
			continue
		}
		list = append(list, func() any {
			c := maps.Clone(m)
			c[surplus] = "x"
			return c
		})
	}
	return list
}

func arrayChanges(v []any) []func() any {
	if len(v) == 0 {
		return constants([]any{nil}, []any{"x"})
	}
	return append(constants([]any{}),
		func() any { return slices.Concat(v, v) },
		func() any { return slices.Concat(v, v[:1]) },
		func() any { return slices.Clone(v[1:]) },
		func() any { return slices.Concat(v, []any{nil}) },
	)
}

// The lengths of long strings: beyond the bounds of a name and of a long text.
const (
	longName = 300
	longText = 25_000
)

func stringChanges(s string) []func() any {
	list := others(s, "", s+s, s+" ", s+"\n", "\u3000"+s)
	if s != "" {
		first, _ := utf8.DecodeRuneInString(s)
		last, size := utf8.DecodeLastRuneInString(s)
		list = append(list, others(s, strings.TrimPrefix(s, string(first)), s[:len(s)-size], s[:len(s)-size]+string(next(last)), wide(s))...)
	}
	if lower := strings.ToLower(s); lower != s {
		list = append(list, others(s, lower)...)
	}
	if len(s) == len("2006-01-02") && s[4] == '-' && s[7] == '-' {
		list = append(list, others(s, s[:4]+"-02-29", s[:4]+"-13"+s[7:], strings.ReplaceAll(s, "-", "/"), s+"T00:00:00Z", s+"T08:00:00+08:00")...)
	}
	return append(list,
		func() any { return strings.Repeat("长", longName) },
		func() any { return strings.Repeat("x", longText) },
	)
}

// next is another character of the same kind.
func next(r rune) rune {
	switch {
	case r == '9', r == 'Z', r == 'z':
		return r - 1
	case r == utf8.RuneError:
		return 'x'
	}
	return r + 1
}

// wide is the text in full-width forms, as input methods write it.
func wide(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r - '!' + '！'
		}
		return r
	}, s)
}

func numberChanges(n json.Number) []func() any {
	list := others(n, json.Number("0"), json.Number("-1"), json.Number("0.5"), json.Number("9007199254740993"), json.Number("1e300"))
	whole, fraction, _ := strings.Cut(string(n), ".")
	if strings.ContainsAny(string(n), "eE") {
		return list
	}
	if fraction == "" {
		list = append(list, others(n, json.Number(whole+".0"), json.Number(whole+".5"))...)
	}
	for _, step := range []int64{-1, 1} {
		if r, ok := new(big.Rat).SetString(string(n)); ok {
			list = append(list, others(n, json.Number(r.Add(r, big.NewRat(step, 1)).FloatString(len(fraction))))...)
		}
	}
	return list
}
