package compat

import "strconv"

// blame is the keyword of the new schema that refuses.
type blame struct{ rule, pointer string }

// literal says that a schema must accept a value or, negated, must refuse it.
type literal struct {
	n   *node
	neg bool
	old bool // under LENIENT: it is a part of the old schema, whose undeclared properties do not occur
	// principal is the refusal that findings are about: all its ways are reported, of others one is enough.
	principal bool
}

type atomKind uint8

const (
	atKinds        atomKind = iota // the value is of the kinds
	atKeyword                      // the scalar keyword of n refuses
	atPresent                      // the property exists
	atAbsent                       // it does not
	atChild                        // the property exists and k refuses its value
	atPattern                      // some property that matches pattern i of n, and k refuses its value
	atOther                        // some property that n does not declare, and k refuses its value
	atUnevaluated                  // some property that n surely leaves unevaluated, and k refuses its value
	atName                         // some property whose name k refuses
	atCount                        // the number of properties or items is refused by the keyword
	atItem                         // item i exists and k refuses it
	atRest                         // some item from i on, and k refuses it
	atRepeat                       // two items are equal
	atFewContains                  // fewer than i items are accepted by k
	atManyContains                 // more than i
	atUnknown                      // nothing is known
)

// atom is one keyword's refusal, or a fact about one value's own properties and items.
type atom struct {
	kind      atomKind
	n, k      *node
	name      string // a property or, for atKeyword and atCount, the keyword
	i         int
	kinds     kinds
	old       bool
	principal bool
	blame     blame // where k itself has no keyword to blame
}

// alternative is one way to decide something: all its parts hold.
type alternative struct {
	lits  []literal // principal: the refusal goes on there
	atoms []atom
	blame blame
}

// refusalsOf are the ways in which a node may refuse a value; where none of them is taken it accepts.
func refusalsOf(n *node) []alternative {
	if n.listed || n.s == nil {
		return n.refusals
	}
	n.listed = true
	r := &refusals{n: n}
	r.logic()
	r.scalars()
	r.objects()
	r.arrays()
	n.refusals = r.list
	return n.refusals
}

type refusals struct {
	n    *node
	list []alternative
}

func (r *refusals) at(keyword string) string { return r.n.pointer + "/" + keyword }

func (r *refusals) atom(rule, keyword string, a atom) {
	a.n = r.n
	a.blame = blame{rule, r.at(keyword)}
	r.list = append(r.list, alternative{atoms: []atom{a}, blame: a.blame})
}

func (r *refusals) onward(side []literal, side2 []atom, n *node) {
	r.list = append(r.list, alternative{lits: append(side, literal{n: n, neg: true, principal: true}), atoms: side2, blame: blame{ruleFalse, n.pointer}})
}

func negatives(nodes []*node) []literal {
	var lits []literal
	for _, n := range nodes {
		lits = append(lits, literal{n: n, neg: true})
	}
	return lits
}

func (r *refusals) logic() {
	n := r.n
	if n.types != kAll {
		r.atom(ruleType, "type", atom{kind: atKinds, kinds: kAll &^ n.types})
	}
	if n.turning() && n.dynamic {
		r.atom(ruleDynamic, "$dynamicRef", atom{kind: atUnknown})
	}
	for _, ref := range n.refs {
		r.onward(nil, nil, ref)
	}
	for _, sub := range n.allOf {
		r.onward(nil, nil, sub)
	}
	if len(n.anyOf) == 1 {
		r.onward(nil, nil, n.anyOf[0])
	} else if len(n.anyOf) > 0 {
		r.list = append(r.list, alternative{lits: negatives(n.anyOf), blame: blame{ruleAnyOf, r.at("anyOf")}})
	}
	if len(n.oneOf) > 0 {
		b := blame{ruleOneOf, r.at("oneOf")}
		r.list = append(r.list, alternative{lits: negatives(n.oneOf), blame: b})
		for i := range n.oneOf {
			for j := range i {
				r.list = append(r.list, alternative{lits: []literal{{n: n.oneOf[j]}, {n: n.oneOf[i]}}, blame: b})
			}
		}
	}
	if n.not != nil {
		r.list = append(r.list, alternative{lits: []literal{{n: n.not}}, blame: blame{ruleNot, r.at("not")}})
	}
	if n.cond != nil && n.yes != nil {
		r.onward([]literal{{n: n.cond}}, nil, n.yes)
	}
	if n.cond != nil && n.no != nil {
		r.onward([]literal{{n: n.cond, neg: true}}, nil, n.no)
	}
}

func (r *refusals) scalars() {
	s := r.n.s
	keyword := func(set bool, rule, name string, of kinds) {
		if set {
			r.atom(rule, name, atom{kind: atKeyword, name: name, kinds: of})
		}
	}
	rule := ruleEnum
	keyword(s.Enum != nil, rule, "enum", kAll)
	keyword(s.Const != nil, ruleConst, "const", kAll)
	keyword(s.Minimum != nil, ruleMinimum, "minimum", kNumber)
	keyword(s.Maximum != nil, ruleMaximum, "maximum", kNumber)
	low, high := "exclusiveMinimum", "exclusiveMaximum"
	keyword(s.ExclusiveMinimum != nil, ruleMinimum, low, kNumber)
	keyword(s.ExclusiveMaximum != nil, ruleMaximum, high, kNumber)
	keyword(s.MultipleOf != nil, ruleMultipleOf, "multipleOf", kNumber)
	keyword(s.MinLength != nil, ruleMinLength, "minLength", kString)
	keyword(s.MaxLength != nil, ruleMaxLength, "maxLength", kString)
	keyword(s.Pattern != nil, rulePattern, "pattern", kString)
	keyword(s.Format != nil, ruleFormat, "format", kString)
	if opaque(r.n) {
		r.atom(ruleContent, "contentEncoding", atom{kind: atUnknown})
	}
}

func (r *refusals) objects() {
	n, s := r.n, r.n.s
	count := func(set bool, rule, name string, of kinds) {
		if set {
			r.atom(rule, name, atom{kind: atCount, name: name, kinds: of})
		}
	}
	count(s.MinProperties != nil && *s.MinProperties > 0, ruleMinProperties, "minProperties", kObject)
	count(s.MaxProperties != nil, ruleMaxProperties, "maxProperties", kObject)
	count(s.MinItems != nil && *s.MinItems > 0, ruleMinItems, "minItems", kArray)
	count(s.MaxItems != nil, ruleMaxItems, "maxItems", kArray)
	seen := map[string]bool{}
	for _, name := range s.Required {
		if !seen[name] {
			seen[name] = true
			r.atom(ruleRequired, "required", atom{kind: atAbsent, name: name, kinds: kObject})
		}
	}
	for _, p := range n.props {
		if !p.n.always {
			r.child(ruleProperty, p.n, atom{kind: atChild, name: p.name, k: p.n})
		}
	}
	for i, p := range n.patterns {
		if !p.n.always {
			r.child(ruleProperty, p.n, atom{kind: atPattern, i: i, k: p.n})
		}
	}
	if n.additional != nil && !n.additional.always {
		r.atom(ruleAdditional, "additionalProperties", atom{kind: atOther, k: n.additional, kinds: kObject, principal: true})
	}
	r.dependencies()
	if n.names != nil && !n.names.always {
		r.atom(ruleNames, "propertyNames", atom{kind: atName, k: n.names, kinds: kObject})
	}
	if n.unevalProps != nil && !n.unevalProps.always {
		r.atom(ruleUnevalProperties, "unevaluatedProperties", atom{kind: atUnevaluated, k: n.unevalProps, kinds: kObject, principal: true})
	}
}

// child adds an atom whose refusal goes on in k.
func (r *refusals) child(rule string, k *node, a atom) {
	a.n, a.blame, a.principal = r.n, blame{rule, k.pointer}, true
	if a.kinds = kObject; a.kind == atItem || a.kind == atRest {
		a.kinds = kArray
	}
	r.list = append(r.list, alternative{atoms: []atom{a}, blame: a.blame})
}

func (r *refusals) dependencies() {
	for _, d := range r.n.deps {
		present := atom{kind: atPresent, name: d.name, kinds: kObject}
		if d.n != nil {
			r.onward(nil, []atom{present}, d.n)
			continue
		}
		b := blame{ruleDependency, r.at(d.keyword + "/" + escape(d.name))}
		for _, need := range d.needs {
			r.list = append(r.list, alternative{blame: b, atoms: []atom{present, {kind: atAbsent, name: need, kinds: kObject, n: r.n}}})
		}
	}
}

func (r *refusals) arrays() {
	n, s := r.n, r.n.s
	for i, k := range n.prefix {
		if !k.always {
			r.child(ruleItems, k, atom{kind: atItem, i: i, k: k})
		}
	}
	if n.rest != nil && !n.rest.always {
		r.atom(ruleItems, n.restKeyword, atom{kind: atRest, i: len(n.prefix), k: n.rest, kinds: kArray, principal: true})
	}
	if s.UniqueItems {
		r.atom(ruleUnique, "uniqueItems", atom{kind: atRepeat, kinds: kArray})
	}
	if n.contains != nil {
		least := 1
		if s.MinContains != nil {
			least = *s.MinContains
		}
		if least > 0 {
			r.atom(ruleContains, "contains", atom{kind: atFewContains, i: least, k: n.contains, kinds: kArray})
		}
		if s.MaxContains != nil {
			r.atom(ruleContains, "maxContains", atom{kind: atManyContains, i: *s.MaxContains, k: n.contains, kinds: kArray})
		}
	}
	if n.unevalItems != nil && !n.unevalItems.always {
		if from, all := surelyEvaluated(n, map[*node]bool{}); !all {
			r.atom(ruleUnevalItems, "unevaluatedItems", atom{kind: atRest, i: from, k: n.unevalItems, kinds: kArray, principal: true})
		}
	}
}

// choices are the decisions that an accepting node leaves open.
func choices(n *node) [][]alternative {
	var list [][]alternative
	one := func(lits ...literal) alternative { return alternative{lits: lits} }
	if len(n.anyOf) > 0 {
		var any []alternative
		for _, sub := range n.anyOf {
			any = append(any, one(literal{n: sub}))
		}
		list = append(list, any)
	}
	if len(n.oneOf) > 0 {
		var any []alternative
		for i, sub := range n.oneOf {
			lits := []literal{{n: sub}}
			for j, other := range n.oneOf {
				if i != j {
					lits = append(lits, literal{n: other, neg: true})
				}
			}
			any = append(any, one(lits...))
		}
		list = append(list, any)
	}
	if n.cond != nil && (n.yes != nil || n.no != nil) {
		then, otherwise := one(literal{n: n.cond}), one(literal{n: n.cond, neg: true})
		if n.yes != nil {
			then.lits = append(then.lits, literal{n: n.yes})
		}
		if n.no != nil {
			otherwise.lits = append(otherwise.lits, literal{n: n.no})
		}
		list = append(list, []alternative{then, otherwise})
	}
	for _, d := range n.deps {
		if d.n != nil {
			list = append(list, []alternative{
				{atoms: []atom{{kind: atKinds, kinds: kAll &^ kObject}}},
				{atoms: []atom{{kind: atAbsent, name: d.name, kinds: kObject}}},
				{lits: []literal{{n: d.n}}, atoms: []atom{{kind: atPresent, name: d.name, kinds: kObject}}},
			})
		}
	}
	return list
}

// surelyEvaluated is how many items n evaluates for sure by keywords beside unevaluatedItems, or all of them.
func surelyEvaluated(n *node, seen map[*node]bool) (from int, all bool) {
	if seen[n] || n.s == nil {
		return 0, false
	}
	seen[n] = true
	from, all = len(n.prefix), n.rest != nil
	for _, list := range [][]*node{n.refs, n.allOf} {
		for _, sub := range list {
			f, a := surelyEvaluated(sub, seen)
			from, all = max(from, f), all || a || sub.unevalItems != nil
		}
	}
	return from, all
}

// maybeEvaluated is how many items n may evaluate, or that it may be any of them.
func maybeEvaluated(n *node, seen map[*node]bool) (upTo int, any bool) {
	if seen[n] || n.s == nil {
		return 0, false
	}
	seen[n] = true
	upTo, any = len(n.prefix), n.rest != nil || n.contains != nil || n.turning() && n.dynamic
	for _, sub := range n.beside() {
		u, a := maybeEvaluated(sub, seen)
		upTo, any = max(upTo, u), any || a || sub.unevalItems != nil
	}
	return upTo, any
}

// beside are the nodes that n applies to the same value and that may evaluate its parts.
func (n *node) beside() []*node {
	var list []*node
	for _, l := range [][]*node{n.refs, n.allOf, n.anyOf, n.oneOf, {n.cond, n.yes, n.no}} {
		for _, sub := range l {
			if sub != nil {
				list = append(list, sub)
			}
		}
	}
	for _, d := range n.deps {
		if d.n != nil {
			list = append(list, d.n)
		}
	}
	return list
}

// own says whether the keywords of n itself evaluate a property.
func (n *node) own(name string) bool {
	if n.additional != nil || n.prop[name] != nil {
		return true
	}
	for _, p := range n.patterns {
		if p.re.MatchString(name) {
			return true
		}
	}
	return false
}

// evaluates says whether n evaluates a property surely or, where maybe is set, may evaluate it.
func evaluates(n *node, name string, maybe bool, seen map[*node]bool) bool {
	if seen[n] || n.s == nil {
		return false
	}
	seen[n] = true
	if n.own(name) || maybe && n.turning() && n.dynamic {
		return true
	}
	subs := n.beside()
	if !maybe {
		subs = append(append([]*node{}, n.refs...), n.allOf...)
	}
	for _, sub := range subs {
		if sub.unevalProps != nil || evaluates(sub, name, maybe, seen) {
			return true
		}
	}
	return false
}

// escape writes a name as a token of a JSON pointer.
func escape(name string) string {
	var out []byte
	for i := range len(name) {
		switch name[i] {
		case '~':
			out = append(out, "~0"...)
		case '/':
			out = append(out, "~1"...)
		default:
			out = append(out, name[i])
		}
	}
	return string(out)
}

// spare is a made-up property name, another one for each number.
func spare(i int) string {
	if i == 0 {
		return "x"
	}
	return "x" + strconv.Itoa(i)
}
