package items

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/journal"
)

// Stage is how far a draft is.
type Stage string

// The stages.
const (
	Drafted  Stage = "drafted"  // 待审核
	Reviewed Stage = "reviewed" // 待公布
	Returned Stage = "returned" // 已退回
)

// Deed is who did something, and when.
type Deed struct {
	By string    `json:"by"` // department and staff code
	At time.Time `json:"at"`
}

// Working is the next edition of an item, while it is worked on.
type Working struct {
	Stage    Stage              `json:"stage"`
	Source   string             `json:"source"`            // as a file items/*.yaml has it
	Service  *catalogue.Service `json:"service,omitempty"` // none: this node cannot read the source
	Drafted  Deed               `json:"drafted"`
	Reviewed Deed               `json:"reviewed,omitzero"`
	Reason   string             `json:"reason,omitempty"` // Returned
}

// Edition is what an item is from a day on.
type Edition struct {
	Number    int                `json:"number"` // in the order in which they were published or withdrawn, from 1 on
	From      exchange.Date      `json:"from"`
	Source    string             `json:"source,omitempty"`
	Service   *catalogue.Service `json:"service,omitempty"` // none where there is a source: this node cannot read it
	Reason    string             `json:"reason,omitempty"`  // of the withdrawal
	Drafted   Deed               `json:"drafted,omitzero"`
	Reviewed  Deed               `json:"reviewed,omitzero"`
	Published Deed               `json:"published"` // or withdrawn
}

// service is the item as the edition has it, which says so; nil: there is none.
func (e *Edition) service() *catalogue.Service {
	if e.Service == nil {
		return nil
	}
	s := *e.Service
	s.Edition = &catalogue.Edition{Number: e.Number, From: e.From}
	return &s
}

// unread says that this node cannot read the edition: then the item stays as the city's files have it.
func (e *Edition) unread() bool { return e.Source != "" && e.Service == nil }

// Standing is an item and how it stands.
type Standing struct {
	Item     exchange.Item `json:"item"`
	Version  int           `json:"version"` // how many acts; 0: as the city's catalogue has it
	Working  *Working      `json:"working,omitempty"`
	Editions []Edition     `json:"editions"` // in the order of their days

	last string // the entry that made the version
}

// in is what the item is on a day; from the second value on: whether the topic says so, and not the city's catalogue.
func (s *Standing) in(day exchange.Date) (edition Edition, said bool) {
	for _, e := range s.Editions {
		if e.From <= day {
			edition, said = e, true
		}
	}
	return edition, said
}

// state is the items as they follow from the starting ones and the entries folded so far.
type state struct {
	city  *catalogue.Catalogue
	items map[exchange.Item]*Standing
}

func newState(city *catalogue.Catalogue) state {
	return state{city: city, items: map[exchange.Item]*Standing{}}
}

// standing is an item, known or not.
func (s *state) standing(item exchange.Item) *Standing {
	if known := s.items[item]; known != nil {
		return known
	}
	return &Standing{Item: item, Editions: []Edition{}}
}

// exists says whether there is something to withdraw: an edition, or a starting item.
func (s *state) exists(g *Standing) bool {
	if n := len(g.Editions); n > 0 {
		return g.Editions[n-1].Source != ""
	}
	_, starting := s.city.Service(g.Item)
	return starting
}

// fold takes one entry. An error says why it changes nothing.
func (s *state) fold(e *entry) error {
	g := s.standing(e.Item)
	if g.last == e.ID {
		return journal.ErrRepeated
	}
	if g.Version != e.Replaces {
		return outrun(g)
	}
	if err := s.take(g, e); err != nil {
		return err
	}
	g.last = e.ID
	g.Version++
	s.items[g.Item] = g
	return nil
}

// read is the item of a draft, nil where this node cannot read it: the departments or types it names may be gone from the city's files. That
// is no reason to pass the entry over: what counts follows from the topic alone, so that all nodes agree on it.
func (s *state) read(e *entry) *catalogue.Service {
	service, err := s.city.ParseItem(e.Source)
	if err != nil || service.Code != e.Item {
		return nil
	}
	return &service
}

// take does an act, or says why it cannot be done.
func (s *state) take(g *Standing, e *entry) error {
	did := Deed{e.By, e.At}
	switch e.Act {
	case Draft:
		g.Working = &Working{Stage: Drafted, Source: e.Source, Service: s.read(e), Drafted: did}
	case Review, Return:
		switch {
		case g.Working == nil || g.Working.Stage != Drafted:
			return nothingTo(e.Act)
		case e.Act == Return && strings.TrimSpace(e.Reason) == "":
			return noReason()
		case e.Act == Review && g.Working.Drafted.By == e.By:
			return samePerson()
		}
		next := *g.Working // readers hold the former one
		next.Stage, next.Reviewed, next.Reason = Reviewed, did, e.Reason
		if e.Act == Return {
			next.Stage = Returned
		}
		g.Working = &next
	case Publish:
		if g.Working == nil || g.Working.Stage != Reviewed {
			return nothingTo(e.Act)
		}
		w := g.Working
		if err := g.add(Edition{From: e.From, Source: w.Source, Service: w.Service, Drafted: w.Drafted, Reviewed: w.Reviewed, Published: did}); err != nil {
			return err
		}
		g.Working = nil
	case Withdraw:
		if strings.TrimSpace(e.Reason) == "" {
			return noReason()
		}
		return g.add(Edition{From: e.From, Reason: e.Reason, Published: did})
	default:
		return badAct()
	}
	return nil
}

// add adds an edition, which must not be of the past: what was answered stays as it was. The later of two for the same day counts.
func (g *Standing) add(e Edition) error {
	if _, err := exchange.ParseDate(string(e.From)); err != nil || e.From < exchange.DateOf(e.Published.At) {
		return badDay()
	}
	e.Number = len(g.Editions) + 1
	g.Editions = append(slices.Clone(g.Editions), e)
	slices.SortStableFunc(g.Editions, func(a, b Edition) int { return cmp.Compare(a.From, b.From) })
	return nil
}

// on is a catalogue with the items in effect on a day.
func (s *state) on(c *catalogue.Catalogue, day exchange.Date) *catalogue.Catalogue {
	changed := map[exchange.Item]*catalogue.Service{}
	for code, g := range s.items {
		if e, said := g.in(day); said && !e.unread() {
			changed[code] = e.service()
		}
	}
	if len(changed) == 0 {
		return c
	}
	return c.WithItems(changed)
}

// turns is the first day after another on which the items are not the same; "": none is known.
func (s *state) turns(after exchange.Date) (day exchange.Date) {
	for _, g := range s.items {
		for _, e := range g.Editions {
			if e.From > after && (day == "" || e.From < day) {
				day = e.From
			}
		}
	}
	return day
}

// list is all items that were acted upon, sorted.
func (s *state) list() []Standing {
	all := []Standing{}
	for _, code := range slices.Sorted(maps.Keys(s.items)) {
		all = append(all, *s.items[code])
	}
	return all
}
