package broker

import "github.com/onedoor/yimen/exchange"

// assured is the assurance of a record by the way it came. Whatever stands in the index was sealed and signed by the department
// that published it; where that is the keeper, it is the keeper's own electronic word.
func (p *Premises) assured(r *exchange.Record) exchange.Assurance {
	if r.Keeper != p.Evidence[r.Type].Keeper || r.Adapter.Department() != r.Keeper {
		return exchange.AssuranceC
	}
	return exchange.AssuranceA
}

// assurance is the least of what the verdict rests on. What is not held has none, but for what the applicant makes.
func (v verdict) assurance() (least exchange.Assurance) {
	if v.reason == exchange.ApplicantMade {
		return exchange.AssuranceD
	}
	if v.outcome != exchange.Held && v.outcome != exchange.Check {
		return ""
	}
	for _, e := range v.evidence {
		least = max(least, e.Assurance) // later letters are less
	}
	return least
}
