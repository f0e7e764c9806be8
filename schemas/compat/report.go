package compat

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// maxFindings bounds what one comparison reports.
const maxFindings = 50

// report turns open cases into findings, one for each rule and place, with a document that both validators' schemas
// confirm where there is one.
func report(old, new *jsonschema.Schema, models []model, refusesAll bool) Verdict {
	found := map[blame]json.RawMessage{}
	for _, m := range models {
		if m.blame.rule == "" {
			m.blame.rule = ruleUndecided
			if refusesAll {
				m.blame.rule = ruleFalse
			}
		}
		if found[m.blame] == nil {
			found[m.blame] = confirmed(old, new, m)
		}
	}
	if len(found) == 0 {
		found[blame{rule: ruleUndecided}] = nil
	}
	v := Verdict{Undecided: true}
	for b, document := range found {
		text := texts[b.rule]
		v.Findings = append(v.Findings, Finding{Rule: b.rule, Pointer: b.pointer, What: text.what, Mend: text.mend, Document: document})
		v.Undecided = v.Undecided && document == nil
	}
	slices.SortFunc(v.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Pointer, b.Pointer), cmp.Compare(a.Rule, b.Rule))
	})
	return cut(v)
}

// cut keeps the first findings, those with a document before the others.
func cut(v Verdict) Verdict {
	if len(v.Findings) <= maxFindings {
		return v
	}
	documented := func(f Finding) bool { return f.Document != nil }
	slices.SortStableFunc(v.Findings, func(a, b Finding) int {
		return cmp.Compare(b2i(documented(b)), b2i(documented(a)))
	})
	v.Findings = v.Findings[:maxFindings]
	slices.SortStableFunc(v.Findings, func(a, b Finding) int { return cmp.Compare(a.Pointer, b.Pointer) })
	return v
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// confirmed is the model's document where old accepts and new refuses it.
func confirmed(old, new *jsonschema.Schema, m model) json.RawMessage {
	if !m.built || old.Validate(m.doc) != nil || new.Validate(m.doc) == nil {
		return nil
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if enc.Encode(m.doc) != nil {
		return nil
	}
	return bytes.TrimSpace(text.Bytes())
}
