package demo

import (
	"math/rand/v2"
	"slices"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/identity"
)

// firm is the core of a company.
type firm struct {
	index    int
	code     string
	name     string
	trade    string
	division string
	scope    string
	sole     bool // 个体工商户: one person's own business
	head     citizen
	founded  day
}

func (f *firm) holder() exchange.Holder {
	return exchange.Holder{Kind: exchange.Organisation, Number: f.code}
}

// banks is how many of the first companies are banks: who lends money holds the mortgages.
const banks = 3

// builder is the first company after them. In a small city there might be none, and an adapter refuses a file without rows.
const builder, construction = banks, "建筑工程"

// firm tells a company from the index.
func (c *City) firm(index int) firm {
	r := c.draw("company", index)
	f := firm{index: index, sole: chance(r, 0.35) && index > builder, division: home}
	if chance(r, 0.12) {
		f.division = pick(r, c.words.divisions)
	}
	f.founded = origin - 30 - day(r.IntN(24*365))
	f.head = c.head(r, f.founded)
	f.code = c.creditCode(index, &f)
	trade := r.IntN(len(c.words.companies["trade"]))
	if index == builder {
		trade = slices.Index(c.words.companies["trade"], construction)
	}
	f.trade, f.scope = c.words.companies["trade"][trade], c.words.companies["scope"][trade]
	f.name = c.firmName(r, &f)
	if index < banks {
		f.trade, f.scope = "银行", "吸收公众存款；发放短期、中期和长期贷款；办理国内结算。"
		f.name = cityName + c.words.companies["word"][index] + "信村镇银行"
	}
	return f
}

// head is a grown-up of the city.
func (c *City) head(r *rand.Rand, founded day) citizen {
	var p citizen
	for range 16 {
		p = c.citizen(r.IntN(c.people))
		if age := p.age(founded); age >= 18 && age < 65 {
			break
		}
	}
	return p
}

func (c *City) firmName(r *rand.Rand, f *firm) string {
	word := pick(r, c.words.companies["word"]) + pick(r, c.words.companies["word"])
	if chance(r, 0.6) {
		word += pick(r, c.words.companies["word"])
	}
	if f.sole {
		return cityName + word + f.trade + pick(r, []string{"店", "经营部", "商行", "工作室"})
	}
	switch {
	case chance(r, 0.2):
		return "湖南" + word + f.trade + "有限公司"
	case chance(r, 0.1):
		return word + "（" + cityName + "）" + f.trade + "有限责任公司"
	}
	return cityName + word + f.trade + "有限公司"
}

const codeAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// creditCode is a unified social credit code that no other company of the city has: the index, scattered over all
// bodies of six characters (31^6, a prime step), becomes part of the organisation code.
func (c *City) creditCode(index int, f *firm) string {
	const bodies = 31 * 31 * 31 * 31 * 31 * 31
	at := (uint64(index)*387_420_489 + mix(c.seed)%bodies) % bodies // 3^18: has no factor in common with 31^6
	kind := "91"
	if f.sole {
		kind = "92"
	}
	organisation := make([]byte, 8)
	copy(organisation, "MA")
	for i := 7; i >= 2; i-- {
		organisation[i] = codeAlphabet[at%31]
		at /= 31
	}
	body := kind + f.division + string(organisation) + string(identity.OrganisationCheck(string(organisation)))
	return body + string(identity.CreditCodeCheck(body))
}
