package holdings

import "context"

// Engine keeps rows in the order of their keys. It is where the index does I/O: Pebble on a node's own disk, a database
// where several nodes share one. An engine learns no secret; it sees tokens and sealed values only.
//
// All methods are safe for concurrent use. Slices given to yield are valid until yield returns. Get, Scan and Walk see every
// Commit that returned before they were called.
type Engine interface {
	// Get yields the value of each key that is there, with the key's place in keys, in any order. It stops with
	// yield's error.
	Get(ctx context.Context, keys [][]byte, yield func(i int, value []byte) error) error
	// Scan yields, prefix after prefix, the rows whose keys begin with it, in the order of their keys. When yield
	// says false, the rest of that prefix is left out and the next one begins.
	Scan(ctx context.Context, prefixes [][]byte, yield func(key, value []byte) bool) error
	// Walk yields the rows whose keys begin with prefix, in the order of their keys, from the key from on (empty: all), until
	// yield says false. value reads the row's value: rows that nobody wants cost only their keys. It works until yield returns.
	Walk(ctx context.Context, prefix, from []byte, yield func(key []byte, value func() ([]byte, error)) bool) error
	// Commit stores all rows or none; of two rows with one key the last counts. It may return before the rows are
	// durable, but what a crash takes away is always the end: no commit survives one that returned before it. It keeps
	// no slice of what it was given.
	Commit(ctx context.Context, rows []Row) error
	// Purge returns when everything committed so far is durable, and no file that the engine still has holds bytes of rows that
	// were deleted or replaced under one of the prefixes. What it costs is bounded by the files that hold such rows. Readers
	// that began before it can delay it.
	Purge(ctx context.Context, prefixes [][]byte) error
}

// Row is one key and its value, which may be empty; or the end of the row with that key.
type Row struct {
	Key, Value []byte
	Delete     bool // then Value counts for nothing; there need be no such row
}

// StemSize is the length of the part of a key that look-ups by record or holder name in full: a byte for the family
// and an id of 16 bytes. An engine may keep filters over it.
const StemSize = 1 + 16
