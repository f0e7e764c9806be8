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

// meets shows a value to the validator. Where that would cost too much it is not done, and the goal is no longer exact.
func (s *search) meets(g *goal, v any) bool {
	for _, l := range g.lits {
		accepted, known := s.accepts(l.n, v)
		if !known {
			g.exact = false
			return false
		}
		if accepted == l.neg {
			return false
		}
	}
	return g.name == nil || g.name.meets(v)
}

// accepts asks the validator about a value. Not known: the steps are used up, or it would take too many of its own.
func (s *search) accepts(n *node, v any) (accepted, known bool) {
	if n.s == nil {
		return n.always, true
	}
	left := maxVisits
	visit(n, v, &left)
	if !s.spend(1+(maxVisits-left)/16) || left < 0 {
		return false, false
	}
	return n.s.Validate(v) == nil, true
}

// maxVisits bounds how often the validator looks at values for one document.
const maxVisits = 20_000

// visit goes the validator's way through a value at its longest and counts.
func visit(n *node, v any, left *int) {
	if *left -= 1 + n.lookup; *left < 0 || n.s == nil {
		return
	}
	for _, list := range [][]*node{n.refs, n.allOf, n.anyOf, n.oneOf, {n.not, n.cond, n.yes, n.no}} {
		for _, sub := range list {
			if sub != nil {
				visit(sub, v, left)
			}
		}
	}
	switch v := v.(type) {
	case map[string]any:
		visitObject(n, v, left)
	case []any:
		for i, item := range v {
			if i < len(n.prefix) {
				visit(n.prefix[i], item, left)
			}
			for _, sub := range []*node{n.rest, n.contains, n.unevalItems} {
				if sub != nil {
					visit(sub, item, left)
				}
			}
		}
	case string:
		*left -= len(v) / 64
	}
}

func visitObject(n *node, object map[string]any, left *int) {
	for _, d := range n.deps {
		if d.n != nil {
			visit(d.n, object, left)
		}
	}
	for name, value := range object {
		if kid := n.prop[name]; kid != nil {
			visit(kid, value, left)
		} else if n.additional != nil {
			visit(n.additional, value, left)
		}
		for _, p := range n.patterns {
			visit(p.n, value, left)
		}
		if n.names != nil {
			visit(n.names, name, left)
		}
		if n.unevalProps != nil {
			visit(n.unevalProps, value, left)
		}
	}
}

func (r *nameRule) meets(v any) bool {
	name, ok := v.(string)
	if !ok || r.not[name] {
		return false
	}
	for _, re := range r.in {
		if !re.MatchString(name) {
			return false
		}
	}
	for _, re := range r.out {
		if re.MatchString(name) {
			return false
		}
	}
	return true
}

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
