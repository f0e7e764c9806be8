package broker

import (
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// Mode says how much an answer tells. The log keeps the whole of every answer.
type Mode string

// The modes. Empty is Full.
const (
	Full       Mode = "full"       // the records, with what the grant allows of them
	VerifyOnly Mode = "verify"     // whether what was stated is true, by evidence type: no record, no field
	Predicates Mode = "predicates" // yes or no for each material, and why where neither is known: no record, no field, no reason why not
)

func checkMode(m Mode) error {
	switch m {
	case "", Full, VerifyOnly, Predicates:
		return nil
	}
	return &exchange.Problem{Code: "YM-QRY-0120", Kind: exchange.Invalid, What: text("没有这种 mode", "there is no such mode"),
		Mend: text("写 full、verify 或 predicates，或删去", "write full, verify or predicates, or leave it out")}
}

// kept is the mode as it stands in the log, which does not say the usual.
func (m Mode) kept() string {
	if m == Full {
		return ""
	}
	return string(m)
}

// Tell leaves of the answers that were drawn what the mode lets the asker know.
func (m Mode) Tell(answers []exchange.Answer) []exchange.Answer {
	if m == "" || m == Full {
		return answers
	}
	told := make([]exchange.Answer, len(answers))
	for i, a := range answers {
		told[i] = exchange.Answer{Material: a.Material, Name: a.Name, Basis: a.Basis, Outcome: a.Outcome, Deferrable: a.Deferrable, Unstated: a.Unstated}
		if m == VerifyOnly {
			told[i].Reason, told[i].Evidence = a.Reason, results(a.Evidence)
			continue
		}
		if told[i].Met = met(a); told[i].Met == nil {
			told[i].Reason = open(a)
		}
	}
	return told
}

// met is whether government's records meet the material: nil where they do not say, or where the asker may not know of all that could
// meet it.
func met(a exchange.Answer) *bool {
	switch {
	case a.Outcome == exchange.Held:
		return new(true)
	case a.Outcome == exchange.Supply && open(a) == a.Reason && a.Reason != exchange.NoGrant && a.Reason != exchange.ApplicantMade:
		return new(false)
	}
	return nil
}

// open is why it is not known whether the material is met.
func open(a exchange.Answer) exchange.Reason {
	if a.Outcome == exchange.Supply && slices.ContainsFunc(a.Evidence, func(e exchange.Evidence) bool { return e.Reason == exchange.NoGrant }) {
		return exchange.NoGrant
	}
	return a.Reason
}

// results leaves of each piece of evidence what it says of the stated facts.
func results(evidence []exchange.Evidence) []exchange.Evidence {
	told := make([]exchange.Evidence, len(evidence))
	for i, e := range evidence {
		told[i] = exchange.Evidence{Type: e.Type, Of: e.Of, Outcome: e.Outcome, Reason: e.Reason, Keeper: e.Keeper, AsOf: e.AsOf, Result: e.Result, Differences: e.Differences}
	}
	return told
}

// outcomes are what the results of a verification say of a material.
var outcomes = map[exchange.Verification]struct {
	outcome exchange.Outcome
	reason  exchange.Reason
}{
	exchange.Correct:         {exchange.Held, ""},
	exchange.CorrectInactive: {exchange.Supply, exchange.NotHeld},
	exchange.CorrectPaused:   {exchange.Supply, exchange.IsSuspended},
	exchange.CorrectEnded:    {exchange.Supply, exchange.Expired},
	exchange.Undecided:       {exchange.Check, exchange.Ambiguous},
	exchange.NothingFound:    {exchange.Supply, exchange.NotHeld},
	exchange.NothingStated:   {exchange.Unknown, exchange.NoFactsStated},
	exchange.Incorrect:       {exchange.Check, exchange.FactsDiffer},
}

// verify compares what was stated of the type with all the holder's records of it, in force or not. Only those sources that vouch
// for the whole let it say that nothing was found or that what was stated is wrong. Of what is wrong it names only the fields that were
// not compared, the same whatever is held; the need's condition does not come into it.
func (p *Premises) verify(t exchange.EvidenceType, granted []string) verdict {
	if len(p.Stated[t]) == 0 {
		return p.resulting(t, exchange.NothingStated, nil, time.Time{})
	}
	s := p.standing(t)
	all, legible := p.candidates(t, granted)
	if s.quarantined || !legible {
		return p.without(t, exchange.Unknown, exchange.CoverageIncomplete, time.Time{})
	}
	borne := slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return !c.borneOut() })
	day, over := p.day()
	inForce := slices.DeleteFunc(slices.Clone(borne), func(c candidate) bool { return c.Status != exchange.Valid || !c.ValidOn(day) })
	switch {
	case len(inForce) == 1:
		asOf, stale := p.freshness(inForce[0].Record)
		v := p.resulting(t, exchange.Correct, inForce[0].Record, asOf)
		if stale {
			v.outcome, v.reason = exchange.Check, exchange.SourceStale
			v.evidence[0].Outcome, v.evidence[0].Reason = v.outcome, v.reason
		}
		return v
	case len(inForce) > 1:
		return p.resulting(t, exchange.Undecided, nil, s.upTo)
	case s.stale:
		return p.without(t, exchange.Unknown, exchange.SourceStale, s.upTo)
	case !s.complete, over:
		return p.without(t, exchange.Unknown, exchange.CoverageIncomplete, time.Time{})
	case len(borne) > 1:
		return p.resulting(t, exchange.Undecided, nil, s.upTo)
	case len(borne) == 1:
		return p.resulting(t, p.standingOf(borne[0].Record, day), borne[0].Record, s.upTo)
	case len(all) > 0:
		v := p.resulting(t, exchange.Incorrect, nil, s.upTo)
		v.evidence[0].Differences = slices.DeleteFunc(all[0].differences, func(d exchange.Difference) bool { return d.Kind != exchange.Unchecked })
		return v
	}
	return p.resulting(t, exchange.NothingFound, nil, s.upTo)
}

// candidates are the holder's records of a type with what the grant lets be compared: the chosen one alone, where one was chosen.
func (p *Premises) candidates(t exchange.EvidenceType, granted []string) (all []candidate, legible bool) {
	id, chosen := p.Chosen[t]
	for i := range p.Found.Records {
		r := &p.Found.Records[i]
		if r.Type != t || r.Status == exchange.Withdrawn || chosen && r.ID != id {
			continue
		}
		fields, legible := allowed(r.Payload, granted)
		if !legible || p.flaw(r) == "" {
			return nil, false
		}
		all = append(all, candidate{r, fields, p.Stated.against(t, fields, granted)})
	}
	return all, true
}

// borneOut says whether the record bears out all that was stated. What could not be compared is not borne out.
func (c candidate) borneOut() bool {
	return !slices.ContainsFunc(c.differences, func(d exchange.Difference) bool { return d.Kind != exchange.NameOnly })
}

// standingOf is the result for a record that bears out what was stated and is not in force on the day.
func (p *Premises) standingOf(r *exchange.Record, day exchange.Date) exchange.Verification {
	switch {
	case r.Status == exchange.Suspended:
		return exchange.CorrectPaused
	case r.Status == exchange.Valid && r.From > day:
		return exchange.CorrectInactive
	}
	return exchange.CorrectEnded
}

// resulting is the verdict of a result, which rests on the record if there is one.
func (p *Premises) resulting(t exchange.EvidenceType, result exchange.Verification, r *exchange.Record, asOf time.Time) verdict {
	v := p.without(t, outcomes[result].outcome, outcomes[result].reason, asOf)
	v.evidence[0].Result = &result
	if r != nil {
		v.evidence[0] = identify(v.evidence[0], r)
	}
	return v
}
