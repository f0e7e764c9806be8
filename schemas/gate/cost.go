package gate

import (
	"encoding/json"
	"regexp/syntax"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// A schema and a document may each be of a size that is allowed and yet be far too much together: ten thousand numbers, each
// looked for among ten thousand. So what one value may cost by the schema is found out when the schema is admitted, and
// documents that are too large for that are refused before they are validated.

// cost is what a value may cost at most. Its unit is the trial of one subschema in vain, which takes the validator about
// half a microsecond and 400 bytes.
type cost struct {
	value  int  // for each value
	char   int  // for each byte of its text or name, in hundredths
	unique bool // elements of arrays are compared with each other
}

// maxCost is what one validation may cost at most.
const maxCost = 500_000

// widen makes the graph's cost at least that of a value that meets these schemas.
func (g *graph) widen(m meeting) {
	value, char := 0, 0
	for s, times := range m {
		own, known := g.weights[s]
		if !known {
			own = weigh(s)
			g.weights[s] = own
		}
		value, char = value+times*own.value, char+times*own.char
		g.cost.unique = g.cost.unique || own.unique
	}
	g.cost.value, g.cost.char = max(g.cost.value, value), max(g.cost.char, char)
}

// weigh is what a subschema's own keywords cost.
func weigh(s *jsonschema.Schema) cost {
	value, char := 1+len(s.Required)/4+len(s.PatternProperties), 0
	for _, names := range s.DependentRequired {
		value += 1 + len(names)/4
	}
	for _, d := range s.Dependencies {
		names, _ := d.([]string)
		value += 1 + len(names)/4
	}
	if s.Const != nil {
		value += comparison(*s.Const)
	}
	if s.Enum != nil {
		few := 0
		for _, v := range s.Enum.Values {
			if text, is := v.(string); is && len(text) < 256 {
				few++
			} else {
				value += comparison(v)
			}
		}
		value += few / 64
	}
	if s.Minimum != nil || s.Maximum != nil || s.ExclusiveMinimum != nil || s.ExclusiveMaximum != nil {
		value += 4
	}
	if s.MultipleOf != nil {
		value += 16
	}
	if s.MinLength != nil || s.MaxLength != nil {
		char++
	}
	if s.Format != nil {
		char += 20
		if s.Format.Name == "regex" {
			char += 80 // the text is compiled
		}
	}
	if s.Pattern != nil {
		char += matching(s.Pattern)
	}
	for p := range s.PatternProperties {
		char += matching(p)
	}
	return cost{value: value, char: char, unique: s.UniqueItems}
}

// comparison is what comparing a value with v costs. Numbers are read anew for each comparison.
func comparison(v any) int {
	if _, is := v.(json.Number); is {
		return 4
	}
	if _, is := v.(string); is {
		return 1
	}
	return 2
}

// matching is what a pattern costs for each byte, in hundredths: all its states may be alive at once.
func matching(p jsonschema.Regexp) int {
	if e, is := p.(expression); is {
		return 2 * e.states
	}
	return 0
}

// states is about how many states a pattern's automaton has.
func states(re *syntax.Regexp) int {
	n := 1
	for _, sub := range re.Sub {
		n += states(sub)
	}
	switch re.Op {
	case syntax.OpLiteral:
		n += len(re.Rune)
	case syntax.OpRepeat:
		n *= max(re.Min+1, re.Max)
	}
	return min(n, 1<<20)
}

// size is how large a document is.
type size struct {
	values  int // deep ones count more, since each refusal of one holds the way to it
	bytes   int // of texts and names
	numbers int
	// pairs are the comparisons of objects and arrays that stand in one array, if all are given the same hash: that is easily
	// done, since the validator's hash takes no note of where one text ends and the next begins.
	pairs int
}

func sizeOf(v any) size { return sizeAt(v, 0) }

func sizeAt(v any, depth int) size {
	s := size{values: 1 + depth/20}
	switch v := v.(type) {
	case string:
		s.bytes = len(v)
	case json.Number:
		s.numbers = 1
	case map[string]any:
		for name, member := range v {
			s.add(sizeAt(member, depth+1))
			s.bytes += len(name)
		}
	case []any:
		composite, each := 0, 0
		for _, element := range v {
			part := sizeAt(element, depth+1)
			s.add(part)
			switch element.(type) {
			case map[string]any, []any:
				composite++
				each += 1 + part.numbers
			}
		}
		s.pairs += 2 * composite * each
	}
	return s
}

func (s *size) add(part size) {
	s.values += part.values
	s.bytes += part.bytes
	s.numbers += part.numbers
	s.pairs += part.pairs
}

// of is what a document of a size costs at most.
func (c cost) of(s size) int {
	total := s.values*c.value + s.bytes/100*c.char + s.bytes%100*c.char/100
	if c.unique {
		total += s.pairs
	}
	return total
}

// Validate is Compiled.Validate for a document that Decode gave, where that does not cost too much for this schema.
func (s *Schema) Validate(doc any) error {
	if s.cost.unique || s.cost.value*(1+maxDepth/20)*documentLimits().members+documentLimits().bytes/100*s.cost.char > maxCost {
		if s.cost.of(sizeOf(doc)) > maxCost {
			return gateProblem("YM-DOC-0111", "文档对于此 Schema 过大，核验时间无法保证", "document is too large to be checked against this schema in bounded time",
				"拆成几份文档；或者简化 Schema 中的大枚举、多分支和长 pattern", "split the document, or simplify the schema's large enums, many branches and long patterns")
		}
	}
	return s.Compiled.Validate(doc)
}
