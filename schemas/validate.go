package schemas

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/onedoor/yimen/exchange"
)

// Finding is one thing wrong with a document: where, by which keyword of the schema, what, and how to mend it.
// It never holds a value of the document.
type Finding struct {
	Pointer string        `json:"pointer"` // a JSON pointer; for a missing or surplus field, to that field
	Keyword string        `json:"keyword"`
	What    exchange.Text `json:"what"`
	Mend    exchange.Text `json:"mend"`
}

// Invalid is the error of a document that does not fit its schema. It wraps a *exchange.Problem about the first finding.
type Invalid struct {
	Type     exchange.EvidenceType
	Findings []Finding // at least one, sorted by pointer
}

// Error is all findings in English on one line.
func (e *Invalid) Error() string { return e.problem().Error() }

// Unwrap gives the problem, for its code, its kind and its Chinese.
func (e *Invalid) Unwrap() error { return e.problem() }

func (e *Invalid) problem() *exchange.Problem {
	var zh, en []string
	for _, f := range e.Findings[:min(len(e.Findings), 5)] {
		zh = append(zh, f.Pointer+" "+f.What.ZH)
		en = append(en, f.Pointer+" "+f.What.EN)
	}
	if more := len(e.Findings) - len(zh); more > 0 {
		zh = append(zh, fmt.Sprintf("另有 %d 处", more))
		en = append(en, fmt.Sprintf("%d more", more))
	}
	return &exchange.Problem{Code: "YM-DOC-0200", Kind: exchange.Invalid,
		What: exchange.Text{ZH: "文档不符合证照类型 " + string(e.Type), EN: "document does not fit evidence type " + string(e.Type)},
		Why:  exchange.Text{ZH: strings.Join(zh, "；"), EN: strings.Join(en, "; ")},
		Mend: e.Findings[0].Mend}
}

// Validate checks a document that gate.Decode gave. The error is an *Invalid.
func (s *Schema) Validate(doc any) error {
	err := s.compiled.Validate(doc)
	if err == nil {
		return nil
	}
	var cause *jsonschema.ValidationError
	if !errors.As(err, &cause) {
		return fmt.Errorf("validate against %s: %w", s.Type, err)
	}
	list := findings(cause)
	for i := range list {
		s.name(&list[i])
	}
	return &Invalid{Type: s.Type, Findings: list}
}

// name puts the field's title in front of what a finding says.
func (s *Schema) name(f *Finding) {
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

// maxFindings is how many findings of one document are worth telling.
const maxFindings = 100

// findings flattens the validator's tree of causes to its leaves.
func findings(cause *jsonschema.ValidationError) []Finding {
	var list []Finding
	leaves(cause, func(f Finding) {
		if len(list) < maxFindings {
			list = append(list, f)
		}
	})
	slices.SortStableFunc(list, func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.Pointer, b.Pointer), strings.Compare(a.Keyword, b.Keyword))
	})
	return list
}

func leaves(e *jsonschema.ValidationError, add func(Finding)) {
	at := pointer(e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			add(missing(at + "/" + shown(name)))
		}
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			add(surplus(at + "/" + shown(name)))
		}
	case *kind.AnyOf, *kind.OneOf:
		add(noBranch(at, e))
	default:
		if len(e.Causes) == 0 || leafKind(e.ErrorKind) {
			add(leaf(at, e.ErrorKind))
			return
		}
		for _, c := range e.Causes {
			leaves(c, add)
		}
	}
}

// leafKind says whether a kind with causes is told better by itself.
func leafKind(k jsonschema.ErrorKind) bool {
	switch k.(type) {
	case *kind.Contains, *kind.PropertyNames:
		return true
	}
	return false
}

func pointer(location []string) string {
	var b strings.Builder
	for _, step := range location {
		b.WriteString("/" + shown(step))
	}
	return b.String()
}

// shown is a name of the document as a token of a pointer. A name that looks like no field, above all one with a long
// number in it, may itself be personal data and is not shown.
func shown(name string) string {
	digits := 0
	for _, r := range name {
		switch {
		case unicode.IsDigit(r):
			if digits++; digits > 5 {
				return "…"
			}
		case !unicode.IsLetter(r) && r != '_' && r != '-' && r != '.' && r != '$':
			return "…"
		}
	}
	if name == "" || utf8.RuneCountInString(name) > 40 {
		return "…"
	}
	return name
}
