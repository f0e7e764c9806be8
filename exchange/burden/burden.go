// Package burden counts the proofs that need not be demanded any more (减证).
//
// For every material of every item it says whether government can answer for it today: a source of each evidence type
// is complete and fresh, and a department may look it up. It counts materials of the catalogue, not cases and not people:
// before is what applicants bring where nothing is shared, after is what remains.
package burden

import (
	"cmp"
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
)

// Report is the whole catalogue against what the sources say today.
type Report struct {
	At          time.Time    `json:"at"`
	Total       Sum          `json:"total"`
	Departments []Department `json:"departments"` // most to drop first
	Items       []Item       `json:"items"`       // by department and code
	Steps       []Step       `json:"steps"`       // what to do next, the most useful first
}

// Sum counts materials.
type Sum struct {
	Demanded int `json:"demanded"` // before: all that the items ask for
	Dropped  int `json:"dropped"`  // need not be demanded today
	Partly   int `json:"partly"`   // need not be demanded of those who hold some of the alternatives
	Blocked  int `json:"blocked"`  // a department may hold them, but cannot answer for them yet
	Made     int `json:"made"`     // made by the applicant: forms, plans, contracts
	After    int `json:"after"`    // still to be demanded: demanded less dropped
}

// Department is what the items of one department demand.
type Department struct {
	Code exchange.Department `json:"code"`
	Name exchange.Text       `json:"name"`
	Sum
}

// Item is what one item demands.
type Item struct {
	Code       exchange.Item       `json:"code"`
	Name       exchange.Text       `json:"name"`
	Department exchange.Department `json:"department"`
	Sum
	Materials []Material `json:"materials"`
}

// Material is one proof and what stands in the way of dropping it.
type Material struct {
	Code      string        `json:"code"`
	Name      exchange.Text `json:"name"`
	State     State         `json:"state"`
	Obstacles []Obstacle    `json:"obstacles,omitempty"`
}

// State says whether a material can be dropped.
type State string

// The states.
const (
	Dropped State = "dropped"
	Partly  State = "partly"
	Blocked State = "blocked"
	Made    State = "made"
)

// Obstacle is why government cannot answer for a type of evidence.
type Obstacle struct {
	Evidence exchange.EvidenceType `json:"evidence"`
	Why      Why                   `json:"why"`
}

// Why is the kind of an obstacle.
type Why string

// The kinds of obstacle.
const (
	NoSource   Why = "no_source"  // no adapter publishes it for such applicants
	Incomplete Why = "incomplete" // a source is there, but was never read to its end, or has rows that could not be read
	Stale      Why = "stale"      // a source was not read for too long
	NoGrant    Why = "no_grant"   // no department may look it up for the item
)

// Step is an obstacle and what its end would bring.
type Step struct {
	Obstacle
	Keeper exchange.Department `json:"keeper"`
	Items  []exchange.Item     `json:"items"`  // that it stands in the way of
	Alone  int                 `json:"alone"`  // materials that nothing else stands in the way of
	Blocks int                 `json:"blocks"` // materials that it stands in the way of at all
}

// Of counts. sources are all that the index knows of the types of the catalogue.
func Of(c *catalogue.Catalogue, sources []exchange.Source, now time.Time) Report {
	b := &counter{catalogue: c, sources: sources, now: now, day: exchange.DateOf(now)}
	r := Report{At: now.UTC(), Departments: []Department{}, Items: []Item{}}
	departments := map[exchange.Department]*Department{}
	for _, service := range c.Services() {
		item := b.item(service)
		r.Items, r.Total = append(r.Items, item), r.Total.plus(item.Sum)
		d := departments[service.Department]
		if d == nil {
			found, _ := c.Department(service.Department)
			d = &Department{Code: found.Code, Name: found.Name}
			departments[service.Department] = d
		}
		d.Sum = d.plus(item.Sum)
	}
	for _, d := range departments {
		r.Departments = append(r.Departments, *d)
	}
	slices.SortFunc(r.Departments, func(x, y Department) int {
		return cmp.Or(cmp.Compare(y.Dropped, x.Dropped), cmp.Compare(y.Demanded, x.Demanded), cmp.Compare(x.Code, y.Code))
	})
	slices.SortFunc(r.Items, func(x, y Item) int {
		return cmp.Or(cmp.Compare(x.Department, y.Department), cmp.Compare(x.Code, y.Code))
	})
	r.Steps = b.steps(r.Items)
	return r
}

func (s Sum) plus(o Sum) Sum {
	return Sum{s.Demanded + o.Demanded, s.Dropped + o.Dropped, s.Partly + o.Partly, s.Blocked + o.Blocked, s.Made + o.Made, s.After + o.After}
}

// of is the sum of one material.
func (s State) of() Sum {
	one := Sum{Demanded: 1, After: 1}
	switch s {
	case Dropped:
		one.Dropped, one.After = 1, 0
	case Partly:
		one.Partly = 1
	case Blocked:
		one.Blocked = 1
	case Made:
		one.Made = 1
	}
	return one
}

// steps gathers the obstacles of all items.
func (b *counter) steps(items []Item) []Step {
	by := map[Obstacle]*Step{}
	for _, item := range items {
		for _, m := range item.Materials {
			for _, o := range m.Obstacles {
				s := by[o]
				if s == nil {
					e, _ := b.catalogue.Evidence(o.Evidence)
					s = &Step{Obstacle: o, Keeper: e.Keeper}
					by[o] = s
				}
				s.Blocks++
				if len(m.Obstacles) == 1 {
					s.Alone++
				}
				if !slices.Contains(s.Items, item.Code) {
					s.Items = append(s.Items, item.Code)
				}
			}
		}
	}
	all := []Step{}
	for _, s := range by {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(x, y Step) int {
		return cmp.Or(cmp.Compare(y.Alone, x.Alone), cmp.Compare(y.Blocks, x.Blocks), cmp.Compare(x.Evidence, y.Evidence), cmp.Compare(x.Why, y.Why))
	})
	return all
}
