// Package folded keeps what is folded from a topic as rows in a directory of this machine, by Pebble.
//
// A Store knows how far its topic, which has one partition, was folded, and that is written along with the rows. The topic is the
// truth: nothing waits for the disk, and what a crash takes is folded again from where the Store says.
//
//	s, err := folded.Open(folded.Config{Dir: dir, Of: "reliances", Format: 4, Remade: true, Log: log})
//	next, err := s.Next()
//	// follow the topic from next on, and make rows of its messages
//	err = s.Commit(rows, next)
package folded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"

	"github.com/onedoor/yimen/exchange/pebblelog"
)

// Config says what is kept, and how. Remade, Order, Unlogged and ReadOnly may be left out.
type Config struct {
	Dir      string           // made if it is not there
	Of       string           // what the rows are, for errors and the log: "audit index"
	Format   byte             // changes with the meaning of any row
	Remade   bool             // a directory of another format is made anew, to be folded from the beginning; else Open errs
	Order    *pebble.Comparer // of the keys; nil: that of bytes
	Unlogged bool             // no row is written to a log first: cheaper, and a crash takes all that was still gathered in memory
	ReadOnly bool             // nothing is made and nothing written
	Log      *slog.Logger
}

// Store is the rows of a directory, held by this process until Close. It is safe for concurrent use; one at a time writes.
type Store struct {
	DB     *pebble.DB // for whoever reads rows in their order; they are written by Write and Commit
	config Config
}

// Row is a key and what is kept under it. The key "m" is the store's own.
type Row struct{ Key, Value []byte }

// ErrDamaged is what reading yields that nobody has written.
var ErrDamaged = errors.New("damaged: stop the exchange, delete the directory and start again")

var errFormat = errors.New("rows are of another format")

const (
	cache = 16 << 20 // for blocks kept in memory
	table = 16 << 20 // rows of so many bytes are gathered before they are written to a file
)

// Open opens or makes the directory.
func Open(c Config) (*Store, error) {
	s, err := open(c)
	if !c.Remade || !errors.Is(err, errFormat) {
		return s, err
	}
	c.Log.Info(c.Of+": rows are of another format and are folded again", "dir", c.Dir)
	if err := os.RemoveAll(c.Dir); err != nil {
		return nil, fmt.Errorf("make %s anew: %w", c.Of, err)
	}
	return open(c)
}

func open(c Config) (*Store, error) {
	db, err := pebble.Open(c.Dir, c.options())
	if err != nil {
		return nil, fmt.Errorf("open %s in %s: %w", c.Of, c.Dir, err)
	}
	s := &Store{db, c}
	if _, err := s.Next(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (c *Config) options() *pebble.Options {
	o := &pebble.Options{
		CacheSize:             cache + 2*table, // Pebble takes the tables' room out of the cache
		MemTableSize:          table,
		FormatMajorVersion:    pebble.FormatValueSeparation,
		Comparer:              c.Order,
		L0CompactionThreshold: 8,
		DisableWAL:            c.Unlogged,
		ReadOnly:              c.ReadOnly,
		ErrorIfNotExists:      c.ReadOnly,
		Logger:                pebblelog.Log{Of: c.Of, Log: c.Log},
		// Whoever reads what is damaged gets an error; the process need not end, as it would without this.
		EventListener: &pebble.EventListener{DataCorruption: func(info pebble.DataCorruptionInfo) {
			c.Log.Error(c.Of+" "+ErrDamaged.Error(), "file", info.Path, "error", info.Details)
		}},
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return o
}

// Close writes everything to disk, so that nothing is folded again, and gives the directory free. No call may be under way.
func (s *Store) Close() error {
	if s.config.ReadOnly {
		return s.DB.Close()
	}
	return errors.Join(s.DB.Flush(), s.DB.Close())
}

// Get is what is kept under a key.
func (s *Store) Get(key []byte) (value []byte, found bool, err error) {
	value, closer, err := s.DB.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", s.config.Of, err)
	}
	return bytes.Clone(value), true, closer.Close()
}

// Next is the offset of the next message of the topic to fold.
func (s *Store) Next() (int64, error) {
	value, found, err := s.Get(placeKey)
	if err != nil || !found {
		return 0, err
	}
	next, err := readPlace(s.config.Format, value)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", s.config.Of, err)
	}
	return next, nil
}

// Commit stores the rows and that all messages before next are folded, or nothing. It puts the rows in order.
func (s *Store) Commit(rows []Row, next int64) error {
	return s.Write(append(rows, Row{placeKey, placeValue(s.config.Format, next)}))
}

// Write stores rows, all or none, and leaves Next as it is: their messages come again. It puts the rows in order, for what is in order
// is written at half the cost; of two with one key either may stay.
func (s *Store) Write(rows []Row) error {
	slices.SortFunc(rows, func(a, b Row) int { return bytes.Compare(a.Key, b.Key) })
	batch := s.DB.NewBatch()
	defer batch.Close()
	for _, r := range rows {
		if err := batch.Set(r.Key, r.Value, nil); err != nil {
			return fmt.Errorf("write %s: %w", s.config.Of, err)
		}
	}
	if err := batch.Commit(pebble.NoSync); err != nil {
		return fmt.Errorf("write %s: %w", s.config.Of, err)
	}
	return nil
}

// The row that says how far the topic was folded: the format, and the offset in eight bytes.
var placeKey = []byte("m")

func placeValue(format byte, next int64) []byte {
	return binary.BigEndian.AppendUint64([]byte{format}, uint64(next))
}

// readPlace is the way back from placeValue.
func readPlace(format byte, value []byte) (next int64, err error) {
	switch {
	case len(value) != 9:
		return 0, ErrDamaged
	case value[0] != format:
		return 0, errFormat
	}
	if next = int64(binary.BigEndian.Uint64(value[1:])); next < 0 {
		return 0, ErrDamaged
	}
	return next, nil
}
