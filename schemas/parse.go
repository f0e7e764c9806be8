package schemas

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/gate"
)

// Parse reads one evidence schema, refuses what would let wrong records pass or could not be shown to people, and compiles
// it. The text passes the gate first. The error is a *exchange.Problem that names the place and the mend, of the first
// thing that is wrong.
func Parse(text []byte) (*Schema, error) {
	s, faults := read(text)
	if len(faults) > 0 {
		return nil, faults[0].Problem
	}
	return s, nil
}

// LintFinding is one thing wrong with a schema, with its place in the text.
type LintFinding struct {
	Line    int           `json:"line"`   // from 1
	Column  int           `json:"column"` // from 1, in characters
	Pointer string        `json:"pointer"`
	Code    string        `json:"code"`
	What    exchange.Text `json:"what"`
	Mend    exchange.Text `json:"mend"`
}

// Lint tells all that Parse would refuse in a text, as far as one thing does not hide another, in the order of the text.
func Lint(text []byte) []LintFinding {
	_, faults := read(text)
	return placed(text, faults)
}

// LintGeneral tells all that the gate alone would refuse: what holds for the schemas of any subject.
func LintGeneral(text []byte, refs ...gate.Reference) []LintFinding {
	_, faults := gate.Examine(text, refs...)
	return placed(text, faults)
}

// placed finds the lines of faults and sorts by them.
func placed(text []byte, faults []*gate.Fault) []LintFinding {
	at := offsets(text)
	list := []LintFinding{}
	for _, f := range faults {
		l := LintFinding{Pointer: f.Pointer, Code: f.Problem.Code, What: f.Problem.What, Mend: f.Problem.Mend}
		if f.Offset > 0 {
			l.Line, l.Column = lineOf(text, f.Offset)
		} else {
			l.Line, l.Column = place(text, at, f.Pointer)
		}
		if !slices.Contains(list, l) {
			list = append(list, l)
		}
	}
	slices.SortStableFunc(list, func(a, b LintFinding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return list
}

// read reads a schema, or tells all that is wrong.
func read(text []byte) (*Schema, []*gate.Fault) {
	gated, faults := gate.Examine(text)
	if gated == nil {
		return nil, faults
	}
	root, ok := gated.Root.(map[string]any)
	if !ok {
		return nil, []*gate.Fault{gate.SchemaFault("YM-SCH-0101", "", "Schema 不是对象", "a schema is an object", "写成 { … }", "write { … }")}
	}
	l := newLint()
	l.dialect(root)
	l.schema(root, "", content)
	keys, more := readKeywords(root)
	example := func(f *gate.Fault) bool { return f.Problem.Code == "YM-SCH-0131" }
	faults = slices.Concat(without(faults, example), l.found, more, without(faults, func(f *gate.Fault) bool { return !example(f) })) // causes first
	if list, _ := root["examples"].([]any); len(list) == 0 {
		faults = append(faults, gate.SchemaFault("YM-SCH-0130", "/examples", "没有示例", "there is no example", "在 examples 里放一份虚构的完整文档", "put one invented, complete document into examples"))
	}
	if at, found := gated.Branching(); found {
		faults = append(faults, gate.SchemaFault("YM-SCH-0115", at, "引用循环经过 anyOf、allOf、if 等分支，核验时间会成倍增长", "a cycle of references passes through a branch (anyOf, allOf, if …): the cost of a check could double at every level", "循环里不要用分支", "use no branches within the cycle"))
	}
	if len(faults) > 0 {
		return nil, faults
	}
	s := &Schema{ID: gated.ID(), Type: keys.evidence, Text: bytes.Clone(text), gated: gated, keys: keys, fields: fields(root, text)}
	s.Title, s.Description = texts(root)
	return s, s.tryExamples(root)
}

func without(list []*gate.Fault, drop func(*gate.Fault) bool) []*gate.Fault {
	return slices.DeleteFunc(slices.Clone(list), drop)
}

func texts(node map[string]any) (title, description exchange.Text) {
	title.ZH, _ = node["title"].(string)
	title.EN, _ = node["x-title-en"].(string)
	description.ZH, _ = node["description"].(string)
	description.EN, _ = node["x-description-en"].(string)
	return title, description
}

// tryExamples keeps the examples, which fit, and makes sure that they yield facts: a schema nobody tried is a guess.
func (s *Schema) tryExamples(root map[string]any) []*gate.Fault {
	list, _ := root["examples"].([]any)
	var faults []*gate.Fault
	for i, example := range list {
		if _, err := s.Facts(example); err != nil {
			f := gate.SchemaFault("YM-SCH-0132", fmt.Sprintf("/examples/%d", i), "从示例得不出证照事实", "the example yields no facts", "按原因改正示例或者 x- 关键字", "mend the example or the x- keywords as the cause says")
			var cause *exchange.Problem
			if errors.As(err, &cause) {
				f.Problem.What.ZH += "：" + cause.What.ZH
				f.Problem.What.EN += ": " + cause.What.EN
			}
			f.Problem.Err = err
			faults = append(faults, f)
			continue
		}
		text, err := json.Marshal(example) // of maps, lists, strings and numbers: it cannot fail
		if err == nil {
			s.examples = append(s.examples, text)
		}
	}
	return faults
}
