package limits

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
)

// office is a city of 500 clerks in 25 departments, who do nothing wrong.
type office struct {
	*world
	r     *rand.Rand
	day   int     // since monday
	asked []visit // of the day, in order of time
	cases int
}

// visit is one query of a clerk.
type visit struct {
	at      time.Duration // since midnight
	clerk   int
	subject int // people first, then companies, then newborns
	near    int
	matter  int
	found   bool
	item    exchange.Item
}

const (
	clerks      = 500
	inhabitants = 500_000
	companies   = 60_000
	birthsADay  = 14
	codesNear   = 31 // how many credit codes share a neighbourhood
)

// The departments where many of one neighbourhood may come on one day.
const (
	marriages = iota
	business
	enrolment
	births
	pensions
)

func departmentOf(clerk int) int { return clerk / 20 }

// born is a person's birthday, in days: 20 to a day, twins among them.
func born(person int) int { return person % 25_000 }

func (o *office) anybody() int { return o.r.IntN(inhabitants) }

// query adds a query at a time of the day; nine in ten find something.
func (o *office) query(at time.Duration, clerk, subject, near, matter int, item exchange.Item) {
	o.asked = append(o.asked, visit{at, clerk, subject, near, matter, o.r.IntN(10) > 0, item})
}

// serve is a new case of one or more subjects, of whom some are asked about again; it says how many queries that took.
func (o *office) serve(at time.Duration, clerk int, item exchange.Item, subjects ...int) int {
	o.cases++
	n := 0
	for _, s := range subjects {
		near := born(s)
		if s >= inhabitants {
			near = 1_000_000 + (s-inhabitants)/codesNear
		}
		times := 1
		if o.r.IntN(12) == 0 {
			times += 1 + o.r.IntN(4) // previewed, printed, corrected
		}
		for range times {
			o.query(at, clerk, s, near, o.cases, item)
			at += time.Minute
			n++
		}
	}
	return n
}

// moment is when somebody comes: the counters are open from 8:30 to 18:00 and a third comes over lunch.
func (o *office) moment() time.Duration {
	if o.r.IntN(3) == 0 {
		return 11*time.Hour + 30*time.Minute + time.Duration(o.r.Int64N(int64(2*time.Hour)))
	}
	return 8*time.Hour + 30*time.Minute + time.Duration(o.r.Int64N(int64(9*time.Hour)))
}

// applicants are who comes with one case: one person, or a family, with twins now and then.
func (o *office) applicants() []int {
	family := []int{o.anybody()}
	if o.r.IntN(5) == 0 {
		for range 1 + o.r.IntN(4) {
			family = append(family, o.anybody())
		}
		if o.r.IntN(50) == 0 {
			family = append(family, family[0]+25_000*(1+o.r.IntN(19))%inhabitants) // born on the same day
		}
	}
	return family
}

// work fills a clerk's day with about so many queries.
func (o *office) work(clerk, queries int) {
	if departmentOf(clerk) == business && o.r.IntN(60) == 0 { // an agent with thirty companies registered one after the other
		first, at := inhabitants+o.r.IntN(companies-30), o.moment()
		for i := range 30 {
			queries -= o.serve(at+time.Duration(i)*2*time.Minute, clerk, "enterprise-change", first+i)
		}
	}
	switch {
	case clerk == births*20: // the newborns of the last days, with their parents: on Mondays those of the weekend too
		days := 1
		if o.day%7 == 0 {
			days = 3
		}
		for i := range days * birthsADay {
			baby, at := (o.day+10)*birthsADay-i, o.moment()
			o.cases++
			o.query(at, clerk, inhabitants+companies+baby, 2_000_000+(baby-1)/birthsADay, o.cases, "birth-registration")
			queries -= 1 + o.serve(at, clerk, "birth-registration", o.anybody(), o.anybody())
		}
	case clerk/2 == pensions*10: // the twenty who turn sixty today, and some of yesterday's
		for range 15 {
			queries -= o.serve(o.moment(), clerk, "pension", 3000+o.day-o.r.IntN(2)+25_000*o.r.IntN(20))
		}
	}
	for queries > 0 {
		at := o.moment()
		switch departmentOf(clerk) {
		case marriages:
			queries -= o.serve(at, clerk, "marriage-registration", o.anybody(), o.anybody())
		case business:
			queries -= o.serve(at, clerk, "enterprise-change", inhabitants+o.r.IntN(companies))
		case enrolment: // all born in one year
			queries -= o.serve(at, clerk, "school-enrolment", 22_000+o.r.IntN(365)+25_000*o.r.IntN(20))
		default:
			queries -= o.serve(at, clerk, "food-licence-new", o.applicants()...)
		}
	}
}

// begin fills a day: eighty queries for most, more for some, Saturday shifts, a few on duty on Sundays and at night.
func (o *office) begin() {
	o.asked = o.asked[:0]
	weekday := o.day % 7
	for clerk := range clerks {
		switch {
		case weekday == 6:
			if clerk%25 == o.day%25 {
				o.work(clerk, 8)
			}
		case weekday == 5 && clerk%10 == o.day%10:
			// has the day off
		case o.r.IntN(30) == 0:
			o.work(clerk, 120)
		default:
			o.work(clerk, 70+o.r.IntN(25))
		}
		if clerk%40 == o.day%40 {
			o.serve(21*time.Hour+time.Duration(o.r.IntN(120))*time.Minute, clerk, "burial", o.anybody())
		}
	}
	slices.SortStableFunc(o.asked, func(a, b visit) int { return int(a.at - b.at) })
}

// A month of 500 honest clerks, about 80 queries a day each: nobody is refused and there is no alarm.
func TestHonestMonth(t *testing.T) {
	days := 30
	if testing.Short() {
		days = 8
	}
	var most figures
	o := &office{world: newWorld(t, Rules{}, 1), r: rand.New(rand.NewPCG(3, 4))}
	names, departments := make([]string, clerks), make([]exchange.Department, clerks)
	for i := range clerks {
		names[i], departments[i] = numbered("w", i), exchange.Department(numbered("d", departmentOf(i)))
	}
	n, queries := o.nodes[0].Limits, 0
	var waiting []audit.Entry // admitted, and not off the topic yet
	for o.day = 0; o.day < days; o.day++ {
		o.begin()
		midnight := monday.Add(-9*time.Hour).AddDate(0, 0, o.day)
		date := string(exchange.DateOf(midnight))
		for i := range o.asked {
			v := &o.asked[i]
			o.now = midnight.Add(v.at)
			queries++
			id := strconv.Itoa(queries)
			e := audit.Entry{ID: id, Time: o.now, Department: departments[v.clerk], Clerk: names[v.clerk], Case: "LL-" + strconv.Itoa(v.matter), Item: v.item,
				Subject: "subject" + strconv.Itoa(v.subject), Near: date + strconv.Itoa(v.near), Nonce: id}
			if err := n.Admit(&e); err != nil {
				t.Fatalf("day %d, %s of %s, %s: %v", o.day, e.Clerk, e.Department, e.Item, err)
			}
			if e.Decision, e.Found = audit.Answered, v.found; !v.found {
				e.Materials = notHeld
			}
			waiting = append(waiting, e)
			if len(waiting) == 64 {
				for i := range waiting {
					n.Fold(&waiting[i])
				}
				waiting = waiting[:0]
			}
		}
		most = most.beside(o.nodes[0])
	}
	t.Logf("%d queries in %d days, %.0f a clerk and working day", queries, days, float64(queries)/clerks/(float64(days)*5.9/7))
	if got := o.nodes[0].alarms(); len(got) > 0 || len(n.Suspensions()) > 0 {
		t.Errorf("alarms %v, suspended %v", got, o.nodes[0].list())
	}
	if queries < days*30_000 {
		t.Errorf("only %d queries", queries)
	}
	t.Logf("the most there was: %+v", most)
}

// beside is the larger of each figure: for whoever changes the bars.
func (f figures) beside(n *node) figures {
	for _, d := range n.departments {
		for _, c := range d.clerks {
			for _, p := range c.open {
				if p != nil {
					g := c.figures(p)
					f = figures{max(f.neighbours, g.neighbours), max(f.crowd, g.crowd), max(f.misses, g.misses), max(f.missesWeek, g.missesWeek),
						max(f.repeats, g.repeats), max(f.pressing, g.pressing), max(f.forbidden, g.forbidden), max(f.guesses, g.guesses), max(f.week, g.week), max(f.month, g.month),
						max(f.looks, g.looks)}
				}
			}
		}
	}
	return f
}
