package compat

import (
	"maps"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// object finds objects for a branch.
func (s *search) object(b *branch, g *goal) result {
	o := &objects{search: s, b: b, g: g, extra: map[string][]literal{}, shown: map[string]blame{},
		present: map[string]bool{}, absent: map[string]bool{}, most: nothing}
	if o.hopeless() {
		return isClosed
	}
	for _, l := range b.pos {
		o.accept(l.n)
	}
	var some []atom
	for _, a := range b.atoms {
		if a.some() {
			some = append(some, a)
		} else {
			o.atom(a)
		}
	}
	slices.SortStableFunc(some, func(x, y atom) int { return b2i(y.principal) - b2i(x.principal) })
	return o.place(some)
}

// hopeless looks at the refused properties alone, before anything else is gathered: of the many ways in which a large
// schema may refuse, most end here.
func (o *objects) hopeless() bool {
	for _, a := range o.b.atoms {
		if a.kind != atChild {
			continue
		}
		lits := append(o.asked(a.name), literal{n: a.k, neg: true, old: a.old, principal: a.principal})
		if o.solve(lits, nil).status == closed {
			return true
		}
	}
	return false
}

// objects is the search for an object: which properties exist and what is asked of each.
type objects struct {
	*search
	b               *branch
	g               *goal
	present, absent map[string]bool
	extra           map[string][]literal // beside what the accepting schemas ask
	shown           map[string]blame     // for the property with the principal refusal
	least, most     int
}

// some says whether the atom is about a property that is not named.
func (a atom) some() bool {
	return a.kind == atPattern || a.kind == atOther || a.kind == atUnevaluated || a.kind == atName
}

func (o *objects) accept(n *node) {
	for name := range n.required {
		o.present[name] = true
	}
	if n.s.MinProperties != nil {
		o.least = max(o.least, *n.s.MinProperties)
	}
	if n.s.MaxProperties != nil {
		o.most = min(o.most, *n.s.MaxProperties)
	}
}

func (o *objects) atom(a atom) {
	switch a.kind {
	case atPresent:
		o.present[a.name] = true
	case atAbsent:
		o.absent[a.name] = true
	case atChild:
		o.refused(a.name, a)
	case atCount:
		switch a.name {
		case "minProperties":
			o.most = min(o.most, *a.n.s.MinProperties-1)
		case "maxProperties":
			o.least = max(o.least, *a.n.s.MaxProperties+1)
		}
	}
}

// refused notes that a property exists and a schema refuses its value.
func (o *objects) refused(name string, a atom) {
	o.present[name] = true
	o.extra[name] = append(slices.Clip(o.extra[name]), literal{n: a.k, neg: true, old: a.old, principal: a.principal})
	if a.principal {
		o.shown[name] = a.blame
	}
}

// place gives each atom about some property a name, in all ways that make a difference.
func (o *objects) place(some []atom) result {
	if len(some) == 0 {
		return o.fill()
	}
	a := some[0]
	names, all := o.candidates(a)
	total := isClosed
	if !all {
		total = o.giveUp(o.b)
	}
	for _, name := range names {
		if !o.spend(1) {
			return o.giveUp(o.b)
		}
		c := *o
		c.present, c.extra, c.shown = maps.Clone(o.present), maps.Clone(o.extra), maps.Clone(o.shown)
		if a.kind == atName {
			c.present[name] = true
		} else {
			c.refused(name, a)
		}
		r := c.place(some[1:])
		if r.status == sat {
			return r
		}
		if r.status == open && total.status == closed {
			total = r
		}
	}
	return total
}

// candidates are names for an atom about some property: those the schemas speak of and one for each class of names that
// they do not tell apart. all says that no class is missing.
func (o *objects) candidates(a atom) (names []string, all bool) {
	explicit := o.explicit(a.n)
	for _, name := range slices.Sorted(maps.Keys(explicit)) {
		if !o.absent[name] && o.fits(a, name) && o.allowed(name) {
			names = append(names, name)
		}
	}
	fresh, all := o.fresh(explicit, a)
	for _, name := range fresh {
		if o.fits(a, name) {
			names = append(names, name)
		}
	}
	return names, all
}

// explicit are the names that schemas here speak of or that exist already.
func (o *objects) explicit(more *node) map[string]bool {
	set := map[string]bool{}
	for _, l := range o.b.pos {
		for _, p := range l.n.props {
			set[p.name] = true
		}
		for _, sub := range l.n.beside() {
			if l.n.unevalProps != nil {
				mentions(sub, set, map[*node]bool{})
			}
		}
		for _, d := range l.n.deps {
			set[d.name] = true
			for _, need := range d.needs {
				set[need] = true
			}
		}
	}
	if more != nil {
		mentions(more, set, map[*node]bool{})
	}
	for _, from := range []map[string]bool{o.present, o.absent} {
		for name := range from {
			set[name] = true
		}
	}
	return set
}

// mentions adds the properties that a node or those it applies to the same value speak of.
func mentions(n *node, set map[string]bool, seen map[*node]bool) {
	if seen[n] || n.s == nil {
		return
	}
	seen[n] = true
	for _, p := range n.props {
		set[p.name] = true
	}
	for _, sub := range n.beside() {
		mentions(sub, set, seen)
	}
}

// fits says whether an atom about some property can be about this one.
func (o *objects) fits(a atom, name string) bool {
	switch a.kind {
	case atPattern:
		return a.n.patterns[a.i].re.MatchString(name)
	case atOther:
		if a.n.prop[name] != nil {
			return false
		}
		for _, p := range a.n.patterns {
			if p.re.MatchString(name) {
				return false
			}
		}
	case atUnevaluated:
		return !evaluates(a.n, name, false, map[*node]bool{})
	case atName:
		accepted, known := o.accepts(a.k, name)
		return !accepted || !known || a.k.dynamic
	}
	return true
}

// allowed says whether a property may exist by its name: the names that propertyNames asks for and, under LENIENT, those
// that the old schema declares.
func (o *objects) allowed(name string) bool {
	old, declared := false, false
	for _, l := range o.b.pos {
		if n := l.n.names; n != nil && !n.dynamic {
			if accepted, known := o.accepts(n, name); known && !accepted {
				return false
			}
		}
		if l.old {
			old = true
			declared = declared || declares(l.n, name)
		}
	}
	return !old || declared
}

func declares(n *node, name string) bool {
	if n.prop[name] != nil || n.required[name] || n.additional != nil && n.additional.s != nil && !n.additional.always {
		return true
	}
	for _, p := range n.patterns {
		if p.re.MatchString(name) {
			return true
		}
	}
	for _, d := range n.deps {
		if d.name == name || slices.Contains(d.needs, name) {
			return true
		}
	}
	return false
}

// maxPatterns bounds the patterns whose every combination is tried.
const maxPatterns = 5

// fresh is a name of each class that is in no schema: a class is the patterns that match.
func (o *objects) fresh(explicit map[string]bool, a atom) (names []string, all bool) {
	patterns := o.patterns(a)
	var lits []literal
	for _, l := range o.b.pos {
		if l.n.names != nil {
			lits = append(lits, literal{n: l.n.names})
		}
	}
	if a.kind == atName {
		lits = append(lits, literal{n: a.k, neg: true})
	}
	if len(patterns) == 0 && len(lits) == 0 {
		for i := 0; ; i++ {
			if name := spare(i); !explicit[name] {
				if !o.allowed(name) {
					return nil, true
				}
				return []string{name}, true
			}
		}
	}
	all = true
	for mask := range 1 << min(len(patterns), 2*maxPatterns) {
		if len(patterns) > maxPatterns && mask&(mask-1) != 0 {
			all = false
			continue
		}
		if !o.spend(1) {
			return names, false
		}
		rule := &nameRule{not: explicit}
		for i, re := range patterns {
			if mask>>i&1 == 1 {
				rule.in = append(rule.in, re)
			} else {
				rule.out = append(rule.out, re)
			}
		}
		r := o.solve(lits, rule)
		name, built := r.text()
		switch {
		case built && o.allowed(name):
			names = append(names, name)
		case !built && r.status != closed:
			all = false
		}
	}
	return names, all && len(patterns) <= 2*maxPatterns
}

// text is the first string that was found.
func (r result) text() (string, bool) {
	for _, m := range r.models {
		if name, ok := m.doc.(string); ok && m.built {
			return name, true
		}
	}
	return "", false
}

// patterns are all patterns for property names that matter here, each once.
func (o *objects) patterns(a atom) []jsonschema.Regexp {
	var list []jsonschema.Regexp
	seen := map[string]bool{}
	visited := map[*node]bool{}
	var add func(n *node, deep bool)
	add = func(n *node, deep bool) {
		if n == nil || visited[n] {
			return
		}
		visited[n] = true
		for _, p := range n.patterns {
			if text := p.re.String(); !seen[text] {
				seen[text] = true
				list = append(list, p.re)
			}
		}
		if deep {
			for _, sub := range n.beside() {
				add(sub, true)
			}
		}
	}
	for _, l := range o.b.pos {
		add(l.n, l.n.unevalProps != nil)
	}
	add(a.n, a.kind == atUnevaluated)
	return list
}

// asked is what the accepting schemas ask of a property's value.
func (o *objects) asked(name string) []literal {
	var lits []literal
	for _, l := range o.b.pos {
		n, known := l.n, false
		if kid := n.prop[name]; kid != nil {
			known = true
			lits = append(lits, literal{n: kid, old: l.old})
		}
		for _, p := range n.patterns {
			if p.re.MatchString(name) {
				known = true
				lits = append(lits, literal{n: p.n, old: l.old})
			}
		}
		if !known && n.additional != nil {
			lits = append(lits, literal{n: n.additional, old: l.old})
		}
		if n.unevalProps != nil && !evaluates(n, name, true, map[*node]bool{}) {
			lits = append(lits, literal{n: n.unevalProps, old: l.old})
		}
	}
	return lits
}

// fill gives every property that must exist a value, then as many others as are asked for.
func (o *objects) fill() result {
	o.close()
	for name := range o.absent {
		if o.present[name] {
			return isClosed
		}
	}
	if len(o.present) > o.most || o.least > o.most {
		return isClosed
	}
	names := slices.Sorted(maps.Keys(o.present))
	slices.SortStableFunc(names, func(x, y string) int { return len(o.extra[y]) - len(o.extra[x]) })
	doc, shown, complete := map[string]any{}, []model(nil), true
	shownName, principal := "", false
	for _, name := range names {
		if !o.allowed(name) {
			return isClosed
		}
		asked := o.asked(name)
		r := o.solve(append(asked, o.extra[name]...), nil)
		if r.status == closed {
			return isClosed
		}
		if b, here := o.shown[name]; here {
			shown, shownName, principal = o.reblame(r, b, asked), name, true
			continue
		}
		v, built := r.first()
		doc[name], complete = v, complete && built
	}
	if need := o.least - len(names); need > 0 {
		if possible, built := o.more(doc, need); !possible {
			return isClosed
		} else if !built {
			complete = false
		}
	}
	if !principal {
		return o.judge([]model{{doc: doc, built: complete, blame: o.b.blame}})
	}
	var models []model
	for _, m := range shown {
		if m.built {
			whole := maps.Clone(doc)
			whole[shownName] = m.doc
			m.doc = whole
		}
		m.built = m.built && complete
		models = append(models, m)
	}
	return o.judge(models)
}

// close adds the properties that the presence of others asks for.
func (o *objects) close() {
	for again := true; again; {
		again = false
		for _, l := range o.b.pos {
			for _, d := range l.n.deps {
				if !o.present[d.name] {
					continue
				}
				for _, need := range d.needs {
					again = again || !o.present[need]
					o.present[need] = true
				}
			}
		}
	}
}

// first is the first value that was built.
func (r result) first() (any, bool) {
	for _, m := range r.models {
		if m.built {
			return m.doc, true
		}
	}
	return nil, false
}

// reblame says for what is inside a property which keyword is to blame. Where nothing was asked of the property before,
// it is the property itself.
func (o *objects) reblame(r result, outer blame, asked []literal) []model {
	free := outer.rule == ruleProperty && !slices.ContainsFunc(asked, func(l literal) bool { return !l.n.always })
	if free {
		v, built := r.first()
		return []model{{doc: v, built: built, blame: outer}}
	}
	models := slices.Clone(r.models)
	if len(models) == 0 {
		models = []model{{}}
	}
	for i := range models {
		if models[i].blame.rule == "" {
			if models[i].blame = outer; outer.rule == ruleProperty {
				models[i].blame.rule = ruleFalse
			}
		}
	}
	return models
}

// more adds properties that nothing asks for, so many. possible is false where there are not so many for sure.
func (o *objects) more(doc map[string]any, need int) (possible, built bool) {
	unsure := false
	explicit := o.explicit(nil)
	try := func(name string) bool {
		if o.present[name] || o.absent[name] || !o.allowed(name) {
			return false
		}
		r := o.solve(o.asked(name), nil)
		v, ok := r.first()
		if unsure = unsure || r.status == open || o.needs(name); !ok || o.needs(name) {
			return false
		}
		doc[name] = v
		need--
		return true
	}
	for _, name := range slices.Sorted(maps.Keys(explicit)) {
		if need > 0 {
			try(name)
		}
	}
	for rounds := 0; need > 0; rounds++ {
		names, all := o.fresh(explicit, atom{})
		unsure = unsure || !all || rounds > 300
		added := false
		for _, name := range names {
			explicit[name] = true
			if need > 0 && rounds <= 300 {
				added = try(name) || added
			}
		}
		if !added {
			return unsure, false
		}
	}
	return true, true
}

// needs says whether the presence of a property asks for anything.
func (o *objects) needs(name string) bool {
	for _, l := range o.b.pos {
		for _, d := range l.n.deps {
			if d.name == name {
				return true
			}
		}
	}
	return false
}

func (o *objects) judge(models []model) result { return o.search.judge(o.b, o.g, models) }

// judge shows what was built to the validator. What it does not confirm is left open.
func (s *search) judge(b *branch, g *goal, models []model) result {
	r := result{status: open}
	for _, m := range models {
		if m.built && s.meets(g, m.doc) {
			r.status = sat
		} else {
			m.doc, m.built = nil, false
		}
		if m.blame.rule == "" {
			m.blame = b.blame
		}
		r.models = append(r.models, m)
	}
	return r
}
