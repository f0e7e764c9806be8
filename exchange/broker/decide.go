package broker

import (
	"cmp"
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
)

// Premises are all that an answer depends on. Equal premises have equal answers.
type Premises struct {
	Service  catalogue.Service
	Evidence map[exchange.EvidenceType]catalogue.Evidence // of every type the service can need
	Grants   map[exchange.EvidenceType]catalogue.Grant    // those in force for the asker
	Holder   exchange.Holder
	Found    exchange.Found
	Now      time.Time
	On       exchange.Date // the day records must be valid on; empty: the day of Now
	Stated   Stated
	Chosen   Chosen
}

// day is the day on which records must be valid, and whether it is over.
func (p *Premises) day() (day exchange.Date, over bool) {
	today := exchange.DateOf(p.Now)
	return cmp.Or(p.On, today), p.On != "" && p.On < today
}

// Decide draws the conclusion for each material, in the service's order.
func Decide(p Premises) []exchange.Answer {
	verdicts := map[exchange.EvidenceType]verdict{}
	for _, t := range p.Service.Types() {
		verdicts[t] = p.judge(t)
	}
	answers := make([]exchange.Answer, len(p.Service.Materials))
	for i, m := range p.Service.Materials {
		v := anyOf(m.Alternatives, verdicts)
		answers[i] = exchange.Answer{
			Material: m.Code, Name: m.Name, Basis: m.Basis, Deferrable: m.Deferrable,
			Outcome: v.outcome, Reason: v.reason, Evidence: v.evidence, Assurance: v.assurance(), Ask: v.ask(),
		}
	}
	return answers
}

// verdict is what can be said of one evidence type, a set of them, or the alternatives of a material.
type verdict struct {
	outcome  exchange.Outcome
	reason   exchange.Reason
	evidence []exchange.Evidence
}

// weights order outcomes from what serves the applicant best.
var weights = []exchange.Outcome{exchange.Held, exchange.Check, exchange.Unknown, exchange.Supply}

func (v verdict) weight() int { return slices.Index(weights, v.outcome) }

// anyOf is the best of the alternatives, the first of equals. What is held rests on one of them alone, so the
// others are not told; what is not held rests on all.
func anyOf(alternatives [][]exchange.EvidenceType, verdicts map[exchange.EvidenceType]verdict) verdict {
	if len(alternatives) == 0 {
		return verdict{outcome: exchange.Supply, reason: exchange.ApplicantMade}
	}
	best := allOf(alternatives[0], verdicts)
	for _, set := range alternatives[1:] {
		if v := allOf(set, verdicts); v.weight() < best.weight() {
			best = v
		}
	}
	if best.outcome == exchange.Held || best.outcome == exchange.Check {
		return best
	}
	best.evidence = nil
	var told []exchange.EvidenceType
	for _, t := range slices.Concat(alternatives...) {
		if !slices.Contains(told, t) {
			told = append(told, t)
			best.evidence = append(best.evidence, verdicts[t].evidence...)
		}
	}
	return best
}

// allOf is the worst in a set, the first of equals, with the evidence of all.
func allOf(set []exchange.EvidenceType, verdicts map[exchange.EvidenceType]verdict) verdict {
	worst := verdicts[set[0]]
	evidence := worst.evidence
	for _, t := range set[1:] {
		v := verdicts[t]
		evidence = slices.Concat(evidence, v.evidence)
		if v.weight() > worst.weight() {
			worst = v
		}
	}
	worst.evidence = evidence
	return worst
}

// judge says what is known of one evidence type of the holder.
func (p *Premises) judge(t exchange.EvidenceType) verdict {
	grant, granted := p.Grants[t]
	if !granted {
		return p.without(t, exchange.Supply, exchange.NoGrant, time.Time{})
	}
	s := p.standing(t)
	usable, unusable, legible := p.records(t)
	if s.quarantined || !legible {
		return p.without(t, exchange.Unknown, exchange.CoverageIncomplete, time.Time{})
	}
	if len(usable) > 0 {
		return p.found(t, usable, grant)
	}
	_, over := p.day()
	switch {
	case s.stale:
		return p.without(t, exchange.Unknown, exchange.SourceStale, s.upTo)
	case !s.complete, over: // keepers vouch for the present: what was so on a day that is over only a record can say
		return p.without(t, exchange.Unknown, exchange.CoverageIncomplete, time.Time{})
	case unusable != nil:
		v := p.without(t, exchange.Supply, p.flaw(unusable), s.upTo)
		v.evidence[0] = identify(v.evidence[0], unusable)
		return v
	}
	return p.without(t, exchange.Supply, exchange.NotHeld, s.upTo)
}

// without is a verdict that shows no record.
func (p *Premises) without(t exchange.EvidenceType, outcome exchange.Outcome, reason exchange.Reason, asOf time.Time) verdict {
	return verdict{outcome, reason, []exchange.Evidence{{
		Type: t, Outcome: outcome, Reason: reason, Keeper: p.Evidence[t].Keeper, AsOf: asOf,
	}}}
}

// found is the verdict where there are records to show: held, unless a person must look.
func (p *Premises) found(t exchange.EvidenceType, records []*exchange.Record, grant catalogue.Grant) verdict {
	var few [4]candidate
	fit, legible := p.fitting(few[:0], t, records, grant)
	if !legible {
		return p.without(t, exchange.Unknown, exchange.CoverageIncomplete, time.Time{})
	}
	v := verdict{outcome: exchange.Held}
	_, stale := p.freshness(fit[0].Record)
	switch {
	case len(fit) > 1:
		v.outcome, v.reason = exchange.Check, exchange.Ambiguous
		tellApart(fit, grant.Fields)
	case differ(fit[0].differences):
		v.outcome, v.reason = exchange.Check, exchange.FactsDiffer
	case stale:
		v.outcome, v.reason = exchange.Check, exchange.SourceStale
	}
	for _, c := range fit {
		asOf, _ := p.freshness(c.Record)
		v.evidence = append(v.evidence, identify(exchange.Evidence{
			Type: t, Outcome: v.outcome, Reason: v.reason, Keeper: p.Evidence[t].Keeper, AsOf: asOf, Fields: c.fields,
			Assurance: p.assured(c.Record), Differences: c.differences,
		}, c.Record))
	}
	return v
}

// identify names the record that a piece of evidence is.
func identify(e exchange.Evidence, r *exchange.Record) exchange.Evidence {
	e.Record, e.Version, e.Until = r.ID.String(), r.Version, r.Until
	return e
}
