package limits

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// Suspension is that of a clerk, or of a department's every clerk.
type Suspension struct {
	Department exchange.Department `json:"department"`
	Clerk      string              `json:"clerk,omitempty"` // empty: all of the department
	Rule       Rule                `json:"rule"`
	What       exchange.Text       `json:"what"`
	// Since is when the query was made that this node saw break the rule. Nodes may differ by what came at the same time.
	Since time.Time `json:"since"`
}

// Target is whom a lift must name.
func (s *Suspension) Target() string {
	if s.Clerk == "" {
		return string(s.Department)
	}
	return string(s.Department) + "/" + s.Clerk
}

// Suspensions lists those in force, by department and clerk.
func (l *Limits) Suspensions() []Suspension {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := []Suspension{}
	list := func(d *department, clerk string, held suspensions) {
		for rule, h := range held {
			all = append(all, Suspension{d.name, clerk, rule, rule.Text(), time.UnixMilli(h.since).UTC()})
		}
	}
	for _, d := range l.departments {
		list(d, "", d.suspended)
		for code, c := range d.clerks {
			list(d, code, c.suspended)
		}
	}
	slices.SortFunc(all, func(a, b Suspension) int {
		return cmp.Or(cmp.Compare(a.Department, b.Department), cmp.Compare(a.Clerk, b.Clerk), cmp.Compare(a.Rule, b.Rule))
	})
	return all
}

// knows says whether a department, or department/clerk, has asked anything that still matters, or is suspended.
func (l *Limits) knows(target string) bool {
	name, code, one := strings.Cut(target, "/")
	l.mu.Lock()
	defer l.mu.Unlock()
	d := l.departments[exchange.Department(name)]
	return d != nil && (!one || d.clerks[code] != nil)
}

// suspensions are those of one clerk or department.
type suspensions map[Rule]held

// held is since when, and for which day's queries.
type held struct {
	since int64
	day   int
}

// hold says whether all of the rules suspend already.
func (s suspensions) hold(rules []Rule) bool {
	for _, rule := range rules {
		if _, ok := s[rule]; !ok {
			return false
		}
	}
	return true
}

// first is the rule to name, "" where there is none.
func (s suspensions) first() Rule {
	if len(s) > 0 {
		for _, rule := range suspending {
			if _, ok := s[rule]; ok {
				return rule
			}
		}
	}
	return ""
}

// end takes away what a lift ends: all from before it, and all that can be judged again by what came after it.
func (s suspensions) end(lifted int64, open func(day int) bool) {
	for rule, h := range s {
		if h.since <= lifted || open(h.day) {
			delete(s, rule)
		}
	}
}

func (l *Limits) suspend(c *clerk, rule Rule, day int, at int64) {
	if _, known := c.suspended[rule]; !known {
		c.suspended[rule] = held{at, day}
		l.alarm(c.department.name, c.code, c.alarmed, rule, day)
	}
}

func (l *Limits) suspendDepartment(d *department, rule Rule, day int, at int64) {
	d.suspended[rule] = held{at, day}
	l.alarm(d.name, "", d.alarmed, rule, day)
}

// refused counts a refusal and raises the alarm for its rule.
func (l *Limits) refused(c *clerk, rule Rule, day int) {
	l.metrics.refused.WithLabelValues(string(rule)).Inc()
	switch rule {
	case departmentNeighbours, departmentClerks, departmentDay:
		l.alarm(c.department.name, "", c.department.alarmed, rule, day)
	default:
		l.alarm(c.department.name, c.code, c.alarmed, rule, day)
	}
}

// alarm tells people, once for each rule, day and whom it is about. What was folded before the node was ready has been told by
// those that were: Await's end tells what of it is in force.
func (l *Limits) alarm(department exchange.Department, clerk string, alarmed map[Rule]int, rule Rule, day int) {
	if !l.ready || alarmed[rule] == day {
		return
	}
	alarmed[rule] = day
	l.metrics.alarms.WithLabelValues(string(rule)).Inc()
	l.log.Warn("limit reached", "rule", rule, "department", department, "clerk", clerk)
}
