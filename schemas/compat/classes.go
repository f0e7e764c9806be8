package compat

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
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
		return strconv.FormatBool(n.always)
	}
	s, b := n.s, text{}
	b.counts(int(n.types), len(n.refs), len(n.allOf), len(n.anyOf), len(n.oneOf), len(n.prefix))
	for i, kid := range []*node{n.not, n.cond, n.yes, n.no, n.additional, n.names, n.unevalProps, n.rest, n.contains, n.unevalItems} {
		if kid != nil {
			b.counts(i)
		}
	}
	for i, x := range []*int{s.MinProperties, s.MaxProperties, s.MinItems, s.MaxItems, s.MinContains, s.MaxContains, s.MinLength, s.MaxLength} {
		if x != nil {
			b.mark("int")
			b.counts(i, *x)
		}
	}
	for i, x := range []*big.Rat{s.Minimum, s.Maximum, s.ExclusiveMinimum, s.ExclusiveMaximum, s.MultipleOf} {
		if x != nil {
			b.mark("number")
			b.counts(i)
			b.texts(x.RatString())
		}
	}
	b.mark("properties")
	for _, p := range n.props {
		b.texts(p.name)
	}
	b.mark("patterns")
	for _, p := range n.patterns {
		b.texts(p.re.String())
	}
	required := slices.Clone(s.Required)
	slices.Sort(required)
	b.mark("required")
	b.texts(slices.Compact(required)...)
	b.mark(strconv.FormatBool(s.UniqueItems))
	for _, d := range n.deps {
		b.mark("dependency " + strconv.FormatBool(d.n != nil))
		b.texts(d.name)
		b.texts(d.needs...)
	}
	if s.Pattern != nil {
		b.mark("pattern")
		b.texts(s.Pattern.String())
	}
	if s.Format != nil {
		b.mark("format")
		b.texts(s.Format.Name)
	}
	if s.Enum != nil {
		b.mark("enum")
		b.texts(canonicalList(s.Enum.Values)...)
	}
	if s.Const != nil {
		b.mark("const")
		b.texts(canonical(*s.Const))
	}
	if opaque(n) || n.dynamic || n.unevalProps != nil || n.unevalItems != nil {
		b.mark("draft")
		b.counts(s.DraftVersion)
	}
	if opaque(n) {
		b.mark("itself") // equal to itself only
		b.counts(n.uid)
	}
	return string(b)
}

// text is a signature being written. Everything in it is delimited, so that no two nodes are taken for each other.
type text []byte

func (b *text) mark(keyword string) { *b = append(append(*b, '|'), keyword...) }

func (b *text) counts(list ...int) {
	for _, n := range list {
		*b = append(strconv.AppendInt(*b, int64(n), 10), ',')
	}
}

func (b *text) texts(list ...string) {
	for _, s := range list {
		*b = append(strconv.AppendInt(*b, int64(len(s)), 10), ':')
		*b = append(*b, s...)
	}
	*b = append(*b, ';')
}

// opaque says whether a node has keywords that the search knows nothing about.
func opaque(n *node) bool {
	return n.s != nil && !n.hidden && (n.s.ContentEncoding != nil || n.s.ContentMediaType != nil || n.s.ContentSchema != nil || len(n.s.Extensions) > 0)
}

// canonical is a value's text; equal values have the same.
func canonical(v any) string {
	if s, is := v.(string); is {
		return strconv.Quote(s)
	}
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
