package compat

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// classify gives nodes that mean the same by their form the same class: first by their own keywords, then as long as the
// classes of what they hold tell some apart. Cycles need no care this way.
func (t *tree) classify() {
	ids := map[string]int{}
	kids := make([][]*node, len(t.nodes))
	for i, n := range t.nodes {
		n.class = intern(ids, signature(n))
		kids[i] = n.kids()
	}
	for count := len(ids); ; {
		next, classes := map[string]int{}, make([]int, len(t.nodes))
		var key []byte
		for i, n := range t.nodes {
			key = binary.AppendUvarint(key[:0], uint64(n.class))
			for _, kid := range kids[i] {
				key = binary.AppendUvarint(key, uint64(kid.class))
			}
			classes[i] = intern(next, string(key))
		}
		for i, n := range t.nodes {
			n.class = classes[i]
		}
		if len(next) == count {
			break
		}
		count = len(next)
	}
	t.spread(kids)
}

func intern(ids map[string]int, key string) int {
	id, known := ids[key]
	if !known {
		id = len(ids)
		ids[key] = id
	}
	return id
}

// spread carries what nodes inherit: dynamic from everything they hold, kinds from refs and allOf.
func (t *tree) spread(kids [][]*node) {
	for _, n := range t.nodes {
		n.reach = n.types
		if n.never {
			n.reach = 0
		}
	}
	for changed := true; changed; {
		changed = false
		for i := len(t.nodes) - 1; i >= 0; i-- {
			n := t.nodes[i]
			dynamic, reach := n.dynamic, n.reach
			for _, kid := range kids[i] {
				dynamic = dynamic || kid.dynamic
			}
			for _, list := range [][]*node{n.refs, n.allOf} {
				for _, kid := range list {
					reach &= kid.reach
				}
			}
			if dynamic != n.dynamic || reach != n.reach {
				n.dynamic, n.reach, changed = dynamic, reach, true
			}
		}
	}
}

// wholesAlike says whether two schemas of the same class are the same also where references are dynamic: all identifiers
// and anchors agree, node by node.
func (t *tree) wholesAlike(a, b *node) bool {
	seen := map[[2]*node]bool{}
	var alike func(a, b *node) bool
	alike = func(a, b *node) bool {
		pair := [2]*node{a, b}
		if seen[pair] {
			return true
		}
		seen[pair] = true
		if (a.s == nil) != (b.s == nil) || a.pointer != b.pointer {
			return false
		}
		if a.s != nil && (a.s.ID != b.s.ID || a.s.Anchor != b.s.Anchor || a.s.DynamicAnchor != b.s.DynamicAnchor || a.s.RecursiveAnchor != b.s.RecursiveAnchor) {
			return false
		}
		x, y := a.kids(), b.kids()
		return slices.EqualFunc(x, y, alike)
	}
	return alike(a, b)
}

// signature is a node's own keywords, as far as they decide what is accepted, and how many nodes each holds.
func signature(n *node) string {
	if n.always || n.never {
		return fmt.Sprint(n.always)
	}
	s, b := n.s, &strings.Builder{}
	fmt.Fprint(b, n.types, len(n.refs), len(n.allOf), len(n.anyOf), len(n.oneOf), len(n.prefix), "|")
	for i, kid := range []*node{n.not, n.cond, n.yes, n.no, n.additional, n.names, n.unevalProps, n.rest, n.contains, n.unevalItems} {
		if kid != nil {
			fmt.Fprint(b, i, ",")
		}
	}
	for i, x := range []*int{s.MinProperties, s.MaxProperties, s.MinItems, s.MaxItems, s.MinContains, s.MaxContains, s.MinLength, s.MaxLength} {
		if x != nil {
			fmt.Fprint(b, "i", i, "=", *x)
		}
	}
	for i, x := range []*big.Rat{s.Minimum, s.Maximum, s.ExclusiveMinimum, s.ExclusiveMaximum, s.MultipleOf} {
		if x != nil {
			fmt.Fprint(b, "r", i, "=", x)
		}
	}
	for _, p := range n.props {
		fmt.Fprintf(b, "p%q", p.name)
	}
	for _, p := range n.patterns {
		fmt.Fprintf(b, "q%q", p.re.String())
	}
	required := slices.Clone(s.Required)
	slices.Sort(required)
	fmt.Fprintf(b, "%q%v", slices.Compact(required), s.UniqueItems)
	for _, d := range n.deps {
		fmt.Fprintf(b, "d%q%q%v", d.name, d.needs, d.n != nil)
	}
	if s.Pattern != nil {
		fmt.Fprintf(b, "re%q", s.Pattern.String())
	}
	if s.Format != nil {
		fmt.Fprintf(b, "f%q", s.Format.Name)
	}
	if s.Enum != nil {
		fmt.Fprint(b, "enum", canonicalList(s.Enum.Values))
	}
	if s.Const != nil {
		fmt.Fprint(b, "const", canonical(*s.Const))
	}
	if opaque(n) || n.dynamic || n.unevalProps != nil || n.unevalItems != nil {
		fmt.Fprintf(b, "draft%d", s.DraftVersion)
	}
	if opaque(n) {
		fmt.Fprintf(b, "x%d", n.uid) // equal to itself only
	}
	return b.String()
}

// opaque says whether a node has keywords that the search knows nothing about.
func opaque(n *node) bool {
	return n.s != nil && !n.hidden && (n.s.ContentEncoding != nil || n.s.ContentMediaType != nil || n.s.ContentSchema != nil || len(n.s.Extensions) > 0)
}

// canonical is a value's text; equal values have the same.
func canonical(v any) string {
	text, err := json.Marshal(plainNumbers(v))
	if err != nil {
		return fmt.Sprintf("%T", v)
	}
	return string(text)
}

// canonicalList is the texts of a set of values.
func canonicalList(values []any) []string {
	var list []string
	for _, v := range values {
		list = append(list, canonical(v))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// plainNumbers writes numbers as fractions and marks them and arrays, so that neither is taken for the other.
func plainNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, x := range v {
			m[k] = plainNumbers(x)
		}
		return m
	case []any:
		list := []any{"a"}
		for _, x := range v {
			list = append(list, plainNumbers(x))
		}
		return list
	case nil, bool, string:
		return v
	}
	if r, ok := new(big.Rat).SetString(fmt.Sprint(v)); ok {
		return []any{"n", r.RatString()}
	}
	return v
}
