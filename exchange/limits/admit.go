package limits

import (
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
)

// The codes of refusals in audit entries.
const (
	limited        = "limited_"   // and the rule: a budget is spent
	whileSuspended = "suspended_" // and the rule
	notPermitted   = "not_permitted"
)

// Admit counts a stamped entry, or refuses it: then it has set the entry's Decision and Refusal, and its error is the Problem
// to show, of the kind Limited, or Conflict for a request that was used before. Of the kind Unavailable is an error where it
// cannot be said. An entry that is Refused already, for want of permission or as a replay that guessed wrong, counts as that.
//
// What is admitted counts at once, whether or not an answer comes of it.
func (l *Limits) Admit(e *audit.Entry) error {
	q := l.see(e)
	others := l.others(e, &q)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.isReady(); err != nil {
		return err
	}
	if !l.advance(q.day) || q.day < l.today-1 || q.day > l.today {
		return clockWrong()
	}
	c := l.clerk(q.department, q.clerk)
	p, s := l.pages(c, q.day)
	r := l.verdict(c, p, s, &q)
	for i := range others {
		if r == nil {
			r = l.verdict(c, p, s, &others[i])
		}
	}
	l.spend(&q)
	if r != nil {
		q.act = r.as
	}
	if q.act != nothing {
		l.count(c, p, s, q.mark)
	}
	if r == nil {
		for i := range others {
			l.count(c, p, s, others[i].mark)
		}
		return nil
	}
	l.refused(c, r.rule, q.day)
	e.Decision, e.Refusal = audit.Refused, r.code
	return r.problem
}

// Bar errs with a Problem where who asks is suspended, of the kind Unavailable where that cannot be said: nor are they to be given what
// they asked for before. It counts nothing and enters nobody.
func (l *Limits) Bar(department exchange.Department, code string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.isReady(); err != nil {
		return err
	}
	d := l.departments[department]
	if d == nil {
		return nil
	}
	day := dayOf(l.clock().UnixMilli())
	if c := d.clerks[code]; c != nil {
		p, _ := l.pages(c, day)
		if rule := c.heldBy(&l.rules.Suspend, p); rule != "" {
			return clerkSuspended(rule)
		}
	}
	s := d.sheet(day)
	if s == nil {
		s = newSheet(day)
	}
	if rule := d.heldBy(&l.rules.Suspend, s); rule != "" {
		return departmentSuspended(rule)
	}
	return nil
}

// count keeps a mark on the pages of its day.
func (l *Limits) count(c *clerk, p *page, s *sheet, m mark) {
	if p.find(m.id) != nil {
		return
	}
	c.department.open[s.day%openDays] = s
	c.open[p.day%openDays] = p
	if !m.look && !p.speaks { // a portal that asks for a whole city raises nobody's budget of queries
		p.speaks = true
		s.speaking += c.times
	}
	p.keep(m)
	if m.at > c.lifted {
		p.count(&m, p.closed)
	}
	if m.at > c.department.lifted {
		s.count(&m)
	}
	if m.act == answered {
		l.cases.add(m.matter, m.subject)
	}
}

// refusal is why an entry is not admitted.
type refusal struct {
	rule    Rule
	code    string // in the entry
	as      act    // what it counts as
	problem *exchange.Problem
}

// verdict is nil where an entry may go on.
func (l *Limits) verdict(c *clerk, p *page, s *sheet, q *query) *refusal {
	if q.nonce != 0 && l.nonces.seen(q.nonce, q.at) {
		return &refusal{replayed, string(replayed), nothing, usedBefore()}
	}
	if rule := c.heldBy(&l.rules.Suspend, p); rule != "" {
		return &refusal{rule, whileSuspended + string(rule), nothing, clerkSuspended(rule)}
	}
	if rule := c.department.heldBy(&l.rules.Suspend, s); rule != "" {
		return &refusal{rule, whileSuspended + string(rule), nothing, departmentSuspended(rule)}
	}
	var rule Rule
	switch q.act { // a budget is of answers
	case answered:
		rule = l.overdrawn(c, p, s, &q.mark)
	case looked:
		rule = l.lookedUp(c, p, &q.mark)
	}
	if rule != "" {
		return &refusal{rule, limited + string(rule), pressed, budgetSpent(rule, untilMore(rule, q))}
	}
	return nil
}

// heldBy is the rule by which the clerk is suspended, or would be if all that is reserved came off the topic; "" for none.
func (c *clerk) heldBy(bars *Bars, p *page) Rule {
	if rule := c.suspended.first(); rule != "" {
		return rule
	}
	if rules := bars.broken(c.figures(p), c.times); rules != nil {
		return rules[0]
	}
	return ""
}

func (d *department) heldBy(bars *Bars, s *sheet) Rule {
	if rule := d.suspended.first(); rule != "" {
		return rule
	}
	if reached(s.neighbours, bars.DepartmentNeighbours) {
		return departmentNeighbours
	}
	return ""
}

// overdrawn is the budget that one more query would overdraw, the narrowest first; "" for none.
func (l *Limits) overdrawn(c *clerk, p *page, s *sheet, m *mark) Rule {
	inCase := l.rules.CaseSubjects
	if m.item != nil {
		if m.item.CaseSubjects != 0 {
			inCase = m.item.CaseSubjects
		}
		hour, total, _ := p.of(m.item).with(m, p.closed)
		switch budget := m.item.Budget; {
		case budget.hourOver(hour, c.times):
			return itemHour
		case budget.dayOver(total, c.times):
			return itemDay
		}
	}
	hour, total, outside := p.with(m, p.closed)
	_, all, _ := s.with(m, 0)
	switch {
	case over(l.cases.with(m.matter, m.subject), inCase):
		return caseSubjects
	case over(s.matters[m.matter]+1, l.rules.CaseQueriesDay):
		return caseDay
	case l.rules.Clerk.hourOver(hour, c.times):
		return clerkHour
	case over(outside, l.rules.OutsideSubjectsDay*c.times):
		return outsideHours
	case l.rules.Clerk.dayOver(total, c.times):
		return clerkDay
	case l.rules.DepartmentSubjectsDay > 0 && all.subjects > max(l.rules.DepartmentSubjectsDay, l.rules.DepartmentSubjectsEach*s.speaking):
		return departmentDay
	}
	return ""
}

// lookedUp is the budget of looks that one more would overdraw, the narrowest first; "" for none.
func (l *Limits) lookedUp(c *clerk, p *page, m *mark) Rule {
	hour, total, outside := p.looks.with(m, p.closed)
	switch {
	case over(hour.subjects, l.rules.LookupsHour*c.times):
		return lookupsHour
	case over(outside, l.rules.OutsideSubjectsDay*c.times):
		return outsideHours
	case over(total.subjects, l.rules.LookupsDay*c.times):
		return lookupsDay
	}
	return ""
}

func (b *Budget) hourOver(u use, times int) bool {
	return over(u.subjects, b.SubjectsHour*times) || over(u.queries, b.QueriesHour*times)
}

func (b *Budget) dayOver(u use, times int) bool {
	return over(u.subjects, b.SubjectsDay*times) || over(u.queries, b.QueriesDay*times)
}

// untilMore is how long a budget stays spent; 0 where time alone does not help.
func untilMore(rule Rule, q *query) time.Duration {
	at := time.UnixMilli(q.at)
	switch rule {
	case clerkHour, itemHour, lookupsHour:
		return at.Truncate(time.Hour).Add(time.Hour).Sub(at)
	case caseSubjects:
		return 0
	}
	return startOf(q.day + 1).Sub(at)
}
