package notice

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/pebblelog"
)

// The rows of a store, by the first byte of their keys.
const (
	placeRow   = 'p' // topic 0 partition → the offset of the next message
	workRow    = 'w' // record id ‖ type → work: somebody must look at the record
	toldRow    = 't' // event id → when: it is on its topic
	waitingRow = 'd' // subscription 0 event id → delivery
	outcomeRow = 'o' // subscription 0 event id → when: it was delivered or given up
	erasedRow  = 'e' // record id → when a message of the record was last erased from its topic
	boardRow   = 's' // subscription → Subscription: those in force, as of the place in their topic
)

// store is what an office must not lose between two starts: how far it read, at which records it must look, and what is to be delivered.
// It is no folded.Store: it follows many topics, what it says must be on the disk before others go on, and of two rows with one key put
// together the last one holds.
type store struct{ db *pebble.DB }

const (
	storeCache = 8 << 20
	storeTable = 4 << 20
)

func openStore(dir string, log *slog.Logger) (*store, error) {
	db, err := pebble.Open(dir, &pebble.Options{CacheSize: storeCache, MemTableSize: storeTable, FormatMajorVersion: pebble.FormatValueSeparation, Logger: pebblelog.Log{Of: "notices", Log: log}})
	if err != nil {
		return nil, fmt.Errorf("open notices in %s: %w", dir, err)
	}
	return &store{db}, nil
}

func (s *store) close() error { return errors.Join(s.db.Flush(), s.db.Close()) }

// row is a row to be written, or where gone is set to be deleted.
type row struct {
	key, value []byte
	gone       bool
}

// put writes rows, all or none. They are on the disk when it returns, unless that can wait: a place alone may be older after a crash.
func (s *store) put(durable bool, rows ...row) error {
	batch := s.db.NewBatch()
	defer batch.Close()
	var err error
	for _, r := range rows {
		if r.gone {
			err = errors.Join(err, batch.Delete(r.key, nil))
		} else {
			err = errors.Join(err, batch.Set(r.key, r.value, nil))
		}
	}
	options := pebble.NoSync
	if durable {
		options = pebble.Sync
	}
	if err = errors.Join(err, batch.Commit(options)); err != nil {
		return fmt.Errorf("write notices: %w", err)
	}
	return nil
}

func (s *store) get(key []byte) (value []byte, found bool, err error) {
	value, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read notices: %w", err)
	}
	return bytes.Clone(value), true, closer.Close()
}

// scan yields the rows under a prefix until it says no.
func (s *store) scan(ctx context.Context, prefix []byte, yield func(key, value []byte) bool) error {
	rows, err := s.db.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: prefix})
	if err != nil {
		return fmt.Errorf("read notices: %w", err)
	}
	for ok := rows.First(); ok && err == nil && bytes.HasPrefix(rows.Key(), prefix); ok = ok && rows.Next() {
		value, valueErr := rows.ValueAndErr()
		if err = valueErr; err == nil {
			ok = yield(bytes.Clone(rows.Key()), bytes.Clone(value))
		}
	}
	if err = errors.Join(err, rows.Close()); err != nil {
		return fmt.Errorf("read notices: %w", err)
	}
	return nil
}

// places gives the offsets of the next messages of a topic, by partition.
func (s *store) places(ctx context.Context, topic string) (map[int]int64, error) {
	next := map[int]int64{}
	prefix := append(append([]byte{placeRow}, topic...), 0)
	err := s.scan(ctx, prefix, func(key, value []byte) bool {
		if rest := key[len(prefix):]; len(rest) == 4 && len(value) == 8 {
			next[int(binary.BigEndian.Uint32(rest))] = int64(binary.BigEndian.Uint64(value))
		}
		return true
	})
	return next, err
}

func placed(topic string, partition int, next int64) row {
	key := append(append([]byte{placeRow}, topic...), 0)
	return row{key: binary.BigEndian.AppendUint32(key, uint32(partition)), value: binary.BigEndian.AppendUint64(nil, uint64(next))}
}

func subscriptionKey(id string) []byte { return append([]byte{boardRow}, id...) }

// board is the subscriptions and how far their topic was folded. Where a row is damaged it is an empty one, so that all is folded again.
func (s *store) board(ctx context.Context) (board, error) {
	next, err := s.places(ctx, SubscriptionsTopic)
	if err != nil {
		return board{}, err
	}
	b, sound := newBoard(), true
	err = s.scan(ctx, []byte{boardRow}, func(key, value []byte) bool {
		var of Subscription
		if sound = json.Unmarshal(value, &of) == nil && string(key[1:]) == of.ID; sound {
			b.enter(&of)
		}
		return sound
	})
	if err != nil || !sound {
		return newBoard(), err
	}
	b.next, b.folded = next[0], next[0]
	return b, nil
}

// under are the rows under a prefix, to be deleted.
func (s *store) under(ctx context.Context, prefix []byte) (rows []row, err error) {
	err = s.scan(ctx, prefix, func(key, _ []byte) bool {
		rows = append(rows, row{key: key, gone: true})
		return true
	})
	return rows, err
}

// work is a record that somebody must look at.
type work struct {
	Type   exchange.EvidenceType `json:"-"`
	Record exchange.RecordID     `json:"-"`
	Mark   uint64                `json:"mark"` // tells one writing of a row from the next, while a process lasts
	Due    time.Time             `json:"due"`
	Tries  int                   `json:"tries,omitzero"` // how often it could not be looked at
}

func (w *work) row() row {
	value, _ := json.Marshal(w) // of such members it never errs
	return row{key: append(append([]byte{workRow}, w.Record[:]...), w.Type...), value: value}
}

func readWork(key, value []byte) (w work, ok bool) {
	const head = 1 + len(exchange.RecordID{})
	if len(key) <= head || json.Unmarshal(value, &w) != nil {
		return w, false
	}
	w.Record, w.Type = exchange.RecordID(key[1:head]), exchange.EvidenceType(key[head:])
	return w, true
}

func erased(id exchange.RecordID, at time.Time) row {
	return row{key: append([]byte{erasedRow}, id[:]...), value: moment(at)}
}

// erasedAt is when a message of the record was last erased; zero: never.
func (s *store) erasedAt(id exchange.RecordID) (time.Time, error) {
	value, found, err := s.get(erased(id, time.Time{}).key)
	if err != nil || !found {
		return time.Time{}, err
	}
	at, _ := readMoment(value)
	return at, nil
}

func told(event string, at time.Time) row {
	return row{key: append([]byte{toldRow}, event...), value: moment(at)}
}

func outcome(subscription, event string, at time.Time) row {
	return row{key: pairKey(outcomeRow, subscription, event), value: moment(at)}
}

func moment(at time.Time) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(at.UnixMilli()))
}

func readMoment(value []byte) (at time.Time, ok bool) {
	if len(value) != 8 {
		return at, false
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(value))).UTC(), true
}

func pairKey(kind byte, subscription, event string) []byte {
	return append(append(append([]byte{kind}, subscription...), 0), event...)
}

// delivery is an event on its way to a webhook.
type delivery struct {
	Event Event     `json:"event"`
	Made  time.Time `json:"made"`
	Tried time.Time `json:"tried,omitzero"` // the last time
	Tries int       `json:"tries,omitzero"`
}

// waiters are the subscriptions for which something waits.
func (s *store) waiters(ctx context.Context) (ids []string, err error) {
	rows, err := s.db.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: []byte{waitingRow}, UpperBound: []byte{waitingRow + 1}})
	if err != nil {
		return nil, fmt.Errorf("read notices: %w", err)
	}
	for ok := rows.First(); ok; {
		id, _, _ := bytes.Cut(rows.Key()[1:], []byte{0})
		ids = append(ids, string(id))
		ok = rows.SeekGE(append(append([]byte{waitingRow}, id...), 1))
	}
	if err := errors.Join(rows.Error(), rows.Close()); err != nil {
		return nil, fmt.Errorf("read notices: %w", err)
	}
	return ids, nil
}

// waiting are the deliveries of a subscription, first those that were tried longest ago, and no more than so many. Rows that
// are damaged are deleted: whoever looks at the record again makes them anew.
func (s *store) waiting(ctx context.Context, subscription string, most int) (all []delivery, err error) {
	var damaged []row
	err = s.scan(ctx, pairKey(waitingRow, subscription, ""), func(key, value []byte) bool {
		var d delivery
		if json.Unmarshal(value, &d) != nil {
			damaged = append(damaged, row{key: key, gone: true})
		} else {
			all = append(all, d)
		}
		if len(all) >= 2*most { // so that not all are held at once
			all = oldest(all, most)
		}
		return true
	})
	if err == nil && len(damaged) > 0 {
		err = s.put(false, damaged...)
	}
	return oldest(all, most), err
}

// oldest are those that were tried longest ago.
func oldest(all []delivery, most int) []delivery {
	slices.SortStableFunc(all, func(a, b delivery) int { return cmp.Or(a.Tried.Compare(b.Tried), a.Made.Compare(b.Made)) })
	return all[:min(len(all), most)]
}

func (d *delivery) row(subscription string) row {
	value, _ := json.Marshal(d)
	return row{key: pairKey(waitingRow, subscription, d.Event.ID), value: value}
}

// count is how many rows there are under a prefix.
func (s *store) count(ctx context.Context, prefix []byte) (n int, err error) {
	err = s.scan(ctx, prefix, func(_, _ []byte) bool { n++; return true })
	return n, err
}
