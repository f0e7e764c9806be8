package broker

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
)

// Chosen names, for an evidence type, which of several records the applicant means: the answer to a question.
type Chosen map[exchange.EvidenceType]exchange.RecordID

// candidate is a record that may be the one meant, with what the grant allows of it.
type candidate struct {
	*exchange.Record
	fields      json.RawMessage
	differences []exchange.Difference
}

// fitting are those of the usable records that may be meant: the chosen one, or else those that bear out what was stated, or
// else all of them. There is at least one.
func (p *Premises) fitting(to []candidate, t exchange.EvidenceType, records []*exchange.Record, grant catalogue.Grant) (fit []candidate, legible bool) {
	id, chosen := p.Chosen[t]
	for _, r := range records {
		fields, legible := allowed(r.Payload, grant.Fields)
		if !legible {
			return nil, false
		}
		c := candidate{r, fields, p.Stated.against(t, fields, grant.Fields)}
		if chosen && id == r.ID {
			return append(to[:0], c), true
		}
		to = append(to, c)
	}
	if i := slices.IndexFunc(to, candidate.agrees); len(to) > 1 && i >= 0 {
		return slices.DeleteFunc(to, func(c candidate) bool { return !c.agrees() }), true
	}
	return to, true
}

func (c candidate) agrees() bool { return !differ(c.differences) }

// tellApart leaves of the candidates' fields those in which they differ: a question shows no more than it takes to answer it.
func tellApart(all []candidate, granted []string) {
	documents := make([]map[string]json.RawMessage, len(all))
	for i, c := range all {
		documents[i] = members(c.fields)
	}
	telling := slices.DeleteFunc(slices.Clone(granted), func(field string) bool {
		return !slices.ContainsFunc(documents[1:], func(d map[string]json.RawMessage) bool {
			return !same(d[field], documents[0][field])
		})
	})
	for i := range all {
		all[i].fields, _ = allowed(all[i].fields, telling) // it was read before
		all[i].differences = nil
	}
}

// ask makes the questions that would settle a verdict that a person must look at.
func (v verdict) ask() []exchange.Question {
	if v.outcome != exchange.Check {
		return nil
	}
	var all []exchange.Question
	for _, e := range v.evidence {
		if e.Reason != exchange.Ambiguous {
			continue
		}
		if len(all) == 0 || all[len(all)-1].Type != e.Type {
			all = append(all, exchange.Question{Type: e.Type})
		}
		last := &all[len(all)-1]
		last.Choices = append(last.Choices, exchange.Choice{Record: e.Record, Until: e.Until, Fields: e.Fields})
	}
	return all
}

// astray says of which type a record was chosen that is none of the usable ones. Of a type without a grant nothing was looked up, and
// the answer says so.
func (p *Premises) astray() (exchange.EvidenceType, bool) {
	for _, t := range p.Service.Types() {
		id, chosen := p.Chosen[t]
		if _, granted := p.Grants[t]; chosen && granted && !p.usable(t, id) {
			return t, true
		}
	}
	return "", false
}

// usable says whether the record is among the usable ones of the applicant or of a party.
func (p *Premises) usable(t exchange.EvidenceType, id exchange.RecordID) bool {
	for _, role := range append(slices.Collect(maps.Keys(p.Parties)), exchange.Self) {
		theirs, _ := p.of(role)
		usable, _, _ := theirs.records(t)
		if slices.ContainsFunc(usable, func(r *exchange.Record) bool { return r.ID == id }) {
			return true
		}
	}
	return false
}
