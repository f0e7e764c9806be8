// Package condition says under what condition a record serves, or a material is asked for at all.
//
// A condition is one expression of CEL (cel.dev) that is true or false. It speaks of
//
//	record.validUntil     a field of the record, as it was published
//	facts.seats           what the applicant stated, as the item declares it
//	applicant             "person" or "org"
//	today                 the day asked for, as 2026-12-31; days compare as text
//	days(from, to)        how many days lie between two days, years(from, to) how many whole years
//
// It knows nothing else, reaches nothing outside, and its cost is bounded: equal situations have equal truths.
package condition

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"

	"github.com/onedoor/yimen/exchange"
)

// maxText bounds an expression: whoever needs more has several conditions.
const maxText = 2048

// maxCost bounds one evaluation, in CEL's units; the conditions of a city cost a few dozen.
const maxCost = 10_000

// Condition is a parsed expression. The zero Condition always holds. It is safe for concurrent use, and is written as its text.
type Condition struct {
	text    string
	program cel.Program
	fields  []string
	facts   []string
}

// Parse reads an expression. The error says in both languages what is wrong with it, and never what a value was.
func Parse(text string) (Condition, error) {
	if len(text) > maxText {
		return Condition{}, refused(fmt.Sprintf("has %d bytes, at most %d", len(text), maxText))
	}
	parsed, issues := environment().Compile(text)
	if issues.Err() != nil {
		return Condition{}, refused(firstIssue(issues))
	}
	if parsed.OutputType() != cel.BoolType && parsed.OutputType() != cel.DynType {
		return Condition{}, refused("is " + parsed.OutputType().String() + ", not true or false")
	}
	program, err := environment().Program(parsed, cel.CostLimit(maxCost), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return Condition{}, refused(err.Error())
	}
	root := ast.NavigateAST(parsed.NativeRep())
	return Condition{text: text, program: program, fields: named(root, "record"), facts: named(root, "facts")}, nil
}

// firstIssue is the first thing that CEL objects to, with its place in the expression.
func firstIssue(issues *cel.Issues) string {
	first := issues.Errors()[0]
	return fmt.Sprintf("column %d: %s", first.Location.Column()+1, first.Message)
}

// String is the expression, empty where there is none.
func (c Condition) String() string { return c.text }

// IsZero says whether there is no condition.
func (c Condition) IsZero() bool { return c.text == "" }

// MarshalText writes the expression.
func (c Condition) MarshalText() ([]byte, error) { return []byte(c.text), nil }

// UnmarshalText reads what MarshalText wrote.
func (c *Condition) UnmarshalText(text []byte) (err error) {
	*c = Condition{}
	if len(text) > 0 {
		*c, err = Parse(string(text))
	}
	return err
}

// Fields are the fields of the record that it speaks of, sorted.
func (c Condition) Fields() []string { return slices.Clone(c.fields) }

// Facts are the stated facts that it speaks of, sorted.
func (c Condition) Facts() []string { return slices.Clone(c.facts) }

// named are the names that the expression selects of a variable, as variable.name or variable["name"].
func named(root ast.NavigableExpr, variable string) []string {
	of := func(e ast.NavigableExpr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == variable }
	var names []string
	for _, e := range ast.MatchDescendants(root, ast.AllMatcher()) {
		children := e.Children()
		switch {
		case e.Kind() == ast.SelectKind && of(children[0]):
			names = append(names, e.AsSelect().FieldName())
		case e.Kind() == ast.CallKind && e.AsCall().FunctionName() == "_[_]" && of(children[0]) && children[1].Kind() == ast.LiteralKind:
			if name, ok := children[1].AsLiteral().Value().(string); ok {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func refused(why string) error {
	why = strings.TrimSpace(why)
	return &exchange.Problem{Code: "YM-CAT-0206", Kind: exchange.Invalid,
		What: exchange.Text{ZH: "条件表达式不对：" + why, EN: "the condition cannot be read: " + why},
		Mend: exchange.Text{ZH: `写成 CEL 表达式，只用 record、facts、applicant、today、days()、years()，如 record.status == "valid" && today < record.validUntil`,
			EN: `write a CEL expression of record, facts, applicant, today, days() and years(), such as record.status == "valid" && today < record.validUntil`}}
}
