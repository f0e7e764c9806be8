package holdings

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// Find says what the index knows of the holder for the types: the newest version of each record that names the holder,
// withdrawn ones included, and every source of the types with the statement that counts. Nothing found is no error.
//
// A record whose newest version names another holder is not found; a withdrawn one, which names nobody, belongs to the
// holders of the version before. The maps and slices in Sources and Inputs are shared: read them only.
//
// Source.HolderQuarantined stays true after the row has left quarantine until a statement counts that rests on its leaving:
// only then is certain that whatever took the row's place was folded.
func (x *Index) Find(ctx context.Context, holder exchange.Holder, types []exchange.EvidenceType) (exchange.Found, error) {
	if err := x.mayFind(); err != nil {
		return exchange.Found{}, err
	}
	// Memory first, rows after: what memory says is folded, the rows have.
	found, gaps := x.snapshot(types)
	search := search{x: x, holder: holder, token: x.secrets.token(holder), found: &found, gaps: gaps}
	var err error
	if !x.isForgotten(search.token) { // of whom nothing may be said, not even that somebody could not read a row
		err = search.pointers(ctx, types)
	}
	if err == nil {
		err = search.records(ctx)
	}
	if errors.Is(err, errDamaged) {
		err = damaged(err)
	}
	if err != nil {
		return exchange.Found{}, fmt.Errorf("find records of a holder: %w", err)
	}
	return found, nil
}

// snapshot is everything but the holder's own rows, as of one moment.
func (x *Index) snapshot(types []exchange.EvidenceType) (exchange.Found, []gaps) {
	found := exchange.Found{Inputs: make(map[string]map[int]int64, 3*len(types))}
	var open []gaps
	x.mu.RLock()
	defer x.mu.RUnlock()
	for i, t := range types {
		if slices.Contains(types[:i], t) {
			continue
		}
		refused := int64(0)
		for _, p := range x.places[evidenceTopic(t)] {
			if n := p.Gaps.count(); n > 0 {
				refused += n
				open = append(open, p.Gaps)
			}
		}
		for _, source := range x.sources[t] {
			source.Refused = refused
			found.Sources = append(found.Sources, source)
		}
		x.input(found.Inputs, evidenceTopic(t))
		if keeper, ok := x.keeper(t); ok {
			x.input(found.Inputs, envelope.CoverageTopic(keeper))
			x.input(found.Inputs, envelope.QuarantineTopic(keeper))
		}
	}
	return found, open
}

func (x *Index) input(inputs map[string]map[int]int64, topic string) {
	if next, ok := x.next[topic]; ok {
		inputs[topic] = next
	}
}

// search is one call of Find.
type search struct {
	x      *Index
	holder exchange.Holder
	token  token
	found  *exchange.Found
	gaps   []gaps   // of the asked types
	ids    [][]byte // prefixes of the records that ever named the holder
}

// pointers reads the holder's own rows: which records ever named the holder, and which sources have a row
// about the holder in quarantine.
func (s *search) pointers(ctx context.Context, types []exchange.EvidenceType) error {
	var failed error
	err := s.x.engine.Scan(ctx, [][]byte{holderPrefix(s.token)}, func(key, value []byte) bool {
		rest := key[StemSize:]
		if evidence, id, ok := readPointer(rest); ok {
			if slices.Contains(types, exchange.EvidenceType(evidence)) && !s.x.isErased(exchange.EvidenceType(evidence), id) {
				s.ids = append(s.ids, recordPrefix(id, evidence))
			}
			return true
		}
		failed = s.quarantine(rest, value)
		return failed == nil
	})
	return errors.Join(err, failed)
}

// quarantine applies one mark to the source it is about.
func (s *search) quarantine(rest, value []byte) error {
	evidence, adapter, opened, ok := readMark(rest)
	if !ok {
		return errDamaged
	}
	r, open, err := readResolution(value)
	if err != nil {
		return err
	}
	for i := range s.found.Sources {
		source := &s.found.Sources[i]
		if source.Type != exchange.EvidenceType(evidence) || source.Adapter != exchange.Adapter(adapter) {
			continue
		}
		next := s.found.Inputs[envelope.QuarantineTopic(source.Adapter.Department())]
		resolved := !open && source.Folded && r.position.before(source.Rejected)
		if opened.before(next) && !resolved {
			source.HolderQuarantined = true
		}
	}
	return nil
}

// records reads the versions of each record, newest first, until it is clear whether it is the holder's.
func (s *search) records(ctx context.Context) error {
	if len(s.ids) == 0 {
		return nil
	}
	var failed error
	var newest *version // what counts of the record that current names
	var current []byte
	var number exchange.Version
	err := s.x.engine.Scan(ctx, s.ids, func(key, value []byte) bool {
		id, n, ok := readRecordKey(key)
		if !ok {
			failed = errDamaged
			return false
		}
		if record := key[:len(key)-8]; !bytes.Equal(record, current) {
			current, newest = append(current[:0], record...), nil
		}
		v, err := s.x.unseal(key, value)
		if err != nil {
			failed = err
			return false
		}
		if !v.position.before(s.found.Inputs[evidenceTopic(v.evidence)]) {
			return true // folded after the snapshot
		}
		if newest == nil {
			newest, number = &v, n
		}
		if v.withdrawn {
			return true
		}
		if slices.Contains(v.holders, s.token) {
			s.found.Records = append(s.found.Records, newest.record(id, number, s.holder))
			s.superseded(newest, id, number)
		}
		return false
	})
	return errors.Join(err, failed)
}

// superseded marks the holder where the keeper has said something newer of the record that could not be taken.
func (s *search) superseded(v *version, id exchange.RecordID, number exchange.Version) {
	for _, g := range s.gaps {
		if !g.reaches(id, number) {
			continue
		}
		for i := range s.found.Sources {
			if source := &s.found.Sources[i]; source.Type == v.evidence {
				source.HolderQuarantined = true
			}
		}
	}
}

// record is the version in the words of the exchange.
func (v *version) record(id exchange.RecordID, number exchange.Version, holder exchange.Holder) exchange.Record {
	return exchange.Record{
		Type: v.evidence, ID: id, Version: number, Keeper: v.adapter.Department(), Adapter: v.adapter, Schema: v.schema,
		Status: v.status, From: v.from, Until: v.until, AsOf: v.at, Holders: []exchange.Holder{holder}, Payload: v.payload,
	}
}
