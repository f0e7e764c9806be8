package grants

import (
	"cmp"
	"context"
	"crypto/rand"
	"regexp"
	"slices"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/identity"
)

// Person is who acts.
type Person struct {
	Department exchange.Department
	Name       string // department and staff code
	Sharing    bool   // heads the sharing of the department (数据共享负责人)
	Admin      bool   // acts for the authority for data sharing (政务数据共享主管部门)
}

// Ask requests a grant in the name of the person's department. What the request lacks is told at once and whole, and nothing is kept of it;
// what is not shared is refused with the law that says so.
func (b *Book) Ask(ctx context.Context, who Person, terms catalogue.Grant) (Standing, error) {
	if !who.Sharing {
		return Standing{}, mayNotDeal()
	}
	kind, _ := b.cfg.Current().Evidence(terms.Evidence)
	if kind.Sharing == catalogue.NotShared {
		return Standing{}, notShared(kind)
	}
	terms.Department = who.Department
	terms.Fields = slices.Compact(slices.Sorted(slices.Values(terms.Fields)))
	if gaps := b.gaps(terms); gaps != nil {
		return Standing{}, incomplete(gaps)
	}
	return b.write(ctx, &entry{By: who.Name, Grant: newID(), Act: Request, Terms: &terms, Class: kind.Sharing})
}

// newID is short enough to be read out, and 50 bits are not met twice in a city.
func newID() string { return "g-" + strings.ToLower(rand.Text()[:10]) }

var fieldForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)

// gaps lists everything that a request lacks (art. 20: basis, scenario, scope and duration; the method is always a query).
func (b *Book) gaps(g catalogue.Grant) []exchange.Text {
	var gaps []exchange.Text
	lacks := func(wrong bool, zh, en string) {
		if wrong {
			gaps = append(gaps, text(zh, en))
		}
	}
	_, known := b.cfg.Current().Evidence(g.Evidence)
	service, serves := b.cfg.Current().Service(g.Item)
	lacks(!known, "没有这种证照，见 yimen schema list", "there is no such evidence type, see `yimen schema list`")
	lacks(!serves, "没有这个事项，见 yimen item list", "there is no such item, see `yimen item list`")
	lacks(known && serves && !slices.Contains(service.Types(), g.Evidence), "该事项不需要这种证照", "the item does not need this evidence")
	lacks(strings.TrimSpace(g.Basis.ZH) == "", "缺少法律依据（法律、条、款）", "the legal basis is missing (law, article, paragraph)")
	lacks(!identity.Keepable(g.Basis.ZH) || !identity.Keepable(g.Basis.EN), "依据超过 300 字，或含公民身份号码", "the basis is longer than 300 characters or holds a citizen number")
	_, from := exchange.ParseDate(string(g.From))
	_, until := exchange.ParseDate(string(g.Until))
	lacks(from != nil, "缺少起始日，如 2026-12-01", "the first day is missing, such as 2026-12-01")
	lacks(until != nil, "缺少截止日，如 2027-11-30", "the last day is missing, such as 2027-11-30")
	lacks(from == nil && until == nil && g.Until < g.From, "截止日早于起始日", "the last day is before the first")
	lacks(until == nil && g.Until < b.today(), "截止日已过", "the last day is past")
	if known {
		fields := b.cfg.Fields(g.Evidence)
		for _, f := range g.Fields {
			near := exchange.Nearest(f, fields)
			hint := text("", "")
			if near != "" {
				hint = text("，是否指 "+near, ", did you mean "+near)
			}
			unknown := !slices.Contains(fields, f)
			if !fieldForm.MatchString(f) { // whatever was typed there is not repeated
				f = "?"
			}
			lacks(unknown, "证照没有字段 "+f+hint.ZH, "the evidence has no field "+f+hint.EN)
		}
	}
	return gaps
}

// Decision is an act on a grant that exists.
type Decision struct {
	Act      Act    `json:"act"`
	Replaces int    `json:"replaces"` // the version it is done to, as listed
	Reason   string `json:"reason,omitempty"`
}

// Decide does an act. The keeper's head of sharing does all of them but Extend, which is the authority's, as Suspend, Resume and Revoke are too.
func (b *Book) Decide(ctx context.Context, who Person, id string, d Decision) (Standing, error) {
	if !slices.Contains([]Act{Approve, Refuse, Extend, Suspend, Resume, Revoke}, d.Act) {
		return Standing{}, badAct()
	}
	b.mu.RLock()
	g := b.state.grants[id]
	var now Standing
	if g != nil {
		now = *g
	}
	b.mu.RUnlock()
	if g == nil {
		return Standing{}, noSuchGrant()
	}
	if err := b.may(who, d.Act, &now); err != nil {
		return Standing{}, err
	}
	if !identity.Keepable(d.Reason) || d.Act.Reasoned() && strings.TrimSpace(d.Reason) == "" {
		return Standing{}, noReason()
	}
	if d.Act == Approve {
		b.mu.RLock()
		other := b.state.overlapping(&now, true)
		b.mu.RUnlock()
		if other != nil {
			return Standing{}, overlaps(other)
		}
	}
	return b.write(ctx, &entry{By: who.Name, Grant: id, Replaces: d.Replaces, Act: d.Act, Reason: strings.TrimSpace(d.Reason)})
}

// may says why a person may not do an act.
func (b *Book) may(who Person, act Act, g *Standing) error {
	kind, _ := b.cfg.Current().Evidence(g.Terms.Evidence)
	authority := who.Admin && (act == Extend || act == Suspend || act == Resume || act == Revoke)
	switch {
	case authority:
		return nil
	case act == Extend:
		return onlyAuthority()
	case !who.Sharing:
		return mayNotDeal()
	case who.Department != kind.Keeper:
		return notYours(kind.Keeper)
	case act == Approve && who.Name == g.Asker:
		return sameperson()
	}
	return nil
}

// write appends an act, once the audit log has it, and gives the grant as it stands then.
func (b *Book) write(ctx context.Context, e *entry) (Standing, error) {
	if err := b.cfg.Audit(ctx, e.By, "grant-"+string(e.Act), e.Grant); err != nil {
		return Standing{}, err
	}
	if err := b.add(ctx, e); err != nil {
		return Standing{}, err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.shown(b.state.grants[e.Grant]), nil
}

// List gives the grants a person may know of: those asked for by the own department or of types it keeps; administrators see all. What is overdue
// comes first, then what waits for an answer.
func (b *Book) List(who Person) ([]Standing, error) {
	if !who.Sharing && !who.Admin {
		return nil, mayNotDeal()
	}
	c := b.cfg.Current() // before the lock: it may need the book itself
	b.mu.RLock()
	defer b.mu.RUnlock()
	all := []Standing{}
	for _, g := range b.state.grants {
		kind, _ := c.Evidence(g.Terms.Evidence)
		if who.Admin || g.Terms.Department == who.Department || kind.Keeper == who.Department {
			all = append(all, b.shown(g))
		}
	}
	slices.SortFunc(all, func(a, b Standing) int {
		return cmp.Or(a.Urgency()-b.Urgency(), cmp.Compare(a.Terms.Department, b.Terms.Department), cmp.Compare(a.Terms.Item, b.Terms.Item),
			cmp.Compare(a.Terms.Evidence, b.Terms.Evidence), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

// Urgency puts what is overdue first (0), then what waits for an answer (1).
func (g *Standing) Urgency() int {
	switch {
	case g.Clock != nil && g.Clock.Overdue:
		return 0
	case g.Clock != nil:
		return 1
	}
	return 2
}

// shown is a grant with the clock that runs.
func (b *Book) shown(g *Standing) Standing {
	shown := *g
	shown.Clock = clockOf(g, b.today(), b.cfg.Shares == nil || b.cfg.Shares(g.Terms.Evidence))
	return shown
}

func (b *Book) today() exchange.Date { return exchange.DateOf(b.cfg.Clock()) }
