package adapters

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/onedoor/yimen/exchange"
)

// state is what an adapter remembers between runs: which content of which record it has published, what is on its
// way (pending), which rows are in quarantine, and how far the source was read. It holds no identifier and no
// content in the clear: ids and digests are keyed, pending messages and quarantined rows are sealed.
//
// A batch is written (fsync) before it is appended and released after the acknowledgement. Between the two a
// crash leaves it pending, and the next start appends the very same bytes again.
type state struct {
	db   *pebble.DB
	meta meta
}

// meta is the state's one row of bookkeeping.
type meta struct {
	Format  int                   `json:"format"`
	Adapter exchange.Adapter      `json:"adapter"`
	Type    exchange.EvidenceType `json:"type"`
	Key     string                `json:"key,omitempty"` // names the department's key that the records' ids follow from
	// Rebuilding says that a lost state is being made again from the topics: what is there is not all.
	Rebuilding bool      `json:"rebuilding,omitempty"`
	Place      Place     `json:"place,omitempty"`
	Meaning    string    `json:"meaning"` // hash of manifest and schema: another meaning reads the source anew
	Ordinals   uint32    `json:"ordinals"`
	Sequence   uint64    `json:"sequence"`
	End        reach     `json:"end,omitempty"`      // of the evidence topic
	Rejected   reach     `json:"rejected,omitempty"` // of the quarantine topic
	Last       Result    `json:"last"`               // of the last reading that came to its end
	UpTo       time.Time `json:"up_to,omitzero"`
	Affirmed   time.Time `json:"affirmed,omitzero"`   // when the source was last read row by row
	Exported   time.Time `json:"exported,omitzero"`   // up to when the rows of the last reading told the truth
	HeldUpTo   time.Time `json:"held_up_to,omitzero"` // of the last reading that held withdrawals back
}

// reach is, per partition of a topic, the offset after this adapter's last acknowledged message.
type reach map[int]int64

func (r *reach) include(m *exchange.Message) {
	if *r == nil {
		*r = reach{}
	}
	(*r)[m.Partition] = max((*r)[m.Partition], m.Offset+1)
}

// known is what was last published of a record.
type known struct {
	Version   exchange.Version
	Digest    exchange.Digest
	Ordinal   uint32 // numbers the records of this adapter, so that "seen" is a bit
	Withdrawn bool
	Missed    bool // its row was gone in a complete reading in which it could not be told why
}

const stateFormat = 1

const (
	prefixMeta       = 'm'
	prefixKnown      = 'k'
	prefixPending    = 'p'
	prefixQuarantine = 'q'
)

// openState opens or makes the state in dir. Only one process may hold it.
func openState(dir string, adapter exchange.Adapter, evidence exchange.EvidenceType) (*state, error) {
	dir = filepath.Join(dir, databaseDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	db, err := pebble.Open(dir, options())
	if err != nil {
		return nil, openProblem(dir, err)
	}
	s := &state{db: db, meta: meta{Format: stateFormat, Adapter: adapter, Type: evidence}}
	if err := s.loadMeta(dir); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// options suit the state's two habits: most look-ups are for records that are not there yet, which the filters answer, and what
// is pending lives for a batch only, so that it should die in a memtable and never be written to a table. Pebble takes its
// memtables out of the cache; what is left holds the filters.
func options() *pebble.Options {
	o := &pebble.Options{Logger: quiet{}, CacheSize: 64 << 20, MemTableSize: 16 << 20, FormatMajorVersion: pebble.FormatNewest}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return o
}

func (s *state) loadMeta(dir string) error {
	value, closer, err := s.db.Get([]byte{prefixMeta})
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read adapter state: %w", err)
	}
	defer closer.Close()
	var m meta
	if err := json.Unmarshal(value, &m); err != nil || m.Format != stateFormat || m.Adapter != s.meta.Adapter || m.Type != s.meta.Type {
		return &exchange.Problem{Code: "YM-ADP-0102", Kind: exchange.Invalid,
			What: exchange.Text{ZH: "状态目录不属于本适配器或版本不符：" + dir, EN: "state directory belongs to another adapter or version: " + dir},
			Why:  exchange.Text{ZH: fmt.Sprintf("目录中记录的适配器为 %s，证照类型为 %s", m.Adapter, m.Type), EN: fmt.Sprintf("it names the adapter %s of %s", m.Adapter, m.Type)},
			Mend: exchange.Text{ZH: "给另一种证照的适配器另取名字；用 --data 指定另一目录；删除该目录也可以，状态会从自己的主题重建",
				EN: "give an adapter of another type another name; name another directory with --data; deleting it is safe too, the state is rebuilt from the adapter's own topic"}}
	}
	s.meta = m
	return nil
}

func openProblem(dir string, err error) error {
	return &exchange.Problem{Code: "YM-ADP-0101", Kind: exchange.Conflict,
		What: exchange.Text{ZH: "无法打开状态目录：" + dir, EN: "state directory cannot be opened: " + dir},
		Why:  exchange.Text{ZH: "可能有另一个适配器进程正在使用它", EN: "another process of this adapter may hold it"},
		Mend: exchange.Text{ZH: "先停止另一个进程；如没有，请检查目录权限和磁盘空间", EN: "stop the other process first; if there is none, check the directory's rights and free space"},
		Err:  err}
}

func (s *state) Close() error { return s.db.Close() }

// fresh says that the state does not know yet what was published: it is new, or a rebuild of it was cut short.
func (s *state) fresh() bool {
	return s.meta.Rebuilding || s.meta.Ordinals == 0 && s.meta.Sequence == 0
}

// write is one atomic change of the state. What it reads includes what it has written.
type write struct {
	s *state
	b *pebble.Batch
}

func (s *state) write() *write { return &write{s: s, b: s.db.NewIndexedBatch()} }

// known looks a record up.
func (w *write) known(id exchange.RecordID) (known, bool, error) {
	value, closer, err := w.b.Get(knownKey(id))
	if errors.Is(err, pebble.ErrNotFound) {
		return known{}, false, nil
	}
	if err != nil {
		return known{}, false, fmt.Errorf("read adapter state: %w", err)
	}
	defer closer.Close()
	k, err := decodeKnown(value)
	return k, err == nil, err
}

// publish notes a record's new version and returns it with its ordinal, new where the record is.
func (w *write) publish(id exchange.RecordID, k known, first bool) (known, error) {
	if first {
		k.Ordinal = w.s.meta.Ordinals
		w.s.meta.Ordinals++
	}
	return k, w.b.Set(knownKey(id), encodeKnown(k), nil)
}

func (w *write) quarantine(s *safe, q *Quarantined) error {
	sealed, err := s.lock(q)
	if err != nil {
		return err
	}
	return w.b.Set(quarantineKey(q.Row), sealed, nil)
}

// quarantineUnknown notes a row of which only the id is known.
func (w *write) quarantineUnknown(row [16]byte) error { return w.b.Set(quarantineKey(row), nil, nil) }

func (w *write) unquarantine(row [16]byte) error { return w.b.Delete(quarantineKey(row), nil) }

// pend stores a message before it is appended.
func (w *write) pend(m *exchange.Message) error {
	w.s.meta.Sequence++
	return w.b.Set(pendingKey(w.s.meta.Sequence), encodeMessage(m), nil)
}

// release forgets the pending messages up to the last one named: they are acknowledged.
func (w *write) release(last uint64) error {
	return w.b.DeleteRange([]byte{prefixPending}, pendingKey(last+1), nil)
}

// commit makes the write last, with the bookkeeping of this moment. durable: on the disk before it returns.
func (w *write) commit(durable bool) error {
	encoded, err := json.Marshal(&w.s.meta)
	if err != nil {
		return fmt.Errorf("write adapter state: %w", err)
	}
	if err := w.b.Set([]byte{prefixMeta}, encoded, nil); err != nil {
		return fmt.Errorf("write adapter state: %w", err)
	}
	option := pebble.NoSync
	if durable {
		option = pebble.Sync
	}
	if err := w.b.Commit(option); err != nil {
		return fmt.Errorf("write adapter state: %w", err)
	}
	return nil
}

func (w *write) discard() { w.b.Close() }

// pending yields what was stored before an append that was never acknowledged, in order.
func (s *state) pending(yield func(uint64, exchange.Message) error) error {
	return s.scan(prefixPending, func(key, value []byte) error {
		m, err := decodeMessage(value)
		if err != nil {
			return err
		}
		return yield(binary.BigEndian.Uint64(key), m)
	})
}

// quarantined gives a row's sealed entry as it was committed last.
func (s *state) quarantined(row [16]byte) ([]byte, error) {
	value, closer, err := s.db.Get(quarantineKey(row))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read adapter state: %w", err)
	}
	defer closer.Close()
	return bytes.Clone(value), nil
}

// records yields all known records.
func (s *state) records(yield func(exchange.RecordID, known) error) error {
	return s.scan(prefixKnown, func(key, value []byte) error {
		k, err := decodeKnown(value)
		if err != nil {
			return err
		}
		return yield(exchange.RecordID(key), k)
	})
}

// scan yields the entries under a prefix, keys without it. The slices are good until yield returns.
func (s *state) scan(prefix byte, yield func(key, value []byte) error) error {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{prefix}, UpperBound: []byte{prefix + 1}})
	if err != nil {
		return fmt.Errorf("read adapter state: %w", err)
	}
	for it.First(); it.Valid(); it.Next() {
		if err := yield(it.Key()[1:], it.Value()); err != nil {
			return errors.Join(err, it.Close())
		}
	}
	return errors.Join(it.Error(), it.Close())
}

func knownKey(id exchange.RecordID) []byte { return append([]byte{prefixKnown}, id[:]...) }

func pendingKey(sequence uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{prefixPending}, sequence)
}

const (
	knownSize = 8 + 32 + 4 + 1

	flagWithdrawn = 1 << 0
	flagMissed    = 1 << 1
)

func encodeKnown(k known) []byte {
	out := binary.BigEndian.AppendUint64(make([]byte, 0, knownSize), uint64(k.Version))
	out = append(out, k.Digest[:]...)
	out = binary.BigEndian.AppendUint32(out, k.Ordinal)
	var flags byte
	if k.Withdrawn {
		flags |= flagWithdrawn
	}
	if k.Missed {
		flags |= flagMissed
	}
	return append(out, flags)
}

func decodeKnown(b []byte) (known, error) {
	if len(b) != knownSize {
		return known{}, fmt.Errorf("read adapter state: entry of %d bytes, want %d", len(b), knownSize)
	}
	return known{
		Version:   exchange.Version(binary.BigEndian.Uint64(b)),
		Digest:    exchange.Digest(b[8:40]),
		Ordinal:   binary.BigEndian.Uint32(b[40:44]),
		Withdrawn: b[44]&flagWithdrawn != 0,
		Missed:    b[44]&flagMissed != 0,
	}, nil
}

// quiet keeps Pebble's own chatter off stderr; its errors reach us as errors.
type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(format string, args ...any) {
	panic(fmt.Sprintf("adapter state: "+format, args...))
}
