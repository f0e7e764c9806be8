package limits

import (
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
)

// LiftAct is the act of an entry that lifts the suspensions of its Target, which is a department or department/clerk. What
// these asked up to then counts no more.
const LiftAct = "limits-lift"

// ReplayAct is the act of an entry of a replay (重放); it is Refused where the applicant, parties or statements given were not those of
// the entry that its Target names.
const ReplayAct = "replay"

// Fold counts an entry that came off the topic. One that came before changes nothing, and one that Admit has counted is only
// completed by what was found.
func (l *Limits) Fold(e *audit.Entry) {
	switch {
	case e.Kind == audit.Act && e.Act == LiftAct:
		l.lift(e)
	case e.ID != "" && (e.Kind == audit.Query || e.Kind == audit.Access || e.Kind == audit.Act && e.Act == ReplayAct):
		q := l.see(e)
		for _, other := range l.others(e, &q) {
			l.fold(other)
		}
		l.fold(q)
	}
}

func (l *Limits) fold(q query) {
	l.mu.Lock()
	defer l.mu.Unlock()
	open := l.advance(q.day)
	l.spend(&q)
	if q.act == nothing {
		return
	}
	if !open {
		l.metrics.late.Inc()
		return
	}
	q.folded = true
	c := l.clerk(q.department, q.clerk)
	p, s := l.pages(c, q.day)
	switch known := p.find(q.id); {
	case known == nil:
		l.count(c, p, s, q.mark)
	case known.folded:
		return
	default:
		complete(c, p, known, &q.mark)
	}
	l.judge(c, q.day, q.at)
}

// complete makes of a reservation what the topic says.
func complete(c *clerk, p *page, known, m *mark) {
	same := known.act == m.act
	*known = *m
	p.reserved--
	switch {
	case !same: // never by this program
		p.record = p.recounted(c.lifted, false).record
	case m.missed && m.at > c.lifted:
		p.miss(m)
	}
}

// judge suspends who broke a rule by what was asked on a day, or on days that end later.
func (l *Limits) judge(c *clerk, day int, at int64) {
	bars := &l.rules.Suspend
	for _, p := range c.open {
		if p == nil || p.day < day {
			continue
		}
		rules := bars.broken(c.figures(p), c.times)
		if rules == nil {
			continue
		}
		if !c.suspended.hold(rules) {
			sure := c.certain()
			for _, rule := range bars.broken(sure.figures(sure.page(p.day)), c.times) {
				l.suspend(c, rule, p.day, at)
			}
		}
		l.judgeClerks(c.department, p.day, at)
	}
	l.judgeNeighbours(c.department, day, at)
}

// judgeNeighbours looks at whom a department asked about on a day.
func (l *Limits) judgeNeighbours(d *department, day int, at int64) {
	s, bar := d.sheet(day), l.rules.Suspend.DepartmentNeighbours
	if s == nil || !reached(s.neighbours, bar) || d.suspended.hold([]Rule{departmentNeighbours}) {
		return
	}
	if reached(d.recounted(s, d.lifted, true).neighbours, bar) {
		l.suspendDepartment(d, departmentNeighbours, day, at)
	}
}

// judgeClerks looks at how many clerks of a department broke a day's rules on a day.
func (l *Limits) judgeClerks(d *department, day int, at int64) {
	bars := &l.rules.Suspend
	if bars.DepartmentClerks <= 0 || d.suspended.hold([]Rule{departmentClerks}) {
		return
	}
	breaking := func(counted func(*clerk, *page) *page) (n int) {
		for _, c := range d.clerks {
			if p := c.page(day); p != nil && bars.broken(counted(c, p).figures(), c.times) != nil {
				n++
			}
		}
		return n
	}
	asIs := func(_ *clerk, p *page) *page { return p } // quick, and never less than what is certain
	forSure := func(c *clerk, p *page) *page { return p.recounted(max(c.lifted, d.lifted), true) }
	if breaking(asIs) >= bars.DepartmentClerks && breaking(forSure) >= bars.DepartmentClerks {
		l.suspendDepartment(d, departmentClerks, day, at)
	}
}

// lift ends suspensions. That of a department leaves those of its clerks. A time to come counts as now: it must not free anybody
// until then.
func (l *Limits) lift(e *audit.Entry) {
	at := min(e.Time.UnixMilli(), l.clock().UnixMilli())
	l.mu.Lock()
	defer l.mu.Unlock()
	l.advance(dayOf(at))
	name, code, one := strings.Cut(e.Target, "/")
	if d := l.department(exchange.Department(name)); one {
		l.liftClerk(l.clerk(d.name, code), at)
	} else {
		l.liftDepartment(d, at)
	}
}

func (l *Limits) liftClerk(c *clerk, at int64) {
	if at <= c.lifted {
		return
	}
	c.lifted = at
	c.forgive(at)
	for i, p := range c.open {
		if p != nil {
			c.open[i] = p.recounted(at, false)
		}
	}
	c.suspended.end(at, func(day int) bool { return c.page(day) != nil })
	for _, p := range c.open { // what was asked after the lift may have come before it
		if p != nil && p.day >= dayOf(at) {
			l.judge(c, p.day, p.last())
		}
	}
	l.reviewClerks(c.department, dayOf(at)-1)
}

// reviewClerks ends the suspension of a department whose clerks, on the days from one on, no longer give a reason for it.
func (l *Limits) reviewClerks(d *department, from int) {
	h, held := d.suspended[departmentClerks]
	if !held || h.day < from || d.sheet(h.day) == nil {
		return
	}
	delete(d.suspended, departmentClerks)
	for _, s := range d.open {
		if s != nil && s.day >= from {
			l.judgeClerks(d, s.day, h.since)
		}
	}
}

func (l *Limits) liftDepartment(d *department, at int64) {
	if at <= d.lifted {
		return
	}
	d.lifted = at
	for i, s := range d.open {
		if s != nil {
			d.open[i] = d.recounted(s, at, false)
		}
	}
	d.suspended.end(at, func(day int) bool { return d.sheet(day) != nil })
	for _, s := range d.open {
		if s != nil && s.day >= dayOf(at) {
			l.judgeNeighbours(d, s.day, at)
			l.judgeClerks(d, s.day, at)
		}
	}
}
