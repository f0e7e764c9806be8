package reliance

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
)

// The rows, by the first byte of their keys. Offsets are those of entries in the audit topic, of eight bytes.
const (
	placeRow  = 'm' // → the format and the next offset
	entryRow  = 'e' // offset → what the entry says
	recordRow = 'r' // record id ‖ offset → nothing
	caseRow   = 'c' // department 0 case 0 offset → nothing
)

// rowFormat changes with the meaning of any row; a directory of another format is deleted and folded again.
const rowFormat = 4

// errFormat is what opening a directory of another format yields.
var errFormat = errors.New("reliances are of another format")

// errDamaged is what reading a row yields that this package has not written.
var errDamaged = errors.New("reliances are damaged: stop the exchange, delete their directory and start again")

var placeKey = []byte{placeRow}

func placeValue(next int64) []byte {
	return binary.BigEndian.AppendUint64([]byte{rowFormat}, uint64(next))
}

func (b *Book) place() (int64, error) {
	value, closer, err := b.db.Get(placeKey)
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read reliances: %w", err)
	}
	defer closer.Close()
	switch {
	case len(value) != 9:
		return 0, errDamaged
	case value[0] != rowFormat:
		return 0, errFormat
	}
	return int64(binary.BigEndian.Uint64(value[1:])), nil
}

func entryKey(offset int64) []byte { return behind([]byte{entryRow}, offset) }

func recordPrefix(id exchange.RecordID) []byte {
	return append(append(make([]byte, 0, prefixSize+offsetSize), recordRow), id[:]...)
}

func casePrefix(department exchange.Department, matter string) []byte {
	key := append(append(make([]byte, 0, len(department)+len(matter)+3+offsetSize), caseRow), department...)
	return append(append(append(key, 0), matter...), 0)
}

const offsetSize = 8

// behind is the key of an entry's row under a prefix.
func behind(prefix []byte, offset int64) []byte {
	return binary.BigEndian.AppendUint64(prefix, uint64(offset))
}

// offsetBehind is the way back.
func offsetBehind(prefix, key []byte) (int64, error) {
	if len(key) != len(prefix)+offsetSize {
		return 0, errDamaged
	}
	return int64(binary.BigEndian.Uint64(key[len(prefix):])), nil
}

// row is a key and what is kept under it.
type row struct{ key, value []byte }

// rowsOf are the rows of entries, in order: a sorted batch is written at half the cost, and every query of the city is written here. For
// the same reason there is one row that says much, in the order of time, and those that stand anywhere say nothing.
func rowsOf(entries []entry) []row {
	rows := make([]row, 0, 8*len(entries))
	for i := range entries {
		e := &entries[i]
		one := &e.relied[0]
		rows = append(rows, row{entryKey(e.offset), valueOf(e.relied)}, row{key: behind(casePrefix(one.Department, one.Case), e.offset)})
		for j := range e.relied {
			rows = append(rows, row{key: behind(recordPrefix(e.relied[j].Record), e.offset)})
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return bytes.Compare(a.key, b.key) })
	return rows
}

// valueOf is what an entry says: its id, texts, none of which can hold a zero byte (see audit.Entry.CheckAsker), and the records.
func valueOf(relied []Reliance) []byte {
	one := &relied[0]
	out := append(make([]byte, 0, 96+48*len(relied)), one.Entry...)
	for _, part := range [...]string{string(one.Department), one.Case, one.Clerk, one.Mode} {
		out = append(append(out, part...), 0)
	}
	for i := range relied {
		out = append(out, relied[i].Record[:]...)
		out = binary.AppendUvarint(out, uint64(relied[i].Version))
		out = append(append(out, relied[i].Type...), 0)
	}
	return out
}

// readEntry is the way back from valueOf.
func readEntry(value []byte) (relied []Reliance, err error) {
	r := reader{rest: value}
	one := Reliance{Entry: string(r.take(idSize)), Department: exchange.Department(r.text()), Case: r.text(), Clerk: r.text(), Mode: r.text()}
	at, valid := audit.TimeOf(one.Entry)
	one.At = at
	for !r.short && (len(r.rest) > 0 || relied == nil) {
		copy(one.Record[:], r.take(len(one.Record)))
		one.Version, one.Type = exchange.Version(r.number()), exchange.EvidenceType(r.text())
		relied = append(relied, one)
	}
	if r.short || !valid {
		return nil, errDamaged
	}
	return relied, nil
}

// idSize is how long an entry's id is.
var idSize = len(audit.FirstID(time.Time{}))

// reader reads one part after the other. What is not there reads as nothing, and short tells.
type reader struct {
	rest  []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.rest, r.short = nil, true
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) text() string {
	text, rest, ended := bytes.Cut(r.rest, []byte{0})
	r.rest, r.short = rest, r.short || !ended
	return string(text)
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.rest, r.short = nil, true
		return 0
	}
	r.take(size)
	return n
}

// prefixSize is how long the part of a record's keys is that all have.
const prefixSize = 1 + len(exchange.RecordID{})

// behindCase is what follows a case in the key of its row: an offset, or nothing.
func behindCase(key []byte) []byte {
	_, rest, _ := bytes.Cut(key, []byte{0})
	_, rest, _ = bytes.Cut(rest, []byte{0})
	return rest
}

// order is the order of bytes, with filters over what the rows of a record, or of a case, have in common.
func order() *pebble.Comparer {
	c := *pebble.DefaultComparer
	c.Name = "yimen.reliance.1"
	c.Split = func(key []byte) int {
		switch {
		case len(key) > prefixSize && key[0] == recordRow:
			return prefixSize
		case len(key) > 0 && key[0] == caseRow:
			return len(key) - len(behindCase(key))
		}
		return len(key)
	}
	return &c
}
