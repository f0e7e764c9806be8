package limits

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/identity"
)

// The county of the walks has 500,000 inhabitants: 14 were born there on each day of seventy years and more.
const (
	division = "430281"
	perDay   = 20 // who live there and were born on one day
	lifetime = 25_000
)

var firstBirthday = time.Date(1956, 1, 1, 0, 0, 0, 0, time.UTC)

// birthdays are those of a lifetime, as numbers have them.
var birthdays = sync.OnceValue(func() []string {
	all := make([]string, lifetime)
	for i := range all {
		all[i] = firstBirthday.AddDate(0, 0, i).Format("20060102")
	}
	return all
})

// citizen is the valid number of a birthday and a serial.
func citizen(birthday, serial int) string {
	n := division + birthdays()[birthday] + strconv.Itoa(1000 + serial)[1:]
	return n + string(rune(identity.CitizenCheck(n)))
}

// lives says whether somebody has the number: 20 of the 999 serials of each birthday.
func lives(birthday, serial int) bool { return (serial*7+birthday*13)%999 < perDay }

// walk gives the numbers that a walker tries, one after the other, and whether somebody has them.
type walk func(i int) (number string, real bool)

func walks() map[string]walk {
	r := rand.New(rand.NewPCG(1, 2))
	list := func(order func(n int) int) walk { // numbers of real people, as leaked
		return func(i int) (string, bool) {
			n := order(i)
			return citizen(n/perDay%lifetime, 1+n%perDay), true
		}
	}
	return map[string]walk{
		"by serial": func(i int) (string, bool) { return citizen(i/999, 1+i%999), lives(i/999, 1+i%999) },
		"by date":   func(i int) (string, bool) { return citizen(i%lifetime, 1+i/lifetime), lives(i%lifetime, 1+i/lifetime) },
		"random": func(int) (string, bool) {
			birthday, serial := r.IntN(lifetime), 1+r.IntN(999)
			return citizen(birthday, serial), lives(birthday, serial)
		},
		"leaked list, sorted":   list(func(i int) int { return i }),
		"leaked list, shuffled": list(func(i int) int { return i * 7919 % (perDay * lifetime) }),
	}
}

// of makes an entry one about a number, as Stamp does.
func of(number string, real bool) func(*audit.Entry) {
	return func(e *audit.Entry) {
		e.Subject, e.Near, e.Found = "token of "+number, string(exchange.DateOf(e.Time))+number[:14], real
	}
}

const tried = 100_000

// One credential that tries 100,000 valid numbers as fast as it can, 16 at a time, gets less than a day's answers, once and for all.
func TestWalkWithOneCredential(t *testing.T) {
	for name, next := range walks() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Rules{}, 1)
			w.lag = 16
			answers := 0
			for i := range tried {
				if i%1000 == 999 {
					w.wait(time.Minute)
				}
				if w.ask(of(next(i))) == nil {
					answers++
				}
			}
			w.fold(len(w.topic))
			t.Logf("%d answers, %v", answers, w.nodes[0].list())
			if answers > 200 || answers < 30 || len(w.nodes[0].alarms()) == 0 || len(w.nodes[0].list()) == 0 {
				t.Errorf("%d answers, alarms %v, suspended %v", answers, w.nodes[0].alarms(), w.nodes[0].list())
			}
		})
	}
}

// Slowly, 150 a day in office hours, a walk gets no further, but for one: a shuffled list of real numbers looks like a busy window.
// Its walker gets a week's answers and is then suspended until somebody has asked what it does. At 90 a day it would pass for
// an honest clerk for ever: that no count can tell; the case numbers it invents could.
func TestSlowWalk(t *testing.T) {
	most := map[string]int{"leaked list, shuffled": 700}
	for name, next := range walks() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Rules{}, 1)
			answers, refused := 0, 0
			for day, i := 0, 0; day < 30; day++ {
				for n := range 150 {
					w.now = monday.AddDate(0, 0, day).Add(time.Duration(n) * 3 * time.Minute)
					if i++; w.ask(of(next(i))) == nil {
						answers++
					} else {
						refused++
					}
				}
			}
			t.Logf("%d answers, %v", answers, w.nodes[0].list())
			if answers > max(200, most[name]) || refused < 3000 || len(w.nodes[0].list()) == 0 || len(w.nodes[0].alarms()) == 0 {
				t.Errorf("%d answers, %d refused, alarms %v, suspended %v", answers, refused, w.nodes[0].alarms(), w.nodes[0].list())
			}
		})
	}
}

// Twenty credentials of one department, on two nodes, taking turns. What each may do for a day is a bound for all, and well
// before it the department is held.
func TestWalkSpreadOverADepartment(t *testing.T) {
	const clerks = 20
	most := map[string]int{"by serial": 150, "leaked list, sorted": clerks * 60, "leaked list, shuffled": clerks * 60}
	for name, next := range walks() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Rules{}, 2)
			w.lag = 16
			answers, byDepartment := 0, 0
			for i := range tried {
				if i%1000 == 999 {
					w.wait(time.Minute)
				}
				if w.askOn(i%2, w.entry(by("xzsp", numbered("w", i%clerks)), of(next(i)))) == nil {
					answers++
				}
			}
			w.fold(len(w.topic))
			for _, s := range w.nodes[0].Suspensions() {
				if s.Clerk == "" {
					byDepartment++
				}
			}
			t.Logf("%d answers, %v", answers, w.nodes[0].list())
			bound := most[name]
			if bound == 0 {
				bound = clerks*50 + 2*w.lag // misses
			}
			if answers > bound || byDepartment == 0 {
				t.Errorf("%d answers, want %d at most; suspended %v", answers, bound, w.nodes[0].list())
			}
			w.suspended(w.nodes[1].list()...)
		})
	}
}

// Codes of companies one after the other: a neighbourhood has 31 of them, so that no single one shows a walk.
func TestWalkOfCreditCodes(t *testing.T) {
	w := newWorld(t, Rules{}, 1)
	answers := 0
	for i := range tried {
		if w.ask(about(numbered("org", i)), near(numbered("codes", i/31))) == nil {
			answers++
		}
		if i%50 == 49 {
			w.wait(time.Hour)
		}
	}
	if answers > 200 || fmt.Sprint(w.nodes[0].list()) != "[xzsp/w1 crowd]" {
		t.Errorf("%d answers, suspended %v", answers, w.nodes[0].list())
	}
}
