// Package demo is a made-up city for demonstrations, tests and benchmarks: its people, its companies, and the files of
// its departments with the dirt that such files have.
//
// All people, companies, addresses and numbers are invented by a generator; what looks like a real person is chance.
// A City is told by its Config alone: the same Config gives the same bytes on every machine. Nothing is kept, each person
// and company follows from the seed and an index, so a city of a million people takes no more memory than a village.
//
// Who lives in the city follows from the seed. What they hold follows from the day as well, so that about as many
// certificates have run out whenever the demonstration is given.
//
//	city := demo.New(demo.Config{Seed: 1, Now: now})
//	err := city.Write(dir, nil)     // a folder for each department: exports and adapter manifests
//	person := city.Person(17)       // who that is, and what each register says of them
package demo

import (
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// Config says which city it is.
type Config struct {
	Seed      uint64
	People    int       // 0: 20,000
	Companies int       // 0: a quarter of the people
	Now       time.Time // when the files are written, as their modification time says: 2026 or later; zero: 2026-11-02
	// Spoilt is how many of 1,000 rows the generator spoils; 0: 3. Negative: none.
	Spoilt int
}

// City is a made-up city. It is safe for concurrent use.
type City struct {
	seed      uint64
	people    int
	companies int
	spoilt    int
	now       time.Time
	today     day
	words     *vocabulary
	births    []births // by sequence
	registers []register
}

// New is the city that the config describes.
func New(config Config) *City {
	c := &City{seed: config.Seed, people: config.People, companies: config.Companies, spoilt: config.Spoilt,
		words: readVocabulary()}
	if c.people <= 0 {
		c.people = 20_000
	}
	if c.companies <= 0 {
		c.companies = (c.people + 3) / 4
	}
	switch {
	case c.spoilt == 0:
		c.spoilt = 3
	case c.spoilt < 0:
		c.spoilt = 0
	}
	if config.Now.IsZero() {
		config.Now = time.Date(2026, 11, 2, 8, 0, 0, 0, exchange.China)
	}
	c.now, c.today = config.Now, dayOf(config.Now)
	c.births = c.firstBirths()
	c.registers = registers()
	return c
}

// Person is a natural person of the city, with all that its departments have on file.
type Person struct {
	Holder   exchange.Holder
	Name     string
	Female   bool
	Born     exchange.Date
	Spouse   int // the index of the person they are married to; -1: none
	Holdings []Holding
}

// Company is a legal person of the city.
type Company struct {
	Holder   exchange.Holder
	Name     string
	Head     int // the index of the person who is its legal representative
	Holdings []Holding
}

// Holding is what a register says of a certificate: what an oracle needs to tell the right answer.
type Holding struct {
	Type    exchange.EvidenceType
	Adapter exchange.Adapter
	Natural string // the number on the certificate
	Holders []exchange.Holder
	Status  exchange.Status
	From    exchange.Date
	Until   exchange.Date
	// Spoilt says how the row was spoilt; empty for a sound row. A spoilt row goes into quarantine.
	Spoilt Flaw
	// Named are the holders whose numbers can still be read in the row: all of them in a sound one.
	Named []exchange.Holder
}

// Size is how many people and companies there are.
func (c *City) Size() (people, companies int) { return c.people, c.companies }

// Person is the person of that index, counted from 0.
func (c *City) Person(index int) Person {
	who := c.citizen(index)
	p := Person{Holder: who.holder(), Name: who.name, Female: who.female, Born: who.born.date(), Spouse: -1}
	if c.marriage(index) != nil {
		p.Spouse = partner(index)
	}
	for i := range c.registers {
		r := &c.registers[i]
		p.Holdings = held(p.Holdings, p.Holder, c.issue(r, r.person, index))
		if partner(index) < c.people { // certificates of couples are issued to one of the two
			p.Holdings = held(p.Holdings, p.Holder, c.issue(r, r.person, partner(index)))
		}
	}
	return p
}

// Company is the company of that index, counted from 0. The first three are banks; the mortgages they hold are not
// among their holdings, as telling them takes going through the whole city.
func (c *City) Company(index int) Company {
	firm := c.firm(index)
	f := Company{Holder: firm.holder(), Name: firm.name, Head: firm.head.index}
	for i := range c.registers {
		r := &c.registers[i]
		f.Holdings = held(f.Holdings, f.Holder, c.issue(r, r.company, index))
	}
	return f
}

// held adds those of the papers that the holder holds.
func held(found []Holding, holder exchange.Holder, papers []paper) []Holding {
	for i := range papers {
		if slices.Contains(papers[i].Holders, holder) {
			found = append(found, papers[i].Holding)
		}
	}
	return found
}
