package grants

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/journal"
	"github.com/onedoor/yimen/exchange/workdays"
)

// Status is how far a grant is.
type Status string

// The statuses.
const (
	Requested Status = "requested" // 待答复
	Granted   Status = "granted"   // 有效
	Refused   Status = "refused"   // 已拒绝
	Suspended Status = "suspended" // 已暂停
	Revoked   Status = "revoked"   // 已撤销
)

// after says what becomes of a grant by an act; what is not here cannot be done.
var after = map[Status]map[Act]Status{
	"":        {Request: Requested},
	Requested: {Approve: Granted, Refuse: Refused, Extend: Requested},
	Granted:   {Suspend: Suspended, Revoke: Revoked},
	Suspended: {Resume: Granted, Revoke: Revoked},
}

// Reasoned says whether the act must say why.
func (a Act) Reasoned() bool { return a == Refuse || a == Extend || a == Suspend || a == Revoke }

// Text is the status as people read it.
func (s Status) Text() exchange.Text {
	return map[Status]exchange.Text{Requested: text("待答复", "requested"), Granted: text("有效", "granted"), Refused: text("已拒绝", "refused"),
		Suspended: text("已暂停", "suspended"), Revoked: text("已撤销", "revoked")}[s]
}

// Standing is a grant and how it stands.
type Standing struct {
	ID        string            `json:"id"`
	Terms     catalogue.Grant   `json:"terms"`
	Status    Status            `json:"status"`
	Version   int               `json:"version"` // how many acts; 0: as the city's catalogue has it
	Class     catalogue.Sharing `json:"class,omitempty"`
	Requested time.Time         `json:"requested,omitzero"`
	Asker     string            `json:"asker,omitempty"` // department and staff code
	Decided   time.Time         `json:"decided,omitzero"`
	Decider   string            `json:"decider,omitempty"`
	Reason    string            `json:"reason,omitempty"` // of the last act that gave one
	Extended  bool              `json:"extended,omitempty"`
	Clock     *workdays.Clock   `json:"clock,omitempty"` // the time limit that runs

	last string // the entry that made the version
}

// state is the grants as they follow from the starting ones and the entries folded so far.
type state struct {
	grants map[string]*Standing
}

// ofCity begins the ids of grants of the YAML catalogue.
const ofCity = "city-"

// cityID names a starting grant by what cannot be granted twice.
func cityID(g catalogue.Grant) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(g.Department), string(g.Item), string(g.Evidence), string(g.From)}, "\n")))
	return ofCity + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:5]))
}

func newState(city []catalogue.Grant) state {
	s := state{grants: map[string]*Standing{}}
	for _, g := range city {
		id := cityID(g)
		s.grants[id] = &Standing{ID: id, Terms: g, Status: Granted}
	}
	return s
}

// fold takes one entry. An error says why it changes nothing.
func (s *state) fold(e *entry) error {
	g := s.grants[e.Grant]
	if g == nil {
		g = &Standing{ID: e.Grant}
	}
	becomes, can := after[g.Status][e.Act]
	switch {
	case g.last == e.ID:
		return journal.ErrRepeated
	case g.Status == "" && e.Act != Request:
		return noSuchGrant()
	case g.Version != e.Replaces:
		return outrun(g)
	case !can:
		return cannot(e.Act, g.Status)
	case e.Act.Reasoned() && strings.TrimSpace(e.Reason) == "":
		return noReason()
	case e.Act == Extend && g.Extended:
		return extendedAlready()
	case e.Act == Request && e.Terms == nil, e.Act == Request && strings.TrimSpace(e.Terms.Basis.ZH) == "":
		return noBasis()
	}
	if e.Act == Approve {
		if other := s.overlapping(g, false); other != nil {
			return overlaps(other)
		}
	}
	g.take(e, becomes)
	s.grants[g.ID] = g
	return nil
}

// take writes an act down.
func (g *Standing) take(e *entry, becomes Status) {
	g.Status, g.last = becomes, e.ID
	g.Version++
	g.Reason = cmp.Or(e.Reason, g.Reason)
	switch e.Act {
	case Request:
		g.Terms, g.Class, g.Requested, g.Asker = *e.Terms, e.Class, e.At, e.By
	case Extend:
		g.Extended = true
	default:
		g.Decided, g.Decider = e.At, e.By
	}
}

// overlapping finds another grant in force for the same thing on a same day: of which fields would count? The fold leaves those of
// the city's catalogue out: an edited file must not change what was decided before.
func (s *state) overlapping(g *Standing, city bool) *Standing {
	for _, id := range slices.Sorted(maps.Keys(s.grants)) {
		o := s.grants[id]
		if strings.HasPrefix(id, ofCity) && !city {
			continue
		}
		if o.ID != g.ID && (o.Status == Granted || o.Status == Suspended) && o.Terms.Department == g.Terms.Department && o.Terms.Item == g.Terms.Item &&
			o.Terms.Evidence == g.Terms.Evidence && o.Terms.From <= g.Terms.Until && g.Terms.From <= o.Terms.Until {
			return o
		}
	}
	return nil
}

// inForce are the grants that count, whatever the day.
func (s *state) inForce() []catalogue.Grant {
	var all []catalogue.Grant
	for _, id := range slices.Sorted(maps.Keys(s.grants)) { // of two for the same day the same one counts everywhere
		if g := s.grants[id]; g.Status == Granted {
			all = append(all, g.Terms)
		}
	}
	return all
}
