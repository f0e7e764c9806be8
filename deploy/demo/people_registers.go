package demo

import (
	"strconv"
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// outsider says whether the person is registered elsewhere and lives here with a permit.
func (c *City) outsider(p *citizen) bool {
	return p.number[:6] != home && chance(c.draw("outsider", p.index), 0.6)
}

// households is the public security's register of permanent residents: the whole city but the outsiders.
func households() register {
	return register{
		adapter: "gaj/household-registration", evidence: "household-registration",
		dialect: dialect{delimiter: '\t', newline: "\n"},
		columns: []column{{"公民身份号码", number}, {"姓名", needed}, {"性别", free}, {"出生日期", date}, {"民族", free},
			{"户号", needed}, {"户别", free}, {"户主姓名", free}, {"与户主关系", needed}, {"户籍地区划", free},
			{"住址", needed}, {"户籍状态", state}},
		person: household,
	}
}

func household(c *City, index int) []paper {
	p := c.citizen(index)
	if c.outsider(&p) {
		return nil
	}
	r := c.draw("household", index)
	head, relation := c.household(&p)
	status := pickTerm(r, term{"在册", exchange.Valid, 0}, term{"迁出", exchange.Superseded, 12},
		term{"冻结", exchange.Suspended, 2}, term{"死亡注销", exchange.Revoked, 4})
	number := typed(r, p.number)
	if chance(r, 0.005) {
		number = old(p.number)
	}
	home := c.words.flat(c.draw("home", head.index/2))
	return []paper{{
		Holding: Holding{Natural: p.number, Holders: holdersOf(&p), Status: status.status},
		cells: []string{number, p.name, p.sex(), p.born.in(packed), c.nation(&p), "430281" + serial(head.index/2, 9),
			"家庭户", head.name, relation, "430281", "湖南省" + home, status.word},
	}}
}

// household is the head of the person's household and what the person is to them.
func (c *City) household(p *citizen) (citizen, string) {
	if w := c.marriage(p.index); w != nil && !w.apart {
		if p.female {
			return w.husband, "妻"
		}
		return *p, "户主"
	}
	if p.age(c.today) >= 18 {
		return *p, "户主"
	}
	parent := c.head(c.draw("parent", p.index/2), p.born)
	if p.female {
		return parent, "女"
	}
	return parent, "子"
}

// residencePermits is the public security's file of permits of people registered elsewhere.
func residencePermits() register {
	return register{
		adapter: "gaj/residence-permit", evidence: "residence-permit",
		dialect: dialect{mark: true, delimiter: ',', newline: "\r\n"},
		columns: []column{{"身份证号", number}, {"姓名", needed}, {"性别", free}, {"居住地区划", needed}, {"居住地址", needed},
			{"户籍地区划", free}, {"居住起始日期", date}, {"签发日期", date}, {"有效期至", date}, {"证件状态", state}},
		person: residencePermit,
	}
}

func residencePermit(c *City, index int) []paper {
	p := c.citizen(index)
	r := c.draw("residence", index)
	if !c.outsider(&p) || p.age(c.today) < 16 || !chance(r, 0.85) {
		return nil
	}
	since := c.today - day(between(r, 200, 3000))
	from := c.today - day(between(r, 0, 430)) // a permit is valid for a year; some were not renewed
	until := from.years(1) - 1
	status := pickTerm(r, term{"有效", exchange.Valid, 0}, term{"中止", exchange.Suspended, 10},
		term{"注销", exchange.Revoked, 20})
	return []paper{{
		Holding: Holding{Natural: p.number + home, Holders: holdersOf(&p), Status: status.status, From: from.date(), Until: until.date()},
		cells: []string{typed(r, p.number), p.name, p.sex(), home, c.words.address(r), p.number[:6], since.in(slashes),
			from.in(slashes), until.in(slashes), status.word},
	}}
}

// drivingLicences is the traffic police's file; its program writes identity numbers in armour.
func drivingLicences() register {
	return register{
		adapter: "gaj/driving-licence", evidence: "driving-licence",
		dialect: dialect{gb18030: true, delimiter: ',', newline: "\r\n"},
		columns: []column{{"档案编号", free}, {"身份证明号码", number}, {"姓名", needed}, {"性别", free}, {"准驾车型", needed},
			{"初次领证日期", date}, {"有效起始日期", date}, {"有效期止", date}, {"驾驶证状态", state}},
		person: drivingLicence,
	}
}

func drivingLicence(c *City, index int) []paper {
	p := c.citizen(index)
	r := c.draw("driving", index)
	age := p.age(c.today)
	if age < 19 || age > 75 || !chance(r, 0.45) {
		return nil
	}
	first := p.born.years(18) + day(r.IntN(int(c.today-p.born.years(18))))
	from, until := first, first.years(6)
	for until < c.today && !chance(r, 0.05) { // renewed, but for the forgetful
		from, until = until, until.years(10)
	}
	status := pickTerm(r, term{"正常", exchange.Valid, 0}, term{"暂扣", exchange.Suspended, 12},
		term{"吊销", exchange.Revoked, 8}, term{"注销", exchange.Revoked, 15})
	file := "4302" + serial(index, 8)
	return []paper{{
		Holding: Holding{Natural: file, Holders: holdersOf(&p), Status: status.status, From: from.date(), Until: (until - 1).date()},
		cells: []string{file, armoured(p.number), p.name, p.sex(), pick(r, []string{"C1", "C1", "C1", "C1、D", "C2", "B2", "A2、D"}),
			first.in(brief), from.in(brief), (until - 1).in(brief), status.word},
	}}
}

// marriages is the civil affairs' register. Both spouses hold the certificate; it is issued to the one of even index.
func marriages() register {
	return register{
		adapter: "mzj/marriage-certificate", evidence: "marriage-certificate",
		dialect: dialect{gb18030: true, delimiter: ',', newline: "\r\n"},
		columns: []column{{"结婚证字号", needed}, {"男方姓名", needed}, {"男方身份证号", number}, {"女方姓名", needed},
			{"女方身份证号", number}, {"登记日期", date}, {"备注", free}, {"婚姻状态", state}},
		person: marriageCertificate,
	}
}

func marriageCertificate(c *City, index int) []paper {
	w := c.marriage(index)
	if w == nil || index%2 == 1 {
		return nil
	}
	r := c.draw("wedding", index)
	natural := "J430281-" + strconv.Itoa(w.on.year()) + "-" + serial(index/2%1_000_000, 6)
	status := term{word: "有效", status: exchange.Valid}
	if w.apart {
		status = term{word: "已离婚", status: exchange.Revoked}
	}
	return []paper{{
		Holding: Holding{Natural: natural, Holders: holdersOf(&w.husband, &w.wife), Status: status.status, From: w.on.date()},
		cells: []string{natural, w.husband.name, typed(r, w.husband.number), w.wife.name, typed(r, w.wife.number),
			w.on.in(brief), pick(r, []string{"", "", "", "档案已数字化"}), status.word},
	}}
}

// socialInsurances is the register of insured people.
func socialInsurances() register {
	return register{
		adapter: "rsj/social-insurance", evidence: "social-insurance",
		dialect: dialect{delimiter: ',', newline: "\n"},
		columns: []column{{"身份证号码", number}, {"姓名", needed}, {"参保地区划", needed}, {"个人编号", free}, {"参保单位名称", free},
			{"参保单位代码", free}, {"险种", needed}, {"缴费状态", needed}, {"首次参保日期", date}, {"参保关系状态", state}},
		person: socialInsurance,
	}
}

func socialInsurance(c *City, index int) []paper {
	p := c.citizen(index)
	r := c.draw("insurance", index)
	age := p.age(c.today)
	if age < 17 || !chance(r, 0.7) {
		return nil
	}
	since := p.born.years(16) + day(r.IntN(int(c.today-p.born.years(16))))
	name, code, kinds := "", "", "城乡居民基本养老保险、城乡居民基本医疗保险"
	if age < 60 && chance(r, 0.6) {
		f := c.firm(r.IntN(c.companies))
		name, code, kinds = f.name, f.code, "企业职工基本养老保险、职工基本医疗保险、失业保险、工伤保险"
	}
	status := pickTerm(r, term{"正常", exchange.Valid, 0}, term{"暂停", exchange.Suspended, 60},
		term{"终止", exchange.Revoked, 10}, term{"已转出", exchange.Superseded, 15})
	state := map[exchange.Status]string{exchange.Valid: "参保缴费", exchange.Suspended: "暂停缴费",
		exchange.Revoked: "终止参保", exchange.Superseded: "终止参保"}[status.status]
	states := state + strings.Repeat("、"+state, strings.Count(kinds, "、")) // one for each kind
	return []paper{{
		Holding: Holding{Natural: p.number + home, Holders: holdersOf(&p), Status: status.status, From: since.date()},
		cells: []string{typed(r, p.number), p.name, home, "43" + serial(index, 8), name, code, kinds, states,
			since.in(dashes), status.word},
	}}
}

// healthCertificates is the register of the clinics that examine people who handle food and the like.
func healthCertificates() register {
	return register{
		adapter: "wjw/health-certificate", evidence: "health-certificate",
		dialect: dialect{gb18030: true, delimiter: ',', newline: "\r\n"},
		columns: []column{{"健康证明编号", needed}, {"姓名", needed}, {"性别", free}, {"身份证号", number}, {"从业类别", needed},
			{"检查日期", date}, {"检查结论", needed}, {"发证日期", date}, {"有效期至", date}, {"状态", state}},
		person: healthCertificate,
	}
}

// healthCertificate is the last certificate, and in many cases the one before as well, which has run out.
func healthCertificate(c *City, index int) []paper {
	p := c.citizen(index)
	r := c.draw("health", index)
	if age := p.age(c.today); age < 18 || age > 60 || !chance(r, 0.22) {
		return nil
	}
	trade := pick(r, []string{"食品", "食品", "食品", "公共场所", "饮用水", "化妆品"})
	from := c.today - day(between(r, 0, 480)) // valid for a year: about a quarter has run out
	var papers []paper
	for k := range 2 {
		status := pickTerm(r, term{"有效", exchange.Valid, 0}, term{"撤销", exchange.Revoked, 8})
		natural := "430281-" + strconv.Itoa(from.year()) + "-" + serial(2*index+k, 6)
		until := from.years(1) - 1
		papers = append(papers, paper{
			Holding: Holding{Natural: natural, Holders: holdersOf(&p), Status: status.status, From: from.date(), Until: until.date()},
			cells: []string{natural, p.name, p.sex(), typed(r, p.number), trade, (from - 3).in(chinese), "合格",
				from.in(chinese), until.in(chinese), status.word},
		})
		if !chance(r, 0.4) {
			break
		}
		from -= 365 + day(r.IntN(60))
	}
	return papers
}
