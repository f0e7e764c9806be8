package demo

import (
	"math/rand/v2"

	"github.com/onedoor/yimen/exchange"
)

// cityName stands in names, addresses and the names of authorities.
const cityName = "醴陵市"

// register is one department's file of one type of certificate.
type register struct {
	adapter  exchange.Adapter
	evidence exchange.EvidenceType
	// partial says that the file has not all the department ever issued, so that what is missing proves nothing.
	partial bool
	dialect dialect
	columns []column
	// person and company have the certificates of the one of that index; nil: the file has none of that kind.
	// Certificates of couples are issued to one of the two.
	person, company func(c *City, index int) []paper
}

// dialect is how the department's program writes files.
type dialect struct {
	gb18030   bool
	mark      bool // UTF-8 with a byte order mark
	delimiter byte
	newline   string
}

// column is a column of a file and what can go wrong in it.
type column struct {
	name string
	role role
}

type role int

const (
	free   role = iota // text that may be missing
	needed             // text that must be there
	number             // a citizen number or credit code that must be there
	date               // a day
	state              // a status
)

// paper is one certificate with its row.
type paper struct {
	Holding
	cells []string
}

// registers are all files of the city's departments, in the order of their names.
func registers() []register {
	return []register{
		drivingLicences(), households(), residencePermits(),
		marriages(),
		socialInsurances(),
		businessLicences(), foodLicences(),
		taxClearances(),
		healthCertificates(),
		safetyLicences(),
		mortgages(), titles(),
	}
}

// units is how many people and companies the register goes through.
func (c *City) units(r *register) int {
	units := 0
	if r.person != nil {
		units += c.people
	}
	if r.company != nil {
		units += c.companies
	}
	return units
}

// unit has the certificates of the unit of that number: people come first, then companies.
func (c *City) unit(r *register, number int) []paper {
	if r.person == nil {
		return c.issue(r, r.company, number)
	}
	if number < c.people {
		return c.issue(r, r.person, number)
	}
	return c.issue(r, r.company, number-c.people)
}

// issue has the certificates of one person or company, some of them spoilt.
func (c *City) issue(r *register, from func(*City, int) []paper, index int) []paper {
	if from == nil {
		return nil
	}
	papers := from(c, index)
	for i := range papers {
		p := &papers[i]
		p.Type, p.Adapter = r.evidence, r.adapter
		chance := c.draw("spoil "+string(p.Holders[0].Kind)+string(r.evidence), index*4+i)
		p.Named = p.Holders
		if chance.IntN(1000) < c.spoilt {
			p.Spoilt = spoil(chance, r, p)
		}
	}
	return papers
}

// term is a status as a department writes it, what it means, and how many of 1,000 certificates have it.
type term struct {
	word    string
	status  exchange.Status
	permill int
}

// pickTerm picks a status; what the weights leave of 1,000 goes to the first.
func pickTerm(r *rand.Rand, terms ...term) term {
	at := r.IntN(1000)
	for _, t := range terms[1:] {
		if at -= t.permill; at < 0 {
			return t
		}
	}
	return terms[0]
}
