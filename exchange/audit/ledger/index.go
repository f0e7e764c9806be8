package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"

	"github.com/onedoor/yimen/exchange/pebblelog"
)

// index finds entries in the log: by id, by subject, by who asked for what. It is made of the log and can be made again by
// deleting its directory. It holds what the log holds: tokens, codes and places, no number and no name.
type index struct{ db *pebble.DB }

// The first byte of a row's key says what the row is. Each but the first two ends in the entry's id, so that rows are in the order
// of time; the value is the leaf's place in the log.
const (
	placeRow      = 'm' // → the format and the next leaf to index
	idRow         = 'i' // id → leaf, SHA-256 of the entry
	subjectRow    = 's' // token, id
	departmentRow = 'd' // department, id
	clerkRow      = 'c' // department, clerk, id
	itemRow       = 't' // item, id
	caseRow       = 'f' // case, id
)

const (
	indexFormat = 1
	indexCache  = 16 << 20
	indexTable  = 16 << 20
)

func openIndex(dir string, log *slog.Logger, readOnly bool) (*index, error) {
	o := &pebble.Options{CacheSize: indexCache + 2*indexTable, MemTableSize: indexTable, FormatMajorVersion: pebble.FormatValueSeparation, L0CompactionThreshold: 8,
		ReadOnly: readOnly, ErrorIfNotExists: readOnly, Logger: pebblelog.Log{Of: "audit index", Log: log}}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	// Whoever reads what is damaged gets an error; the process need not end, as it would without this.
	o.EventListener = &pebble.EventListener{DataCorruption: func(info pebble.DataCorruptionInfo) {
		log.Error("audit index is damaged: stop the exchange, delete its directory and start again", "file", info.Path, "error", info.Details)
	}}
	db, err := pebble.Open(dir, o)
	if err != nil {
		return nil, fmt.Errorf("open index %s: %w", dir, err)
	}
	return &index{db}, nil
}

// close writes everything to disk, so that what is opened next time need not be repaired.
func (x *index) close() error {
	return errors.Join(x.db.Flush(), x.db.Close())
}

// next is the first leaf that is not indexed.
func (x *index) next() (uint64, error) {
	value, found, err := x.get([]byte{placeRow})
	if err != nil || !found {
		return 0, err
	}
	if len(value) != 9 || value[0] != indexFormat {
		return 0, errors.New("index is of another version")
	}
	return binary.BigEndian.Uint64(value[1:]), nil
}

func placeValue(next uint64) []byte { return binary.BigEndian.AppendUint64([]byte{indexFormat}, next) }

// find is where the entry is, and its hash.
func (x *index) find(id string) (leaf uint64, hash [sha256.Size]byte, found bool, err error) {
	value, found, err := x.get(append([]byte{idRow}, id...))
	if err != nil || !found {
		return 0, hash, false, err
	}
	if len(value) != 8+len(hash) {
		return 0, hash, false, errors.New("index is damaged")
	}
	return binary.BigEndian.Uint64(value), [sha256.Size]byte(value[8:]), true, nil
}

func (x *index) get(key []byte) (value []byte, found bool, err error) {
	value, closer, err := x.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read index: %w", err)
	}
	return bytes.Clone(value), true, closer.Close()
}

// row is one row of the index.
type row struct{ key, value []byte }

// rowsOf are the rows of a leaf whose body has the hash. What is no entry has none.
func rowsOf(at uint64, l *leaf, sum [sha256.Size]byte) []row {
	if l.kind != entryLeaf {
		return nil
	}
	e, place := l.entry, binary.BigEndian.AppendUint64(nil, at)
	rows := append(make([]row, 0, 6), row{append([]byte{idRow}, l.id...), append(place[:8:8], sum[:]...)})
	add := func(kind byte, parts ...string) {
		if parts[len(parts)-1] != "" {
			rows = append(rows, row{append(prefixOf(kind, parts...), l.id...), place})
		}
	}
	add(subjectRow, string(unhexed(e.Subject)))
	add(departmentRow, string(e.Department))
	add(clerkRow, string(e.Department), e.Clerk)
	add(itemRow, string(e.Item))
	add(caseRow, e.Case)
	for _, party := range e.Parties { // who was looked up beside the subject sees it among the accesses to their own data
		add(subjectRow, string(unhexed(party.Subject)))
	}
	return rows
}

// prefixOf begins the keys of the rows of a kind for the parts. A token is the only part that can hold a zero byte; it has one
// length.
func prefixOf(kind byte, parts ...string) []byte {
	out := append(make([]byte, 0, 128), kind)
	for _, part := range parts {
		out = append(append(out, part...), 0)
	}
	return out
}

func unhexed(token string) []byte {
	raw, err := hex.DecodeString(token)
	if err != nil {
		return nil
	}
	return raw
}

// commit stores the rows and that all leaves before next are indexed, or nothing. It does not wait for the disk: the log is the
// truth.
func (x *index) commit(rows []row, next uint64) error {
	rows = append(rows, row{[]byte{placeRow}, placeValue(next)})
	slices.SortFunc(rows, func(a, b row) int { return bytes.Compare(a.key, b.key) }) // what is in order is written at half the cost
	batch := x.db.NewBatch()
	defer batch.Close()
	for _, r := range rows {
		if err := batch.Set(r.key, r.value, nil); err != nil {
			return fmt.Errorf("write index: %w", err)
		}
	}
	if err := batch.Commit(pebble.NoSync); err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	return nil
}

// newest hands over the ids and leaves of the rows that begin with the prefix, the newest first, from before one id (empty: the
// end) down to another, until handle says no.
func (x *index) newest(ctx context.Context, prefix []byte, from, before string, handle func(id string, leaf uint64) (bool, error)) error {
	upper := append(bytes.Clone(prefix), before...)
	if before == "" {
		upper = append(upper, 0xff)
	}
	rows, err := x.db.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: append(bytes.Clone(prefix), from...), UpperBound: upper})
	if err != nil {
		return fmt.Errorf("read index: %w", err)
	}
	for ok := rows.Last(); ok && err == nil; ok = ok && rows.Prev() {
		value, valueErr := rows.ValueAndErr()
		if err = valueErr; err == nil && len(value) < 8 {
			err = errors.New("index is damaged")
		}
		if err == nil {
			ok, err = handle(string(rows.Key()[len(prefix):]), binary.BigEndian.Uint64(value))
		}
	}
	return errors.Join(err, rows.Close())
}
