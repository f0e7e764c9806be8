package burden

import (
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
)

type counter struct {
	catalogue *catalogue.Catalogue
	sources   []exchange.Source
	now       time.Time
	day       exchange.Date
}

func (b *counter) item(service catalogue.Service) Item {
	item := Item{Code: service.Code, Name: service.Name, Department: service.Department}
	for _, m := range service.Materials {
		found := b.material(service, m)
		item.Materials, item.Sum = append(item.Materials, found), item.plus(found.State.of())
	}
	return item
}

// material judges each alternative: a need that cannot be answered for makes the alternative one that must be brought.
func (b *counter) material(service catalogue.Service, m catalogue.Material) Material {
	found := Material{Code: m.Code, Name: m.Name, State: Made}
	answered := 0
	for _, set := range m.Alternatives {
		clear := true
		for _, need := range set {
			if why := b.obstacle(service, need); why != "" {
				clear = false
				if o := (Obstacle{need.Evidence, why}); !slices.Contains(found.Obstacles, o) {
					found.Obstacles = append(found.Obstacles, o)
				}
			}
		}
		if clear {
			answered++
		}
	}
	switch all := len(m.Alternatives); {
	case all == 0:
	case answered == all:
		found.State = Dropped
	case answered > 0:
		found.State = Partly
	default:
		found.State = Blocked
	}
	return found
}

// obstacle is why the need cannot be answered for, "" if it can.
func (b *counter) obstacle(service catalogue.Service, n catalogue.Need) Why {
	if why := b.source(n, holderOf(service, n)); why != "" {
		return why
	}
	granted := func(g catalogue.Grant) bool {
		return g.Item == service.Code && g.Evidence == n.Evidence && g.From <= b.day && b.day <= g.Until
	}
	if !slices.ContainsFunc(b.catalogue.Grants(), granted) {
		return NoGrant
	}
	return ""
}

// holderOf is whose record it must be: spouses, representatives and agents are persons. Empty: either.
func holderOf(service catalogue.Service, n catalogue.Need) exchange.HolderKind {
	if n.Of != "" {
		return exchange.Person
	}
	return service.Applicant
}

// source says what keeps the sources of a type from being relied on, as the broker judges them.
func (b *counter) source(n catalogue.Need, kind exchange.HolderKind) Why {
	evidence, _ := b.catalogue.Evidence(n.Evidence)
	why := NoSource
	for i := range b.sources {
		s := &b.sources[i]
		if s.Type != n.Evidence || kind != "" && s.Holders.Kind != "" && s.Holders.Kind != kind {
			continue
		}
		switch {
		case !s.Folded || s.CompleteUpTo.IsZero() || !s.Complete() || s.CompleteUpTo.Sub(b.now) > evidence.StaleAfter:
			return Incomplete
		case b.now.Sub(s.CompleteUpTo) > evidence.StaleAfter:
			return Stale
		}
		why = ""
	}
	return why
}
