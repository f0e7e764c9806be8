package condition

import (
	"bytes"
	"encoding/json"

	"cel.dev/cel-go/common/types"

	"github.com/onedoor/yimen/exchange"
)

// Situation is what a condition is judged in.
type Situation struct {
	Record    []byte         // the record's document; nil: there is none
	Facts     map[string]any // what was stated
	Applicant exchange.HolderKind
	Today     exchange.Date
}

// Truth says whether a condition holds.
type Truth int

// The truths. Undecided means that the record or the stated facts do not say enough, or not in the expected form.
const (
	Undecided Truth = iota
	Holds
	Fails
)

// In judges the condition.
func (c Condition) In(s Situation) Truth {
	if c.IsZero() {
		return Holds
	}
	record, legible := fieldsOf(s.Record, c.fields)
	if !legible {
		return Undecided
	}
	facts := s.Facts
	if facts == nil {
		facts = map[string]any{}
	}
	value, _, err := c.program.Eval(map[string]any{"record": record, "facts": facts, "applicant": string(s.Applicant), "today": string(s.Today)})
	switch {
	case err != nil:
		return Undecided
	case value == types.True:
		return Holds
	case value == types.False:
		return Fails
	}
	return Undecided
}

// Unstated are the facts it speaks of that were not stated, sorted.
func (c Condition) Unstated(facts map[string]any) []string {
	var lacking []string
	for _, name := range c.facts {
		if _, stated := facts[name]; !stated {
			lacking = append(lacking, name)
		}
	}
	return lacking
}

// fieldsOf decodes the fields a condition speaks of; false: the document cannot be read.
func fieldsOf(document []byte, names []string) (map[string]any, bool) {
	fields := map[string]any{}
	if len(names) == 0 || document == nil {
		return fields, true
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(document, &all); err != nil {
		return nil, false
	}
	for _, name := range names {
		raw, there := all[name]
		if !there {
			continue
		}
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber()
		var value any
		if err := decoder.Decode(&value); err != nil {
			return nil, false
		}
		fields[name] = exact(value)
	}
	return fields, true
}

// exact turns numbers into the kind that keeps them: whole ones into int64 where they fit, others into float64.
func exact(value any) any {
	switch v := value.(type) {
	case json.Number:
		if whole, err := v.Int64(); err == nil {
			return whole
		}
		number, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return number
	case []any:
		for i := range v {
			v[i] = exact(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = exact(v[name])
		}
	}
	return value
}
