package compat

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// dictionary is a language: strings of some length that match some patterns and not others.
type dictionary struct {
	least, most int
	in, out     []jsonschema.Regexp
}

// What looking through a language may cost.
const (
	maxPlaces  = 3000
	maxWordLen = 20_000
	maxFine    = 12
)

// machine runs the programs of several patterns side by side over all strings at once. Only strings that differ for some
// pattern are told apart.
type machine struct {
	progs []*syntax.Prog
	in    int // so many of progs must match; the others must not
	runes []rune
	alone map[rune]bool // the only rune of its class
}

// place is where the machine is after some string.
type place struct {
	sets  [][]uint32 // for each program the threads before the next rune; nil: it has matched
	done  []bool
	last  rune
	text  string
	count int  // runes
	alone bool // text is the only string that leads here this way
}

// language lists strings of a language, shortest first, at least so many where there are. all says that there are no
// others. Fine: runes of small classes are told apart, so that small languages are listed whole.
func (s *search) language(w *dictionary, enough int, fine bool) (pool []any, all bool) {
	all = true
	m := &machine{}
	for i, re := range slices.Concat(w.in, w.out) {
		p := s.program(re)
		if p == nil {
			all = false // a pattern of another dialect: whatever is found is shown to the validator
			continue
		}
		if m.progs = append(m.progs, p); i < len(w.in) {
			m.in++
		}
	}
	if w.least > maxWordLen {
		return nil, false
	}
	if !s.spend(m.alphabet(fine) / 2048) {
		return nil, false
	}
	if len(m.progs) == 0 && w.least > 64 {
		for i := range 4 {
			if w.least+i <= w.most {
				pool = append(pool, strings.Repeat("a", w.least+i))
			}
		}
		return pool, false
	}
	words, complete := s.walk(m, w, enough)
	return words, all && complete
}

// program is a pattern compiled as the validator does it; nil where it is not of Go's dialect or too long.
func (s *search) program(re jsonschema.Regexp) *syntax.Prog {
	text := re.String()
	if p, known := s.programs[text]; known {
		return p
	}
	var p *syntax.Prog
	if parsed, err := syntax.Parse(matched(re), syntax.Perl); err == nil {
		if p, err = syntax.Compile(parsed.Simplify()); err != nil || len(p.Inst) > 2000 {
			p = nil
		}
	}
	s.programs[text] = p
	return p
}

// matched is the text of a pattern as it is matched, which is another one where the validator's engine translates patterns.
func matched(re jsonschema.Regexp) string {
	if translated, ok := re.(interface{ RE2() string }); ok {
		return translated.RE2()
	}
	return re.String()
}

// preferred are the runes that words are made of where it makes no difference.
const preferred = "a0A-1bB_ ./@:+中"

// alphabet finds one rune for each class of runes that no instruction tells apart, and says how often it asked one.
func (m *machine) alphabet(fine bool) (asked int) {
	bounds := []rune{0, '\n', '\n' + 1, '0', '9' + 1, 'A', 'Z' + 1, '_', '_' + 1, 'a', 'z' + 1, 0x7f, 0x4e00, 0xd800, 0xe000}
	var insts []*syntax.Inst
	for _, p := range m.progs {
		for i := range p.Inst {
			inst := &p.Inst[i]
			switch inst.Op {
			case syntax.InstRune, syntax.InstRune1:
				insts = append(insts, inst)
				bounds = append(bounds, edges(inst)...)
			case syntax.InstRuneAnyNotNL:
				insts = append(insts, inst)
			}
		}
	}
	class := func(r rune) string {
		asked += 1 + len(insts)
		key := []byte{byte(b2i(syntax.IsWordChar(r))), byte(b2i(r == '\n'))}
		for _, inst := range insts {
			key = append(key, byte(b2i(consumes(inst, r))))
		}
		return string(key)
	}
	bounds = compact(bounds)
	size := map[string]rune{}
	for i, r := range bounds {
		end := rune(0x110000)
		if i+1 < len(bounds) {
			end = bounds[i+1]
		}
		size[class(r)] += end - r
	}
	m.alone = map[rune]bool{}
	seen := map[string]bool{}
	tried := append([]rune(preferred), bounds...)
	for i, r := range bounds {
		if fine && size[class(r)] <= maxFine && i+1 < len(bounds) {
			for r++; r < bounds[i+1]; r++ {
				tried = append(tried, r)
			}
		}
	}
	for _, r := range tried {
		if r < 0 || r > 0x10ffff || r >= 0xd800 && r <= 0xdfff {
			continue
		}
		if key := class(r); !seen[key] {
			seen[key] = true
			m.runes = append(m.runes, r)
			m.alone[r] = size[key] == 1
		} else if fine && size[key] <= maxFine && !slices.Contains(m.runes, r) {
			m.runes = append(m.runes, r)
		}
	}
	for _, r := range m.runes {
		m.alone[r] = m.alone[r] || fine && size[class(r)] <= maxFine
	}
	return asked
}

// edges are the runes at which an instruction may change its mind.
func edges(inst *syntax.Inst) []rune {
	var list []rune
	for i, r := range inst.Rune {
		list = append(list, r, r+1)
		if i%2 == 1 {
			list = append(list, r+1)
		}
		if syntax.Flags(inst.Arg)&syntax.FoldCase != 0 {
			for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
				list = append(list, f, f+1)
			}
		}
	}
	return list
}

func compact(list []rune) []rune {
	slices.Sort(list)
	return slices.Compact(list)
}

// walk goes through the places breadth first. Each place is entered a few times only, so that many words are found and
// loops end.
func (s *search) walk(m *machine, w *dictionary, enough int) (words []any, complete bool) {
	complete = true
	entered := map[string]int{}
	queue := []*place{m.start()}
	for at := 0; at < len(queue); at++ {
		p := queue[at]
		if at >= maxPlaces || !s.spend(1+len(m.runes)*(16*len(m.progs)+2*p.threads())/256) {
			return words, false
		}
		if p.count >= w.least && m.accepts(p) {
			complete = complete && p.alone
			if words = append(words, p.text); len(words) >= enough {
				return words, false
			}
		}
		if p.count >= w.most {
			continue
		}
		for _, r := range m.runes {
			next := m.step(p, r)
			if next == nil {
				continue
			}
			key := next.key(w.least)
			if entered[key] >= 1+enough/2 {
				complete = false // words may be lost; whether there are any is not, what follows from here was followed
				continue
			}
			entered[key]++
			queue = append(queue, next)
		}
	}
	if len(words) == 0 {
		return nil, true // no word was found from any place, and every place was entered
	}
	return words, complete
}

func (m *machine) start() *place {
	p := &place{sets: make([][]uint32, len(m.progs)), done: make([]bool, len(m.progs)), last: -1, alone: true}
	for i, prog := range m.progs {
		p.sets[i] = []uint32{uint32(prog.Start)}
	}
	return p
}

// key tells places apart from which different strings lead to words.
func (p *place) key(least int) string {
	key := binary.AppendUvarint(nil, uint64(min(p.count, least)))
	kind := 0
	switch {
	case p.last < 0:
		kind = 1
	case p.last == '\n':
		kind = 2
	case syntax.IsWordChar(p.last):
		kind = 3
	}
	key = append(key, byte(kind))
	for i, set := range p.sets {
		key = append(key, byte(b2i(p.done[i])))
		key = binary.AppendUvarint(key, uint64(len(set)))
		for _, pc := range set {
			key = binary.AppendUvarint(key, uint64(pc))
		}
	}
	return string(key)
}

// threads are how many ways through the programs are followed at once.
func (p *place) threads() int {
	n := 0
	for _, set := range p.sets {
		n += len(set)
	}
	return n
}

// step is where a rune leads; nil where no word can follow.
func (m *machine) step(p *place, r rune) *place {
	next := &place{sets: make([][]uint32, len(m.progs)), done: make([]bool, len(m.progs)), last: r, text: p.text + string(r), count: p.count + 1, alone: p.alone && m.alone[r]}
	context := syntax.EmptyOpContext(p.last, r)
	for i, prog := range m.progs {
		if p.done[i] {
			next.done[i] = true
			continue
		}
		set, matched := follow(prog, p.sets[i], context)
		if matched {
			if i >= m.in {
				return nil
			}
			next.done[i] = true
			continue
		}
		var moved []uint32
		for _, pc := range set {
			if inst := &prog.Inst[pc]; consumes(inst, r) {
				moved = append(moved, inst.Out)
			}
		}
		if prog.StartCond()&syntax.EmptyBeginText == 0 {
			moved = append(moved, uint32(prog.Start))
		}
		slices.Sort(moved)
		if moved = slices.Compact(moved); len(moved) == 0 && i < m.in {
			return nil
		}
		next.sets[i] = moved
	}
	return next
}

func consumes(inst *syntax.Inst, r rune) bool {
	switch inst.Op {
	case syntax.InstRune, syntax.InstRune1:
		return inst.MatchRune(r)
	case syntax.InstRuneAny:
		return true
	case syntax.InstRuneAnyNotNL:
		return r != '\n'
	}
	return false
}

// follow takes all steps that read no rune.
func follow(prog *syntax.Prog, from []uint32, context syntax.EmptyOp) (reached []uint32, matched bool) {
	seen := make(map[uint32]bool, 2*len(from))
	todo := slices.Clone(from)
	for len(todo) > 0 {
		pc := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[pc] {
			continue
		}
		seen[pc] = true
		switch inst := &prog.Inst[pc]; inst.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			todo = append(todo, inst.Out, inst.Arg)
		case syntax.InstCapture, syntax.InstNop:
			todo = append(todo, inst.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(inst.Arg)&^context == 0 {
				todo = append(todo, inst.Out)
			}
		case syntax.InstMatch:
			matched = true
		case syntax.InstFail:
		default:
			reached = append(reached, pc)
		}
	}
	return reached, matched
}

// accepts says whether the string that led here is a word.
func (m *machine) accepts(p *place) bool {
	context := syntax.EmptyOpContext(p.last, -1)
	for i, prog := range m.progs {
		matched := p.done[i]
		if !matched {
			_, matched = follow(prog, p.sets[i], context)
		}
		if matched != (i < m.in) {
			return false
		}
	}
	return true
}
