package items

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/identity"
)

// Person is who acts.
type Person struct {
	Department exchange.Department
	Name       string // department and staff code
	Items      bool   // keeps the items of the department (事项管理员)
	Admin      bool   // keeps those of all
}

// Doing is an act that is asked for.
type Doing struct {
	Act      Act           `json:"act"`
	Replaces int           `json:"replaces"`         // the version it is done to, as shown
	Source   string        `json:"source,omitempty"` // draft: the item as a file items/*.yaml has it
	From     exchange.Date `json:"from,omitempty"`   // publish, withdraw: today or later; left out: today
	Reason   string        `json:"reason,omitempty"` // return, withdraw
}

// Do does an act. What is wrong with a draft is told at once and whole, and nothing is kept of it.
func (b *Book) Do(ctx context.Context, who Person, item exchange.Item, d Doing) (Standing, error) {
	if !slices.Contains([]Act{Draft, Review, Return, Publish, Withdraw}, d.Act) {
		return Standing{}, badAct()
	}
	if err := b.may(who, item, d); err != nil {
		return Standing{}, err
	}
	if d.Act == Withdraw && !b.exists(item) {
		return Standing{}, nothingTo(d.Act)
	}
	if !identity.Keepable(d.Reason) || len(d.Source) > maxSource || !utf8.ValidString(d.Source) || identity.MentionsCitizen(d.Source) {
		return Standing{}, personal()
	}
	if d.From == "" && (d.Act == Publish || d.Act == Withdraw) {
		d.From = b.today()
	}
	if err := b.cfg.Audit(ctx, who.Name, "item-"+string(d.Act), string(item)); err != nil {
		return Standing{}, err
	}
	e := &entry{Format: format, Kind: kind, ID: rand.Text(), At: b.cfg.Clock().UTC(), By: who.Name, Item: item, Replaces: d.Replaces, Act: d.Act,
		Source: d.Source, From: d.From, Reason: strings.TrimSpace(d.Reason)}
	m, err := e.message()
	if err != nil {
		return Standing{}, err
	}
	if err := b.cfg.Journal.Add(ctx, e.ID, m); err != nil {
		return Standing{}, err
	}
	return b.Standing(who, item)
}

// may says why a person may not do an act. An item is of those who keep the items of its department, as it is and as it will be.
func (b *Book) may(who Person, item exchange.Item, d Doing) error {
	if who.Admin {
		return b.readable(item, d)
	}
	if !who.Items {
		return mayNotEdit()
	}
	b.mu.RLock()
	owner, known := b.state.owner(item)
	b.mu.RUnlock()
	if known && owner != who.Department {
		return notYours(owner)
	}
	if err := b.readable(item, d); err != nil || d.Act != Draft {
		return err
	}
	if will, _ := b.cfg.City.ParseItem(d.Source); will.Department != who.Department {
		return notYours(will.Department)
	}
	return nil
}

func (b *Book) exists(item exchange.Item) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.state.exists(b.state.standing(item))
}

// readable says what is wrong with a draft.
func (b *Book) readable(item exchange.Item, d Doing) error {
	if d.Act != Draft {
		return nil
	}
	service, err := b.cfg.City.ParseItem(d.Source)
	if err == nil && service.Code != item {
		err = otherItem(service.Code)
	}
	return err
}

// owner is whose an item is, drafts included.
func (s *state) owner(item exchange.Item) (exchange.Department, bool) {
	g := s.standing(item)
	for _, e := range slices.Backward(g.Editions) {
		if e.Service != nil {
			return e.Service.Department, true
		}
	}
	if starting, ok := s.city.Service(item); ok {
		return starting.Department, true
	}
	if g.Working != nil && g.Working.Service != nil {
		return g.Working.Service.Department, true
	}
	return "", false
}

// List gives the items that were acted upon: those of the own department; administrators see all. By code.
func (b *Book) List(who Person) ([]Standing, error) {
	if !who.Items && !who.Admin {
		return nil, mayNotEdit()
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.DeleteFunc(b.state.list(), func(g Standing) bool {
		owner, _ := b.state.owner(g.Item)
		return !who.Admin && owner != who.Department
	}), nil
}

// Standing is one item and how it stands, its editions included. One that is as the city's catalogue has it has none.
func (b *Book) Standing(who Person, item exchange.Item) (Standing, error) {
	if !who.Items && !who.Admin {
		return Standing{}, mayNotEdit()
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	owner, known := b.state.owner(item)
	switch {
	case !known:
		return Standing{}, noSuchItem()
	case !who.Admin && owner != who.Department:
		return Standing{}, notYours(owner)
	}
	return *b.state.standing(item), nil
}
