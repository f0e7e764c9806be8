package compat

import "slices"

// branch is a case being taken apart.
type branch struct {
	todo    []literal
	lits    []literal // taken apart already
	pos     []literal // the accepting ones
	atoms   []atom
	pending [][]alternative
	main    []alternative // the ways of the principal refusal, until one is taken
	kinds   kinds
	finite  []any // the value is one of these
	few     bool
	blame   blame
}

func newBranch() *branch { return &branch{kinds: kAll} }

// fork is a copy; what is appended to either does not show in the other.
func (b *branch) fork() *branch {
	c := *b
	c.todo, c.lits, c.pos = slices.Clip(b.todo), slices.Clip(b.lits), slices.Clip(b.pos)
	c.atoms, c.pending = slices.Clip(b.atoms), slices.Clip(b.pending)
	return &c
}

// take adds an alternative, its literals as parts of where it came from.
func (b *branch) take(a alternative, from literal) {
	goesOn := false
	for _, l := range a.lits {
		l.old, l.principal = from.old, from.principal && l.principal
		goesOn = goesOn || l.principal
		b.todo = append(b.todo, l)
	}
	for _, x := range a.atoms {
		x.old, x.principal = from.old, from.principal && x.principal
		b.atoms = append(b.atoms, x)
		if x.kinds != 0 {
			b.kinds &= x.kinds
		}
	}
	if from.principal {
		b.blame = a.blame
	}
}

// expand takes literals apart as far as nothing is left open. False: the case contradicts itself.
func (s *search) expand(b *branch) bool {
	for len(b.todo) > 0 {
		l := b.todo[len(b.todo)-1]
		b.todo = b.todo[:len(b.todo)-1]
		known, contradicts := b.meet(l)
		if contradicts {
			return false
		}
		s.spend(1 + len(b.lits)/16)
		if known {
			continue
		}
		b.lits = append(b.lits, l)
		if l.neg {
			b.refuse(l)
		} else {
			b.accept(l)
		}
		if b.kinds == 0 {
			return false
		}
	}
	return b.kinds != 0 && !b.clash()
}

// meet looks for a literal and its opposite among those taken apart.
func (b *branch) meet(l literal) (known, contradicts bool) {
	if l.n.always && l.neg || l.n.never && !l.neg {
		return false, true
	}
	if l.n.always || l.n.never {
		return true, false
	}
	for _, other := range b.lits {
		if opposite(l, other) {
			return false, true
		}
		same := other.n == l.n || other.n.class == l.n.class && !l.n.dynamic && !other.n.dynamic
		known = known || same && other.neg == l.neg && other.old == l.old && !l.principal
	}
	return known, false
}

func (b *branch) accept(l literal) {
	n := l.n
	b.kinds &= n.types
	b.pos = append(b.pos, l)
	for _, list := range [][]*node{n.refs, n.allOf} {
		for _, sub := range list {
			if !n.turning() || !n.dynamic || n.s.Ref != nil && sub == n.refs[0] {
				b.todo = append(b.todo, literal{n: sub, old: l.old})
			}
		}
	}
	if n.not != nil {
		b.todo = append(b.todo, literal{n: n.not, neg: true, old: l.old})
	}
	for _, c := range choices(n) {
		b.pending = append(b.pending, inherit(c, l))
	}
	if n.s.Enum != nil && (!b.few || len(n.s.Enum.Values) < len(b.finite)) {
		b.finite, b.few = n.s.Enum.Values, true
	}
	if n.s.Const != nil {
		b.finite, b.few = []any{*n.s.Const}, true
	}
}

// inherit hands a literal's side down to the parts of its choices.
func inherit(choice []alternative, l literal) []alternative {
	if !l.old {
		return choice
	}
	for i := range choice {
		choice[i].lits = slices.Clone(choice[i].lits)
		for j := range choice[i].lits {
			choice[i].lits[j].old = true
		}
		for j := range choice[i].atoms {
			choice[i].atoms[j].old = true
		}
	}
	return choice
}

func (b *branch) refuse(l literal) {
	ways := refusalsOf(l.n)
	switch {
	case l.principal:
		b.main = append([]alternative{}, ways...)
		if len(ways) == 0 {
			b.kinds = 0
		}
	case len(ways) == 0:
		b.kinds = 0
	case len(ways) == 1:
		b.take(ways[0], l)
	default:
		plain := slices.Clone(ways)
		for i := range plain {
			plain[i].lits = slices.Clone(plain[i].lits)
			for j := range plain[i].lits {
				plain[i].lits[j].principal, plain[i].lits[j].old = false, l.old
			}
			plain[i].atoms = slices.Clone(plain[i].atoms)
			for j := range plain[i].atoms {
				plain[i].atoms[j].principal, plain[i].atoms[j].old = false, l.old
			}
		}
		b.pending = append(b.pending, plain)
	}
}

// clash looks for a property that is asked for and must be absent.
func (b *branch) clash() bool {
	for _, a := range b.atoms {
		if a.kind != atAbsent {
			continue
		}
		for _, p := range b.pos {
			if p.n.required[a.name] && b.kinds == kObject {
				return true
			}
		}
	}
	return false
}

// prune drops alternatives that contradict the branch and takes those that are the only ones left.
func (s *search) prune(b *branch) bool {
	for again := true; again; {
		again = false
		var rest [][]alternative
		for _, choice := range b.pending {
			left := s.possible(b, choice)
			switch len(left) {
			case 0:
				return false
			case 1:
				b.add(left[0])
				again = true
			default:
				rest = append(rest, left)
			}
		}
		b.pending = rest
		if !s.expand(b) {
			return false
		}
	}
	return true
}

// add takes an alternative of a choice that findings are not about.
func (b *branch) add(a alternative) {
	b.todo = append(b.todo, a.lits...)
	for _, x := range a.atoms {
		b.atoms = append(b.atoms, x)
		if x.kinds != 0 {
			b.kinds &= x.kinds
		}
	}
}

func (s *search) possible(b *branch, choice []alternative) []alternative {
	left := choice[:0:0]
	for _, a := range choice {
		if !s.spend(1) || s.likely(b, a) {
			left = append(left, a)
		}
	}
	return left
}

func (s *search) likely(b *branch, a alternative) bool {
	k := b.kinds
	for _, l := range a.lits {
		if _, contradicts := b.meet(l); contradicts {
			return false
		}
		if !l.neg {
			k &= l.n.reach
		}
	}
	for _, x := range a.atoms {
		if x.kinds != 0 {
			k &= x.kinds
		}
	}
	return k != 0
}
