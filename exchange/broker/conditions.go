package broker

import (
	"cmp"
	"slices"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/condition"
)

// situation is what the item's conditions are judged in.
func (p *Premises) situation() condition.Situation {
	day, _ := p.day()
	return condition.Situation{Facts: p.Facts, Applicant: cmp.Or(p.applicant, p.Holder.Kind), Today: day}
}

// notAskedFor says whether the item does not ask for the material in this case. Where that cannot be told, it does.
func (p *Premises) notAskedFor(m catalogue.Material) bool {
	return !m.If.IsZero() && m.If.In(p.situation()) == condition.Fails
}

// unstated are the facts that were not stated and on which the material may depend.
func (p *Premises) unstated(m catalogue.Material) []string {
	lacking := m.If.Unstated(p.Facts)
	for _, set := range m.Alternatives {
		for _, n := range set {
			lacking = append(lacking, n.When.Unstated(p.Facts)...)
		}
	}
	slices.Sort(lacking)
	return slices.Compact(lacking)
}

// meeting sorts usable records by the need's condition: those that serve, those of which it cannot be told, and the first of
// those that do not. A chosen record is the only one that counts.
//
// A condition may read fields that the grant does not show. That is meant: the answer tells one bit of them, whether they meet what the
// published item demands, so that a grant need not show a whole birthday to prove an age. Nobody who asks can choose the condition;
// where it compares a field with a stated fact, guesses could find the field out, one look-up each: they count against the case's budget
// and stand in the log.
func (p *Premises) meeting(n catalogue.Need, usable []*exchange.Record) (serve, open []*exchange.Record, unmet *exchange.Record) {
	if n.When.IsZero() {
		return usable, nil, nil
	}
	id, chosen := p.Chosen[n.Evidence]
	chosen = chosen && slices.ContainsFunc(usable, func(r *exchange.Record) bool { return r.ID == id })
	s := p.situation()
	for _, r := range usable {
		if chosen && r.ID != id {
			continue
		}
		s.Record = r.Payload
		switch n.When.In(s) {
		case condition.Holds:
			serve = append(serve, r)
		case condition.Undecided:
			open = append(open, r)
		default:
			if unmet == nil {
				unmet = r
			}
		}
	}
	return serve, open, unmet
}

// lookedAt is the verdict of records of which it cannot be told whether they meet the condition: a person looks.
func (p *Premises) lookedAt(v verdict) verdict {
	if v.outcome != exchange.Held {
		return v
	}
	v.outcome, v.reason = exchange.Check, exchange.ConditionNotMet
	for i := range v.evidence {
		v.evidence[i].Outcome, v.evidence[i].Reason = v.outcome, v.reason
	}
	return v
}
