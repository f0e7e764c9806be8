package demo

import (
	"github.com/onedoor/yimen/exchange"
)

// businessLicences is the market supervision's register of companies, the largest and the dirtiest file of all.
func businessLicences() register {
	return register{
		adapter: "scjg/business-licence", evidence: "business-licence",
		dialect: dialect{gb18030: true, delimiter: ',', newline: "\r\n"},
		columns: []column{{"企业名称", needed}, {"统一社会信用代码", number}, {"注册日期", date}, {"企业类型", free}, {"法人代表", free},
			{"注册资金", free}, {"经营范围", free}, {"所在省份", free}, {"地区", free}, {"注册地址", free}, {"登记状态", state}},
		company: businessLicence,
	}
}

func businessLicence(c *City, index int) []paper {
	f := c.firm(index)
	r := c.draw("licence", index)
	status := pickTerm(r, term{"存续", exchange.Valid, 0}, term{"在业", exchange.Valid, 300}, term{"歇业", exchange.Suspended, 10},
		term{"吊销", exchange.Revoked, 20}, term{"注销", exchange.Revoked, 35}, term{"迁出", exchange.Superseded, 5})
	kind := "N/A"
	switch {
	case f.sole:
		kind = "个体工商户"
	case chance(r, 0.3):
		kind = "有限责任公司(自然人投资或控股)"
	}
	return []paper{{
		Holding: Holding{Natural: f.code, Holders: []exchange.Holder{f.holder()}, Status: status.status},
		cells: []string{f.name, typed(r, f.code), f.founded.in(dashes), kind, f.head.name, capital(r), f.scope,
			"湖南", "株洲", c.words.address(r), status.word},
	}}
}

// foodLicences is the market supervision's file of food licences.
func foodLicences() register {
	return register{
		adapter: "scjg/food-licence", evidence: "food-licence",
		dialect: dialect{mark: true, delimiter: ',', newline: "\r\n"},
		columns: []column{{"许可证编号", needed}, {"经营者名称", needed}, {"社会信用代码(身份证号码)", number},
			{"法定代表人(负责人)", free}, {"主体业态", free}, {"经营项目", free}, {"经营场所", needed}, {"发证日期", date},
			{"有效期至", date}, {"许可状态", state}},
		company: foodLicence,
	}
}

func foodLicence(c *City, index int) []paper {
	f := c.firm(index)
	r := c.draw("food", index)
	share, form, items := 0.03, "集中用餐单位食堂", "热食类食品制售"
	switch f.trade {
	case "餐饮管理":
		share, form, items = 0.8, "餐饮服务经营者", "热食类食品制售、冷食类食品制售"
	case "食品", "贸易":
		share, form, items = 0.6, "食品销售经营者", "预包装食品销售、散装食品销售"
	}
	if !chance(r, share) {
		return nil
	}
	from := max(f.founded, c.today-day(r.IntN(6*365))) // valid for five years: some have run out
	until := from.years(5) - 1
	status := pickTerm(r, term{"有效", exchange.Valid, 0}, term{"暂扣", exchange.Suspended, 10},
		term{"吊销", exchange.Revoked, 15}, term{"注销", exchange.Revoked, 30})
	natural := "JY2430281" + serial(index, 7)
	return []paper{{
		Holding: Holding{Natural: natural, Holders: []exchange.Holder{f.holder()}, Status: status.status, From: from.date(), Until: until.date()},
		cells: []string{natural, f.name, typed(r, f.code), f.head.name, form, items, c.words.address(r), from.in(slashes),
			until.in(slashes), status.word},
	}}
}

// taxClearances is the tax office's file of certificates. It speaks for companies of the city only.
func taxClearances() register {
	return register{
		adapter: "swj/tax-clearance", evidence: "tax-clearance",
		dialect: dialect{delimiter: '\t', newline: "\r\n"},
		columns: []column{{"证明编号", needed}, {"纳税人识别号", number}, {"纳税人名称", needed}, {"查询截止日期", date},
			{"开具日期", date}, {"有效期至", date}, {"备注", free}, {"证明状态", state}},
		company: taxClearance,
	}
}

func taxClearance(c *City, index int) []paper {
	f := c.firm(index)
	r := c.draw("tax", index)
	if f.division != home || !chance(r, 0.6) {
		return nil
	}
	from := c.today - day(r.IntN(120)) // valid for three months: a quarter has run out
	until := from + 89
	status := pickTerm(r, term{"有效", exchange.Valid, 0}, term{"作废", exchange.Revoked, 20})
	natural := "430281" + from.in("06") + serial(index, 7)
	return []paper{{
		Holding: Holding{Natural: natural, Holders: []exchange.Holder{f.holder()}, Status: status.status, From: from.date(), Until: until.date()},
		cells: []string{natural, typed(r, f.code), f.name, (from - 1).in(packed), from.in(packed), until.in(packed),
			pick(r, []string{"", "", "网上开具"}), status.word},
	}}
}

// safetyLicences is the housing department's file of work safety licences.
func safetyLicences() register {
	return register{
		adapter: "zjj/construction-safety-licence", evidence: "construction-safety-licence",
		dialect: dialect{mark: true, delimiter: ',', newline: "\r\n"},
		columns: []column{{"许可证编号", needed}, {"单位名称", needed}, {"统一社会信用代码", number}, {"主要负责人", free},
			{"单位地址", free}, {"经济类型", free}, {"许可范围", needed}, {"发证日期", date}, {"有效期止", date}, {"状态", state}},
		company: safetyLicence,
	}
}

func safetyLicence(c *City, index int) []paper {
	f := c.firm(index)
	r := c.draw("safety", index)
	if licensed := chance(r, 0.9) || index == builder; f.trade != construction || f.sole || !licensed {
		return nil
	}
	from := max(f.founded, c.today-day(r.IntN(1300))) // valid for three years
	until := from.years(3) - 1
	status := pickTerm(r, term{"有效", exchange.Valid, 0}, term{"暂扣", exchange.Suspended, 25},
		term{"吊销", exchange.Revoked, 10})
	natural := "(湘)JZ安许证字〔" + from.in("2006") + "〕" + serial(index, 6)
	return []paper{{
		Holding: Holding{Natural: natural, Holders: []exchange.Holder{f.holder()}, Status: status.status, From: from.date(), Until: until.date()},
		cells: []string{natural, f.name, typed(r, f.code), f.head.name, c.words.address(r), "有限责任公司", "建筑施工",
			from.in(brief), until.in(brief), status.word},
	}}
}
