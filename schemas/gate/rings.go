package gate

import (
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// ring is a number of schemas that all lead to each other.
type ring []*jsonschema.Schema

func (r ring) has(s *jsonschema.Schema) bool { return slices.Contains(r, s) }

// first is the place of the one that comes first.
func (r ring) first() string {
	return fragmentOf(slices.MinFunc(r, func(a, b *jsonschema.Schema) int { return strings.Compare(a.Location, b.Location) }).Location)
}

// rings are the cycles among all schemas, by Tarjan's algorithm, each as large as can be; in the order of their places.
func (g *graph) rings(edges func(*jsonschema.Schema) []edge) []ring {
	f := &finder{edges: edges, index: map[*jsonschema.Schema]int{}, low: map[*jsonschema.Schema]int{}, open: map[*jsonschema.Schema]bool{}}
	for _, root := range g.roots {
		reach(root, func(s *jsonschema.Schema) {
			if f.index[s] == 0 {
				f.visit(s)
			}
		})
	}
	slices.SortFunc(f.found, func(a, b ring) int { return strings.Compare(a.first(), b.first()) })
	return f.found
}

type finder struct {
	edges func(*jsonschema.Schema) []edge
	index map[*jsonschema.Schema]int // from 1
	low   map[*jsonschema.Schema]int
	open  map[*jsonschema.Schema]bool
	stack ring
	found []ring
}

func (f *finder) visit(s *jsonschema.Schema) {
	f.index[s] = len(f.index) + 1
	f.low[s] = f.index[s]
	f.open[s] = true
	f.stack = append(f.stack, s)
	loop := false
	for _, e := range f.edges(s) {
		loop = loop || e.to == s
		if f.index[e.to] == 0 {
			f.visit(e.to)
			f.low[s] = min(f.low[s], f.low[e.to])
		} else if f.open[e.to] {
			f.low[s] = min(f.low[s], f.index[e.to])
		}
	}
	if f.low[s] != f.index[s] {
		return
	}
	i := slices.Index(f.stack, s)
	all := slices.Clone(f.stack[i:])
	f.stack = f.stack[:i]
	for _, member := range all {
		f.open[member] = false
	}
	if len(all) > 1 || loop {
		f.found = append(f.found, all)
	}
}

// Branching is the place of a cycle of references that passes through a branch (anyOf, allOf, if …), if there is one. The
// cost of such a schema is bounded, but may be far above the length of a document.
func (s *Schema) Branching() (at string, found bool) {
	if s.graph == nil {
		return "", false // it did not pass
	}
	edges := func(s *jsonschema.Schema) []edge { return slices.Concat(same(s, nil), below(s)) }
	for _, r := range s.graph.rings(edges) {
		for _, member := range r {
			for _, e := range edges(member) {
				if e.branch && r.has(e.to) {
					return r.first(), true
				}
			}
		}
	}
	return "", false
}
