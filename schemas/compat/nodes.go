package compat

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// kinds is a set of kinds of JSON values. Numbers are two kinds, so that "integer" is a set as well.
type kinds uint8

const (
	kNull kinds = 1 << iota
	kBool
	kInt
	kFraction // a number that is no integer
	kString
	kArray
	kObject
	kNumber = kInt | kFraction
	kAll    = kNull | kBool | kNumber | kString | kArray | kObject
)

var kindNames = map[string]kinds{"null": kNull, "boolean": kBool, "integer": kInt, "number": kNumber, "string": kString,
	"array": kArray, "object": kObject}

// node is a schema in the form the search reads: booleans and drafts made one, maps in a fixed order.
type node struct {
	s             *jsonschema.Schema // nil for the two boolean nodes
	uid, class    int
	always, never bool
	hidden        bool // $ref hides all keywords beside it but const, which the validator looks at first
	dynamic       bool // what it means may depend on the way it was reached ($dynamicRef over several resources)
	pointer       string

	types kinds
	reach kinds // kinds that may pass; types with those of refs and allOf

	refs                []*node // $ref and, where they mean one thing, $dynamicRef and $recursiveRef
	allOf, anyOf, oneOf []*node
	not, cond, yes, no  *node

	props       []prop // sorted
	prop        map[string]*node
	patterns    []patternProp // sorted
	additional  *node
	required    map[string]bool
	deps        []dep
	names       *node
	unevalProps *node

	prefix      []*node
	rest        *node // items behind the prefix
	restKeyword string
	contains    *node
	unevalItems *node

	lookup int // what the validator's search through enum and required costs, in visits of a node

	refusals []alternative // ways to refuse; see refusalsOf
	listed   bool
}

type prop struct {
	name string
	n    *node
}

type patternProp struct {
	re    jsonschema.Regexp
	n     *node
	place string
}

// dep is what the presence of a property asks for: other properties or a schema.
type dep struct {
	name, keyword string
	needs         []string
	n             *node
}

// tree is all nodes of both schemas.
type tree struct {
	nodes   []*node
	of      map[*jsonschema.Schema]*node
	yes, no *node
}

func newTree() *tree {
	t := &tree{of: map[*jsonschema.Schema]*node{}}
	t.yes, t.no = t.fresh(&node{always: true}), t.fresh(&node{never: true})
	return t
}

func (t *tree) fresh(n *node) *node {
	n.uid = len(t.nodes)
	n.types = kAll
	t.nodes = append(t.nodes, n)
	return n
}

func (t *tree) boolean(b bool) *node {
	if b {
		return t.yes
	}
	return t.no
}

// node is the node of a schema, made with all that it reaches the first time.
func (t *tree) node(s *jsonschema.Schema) *node {
	if s == nil {
		return nil
	}
	if n := t.of[s]; n != nil {
		return n
	}
	n := t.fresh(&node{s: s, pointer: pointerOf(s), lookup: lookupOf(s)})
	t.of[s] = n
	if s.Bool != nil {
		n.always, n.never = *s.Bool, !*s.Bool
		return n
	}
	if s.Ref != nil && s.DraftVersion < 2019 {
		n.hidden, n.refs = true, []*node{t.node(s.Ref)}
		return n
	}
	t.common(n)
	t.object(n)
	t.array(n)
	return n
}

// lookupOf is what one value costs by the length of the schema's own lists. The validator reads numbers anew for each
// comparison; texts are compared a hundred times faster.
func lookupOf(s *jsonschema.Schema) int {
	texts, others := len(s.Required), 0
	if s.Enum != nil {
		for _, v := range s.Enum.Values {
			if _, is := v.(string); is {
				texts++
			} else {
				others++
			}
		}
	}
	return texts/256 + others
}

func pointerOf(s *jsonschema.Schema) string {
	_, fragment, _ := strings.Cut(s.Location, "#")
	if !strings.Contains(fragment, "%") {
		return fragment
	}
	if plain, err := url.PathUnescape(fragment); err == nil {
		return plain
	}
	return fragment
}

func (t *tree) common(n *node) {
	s := n.s
	if s.Types != nil && !s.Types.IsEmpty() {
		n.types = 0
		for _, name := range s.Types.ToStrings() {
			n.types |= kindNames[name]
		}
	}
	if s.Ref != nil {
		n.refs = append(n.refs, t.node(s.Ref))
	}
	if s.DynamicRef != nil {
		n.refs = append(n.refs, t.node(s.DynamicRef.Ref))
	}
	if s.RecursiveRef != nil {
		n.refs = append(n.refs, t.node(s.RecursiveRef))
	}
	n.allOf, n.anyOf, n.oneOf = t.list(s.AllOf), t.list(s.AnyOf), t.list(s.OneOf)
	n.not, n.cond, n.yes, n.no = t.node(s.Not), t.node(s.If), t.node(s.Then), t.node(s.Else)
}

func (t *tree) list(schemas []*jsonschema.Schema) []*node {
	var nodes []*node
	for _, s := range schemas {
		nodes = append(nodes, t.node(s))
	}
	return nodes
}

// either is the node of a keyword that holds a boolean or a schema.
func (t *tree) either(v any) *node {
	switch v := v.(type) {
	case bool:
		return t.boolean(v)
	case *jsonschema.Schema:
		return t.node(v)
	}
	return nil
}

func (t *tree) object(n *node) {
	s := n.s
	if len(s.Properties) > 0 {
		n.prop = make(map[string]*node, len(s.Properties))
		for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
			kid := t.node(s.Properties[name])
			n.prop[name] = kid
			n.props = append(n.props, prop{name, kid})
		}
	}
	for re, kid := range s.PatternProperties {
		n.patterns = append(n.patterns, patternProp{re: re, place: kid.Location})
	}
	slices.SortFunc(n.patterns, func(a, b patternProp) int {
		return cmp.Or(strings.Compare(a.re.String(), b.re.String()), strings.Compare(a.place, b.place))
	})
	for i, p := range n.patterns {
		n.patterns[i].n = t.node(s.PatternProperties[p.re])
	}
	n.additional = t.either(s.AdditionalProperties)
	if len(s.Required) > 0 {
		n.required = make(map[string]bool, len(s.Required))
		for _, name := range s.Required {
			n.required[name] = true
		}
	}
	t.dependencies(n)
	n.names, n.unevalProps = t.node(s.PropertyNames), t.node(s.UnevaluatedProperties)
}

func (t *tree) dependencies(n *node) {
	s := n.s
	if len(s.Dependencies)+len(s.DependentRequired)+len(s.DependentSchemas) == 0 {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(s.Dependencies)) {
		switch d := s.Dependencies[name].(type) {
		case []string:
			n.deps = append(n.deps, dep{name: name, keyword: "dependencies", needs: d})
		case *jsonschema.Schema:
			n.deps = append(n.deps, dep{name: name, keyword: "dependencies", n: t.node(d)})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.DependentRequired)) {
		n.deps = append(n.deps, dep{name: name, keyword: "dependentRequired", needs: s.DependentRequired[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(s.DependentSchemas)) {
		n.deps = append(n.deps, dep{name: name, keyword: "dependentSchemas", n: t.node(s.DependentSchemas[name])})
	}
}

func (t *tree) array(n *node) {
	s := n.s
	n.restKeyword = "items"
	switch items := s.Items.(type) {
	case *jsonschema.Schema:
		n.rest = t.node(items)
	case []*jsonschema.Schema:
		n.prefix = t.list(items)
		n.rest, n.restKeyword = t.either(s.AdditionalItems), "additionalItems"
	}
	if s.DraftVersion >= 2020 {
		n.prefix, n.rest = t.list(s.PrefixItems), t.node(s.Items2020)
	}
	n.contains, n.unevalItems = t.node(s.Contains), t.node(s.UnevaluatedItems)
}

// kids are all nodes that n holds, in a fixed order that depends on its keywords only.
func (n *node) kids() []*node {
	list := slices.Concat(n.refs, n.allOf, n.anyOf, n.oneOf, n.prefix)
	for _, p := range n.props {
		list = append(list, p.n)
	}
	for _, p := range n.patterns {
		list = append(list, p.n)
	}
	for _, d := range n.deps {
		if d.n != nil {
			list = append(list, d.n)
		}
	}
	for _, kid := range []*node{n.not, n.cond, n.yes, n.no, n.additional, n.names, n.unevalProps, n.rest, n.contains, n.unevalItems} {
		if kid != nil {
			list = append(list, kid)
		}
	}
	return list
}

// settle finds out whether dynamic references may mean different things: they do not where no schema inside a document has
// an identifier of its own. The nodes from uid split on are the second root's.
func (t *tree) settle(split int, roots ...*jsonschema.Schema) {
	one, any := true, false
	for _, n := range t.nodes {
		if n.s == nil {
			continue
		}
		root := roots[0]
		if n.uid >= split {
			root = roots[1]
		}
		address, _, _ := strings.Cut(root.Location, "#")
		here, _, _ := strings.Cut(n.s.Location, "#")
		any = any || n.turning()
		one = one && here == address && (n.s == root || n.s.ID == "" || strings.HasPrefix(n.s.ID, "#"))
	}
	if !any || one {
		return
	}
	for _, n := range t.nodes {
		n.dynamic = n.turning()
	}
}

// turning says whether n has a reference whose target may depend on the way.
func (n *node) turning() bool {
	return n.s != nil && (n.s.DynamicRef != nil || n.s.RecursiveRef != nil)
}
