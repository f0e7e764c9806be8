package broker

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
)

func verifying(p *Premises) { p.Mode = VerifyOnly }

// TestVerification has each of the eight results of verifyCertInfo, and where there is none.
func TestVerification(t *testing.T) {
	const facts = `{"area":120.5}`
	none := exchange.Verification(-1)
	for name, tc := range map[string]struct {
		given  []premise
		result exchange.Verification
		want   string
	}{
		"correct":                               {with(holds("a"), stated("a", facts)), exchange.Correct, "held/"},
		"correct, a name differs":               {with(holds("a"), stated("a", `{"area":120.5,"name":"张晓朙"}`)), exchange.Correct, "held/"},
		"correct, source incomplete":            {with(source("a", "1", fresh, unfolded), record("a", 1, exchange.Valid), stated("a", facts)), exchange.Correct, "held/"},
		"correct, stale":                        {with(unknown("a"), record("a", 1, exchange.Valid), stated("a", facts)), exchange.Correct, "check/source_stale"},
		"correct, beside a revoked one":         {with(holds("a"), record("a", 2, exchange.Revoked), stated("a", facts)), exchange.Correct, "held/"},
		"correct of two that differ":            {with(holds("a"), record("a", 2, exchange.Valid, payload(`{"area":1}`)), stated("a", facts)), exchange.Correct, "held/"},
		"correct, chosen":                       {with(checks("a"), chosen("a", 'a'), stated("a", facts)), exchange.Correct, "held/"},
		"not in force yet":                      {with(lacks("a"), record("a", 1, exchange.Valid, from("2026-11-24")), stated("a", facts)), exchange.CorrectInactive, "supply/not_held"},
		"in force on the day":                   {with(lacks("a"), on("2026-11-24"), record("a", 1, exchange.Valid, from("2026-11-24")), stated("a", facts)), exchange.Correct, "held/"},
		"suspended":                             {with(lacks("a"), record("a", 1, exchange.Suspended), stated("a", facts)), exchange.CorrectPaused, "supply/suspended"},
		"revoked":                               {with(lacks("a"), record("a", 1, exchange.Revoked), stated("a", facts)), exchange.CorrectEnded, "supply/expired"},
		"superseded":                            {with(lacks("a"), record("a", 1, exchange.Superseded), stated("a", facts)), exchange.CorrectEnded, "supply/expired"},
		"expired":                               {with(lacks("a"), record("a", 1, exchange.Valid, until("2026-11-22")), stated("a", facts)), exchange.CorrectEnded, "supply/expired"},
		"two in force":                          {with(checks("a"), stated("a", facts)), exchange.Undecided, "check/ambiguous"},
		"two not in force":                      {with(lacks("a"), record("a", 1, exchange.Revoked), record("a", 2, exchange.Revoked), stated("a", facts)), exchange.Undecided, "check/ambiguous"},
		"nothing":                               {with(lacks("a"), stated("a", facts)), exchange.NothingFound, "supply/not_held"},
		"withdrawn":                             {with(lacks("a"), record("a", 1, exchange.Withdrawn, payload("")), stated("a", facts)), exchange.NothingFound, "supply/not_held"},
		"no facts":                              {with(holds("a")), exchange.NothingStated, "unknown/no_facts_stated"},
		"facts of another type":                 {with(holds("a"), stated("b", facts)), exchange.NothingStated, "unknown/no_facts_stated"},
		"wrong":                                 {with(holds("a"), stated("a", `{"area":121}`)), exchange.Incorrect, "check/facts_differ"},
		"one of two wrong":                      {with(holds("a"), stated("a", `{"area":120.5,"name":"张晓明","owner":"x"}`)), exchange.Incorrect, "check/facts_differ"},
		"a fact the record lacks":               {with(source("a", "1", fresh), record("a", 1, exchange.Valid, payload(`{}`)), stated("a", facts)), exchange.Incorrect, "check/facts_differ"},
		"none, no grant":                        {with(holds("a"), stated("a", facts), noGrant("a")), none, "supply/no_grant"},
		"none, quarantined":                     {with(source("a", "1", fresh, quarantined), record("a", 1, exchange.Valid), stated("a", facts)), none, "unknown/coverage_incomplete"},
		"none, nothing and stale":               {with(unknown("a"), stated("a", facts)), none, "unknown/source_stale"},
		"none, nothing and incomplete":          {with(source("a", "1", fresh, unfolded), stated("a", facts)), none, "unknown/coverage_incomplete"},
		"none, wrong and incomplete":            {with(source("a", "1", fresh, unfolded), record("a", 1, exchange.Valid), stated("a", `{"area":1}`)), none, "unknown/coverage_incomplete"},
		"none, suspended and stale":             {with(unknown("a"), record("a", 1, exchange.Suspended), stated("a", facts)), none, "unknown/source_stale"},
		"none, nothing now, asked of yesterday": {with(lacks("a"), on("2026-11-22"), stated("a", facts)), none, "unknown/coverage_incomplete"},
		"none, illegible":                       {with(source("a", "1", fresh), record("a", 1, exchange.Valid, payload("{")), stated("a", facts)), none, "unknown/coverage_incomplete"},
		"none, status unheard of":               {with(holds("a"), record("a", 2, "lost"), stated("a", facts)), none, "unknown/coverage_incomplete"},
	} {
		a := decide("a", append(tc.given, verifying)...)
		if got := fmt.Sprintf("%s/%s", a.Outcome, a.Reason); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
		result := none
		if r := a.Evidence[0].Result; r != nil {
			result = *r
		}
		if result != tc.result {
			t.Errorf("%s: result %d, want %d", name, result, tc.result)
		}
	}
}

// Of what is wrong only the fields are named that were not compared.
func TestVerificationNamesWhatIsNotGranted(t *testing.T) {
	a := VerifyOnly.Tell([]exchange.Answer{decide("a", holds("a"), stated("a", `{"area":1,"owner":"x","name":"y"}`), verifying)})[0]
	if d := a.Evidence[0].Differences; len(d) != 1 || d[0].Field != "owner" || d[0].Kind != exchange.Unchecked || d[0].Held != nil {
		t.Errorf("%+v", d)
	}
}

// Nothing says that nothing was found, that what was stated is wrong, or no, unless every source vouches for the whole.
func TestModesNeverProveAbsence(t *testing.T) {
	worlds(t, func(t *testing.T, r *rand.Rand, _ string, world []premise) {
		p := premises("a", append(world, stated("a", pick(r, `{"area":120.5}`, `{"area":1}`)))...)
		complete := p.standing("a").complete && !p.standing("a").stale && !p.standing("a").quarantined
		verify, only := p, p
		verify.Mode, only.Mode = VerifyOnly, Predicates
		told := VerifyOnly.Tell(Decide(verify))[0]
		if result := told.Evidence[0].Result; !complete && result != nil && *result != exchange.Correct && *result != exchange.Undecided {
			t.Errorf("result %d although the source does not vouch", *result)
		}
		if a := Predicates.Tell(Decide(only))[0]; !complete && a.Met != nil && !*a.Met {
			t.Errorf("no although the source does not vouch")
		}
	})
}

// TestPredicates is the truth table of yes and no: what is not granted or not known is neither.
func TestPredicates(t *testing.T) {
	when := func(cel string) premise {
		return func(p *Premises) { p.Service.Materials[0].Alternatives[0][0].When = parsed(t, cel) }
	}
	bare := func(p *Premises) { p.Grants["a"] = catalogue.Grant{} }
	for name, tc := range map[string]struct {
		asks  string
		given []premise
		want  string
	}{
		"held":                        {"a", with(holds("a")), "held yes"},
		"two":                         {"a", with(checks("a")), "held yes"},
		"two, both stale":             {"a", with(unknown("a"), record("a", 1, exchange.Valid), record("a", 2, exchange.Valid)), "check ? source_stale"},
		"stale":                       {"a", with(unknown("a"), record("a", 1, exchange.Valid)), "check ? source_stale"},
		"facts differ":                {"a", with(holds("a"), stated("a", `{"area":1}`)), "check ? facts_differ"},
		"not held":                    {"a", with(lacks("a")), "supply no"},
		"revoked":                     {"a", with(lacks("a"), record("a", 1, exchange.Revoked)), "supply no"},
		"unknown":                     {"a", with(unknown("a")), "unknown ? source_stale"},
		"no grant":                    {"a", with(holds("a"), noGrant("a")), "supply ? no_grant"},
		"applicant made":              {"", with(), "supply ? applicant_made"},
		"one of two held":             {"a|b", with(holds("a"), lacks("b")), "held yes"},
		"one not held, one unknown":   {"a|b", with(lacks("a"), unknown("b")), "unknown ? source_stale"},
		"one not held, one forbidden": {"a|b", with(lacks("a"), holds("b"), noGrant("b")), "supply ? no_grant"},
		"one forbidden, one not held": {"b|a", with(lacks("a"), holds("b"), noGrant("b")), "supply ? no_grant"},
		"both held":                   {"a+b", with(holds("a"), checks("b")), "held yes"},
		"both, one not held":          {"a+b", with(holds("a"), lacks("b")), "supply no"},
		"condition met":               {"a", with(holds("a"), when(`record.area > 100`)), "held yes"},
		"condition on what the grant does not show": {"a", with(holds("a"), bare, when(`record.area > 100`)), "held yes"},
		"condition not met":                         {"a", with(holds("a"), when(`record.area > 200`)), "supply no"},
		"condition that cannot be told":             {"a", with(holds("a"), when(`record.rooms > 2`)), "check ? condition_not_met"},
		"condition not met, source stale":           {"a", with(unknown("a"), record("a", 1, exchange.Valid), when(`record.area > 200`)), "unknown ? source_stale"},
		"two, and the condition met by one":         {"a", with(checks("a"), when(`record.area > 100`)), "held yes"},
		"a spouse's, not known to be one":           {"A", with(spouse(holds("a")), married(0, 0)), "check ? party_unproven"},
		"another's spouse":                          {"A", with(spouse(holds("a")), married(1, 2)), "check ? facts_differ"},
	} {
		build := premises
		if tc.asks == "A" {
			build = asking
		}
		a := Predicates.Tell(Decide(build(tc.asks, append(tc.given, func(p *Premises) { p.Mode = Predicates })...)))[0]
		got := string(a.Outcome) + " "
		switch {
		case a.Met == nil:
			got += "? " + string(a.Reason)
		case *a.Met:
			got += "yes" + string(a.Reason)
		default:
			got += "no" + string(a.Reason)
		}
		if got != tc.want || a.Evidence != nil || a.Ask != nil || a.Assurance != "" {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}

// Who asks for less needs the grant all the same, and counts all the same.
func TestModesArePermittedAndCounted(t *testing.T) {
	for _, mode := range []Mode{VerifyOnly, Predicates} {
		q := query()
		q.Mode = mode
		s := newStage(t)
		s.cfg.Limits = admits(spent)
		if _, err := s.Query(t.Context(), q); exchange.KindOf(err) != exchange.Limited || s.holdings.calls != 0 || s.entry(t).Mode != string(mode) {
			t.Errorf("%s, over the limits: %v, %d look-ups", mode, err, s.holdings.calls)
		}
		s = newStage(t)
		q.Caller.Department = "swj"
		if _, err := s.Query(t.Context(), q); exchange.KindOf(err) != exchange.Denied || s.holdings.calls != 0 || s.entry(t).Mode != string(mode) {
			t.Errorf("%s, without a grant: %v, %d look-ups", mode, err, s.holdings.calls)
		}
	}
}

// TestModesTellNoField: neither answer shows a record or a field of one; the log keeps which record it was.
func TestModesTellNoField(t *testing.T) {
	for _, mode := range []Mode{VerifyOnly, Predicates} {
		s := newStage(t)
		q := query()
		q.Mode, q.Stated = mode, Stated{"business-licence": members(json.RawMessage(`{"name":"醴陵小吃"}`))}
		c, err := s.Query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		shown := show(t, c.Answers)
		if strings.Contains(shown, "醴陵小吃") || strings.Contains(shown, (exchange.RecordID{1}).String()) || strings.Contains(shown, `"fields"`) {
			t.Errorf("%s shows %s", mode, shown)
		}
		e := s.entry(t)
		if e.Mode != string(mode) || e.Materials[1].Evidence[0].Record == "" || e.Stated == "" {
			t.Errorf("%s: entry %+v", mode, e)
		}
	}
	s := newStage(t)
	q := query()
	q.Mode = "curious"
	if _, err := s.Query(t.Context(), q); exchange.KindOf(err) != exchange.Invalid || s.holdings.calls != 0 {
		t.Errorf("an unknown mode: %v", err)
	}
	q.Mode = Full
	if _, err := s.Query(t.Context(), q); err != nil || s.entry(t).Mode != "" {
		t.Errorf("full: %v", err)
	}
}
