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

// The rows, by the first byte of their keys.
const (
	placeRow  = 'm' // → the format and the next offset
	recordRow = 'r' // record id ‖ entry id → what the entry says of it
	caseRow   = 'c' // department 0 case 0 entry id → the records' ids one after the other
)

// rowFormat changes with the meaning of any row; a directory of another format is deleted and folded again.
const rowFormat = 3

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

func recordPrefix(id exchange.RecordID) []byte {
	return append(append(make([]byte, 0, 64), recordRow), id[:]...)
}

func recordKey(r *Reliance) []byte { return append(recordPrefix(r.Record), r.Entry...) }

func casePrefix(department exchange.Department, matter string) []byte {
	key := append(append(make([]byte, 0, 128), caseRow), department...)
	return append(append(append(key, 0), matter...), 0)
}

func caseKey(r *Reliance) []byte { return append(casePrefix(r.Department, r.Case), r.Entry...) }

// readRecords reads the value of a case's row.
func readRecords(value []byte) (all []exchange.RecordID, err error) {
	for id := range slices.Chunk(value, len(exchange.RecordID{})) {
		if len(id) != len(exchange.RecordID{}) {
			return nil, errDamaged
		}
		all = append(all, exchange.RecordID(id))
	}
	return all, nil
}

// row is a key and what is kept under it.
type row struct{ key, value []byte }

// rowsOf are the rows of reliances, those of an entry one after the other. They are in order: a sorted batch is written at half the cost,
// and every query of the city is written here.
func rowsOf(all []Reliance) []row {
	rows := make([]row, 0, len(all)+len(all)/2)
	entry := -1 // the row of the entry's case
	for i := range all {
		r := &all[i]
		if i == 0 || r.Entry != all[i-1].Entry {
			entry, rows = len(rows), append(rows, row{key: caseKey(r)})
		}
		rows[entry].value = append(rows[entry].value, r.Record[:]...)
		rows = append(rows, row{recordKey(r), r.value()})
	}
	slices.SortFunc(rows, func(a, b row) int { return bytes.Compare(a.key, b.key) })
	return rows
}

// value is the version and then texts, none of which can hold a zero byte: see audit.Entry.CheckAsker.
func (r *Reliance) value() []byte {
	out := binary.AppendUvarint(make([]byte, 0, 96), uint64(r.Version))
	out = binary.AppendVarint(out, r.At.UnixMilli())
	for i, part := range [...]string{string(r.Type), string(r.Department), r.Case, r.Clerk, r.Mode} {
		if i > 0 {
			out = append(out, 0)
		}
		out = append(out, part...)
	}
	return out
}

// readReliance is the way back from recordKey and value.
func readReliance(key, value []byte) (r Reliance, err error) {
	if len(key) <= prefixSize || key[0] != recordRow || !audit.ValidID(string(key[prefixSize:])) {
		return r, errDamaged
	}
	r.Record, r.Entry = exchange.RecordID(key[1:prefixSize]), string(key[prefixSize:])
	version, n := binary.Uvarint(value)
	if n <= 0 {
		return r, errDamaged
	}
	at, m := binary.Varint(value[n:])
	if m <= 0 {
		return r, errDamaged
	}
	parts := bytes.Split(value[n+m:], []byte{0})
	if len(parts) != 5 {
		return r, errDamaged
	}
	r.Version, r.At = exchange.Version(version), time.UnixMilli(at).UTC()
	r.Type, r.Department, r.Case, r.Clerk = exchange.EvidenceType(parts[0]), exchange.Department(parts[1]), string(parts[2]), string(parts[3])
	r.Mode = string(parts[4])
	return r, nil
}

// prefixSize is how long the part of a record's keys is that all have.
const prefixSize = 1 + len(exchange.RecordID{})

// behindCase is what follows a case in the key of its row: an entry's id, or nothing.
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
