package compat

import (
	"maps"
	"slices"
)

// maxBuilt bounds the length of an array that is built.
const maxBuilt = 300

// array finds arrays for a branch.
func (s *search) array(b *branch, g *goal) result {
	a := &arrays{search: s, b: b, g: g, extra: map[int][]literal{}, most: nothing, shown: -1}
	var wants []want
	for _, l := range b.pos {
		wants = a.accept(l, wants)
	}
	for _, x := range b.atoms {
		wants = a.atom(x, wants)
	}
	if a.least > a.most {
		return isClosed
	}
	slices.SortStableFunc(wants, func(x, y want) int { return b2i(y.principal) - b2i(x.principal) })
	return a.place(wants, 0)
}

// arrays is the search for an array: how long it is and what is asked of each place.
type arrays struct {
	*search
	b           *branch
	g           *goal
	least, most int
	fixed       int               // places that schemas tell apart; those behind are alike
	extra       map[int][]literal // beside what the accepting schemas ask of a place
	every       []literal         // of all places
	few         []few
	unique      bool
	repeat      bool
	shown       int // the place with the principal refusal
	blame       blame
}

// want is a literal that holds at count places from a first one on.
type want struct {
	literal
	from, count int
	only        bool // at this very place
	blame       blame
}

// few says that at most so many items are accepted by a schema.
type few struct {
	n    *node
	most int
}

func (a *arrays) accept(l literal, wants []want) []want {
	n := l.n
	if n.s.MinItems != nil {
		a.least = max(a.least, *n.s.MinItems)
	}
	if n.s.MaxItems != nil {
		a.most = min(a.most, *n.s.MaxItems)
	}
	a.unique = a.unique || n.s.UniqueItems
	a.fixed = max(a.fixed, len(n.prefix))
	if n.unevalItems != nil {
		from, _ := maybeEvaluated(n, map[*node]bool{})
		a.fixed = max(a.fixed, from)
	}
	if n.contains == nil {
		return wants
	}
	least := 1
	if n.s.MinContains != nil {
		least = *n.s.MinContains
	}
	if n.s.MaxContains != nil {
		a.atMost(n.contains, *n.s.MaxContains)
	}
	if least > 0 {
		wants = append(wants, want{literal: literal{n: n.contains}, count: least})
	}
	return wants
}

// atMost notes that few items are accepted by a schema.
func (a *arrays) atMost(n *node, most int) {
	if most <= 0 {
		a.every = append(a.every, literal{n: n, neg: true})
		return
	}
	a.few = append(a.few, few{n, most})
}

func (a *arrays) atom(x atom, wants []want) []want {
	refused := literal{n: x.k, neg: true, old: x.old, principal: x.principal}
	switch x.kind {
	case atCount:
		switch x.name {
		case "minItems":
			a.most = min(a.most, *x.n.s.MinItems-1)
		case "maxItems":
			a.least = max(a.least, *x.n.s.MaxItems+1)
		}
	case atItem:
		a.fixed = max(a.fixed, x.i+1)
		wants = append(wants, want{literal: refused, from: x.i, count: 1, only: true, blame: x.blame})
	case atRest:
		a.fixed = max(a.fixed, x.i)
		wants = append(wants, want{literal: refused, from: x.i, count: 1, blame: x.blame})
	case atRepeat:
		a.repeat, a.least = true, max(a.least, 2)
	case atFewContains:
		a.atMost(x.k, x.i-1)
	case atManyContains:
		wants = append(wants, want{literal: literal{n: x.k}, count: x.i + 1})
	}
	return wants
}

// place gives each want its places, in all ways that make a difference.
func (a *arrays) place(wants []want, from int) result {
	if len(wants) == 0 {
		if a.repeat {
			return a.twice()
		}
		return a.fill(-1, -1)
	}
	w := wants[0]
	if w.count == 0 {
		return a.place(wants[1:], 0)
	}
	if w.count > a.most {
		return isClosed
	}
	if w.count > 12 {
		return a.giveUp(a.b)
	}
	first := max(w.from, from)
	last := max(first, a.fixed+a.used())
	if w.only {
		last = first
	}
	total := isClosed
	for i := first; i <= last && i < a.most; i++ {
		if !a.spend(1) {
			return a.giveUp(a.b)
		}
		r := a.with(i, w).place(append([]want{w.less()}, wants[1:]...), i+1)
		if r.status == sat {
			return r
		}
		if r.status == open && total.status == closed {
			total = r
		}
	}
	return total
}

// less is what is left of a want after one place.
func (w want) less() want {
	w.count--
	return w
}

// used is how many places behind the fixed ones have something asked of them alone.
func (a *arrays) used() int {
	n := 0
	for i := range a.extra {
		n += b2i(i >= a.fixed)
	}
	return n
}

func (a *arrays) with(i int, w want) *arrays {
	c := *a
	c.extra = maps.Clone(a.extra)
	c.extra[i] = append(slices.Clip(a.extra[i]), w.literal)
	if w.principal {
		c.shown, c.blame = i, w.blame
	}
	return &c
}

// twice tries all pairs of places that may hold the same value.
func (a *arrays) twice() result {
	if a.unique {
		return isClosed
	}
	total := isClosed
	for j := 1; j <= a.fixed+1+a.used() && j < a.most; j++ {
		for i := range j {
			if !a.spend(1) {
				return a.giveUp(a.b)
			}
			c := *a
			c.extra = maps.Clone(a.extra)
			both := append(a.asked(i), a.asked(j)...)
			c.extra[i], c.extra[j] = append(both, a.extra[i]...), append(both, a.extra[j]...)
			r := c.fill(i, j)
			if r.status == sat {
				return r
			}
			if r.status == open && total.status == closed {
				total = r
			}
		}
	}
	return total
}

// asked is what is asked of the item at a place by what is asked of all like it.
func (a *arrays) asked(i int) []literal {
	lits := slices.Clone(a.every)
	for _, l := range a.b.pos {
		n := l.n
		if i < len(n.prefix) {
			lits = append(lits, literal{n: n.prefix[i], old: l.old})
		} else if n.rest != nil {
			lits = append(lits, literal{n: n.rest, old: l.old})
		}
		if n.unevalItems != nil {
			if upTo, any := maybeEvaluated(n, map[*node]bool{}); !any && i >= upTo {
				lits = append(lits, literal{n: n.unevalItems, old: l.old})
			}
		}
	}
	return lits
}

// fill gives every place a value; those at i and j get the same one.
func (a *arrays) fill(i, j int) result {
	length := a.least
	for place := range a.extra {
		length = max(length, place+1)
	}
	if length > a.most {
		return isClosed
	}
	if length > maxBuilt {
		if a.fixed < length && a.solve(a.asked(a.fixed), nil).status == closed {
			return isClosed
		}
		return a.giveUp(a.b)
	}
	doc, complete, used := make([]any, length), true, map[string]bool{}
	var shown []model
	for place := range length {
		r := a.solve(append(a.asked(place), a.extra[place]...), nil)
		if r.status == closed {
			return isClosed
		}
		if place == a.shown {
			shown = a.reblame(r)
			continue
		}
		r = a.spare(place, r)
		v, built := a.pick(r, used)
		if place == j && i >= 0 {
			v = doc[i]
		}
		doc[place], complete = v, complete && built
	}
	if a.shown < 0 {
		return a.judge(a.b, a.g, []model{{doc: doc, built: complete, blame: a.b.blame}})
	}
	var models []model
	for _, m := range shown {
		if m.built {
			whole := slices.Clone(doc)
			whole[a.shown] = m.doc
			m.doc = whole
		}
		m.built = m.built && complete
		models = append(models, m)
	}
	return a.judge(a.b, a.g, models)
}

// spare prefers values that do not use up what few items may be.
func (a *arrays) spare(place int, r result) result {
	if len(a.few) == 0 || len(a.extra[place]) > 0 {
		return r
	}
	lits := a.asked(place)
	for _, f := range a.few {
		lits = append(lits, literal{n: f.n, neg: true})
	}
	if better := a.solve(lits, nil); better.status == sat {
		return better
	}
	return r
}

// pick takes a value, a new one each time where items must be unique.
func (a *arrays) pick(r result, used map[string]bool) (any, bool) {
	if !a.unique {
		return r.first()
	}
	for _, m := range r.models {
		if text := canonical(m.doc); m.built && !used[text] {
			used[text] = true
			return m.doc, true
		}
	}
	return nil, false
}

func (a *arrays) reblame(r result) []model {
	models := slices.Clone(r.models)
	if len(models) == 0 {
		models = []model{{}}
	}
	for i := range models {
		if models[i].blame.rule == "" {
			models[i].blame = a.blame
		}
	}
	return models
}
