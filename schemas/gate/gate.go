// Package gate is what every document and every schema passes before anything else looks at it.
//
// Decode reads a document. Admit reads a schema of any of the drafts 04, 06, 07 and 2020-12 and compiles it. Both refuse
// what would be understood in two ways, cannot be decided, or costs far more to handle than to write. What passes here
// is still no evidence schema: package schemas asks for more.
package gate

import (
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Schema is a JSON Schema that passed the gate. It never changes and may be used by many goroutines at once.
type Schema struct {
	// Text is the schema without white space between its tokens, its members in the order they were written: what a
	// registry stores, hashes and compares.
	Text []byte
	// Root is the decoded schema; not to be changed.
	Root any
	// Compiled is the schema as the validator reads it: references resolved, formats asserted.
	Compiled *jsonschema.Schema
}

// Reference is another schema that a schema names in $ref. Nothing else is ever loaded.
type Reference struct {
	Name string // as it stands in $ref
	Text []byte
}

// Admit reads a schema. refs are all schemas that it refers to, those that they refer to included. The error is an
// *exchange.Problem with the place and the mend.
func Admit(text []byte, refs ...Reference) (*Schema, error) {
	panic("to be written")
}

// ID names a schema's text: the MD5 of it, written as a UUID, as Confluent's registry does for a schema without references.
func (s *Schema) ID() string {
	panic("to be written")
}
