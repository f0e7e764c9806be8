package compat

import (
	"encoding/json"
	"math/big"
)

// span is an interval of numbers; nil is no bound.
type span struct {
	lo, hi         *big.Rat
	loOpen, hiOpen bool
}

func (x *span) above(v *big.Rat, strict bool) {
	if v != nil && (x.lo == nil || v.Cmp(x.lo) > 0 || v.Cmp(x.lo) == 0 && strict) {
		x.lo, x.loOpen = v, strict
	}
}

func (x *span) below(v *big.Rat, strict bool) {
	if v != nil && (x.hi == nil || v.Cmp(x.hi) < 0 || v.Cmp(x.hi) == 0 && strict) {
		x.hi, x.hiOpen = v, strict
	}
}

func (x *span) has(v *big.Rat) bool {
	if x.lo != nil && (v.Cmp(x.lo) < 0 || v.Cmp(x.lo) == 0 && x.loOpen) {
		return false
	}
	return x.hi == nil || v.Cmp(x.hi) < 0 || v.Cmp(x.hi) == 0 && !x.hiOpen
}

func (x *span) empty() bool {
	if x.lo == nil || x.hi == nil {
		return false
	}
	c := x.lo.Cmp(x.hi)
	return c > 0 || c == 0 && (x.loOpen || x.hiOpen)
}

// number finds numbers for a branch.
func (s *search) number(b *branch, g *goal) result {
	x, step := &span{}, (*big.Rat)(nil)
	var nots []*big.Rat // it is a multiple of none of these
	if b.kinds&kFraction == 0 {
		step = big.NewRat(1, 1)
	} else if b.kinds&kInt == 0 {
		nots = append(nots, big.NewRat(1, 1))
	}
	for _, l := range b.pos {
		x.above(l.n.s.Minimum, false)
		x.above(l.n.s.ExclusiveMinimum, true)
		x.below(l.n.s.Maximum, false)
		x.below(l.n.s.ExclusiveMaximum, true)
		if m := l.n.s.MultipleOf; m != nil {
			step = common(step, m)
		}
	}
	for _, a := range b.atoms {
		if a.kind != atKeyword {
			continue
		}
		switch a.name {
		case "minimum":
			x.below(a.n.s.Minimum, true)
		case "exclusiveMinimum":
			x.below(a.n.s.ExclusiveMinimum, false)
		case "maximum":
			x.above(a.n.s.Maximum, true)
		case "exclusiveMaximum":
			x.above(a.n.s.ExclusiveMaximum, false)
		case "multipleOf":
			nots = append(nots, a.n.s.MultipleOf)
		}
	}
	if x.empty() {
		return isClosed
	}
	for _, not := range nots {
		if step != nil && isMultiple(step, not) {
			return isClosed
		}
	}
	if pool, all := x.pool(step, nots, maxVariants); !all {
		if r := s.tryPool(b, g, pool, all); r.status == sat {
			return r
		}
	}
	pool, all := x.pool(step, nots, maxPool)
	return s.tryPool(b, g, pool, all)
}

// tryPool tries values; all says that there are no others.
func (s *search) tryPool(b *branch, g *goal, pool []any, all bool) result {
	r := s.tryAll(b, g, pool)
	if r.status == sat {
		if len(r.models) > maxVariants {
			r.models = r.models[:maxVariants]
		}
		if g.principal != nil { // any one will do, and the branch knows what refuses
			m := r.models[0]
			m.blame = b.blame
			r.models = []model{m}
		}
		return r
	}
	if all && r.status == closed {
		return isClosed
	}
	return s.giveUp(b)
}

// common is the least number that both divide.
func common(a, b *big.Rat) *big.Rat {
	if a == nil || isMultiple(b, a) {
		return b
	}
	if isMultiple(a, b) {
		return a
	}
	// lcm(p/q, r/s) = lcm(p·s, r·q) / (q·s)
	x := new(big.Int).Mul(a.Num(), b.Denom())
	y := new(big.Int).Mul(b.Num(), a.Denom())
	d := new(big.Int).GCD(nil, nil, new(big.Int).Abs(x), new(big.Int).Abs(y))
	lcm := new(big.Int).Div(new(big.Int).Abs(new(big.Int).Mul(x, y)), d)
	return new(big.Rat).SetFrac(lcm, new(big.Int).Mul(a.Denom(), b.Denom()))
}

func isMultiple(a, of *big.Rat) bool {
	return of.Sign() != 0 && new(big.Rat).Quo(a, of).IsInt()
}

// maxPool bounds how many numbers are tried.
const maxPool = 40

// pool is numbers of the span near its bounds and, where they are few, all of them.
func (x *span) pool(step *big.Rat, nots []*big.Rat, most int64) (pool []any, all bool) {
	seen, lost := map[string]bool{}, false // lost: a number is too long to be written
	add := func(v *big.Rat) {
		text := decimal(v)
		lost = lost || text == ""
		if x.has(v) && !seen[text] && text != "" {
			seen[text] = true
			pool = append(pool, json.Number(text))
		}
	}
	if step != nil && step.Sign() != 0 {
		all = x.multiples(step, most, add)
		return pool, all && !lost
	}
	if x.lo != nil && x.hi != nil && x.lo.Cmp(x.hi) == 0 {
		add(x.lo)
		return pool, len(pool) == 1
	}
	fractions := []*big.Rat{new(big.Rat), big.NewRat(1, 1), big.NewRat(1, 2), big.NewRat(1, 4), big.NewRat(1, 16), big.NewRat(1, 1000), big.NewRat(1, 1<<30)}
	for _, f := range fractions {
		switch {
		case x.lo != nil && x.hi != nil:
			width := new(big.Rat).Sub(x.hi, x.lo)
			add(new(big.Rat).Add(x.lo, new(big.Rat).Mul(width, f)))
			add(new(big.Rat).Add(x.lo, f))
		case x.lo != nil:
			add(new(big.Rat).Add(x.lo, f))
		case x.hi != nil:
			add(new(big.Rat).Sub(x.hi, f))
		default:
			add(f)
			add(new(big.Rat).Neg(f))
		}
		for _, not := range nots {
			base := new(big.Rat)
			if x.lo != nil {
				base = x.lo
			} else if x.hi != nil {
				base = x.hi
			}
			add(new(big.Rat).Add(base, new(big.Rat).Mul(not, f)))
			add(new(big.Rat).Sub(base, new(big.Rat).Mul(not, f)))
		}
	}
	return pool, false
}

// multiples offers multiples of step, smallest distance from the lower bound first, and says whether these were all.
func (x *span) multiples(step *big.Rat, most int64, add func(*big.Rat)) bool {
	step = new(big.Rat).Abs(step)
	from, direction := new(big.Int), int64(1)
	switch {
	case x.lo != nil:
		from = floor(new(big.Rat).Quo(x.lo, step))
	case x.hi != nil:
		from, direction = floor(new(big.Rat).Quo(x.hi, step)), -1
	}
	for i := range most {
		k := new(big.Int).Add(from, big.NewInt(direction*i))
		v := new(big.Rat).Mul(new(big.Rat).SetInt(k), step)
		if direction > 0 && x.hi != nil && v.Cmp(x.hi) > 0 {
			return true
		}
		add(v)
		if x.lo == nil && x.hi == nil {
			add(new(big.Rat).Neg(v))
		}
	}
	return false
}

func floor(r *big.Rat) *big.Int { return new(big.Int).Div(r.Num(), r.Denom()) }

// decimal writes a number as JSON does; empty where it has no end.
func decimal(v *big.Rat) string {
	if v.IsInt() {
		if text := v.Num().String(); len(text) <= 400 {
			return text
		}
		return ""
	}
	digits, exact := v.FloatPrec()
	if !exact || digits > 400 {
		return ""
	}
	return v.FloatString(digits)
}
