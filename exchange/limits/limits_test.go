package limits

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
)

func same(e *audit.Entry) { e.Subject, e.Near = "same", "same" }

// Each budget: so many are answered, the next is not, on no node, and after the time that the problem names it goes on.
func TestBudgets(t *testing.T) {
	rules := Rules{
		SpeaksFor: map[string]int{"xzsp/system": 3}, Suspend: Bars{Repeats: -1, Week: -1},
		Items: map[exchange.Item]Exception{"few": {Budget: Budget{SubjectsHour: 2, QueriesDay: 5}}, "many": {CaseSubjects: 12}},
	}
	type changes = []func(*audit.Entry)
	for name, row := range map[string]struct {
		spend   func(*world)
		more    changes // what is refused then
		refusal string
		after   time.Duration
	}{
		"subjects an hour": {func(w *world) { w.repeat(60) }, nil, "limited_clerk_hour", time.Hour},
		"queries an hour":  {func(w *world) { w.repeat(180, same) }, changes{same}, "limited_clerk_hour", time.Hour},
		"subjects a day": {func(w *world) {
			for range 4 {
				w.repeat(50)
				w.wait(time.Hour)
			}
		}, nil, "limited_clerk_day", 11 * time.Hour},
		"queries a day": {func(w *world) {
			for range 4 {
				w.repeat(150, same)
				w.wait(time.Hour)
			}
		}, changes{same}, "limited_clerk_day", 11 * time.Hour},
		"subjects of a case":       {func(w *world) { w.repeat(10, inCase("c1")) }, changes{inCase("c1")}, "limited_case_subjects", 0},
		"subjects of a large case": {func(w *world) { w.repeat(12, inCase("c1"), item("many")) }, changes{inCase("c1"), item("many")}, "limited_case_subjects", 0},
		"queries of a case":        {func(w *world) { w.repeat(50, same, inCase("c1")) }, changes{same, inCase("c1")}, "limited_case_day", 15 * time.Hour},
		"subjects of an item":      {func(w *world) { w.repeat(2, item("few")) }, changes{item("few")}, "limited_item_hour", time.Hour},
		"queries of an item":       {func(w *world) { w.repeat(5, same, item("few")) }, changes{same, item("few")}, "limited_item_day", 15 * time.Hour},
		"who speaks for three":     {func(w *world) { w.repeat(180, by("xzsp", "system")) }, changes{by("xzsp", "system")}, "limited_clerk_hour", time.Hour},
		"in the night":             {func(w *world) { w.wait(13 * time.Hour); w.repeat(30) }, nil, "limited_outside_hours", 2 * time.Hour},
		"looks an hour":            {func(w *world) { w.repeat(60, look); w.repeat(60) }, changes{look}, "limited_lookups_hour", time.Hour},
		"looks of three":           {func(w *world) { w.repeat(180, look, by("xzsp", "system")) }, changes{look, by("xzsp", "system")}, "limited_lookups_hour", time.Hour},
		"looks a day": {func(w *world) {
			for range 4 {
				w.repeat(50, look)
				w.wait(time.Hour)
			}
		}, changes{look}, "limited_lookups_day", 11 * time.Hour},
		"looks in the night": {func(w *world) { w.wait(13 * time.Hour); w.repeat(30, look) }, changes{look}, "limited_outside_hours", 2 * time.Hour},
		"on a Sunday":        {func(w *world) { w.wait(6 * 24 * time.Hour); w.repeat(30) }, nil, "limited_outside_hours", 15 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, rules, 2)
			row.spend(w)
			err := w.ask(row.more...)
			w.want("one more", err, row.refusal)
			p, ok := errors.AsType[*exchange.Problem](err)
			if !ok || p.Kind != exchange.Limited || p.Code != "YM-LIM-0201" || p.After != row.after || p.Why.ZH == "" || p.Why.EN == "" || p.Mend.ZH == "" || p.Mend.EN == "" {
				t.Errorf("problem %+v", p)
			}
			if err := w.askOn(1, w.entry(row.more...)); exchange.KindOf(err) != exchange.Limited {
				t.Errorf("the other node: %v", err)
			}
			want := map[string]int{strings.TrimPrefix(row.refusal, limited): 1}
			for i, n := range w.nodes {
				if got := n.alarms(); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("node %d: alarms %v, want %v", i, got, want)
				}
			}
			w.suspended()
			if row.after > 0 {
				w.wait(row.after - time.Millisecond)
				w.want("just before the time it names", w.ask(row.more...), row.refusal)
				w.wait(time.Millisecond)
				w.want("after the time it names", w.ask(row.more...), "")
			}
		})
	}
}

func TestDepartmentBudgetGrowsWithItsClerks(t *testing.T) {
	for clerks, want := range map[int]int{3: 500, 5: 750} {
		w := newWorld(t, Rules{}, 1)
		for i := range clerks { // all of them are there
			w.repeat(1, by("xzsp", numbered("w", i)))
		}
		answers, refusal := clerks, ""
		for i := 0; refusal == "" || refusal == "limited_clerk_hour"; i++ {
			if err := w.ask(by("xzsp", numbered("w", i%clerks))); err == nil {
				answers++
			} else if refusal = w.refusalOf(err); refusal == "limited_clerk_hour" {
				w.wait(time.Hour)
			}
		}
		if answers != want || refusal != "limited_department_day" {
			t.Errorf("%d clerks: %d answers, then %s", clerks, answers, refusal)
		}
		w.want("another department", w.ask(by("scjg", "w1")), "")
	}
}

func TestNoBound(t *testing.T) {
	w := newWorld(t, Rules{Clerk: Budget{-1, -1, -1, -1}, DepartmentSubjectsDay: -1, CaseSubjects: -1, CaseQueriesDay: -1, OutsideSubjectsDay: -1, LookupsHour: -1, LookupsDay: -1,
		Suspend: Bars{-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}}, 1)
	w.wait(13 * time.Hour)
	w.repeat(3000, near("near"), inCase("c1"), unheld)
	w.repeat(3000, near("near"), look)
	w.suspended()
}

// until asks until there is a refusal, an hour's pause after so many, and says how many answers there were.
func (w *world) until(perHour int, changes ...func(*audit.Entry)) (answers int, refusal string) {
	w.t.Helper()
	for answers < 10_000 {
		if err := w.ask(changes...); err != nil {
			return answers, w.refusalOf(err)
		}
		if answers++; answers%perHour == 0 {
			w.wait(time.Hour)
		}
	}
	w.t.Fatal("never refused")
	return 0, ""
}

// days asks about so many a day, from Monday to Saturday, until there is a refusal.
func (w *world) days(perDay int, changes ...func(*audit.Entry)) (answers int, refusal string) {
	w.t.Helper()
	for day := 0; day < 60; day++ {
		w.now = monday.AddDate(0, 0, day)
		if day%7 == 6 {
			continue
		}
		for i := range perDay {
			if err := w.ask(changes...); err != nil {
				return answers, w.refusalOf(err)
			}
			if answers++; i%50 == 49 {
				w.wait(time.Hour)
			}
		}
	}
	return answers, ""
}

// Each rule that suspends a clerk: so many answers, an alarm on every node, and refusals until it is lifted, however long that takes.
func TestRulesSuspend(t *testing.T) {
	for rule, row := range map[Rule]struct {
		walk    func(*world) (int, string)
		answers int
	}{
		neighbours: {func(w *world) (int, string) { return w.until(50, near("near")) }, 40},
		crowd: {func(w *world) (int, string) {
			n := 0
			return w.until(50, func(e *audit.Entry) { e.Near = numbered("near", n/5); n++ })
		}, 100},
		misses: {func(w *world) (int, string) { return w.until(50, unheld) }, 50},
		missesWeek: {func(w *world) (int, string) {
			return w.days(45, unheld)
		}, 200},
		repeats:     {func(w *world) (int, string) { return w.until(100, same, inCase("c1")) }, 21},
		week:        {func(w *world) (int, string) { return w.days(120) }, 700},
		month:       {func(w *world) (int, string) { return w.days(115) }, 2800},
		lookupsWeek: {func(w *world) (int, string) { return w.days(120, look) }, 700},
		pressing: {func(w *world) (int, string) {
			w.repeat(60)
			for range 100 {
				w.want("pressing on", w.ask(), "limited_clerk_hour")
			}
			w.want("one too many", w.ask(), "suspended_pressing")
			return 60, "suspended_pressing"
		}, 60},
		forbiddenItems: {func(w *world) (int, string) {
			for range 30 {
				w.askFor(item("not-ours"), notAllowed)
			}
			w.want("one too many", w.ask(item("not-ours"), notAllowed), "suspended_forbidden_items")
			return 0, "suspended_forbidden_items"
		}, 0},
		guesses: {func(w *world) (int, string) {
			for range 10 { // over some days, now on one node and now on the other
				w.nodes[0], w.nodes[1] = w.nodes[1], w.nodes[0]
				w.wait(12 * time.Hour)
				w.askFor(guess)
			}
			w.want("right or not is not told", w.ask(right), "suspended_guesses")
			return 0, w.refusalOf(w.ask(guess))
		}, 0},
	} {
		t.Run(string(rule), func(t *testing.T) {
			w := newWorld(t, Rules{}, 2)
			answers, refusal := row.walk(w)
			if answers != row.answers || refusal != whileSuspended+string(rule) {
				t.Fatalf("%d answers, then %s", answers, refusal)
			}
			w.suspended("xzsp/w1 " + string(rule))
			for i, n := range w.nodes {
				if n.alarms()[string(rule)] != 1 || !strings.Contains(n.said.String(), "rule="+string(rule)+" department=xzsp clerk=w1") {
					t.Errorf("node %d: alarms %v, said %s", i, n.alarms(), n.said)
				}
				if strings.Contains(n.said.String(), "subject") || strings.Contains(n.said.String(), "near1") {
					t.Errorf("a token in the log: %s", n.said)
				}
			}
			w.want("a colleague", w.ask(by("xzsp", "w2")), "")
			w.want("the same code elsewhere", w.ask(by("scjg", "w1")), "")
			w.wait(100 * 24 * time.Hour)
			err := w.ask()
			w.want("much later", err, whileSuspended+string(rule))
			if p, ok := errors.AsType[*exchange.Problem](err); !ok || p.Kind != exchange.Limited || p.After != 0 || !strings.Contains(p.Mend.EN, "yimen limits lift") || p.Why != rule.Text() {
				t.Errorf("problem %+v", p)
			}
			w.lift("xzsp/w2")
			w.want("another was lifted", w.ask(), whileSuspended+string(rule))
			w.lift("xzsp/w1")
			w.suspended()
			w.want("lifted", w.ask(), "")
		})
	}
}

// Replays with what is the entry's count nowhere, those with what is not only among themselves, and what is over seven days old not at all.
func TestGuesses(t *testing.T) {
	w := newWorld(t, Rules{Clerk: Budget{SubjectsHour: 3, QueriesHour: 3}}, 1)
	for range 50 {
		w.want("a replay", w.ask(right), "")
	}
	for range 9 {
		w.askFor(guess)
	}
	w.repeat(3)
	w.want("a query over the budget", w.ask(), "limited_clerk_hour")
	w.want("a replay, which has none", w.ask(right), "")
	w.wait(7 * 24 * time.Hour)
	for range 10 {
		w.askFor(guess)
	}
	w.suspended("xzsp/w1 guesses")
	w.want("a query", w.ask(), "suspended_guesses")
	w.askFor(by("xzsp", "w2"), guess)
	old := w.entry(func(e *audit.Entry) { e.Kind, e.Act, e.Target, e.Clerk = audit.Act, ReplayAct, "id1", "w3" }) // of before entries said what came of it
	for range 20 {
		old.ID += "x"
		w.append(old)
	}
	w.suspended("xzsp/w1 guesses")
	again := newWorld(t, Rules{}, 1) // a node that reads the topic comes to the same
	again.now = w.now
	if err := again.nodes[0].Take(t.Context(), messages(t, w.topic)); err != nil {
		t.Fatal(err)
	}
	again.suspended("xzsp/w1 guesses")
}

// right is a replay that was asked for as the entry has it, guess one that was not.
func right(e *audit.Entry) {
	e.Kind, e.Act, e.Target, e.Near, e.Case, e.Decision = audit.Act, ReplayAct, "id1", "", "", audit.Answered
}

func guess(e *audit.Entry) {
	right(e)
	e.Decision, e.Refusal = audit.Refused, "YM-RPL-0102"
}

// askFor asks for what is refused already, for want of permission or as a guess.
func (w *world) askFor(changes ...func(*audit.Entry)) {
	w.t.Helper()
	e := w.entry(changes...)
	if err := w.nodes[0].Admit(&e); err != nil || e.Refusal != notPermitted && e.Kind != audit.Act {
		w.t.Fatalf("%v, %+v", err, e)
	}
	w.append(e)
}

// On the day it broke a rule a lifted clerk starts anew: with all of its bounds, and with no more than those.
func TestLiftStartsAnew(t *testing.T) {
	w := newWorld(t, Rules{}, 2)
	w.until(50, near("near"))
	w.wait(time.Minute)
	w.lift("xzsp/w1")
	w.wait(time.Minute)
	if answers, refusal := w.until(50, near("near")); answers != 40 || refusal != "suspended_neighbours" {
		t.Errorf("%d answers, then %s", answers, refusal)
	}
	w.suspended("xzsp/w1 neighbours")
	w.wait(time.Minute)
	w.lift("xzsp/w1")
	w.suspended()
	w.wait(time.Minute)
	if answers, refusal := w.until(60); answers != 200 || refusal != "limited_clerk_day" {
		t.Errorf("%d answers, then %s", answers, refusal)
	}
}

// bar is what every node says of who asked before.
func (w *world) bar(department exchange.Department, clerk, code string) {
	w.t.Helper()
	for i, n := range w.nodes {
		p, _ := errors.AsType[*exchange.Problem](n.Bar(department, clerk))
		if p == nil && code != "" || p != nil && p.Code != code {
			w.t.Errorf("node %d: %s/%s is barred by %v, want %q", i, department, clerk, p, code)
		}
	}
}

// Whoever is suspended is barred until that is lifted; whom nobody knows is not, and does not become known. A budget that is spent bars nobody.
func TestBar(t *testing.T) {
	w := newWorld(t, Rules{}, 2)
	w.bar("xzsp", "w1", "")
	if w.nodes[0].knows("xzsp") {
		t.Error("who was never seen was entered")
	}
	w.until(50, near("near"))
	w.bar("xzsp", "w1", "YM-LIM-0202")
	w.bar("xzsp", "w2", "")
	w.wait(24 * time.Hour)
	w.bar("xzsp", "w1", "YM-LIM-0202")
	w.lift("xzsp/w1")
	w.bar("xzsp", "w1", "")
	w.wait(time.Minute)
	w.repeat(60, by("xzsp", "w3"))
	w.want("one more", w.ask(by("xzsp", "w3")), "limited_clerk_hour")
	w.bar("xzsp", "w3", "")
	starting, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := starting.Bar("xzsp", "w1"); exchange.KindOf(err) != exchange.Unavailable {
		t.Errorf("before the topic is read: %v", err)
	}
}

func TestDepartmentNeighbours(t *testing.T) {
	w := newWorld(t, Rules{}, 2)
	for i := range 4 {
		w.repeat(30, near("near"), by("xzsp", numbered("w", i)))
	}
	w.suspended("xzsp department_neighbours")
	w.bar("xzsp", "whoever", "YM-LIM-0203")
	err := w.ask(by("xzsp", "somebody else"))
	w.want("anybody there", err, "suspended_department_neighbours")
	if p, _ := errors.AsType[*exchange.Problem](err); p.Code != "YM-LIM-0203" || !strings.Contains(p.Mend.EN, "lift DEPT ") {
		t.Errorf("problem %+v", p)
	}
	w.want("another department", w.ask(near("near"), by("scjg", "w1")), "")
	w.lift("xzsp/w1")
	w.suspended("xzsp department_neighbours")
	w.wait(time.Minute)
	w.lift("xzsp")
	w.wait(time.Minute)
	w.suspended()
	w.want("lifted", w.ask(near("near"), by("xzsp", "w1")), "")
}

func TestDepartmentClerks(t *testing.T) {
	w := newWorld(t, Rules{}, 2)
	var suspended []string
	for i := range 5 {
		clerk := numbered("w", i)
		if answers, refusal := w.until(60, unheld, by("xzsp", clerk)); answers != 50 || refusal != "suspended_misses" {
			t.Fatalf("%s: %d answers, then %s", clerk, answers, refusal)
		}
		suspended = append(suspended, "xzsp/"+clerk+" misses")
	}
	w.suspended(append([]string{"xzsp department_clerks"}, suspended...)...)
	w.want("a colleague", w.ask(by("xzsp", "w9")), "suspended_department_clerks")
	w.wait(time.Minute)
	w.lift("xzsp")
	w.suspended(suspended...)
	w.want("a colleague after the lift", w.ask(by("xzsp", "w9")), "")
	w.want("one of the five", w.ask(by("xzsp", "w0")), "suspended_misses")
}

// Where fewer than five are left, the department is not held for them any more.
func TestDepartmentClerksLiftedOneByOne(t *testing.T) {
	w := newWorld(t, Rules{}, 2)
	for i := range 5 {
		w.until(60, unheld, by("xzsp", numbered("w", i)))
	}
	w.wait(time.Minute)
	w.lift("xzsp/w3")
	w.suspended("xzsp/w0 misses", "xzsp/w1 misses", "xzsp/w2 misses", "xzsp/w4 misses")
}

func TestWhatDoesNotCount(t *testing.T) {
	w := newWorld(t, Rules{Items: map[exchange.Item]Exception{"birth": {Cohort: true, Rare: true}}}, 1)
	stale := []audit.Material{{Evidence: []audit.Evidence{{Reason: exchange.SourceStale}, {Reason: exchange.CoverageIncomplete}, {Reason: exchange.NoGrant}}}}
	for i := range 55 {
		w.append(w.entry(func(e *audit.Entry) { e.Decision, e.Found, e.Materials = audit.Answered, false, stale })) // it could not be found out
		w.append(w.entry(func(e *audit.Entry) {
			e.Decision, e.Found, e.Materials, e.Near = audit.Answered, false, notHeld, "" // of before entries said what was found
			e.Clerk = "w2"
		}))
		w.append(w.entry(item("birth"), near("day"), by("xzsp", "w3"), func(e *audit.Entry) { e.Decision, e.Found, e.Materials = audit.Answered, false, notHeld }))
		w.append(w.entry(about(numbered("again", i%10)), near("n"), by("xzsp", "w4"), func(e *audit.Entry) { e.Decision, e.Found, e.Materials = audit.Answered, false, notHeld }))
		w.append(w.entry(near("n"), look, notAllowed))
		for _, kind := range []audit.Kind{audit.Rejection, audit.Act} {
			w.append(w.entry(near("n"), func(e *audit.Entry) { e.Kind, e.Decision, e.Act, e.Target = kind, audit.Answered, "revoke", "xzsp/w1" }))
		}
	}
	w.suspended()
}

func TestReplay(t *testing.T) {
	w := newWorld(t, Rules{}, 2)
	w.want("first", w.ask(nonce("n1")), "")
	err := w.ask(nonce("n1"))
	w.want("again", err, "replayed")
	if p, _ := errors.AsType[*exchange.Problem](err); p.Kind != exchange.Conflict || p.Code != "YM-LIM-0101" {
		t.Errorf("problem %+v", p)
	}
	w.want("again, for another case on another node", w.askOn(1, w.entry(nonce("n1"))), "replayed")
	w.want("another clerk's own", w.ask(nonce("n1"), by("xzsp", "w2")), "")
	w.want("without one", w.ask(), "")
	w.want("without one again", w.ask(), "")
	for range 9 {
		w.wait(time.Minute)
		w.want("meanwhile", w.ask(nonce(w.now.String())), "")
	}
	w.wait(time.Minute - time.Millisecond)
	w.nodes = append(w.nodes, w.start(Rules{}))
	for i := range w.nodes {
		w.want(numbered("within its time, node ", i), w.askOn(i, w.entry(nonce("n1"))), "replayed")
	}
	w.wait(20 * time.Minute)
	w.want("long after", w.ask(nonce("n1")), "")
	w.suspended()
}

// A refused request's nonce is spent too, and one whose entry never came onto the topic at least here.
func TestReplayOfWhatWasNotAnswered(t *testing.T) {
	w := newWorld(t, Rules{Clerk: Budget{SubjectsHour: 1}}, 1)
	w.repeat(1)
	w.want("refused", w.ask(nonce("n1")), "limited_clerk_hour")
	w.want("again", w.ask(nonce("n1")), "replayed")
	lost := w.entry(nonce("n2"), by("xzsp", "w2"))
	if err := w.nodes[0].Admit(&lost); err != nil {
		t.Fatal(err)
	}
	w.want("its answer was lost", w.ask(nonce("n2"), by("xzsp", "w2")), "replayed")
}

func TestCasesAreRemembered(t *testing.T) {
	w := newWorld(t, Rules{}, 1)
	for i := range 10 { // one every 50 days, among others
		w.repeat(1, inCase("c1"), about(numbered("s", i)))
		w.wait(25 * 24 * time.Hour)
		w.repeat(1)
		w.wait(25 * 24 * time.Hour)
	}
	w.want("one more in the same case", w.ask(inCase("c1")), "limited_case_subjects")
	w.want("one of the ten", w.ask(inCase("c1"), about("s3")), "")
	w.want("the same number at another department", w.ask(inCase("c1"), by("scjg", "w1")), "")
	w.wait(59 * 24 * time.Hour)
	w.want("after 59 days", w.ask(inCase("c1")), "limited_case_subjects")
	for range 5 {
		w.wait(25 * 24 * time.Hour)
		w.repeat(1)
	}
	w.want("after 125 days", w.ask(inCase("c1")), "")
}

func TestOnlyReservedSuspendsNobody(t *testing.T) {
	w := newWorld(t, Rules{}, 1)
	for range 40 { // none of them comes onto the topic: the index was down
		e := w.entry(near("near"))
		if err := w.nodes[0].Admit(&e); err != nil {
			t.Fatal(err)
		}
	}
	w.want("held up", w.ask(), "suspended_neighbours")
	w.suspended()
	w.wait(24 * time.Hour)
	w.want("the day after", w.ask(), "")
}

func TestReady(t *testing.T) {
	l, err := New(Config{Clock: func() time.Time { return monday }})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, now: monday}
	refused := func(what string) {
		t.Helper()
		e := w.entry()
		if err := l.Admit(&e); exchange.KindOf(err) != exchange.Unavailable || e.Decision != "" {
			t.Errorf("%s: %v, %+v", what, err, e)
		}
		if exchange.KindOf(l.Ready()) != exchange.Unavailable {
			t.Errorf("%s: ready", what)
		}
	}
	refused("before it is known where the topic ends")
	l.Await(3)
	refused("before anything was folded")
	if err := l.Take(t.Context(), []exchange.Message{{Offset: 0}, {Offset: 1}}); err != nil {
		t.Fatal(err)
	}
	refused("one is missing")
	if err := l.Take(t.Context(), []exchange.Message{{Offset: 2}}); err != nil {
		t.Fatal(err)
	}
	e := w.entry()
	if err := errors.Join(l.Ready(), l.Admit(&e)); err != nil {
		t.Error(err)
	}
	l.Await(100) // the topic grows on
	if err := l.Ready(); err != nil {
		t.Error(err)
	}
}

// A clock that runs back or far ahead must neither open days anew nor close those of others.
func TestWrongClocks(t *testing.T) {
	w := newWorld(t, Rules{}, 2)
	w.repeat(60)
	back := w.entry(func(e *audit.Entry) { e.Time = e.Time.AddDate(0, 0, -2) })
	if err := w.askOn(0, back); exchange.KindOf(err) != exchange.Unavailable || !strings.Contains(err.Error(), "YM-LIM-0302") {
		t.Errorf("two days back: %v", err)
	}
	for _, at := range []time.Time{monday.AddDate(50, 0, 0), monday.AddDate(0, 0, 3), {}, time.UnixMilli(-1)} {
		w.append(w.entry(func(e *audit.Entry) { e.Time, e.Decision, e.Nonce = at, audit.Answered, "n" }))
	}
	w.want("after entries of other times", w.ask(), "limited_clerk_hour")
	w.want("a nonce", w.ask(by("xzsp", "w2"), nonce("mine")), "")
	w.append(w.entry(func(e *audit.Entry) { e.Time, e.Decision, e.Nonce = monday.Add(12*time.Hour), audit.Answered, "n" }))
	w.want("the nonce after one of tonight", w.ask(by("xzsp", "w2"), nonce("mine")), "replayed")
	w.append(audit.Entry{ID: "lift", Kind: audit.Act, Act: LiftAct, Target: "xzsp/w1", Time: time.Time{}})
	w.want("after a lift of no time", w.ask(), "limited_clerk_hour")
	w.append(audit.Entry{ID: "lift", Kind: audit.Act, Act: LiftAct, Target: "xzsp/w1", Time: monday.AddDate(50, 0, 0)})
	w.wait(time.Minute)
	w.repeat(60)
	w.want("after a lift of a time to come, and another hour's queries", w.ask(), "limited_clerk_hour")
}

func TestRulesFromYAML(t *testing.T) {
	var r Rules
	err := yaml.UnmarshalWithOptions([]byte(`
clerk: {subjects_hour: 30}
items:
  birth-registration: {cohort: true, rare: true, subjects_day: 20, case_subjects: 4}
speaks_for: {xzsp/one-door: 40}
suspend: {neighbours: 60, week: -1}
replay: 5m
`), &r, yaml.Strict())
	if err != nil {
		t.Fatal(err)
	}
	filled := r.withDefaults()
	if filled.Clerk.SubjectsHour != 30 || filled.Clerk.SubjectsDay != 200 || filled.Replay != 5*time.Minute || filled.Suspend.Neighbours != 60 ||
		filled.Suspend.Week != -1 || filled.Suspend.Month != 2800 || filled.SpeaksFor["xzsp/one-door"] != 40 {
		t.Errorf("%+v", filled)
	}
	if e := filled.Items["birth-registration"]; !e.Cohort || !e.Rare || e.SubjectsDay != 20 || e.CaseSubjects != 4 {
		t.Errorf("%+v", e)
	}
	if _, err := New(Config{Rules: r}); err != nil {
		t.Error(err)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, rules := range map[string]Rules{
		"hours":      {Opens: 22},
		"25 o'clock": {Closes: 25},
		"replay":     {Replay: -1},
		"case days":  {CaseDays: -1},
		"item":       {Items: map[exchange.Item]Exception{"430281199001010017": {}}},
		"asker":      {SpeaksFor: map[string]int{"xzsp": 2}},
		"nobody":     {SpeaksFor: map[string]int{"xzsp/w1": 0}},
	} {
		_, err := New(Config{Rules: rules})
		if exchange.KindOf(err) != exchange.Invalid || strings.Contains(fmt.Sprint(err), "430281") {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := newWorld(t, Rules{}, 1)
	if _, err := New(Config{Metrics: w.nodes[0].metrics}); err == nil {
		t.Error("metrics twice")
	}
}

// Every rule has a text in both languages, and every one that suspends can be named.
func TestRulesAreExplained(t *testing.T) {
	for rule, why := range whys {
		if why.ZH == "" || why.EN == "" || why.ZH == why.EN {
			t.Errorf("%s: %+v", rule, why)
		}
	}
	for _, rule := range suspending {
		if rule.Text() == (exchange.Text{}) {
			t.Errorf("%s has no text", rule)
		}
		if (suspensions{rule: {}}).first() != rule {
			t.Errorf("%s is not named", rule)
		}
	}
}
