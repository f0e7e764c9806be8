package condition

import (
	"cmp"
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"github.com/onedoor/yimen/exchange"
)

// Comparison is a place where a condition compares a field or a fact with a word, as record.matter == "抵押权" does.
type Comparison struct {
	Of, Name string // "record" or "facts", and what of it
	Word     string
}

// Comparisons are the words it compares fields and facts with, by == or in, in its order.
func (c Condition) Comparisons() []Comparison {
	var all []Comparison
	for _, e := range ast.MatchDescendants(ast.NavigateAST(c.parsed()), ast.AllMatcher()) {
		r, ok := requirementOf(e)
		if !ok || r.subject.name == "" {
			continue
		}
		for _, v := range r.among {
			if word, is := v.(string); is {
				all = append(all, Comparison{r.subject.of, r.subject.name, word})
			}
		}
	}
	return all
}

// Never says whether the condition can hold for no record, no facts and no day of an applicant of that kind ("": of any).
// It looks at comparisons with constants that are joined by && and ||, and is silent about all else: true is certain.
func (c Condition) Never(applicant exchange.HolderKind) bool {
	if c.IsZero() {
		return false
	}
	kinds := []any{string(exchange.Person), string(exchange.Organisation)}
	if applicant != "" {
		kinds = []any{string(applicant)}
	}
	return never(c.parsed().Expr(), []requirement{{subject: subject{of: "applicant"}, among: kinds}})
}

// parsed is the expression anew: few ask, so it is not kept.
func (c Condition) parsed() *ast.AST {
	parsed, issues := environment().Compile(c.text)
	if issues.Err() != nil {
		parsed, _ = environment().Compile("true") // there is none, or it was not made by Parse
	}
	return parsed.NativeRep()
}

// subject is what is compared with a constant.
type subject struct{ of, name string }

// requirement is what must be true of a subject: that it is among some constants, or on one side of one.
type requirement struct {
	subject
	among  []any // string, float64 or bool; nil: see below
	not    any
	above  any // with equal: or equal to it
	below  any
	orSame bool
}

// never says whether the expression cannot be true where the requirements hold.
func never(e ast.Expr, given []requirement) bool {
	if e.Kind() == ast.CallKind {
		args := e.AsCall().Args()
		switch e.AsCall().FunctionName() {
		case operators.LogicalAnd:
			all := given
			for _, part := range conjuncts(e) {
				if r, ok := requirementOf(part); ok {
					all = append(slices.Clip(all), r)
				}
			}
			return contradictory(all) || slices.ContainsFunc(conjuncts(e), func(part ast.Expr) bool { return never(part, all) })
		case operators.LogicalOr:
			return never(args[0], given) && never(args[1], given)
		}
	}
	if e.Kind() == ast.LiteralKind {
		return e.AsLiteral().Value() == false
	}
	r, ok := requirementOf(e)
	return ok && contradictory(append(slices.Clip(given), r))
}

// conjuncts are the parts that must all be true.
func conjuncts(e ast.Expr) []ast.Expr {
	if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.LogicalAnd {
		args := e.AsCall().Args()
		return append(conjuncts(args[0]), conjuncts(args[1])...)
	}
	return []ast.Expr{e}
}

// requirementOf reads a comparison of a subject with constants; a fact that stands alone, or negated, is true or false.
func requirementOf(e ast.Expr) (requirement, bool) {
	if s, ok := subjectOf(e); ok {
		return requirement{subject: s, among: []any{true}}, s.of != "record" // a record's field may be anything
	}
	if e.Kind() != ast.CallKind {
		return requirement{}, false
	}
	name, args := e.AsCall().FunctionName(), e.AsCall().Args()
	if name == operators.LogicalNot {
		s, ok := subjectOf(args[0])
		return requirement{subject: s, among: []any{false}}, ok
	}
	if len(args) != 2 {
		return requirement{}, false
	}
	if name == operators.In {
		s, ok := subjectOf(args[0])
		among, constant := constants(args[1])
		return requirement{subject: s, among: among}, ok && constant
	}
	s, ok := subjectOf(args[0])
	value, constant := constantOf(args[1])
	if !ok || !constant {
		s, ok = subjectOf(args[1])
		value, constant = constantOf(args[0])
		name = mirrored[name]
	}
	if !ok || !constant {
		return requirement{}, false
	}
	r := requirement{subject: s}
	switch name {
	case operators.Equals:
		r.among = []any{value}
	case operators.NotEquals:
		r.not = value
	case operators.Greater, operators.GreaterEquals:
		r.above, r.orSame = value, name == operators.GreaterEquals
	case operators.Less, operators.LessEquals:
		r.below, r.orSame = value, name == operators.LessEquals
	default:
		return requirement{}, false
	}
	return r, true
}

// mirrored is a comparison seen from its other side.
var mirrored = map[string]string{operators.Equals: operators.Equals, operators.NotEquals: operators.NotEquals,
	operators.Greater: operators.Less, operators.GreaterEquals: operators.LessEquals, operators.Less: operators.Greater, operators.LessEquals: operators.GreaterEquals}

func subjectOf(e ast.Expr) (subject, bool) {
	switch e.Kind() {
	case ast.IdentKind:
		return subject{of: e.AsIdent()}, e.AsIdent() == "applicant" || e.AsIdent() == "today"
	case ast.SelectKind:
		s := e.AsSelect()
		of := s.Operand()
		if of.Kind() == ast.IdentKind && !s.IsTestOnly() && (of.AsIdent() == "record" || of.AsIdent() == "facts") {
			return subject{of.AsIdent(), s.FieldName()}, true
		}
	}
	return subject{}, false
}

func constants(e ast.Expr) ([]any, bool) {
	if e.Kind() != ast.ListKind {
		return nil, false
	}
	all := []any{}
	for _, element := range e.AsList().Elements() {
		value, ok := constantOf(element)
		if !ok {
			return nil, false
		}
		all = append(all, value)
	}
	return all, true
}

// constantOf is a literal whose order is beyond doubt: no number that a float64 would round.
func constantOf(e ast.Expr) (any, bool) {
	if e.Kind() != ast.LiteralKind {
		return nil, false
	}
	const exact = 1 << 53
	switch v := e.AsLiteral().Value().(type) {
	case string, bool:
		return v, true
	case int64:
		return float64(v), -exact < v && v < exact
	case float64:
		return v, -exact < v && v < exact
	}
	return nil, false
}

// contradictory says whether no value meets all that is required of some subject.
func contradictory(all []requirement) bool {
	for i, one := range all {
		for _, other := range all[i+1:] {
			if one.subject == other.subject && (one.excludes(other) || other.excludes(one)) {
				return true
			}
		}
		if one.among != nil && !slices.ContainsFunc(one.among, func(v any) bool { return meetsAll(v, one.subject, all) }) {
			return true
		}
	}
	return false
}

// excludes says whether the values above the one are all beyond what the other is below.
func (r requirement) excludes(other requirement) bool {
	if r.above == nil || other.below == nil {
		return false
	}
	order, ok := compared(r.above, other.below)
	return !ok || order > 0 || order == 0 && !(r.orSame && other.orSame)
}

func meetsAll(v any, s subject, all []requirement) bool {
	return !slices.ContainsFunc(all, func(r requirement) bool { return r.subject == s && !r.metBy(v) })
}

func (r requirement) metBy(v any) bool {
	switch {
	case r.among != nil:
		return slices.Contains(r.among, v)
	case r.above != nil:
		order, ok := compared(v, r.above)
		return ok && (order > 0 || order == 0 && r.orSame)
	case r.below != nil:
		order, ok := compared(v, r.below)
		return ok && (order < 0 || order == 0 && r.orSame)
	}
	return v != r.not
}

// compared orders two constants; false: of different kinds, which no comparison is true of.
func compared(a, b any) (int, bool) {
	switch a := a.(type) {
	case string:
		b, ok := b.(string)
		return cmp.Compare(a, b), ok
	case float64:
		b, ok := b.(float64)
		return cmp.Compare(a, b), ok
	}
	return 0, a == b
}
