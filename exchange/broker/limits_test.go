package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/identity"
	"github.com/onedoor/yimen/exchange/limits"
)

// admits is limits in one function.
type admits func(*audit.Entry) error

func (a admits) Admit(e *audit.Entry) error { return a(e) }

var tooMuch = &exchange.Problem{Code: "YM-LIM-0201", Kind: exchange.Limited, What: text("够了", "enough"), Mend: text("明天", "tomorrow")}

// spent is limits that refuse everything.
func spent(e *audit.Entry) error {
	e.Decision, e.Refusal = audit.Refused, "limited_clerk_day"
	return tooMuch
}

func TestAdmittedBeforeAnythingIsLookedUp(t *testing.T) {
	s := newStage(t)
	var admitted audit.Entry
	s.cfg.Limits = admits(func(e *audit.Entry) error {
		if s.holdings.calls != 0 || len(s.topic.msgs) != 0 {
			t.Error("looked up or audited before it was admitted")
		}
		admitted = *e
		return nil
	})
	q := query()
	q.Nonce = "nonce-1"
	c, err := s.Query(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if admitted.ID != c.ID || len(admitted.Subject) != 64 || admitted.Near == "" || admitted.Time.IsZero() || admitted.Nonce != "nonce-1" || admitted.Case != q.Case || admitted.Decision != "" {
		t.Errorf("admitted %+v", admitted)
	}
	e := s.entry(t)
	if e.ID != admitted.ID || e.Subject != admitted.Subject || e.Near != admitted.Near || e.Nonce != "nonce-1" || !e.Found || e.Decision != audit.Answered {
		t.Errorf("entry %+v", e)
	}
}

func TestEntrySaysWhetherAnythingIsHeld(t *testing.T) {
	for name, row := range map[string]struct {
		records []exchange.Record
		want    bool
	}{
		"nothing":          {nil, false},
		"a withdrawn one":  {[]exchange.Record{{Type: "business-licence", Status: exchange.Withdrawn}}, true},
		"of another type":  {[]exchange.Record{{Type: "health-certificate", Status: exchange.Valid, Payload: []byte(`{}`), AsOf: fresh}}, true},
		"an unusable one":  {[]exchange.Record{{Type: "business-licence", Status: exchange.Revoked}}, true},
		"one of two types": {[]exchange.Record{{Type: "business-licence", Status: exchange.Valid, AsOf: fresh, Payload: []byte(`{"name":"x"}`)}}, true},
	} {
		s := newStage(t)
		s.holdings.found.Records = row.records
		if _, err := s.Query(t.Context(), query()); err != nil {
			t.Fatal(err)
		}
		if e := s.entry(t); e.Found != row.want {
			t.Errorf("%s: found %v", name, e.Found)
		}
	}
}

func TestRefusedByLimits(t *testing.T) {
	s := newStage(t)
	s.cfg.Limits = admits(spent)
	c, err := s.Query(t.Context(), query())
	if !errors.Is(err, error(tooMuch)) || c.Answers != nil || c.ID != "" || s.holdings.calls != 0 {
		t.Errorf("%+v, %v, %d looked up", c, err, s.holdings.calls)
	}
	if e := s.entry(t); e.Decision != audit.Refused || e.Refusal != "limited_clerk_day" || e.Materials != nil || e.Found || len(e.Subject) != 64 {
		t.Errorf("entry %+v", e)
	}
}

// Who may not ask is told so, but for who asks too much: both are counted, and neither is looked up.
func TestForbiddenCountsToo(t *testing.T) {
	for name, row := range map[string]struct {
		limits  admits
		kind    exchange.Kind
		refusal string
	}{
		"counted":   {func(*audit.Entry) error { return nil }, exchange.Denied, "not_permitted"},
		"suspended": {spent, exchange.Limited, "limited_clerk_day"},
	} {
		s := newStage(t)
		var counted *audit.Entry
		s.cfg.Limits = admits(func(e *audit.Entry) error {
			before := *e
			counted = &before
			return row.limits(e)
		})
		q := query()
		q.Caller.Department = "mzj"
		if _, err := s.Query(t.Context(), q); exchange.KindOf(err) != row.kind {
			t.Errorf("%s: %v", name, err)
		}
		e := s.entry(t)
		if counted == nil || counted.Decision != audit.Refused || counted.Refusal != "not_permitted" || counted.ID != e.ID || counted.Subject == "" {
			t.Errorf("%s: counted %+v", name, counted)
		}
		if e.Refusal != row.refusal || s.holdings.calls != 0 {
			t.Errorf("%s: entry %+v, %d looked up", name, e, s.holdings.calls)
		}
	}
}

// No answer and no entry while it cannot be said what was asked before; no answer where the entry is lost after all.
func TestNoAnswerWithoutLimits(t *testing.T) {
	starting := &exchange.Problem{Code: "YM-LIM-0301", Kind: exchange.Unavailable}
	for _, department := range []exchange.Department{"xzsp", "mzj"} {
		for name, err := range map[string]error{"starting": starting, "broken": errors.New("oops")} {
			s := newStage(t)
			s.cfg.Limits = admits(func(*audit.Entry) error { return err })
			q := query()
			q.Caller.Department = department
			c, got := s.Query(t.Context(), q)
			if department == "xzsp" || name == "starting" {
				if !errors.Is(got, err) || len(s.topic.msgs) != 0 {
					t.Errorf("%s, %s: %v, %d entries", name, department, got, len(s.topic.msgs))
				}
			}
			if got == nil || c.Answers != nil || s.holdings.calls != 0 {
				t.Errorf("%s, %s: %+v, %v", name, department, c, got)
			}
		}
		for name, limits := range map[string]admits{"admitted": func(*audit.Entry) error { return nil }, "refused": spent} {
			s := newStage(t)
			s.cfg.Limits, s.topic.err = limits, errors.New("no leader")
			q := query()
			q.Caller.Department = department
			if c, err := s.Query(t.Context(), q); exchange.KindOf(err) != exchange.Unavailable || c.Answers != nil || c.ID != "" {
				t.Errorf("%s and not audited, %s: %+v, %v", name, department, c, err)
			}
		}
	}
}

// unstamped is an audit log that cannot draw an id.
type unstamped struct{ Auditor }

func (unstamped) Stamp(context.Context, *audit.Entry) error { return errors.New("no randomness") }

func TestNoAnswerWithoutStamp(t *testing.T) {
	s := newStage(t)
	s.cfg.Audit = unstamped{s.cfg.Audit}
	if c, err := s.Query(t.Context(), query()); exchange.KindOf(err) != exchange.Unavailable || c.Answers != nil || len(s.topic.msgs) != 0 || s.holdings.calls != 0 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestNotReady(t *testing.T) {
	s := newStage(t)
	closed := &exchange.Problem{Code: "YM-X-1", Kind: exchange.Unavailable}
	s.cfg.Ready = func() error { return closed }
	if c, err := s.Query(t.Context(), query()); !errors.Is(err, error(closed)) || c.Answers != nil || s.holdings.calls != 0 || len(s.topic.msgs) != 0 {
		t.Errorf("%+v, %v", c, err)
	}
	s.cfg.Ready = func() error { return nil }
	if _, err := s.Query(t.Context(), query()); err != nil {
		t.Error(err)
	}
}

func TestLimitedIsCounted(t *testing.T) {
	s := newStage(t)
	s.cfg.Limits = admits(spent)
	s.Query(t.Context(), query())
	families, err := s.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(fmt.Sprint(families), `value:"limited"`) {
		t.Errorf("no outcome limited in %v", families)
	}
}

// telltale is an index that tells people apart: somebody who is held takes longer and fails.
type telltale struct{ asked int }

func (h *telltale) Find(ctx context.Context, holder exchange.Holder, _ []exchange.EvidenceType) (exchange.Found, error) {
	h.asked++
	if holder.Number == number {
		time.Sleep(50 * time.Millisecond)
		return exchange.Found{Records: make([]exchange.Record, 100)}, nil
	}
	return exchange.Found{}, nil
}

// Whoever may not ask learns nothing of whom it asked about: nobody is looked up, the refusal is the same, and so is the entry but for
// what stands for the person.
func TestRefusalsTellNothing(t *testing.T) {
	for name, limits := range map[string]Limits{"not permitted": nil, "asked too much": admits(spent)} {
		index := &telltale{}
		var refusals []error
		var entries []audit.Entry
		var sizes []int
		for _, first17 := range []string{number[:17], "43028119900101003", "43028119850228002"} {
			applicant := first17 + string(rune(identity.CitizenCheck(first17)))
			s := newStage(t)
			s.cfg.Holdings, s.cfg.Limits = index, limits
			q := query()
			q.Applicant.Number = applicant
			if limits == nil {
				q.Caller.Department = "mzj"
			}
			_, err := s.Query(t.Context(), q)
			if err == nil {
				t.Fatalf("%s: answered", name)
			}
			e := s.entry(t)
			value, err2 := json.Marshal(e)
			if err2 != nil {
				t.Fatal(err2)
			}
			e.ID, e.Subject, e.Near = "", "", ""
			refusals, entries, sizes = append(refusals, err), append(entries, e), append(sizes, len(value))
		}
		for i := range refusals {
			if !reflect.DeepEqual(refusals[i], refusals[0]) || !reflect.DeepEqual(entries[i], entries[0]) || sizes[i] != sizes[0] {
				t.Errorf("%s: %d differs: %v, %+v, %d bytes", name, i, refusals[i], entries[i], sizes[i])
			}
		}
		if index.asked != 0 {
			t.Errorf("%s: %d look-ups", name, index.asked)
		}
	}
}

// The parts together: a clerk walks, is held up, suspended and lifted; another node that folds the same topic knows it.
func TestWithTheRealLimits(t *testing.T) {
	s := newStage(t)
	clock := func() time.Time { return now }
	here, err := limits.New(limits.Config{Clock: clock, Rules: limits.Rules{Clerk: limits.Budget{SubjectsHour: 5}, Suspend: limits.Bars{Pressing: 3}}})
	if err != nil {
		t.Fatal(err)
	}
	here.Await(0)
	s.cfg.Limits = here
	var kinds []exchange.Kind
	for i := range 10 {
		q := query()
		q.Case, q.Nonce = fmt.Sprint("LL-2026-", i), fmt.Sprint("n", i)
		first17 := fmt.Sprintf("43028119900101%03d", i)
		q.Applicant.Number = first17 + string(rune(identity.CitizenCheck(first17)))
		_, err := s.Query(t.Context(), q)
		kind := exchange.KindOf(err)
		if err == nil {
			kind = "answered"
		}
		kinds = append(kinds, kind)
		last := len(s.topic.msgs) - 1
		s.topic.msgs[last].Offset = int64(last)
		if err := here.Take(t.Context(), s.topic.msgs[last:]); err != nil {
			t.Fatal(err)
		}
	}
	if got := fmt.Sprint(kinds); got != "[answered answered answered answered answered limited limited limited limited limited]" {
		t.Error(got)
	}
	there, err := limits.New(limits.Config{Clock: clock, Rules: limits.Rules{Suspend: limits.Bars{Pressing: 3}}})
	if err != nil {
		t.Fatal(err)
	}
	there.Await(10)
	if err := there.Take(t.Context(), s.topic.msgs); err != nil {
		t.Fatal(err)
	}
	for _, l := range []*limits.Limits{here, there} {
		if all := l.Suspensions(); len(all) != 1 || all[0].Target() != "xzsp/w3-017" || all[0].Rule != "pressing" {
			t.Errorf("suspended %+v", all)
		}
	}
}
