package gate

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// What one validation may cost at most.
const (
	maxMeeting  = 1_000   // subschemas that one value is tried against, the same one counted each time
	maxExplored = 500_000 // steps of finding that out
	maxChoices  = 64      // ways to resolve all $dynamicRef
)

// graph is a compiled schema as subschemas that lead to each other, for what their references amount to together.
type graph struct {
	roots   []*jsonschema.Schema
	anchors map[string][]*jsonschema.Schema
	cost    cost // of one value; known once bounded has passed
	weights map[*jsonschema.Schema]cost
}

func newGraph(c *compiled) *graph {
	return &graph{roots: append([]*jsonschema.Schema{c.root}, c.rest...), anchors: c.anchors, weights: map[*jsonschema.Schema]cost{}}
}

// bounded refuses a schema that can make the validator run for ever or far longer than a document is long: a cycle
// without a step into the value, and ways that try one value again and again.
func (g *graph) bounded() error {
	choices, ok := g.choices()
	if !ok {
		return SchemaFault("YM-SCH-0116", "", "$dynamicAnchor 的组合过多", "$dynamicAnchor can be resolved in too many ways", "减少同名的 $dynamicAnchor", "use fewer $dynamicAnchor of one name")
	}
	for _, choice := range choices {
		if err := g.cycles(choice); err != nil {
			return err
		}
		m := &meetings{graph: g, choice: choice, closures: map[*jsonschema.Schema]map[*jsonschema.Schema]int{}, seen: map[string]bool{}, ids: map[*jsonschema.Schema]int{}}
		for _, root := range g.roots {
			if err := m.explore(root); err != nil {
				return err
			}
		}
	}
	g.weights = nil
	return nil
}

// choice says which schema each $dynamicAnchor means. On the way to a value the outermost one counts and never changes,
// so what holds for each choice bounds the whole.
type choice map[string]*jsonschema.Schema

func (g *graph) choices() ([]choice, bool) {
	all := []choice{{}}
	for _, name := range slices.Sorted(maps.Keys(g.anchors)) {
		if len(all)*len(g.anchors[name]) > maxChoices {
			return nil, false
		}
		var more []choice
		for _, c := range all {
			for _, target := range g.anchors[name] {
				next := maps.Clone(c)
				next[name] = target
				more = append(more, next)
			}
		}
		all = more
	}
	return all, true
}

// edge leads from a schema to one that the same value is tried against.
type edge struct {
	to     *jsonschema.Schema
	branch bool // it is one of several ways, or a condition
}

// childless says whether a schema holds no others. Most do not, so they are not gone into.
func childless(s *jsonschema.Schema) bool {
	return s.Bool != nil ||
		s.Ref == nil && s.DynamicRef == nil && s.RecursiveRef == nil && s.Not == nil && s.If == nil && s.Then == nil && s.Else == nil &&
			len(s.AllOf)+len(s.AnyOf)+len(s.OneOf) == 0 && len(s.Dependencies)+len(s.DependentSchemas) == 0 &&
			len(s.Properties)+len(s.PatternProperties)+len(s.PrefixItems) == 0 && s.AdditionalProperties == nil && s.UnevaluatedProperties == nil &&
			s.PropertyNames == nil && s.Contains == nil && s.Items == nil && s.AdditionalItems == nil && s.Items2020 == nil && s.UnevaluatedItems == nil
}

// same are the schemas that a value is tried against because it is tried against s.
func same(s *jsonschema.Schema, c choice) []edge {
	if childless(s) || official(s) {
		return nil
	}
	var out []edge
	add := func(branch bool, list ...*jsonschema.Schema) {
		for _, to := range list {
			if to != nil {
				out = append(out, edge{to, branch})
			}
		}
	}
	add(false, s.Ref)
	if d := s.DynamicRef; d != nil {
		to := d.Ref
		if chosen := c[d.Anchor]; chosen != nil && d.Anchor != "" && to.DynamicAnchor == d.Anchor {
			to = chosen
		}
		add(false, to)
	}
	add(true, s.AllOf...)
	add(true, s.AnyOf...)
	add(true, s.OneOf...)
	add(true, s.Not, s.If, s.Then, s.Else)
	for _, name := range slices.Sorted(maps.Keys(s.Dependencies)) {
		if to, ok := s.Dependencies[name].(*jsonschema.Schema); ok {
			add(true, to)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.DependentSchemas)) {
		add(true, s.DependentSchemas[name])
	}
	return out
}

// below are the schemas that parts of a value are tried against.
func below(s *jsonschema.Schema) []edge {
	if childless(s) || official(s) {
		return nil
	}
	var out []edge
	add := func(branch bool, list ...*jsonschema.Schema) {
		for _, to := range list {
			if to != nil {
				out = append(out, edge{to, branch})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		add(false, s.Properties[name])
	}
	for _, p := range patternsIn(s) {
		add(false, p.schema)
	}
	add(false, schemasOf(s.AdditionalProperties)...)
	add(false, s.UnevaluatedProperties)
	add(true, s.PropertyNames, s.Contains)
	add(false, schemasOf(s.Items)...)
	add(false, schemasOf(s.AdditionalItems)...)
	add(false, s.PrefixItems...)
	add(false, s.Items2020, s.UnevaluatedItems)
	return out
}

// schemasOf are the schemas of a keyword that holds a boolean, a schema or a list.
func schemasOf(v any) []*jsonschema.Schema {
	switch v := v.(type) {
	case *jsonschema.Schema:
		return []*jsonschema.Schema{v}
	case []*jsonschema.Schema:
		return v
	}
	return nil
}

type patterned struct {
	pattern jsonschema.Regexp
	schema  *jsonschema.Schema
}

// patternsIn are the patterns of a schema's property names in the order of their texts.
func patternsIn(s *jsonschema.Schema) []patterned {
	var list []patterned
	for p, to := range s.PatternProperties {
		list = append(list, patterned{p, to})
	}
	slices.SortFunc(list, func(a, b patterned) int { return strings.Compare(a.pattern.String(), b.pattern.String()) })
	return list
}

// official says whether a schema is a part of the meta-schemas, whose cost is known to be small.
func official(s *jsonschema.Schema) bool {
	if strings.HasPrefix(s.Location, here) {
		return false
	}
	address, _, _ := strings.Cut(s.Location, "#")
	return metaSchema(address)
}

// reach calls visit with each schema that ways lead to.
func reach(from *jsonschema.Schema, visit func(*jsonschema.Schema)) {
	seen := map[*jsonschema.Schema]bool{from: true}
	queue := []*jsonschema.Schema{from}
	for len(queue) > 0 {
		s := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		visit(s)
		for _, e := range slices.Concat(same(s, nil), below(s)) {
			if !seen[e.to] {
				seen[e.to] = true
				queue = append(queue, e.to)
			}
		}
	}
}

// cycles refuses references that come back to where they were with the same value.
func (g *graph) cycles(c choice) error {
	for _, ring := range g.rings(func(s *jsonschema.Schema) []edge { return same(s, c) }) {
		return SchemaFault("YM-SCH-0108", ring.first(), "引用绕回自身，中间没有进入下一层", "references come back to themselves without a step into the value",
			"去掉循环，或者让它经过 properties 或 items", "break the cycle, or let it pass through properties or items")
	}
	return nil
}

// meetings explores which subschemas one value can be tried against together.
type meetings struct {
	graph    *graph
	choice   choice
	closures map[*jsonschema.Schema]map[*jsonschema.Schema]int
	seen     map[string]bool
	ids      map[*jsonschema.Schema]int
	steps    int
}

// meeting is a number of schemas that a value is tried against at the same time, with how often each.
type meeting map[*jsonschema.Schema]int

func (m meeting) add(s *jsonschema.Schema, times int) {
	if s.Bool == nil {
		m[s] = min(m[s]+times, maxMeeting+1)
	}
}

// only is the one schema of a meeting that is tried once.
func (m meeting) only() (*jsonschema.Schema, bool) {
	for s, times := range m {
		return s, len(m) == 1 && times == 1
	}
	return nil, false
}

func (x *meetings) explore(root *jsonschema.Schema) error {
	now := []meeting{{root: 1}}
	for level := 0; len(now) > 0 && level <= maxDepth; level++ {
		var next []meeting
		for _, m := range now {
			if key := x.key(m); x.seen[key] {
				continue
			} else {
				x.seen[key] = true
			}
			whole, err := x.whole(m)
			if err != nil {
				return err
			}
			x.graph.widen(whole)
			next = append(next, x.parts(whole)...)
			if x.steps > maxExplored {
				return SchemaFault("YM-SCH-0116", fragmentOf(root.Location), "引用交织过多，无法估计核验时间", "references are too entangled to bound the cost of a check", "减少互相嵌套的引用和分支", "nest fewer references and branches within each other")
			}
		}
		now = next
	}
	return nil
}

func (x *meetings) key(m meeting) string {
	list := make([][2]int, 0, len(m))
	for s, n := range m {
		id, ok := x.ids[s]
		if !ok {
			id = len(x.ids)
			x.ids[s] = id
		}
		list = append(list, [2]int{id, n})
	}
	slices.SortFunc(list, func(a, b [2]int) int { return a[0] - b[0] })
	var b []byte
	for _, e := range list {
		b = strconv.AppendInt(b, int64(e[0]), 10)
		b = append(b, '*')
		b = strconv.AppendInt(b, int64(e[1]), 10)
		b = append(b, ' ')
	}
	return string(b)
}

// whole is a meeting with all that the value is tried against because of it.
func (x *meetings) whole(m meeting) (meeting, error) {
	all, total := meeting{}, 0
	for s, times := range m {
		for to, n := range x.closure(s) {
			all.add(to, min(times*n, maxMeeting+1))
			total += min(times*n, maxMeeting+1)
		}
	}
	if total > maxMeeting {
		return nil, x.tooOften(m)
	}
	return all, nil
}

func (x *meetings) closure(s *jsonschema.Schema) map[*jsonschema.Schema]int {
	if known, ok := x.closures[s]; ok {
		return known
	}
	all := meeting{}
	all.add(s, 1)
	for _, e := range same(s, x.choice) {
		for to, n := range x.closure(e.to) {
			all.add(to, n)
			x.steps++
		}
	}
	x.closures[s] = all
	return all
}

// tooOften tells where a value is tried again and again: within a cycle, or where it is written out at length.
func (x *meetings) tooOften(m meeting) error {
	starts := slices.SortedFunc(maps.Keys(m), func(a, b *jsonschema.Schema) int { return strings.Compare(a.Location, b.Location) })
	for _, ring := range x.graph.rings(func(s *jsonschema.Schema) []edge { return slices.Concat(same(s, x.choice), below(s)) }) {
		if slices.ContainsFunc(starts, ring.has) {
			return SchemaFault("YM-SCH-0115", ring.first(), "引用循环经过几条分支，核验时间会成倍增长", "a cycle of references passes through several branches at once: the cost of a check could double at every level",
				`循环里只留一条路：把各分支共有的递归字段移到分支之外，写成 {"properties":{"children":{"items":{"$ref":"#"}}},"oneOf":[各分支，其中只写 "children":true]}`,
				`leave one way round the cycle: move the recursive field that branches share out of them, as in {"properties":{"children":{"items":{"$ref":"#"}}},"oneOf":[branches with "children":true]}`)
		}
	}
	return SchemaFault("YM-SCH-0116", fragmentOf(starts[0].Location), "引用展开后过大", "the schema is too large once its references are written out", "减少互相嵌套的引用", "nest fewer references within each other")
}

// parts are the meetings at the parts of a value: one for each name of a property, each index of an array.
func (x *meetings) parts(whole meeting) []meeting {
	var list []meeting
	keep := func(m meeting) {
		switch to, alone := m.only(); {
		case alone && childless(to):
			x.graph.widen(m) // nothing comes of it
		case len(m) > 0:
			list = append(list, m)
		}
	}
	names := map[string]bool{}
	length := 0
	for s := range whole {
		if official(s) {
			continue
		}
		for name := range s.Properties {
			names[name] = true
		}
		length = max(length, len(s.PrefixItems), len(schemasOf(s.Items)))
	}
	for name := range names {
		keep(x.part(whole, func(s *jsonschema.Schema, add func(...*jsonschema.Schema)) { named(s, name, add) }))
	}
	keep(x.part(whole, unnamed))
	keep(x.part(whole, func(s *jsonschema.Schema, add func(...*jsonschema.Schema)) { add(s.PropertyNames) }))
	for i := range length {
		keep(x.part(whole, func(s *jsonschema.Schema, add func(...*jsonschema.Schema)) { element(s, i, add) }))
	}
	keep(x.part(whole, func(s *jsonschema.Schema, add func(...*jsonschema.Schema)) { element(s, length, add) }))
	return list
}

// part is the meeting at one part: what each schema of the whole tries it against.
func (x *meetings) part(whole meeting, of func(*jsonschema.Schema, func(...*jsonschema.Schema))) meeting {
	m := meeting{}
	for s, times := range whole {
		x.steps++
		if official(s) {
			continue
		}
		of(s, func(list ...*jsonschema.Schema) {
			for _, to := range list {
				if x.steps++; to != nil {
					m.add(to, times)
				}
			}
		})
	}
	return m
}

// named is what the property of a name is tried against.
func named(s *jsonschema.Schema, name string, add func(...*jsonschema.Schema)) {
	to, known := s.Properties[name]
	add(to)
	for p, to := range s.PatternProperties {
		if p.MatchString(name) {
			known = true
			add(to)
		}
	}
	if !known {
		add(schemasOf(s.AdditionalProperties)...)
	}
	add(s.UnevaluatedProperties)
}

// unnamed is what a property of any other name is tried against at most.
func unnamed(s *jsonschema.Schema, add func(...*jsonschema.Schema)) {
	for _, to := range s.PatternProperties {
		add(to)
	}
	add(schemasOf(s.AdditionalProperties)...)
	add(s.UnevaluatedProperties)
}

// element is what the element at an index is tried against.
func element(s *jsonschema.Schema, i int, add func(...*jsonschema.Schema)) {
	switch items := s.Items.(type) {
	case *jsonschema.Schema:
		add(items)
	case []*jsonschema.Schema:
		if i < len(items) {
			add(items[i])
		} else {
			add(schemasOf(s.AdditionalItems)...)
		}
	}
	if i < len(s.PrefixItems) {
		add(s.PrefixItems[i])
	} else {
		add(s.Items2020)
	}
	add(s.Contains, s.UnevaluatedItems)
}
