package gate

import (
	"regexp"
	"regexp/syntax"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Most patterns of evidence are a row of ASCII classes with fixed counts, such as ^[0-9]{17}[0-9X]$. A table look-up for
// each byte does for those what a regular expression does several times slower.

// row is such a pattern: at each place the bytes that may stand there.
type row struct {
	spelling
	places []*[256]bool
}

// spelling is a pattern's text.
type spelling struct{ written, translated string }

// String is the pattern as the schema has it.
func (s spelling) String() string { return s.written }

// RE2 is the pattern as it is matched. The text that the schema has may mean something else to a reader of RE2.
func (s spelling) RE2() string { return s.translated }

func (r *row) MatchString(s string) bool {
	if len(s) != len(r.places) {
		return false
	}
	for i, allowed := range r.places {
		if !allowed[s[i]] {
			return false
		}
	}
	return true
}

// expression is any other pattern.
type expression struct {
	spelling
	compiled *regexp.Regexp
	states   int // about
}

func (e expression) MatchString(s string) bool { return e.compiled.MatchString(s) }

// maxRow bounds a row's length, so that x{1000} stays a regular expression.
const maxRow = 64

// patterns compiles the patterns of one admission, each once.
type patterns map[string]jsonschema.Regexp

// compile is the validator's regular expression engine.
func (known patterns) compile(written string) (jsonschema.Regexp, error) {
	if re, ok := known[written]; ok {
		return re, nil
	}
	re, err := compilePattern(written)
	if err == nil {
		known[written] = re
	}
	return re, err
}

// compilePattern compiles one pattern. The result shows it as it was written.
func compilePattern(written string) (jsonschema.Regexp, error) {
	pattern, err := translate(written)
	if err != nil {
		return nil, err
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, err
	}
	text := spelling{written: written, translated: pattern}
	if r, ok := rowOf(parsed); ok {
		r.spelling = text
		return r, nil
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	return expression{spelling: text, compiled: re, states: states(parsed)}, nil
}

func rowOf(parsed *syntax.Regexp) (*row, bool) {
	if parsed.Op != syntax.OpConcat || len(parsed.Sub) < 3 {
		return nil, false
	}
	last := len(parsed.Sub) - 1
	if parsed.Sub[0].Op != syntax.OpBeginText || parsed.Sub[last].Op != syntax.OpEndText {
		return nil, false
	}
	r := &row{}
	for _, sub := range parsed.Sub[1:last] {
		if !r.add(sub) {
			return nil, false
		}
	}
	return r, true
}

// add appends the places of one part of the pattern, if it is of a form that has them.
func (r *row) add(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral:
		for _, c := range re.Rune {
			if c > 127 || re.Flags&syntax.FoldCase != 0 {
				return false
			}
			place := &[256]bool{}
			place[c] = true
			r.places = append(r.places, place)
		}
	case syntax.OpCharClass:
		class := &[256]bool{}
		for i := 0; i < len(re.Rune); i += 2 {
			if re.Rune[i+1] > 127 {
				return false
			}
			for c := re.Rune[i]; c <= re.Rune[i+1]; c++ {
				class[c] = true
			}
		}
		r.places = append(r.places, class)
	case syntax.OpRepeat:
		if re.Min != re.Max || re.Min > maxRow {
			return false
		}
		before := len(r.places)
		for range re.Min {
			if !r.add(re.Sub[0]) || len(r.places) > maxRow {
				return false
			}
		}
		one := (len(r.places) - before) / max(re.Min, 1)
		for i := before + one; i < len(r.places); i++ {
			r.places[i] = r.places[i-one] // one table for all repetitions
		}
	default:
		return false
	}
	return len(r.places) <= maxRow
}
