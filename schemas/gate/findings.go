package gate

import (
	"cmp"
	"slices"
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

// maxFindings is how many findings of one document are worth telling.
const maxFindings = 100

// Findings flattens the validator's tree of causes to its leaves.
func Findings(cause *jsonschema.ValidationError) []Finding {
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
