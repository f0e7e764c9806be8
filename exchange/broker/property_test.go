package broker

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
)

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func randomSource(r *rand.Rand, name string) premise {
	return source(pick[exchange.EvidenceType](r, "a", "b", "c"), name,
		pick(r, fresh, fresh, fresh, old, time.Time{}, now.Add(time.Hour), now.Add(bound+1)),
		pick(r, func(*exchange.Source) {}, bearable, overTolerance, unfolded),
		pick(r, func(*exchange.Source) {}, here, elsewhere, orgs),
		pick(r, func(*exchange.Source) {}, func(*exchange.Source) {}, func(*exchange.Source) {}, quarantined))
}

func randomRecord(r *rand.Rand, id byte) premise {
	return record(pick[exchange.EvidenceType](r, "a", "b", "c"), id,
		pick(r, exchange.Valid, exchange.Valid, exchange.Suspended, exchange.Revoked, exchange.Superseded, exchange.Withdrawn),
		by(pick(r, "1", "2", "3")), asOf(pick(r, fresh, old, now.Add(time.Hour))),
		pick(r, until(""), until("2026-11-22"), until("2026-11-23"), from("2026-11-24")))
}

// given draws premises as a list, so that a world can be built again with one thing changed.
func given(r *rand.Rand) []premise {
	var all []premise
	for i := range r.IntN(5) {
		all = append(all, randomSource(r, string(rune('1'+i))))
	}
	for i := range r.IntN(5) {
		all = append(all, randomRecord(r, byte(i)))
	}
	for _, t := range []exchange.EvidenceType{"a", "b", "c"} {
		if r.IntN(5) == 0 {
			all = append(all, noGrant(t))
		}
	}
	if r.IntN(4) == 0 {
		all = append(all, on(pick[exchange.Date](r, "2026-01-01", "2026-11-22", "2026-11-23", "2026-11-24", "2027-06-30")))
	}
	if r.IntN(4) == 0 {
		all = append(all, stated(pick[exchange.EvidenceType](r, "a", "b", "c"), pick(r, `{"area":120.5}`, `{"area":1}`, `{"name":"张"}`, `{"owner":"x"}`)))
	}
	if r.IntN(4) == 0 {
		all = append(all, chosen(pick[exchange.EvidenceType](r, "a", "b", "c"), byte(r.IntN(5))))
	}
	return all
}

// worlds runs the property over many worlds. ask says what is asked there.
func worlds(t *testing.T, property func(t *testing.T, r *rand.Rand, ask string, world []premise)) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		property(t, r, pick(r, "a", "a+b", "a|b", "a+b|c", "a|b|c", "a+b+c", "a+b|a+c"), given(r))
		if t.Failed() {
			return
		}
	}
}

func decide(ask string, world ...premise) exchange.Answer { return Decide(premises(ask, world...))[0] }

func TestIncompleteSourceNeverProvesAbsence(t *testing.T) {
	worlds(t, func(t *testing.T, r *rand.Rand, ask string, world []premise) {
		blind := source(pick[exchange.EvidenceType](r, "a", "b", "c"), "9", pick(r, time.Time{}, fresh), unfolded)
		before, after := decide(ask, world...), decide(ask, append(world, blind)...)
		if before.Outcome != exchange.Supply && after.Outcome == exchange.Supply {
			t.Errorf("%s became supply/%s by an incomplete source", before.Outcome, after.Reason)
		}
		if before.Outcome == exchange.Held && after.Outcome != exchange.Held {
			t.Errorf("held became %s by an incomplete source of others", after.Outcome)
		}
	})
}

func TestQuarantineNeverProvesAnything(t *testing.T) {
	worlds(t, func(t *testing.T, r *rand.Rand, _ string, world []premise) {
		a := decide("a", append(world, source("a", "9", fresh, quarantined))...)
		if a.Outcome != exchange.Unknown && a.Reason != exchange.NoGrant {
			t.Errorf("%s/%s although a row about the holder is in quarantine", a.Outcome, a.Reason)
		}
	})
}

func TestStalenessNeverProvesAbsence(t *testing.T) {
	worlds(t, func(t *testing.T, r *rand.Rand, _ string, world []premise) {
		late := premises("a", world...)
		late.Now = now.Add(10 * 24 * time.Hour)
		a := Decide(late)[0]
		future := false // a clock ahead may still be fresh by then
		for _, s := range late.Found.Sources {
			future = future || s.CompleteUpTo.After(now.Add(bound))
		}
		if !future && (a.Outcome == exchange.Held || a.Outcome == exchange.Supply && a.Reason != exchange.NoGrant) {
			t.Errorf("%s/%s ten days after the last word", a.Outcome, a.Reason)
		}
	})
}

// supply needs every source for the holder to be complete and fresh, told here a second time in other words.
func TestSupplyNeedsCompleteSources(t *testing.T) {
	worlds(t, func(t *testing.T, _ *rand.Rand, _ string, world []premise) {
		p := premises("a", world...)
		a := Decide(p)[0]
		if a.Outcome != exchange.Supply || a.Reason == exchange.NoGrant {
			return
		}
		if p.On != "" && p.On < "2026-11-23" {
			t.Errorf("supply/%s of a day that is over", a.Reason)
		}
		speaks := 0
		for _, s := range p.Found.Sources {
			if s.Type != "a" || !s.Holders.Includes(citizen) {
				continue
			}
			speaks++
			age := now.Sub(s.CompleteUpTo)
			if !s.Folded || s.HolderQuarantined || s.CompleteUpTo.IsZero() || s.Unreadable > s.Tolerance || age > bound || age < -bound {
				t.Errorf("supply/%s with the source %+v", a.Reason, s)
			}
		}
		if speaks == 0 {
			t.Errorf("supply/%s although nobody speaks for the holder", a.Reason)
		}
	})
}

func TestOrderDoesNotMatter(t *testing.T) {
	worlds(t, func(t *testing.T, r *rand.Rand, ask string, world []premise) {
		before := decide(ask, world...)
		r.Shuffle(len(world), func(i, j int) { world[i], world[j] = world[j], world[i] })
		if after := decide(ask, world...); !reflect.DeepEqual(before, after) {
			t.Errorf("%+v became %+v by another order", before, after)
		}
	})
}

func TestWithdrawnIsAbsent(t *testing.T) {
	worlds(t, func(t *testing.T, r *rand.Rand, ask string, world []premise) {
		gone := record(pick[exchange.EvidenceType](r, "a", "b", "c"), 200, exchange.Withdrawn, by("1"), payload(""))
		if before, after := decide(ask, world...), decide(ask, append(world, gone)...); !reflect.DeepEqual(before, after) {
			t.Errorf("%+v became %+v by a withdrawn record", before, after)
		}
	})
}

// Taking a grant away must never show more, and never turn into anything but supply or another alternative.
func TestRevokedGrantShowsLess(t *testing.T) {
	worlds(t, func(t *testing.T, _ *rand.Rand, ask string, world []premise) {
		after := decide(ask, append(world, noGrant("a"))...)
		for _, e := range after.Evidence {
			if e.Type == "a" && (e.Record != "" || e.Fields != nil || !e.AsOf.IsZero() || e.Reason != exchange.NoGrant) {
				t.Errorf("without a grant this is shown: %+v", e)
			}
		}
		if before := decide(ask, world...); (verdict{outcome: before.Outcome}).weight() > (verdict{outcome: after.Outcome}).weight() {
			t.Errorf("%s became %s by taking a grant away", before.Outcome, after.Outcome)
		}
	})
}
