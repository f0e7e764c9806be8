package reliance

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/folded"
)

// The rows beside the store's own, by the first byte of their keys. Offsets are those of entries in the audit topic, of eight bytes.
const (
	entryRow  = 'e' // offset → what the entry says
	recordRow = 'r' // record id ‖ offset → nothing
	caseRow   = 'c' // department 0 case 0 offset → nothing
)

// rowFormat changes with the meaning of any row; a directory of another format is deleted and folded again.
const rowFormat = 4

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
		return 0, folded.ErrDamaged
	}
	return int64(binary.BigEndian.Uint64(key[len(prefix):])), nil
}

// rowsOf are the rows of entries. Every query of the city is written here, so there is one row that says much, in the order of time, and
// those that stand anywhere say nothing.
func rowsOf(entries []entry) []folded.Row {
	rows := make([]folded.Row, 0, 8*len(entries))
	for i := range entries {
		e := &entries[i]
		one := &e.relied[0]
		rows = append(rows, folded.Row{Key: entryKey(e.offset), Value: valueOf(e.relied)}, folded.Row{Key: behind(casePrefix(one.Department, one.Case), e.offset)})
		for j := range e.relied {
			rows = append(rows, folded.Row{Key: behind(recordPrefix(e.relied[j].Record), e.offset)})
		}
	}
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
		return nil, folded.ErrDamaged
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
