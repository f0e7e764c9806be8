package broker

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/spell"
)

// standing is what the sources of a type let an answer say about what they do not list.
type standing struct {
	complete    bool      // every source for this holder was read to its end and folded
	stale       bool      // one of them was not read for too long
	quarantined bool      // a keeper said something of this holder that could not be read
	upTo        time.Time // the oldest moment up to which one of them vouches
}

func (p *Premises) standing(t exchange.EvidenceType) standing {
	s := standing{complete: true}
	sources := 0
	for i := range p.Found.Sources {
		source := &p.Found.Sources[i]
		if source.Type != t {
			continue
		}
		// A row about the holder was rejected, be it inside the declared scope or not.
		s.quarantined = s.quarantined || source.HolderQuarantined
		if !source.Holders.Includes(p.Holder) {
			continue
		}
		sources++
		s.complete = s.complete && p.counts(source)
		s.stale = s.stale || p.isStale(source)
		if upTo := p.past(source.CompleteUpTo); !upTo.IsZero() && (s.upTo.IsZero() || upTo.Before(s.upTo)) {
			s.upTo = upTo
		}
	}
	s.complete = s.complete && sources > 0
	return s
}

// counts says whether the source's statement may be relied on for what it does not list: it vouches for what it lists, and
// claims that nothing is missing.
func (p *Premises) counts(s *exchange.Source) bool { return p.vouches(s) && s.Complete() }

// vouches says whether the source's statement may be relied on for what it lists: the source was read to its end, its records
// were folded, and its clock is not so far ahead that the claim would never grow old. Rows that could not be read take
// nothing from those that could.
func (p *Premises) vouches(s *exchange.Source) bool {
	return s.Folded && !s.CompleteUpTo.IsZero() && s.CompleteUpTo.Sub(p.Now) <= p.Evidence[s.Type].StaleAfter
}

// isStale says whether the last complete reading is too old. A source that never had one is incomplete, not stale.
func (p *Premises) isStale(s *exchange.Source) bool {
	return !s.CompleteUpTo.IsZero() && p.tooOld(s.Type, s.CompleteUpTo)
}

func (p *Premises) tooOld(t exchange.EvidenceType, at time.Time) bool {
	return p.Now.Sub(at) > p.Evidence[t].StaleAfter
}

// past is t, or now where t is still to come: no keeper can vouch for the future.
func (p *Premises) past(t time.Time) time.Time {
	if t.After(p.Now) {
		return p.Now
	}
	return t
}

// freshness says up to when the record's keeper vouches for it, and whether that is too long ago or its source has gone
// stale. Where the source's statement does not count (yet), the record's own time alone has to do.
func (p *Premises) freshness(r *exchange.Record) (asOf time.Time, stale bool) {
	asOf = p.past(r.AsOf)
	for i := range p.Found.Sources {
		s := &p.Found.Sources[i]
		if s.Adapter != r.Adapter || s.Type != r.Type {
			continue
		}
		stale = stale || p.isStale(s)
		if upTo := p.past(s.CompleteUpTo); p.vouches(s) && upTo.After(asOf) {
			asOf = upTo
		}
	}
	return asOf, stale || p.tooOld(r.Type, asOf)
}

// records sorts out what was found of a type: the usable records, and of the others the one that explains best why
// there is none. A status that nobody knows makes the holder's records illegible.
func (p *Premises) records(t exchange.EvidenceType) (usable []*exchange.Record, unusable *exchange.Record, legible bool) {
	day, _ := p.day()
	legible = true
	for i := range p.Found.Records {
		r := &p.Found.Records[i]
		switch {
		case r.Type != t || r.Status == exchange.Withdrawn:
		case r.Status == exchange.Valid && r.ValidOn(day):
			usable = append(usable, r)
		case r.Status == exchange.Valid && r.From > day: // not in force yet: nothing is held on that day
		case p.flaw(r) == "":
			legible = false
		case unusable == nil || p.byFlaw(r, unusable) < 0:
			unusable = r
		}
	}
	slices.SortFunc(usable, byID)
	return usable, unusable, legible
}

// flaws tell why a record cannot be used, those first that say most about the holder today.
var flaws = []exchange.Reason{exchange.IsSuspended, exchange.IsRevoked, exchange.Expired, exchange.IsSuperseded}

// flaw is why a record in force on no present day cannot be used, "" if its status is unknown.
func (p *Premises) flaw(r *exchange.Record) exchange.Reason {
	switch r.Status {
	case exchange.Valid:
		return exchange.Expired
	case exchange.Suspended:
		return exchange.IsSuspended
	case exchange.Revoked:
		return exchange.IsRevoked
	case exchange.Superseded:
		return exchange.IsSuperseded
	}
	return ""
}

// byFlaw orders records by flaw, the longest valid first among equals.
func (p *Premises) byFlaw(a, b *exchange.Record) int {
	return cmp.Or(cmp.Compare(slices.Index(flaws, p.flaw(a)), slices.Index(flaws, p.flaw(b))),
		cmp.Compare(lastDay(b), lastDay(a)), byID(a, b))
}

func lastDay(r *exchange.Record) exchange.Date { return cmp.Or(r.Until, "9999-12-31") }

func byID(a, b *exchange.Record) int { return bytes.Compare(a.ID[:], b.ID[:]) }

// documents are decoders that wait for the next document. That no name stands twice in it the gate has seen before it was
// folded, so it is not looked for again.
var documents = sync.Pool{New: func() any { return jsontext.NewDecoder(new(bytes.Buffer)) }}

// allowed copies the granted fields of a document, each as it was published: digit by digit, in the document's order.
func allowed(payload []byte, fields []string) (picked json.RawMessage, legible bool) {
	if len(fields) == 0 {
		return nil, true
	}
	picked = append(make(json.RawMessage, 0, len(payload)), '{')
	if spell.Members(payload, func(name, value []byte) {
		if slices.ContainsFunc(fields, func(field string) bool { return field == string(name) }) {
			picked = append(append(append(append(comma(picked), '"'), name...), `":`...), value...)
		}
	}) {
		return append(picked, '}'), true
	}
	return read(picked[:1], payload, fields)
}

// comma is what stands before a member but the first.
func comma(picked json.RawMessage) json.RawMessage {
	if len(picked) > 1 {
		picked = append(picked, ',')
	}
	return picked
}

// read does what allowed does with a document that is not spelt plainly, and appends to the bracket.
func read(picked json.RawMessage, payload []byte, fields []string) (json.RawMessage, bool) {
	document := documents.Get().(*jsontext.Decoder)
	defer documents.Put(document)
	document.Reset(bytes.NewBuffer(payload), jsontext.AllowDuplicateNames(true))
	if begin, err := document.ReadToken(); err != nil || begin.Kind() != '{' {
		return nil, false
	}
	for document.PeekKind() == '"' {
		name, err := document.ReadValue()
		if err != nil {
			return nil, false
		}
		granted := slices.ContainsFunc(fields, func(field string) bool { return spells(name, field) })
		if granted {
			picked = append(append(comma(picked), name...), ':')
		}
		value, err := document.ReadValue()
		if err != nil {
			return nil, false
		}
		if granted {
			picked = append(picked, value...)
		}
	}
	if _, err := document.ReadToken(); err != nil { // the end of the object
		return nil, false
	}
	return append(picked, '}'), true
}

// spells says whether a JSON string literal is the field's name. Names of fields need no escapes, and a name that uses some
// all the same is read.
func spells(literal jsontext.Value, field string) bool {
	if inner := literal[1 : len(literal)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return string(inner) == field
	}
	name, err := jsontext.AppendUnquote(nil, literal)
	return err == nil && string(name) == field
}
