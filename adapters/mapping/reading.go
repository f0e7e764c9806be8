package mapping

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/identity"
)

// readings are the ways of reading a text that need no settings.
var readings = map[string]conversion{
	"":     readText,
	"text": readText,
	"line": readLine,
	"citizen-number": func(s string) (any, *complaint) {
		n, err := identity.ParseCitizen(unarmoured(s))
		return number(n.Number, err)
	},
	"credit-code": func(s string) (any, *complaint) {
		n, err := identity.ParseCreditCode(unarmoured(s))
		return number(n.Number, err)
	},
	"licence-id": func(s string) (any, *complaint) {
		n, err := identity.ParseLicence(unarmoured(s))
		return number(n.Number, err)
	},
	"holder-number": func(s string) (any, *complaint) {
		h, err := identity.ParseHolder(unarmoured(s))
		return number(func() string { return h.Number }, err)
	},
	"decimal": func(s string) (any, *complaint) {
		d, wrong := readDecimal(s)
		return orNothing(d, wrong)
	},
	"number": func(s string) (any, *complaint) {
		d, wrong := readDecimal(s)
		return orNothing(json.Number(d), wrong)
	},
	"integer": readInteger,
	"boolean": readBoolean,
}

func orNothing[T any](value T, wrong *complaint) (any, *complaint) {
	if wrong != nil {
		return nil, wrong
	}
	return value, nil
}

func number(n func() string, err error) (any, *complaint) {
	if err == nil {
		return n(), nil
	}
	if p, ok := err.(*exchange.Problem); ok {
		return nil, fromProblem(p)
	}
	return nil, &complaint{"YM-MAP-0110", text("的号码不能识读", "holds a number that cannot be read"), text("请对照原件核对", "compare it with the original")}
}

// conversion is the way of reading that the rule asks for.
func (c *compiler) conversion(pointer string, r *Rule) conversion {
	if r.Currency != "" && r.As != "money" {
		c.wrong(pointer, "YM-MAP-0207", text("currency 只与 as: money 同用", "currency goes with as: money only"), text("删去 currency", "leave currency out"))
	}
	if r.Open && r.As != "date" {
		c.wrong(pointer, "YM-MAP-0207", text("open 只与 as: date 同用", "open goes with as: date only"), text("删去 open", "leave open out"))
	}
	if r.Table != nil {
		return c.table(pointer, r)
	}
	if r.Otherwise != nil {
		c.wrong(pointer, "YM-MAP-0207", text("otherwise 只与 table 同用", "otherwise goes with table only"), text("删去 otherwise", "leave otherwise out"))
	}
	switch r.As {
	case "money":
		return c.money(pointer, r.Currency)
	case "date":
		return dateReader(r.Open)
	}
	if read, ok := readings[r.As]; ok {
		return read
	}
	known := append(slices.Sorted(maps.Keys(readings))[1:], "date", "money")
	slices.Sort(known)
	c.wrong(pointer, "YM-MAP-0211", text("不认识的读法 as: %s", "knows no as: %s", r.As),
		text("可用：%s", "there are: %s", strings.Join(known, ", ")))
	return readText
}

func (c *compiler) money(pointer, currency string) conversion {
	if currency != "" && !isCurrency(currency) {
		c.wrong(pointer, "YM-MAP-0212", text("currency 应为三个大写字母", "currency must be three capitals"), text("例如 CNY（人民币）、USD（美元）、HKD（港币）", "such as CNY, USD, HKD"))
	}
	return moneyReader(currency)
}

func (c *compiler) table(pointer string, r *Rule) conversion {
	if r.As != "" && r.As != "text" && r.As != "boolean" {
		c.wrong(pointer, "YM-MAP-0213", text("table 不与 as: %s 同用", "has a table and as: %s", r.As), text("二者留一", "leave one of them"))
	}
	if len(r.Table) == 0 {
		c.wrong(pointer, "YM-MAP-0213", text("table 是空的", "has an empty table"), text("写入 代码: 值", "write code: value into it"))
	}
	to := make(map[string]any, len(r.Table))
	for code, value := range r.Table {
		value = c.scalar(pointer, "table", value)
		if _, isBool := value.(bool); r.As == "boolean" && !isBool {
			c.wrong(pointer, "YM-MAP-0213", text("as: boolean 的 table 只能对应 true 或 false", "has something else than true and false in a boolean's table"), text("例如 table: {是: true, 否: false}", "such as table: {是: true, 否: false}"))
		}
		to[normal(trim(code))] = value
	}
	var otherwise any
	if r.Otherwise != nil {
		otherwise = c.scalar(pointer, "otherwise", r.Otherwise)
	}
	return func(s string) (any, *complaint) {
		if value, ok := to[normal(s)]; ok {
			return value, nil
		}
		if otherwise != nil {
			return otherwise, nil
		}
		return nil, unknownCode()
	}
}

// scalar is a value of the manifest as gate.Decode would give it.
func (c *compiler) scalar(pointer, key string, value any) any {
	switch v := value.(type) {
	case string:
		if v = trim(v); v != "" {
			return normal(v)
		}
	case bool:
		return v
	case int, int64, uint64:
		return json.Number(fmt.Sprint(v))
	case json.Number:
		return v
	case float64:
		return json.Number(strconv.FormatFloat(v, 'f', -1, 64))
	}
	c.wrong(pointer, "YM-MAP-0214", text("%s 应为文字、数字或 true/false", "%s must be text, a number, or true or false", key), text("日期等请加引号", "put quotes around dates and the like"))
	return ""
}

func readText(s string) (any, *complaint) { return normal(s), nil }

func readLine(s string) (any, *complaint) {
	return normal(strings.Join(strings.FieldsFunc(s, blank), " ")), nil
}

func readBoolean(s string) (any, *complaint) {
	switch strings.ToLower(narrow(s)) {
	case "是", "true", "1", "y", "yes":
		return true, nil
	case "否", "false", "0", "n", "no":
		return false, nil
	}
	return nil, &complaint{"YM-MAP-0111", text("不是“是”或“否”", "says neither yes nor no"),
		text("认得 是/否、true/false、1/0、Y/N；别的写法用 table 声明，例如 table: {有: true, 无: false}", "是/否, true/false, 1/0 and Y/N are known; declare others with a table, such as table: {有: true, 无: false}")}
}

func readInteger(s string) (any, *complaint) {
	d, wrong := readDecimal(s)
	if wrong != nil {
		return nil, wrong
	}
	if strings.Contains(d, ".") {
		return nil, &complaint{"YM-MAP-0113", text("不是整数", "is not a whole number"), text("确有小数的，用 as: number 或 as: decimal", "where it has fractions, read it as: number or as: decimal")}
	}
	return json.Number(d), nil
}

// maxFigure is how many digits a figure may have: more is no figure of a certificate, and the document gate would refuse it.
const maxFigure = 30

// readDecimal reads a figure into its one shortest form, without grouping.
func readDecimal(s string) (string, *complaint) {
	s = narrow(s)
	digits, minus := strings.CutPrefix(s, "-")
	whole, fraction, wrong := figure(digits)
	if wrong != nil {
		return "", wrong
	}
	if len(whole) > 1 && whole[0] == '0' {
		return "", &complaint{"YM-MAP-0114", text("的数字以 0 开头，像是编号", "has a figure that begins with 0, like a serial number"), text("编号用 as: text 读", "read serial numbers as: text")}
	}
	d := shift(whole, fraction, 0)
	if minus && d != "0" {
		d = "-" + d
	}
	return d, nil
}

// figure takes apart 1,234.50 into 1234 and 50.
func figure(s string) (whole, fraction string, wrong *complaint) {
	whole, fraction, point := strings.Cut(s, ".")
	if strings.Contains(whole, ",") {
		if whole, wrong = ungrouped(whole); wrong != nil {
			return "", "", wrong
		}
	}
	if whole == "" || !digitsOnly(whole) || !digitsOnly(fraction) || point && fraction == "" {
		return "", "", &complaint{"YM-MAP-0112", text("不是数字", "does not hold a figure"), text("请只填阿拉伯数字，单位与说明放到别的栏", "put digits alone into it, and units and remarks elsewhere")}
	}
	if len(whole)+len(fraction) > maxFigure {
		return "", "", &complaint{"YM-MAP-0115", text("的数字超过 %d 位", "has a figure of more than %d digits", maxFigure), text("请对照原件核对", "compare it with the original")}
	}
	return whole, fraction, nil
}

// ungrouped removes commas that stand where thousands end, and nowhere else: 5,00 is 500, 5.00 or a slip of the pen.
func ungrouped(s string) (string, *complaint) {
	groups := strings.Split(s, ",")
	ok := groups[0] != "" && len(groups[0]) <= 3 && groups[0][0] != '0'
	for _, group := range groups[1:] {
		ok = ok && len(group) == 3
	}
	if !ok {
		return "", &complaint{"YM-MAP-0116", text("的千位分隔符位置不对", "has a comma where no thousands end"),
			text("逗号只能每三位一个（1,234,567）；小数点请用 .", "commas stand before every third digit (1,234,567); a decimal point is .")}
	}
	return strings.Join(groups, ""), nil
}

// shift moves the decimal point right by places and gives the shortest form. No floating point has a part in it.
func shift(whole, fraction string, places int) string {
	if len(fraction) < places {
		fraction += strings.Repeat("0", places-len(fraction))
	}
	whole, fraction = strings.TrimLeft(whole+fraction[:places], "0"), strings.TrimRight(fraction[places:], "0")
	if whole == "" {
		whole = "0"
	}
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}

func digitsOnly(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
