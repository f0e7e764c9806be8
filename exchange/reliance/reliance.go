// Package reliance knows which cases relied on a record.
//
// A Book folds the audit topic: whenever a query was answered, the entry names the records that the answer rested on. Relied says of a
// record which entries did, so that somebody can be told when it turns out otherwise. A Book holds what the log holds: ids, codes and
// versions, no number, no name and no field. It is made of the topic and can be made again by deleting its directory.
package reliance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/folded"
)

// Reliance is one answer that rested on a version of a record: it said of it that the applicant has it (held), or that it is to be
// checked. A record that an answer only gave as the reason why something is missing, such as a revoked one, was not relied on.
type Reliance struct {
	Entry      string                `json:"entry"` // of the audit log
	At         time.Time             `json:"at"`    // of the entry
	Department exchange.Department   `json:"department"`
	Case       string                `json:"case"`
	Clerk      string                `json:"clerk"` // the staff code
	Type       exchange.EvidenceType `json:"type"`
	Record     exchange.RecordID     `json:"record"`
	Version    exchange.Version      `json:"version"`
	Mode       string                `json:"mode,omitempty"` // how much the answer told, as in its entry; empty: the record too
}

// Config is what a Book is made of. Dir is required.
type Config struct {
	Dir string // made if it is not there
	// Learnt is given what entries have added, after Relied knows it and before the place in the topic moves on: what it errs over comes
	// again, and after a crash it may come twice. Nil: nobody is told.
	Learnt func(context.Context, []Reliance) error
	Log    *slog.Logger // nil: silent
}

// Book is the reliances of a city, held by this process until Close. It is safe for concurrent use.
type Book struct {
	cfg  Config
	rows *folded.Store
	next atomic.Int64
}

// Open opens or makes the directory. One of another format is made anew, to be folded from the beginning.
func Open(c Config) (*Book, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	rows, err := folded.Open(folded.Config{Dir: c.Dir, Of: "reliances", Format: rowFormat, Remade: true, Order: order(), Unlogged: true, Log: c.Log})
	if err != nil {
		return nil, err
	}
	b := &Book{cfg: c, rows: rows}
	next, err := rows.Next()
	if err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	b.next.Store(next)
	return b, nil
}

// Close writes everything to disk and gives the directory free. No call may be under way.
func (b *Book) Close() error { return b.rows.Close() }

// Next is the offset of the next message of the audit topic to take; it has one partition.
func (b *Book) Next() int64 { return b.next.Load() }

// Take folds messages of the topic in the order of their offsets; what was taken before is passed over, and so is what is no entry.
func (b *Book) Take(ctx context.Context, msgs []exchange.Message) error {
	var learnt []entry
	next := b.Next()
	for i := range msgs {
		if msgs[i].Offset < next {
			continue
		}
		next = msgs[i].Offset + 1
		e, err := audit.EntryOf(&msgs[i])
		if err != nil {
			continue
		}
		if relied := of(e); len(relied) > 0 {
			learnt = append(learnt, entry{msgs[i].Offset, relied})
		}
	}
	if next == b.Next() {
		return nil
	}
	if len(learnt) > 0 {
		if err := b.rows.Write(rowsOf(learnt)); err != nil {
			return err
		}
		if b.cfg.Learnt != nil {
			if err := b.cfg.Learnt(ctx, flat(learnt)); err != nil {
				return err
			}
		}
	}
	if err := b.rows.Commit(nil, next); err != nil {
		return err
	}
	b.next.Store(next)
	return nil
}

// entry is one of the log that relied on something.
type entry struct {
	offset int64
	relied []Reliance // one at least
}

func flat(entries []entry) []Reliance {
	all := make([]Reliance, 0, 8*len(entries))
	for i := range entries {
		all = append(all, entries[i].relied...)
	}
	return all
}

// of are the records that an entry relied on.
func of(e *audit.Entry) []Reliance {
	if e.Kind != audit.Query || e.Decision != audit.Answered {
		return nil
	}
	all := make([]Reliance, 0, len(e.Materials)) // mostly each rests on one
	for i := range e.Materials {
		for _, on := range e.Materials[i].Evidence {
			var id exchange.RecordID
			if on.Outcome != exchange.Held && on.Outcome != exchange.Check || id.UnmarshalText([]byte(on.Record)) != nil {
				continue
			}
			if strings.Contains(string(on.Type), "\x00") || strings.Contains(e.Mode, "\x00") {
				continue // nobody writes this but who forges: no row could hold it
			}
			all = append(all, Reliance{Entry: e.ID, At: e.Time, Department: e.Department, Case: e.Case, Clerk: e.Clerk, Type: on.Type, Record: id, Version: on.Version, Mode: e.Mode})
		}
	}
	return all
}

// Relied lists the answers that relied on any version of the record, the oldest first.
func (b *Book) Relied(ctx context.Context, id exchange.RecordID) ([]Reliance, error) {
	all, err := b.under(ctx, recordPrefix(id), func(r Reliance) bool { return r.Record == id })
	slices.SortStableFunc(all, func(a, b Reliance) int { return strings.Compare(a.Entry, b.Entry) })
	return slices.Compact(all), err // an entry that stands on the topic twice is one
}

// Known gives those of the records that anybody relied on. It is quick where nobody did.
func (b *Book) Known(ctx context.Context, ids []exchange.RecordID) ([]exchange.RecordID, error) {
	rows, err := b.rows.DB.NewIterWithContext(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("read reliances: %w", err)
	}
	var known []exchange.RecordID
	for _, id := range ids {
		if rows.SeekPrefixGE(recordPrefix(id)) {
			known = append(known, id)
		}
	}
	if err := errors.Join(rows.Error(), rows.Close()); err != nil {
		return nil, fmt.Errorf("read reliances: %w", err)
	}
	return known, nil
}

// OfCase lists the records that a department's case relied on, each once.
func (b *Book) OfCase(ctx context.Context, department exchange.Department, matter string) ([]exchange.RecordID, error) {
	relied, err := b.under(ctx, casePrefix(department, matter), func(Reliance) bool { return true })
	all := make([]exchange.RecordID, len(relied))
	for i := range relied {
		all[i] = relied[i].Record
	}
	slices.SortFunc(all, func(a, b exchange.RecordID) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(all), err
}

// under gives what is wanted of what the entries said whose rows stand under a prefix, which is one by which rows are filtered.
func (b *Book) under(ctx context.Context, prefix []byte, wanted func(Reliance) bool) ([]Reliance, error) {
	rows, err := b.rows.DB.NewIterWithContext(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("read reliances: %w", err)
	}
	var all []Reliance
	for ok := rows.SeekPrefixGE(prefix); ok && err == nil && bytes.HasPrefix(rows.Key(), prefix); ok = rows.Next() {
		var offset int64
		var relied []Reliance
		if offset, err = offsetBehind(prefix, rows.Key()); err == nil {
			relied, err = b.entry(offset)
		}
		for _, r := range relied {
			if wanted(r) {
				all = append(all, r)
			}
		}
	}
	if err = errors.Join(err, rows.Error(), rows.Close()); err != nil {
		return nil, fmt.Errorf("read reliances: %w", err)
	}
	return all, nil
}

func (b *Book) entry(offset int64) ([]Reliance, error) {
	value, found, err := b.rows.Get(entryKey(offset))
	if err == nil && !found {
		err = folded.ErrDamaged
	}
	if err != nil {
		return nil, err
	}
	return readEntry(value)
}
