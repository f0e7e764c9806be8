package api

import (
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/identity"
)

// Parties are those stated beside the applicant: by role (spouse, representative, agent), their numbers.
type Parties map[exchange.Role]string

// Holders reads the numbers; nil where there are none.
func (p Parties) Holders() (map[exchange.Role]exchange.Holder, error) {
	if len(p) == 0 {
		return nil, nil
	}
	all := make(map[exchange.Role]exchange.Holder, len(p))
	for role, number := range p {
		holder, err := identity.ParseHolder(number)
		if err != nil {
			return nil, err
		}
		all[role] = holder
	}
	return all, nil
}
