package broker

import (
	"context"
	"maps"
	"slices"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/catalogue"
)

// Party is somebody else than the applicant whose evidence an item asks for, with what is known of them.
type Party struct {
	Holder exchange.Holder
	Found  exchange.Found
}

// of has the premises of what is needed of that role: the party's records and sources in the place of the applicant's. What was
// stated speaks of the applicant's documents, so it is not held against others'. False: it was not stated who the party is.
func (p *Premises) of(role exchange.Role) (*Premises, bool) {
	if role == "" || role == exchange.Self {
		return p, true
	}
	party, stated := p.Parties[role]
	if !stated {
		return nil, false
	}
	theirs := *p
	theirs.applicant, theirs.Stated = p.Holder.Kind, nil
	theirs.Holder, theirs.Found = party.Holder, party.Found
	return &theirs, true
}

// needed says whether the item needs the type of that role; empty: of the applicant.
func needed(s catalogue.Service, t exchange.EvidenceType, of exchange.Role) bool {
	for _, m := range s.Materials {
		for _, set := range m.Alternatives {
			if slices.ContainsFunc(set, func(n catalogue.Need) bool { return n.Evidence == t && n.Of == of }) {
				return true
			}
		}
	}
	return false
}

// links name the certificate of which applicant and party are both holders where they are what was stated.
var links = map[exchange.Role]exchange.EvidenceType{exchange.Spouse: "marriage-certificate", exchange.Representative: "business-licence"}

// shows says whether the type shows who one of the parties is.
func shows(t exchange.EvidenceType, parties map[exchange.Role]exchange.Holder) bool {
	for role := range parties {
		if links[role] == t {
			return true
		}
	}
	return false
}

// lookUp finds what is granted and needed of the parties, and what ties them to the applicant: each person once, whatever they are to
// the applicant. It goes by role, so that whoever does it again never needs an earlier moment of the index for a later look-up.
func (p *Premises) lookUp(ctx context.Context, h Holdings, parties map[exchange.Role]exchange.Holder) error {
	p.Parties = make(map[exchange.Role]Party, len(parties))
	known := map[exchange.Holder]Party{}
	for _, role := range slices.Sorted(maps.Keys(parties)) {
		holder := parties[role]
		if _, again := known[holder]; !again {
			types := p.typesOf(holder, parties)
			if len(types) == 0 {
				continue
			}
			found, err := find(ctx, h, holder, types)
			if err != nil {
				return err
			}
			known[holder] = Party{holder, found}
		}
		p.Parties[role] = known[holder]
	}
	return nil
}

// typesOf are the granted types that are needed of one of the parties, or show who it is.
func (p *Premises) typesOf(holder exchange.Holder, parties map[exchange.Role]exchange.Holder) (types []exchange.EvidenceType) {
	for _, t := range p.Service.Types() {
		_, granted := p.Grants[t]
		for role, who := range parties {
			if granted && who == holder && (needed(p.Service, t, role) || links[role] == t) {
				types = append(types, t)
				break
			}
		}
	}
	return types
}

// named are the parties of a query as its entry begins: each is counted and sees it, also where the query is refused.
func (q *Query) named() map[exchange.Role]audit.Party {
	if len(q.Parties) == 0 {
		return nil
	}
	all := make(map[exchange.Role]audit.Party, len(q.Parties))
	for role, holder := range q.Parties {
		all[role] = audit.Party{Holder: holder}
	}
	return all
}

// keepFound adds to a stamped entry what was found, of the applicant and the parties.
func (p *Premises) keepFound(e *audit.Entry) {
	e.Found = len(p.Found.Records) > 0
	for role, party := range p.Parties {
		kept := e.Parties[role]
		kept.Found, kept.Inputs = len(party.Found.Records) > 0, party.Found.Inputs
		e.Parties[role] = kept
	}
}

// tie is what the records say of how a party belongs to the applicant.
type tie int

const (
	tied   tie = iota // one certificate names both, or nothing is claimed: the applicant, and an agent who stands at the window
	untied            // no certificate was found that could show it
	denied            // the applicant's certificate names somebody else
)

// tie looks for a certificate that has both as holders: the index finds a record under everyone it names.
func (p *Premises) tie(role exchange.Role) tie {
	link, claimed := links[role]
	if !claimed {
		return tied
	}
	if _, granted := p.Grants[link]; !granted {
		return untied
	}
	theirs, _ := p.of(role)
	own, _, legible := p.records(link)
	shared, _, legibleToo := theirs.records(link)
	for _, r := range own {
		if slices.ContainsFunc(shared, func(s *exchange.Record) bool { return s.ID == r.ID }) {
			return tied
		}
	}
	if len(own) == 0 || !legible || !legibleToo || theirs.standing(link).quarantined || link == links[exchange.Representative] {
		return untied // a licence need not name its representative by number
	}
	return denied
}

// on is what the tie leaves of a verdict on the party's records. Nothing is told of somebody whom the applicant's certificate does
// not name, and no field of somebody of whom no record says anything.
func (t tie) on(v verdict) verdict {
	switch {
	case t == denied:
		first := v.evidence[0]
		return verdict{exchange.Check, exchange.FactsDiffer, []exchange.Evidence{{
			Type: first.Type, Outcome: exchange.Check, Reason: exchange.FactsDiffer, Keeper: first.Keeper}}}
	case t == untied && (v.outcome == exchange.Held || v.outcome == exchange.Check):
		v.outcome, v.reason = exchange.Check, exchange.PartyUnproven
		for i := range v.evidence {
			e := &v.evidence[i]
			e.Outcome, e.Reason, e.Fields, e.Differences = v.outcome, v.reason, nil, nil
		}
	}
	return v
}

// checkParties says whether those stated are parties the item needs something of. Refusals repeat no number and no role as typed.
func checkParties(s catalogue.Service, q *Query) error {
	for role, holder := range q.Parties {
		switch {
		case !slices.ContainsFunc(s.Types(), func(t exchange.EvidenceType) bool { return role != "" && needed(s, t, role) }):
			return badParty(text("陈述了该事项不涉及的关系人", "a party is stated of whom the item needs nothing"),
				text("删去 parties 中该事项不需要的一方；yimen item show 列出需要谁的材料", "leave that party out; yimen item show lists whose evidence the item needs"))
		case holder == q.Applicant:
			return badParty(text(role.Text().ZH+"就是申请人本人", "the "+role.Text().EN+" is the applicant"),
				text("填写对方的号码", "give the other one's number"))
		case holder.Number == "" || holder.Kind != exchange.Person && role != exchange.Agent:
			return badParty(text(role.Text().ZH+"不是自然人", "the "+role.Text().EN+" is no person"),
				text("填写公民身份号码", "give a citizen number"))
		}
	}
	return nil
}

func badParty(what, mend exchange.Text) error {
	return &exchange.Problem{Code: "YM-QRY-0119", Kind: exchange.Invalid, What: what, Mend: mend}
}
