package demo

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// titles is the register of real-estate titles. Its program writes a status as a digit, and all owners in one cell.
func titles() register {
	return register{
		adapter: "zrzy/property-title", evidence: "property-title",
		dialect: dialect{gb18030: true, delimiter: '\t', newline: "\r\n"},
		columns: []column{{"不动产权证号", needed}, {"不动产单元号", needed}, {"权利人", needed}, {"证件号码", number}, {"共有情况", free},
			{"坐落", needed}, {"权利类型", needed}, {"权利性质", free}, {"用途", free}, {"面积", free}, {"使用期限", free},
			{"登簿日期", date}, {"证照状态", state}},
		person: func(c *City, index int) []paper {
			var papers []paper
			for _, e := range c.estates(index) {
				papers = append(papers, e.title())
			}
			return papers
		},
		company: func(c *City, index int) []paper {
			var papers []paper
			for _, e := range c.premises(index) {
				papers = append(papers, e.title())
			}
			return papers
		},
	}
}

// owner is a person or company that owns real estate.
type owner struct {
	exchange.Holder
	name string
}

func (p *citizen) owner() owner { return owner{p.holder(), p.name} }

// estate is a flat or a firm's premises with its owners.
type estate struct {
	number string
	unit   string
	place  string
	owners []owner
	area   string
	on     day
	status term
	loan   int // in yuan; 0: not mortgaged
}

// estates are the flats registered with the person: those of a couple with the one of even index.
func (c *City) estates(index int) []estate {
	p, w := c.citizen(index), c.marriage(index)
	r := c.draw("estate", index)
	var owners []owner
	share, since := 0.25, p.born.years(25)
	switch {
	case w != nil && index%2 == 1 && !w.apart:
		return nil
	case w != nil && !w.apart:
		share, since = 0.75, w.on
		husband, wife := w.husband.owner(), w.wife.owner()
		owners = [][]owner{{husband, wife}, {husband, wife}, {husband, wife}, {husband}, {wife}}[r.IntN(5)]
	default:
		owners = []owner{p.owner()}
	}
	if since >= c.today || !chance(r, share) {
		return nil
	}
	return c.bought(r, index, since, owners)
}

// premises are the estates of a company.
func (c *City) premises(index int) []estate {
	r, f := c.draw("premises", index), c.firm(index)
	if f.sole || !chance(r, 0.3) {
		return nil
	}
	return c.bought(r, c.people+index, f.founded, []owner{{f.holder(), f.name}})
}

// bought is one estate, now and then two.
func (c *City) bought(r *rand.Rand, index int, since day, owners []owner) []estate {
	since = max(since, day(13514)) // 2007-01-01: older titles are on paper
	count := 1
	if chance(r, 0.12) {
		count = 2
	}
	estates := make([]estate, count)
	for k := range estates {
		estates[k] = c.estate(r, 2*index+k, since)
		estates[k].owners = owners
	}
	return estates
}

func (c *City) estate(r *rand.Rand, index int, since day) estate {
	e := estate{
		on:    since + day(r.IntN(max(1, int(c.today-since)))),
		place: c.words.flat(r),
		area:  fmt.Sprintf("%d.%02d", between(r, 48, 190), r.IntN(100)),
		unit:  "430281" + digits(r, 6) + "GB" + digits(r, 5) + "F0001" + digits(r, 4),
		status: pickTerm(r, term{"1", exchange.Valid, 0}, term{"2", exchange.Revoked, 50},
			term{"3", exchange.Suspended, 15}),
	}
	if chance(r, 0.4) {
		e.loan = between(r, 15, 120) * 10_000
	}
	e.number = "湘(" + strconv.Itoa(e.on.year()) + ")醴陵市不动产权第" + serial(index, 7) + "号"
	return e
}

// title is the certificate of the owners.
func (e *estate) title() paper {
	names, numbers := make([]string, len(e.owners)), make([]string, len(e.owners))
	var holders []exchange.Holder
	for i := range e.owners {
		names[i], numbers[i] = e.owners[i].name, e.owners[i].Number
		holders = append(holders, e.owners[i].Holder)
	}
	kind := "单独所有"
	if len(holders) > 1 {
		kind = "共同共有"
	}
	return paper{
		Holding: Holding{Natural: e.number, Holders: holders, Status: e.status.status, From: e.on.date()},
		cells: []string{e.number, e.unit, strings.Join(names, "、"), strings.Join(numbers, "、"), kind, e.place,
			"国有建设用地使用权/房屋所有权", "出让/市场化商品房", "城镇住宅用地/住宅", e.area, "国有建设用地使用权70年",
			e.on.in(dashes), e.status.word},
	}
}

// mortgages is the register of mortgages and advance notices. Only what was registered since it became digital is in
// the file, so that a missing row proves nothing.
func mortgages() register {
	return register{
		adapter: "zrzy/property-registration", evidence: "property-registration", partial: true,
		dialect: dialect{delimiter: ',', newline: "\n"},
		columns: []column{{"不动产证明号", needed}, {"不动产单元号", needed}, {"证明权利或事项", needed}, {"权利人", needed},
			{"权利人证件号", number}, {"义务人", free}, {"义务人证件号", free}, {"坐落", needed}, {"被担保债权数额", free},
			{"登簿日期", date}, {"备注", free}, {"状态", state}},
		person: registrations,
	}
}

// registrations are the mortgage on each flat, held by a bank, and the advance notice of a flat being bought, held by
// the buyer.
func registrations(c *City, index int) []paper {
	var papers []paper
	for k, e := range c.estates(index) {
		if e.loan == 0 {
			continue
		}
		r := c.draw("mortgage", 2*index+k)
		bank, owner := c.firm(r.IntN(banks)), e.owners[0]
		amount := strconv.Itoa(e.loan/10_000) + "万元"
		if chance(r, 0.5) {
			amount = thousands(strconv.Itoa(e.loan)) + ".00元"
		}
		papers = append(papers, registration(r, 3*index+k, &e, "抵押权", bank.holder(), bank.name, &owner, amount))
	}
	r := c.draw("notice", index)
	p := c.citizen(index)
	if age := p.age(c.today); age < 22 || age > 55 || len(papers) > 0 || !chance(r, 0.06) {
		return papers
	}
	e := c.estate(r, 2*index, c.today-900)
	return append(papers, registration(r, 3*index+2, &e, "预告登记", p.holder(), p.name, nil, ""))
}

func registration(r *rand.Rand, index int, e *estate, matter string, holder exchange.Holder, name string, obligor *owner, amount string) paper {
	natural := "湘(" + strconv.Itoa(e.on.year()) + ")醴陵市不动产证明第" + serial(index, 7) + "号"
	status := pickTerm(r, term{"现势", exchange.Valid, 0}, term{"注销", exchange.Revoked, 150})
	cells := []string{natural, e.unit, matter, name, typed(r, holder.Number), "", "", e.place, amount, e.on.in(dashes),
		pick(r, []string{"", "", "电子证明"}), status.word}
	if obligor != nil {
		cells[5], cells[6] = obligor.name, obligor.Number
	}
	return paper{
		Holding: Holding{Natural: natural, Holders: []exchange.Holder{holder}, Status: status.status},
		cells:   cells,
	}
}
