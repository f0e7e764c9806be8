package broker

import (
	"slices"

	"github.com/onedoor/yimen/exchange"
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

// ofApplicant says whether the item needs the type of the applicant: nobody is looked up for what is needed of somebody else.
func ofApplicant(s catalogue.Service, t exchange.EvidenceType) bool {
	for _, m := range s.Materials {
		for _, set := range m.Alternatives {
			if slices.ContainsFunc(set, func(n catalogue.Need) bool { return n.Evidence == t && n.Of == "" }) {
				return true
			}
		}
	}
	return false
}
