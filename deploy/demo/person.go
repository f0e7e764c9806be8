package demo

import (
	"math/rand/v2"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/identity"
)

// citizen is the core of a person: what every register agrees on.
type citizen struct {
	index  int
	number string
	name   string
	female bool
	born   day
}

func (p *citizen) holder() exchange.Holder {
	return exchange.Holder{Kind: exchange.Person, Number: p.number}
}

func (p *citizen) sex() string {
	if p.female {
		return "女"
	}
	return "男"
}

// nation is the ethnic group as a register would have it.
func (c *City) nation(p *citizen) string {
	r := c.draw("nation", p.index)
	if chance(r, 0.94) {
		return "汉"
	}
	return pick(r, []string{"土家", "苗", "侗", "瑶", "回", "壮", "维吾尔", "蒙古", "藏"})
}

// age in full years on that day.
func (p *citizen) age(on day) int {
	age := on.year() - p.born.year()
	if p.born.years(age) > on {
		age--
	}
	return age
}

// partner is the one person whom that person may be married to: people with even indexes are men and the next index
// is a woman of about their age.
func partner(index int) int { return index ^ 1 }

const (
	origin    = day(20454)       // 2026-01-01: who lives in the city is settled then, whatever day the files are written
	youngest  = 365              // days: nobody is younger at the origin
	ages      = 84 * 365         // days between the youngest and the oldest
	sequences = 499              // sequence numbers of one sex and day: 1 to 997, 2 to 998
	stride    = 7919             // a prime that does not divide ages: neighbours are born on days far apart
	apart     = 4 * 365          // days between the ages of two partners, at most
	capacity  = ages * sequences // people of one sex before numbers repeat
)

// births are how many days before the youngest the first couple of one sequence was born.
type births struct{ husband, wife int }

func (c *City) firstBirths() []births {
	all := make([]births, sequences)
	for sequence := range all {
		r := c.draw("births", sequence)
		at := r.IntN(ages)
		all[sequence] = births{husband: at, wife: (at + ages + between(r, -apart, apart)) % ages}
	}
	return all
}

// citizen tells a person from the index. Numbers are unique because the pair (sequence, day of birth) is: the index
// counts through all sequences first, and for one sequence goes round the days by the stride.
func (c *City) citizen(index int) citizen {
	p := citizen{index: index, female: index%2 == 1}
	couple := index / 2 % capacity
	sequence, round := couple%sequences, couple/sequences
	first := c.births[sequence]
	at := (round*stride + first.husband) % ages
	third := 2*sequence + 1 // odd: male, even: female
	if p.female {
		at = (round*stride + first.wife) % ages
		third++
	}
	p.born = origin - youngest - day(at)
	r := c.draw("person", index)
	body := c.division(r) + p.born.in(packed) + threeDigits(third)
	p.number = body + string(identity.CitizenCheck(body))
	p.name = c.words.person(r, p.female)
	return p
}

func threeDigits(n int) string {
	return string([]byte{'0' + byte(n/100), '0' + byte(n/10%10), '0' + byte(n%10)})
}

// division is where a number was first given: mostly the city itself, else a neighbour.
func (c *City) division(r *rand.Rand) string {
	if chance(r, 0.85) {
		return home
	}
	return pick(r, c.words.divisions)
}

// wedding is a marriage between the person of an even index and the next one.
type wedding struct {
	husband, wife citizen
	on            day
	apart         bool // divorced since
}

// marriage is the wedding of the person, nil if there was none.
func (c *City) marriage(index int) *wedding {
	first := min(index, partner(index))
	if first+1 >= c.people {
		return nil
	}
	r := c.draw("marriage", first/2)
	if !chance(r, 0.72) {
		return nil
	}
	husband, wife := c.citizen(first), c.citizen(first+1)
	earliest := max(husband.born.years(22), wife.born.years(20))
	if earliest >= c.today {
		return nil
	}
	span := min(int(c.today-earliest), 12*365)
	return &wedding{husband: husband, wife: wife, on: earliest + day(r.IntN(span)), apart: chance(r, 0.08)}
}
