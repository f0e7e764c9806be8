// Package adapters publishes a department's data as records: it reads a source row by row, maps each row, checks it
// against its schema, seals it, appends it, and only then remembers the source's place.
package adapters

import (
	"context"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// Row is one row of a source, as the source has it.
type Row struct {
	Line    int      // where a person finds it: the line of a file, counted from 1, the first line of a row that spans several
	Columns []string // the names, shared by all rows of a reading
	Values  []string // one for each column; absent values are "", and what stands for absence is the mapping's business
	// Damage says why the row cannot be used, such as bytes that no character stands for; nil for a sound row.
	// Values then hold what could be read.
	Damage *exchange.Problem
	// AsOf is up to when the source vouches for the row, such as the time its file was written; zero: the moment of reading.
	AsOf time.Time
	// Place, where set, is where reading can resume after this row.
	Place Place
}

// Place is a source's own note of how far it was read. Only the source that wrote it can read it.
type Place []byte

// Reading is what a source says after it was read to its end.
type Reading struct {
	Place Place // where the next reading begins
	// Complete says that the rows were all there are, so that a record without a row is a record no more.
	Complete bool
	// UpTo is the moment up to which the rows tell the truth, such as the time the file was written.
	UpTo time.Time
	// Unchanged says that nothing is new since the place given; no row was yielded.
	Unchanged bool
}

// Source yields the rows of one department source. It knows nothing of what follows.
type Source interface {
	// Read yields each row after the place, in the source's order; a nil place is the beginning. It stops with yield's
	// error when yield returns one. Rows are not kept: yield must copy what it keeps.
	// A row that cannot be read is yielded with its Damage; Read itself errs only if the source as a whole cannot be
	// read on (*exchange.Problem, saying how to mend it), and the rows yielded so far are then no complete reading.
	Read(ctx context.Context, from Place, yield func(Row) error) (Reading, error)
}
