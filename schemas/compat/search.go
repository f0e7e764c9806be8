package compat

import (
	"encoding/binary"
	"math"
	"regexp/syntax"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// maxSteps bounds one comparison. Steps are counted, not timed, so that every node gives up at the same place.
const maxSteps = 60_000

type status int

const (
	closed status = iota // no value is possible
	open                 // nothing is known
	sat                  // there is a value; it was shown to the validator
)

// model is a value, or a place where none could be built, with what refuses it.
type model struct {
	doc   any
	built bool
	blame blame
}

type result struct {
	status status
	models []model
}

var isClosed, isOpen = result{status: closed}, result{status: open}

// nameRule narrows a case to property names: strings that match some patterns and not others and are none of a set.
type nameRule struct {
	in, out []jsonschema.Regexp
	not     map[string]bool
}

// goal is a case before it is taken apart.
type goal struct {
	lits []literal
	name *nameRule
	// exact says that showing a value to the validator decides the case for that value.
	exact     bool
	principal *node
}

type search struct {
	*tree
	lenient  bool
	steps    int
	depth    int
	under    map[string]int // goals in progress and their depth
	done     map[string]*entry
	waiting  map[int][]string // by depth: entries that rest on the assumption that the goal there has no value
	low      int              // the outermost assumption that the goal in progress used
	programs map[string]*syntax.Prog
}

// entry is a remembered result; rests is the depth of the assumption it rests on.
type entry struct {
	result
	rests int
}

const nothing = math.MaxInt

func newSearch(t *tree, policy Policy) *search {
	return &search{tree: t, lenient: policy == Lenient, under: map[string]int{}, done: map[string]*entry{},
		waiting: map[int][]string{}, low: nothing, programs: map[string]*syntax.Prog{}}
}

// spend counts steps and says whether there are any left.
func (s *search) spend(n int) bool {
	s.steps += n
	return s.steps <= maxSteps
}

// solve looks for values that all literals agree to. A goal met again further down the document counts as impossible
// there: the smallest document that meets it does not hold a smaller one.
func (s *search) solve(lits []literal, name *nameRule) result {
	lits, key, impossible := s.tidy(lits)
	if impossible {
		return isClosed
	}
	if !s.spend(1) || s.depth > 200 {
		return isOpen
	}
	if name != nil {
		return s.split(newBranch(), s.goal(lits, name))
	}
	if e := s.done[key]; e != nil {
		s.low = min(s.low, e.rests)
		return e.result
	}
	if depth, again := s.under[key]; again {
		s.low = min(s.low, depth)
		return isClosed
	}
	return s.remember(key, lits)
}

func (s *search) remember(key string, lits []literal) result {
	outer, depth := s.low, s.depth
	s.low, s.under[key], s.depth = nothing, depth, depth+1
	r := s.split(newBranch(), s.goal(lits, nil))
	rests := s.low
	delete(s.under, key)
	s.low, s.depth = outer, depth
	if r.status != closed || rests >= depth {
		rests = nothing
	}
	s.settleAt(depth, r.status == closed, rests)
	s.done[key] = &entry{r, rests}
	if rests != nothing {
		s.waiting[rests] = append(s.waiting[rests], key)
		s.low = min(s.low, rests)
	}
	return r
}

// settleAt keeps or forgets what rested on the assumption that the goal at a depth is impossible.
func (s *search) settleAt(depth int, held bool, rests int) {
	for _, key := range s.waiting[depth] {
		switch {
		case !held:
			delete(s.done, key)
		case rests == nothing:
			s.done[key].rests = nothing
		default:
			s.done[key].rests = rests
			s.waiting[rests] = append(s.waiting[rests], key)
		}
	}
	delete(s.waiting, depth)
}

// tidy drops what says nothing, brings the literals into one order and gives them a key. Literals that contradict each
// other by their form make the goal impossible.
func (s *search) tidy(lits []literal) (kept []literal, key string, impossible bool) {
	type ranked struct {
		id uint64
		l  literal
	}
	list := make([]ranked, 0, len(lits))
	for _, l := range lits {
		if l.n.always != l.neg && l.n.never == l.neg && (l.n.always || l.n.never) && !l.principal {
			continue
		}
		if l.n.always && l.neg || l.n.never && !l.neg {
			return nil, "", true
		}
		id := uint64(l.n.class)<<3 | uint64(b2i(l.neg)) | uint64(b2i(l.old))<<1
		if l.n.dynamic {
			id = uint64(l.n.uid)<<3 | uint64(b2i(l.neg)) | uint64(b2i(l.old))<<1 | 1<<61
		}
		if l.principal {
			id = uint64(l.n.uid)<<3 | 4 | uint64(b2i(l.old))<<1 | 1<<60
		}
		list = append(list, ranked{id, l})
	}
	slices.SortFunc(list, func(a, b ranked) int {
		if a.id < b.id {
			return -1
		}
		return b2i(a.id > b.id)
	})
	list = slices.CompactFunc(list, func(a, b ranked) bool { return a.id == b.id })
	text := make([]byte, 0, 4*len(list))
	for i, x := range list {
		text = binary.AppendUvarint(text, x.id)
		kept = append(kept, x.l)
		for _, y := range list[:i] {
			if opposite(x.l, y.l) {
				return nil, "", true
			}
		}
	}
	return kept, string(text), false
}

// opposite says whether no value can agree to both literals, by their form.
func opposite(a, b literal) bool {
	return a.neg != b.neg && a.n.class == b.n.class && !a.n.dynamic && !b.n.dynamic
}

func (s *search) goal(lits []literal, name *nameRule) *goal {
	g := &goal{lits: lits, name: name, exact: true}
	for _, l := range lits {
		g.exact = g.exact && !l.n.dynamic
		if l.principal {
			g.principal = l.n
		}
	}
	return g
}

// split solves a branch, one choice after the other, the principal refusal first.
func (s *search) split(b *branch, g *goal) result {
	if len(b.lits) == 0 && len(b.todo) == 0 {
		b.todo = slices.Clone(g.lits)
		if g.name != nil {
			b.kinds = kString
		}
	}
	if !s.expand(b) {
		return isClosed
	}
	if !s.spend(1) {
		return s.giveUp(b)
	}
	if b.main == nil && !s.prune(b) {
		return isClosed
	}
	if b.few {
		return s.tryAll(b, g, b.finite)
	}
	if b.main != nil {
		return s.refusal(b, g)
	}
	r := s.build(b, g)
	if r.status != open || len(b.pending) == 0 {
		return r
	}
	return s.decide(b, g)
}

func (s *search) giveUp(b *branch) result {
	return result{status: open, models: []model{{blame: b.blame}}}
}

// refusal goes through all ways of the principal refusal and collects what each gives.
func (s *search) refusal(b *branch, g *goal) result {
	ways := b.main
	b.main = nil
	from := literal{principal: true}
	total := isClosed
	for _, way := range ways {
		if s.lenient && s.defaulted(way) {
			continue
		}
		c := b.fork()
		c.take(way, from)
		r := s.split(c, g)
		total.status = max(total.status, r.status)
		for _, m := range r.models {
			if m.blame.rule == "" {
				m.blame = way.blame
			}
			total.models = appendModel(total.models, m)
		}
		if r.status == open && len(r.models) == 0 {
			total.models = appendModel(total.models, model{blame: way.blame})
		}
	}
	return total
}

// appendModel keeps one model for each blame, one with a document where there is one.
func appendModel(list []model, m model) []model {
	for i := range list {
		if list[i].blame == m.blame {
			if m.built && !list[i].built {
				list[i] = m
			}
			return list
		}
	}
	if len(list) >= 4*maxFindings {
		return list
	}
	return append(list, m)
}

// defaulted says whether a refusal is the lack of a property that has a default.
func (s *search) defaulted(a alternative) bool {
	if len(a.atoms) != 1 || a.atoms[0].kind != atAbsent || a.atoms[0].n == nil {
		return false
	}
	n := a.atoms[0].n.prop[a.atoms[0].name]
	for range 20 {
		if n == nil || n.s == nil {
			return false
		}
		if n.s.Default != nil {
			return true
		}
		if len(n.refs) == 0 {
			return false
		}
		n = n.refs[0]
	}
	return false
}

// decide takes the shortest choice and solves each of its alternatives.
func (s *search) decide(b *branch, g *goal) result {
	at := 0
	for i, choice := range b.pending {
		if len(choice) < len(b.pending[at]) {
			at = i
		}
	}
	choice := b.pending[at]
	total := isClosed
	for _, a := range choice {
		c := b.fork()
		c.pending = slices.Concat(b.pending[:at], b.pending[at+1:])
		c.add(a)
		r := s.split(c, g)
		if r.status == sat {
			return r
		}
		if total.status = max(total.status, r.status); r.status == open && total.models == nil {
			total.models = r.models
		}
		if !s.spend(1) {
			return s.giveUp(b)
		}
	}
	return total
}

// tryAll decides a branch whose value is one of a few.
func (s *search) tryAll(b *branch, g *goal, values []any) result {
	r := isClosed
	for _, v := range values {
		if !s.meets(g, v) {
			if !g.exact || s.steps > maxSteps {
				r.status = max(r.status, open)
			}
			continue
		}
		m := model{doc: v, built: true, blame: b.blame}
		if g.principal != nil {
			m.blame = blameOf(g.principal, v)
		}
		r.status, r.models = sat, append(r.models, m)
		if g.principal == nil && len(r.models) == maxVariants || len(r.models) >= maxFindings {
			break
		}
	}
	return r
}

// maxVariants is how many different values are looked for where any will do, so that unique items can be filled.
const maxVariants = 4

// build makes a value of the branch, or finds that there is none. What is still pending is left to luck: the validator
// looks at every value.
func (s *search) build(b *branch, g *goal) result {
	total := isClosed
	for _, kind := range []kinds{kString, kNumber, kBool, kNull, kObject, kArray} {
		if b.kinds&kind == 0 {
			continue
		}
		var r result
		switch kind {
		case kNull:
			r = s.tryAll(b, g, []any{nil})
		case kBool:
			r = s.tryAll(b, g, []any{false, true})
		case kNumber:
			r = s.number(b, g)
		case kString:
			r = s.text(b, g)
		case kObject:
			r = s.object(b, g)
		case kArray:
			r = s.array(b, g)
		}
		total.status = max(total.status, r.status)
		total.models = append(total.models, r.models...)
		if total.status == sat && (g.principal != nil || len(total.models) >= maxVariants || kind == kNull) {
			break
		}
	}
	return total
}
