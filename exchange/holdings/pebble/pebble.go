// Package pebble keeps the index of records in a directory of this machine, by Pebble.
package pebble

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/holdings"
	"github.com/onedoor/yimen/exchange/pebblelog"
)

// Config says where the index lies and what it may use.
type Config struct {
	Dir        string       // required; made if it is not there, and readable by its owner only
	CacheBytes int64        // for blocks kept in memory, beside at most 256 MiB of rows not yet written; 0: 128 MiB
	Log        *slog.Logger // nil: slog.Default
}

// Store is an index directory, held by this process until Close. It is a holdings.Engine.
type Store struct {
	dir  string
	lock *pebble.Lock

	came atomic.Int64 // bytes committed since it was opened
	rest func()       // ends the settling and waits for it

	mu     sync.RWMutex // held for reading during every use, so that Close waits for them
	db     *pebble.DB
	closed bool
}

var _ holdings.Engine = (*Store)(nil)

const (
	defaultCache = 128 << 20
	memTable     = 64 << 20 // rows of so many bytes are gathered before they are written sorted
	memTables    = 4        // as many may wait to be written
	block        = 8 << 10  // what is read at once: the rows of two holders or so
	// base is how large the rows in order are before they get a second level. It is about what is gathered before it is
	// merged into them, so that building an index merges little more than once.
	base = 512 << 20
)

// Open opens or makes the directory. A directory that another process holds is a Problem of kind Conflict.
func Open(c Config) (*Store, error) {
	if c.Dir == "" {
		return nil, &exchange.Problem{Code: "YM-IDX-0200", Kind: exchange.Invalid,
			What: exchange.Text{ZH: "没有指定索引目录", EN: "no index directory is set"},
			Mend: exchange.Text{ZH: "在配置中写明索引目录", EN: "set the index directory in the configuration"}}
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.CacheBytes == 0 {
		c.CacheBytes = defaultCache
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, unusable(c.Dir, err)
	}
	lock, err := pebble.LockDirectory(c.Dir, vfs.Default)
	if err != nil {
		return nil, locked(c.Dir, err)
	}
	o := options(c)
	o.Lock = lock
	db, err := pebble.Open(c.Dir, o)
	if err != nil {
		return nil, errors.Join(unusable(c.Dir, err), lock.Close())
	}
	s := &Store{dir: c.Dir, lock: lock, db: db}
	s.rest = s.background(func(ctx context.Context) { s.settling(ctx, c.Log) })
	return s, nil
}

// background runs what ends with its context, and gives what ends it.
func (s *Store) background(do func(context.Context)) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { do(ctx) })
	return func() { cancel(); running.Wait() }
}

func options(c Config) *pebble.Options {
	o := &pebble.Options{
		CacheSize:                   c.CacheBytes + memTables*memTable, // Pebble takes the tables' room out of the cache
		Comparer:                    order(),
		FormatMajorVersion:          pebble.FormatValueSeparation,
		MemTableSize:                memTable,
		MemTableStopWritesThreshold: memTables,
		L0CompactionThreshold:       8,
		L0StopWritesThreshold:       1000,
		LBaseMaxBytes:               base,
		MaxOpenFiles:                2000,
		CompactionConcurrencyRange:  func() (int, int) { return 1, max(1, runtime.GOMAXPROCS(0)/2) },
		Logger:                      pebblelog.Log{Of: "index engine", Log: c.Log},
		// The topics are the log. What a crash takes is folded again, some seconds' work; and nothing that was forgotten
		// is left in a log's old files.
		DisableWAL: true,
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy, o.Levels[i].BlockSize = bloom.FilterPolicy(10), block
	}
	o.TargetFileSizes[0] = 8 << 20
	// Values are sealed, and what is sealed does not shrink.
	o.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionNone })
	// Every value stays beside its key, so that a holder's rows are read at once; and what is deleted goes with the next merge.
	o.Experimental.SpanPolicyFunc = func([]byte) (pebble.SpanPolicy, []byte, error) {
		return pebble.SpanPolicy{DisableValueSeparationBySuffix: true, ValueStoragePolicy: pebble.ValueStorageLowReadLatency}, nil, nil
	}
	return o
}

// order is the order of bytes, with filters over the stem of each key instead of all of it.
func order() *pebble.Comparer {
	c := *pebble.DefaultComparer
	c.Name = "yimen.holdings.1"
	c.Split = func(key []byte) int { return min(len(key), holdings.StemSize) }
	return &c
}

// Get yields the value of each key that is there.
func (s *Store) Get(ctx context.Context, keys [][]byte, yield func(int, []byte) error) error {
	rows, done, err := s.iterate(ctx)
	if err != nil {
		return err
	}
	defer done()
	places := make([]int, len(keys)) // in the order of the keys: near ones share a block
	for i := range places {
		places[i] = i
	}
	slices.SortFunc(places, func(a, b int) int { return bytes.Compare(keys[a], keys[b]) })
	for _, i := range places {
		if !rows.SeekPrefixGE(keys[i]) || !bytes.Equal(rows.Key(), keys[i]) {
			continue
		}
		value, err := rows.ValueAndErr()
		if err != nil {
			return fmt.Errorf("read index %s: %w", s.dir, err)
		}
		if err := yield(i, value); err != nil {
			return err
		}
	}
	return s.wrap("read", rows.Error())
}

// Scan yields the rows under each prefix.
func (s *Store) Scan(ctx context.Context, prefixes [][]byte, yield func(key, value []byte) bool) error {
	rows, done, err := s.iterate(ctx)
	if err != nil {
		return err
	}
	defer done()
	for _, prefix := range prefixes {
		if err := ctx.Err(); err != nil {
			return err
		}
		seek := rows.SeekGE
		if len(prefix) >= holdings.StemSize {
			seek = rows.SeekPrefixGE
		}
		for ok := seek(prefix); ok && bytes.HasPrefix(rows.Key(), prefix); ok = rows.Next() {
			value, err := rows.ValueAndErr()
			if err != nil {
				return fmt.Errorf("read index %s: %w", s.dir, err)
			}
			if !yield(rows.Key(), value) {
				break
			}
		}
		if err := rows.Error(); err != nil {
			return s.wrap("read", err)
		}
	}
	return nil
}

// Walk yields the rows under a prefix from a key on.
func (s *Store) Walk(ctx context.Context, prefix, from []byte, yield func(key []byte, value func() ([]byte, error)) bool) error {
	rows, done, err := s.iterate(ctx)
	if err != nil {
		return err
	}
	defer done()
	start := prefix
	if bytes.Compare(from, start) > 0 {
		start = from
	}
	value := func() ([]byte, error) {
		v, err := rows.ValueAndErr()
		return v, s.wrap("read", err)
	}
	for ok := rows.SeekGE(start); ok && bytes.HasPrefix(rows.Key(), prefix); ok = rows.Next() {
		if !yield(rows.Key(), value) {
			break
		}
	}
	return s.wrap("read", rows.Error())
}

// iterate gives an iterator over everything committed so far; done gives it back.
func (s *Store) iterate(ctx context.Context) (rows *pebble.Iterator, done func(), err error) {
	if err := s.use(); err != nil {
		return nil, nil, err
	}
	rows, err = s.db.NewIterWithContext(ctx, &pebble.IterOptions{UseL6Filters: true})
	if err != nil {
		s.mu.RUnlock()
		return nil, nil, s.wrap("read", err)
	}
	return rows, func() { rows.Close(); s.mu.RUnlock() }, nil
}

// Commit stores all rows or none. It does not wait for the disk: the topics are the truth, and a lost end takes
// its offsets with it.
func (s *Store) Commit(ctx context.Context, rows []holdings.Row) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.use(); err != nil {
		return err
	}
	defer s.mu.RUnlock()
	size := 0
	for i := range rows {
		size += len(rows[i].Key) + len(rows[i].Value) + 16
	}
	s.came.Add(int64(size))
	batch := s.db.NewBatchWithSize(size + 16)
	defer batch.Close()
	for _, i := range sorted(rows) {
		var err error
		if r := &rows[i]; r.Delete {
			err = batch.Delete(r.Key, nil)
		} else {
			err = batch.Set(r.Key, r.Value, nil)
		}
		if err != nil {
			return s.wrap("write", err)
		}
	}
	return s.wrap("write", batch.Commit(pebble.NoSync))
}

// sorted gives the places of the rows in the order of their keys, those of one key in their own order: rows whose keys are near
// each other are put in faster one after the other.
func sorted(rows []holdings.Row) []int32 {
	places := make([]int32, len(rows))
	for i := range places {
		places[i] = int32(i)
	}
	slices.SortFunc(places, func(a, b int32) int { return cmp.Or(bytes.Compare(rows[a].Key, rows[b].Key), cmp.Compare(a, b)) })
	return places
}

// tooMany prefixes are purged by merging everything.
const tooMany = 256

// Purge writes what is gathered and merges all that lies under the prefixes, down to the last level.
func (s *Store) Purge(ctx context.Context, prefixes [][]byte) error {
	if err := s.use(); err != nil {
		return err
	}
	defer s.mu.RUnlock()
	if err := s.db.Flush(); err != nil {
		return s.wrap("purge", err)
	}
	if len(prefixes) > tooMany {
		prefixes = [][]byte{{}}
	}
	for _, prefix := range prefixes {
		if err := s.db.Compact(ctx, prefix, behind(prefix), false); err != nil {
			return s.wrap("purge", err)
		}
	}
	return s.wrap("purge", s.gone(ctx))
}

// behind is the first key after all that begin with the prefix.
func behind(prefix []byte) []byte {
	key := bytes.Clone(prefix)
	for i := len(key) - 1; i >= 0; i-- {
		if key[i]++; key[i] != 0 {
			return key[:i+1]
		}
	}
	return bytes.Repeat([]byte{0xff}, holdings.StemSize+1) // no family of rows is behind it
}

// gone waits until every file that nothing needs any more is deleted.
func (s *Store) gone(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if m := s.db.Metrics(); m.Table.ObsoleteCount+m.Table.ZombieCount == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Close waits for calls under way, writes everything to disk and gives the directory free.
func (s *Store) Close() error {
	s.rest()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return s.wrap("close", errors.Join(s.db.Flush(), s.db.Close(), s.lock.Close()))
}

// use holds the store open until the caller unlocks mu for reading.
func (s *Store) use() error {
	s.mu.RLock()
	if s.closed {
		s.mu.RUnlock()
		return fmt.Errorf("use index %s: %w", s.dir, fs.ErrClosed)
	}
	return nil
}

func (s *Store) wrap(act string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s index %s: %w", act, s.dir, err)
}
