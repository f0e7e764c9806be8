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
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"github.com/onedoor/yimen/exchange/folded"
)

// index finds entries in the log: by id, by subject, by who asked for what. It is made of the log and can be made again by
// deleting its directory. It holds what the log holds: tokens, codes and places, no number and no name.
type index struct {
	rows *folded.Store
	last atomic.Pointer[string] // no entry that is indexed has a greater id
}

// The first byte of a row's key says what the row is. Each ends in the entry's id, so that rows are in the order of time; the value
// begins with the leaf's place in the log. The store's own row says which leaf is to be indexed next.
const (
	idRow         = 'i' // id → leaf, SHA-256 of the entry
	subjectRow    = 's' // token, id
	departmentRow = 'd' // department, id
	clerkRow      = 'c' // department, clerk, id
	itemRow       = 't' // item, id
	caseRow       = 'f' // case, id
)

const indexFormat = 1

// openIndex opens the index. One of another format is not made anew unasked, for it says how long the log was (see catchUp); and rows are
// logged, so that one which was killed is not far behind the log with which it is compared.
func openIndex(dir string, log *slog.Logger, readOnly bool) (*index, error) {
	rows, err := folded.Open(folded.Config{Dir: dir, Of: "audit index", Format: indexFormat, ReadOnly: readOnly, Log: log})
	if err != nil {
		return nil, err
	}
	x := &index{rows: rows}
	var last string // empty: no entry is indexed
	err = x.newest(context.Background(), []byte{idRow}, "", "", func(id string, _ uint64) (bool, error) {
		last = id
		return false, nil
	})
	if err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	x.last.Store(&last)
	return x, nil
}

func (x *index) close() error { return x.rows.Close() }

// next is the first leaf that is not indexed.
func (x *index) next() (uint64, error) {
	next, err := x.rows.Next()
	return uint64(next), err
}

// find is where the entry is, and its hash. Ids are in the order of time, so that one which has just come is mostly greater than all that
// are indexed, and nothing need be read.
func (x *index) find(id string) (leaf uint64, hash [sha256.Size]byte, found bool, err error) {
	if id > *x.last.Load() {
		return 0, hash, false, nil
	}
	value, found, err := x.rows.Get(append([]byte{idRow}, id...))
	if err != nil || !found {
		return 0, hash, false, err
	}
	if len(value) != 8+len(hash) {
		return 0, hash, false, fmt.Errorf("read index: %w", folded.ErrDamaged)
	}
	return binary.BigEndian.Uint64(value), [sha256.Size]byte(value[8:]), true, nil
}

// rowsOf are the rows of a leaf whose body has the hash. What is no entry has none.
func rowsOf(at uint64, l *leaf, sum [sha256.Size]byte) []folded.Row {
	if l.kind != entryLeaf {
		return nil
	}
	e, place := l.entry, binary.BigEndian.AppendUint64(nil, at)
	rows := append(make([]folded.Row, 0, 6), folded.Row{Key: append([]byte{idRow}, l.id...), Value: append(place[:8:8], sum[:]...)})
	add := func(kind byte, parts ...string) {
		if parts[len(parts)-1] != "" {
			rows = append(rows, folded.Row{Key: append(prefixOf(kind, parts...), l.id...), Value: place})
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

// commit stores the rows and that all leaves before next are indexed, or nothing. One at a time commits.
func (x *index) commit(rows []folded.Row, next uint64) error {
	last := *x.last.Load()
	for i := range rows {
		if id := rows[i].Key[1:]; rows[i].Key[0] == idRow && string(id) > last {
			last = string(id)
		}
	}
	x.last.Store(&last) // before: after an error nobody knows what is stored
	return x.rows.Commit(rows, int64(next))
}

// newest hands over the ids and leaves of the rows that begin with the prefix, the newest first, from before one id (empty: the
// end) down to another, until handle says no.
func (x *index) newest(ctx context.Context, prefix []byte, from, before string, handle func(id string, leaf uint64) (bool, error)) error {
	upper := append(bytes.Clone(prefix), before...)
	if before == "" {
		upper = append(upper, 0xff)
	}
	rows, err := x.rows.DB.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: append(bytes.Clone(prefix), from...), UpperBound: upper})
	if err != nil {
		return fmt.Errorf("read index: %w", err)
	}
	for ok := rows.Last(); ok && err == nil; ok = ok && rows.Prev() {
		value, valueErr := rows.ValueAndErr()
		if err = valueErr; err == nil && len(value) < 8 {
			err = fmt.Errorf("read index: %w", folded.ErrDamaged)
		}
		if err == nil {
			ok, err = handle(string(rows.Key()[len(prefix):]), binary.BigEndian.Uint64(value))
		}
	}
	return errors.Join(err, rows.Close())
}
