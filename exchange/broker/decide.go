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
	Evidence map[exchange.EvidenceType]catalogue.Evidence // of every type the service can need, and maybe of others
	Grants   map[exchange.EvidenceType]catalogue.Grant    // those in force for the asker
	Holder   exchange.Holder
	Found    exchange.Found
	Now      time.Time
	On       exchange.Date  // the day records must be valid on; empty: the day of Now
	Facts    map[string]any // what the applicant stated of the facts the item declares, by code
	Stated   Stated
	Chosen   Chosen
	Mode     Mode
	Parties  map[exchange.Role]Party // who the others are whose evidence the item asks for, as far as stated

	applicant exchange.HolderKind // in a party's premises: what the applicant is, of whom conditions speak
	today     exchange.Date       // of Now, once it was looked up
}

// day is the day on which records must be valid, and whether it is over.
func (p *Premises) day() (day exchange.Date, over bool) {
	if p.today == "" {
		p.today = exchange.DateOf(p.Now)
	}
	return cmp.Or(p.On, p.today), p.On != "" && p.On < p.today
}

// Decide draws the conclusion for each material that is asked for, in the service's order.
func Decide(p Premises) []exchange.Answer {
	verdicts := map[need]verdict{}
	for _, m := range p.Service.Materials {
		for _, set := range m.Alternatives {
			for _, n := range set {
				if _, judged := verdicts[needOf(n)]; !judged {
					verdicts[needOf(n)] = p.judge(n)
				}
			}
		}
	}
	answers := make([]exchange.Answer, 0, len(p.Service.Materials))
	for _, m := range p.Service.Materials {
		if p.notAskedFor(m) {
			continue
		}
		v := anyOf(m.Alternatives, verdicts)
		answers = append(answers, exchange.Answer{
			Material: m.Code, Name: m.Name, Basis: m.Basis, Deferrable: m.Deferrable,
			Outcome: v.outcome, Reason: v.reason, Evidence: v.evidence, Assurance: v.assurance(), Ask: v.ask(), Unstated: p.unstated(m),
		})
	}
	return answers
}

// need tells the needs of an item apart.
type need struct {
	evidence exchange.EvidenceType
	of       exchange.Role
	when     string
}

func needOf(n catalogue.Need) need { return need{n.Evidence, n.Of, n.When.String()} }

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
func anyOf(alternatives []catalogue.Alternative, verdicts map[need]verdict) verdict {
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
	var told []need
	for _, n := range slices.Concat(alternatives...) {
		if n := needOf(n); !slices.Contains(told, n) {
			told = append(told, n)
			best.evidence = append(best.evidence, verdicts[n].evidence...)
		}
	}
	return best
}

// allOf is the worst in a set, the first of equals, with the evidence of all.
func allOf(set catalogue.Alternative, verdicts map[need]verdict) verdict {
	worst := verdicts[needOf(set[0])]
	evidence := worst.evidence
	for _, n := range set[1:] {
		v := verdicts[needOf(n)]
		evidence = slices.Concat(evidence, v.evidence)
		if v.weight() > worst.weight() {
			worst = v
		}
	}
	worst.evidence = evidence
	return worst
}

// judge says what is known of one piece of evidence that is needed, of whom it is needed.
func (p *Premises) judge(n catalogue.Need) verdict {
	var v verdict
	if grant, granted := p.Grants[n.Evidence]; !granted {
		v = p.without(n.Evidence, exchange.Supply, exchange.NoGrant, time.Time{})
	} else if theirs, stated := p.of(n.Of); !stated {
		v = p.without(n.Evidence, exchange.Unknown, exchange.PartyNotStated, time.Time{})
	} else {
		v = p.tie(n.Of).on(theirs.weighed(n, grant))
	}
	for i := range v.evidence {
		v.evidence[i].Of = n.Of
	}
	return v
}

// weighed is what the records are worth in the mode asked for.
func (p *Premises) weighed(n catalogue.Need, grant catalogue.Grant) verdict {
	if p.Mode == VerifyOnly {
		return p.verify(n.Evidence, grant.Fields)
	}
	return p.weigh(n, grant)
}

// weigh says what the granted records of the holder are worth for the need.
func (p *Premises) weigh(n catalogue.Need, grant catalogue.Grant) verdict {
	t := n.Evidence
	s := p.standing(t)
	usable, unusable, legible := p.records(t)
	if s.quarantined || !legible {
		return p.without(t, exchange.Unknown, exchange.CoverageIncomplete, time.Time{})
	}
	serve, open, unmet := p.meeting(n, usable)
	switch {
	case len(serve) > 0:
		return p.found(t, serve, grant)
	case len(open) > 0:
		return p.lookedAt(p.found(t, open, grant))
	}
	_, over := p.day()
	switch {
	case s.stale:
		return p.without(t, exchange.Unknown, exchange.SourceStale, s.upTo)
	case !s.complete, over: // keepers vouch for the present: what was so on a day that is over only a record can say
		return p.without(t, exchange.Unknown, exchange.CoverageIncomplete, time.Time{})
	case unmet != nil:
		v := p.without(t, exchange.Supply, exchange.ConditionNotMet, s.upTo)
		v.evidence[0] = identify(v.evidence[0], unmet)
		return v
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

// found is the verdict where there are records to show: held, unless a person must look. Which of several is meant matters to whoever
// is shown it, and not to a yes.
func (p *Premises) found(t exchange.EvidenceType, records []*exchange.Record, grant catalogue.Grant) verdict {
	var few [4]candidate
	fit, legible := p.fitting(few[:0], t, records, grant)
	if !legible {
		return p.without(t, exchange.Unknown, exchange.CoverageIncomplete, time.Time{})
	}
	v := verdict{outcome: exchange.Held}
	stale := !slices.ContainsFunc(fit, func(c candidate) bool { _, stale := p.freshness(c.Record); return !stale })
	switch {
	case len(fit) > 1 && p.Mode != Predicates:
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
