// Package compat says whether every document that one schema accepts is accepted by another, and shows a document that is
// not.
//
// It looks for a document of the old schema that the new one refuses, case by case: a case holds the schemas that must
// accept and must refuse one value. A case that contradicts itself is closed; where all are closed, no such document
// exists. From an open case a document is built and shown to the validator: what is reported with a document is a fact.
package compat

import (
	"encoding/json"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/onedoor/yimen/exchange"
)

// Policy is how strictly two schemas are compared.
type Policy string

// The policies, as Confluent's registry names them.
const (
	// Strict takes schemas at their word: what it calls compatible, no document contradicts.
	Strict Policy = "STRICT"
	// Lenient supposes that documents written by an open schema hold only the properties it declares, and that readers
	// fill in a default.
	Lenient Policy = "LENIENT"
)

// Verdict is what came of a comparison. It depends on the two schemas and the policy only: every node says the same.
type Verdict struct {
	Compatible bool
	// Undecided says that the comparison gave up, at its bound of steps or at something it cannot decide. Then the schemas
	// do not count as compatible.
	Undecided bool
	Findings  []Finding // why not; sorted by pointer
}

// Finding is one reason why schemas are not compatible.
type Finding struct {
	Rule    string        `json:"rule"`    // such as "required_added", for programs
	Pointer string        `json:"pointer"` // JSON pointer into the schema that refuses
	What    exchange.Text `json:"what"`
	Mend    exchange.Text `json:"mend"`
	// Document is accepted by the old schema and refused by the new one; empty where none was found.
	Document json.RawMessage `json:"document,omitempty"`
}

// Check says whether new accepts every document that old accepts. The schemas are compiled with formats asserted and
// have no reference cycle that stays at one value.
func Check(old, new *jsonschema.Schema, policy Policy) Verdict {
	t := newTree()
	from := t.node(old)
	split := len(t.nodes)
	to := t.node(new)
	t.settle(split, old, new)
	t.classify()
	if from.class == to.class && (!from.dynamic || t.wholesAlike(from, to)) {
		return Verdict{Compatible: true}
	}
	s := newSearch(t, policy)
	r := s.solve([]literal{{n: from, old: s.lenient}, {n: to, neg: true, principal: true}}, nil)
	if r.status == closed {
		return Verdict{Compatible: true}
	}
	return report(old, new, r.models, to.never)
}
