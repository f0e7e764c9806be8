package holdings

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// Find says what the index knows of the holder for the types: the newest version of each record that names the holder,
// withdrawn ones included, and every source of the types with the statement that counts. Nothing found is no error.
//
// A record whose newest version names another holder is not found; a withdrawn one, which names nobody, belongs to the
// holders of the version before. The maps and slices in Sources are shared: read them only.
//
// Source.HolderQuarantined stays true after the row has left quarantine until a statement counts that rests on its leaving:
// only then is certain that whatever took the row's place was folded.
//
// Of a holder who must be forgotten nothing is found, and every source is as if a row about the holder were in quarantine: the
// keepers may well hold something, so nobody is told that there is nothing, and nothing tells an order to forget from a row that
// could not be read. After the order was lifted the same holds for the types of which nothing was published since. Of a
// record that must be forgotten nothing shows at all: it is as if its keeper had never listed it.
//
// Find errs with a Problem of kind Unavailable until the orders to forget are folded; see ErasuresUpTo.
func (x *Index) Find(ctx context.Context, holder exchange.Holder, types []exchange.EvidenceType) (exchange.Found, error) {
	secrets, err := x.secrets.Get(ctx)
	if err != nil {
		return exchange.Found{}, fmt.Errorf("find records of a holder: %w", err)
	}
	for {
		s, err := x.search(secrets, holder, types)
		if err == nil {
			err = s.scan(ctx)
		}
		if s != nil && !x.concluded(s, err == nil) {
			continue
		}
		if errors.Is(err, errDamaged) {
			err = damaged(err)
		}
		if err != nil {
			return exchange.Found{}, fmt.Errorf("find records of a holder: %w", err)
		}
		return s.found, nil
	}
}

// search is one try of Find.
type search struct {
	x       *Index
	secrets *secrets
	holder  []exchange.Holder // one, in all records
	token   token
	term    term // of the orders to forget the holder
	ordered uint64
	back    *backdrop
	found   exchange.Found
	logged  []time.Time // when the messages of the records found were written
	own     bool        // whether found.Sources is this search's own
	apart   []int       // which of the records found have their documents elsewhere
	opened  []byte      // where rows are unsealed, one after the other; never used twice

	current []byte  // the record whose views are being looked at: its part of their keys
	of      int     // its type's place in the backdrop
	settled bool    // it is clear what counts of it
	newest  version // where it is withdrawn: the withdrawal; state 0: nothing yet
	number  exchange.Version
	failed  error
}

// search begins a try. Memory comes first, the rows after: what memory says is folded, the rows have.
func (x *Index) search(secrets *secrets, holder exchange.Holder, types []exchange.EvidenceType) (*search, error) {
	t := secrets.token(holder)
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.closed {
		return nil, notObeyed()
	}
	s := &search{x: x, secrets: secrets, holder: []exchange.Holder{holder}, token: t, term: x.orders.holders[t], ordered: x.orders.count, back: x.backdrop(types)}
	s.found.Sources, s.found.Inputs = s.back.sources, s.back.inputs
	return s, nil
}

// firstOpened is room for the rows of a holder of some records.
const firstOpened = 4 << 10

// scan reads the holder's own rows, which lie side by side: the marks of rows in quarantine, then the views of the records
// that ever named the holder, each newest version first.
func (s *search) scan(ctx context.Context) error {
	if len(s.back.types) == 0 {
		return nil
	}
	err := s.x.engine.Scan(ctx, [][]byte{holderPrefix(s.token)}, func(key, value []byte) bool {
		if rest := key[StemSize:]; len(rest) > 0 && rest[0] == markRecord {
			s.failed = s.view(key, rest, value)
		} else {
			s.failed = s.quarantine(rest, value)
		}
		return s.failed == nil
	})
	if err = errors.Join(err, s.failed); err != nil {
		return err
	}
	return s.fetch(ctx)
}

// view takes one version into account.
func (s *search) view(key, rest, value []byte) error {
	evidence, id, number, ok := readView(rest)
	if !ok {
		return errDamaged
	}
	if of := rest[:len(rest)-versionSize]; !bytes.Equal(of, s.current) {
		s.current, s.of, s.settled, s.newest.state = append(s.current[:0], of...), s.back.of(evidence), false, 0
	}
	if s.of < 0 || s.settled {
		return nil
	}
	v, err := s.unseal(key, value)
	if err != nil {
		return err
	}
	if !v.position.before(s.back.next[s.of]) {
		return nil // folded after the snapshot
	}
	if v.state == withdrawn {
		if s.newest.state == 0 {
			s.newest, s.number = v, number
		}
		return nil
	}
	s.settled = true
	if v.state == others {
		return nil
	}
	if s.newest.state == withdrawn {
		v, number = s.newest, s.number
	}
	if s.found.Records == nil {
		s.found.Records = make([]exchange.Record, 0, 8)
		s.logged = make([]time.Time, 0, 8)
	}
	r := v.record(s.back.types[s.of], id, number)
	r.Holders = s.holder
	if v.state == apart {
		s.apart = append(s.apart, len(s.found.Records))
	}
	s.found.Records, s.logged = append(s.found.Records, r), append(s.logged, v.logged)
	return nil
}

// unseal opens a row into memory that is the search's own.
func (s *search) unseal(key, sealed []byte) (version, error) {
	if need := len(sealed) - sealSize; need > cap(s.opened)-len(s.opened) {
		s.opened = make([]byte, 0, max(need, firstOpened))
	}
	before := len(s.opened)
	opened, err := s.secrets.open(s.opened, key, sealed)
	if err != nil {
		return version{}, err
	}
	s.opened = opened
	return readVersion(opened[before:len(opened):len(opened)], &s.x.names)
}

// fetch gets the documents that do not lie with their holders.
func (s *search) fetch(ctx context.Context) error {
	if len(s.apart) == 0 {
		return nil
	}
	keys, got := make([][]byte, len(s.apart)), 0
	for i, place := range s.apart {
		r := &s.found.Records[place]
		keys[i] = documentKey(record{Type: r.Type, ID: r.ID}, r.Version)
	}
	err := s.x.engine.Get(ctx, keys, func(i int, value []byte) (err error) {
		got++
		s.found.Records[s.apart[i]].Payload, err = s.secrets.open(nil, keys[i], value)
		return err
	})
	if err == nil && got < len(keys) {
		err = errDamaged
	}
	return err
}

// quarantine applies one mark to the source it is about.
func (s *search) quarantine(rest, value []byte) error {
	m, ok := readMark(rest)
	if !ok {
		return errDamaged
	}
	r, open, err := readResolution(value)
	if err != nil {
		return err
	}
	for i := range s.found.Sources {
		source := &s.found.Sources[i]
		if string(source.Type) != string(m.evidence) || string(source.Adapter) != string(m.adapter) {
			continue
		}
		next := s.back.inputs.Next(envelope.QuarantineTopic(source.Adapter.Department()))
		resolved := !open && source.Folded && r.position.before(source.Rejected)
		if m.opened.before(next) && !resolved {
			s.cannotTell(i)
		}
	}
	return nil
}

// cannotTell notes that the source has said something of the holder that is not known.
func (s *search) cannotTell(i int) {
	if !s.own { // the backdrop is everybody's
		s.found.Sources, s.own = slices.Clone(s.found.Sources), true
	}
	s.found.Sources[i].HolderQuarantined = true
}

// concluded makes the answer of what was found, if anything, or says that an order to forget came meanwhile, so that it must be
// looked again: what was found may be forgotten by now, and what is missing may have been forgotten while it was looked for.
func (x *Index) concluded(s *search, found bool) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.orders.count != s.ordered {
		return false
	}
	if !found {
		return true
	}
	s.forget()
	s.superseded()
	for i := range s.found.Sources {
		if t := s.found.Sources[i].Type; s.term.ever() && (s.term.open > 0 || !s.has(t)) {
			s.cannotTell(i)
		}
	}
	return true
}

// forget leaves out what must be forgotten. The rows are deleted by the order itself; this is for the moment until they are.
func (s *search) forget() {
	orders := &s.x.orders
	if orders.none() {
		return
	}
	i := 0
	s.found.Records = slices.DeleteFunc(s.found.Records, func(r exchange.Record) bool {
		logged := s.logged[i]
		i++
		return s.term.covers(logged) || orders.records[record{Type: r.Type, ID: r.ID}].covers(logged)
	})
}

func (s *search) has(t exchange.EvidenceType) bool {
	return slices.ContainsFunc(s.found.Records, func(r exchange.Record) bool { return r.Type == t })
}

// superseded marks the holder where the keeper has said something newer of a record that could not be taken.
func (s *search) superseded() {
	for _, g := range s.back.gaps {
		for i := range s.found.Records {
			r := &s.found.Records[i]
			if !g.reaches(r.ID, r.Version) {
				continue
			}
			for j := range s.found.Sources {
				if s.found.Sources[j].Type == r.Type {
					s.cannotTell(j)
				}
			}
		}
	}
}

// record is the version in the words of the exchange.
func (v *version) record(t exchange.EvidenceType, id exchange.RecordID, number exchange.Version) exchange.Record {
	return exchange.Record{
		Type: t, ID: id, Version: number, Keeper: v.adapter.Department(), Adapter: v.adapter, Schema: v.schema,
		Status: v.status, From: v.from, Until: v.until, AsOf: v.at, Payload: v.payload,
	}
}
