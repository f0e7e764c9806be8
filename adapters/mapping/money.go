package mapping

import (
	"slices"
	"strings"
)

// currencies are the names by which columns of money call them, longest first where one begins another.
var currencies = []struct{ name, code string }{
	{"人民币", "CNY"}, {"CNY", "CNY"}, {"RMB", "CNY"},
	{"新台币", "TWD"}, {"台币", "TWD"}, {"TWD", "TWD"},
	{"澳门元", "MOP"}, {"澳门币", "MOP"}, {"MOP", "MOP"},
	{"港币", "HKD"}, {"港元", "HKD"}, {"HKD", "HKD"}, {"HK$", "HKD"},
	{"美元", "USD"}, {"美金", "USD"}, {"USD", "USD"}, {"US$", "USD"},
	{"欧元", "EUR"}, {"EUR", "EUR"}, {"€", "EUR"},
	{"英镑", "GBP"}, {"GBP", "GBP"}, {"£", "GBP"},
	{"日元", "JPY"}, {"日圆", "JPY"}, {"JPY", "JPY"},
	{"韩元", "KRW"}, {"韩圆", "KRW"}, {"KRW", "KRW"},
	{"澳大利亚元", "AUD"}, {"澳元", "AUD"}, {"AUD", "AUD"},
	{"加拿大元", "CAD"}, {"加元", "CAD"}, {"CAD", "CAD"},
	{"新加坡元", "SGD"}, {"SGD", "SGD"},
	{"瑞士法郎", "CHF"}, {"CHF", "CHF"},
	{"¥", "CNY"},
}

// multipliers are powers of ten in the order in which they must be tried.
var multipliers = []struct {
	name  string
	power int
}{
	{"万亿", 12}, {"千亿", 11}, {"百亿", 10}, {"十亿", 9}, {"亿", 8}, {"億", 8},
	{"千万", 7}, {"百万", 6}, {"十万", 5}, {"万", 4}, {"萬", 4}, {"千", 3}, {"百", 2},
}

func isCurrency(s string) bool {
	return len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// moneyReader reads an amount and its currency, such as 500万人民币, 5,000(万元人民币) or ￥1,000,000.00. The amount is given
// in units of the currency, exactly. 元 alone is the unit of any currency and names none: without a currency in the text
// the declared one holds, and without that it is a fault.
func moneyReader(declared string) conversion {
	return func(s string) (any, *complaint) {
		amount, currency, wrong := readMoney(s)
		if wrong != nil {
			return nil, wrong
		}
		if currency == "" {
			currency = declared
		}
		if currency == "" {
			return nil, &complaint{"YM-MAP-0122", text("的金额没有写币种", "has an amount without a currency"),
				text("由部门在清单中用 currency 声明，例如 currency: CNY", "the department declares it in the manifest, such as currency: CNY")}
		}
		return map[string]any{"amount": amount, "currency": currency}, nil
	}
}

func readMoney(s string) (amount, currency string, wrong *complaint) {
	s = strings.ToUpper(narrow(s))
	before, rest := cutCurrency(s)
	rest = strings.TrimLeft(rest, " ")
	if strings.HasPrefix(rest, "-") || strings.HasPrefix(s, "-") || strings.HasPrefix(rest, "负") || strings.HasPrefix(s, "负") {
		return "", "", &complaint{"YM-MAP-0121", text("的金额是负数", "has a negative amount"), text("请对照原件核对", "compare it with the original")}
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != ',' && r != '.' })
	if end < 0 {
		end = len(rest)
	}
	whole, fraction, wrong := figure(rest[:end])
	if wrong != nil {
		if wrong.code == "YM-MAP-0112" {
			wrong = unreadableMoney()
		}
		return "", "", wrong
	}
	unit, ok := unbracketed(rest[end:])
	if !ok {
		return "", "", unreadableMoney()
	}
	power, after, ok := readUnit(unit)
	if !ok || before != "" && after != "" && before != after {
		return "", "", unreadableMoney()
	}
	if before == "" {
		before = after
	}
	return shift(whole, fraction, power), before, nil
}

func unreadableMoney() *complaint {
	return &complaint{"YM-MAP-0120", text("的金额不能识读", "has an amount that cannot be read"),
		text("应为 阿拉伯数字 + 万/亿（可无）+ 币种，例如 500万人民币、5,000(万元人民币)、￥1,000,000.00；没有金额的留空或用 absent 声明",
			"write digits, then 万 or 亿 if any, then the currency: 500万人民币, 5,000(万元人民币), ￥1,000,000.00; where there is no amount, leave it blank or declare the word with absent")}
}

// unbracketed joins what stands before and in the one pair of brackets that may end the text.
func unbracketed(s string) (string, bool) {
	s = strings.ReplaceAll(s, " ", "")
	outside, inside, open := strings.Cut(s, "(")
	if !open {
		return s, !strings.Contains(s, ")")
	}
	inside, closed := strings.CutSuffix(inside, ")")
	return outside + inside, closed && !strings.ContainsAny(inside, "()") && !strings.Contains(outside, ")") && inside != ""
}

// readUnit reads 万元人民币 and its like: a multiplier, the unit, the currency, each of which may be missing.
func readUnit(s string) (power int, currency string, ok bool) {
	for _, m := range multipliers {
		if rest, found := strings.CutPrefix(s, m.name); found {
			power, s = m.power, rest
			break
		}
	}
	if currency, s = cutCurrency(s); currency == "" {
		s = cutYuan(s)
		currency, s = cutCurrency(s)
	}
	s = strings.TrimSuffix(cutYuan(s), "整")
	return power, currency, s == ""
}

func cutYuan(s string) string {
	for _, unit := range []string{"元", "圆", "块"} {
		if rest, ok := strings.CutPrefix(s, unit); ok {
			return rest
		}
	}
	return s
}

func cutCurrency(s string) (code, rest string) {
	i := slices.IndexFunc(currencies, func(c struct{ name, code string }) bool { return strings.HasPrefix(s, c.name) })
	if i < 0 {
		return "", s
	}
	return currencies[i].code, s[len(currencies[i].name):]
}
