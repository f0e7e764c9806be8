// Package opinion asks a second validator, xeipuuv/gojsonschema, what it makes of a schema and of documents.
//
// It is independent of the one used at run time, so that a mistake of either shows. It is unmaintained and dies on hostile
// input, so it runs in a child process with bounds on time and memory, and only on what passed the gate.
package opinion

import (
	"context"
	"io"
)

// Verb is the first argument of the child process: the program calls Answer when it is started with it.
const Verb = "second-opinion"

// Asker starts the child processes.
type Asker struct {
	// Command is the program and its arguments that call Answer; empty: this program with Verb.
	Command []string
}

// Opinion is what the second validator says.
type Opinion struct {
	Accepted bool   // it takes the schema
	Why      string // why not; of the schema only, never of a document
	Valid    []bool // for each document, where the schema is accepted
}

// Ask asks about a schema of draft 04, 06 or 07 and about documents. The error says that there is no opinion: the child
// process died or ran out of time or memory.
func (a Asker) Ask(ctx context.Context, schema []byte, documents [][]byte) (Opinion, error) {
	panic("to be written")
}

// Answer is the child process.
func Answer(in io.Reader, out io.Writer) error {
	panic("to be written")
}

// Variants are documents near a document: fields left out, added, of another type, at and beyond bounds. They are the same
// for the same document.
func Variants(document any, most int) []any {
	panic("to be written")
}
