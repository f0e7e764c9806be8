package schemas

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/gate"
)

// Invalid is the error of a document that does not fit its schema. It wraps a *exchange.Problem about the first finding.
type Invalid struct {
	Type     exchange.EvidenceType
	Findings []gate.Finding // at least one, sorted by pointer
}

// Error is all findings in English on one line.
func (e *Invalid) Error() string { return e.problem().Error() }

// Unwrap gives the problem, for its code, its kind and its Chinese.
func (e *Invalid) Unwrap() error { return e.problem() }

func (e *Invalid) problem() *exchange.Problem {
	var all []exchange.Text
	for _, f := range e.Findings[:min(len(e.Findings), 5)] {
		all = append(all, exchange.Text{ZH: f.Pointer + " " + f.What.ZH, EN: f.Pointer + " " + f.What.EN})
	}
	if more := len(e.Findings) - len(all); more > 0 {
		all = append(all, exchange.Text{ZH: fmt.Sprintf("另有 %d 处", more), EN: fmt.Sprintf("%d more", more)})
	}
	return &exchange.Problem{Code: "YM-DOC-0200", Kind: exchange.Invalid,
		What: exchange.Text{ZH: "文档不符合证照类型 " + string(e.Type), EN: "document does not fit evidence type " + string(e.Type)},
		Why:  exchange.Listed(all...),
		Mend: e.Findings[0].Mend}
}

// Validate checks a document that gate.Decode gave. The error is an *Invalid, or an *exchange.Problem where the document is
// too large for the schema to be checked.
func (s *Schema) Validate(doc any) error {
	err := s.gated.Validate(doc)
	if err == nil {
		return nil
	}
	var cause *jsonschema.ValidationError
	if !errors.As(err, &cause) {
		return fmt.Errorf("validate against %s: %w", s.Type, err)
	}
	list := gate.Findings(cause)
	for i := range list {
		s.name(&list[i])
	}
	return &Invalid{Type: s.Type, Findings: list}
}

// name puts the field's title in front of what a finding says.
func (s *Schema) name(f *gate.Finding) {
	pattern := fieldPattern(f.Pointer)
	for i := range s.fields {
		if s.fields[i].Pointer == pattern {
			f.What.ZH = "“" + s.fields[i].Title.ZH + "”" + f.What.ZH
			f.What.EN = strconv.Quote(s.fields[i].Title.EN) + " " + f.What.EN
			return
		}
	}
}

// fieldPattern is the pointer with * for each index of an array.
func fieldPattern(pointer string) string {
	steps := strings.Split(pointer, "/")
	for i, step := range steps {
		if _, err := strconv.Atoi(step); err == nil {
			steps[i] = "*"
		}
	}
	return strings.Join(steps, "/")
}
