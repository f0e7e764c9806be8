// Package gate is what every document and every schema passes before anything else looks at it.
//
// Decode reads a document. Admit reads a schema of any of the drafts 04, 06, 07 and 2020-12 and compiles it. Both refuse
// what would be understood in two ways, cannot be decided, or costs far more to handle than to write. What passes here
// is still no evidence schema: package schemas asks for more.
package gate

import (
	"crypto/md5"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Schema is a JSON Schema that passed the gate. It never changes and may be used by many goroutines at once.
type Schema struct {
	// Text is the schema without white space between its tokens, its members in the order they were written: what a
	// registry stores, hashes and compares.
	Text []byte
	// Root is the decoded schema, an object or a boolean; not to be changed.
	Root any
	// Draft is 4, 6, 7 or 2020.
	Draft int
	// Compiled is the schema as the validator reads it: references resolved, formats asserted.
	Compiled *jsonschema.Schema

	graph *graph
	cost  cost
}

// Reference is another schema that a schema names in $ref. Nothing else is ever loaded.
type Reference struct {
	Name string // as it stands in $ref, without the fragment
	Text []byte
}

// Admit reads a schema. refs are all schemas that it refers to, those that they refer to included. The error is an
// *exchange.Problem with the place and the mend.
//
// What passes is of one of the four drafts (draft-07 where $schema is absent) and sound by its meta-schema; every
// reference has a target within the texts given; every pattern compiles; every example fits; and what it costs to validate a
// document that Decode lets pass is in proportion to the document's size, see Validate. Unknown keywords and formats pass.
func Admit(text []byte, refs ...Reference) (*Schema, error) {
	s, faults := Examine(text, refs...)
	if len(faults) > 0 {
		return nil, faults[0].Problem
	}
	return s, nil
}

// Examine is Admit, telling all that is wrong at once as far as one fault does not hide another. Where there are faults
// the schema is not compiled; it is nil where the text is no JSON.
func Examine(text []byte, refs ...Reference) (*Schema, []*Fault) { return examine(text, refs, true) }

// examine is Examine; formats may be left unasserted, as the official test suite wants it.
func examine(text []byte, refs []Reference, formats bool) (*Schema, []*Fault) {
	docs, err := read(text, refs)
	if docs.main == nil {
		return nil, []*Fault{faultOf(err)}
	}
	s := &Schema{Root: docs.main.root, Draft: docs.main.draft}
	if err == nil {
		docs.resolve()
	} else {
		docs.note(err)
	}
	if len(docs.found) > 0 {
		return s, docs.found
	}
	c, err := docs.compile(formats)
	if err != nil {
		return s, append([]*Fault{faultOf(err)}, c.more...)
	}
	graph := newGraph(c)
	if err := graph.bounded(); err != nil {
		return s, []*Fault{faultOf(err)}
	}
	if found := c.examples(docs.main, graph.cost); len(found) > 0 {
		return s, found
	}
	if s.Text, err = compact(text); err != nil {
		return s, []*Fault{faultOf(err)}
	}
	s.Compiled, s.graph, s.cost = c.root, graph, graph.cost
	return s, nil
}

// ID names a schema's text: the MD5 of it, written as a UUID, as Confluent's registry does for a schema without references.
func (s *Schema) ID() string {
	sum := md5.Sum(s.Text)
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:])
}
