package notice

import (
	"cmp"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/reliance"
)

// Subscription is a wish to be told, and how it went so far.
type Subscription struct {
	ID         string              `json:"id"`
	Department exchange.Department `json:"department"`
	Case       string              `json:"case,omitempty"`       // none: all of the department's
	URL        string              `json:"url,omitempty"`        // of a webhook; none: the topic alone
	PerMinute  int                 `json:"per_minute,omitempty"` // what the receiver takes at most
	At         time.Time           `json:"at"`
	By         string              `json:"by"` // department and staff code
	// What became of the webhook's deliveries. An event that was given up is not tried again: ask for the case anew.
	Delivered int       `json:"delivered"`
	GivenUp   int       `json:"given_up"`
	Waiting   int       `json:"waiting"` // at this node
	Last      time.Time `json:"last,omitzero"`
	Why       string    `json:"why,omitempty"` // the last one was given up
}

// covers says whether news of an answer belongs to it. That of one case is told everything; that of all cases what came, or was
// answered, since.
func (s *Subscription) covers(d exchange.Department, matter, entry string, turned time.Time) bool {
	switch {
	case s.Department != d:
		return false
	case s.Case != "":
		return s.Case == matter
	}
	return !turned.Before(s.At) || entry >= audit.FirstID(s.At)
}

// subject is a case of a department, or where it is empty all of them.
type subject struct {
	department exchange.Department
	matter     string
}

// board is the subscriptions as they follow from the topic.
type board struct {
	next   int64 // offset of the next entry to fold; the store has what all before it say
	folded int64 // offset behind the last entry that is folded here, though the store may not have it yet
	byID   map[string]*Subscription
	of     map[subject][]*Subscription
}

func newBoard() board {
	return board{byID: map[string]*Subscription{}, of: map[subject][]*Subscription{}}
}

// fold takes the entry at an offset. What it has taken comes again where the store erred, and changes nothing.
func (b *board) fold(offset int64, e *entry) {
	if offset < b.folded {
		return
	}
	b.folded = offset + 1
	s := b.byID[e.Subscription]
	if e.Act == subscribe {
		if s == nil { // else it came twice
			b.enter(&Subscription{ID: e.Subscription, Department: e.Department, Case: e.Case, URL: e.URL, PerMinute: e.PerMinute, At: e.At, By: e.By})
		}
		return
	}
	if s == nil {
		return // it has ended
	}
	switch e.Act {
	case end:
		delete(b.byID, s.ID)
		left := slices.DeleteFunc(slices.Clone(b.of[s.subject()]), func(o *Subscription) bool { return o == s })
		if b.of[s.subject()] = left; len(left) == 0 {
			delete(b.of, s.subject())
		}
	case delivered:
		s.Delivered++
		s.Last, s.Why = e.At, ""
	case givenUp:
		s.GivenUp++
		s.Last, s.Why = e.At, e.Why
	}
}

// enter puts up a subscription that is not there.
func (b *board) enter(s *Subscription) {
	b.byID[s.ID] = s
	b.of[s.subject()] = append(b.of[s.subject()], s)
}

// row is a subscription as the store keeps it; one that has ended goes.
func (b *board) row(id string) row {
	s := b.byID[id]
	if s == nil {
		return row{key: subscriptionKey(id), gone: true}
	}
	value, _ := json.Marshal(s) // of such members it never errs
	return row{key: subscriptionKey(id), value: value}
}

func (s *Subscription) subject() subject { return subject{s.Department, s.Case} }

// told are copies of the subscriptions to which news of an answer belongs.
func (b *board) told(r *reliance.Reliance, turned time.Time) []Subscription {
	var all []Subscription
	for _, of := range [...]subject{{r.Department, r.Case}, {r.Department, ""}} {
		for _, s := range b.of[of] {
			if s.covers(r.Department, r.Case, r.Entry, turned) {
				all = append(all, *s)
			}
		}
	}
	return all
}

// anybody says whether a case is subscribed at all.
func (b *board) anybody(r *reliance.Reliance) bool {
	return len(b.of[subject{r.Department, r.Case}])+len(b.of[subject{r.Department, ""}]) > 0
}

// list gives copies, oldest first.
func (b *board) list(wanted func(*Subscription) bool) []Subscription {
	all := []Subscription{}
	for _, s := range b.byID {
		if wanted(s) {
			all = append(all, *s)
		}
	}
	slices.SortFunc(all, func(a, b Subscription) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
	})
	return all
}
