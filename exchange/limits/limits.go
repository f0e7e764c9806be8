// Package limits keeps those who may ask from asking too much.
//
// Every query is an audit entry before it is answered; where it asks about others beside its subject, a spouse or an agent, each of them
// counts as if asked about alone. A replay of an answer counts where what was given with it, a number or a statement, is not what the
// entry has: each tells whether a guess was right. Who asks the log who looked at somebody's data has a budget of such looks, by number
// or by token; numbers that are walked so count with those that are asked about. Admit counts the entry and refuses it where a budget is
// spent or who asks is suspended. Fold counts entries as they come off the audit topic, so that all nodes have the same counts, and a
// node that starts has them again: there is no other store.
//
// A budget is spent for an hour or a day. A rule suspends: where the entries look like scraping, who made them is refused until
// an administrator's act, an entry too, lifts it. A suspension follows from the entries on the topic alone, on every node, whatever
// their order and however often they come, because each rule counts something that only grows: there is no rule about shares, which
// the next entry could lower again. What Admit has counted and is not on the topic yet only holds entries up, it suspends nobody.
// Nodes do not ask each other: bounds can be passed by what is on its way between them.
//
// Entries may come late by a day. Older days are closed: what remains of them are sums for the rules over weeks, the subjects
// of cases, and suspensions. A node starts by folding the whole topic, at some 200,000 messages a second on two processors; a city of
// 500 clerks with 80 queries a day each takes it about 100 MiB.
package limits

import (
	"fmt"
	"hash/maphash"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
)

// Config is what Limits are made of.
type Config struct {
	Rules   Rules
	Working func(exchange.Date) bool // whether windows are open on a day; nil: Monday to Saturday
	Clock   func() time.Time         // nil: time.Now
	Log     *slog.Logger             // nil: silent
	Metrics prometheus.Registerer    // nil: none
}

// Limits hold what was asked. They are safe for concurrent use.
type Limits struct {
	rules   Rules
	items   map[exchange.Item]*Exception
	working func(exchange.Date) bool
	clock   func() time.Time
	log     *slog.Logger
	metrics *metrics
	seed    maphash.Seed

	mu          sync.Mutex // guards all below
	today       int        // the newest day that entries told of and that has come
	departments map[exchange.Department]*department
	cases       *cases
	nonces      *nonces
	until       int64 // where the topic ended when the node started; below 0: not known yet
	next        int64 // offset of the next message to fold
	ready       bool
}

// New checks the rules. Until Await was told where the topic ends, and that was folded, Admit errs.
func New(cfg Config) (*Limits, error) {
	rules := cfg.Rules.withDefaults()
	if err := rules.check(); err != nil {
		return nil, err
	}
	l := &Limits{rules: rules, items: map[exchange.Item]*Exception{}, working: cfg.Working, clock: cfg.Clock, log: cfg.Log, seed: maphash.MakeSeed(),
		departments: map[exchange.Department]*department{}, cases: newCases(rules.CaseDays), nonces: newNonces(rules.Replay.Milliseconds()), until: -1}
	for item, exception := range rules.Items {
		l.items[item] = &exception
	}
	if l.working == nil {
		l.working = mondayToSaturday
	}
	if l.clock == nil {
		l.clock = time.Now
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	var err error
	l.metrics, err = newMetrics(cfg.Metrics, l.Suspensions)
	return l, err
}

func mondayToSaturday(day exchange.Date) bool {
	at, err := time.Parse(time.DateOnly, string(day))
	return err == nil && at.Weekday() != time.Sunday
}

// query is a query, a replay of one or a look into the log, as limits see it.
type query struct {
	mark
	day        int
	department exchange.Department
	clerk      string
	nonce      uint64 // 0: none
}

// see reads an entry. It needs no lock.
func (l *Limits) see(e *audit.Entry) query {
	at := e.Time.UnixMilli()
	q := query{department: e.Department, clerk: e.Clerk, day: dayOf(at)}
	department, clerk := l.hash(string(e.Department)), l.hash(e.Clerk)
	q.mark = mark{at: at, hour: hourOf(at), id: l.hash(e.ID), subject: l.hash(e.Subject), matter: both(department, l.hash(e.Case)),
		item: l.items[e.Item], act: actOf(e), look: e.Kind == audit.Access}
	if e.Near != "" && (q.item == nil || !q.item.Cohort) {
		q.near = l.hash(e.Near)
	}
	q.missed = q.act == answered && missed(e, "", e.Near, e.Found) && (q.item == nil || !q.item.Rare)
	if e.Nonce != "" {
		q.nonce = both(both(department, clerk), l.hash(e.Nonce))
	}
	return q
}

// others are the further queries that an answered entry comes to: one about each party. It needs no lock.
func (l *Limits) others(e *audit.Entry, q *query) []query {
	if len(e.Parties) == 0 || q.act != answered {
		return nil
	}
	all := make([]query, 0, len(e.Parties))
	for role, party := range e.Parties {
		other := *q
		other.id, other.subject, other.near, other.nonce = both(q.id, l.hash(string(role))), l.hash(party.Subject), 0, 0
		if q.near != 0 && party.Near != "" {
			other.near = l.hash(party.Near)
		}
		other.missed = missed(e, role, party.Near, party.Found) && (q.item == nil || !q.item.Rare)
		all = append(all, other)
	}
	return all
}

func (l *Limits) hash(s string) uint64 { return maphash.String(l.seed, s) }

// both is a hash of two things of which each has one.
func both(one, other uint64) uint64 { return one*0x9e3779b97f4a7c15 ^ other }

func actOf(e *audit.Entry) act {
	switch {
	case e.Kind == audit.Act: // a replay
		if e.Decision != audit.Refused || strings.HasPrefix(e.Refusal, whileSuspended) {
			return nothing
		}
		return guessed
	case e.Decision != audit.Refused && e.Kind == audit.Access:
		return looked
	case e.Decision != audit.Refused:
		return answered
	case e.Kind == audit.Query && e.Refusal == notPermitted:
		return forbidden
	case strings.HasPrefix(e.Refusal, limited):
		return pressed
	}
	return nothing
}

// missed says whether it was found out that nothing is held of the subject, or of a party. A source that is stale or incomplete says
// nothing, and who has no neighbourhood was entered before entries said what was found.
func missed(e *audit.Entry, of exchange.Role, near string, found bool) bool {
	if found || near == "" {
		return false
	}
	for i := range e.Materials {
		for j := range e.Materials[i].Evidence {
			if seen := &e.Materials[i].Evidence[j]; seen.Of == of && seen.Reason == exchange.NotHeld {
				return true
			}
		}
	}
	return false
}

// clerk is who asks, entered where it is new.
func (l *Limits) clerk(name exchange.Department, code string) *clerk {
	d := l.department(name)
	c := d.clerks[code]
	if c == nil {
		code = strings.Clone(code) // it may be a piece of something long
		c = &clerk{department: d, code: code, times: max(1, l.rules.SpeaksFor[string(name)+"/"+code]), suspended: suspensions{}, alarmed: map[Rule]int{}}
		d.clerks[code] = c
	}
	return c
}

func (l *Limits) department(name exchange.Department) *department {
	d := l.departments[name]
	if d == nil {
		name = exchange.Department(strings.Clone(string(name)))
		d = &department{name: name, clerks: map[string]*clerk{}, suspended: suspensions{}, alarmed: map[Rule]int{}}
		l.departments[name] = d
	}
	return d
}

// pages are a day's of the clerk and of its department, empty ones where there are none yet.
func (l *Limits) pages(c *clerk, day int) (*page, *sheet) {
	p, s := c.page(day), c.department.sheet(day)
	if p == nil {
		p = newPage(day, l.closedHours(day))
	}
	if s == nil {
		s = newSheet(day)
	}
	return p, s
}

// closedHours are the hours of a day, as bits, outside office hours.
func (l *Limits) closedHours(day int) uint32 {
	const all = 1<<24 - 1
	if !l.working(exchange.DateOf(startOf(day))) {
		return all
	}
	open := uint32(1)<<l.rules.Closes - uint32(1)<<max(0, l.rules.Opens)
	return all &^ open
}

// advance moves on to the day of an entry and says whether the day is open. A time to come moves nothing: a clock that is wrong
// must not close the days.
func (l *Limits) advance(day int) bool {
	if day > l.today {
		if come := min(day, dayOf(l.clock().UnixMilli())); come > l.today {
			l.turn(come)
		}
	}
	return day > 0 && day >= l.today-lateDays && day <= l.today+1
}

// turn closes what is no longer open on a new day.
func (l *Limits) turn(today int) {
	l.today = today
	l.cases.turn(today)
	for name, d := range l.departments {
		if d.close(today - lateDays); len(d.clerks) == 0 && len(d.suspended) == 0 {
			delete(l.departments, name)
		}
	}
}

// spend remembers an entry's nonce. As with days, a time to come moves nothing.
func (l *Limits) spend(q *query) {
	at := q.at
	if at/l.nonces.span > l.nonces.turn {
		at = min(at, l.clock().UnixMilli())
	}
	if q.nonce != 0 {
		l.nonces.add(q.nonce, at)
	}
}

// Ready errs while the topic is not folded up to where it ended at the start: what was asked before is not all known.
func (l *Limits) Ready() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.isReady()
}

func (l *Limits) isReady() error {
	if l.ready {
		return nil
	}
	return notReady(fmt.Errorf("folded up to offset %d of %d", l.next, l.until))
}
