package limits

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange/audit"
)

// look makes of an entry one of somebody who asks the log for a holder, as Stamp leaves it; near stands there where a number was given.
func look(e *audit.Entry) { e.Kind, e.Case, e.Item = audit.Access, "", "" }

// byToken is the look that follows, page after page: its entry has a token alone.
func byToken(e *audit.Entry) { look(e); e.Near = "" }

// Somebody is counted once, however many pages are read of their list; looks and queries have budgets of their own.
func TestLooksAreOfDifferentPeople(t *testing.T) {
	w := newWorld(t, Rules{}, 2)
	for i := range 60 {
		w.repeat(1, look, about(numbered("s", i)))
		w.repeat(5, byToken, about(numbered("s", i)))
	}
	w.repeat(10, byToken, about("s0"))
	w.repeat(60)
	w.want("one more", w.ask(look), "limited_lookups_hour")
	w.want("one more by a token", w.askOn(1, w.entry(byToken)), "limited_lookups_hour")
	w.want("one of the sixty", w.ask(byToken, about("s59")), "")
	w.want("another clerk", w.ask(look, by("xzsp", "w2")), "")
	again := w.start(Rules{}) // a node that reads the topic holds the same
	e := w.entry(look)
	if err := again.Admit(&e); err == nil || e.Refusal != "limited_lookups_hour" || e.Decision != audit.Refused {
		t.Errorf("a node that has just started: %v, %+v", err, e)
	}
	w.wait(time.Hour)
	w.want("an hour later", w.ask(look), "")
	w.suspended()
}

// Who is refused and asks on, or walks numbers, is suspended, from queries too, whichever way the numbers are asked for.
func TestLooksSuspend(t *testing.T) {
	w := newWorld(t, Rules{}, 2)
	w.repeat(60, look)
	for range 100 {
		w.want("pressing on", w.ask(look), "limited_lookups_hour")
	}
	w.suspended("xzsp/w1 pressing")
	w.want("a query", w.ask(), "suspended_pressing")
	w.repeat(20, near("near"), by("xzsp", "w2"))
	w.repeat(20, near("near"), look, by("xzsp", "w2"))
	w.want("a look", w.ask(look, by("xzsp", "w2")), "suspended_neighbours")
	w.want("a look by a token", w.ask(byToken, by("xzsp", "w2")), "suspended_neighbours")
	w.suspended("xzsp/w1 pressing", "xzsp/w2 neighbours")
}

// One that speaks for a city's people, and looks only, does not raise what its department may ask, not even where it is refused.
func TestPortalRaisesNobodysBudget(t *testing.T) {
	w := newWorld(t, Rules{SpeaksFor: map[string]int{"xzsp/portal": 100}, LookupsHour: 1, Clerk: Budget{-1, -1, -1, -1}, Suspend: Bars{Week: -1}}, 1)
	w.repeat(100, look, by("xzsp", "portal"))
	w.want("the portal's limit", w.ask(look, by("xzsp", "portal")), "limited_lookups_hour")
	answers := 0
	for w.ask() == nil {
		answers++
	}
	if answers != 500 {
		t.Errorf("the department has %d answers", answers)
	}
}

// One credential that tries 100,000 numbers on the log, 16 at a time, is told of less than a day's, once and for all.
func TestWalkThroughTheLog(t *testing.T) {
	for name, next := range walks() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Rules{}, 2)
			w.lag = 16
			told := 0
			for i := range tried {
				if i%1000 == 999 {
					w.wait(time.Minute)
				}
				number := of(next(i))
				if w.askOn(i%2, w.entry(number, look)) == nil && w.askOn(i%2, w.entry(number, byToken)) == nil {
					told++
				}
			}
			w.fold(len(w.topic))
			t.Logf("told of %d, %v", told, w.nodes[0].list())
			if told > 60+w.lag || told < 30 || len(w.nodes[0].alarms()) == 0 || len(w.nodes[0].list()) == 0 {
				t.Errorf("told of %d, alarms %v, suspended %v", told, w.nodes[0].alarms(), w.nodes[0].list())
			}
			w.suspended(w.nodes[1].list()...)
		})
	}
}

// Slowly, 150 a day in office hours, who walks serials gets less than a day's, and the others a week's: a miss is none here, for nobody may
// have asked about somebody.
func TestSlowWalkThroughTheLog(t *testing.T) {
	neighbouring := map[string]bool{"by serial": true, "leaked list, sorted": true}
	for name, next := range walks() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Rules{}, 1)
			told := map[string]bool{}
			for day, i := 0, 0; day < 30; day++ {
				for n := range 150 {
					w.now = monday.AddDate(0, 0, day).Add(time.Duration(n) * 3 * time.Minute)
					if i++; w.ask(of(next(i)), look) == nil {
						told[w.topic[len(w.topic)-1].Subject] = true
					}
				}
			}
			t.Logf("told of %d, %v", len(told), w.nodes[0].list())
			if len(told) > 700 || neighbouring[name] && len(told) > 200 || len(w.nodes[0].list()) == 0 || len(w.nodes[0].alarms()) == 0 {
				t.Errorf("told of %d, alarms %v, suspended %v", len(told), w.nodes[0].alarms(), w.nodes[0].list())
			}
		})
	}
}

// A month at the citizens' desk: twelve clerks whom people ask who looked at their data, fifty a day and three times as many on days after
// the newspapers wrote of it, some with their family, some until late; and a portal that asks for a whole city, day and night.
func TestHonestDesk(t *testing.T) {
	const desk, portal = 12, 40
	r := rand.New(rand.NewPCG(11, 12))
	w := newWorld(t, Rules{SpeaksFor: map[string]int{"zwfw/portal": portal}}, 1)
	type visitor struct {
		at    time.Duration
		clerk string
	}
	looks, week := 0, map[string]int{}
	for day := range 30 {
		var visitors []visitor
		for range portal * 20 {
			visitors = append(visitors, visitor{time.Duration(r.Int64N(int64(24 * time.Hour))), "portal"})
		}
		for clerk := range desk {
			n := 40 + r.IntN(20)
			switch {
			case day%7 == 6:
				n = 0
			case day%10 == 3:
				n = 150
			}
			for range n {
				visitors = append(visitors, visitor{8*time.Hour + 30*time.Minute + time.Duration(r.Int64N(int64(9*time.Hour))), numbered("w", clerk)})
			}
			if day%7 < 6 && clerk == day%desk { // has the late shift
				for range 15 {
					visitors = append(visitors, visitor{21*time.Hour + time.Duration(r.Int64N(int64(time.Hour))), numbered("w", clerk)})
				}
			}
		}
		slices.SortFunc(visitors, func(a, b visitor) int { return int(a.at - b.at) })
		midnight := monday.Add(-9*time.Hour).AddDate(0, 0, day)
		for _, v := range visitors {
			w.now = midnight.Add(v.at)
			number := of(citizen(r.IntN(lifetime), 1+r.IntN(perDay)), true)
			for _, how := range []func(*audit.Entry){look, byToken, byToken} { // the token, and two pages
				if looks++; w.ask(number, how, by("zwfw", v.clerk)) != nil {
					t.Fatalf("day %d, %s: %s", day, v.clerk, w.topic[len(w.topic)-1].Refusal)
				}
			}
		}
		w.topic, w.next = nil, 0
		for code, c := range w.nodes[0].departments["zwfw"].clerks {
			if p := c.page(dayOf(w.now.UnixMilli())); p != nil {
				week[code] = max(week[code], c.figures(p).looks)
			}
		}
	}
	if got := w.nodes[0].alarms(); len(got) > 0 || len(w.nodes[0].list()) > 0 {
		t.Errorf("alarms %v, suspended %v", got, w.nodes[0].list())
	}
	t.Logf("%d looks; the most people in seven days: %v", looks, week)
}
