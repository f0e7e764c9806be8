package schemas

import (
	"errors"
	"slices"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/identity"
)

// The formats of our own. A value must be in normal form, so that one number has one spelling.
const (
	formatCitizen  = "cn-citizen-number"
	formatCredit   = "cn-credit-code"
	formatHolder   = "cn-holder-number" // either of the two
	formatLicence  = "cn-licence-id"
	formatDivision = "cn-division"
)

// standardFormats are those of draft-07 that are checked alike by the validators we know.
func standardFormats() []string {
	return []string{"date", "date-time", "email", "hostname", "ipv4", "ipv6", "time", "uri"}
}

// ownFormats are the checks of our own formats by name. Values that are no strings are the business of "type".
func ownFormats() map[string]func(string) error {
	return map[string]func(string) error{
		formatCitizen: normal(func(s string) (string, error) {
			c, err := identity.ParseCitizen(s)
			return c.Number(), err
		}),
		formatCredit: normal(func(s string) (string, error) {
			c, err := identity.ParseCreditCode(s)
			return c.Number(), err
		}),
		formatHolder: normal(func(s string) (string, error) {
			h, err := identity.ParseHolder(s)
			return h.Number, err
		}),
		formatLicence: normal(func(s string) (string, error) {
			l, err := identity.ParseLicence(s)
			return l.Number(), err
		}),
		formatDivision: normal(func(s string) (string, error) {
			d, err := identity.ParseDivision(s)
			return string(d), err
		}),
	}
}

// knownFormats are the names a schema may use, sorted.
func knownFormats() []string {
	names := standardFormats()
	for name := range ownFormats() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// normal makes a check that accepts what parse accepts, in the spelling parse gives back.
func normal(parse func(string) (string, error)) func(string) error {
	return func(s string) error {
		spelling, err := parse(s)
		if err == nil && spelling != s {
			return errSpelling
		}
		return err
	}
}

var errSpelling = &exchange.Problem{Code: "YM-DOC-0201", Kind: exchange.Invalid,
	What: exchange.Text{ZH: "号码不是规范写法", EN: "number is not in its normal form"},
	Mend: exchange.Text{ZH: "去掉空格，用半角数字和大写字母；15 位旧号码换成 18 位", EN: "remove spaces, use ASCII digits and capital letters, turn 15-digit numbers into 18 digits"}}

// checkDate stands in for the validator's own check of dates, which parses a time for each; most records have five.
func checkDate(s string) error {
	if !isDate(s) {
		return errDate
	}
	return nil
}

var errDate = errors.New("no such day")

// isDate says whether s is a day that exists, written 2006-01-02.
func isDate(s string) bool {
	if len(s) != len(time.DateOnly) || s[4] != '-' || s[7] != '-' {
		return false
	}
	year, ok1 := digits(s[:4])
	month, ok2 := digits(s[5:7])
	day, ok3 := digits(s[8:])
	if !ok1 || !ok2 || !ok3 || month < 1 || month > 12 || day < 1 {
		return false
	}
	return day <= 28 || time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Day() == day
}

func digits(s string) (n int, ok bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = 10*n + int(s[i]-'0')
	}
	return n, true
}

func registerFormats(c *jsonschema.Compiler) {
	checks := ownFormats()
	checks["date"] = checkDate
	for name, check := range checks {
		c.RegisterFormat(&jsonschema.Format{Name: name, Validate: func(v any) error {
			if s, ok := v.(string); ok {
				return check(s)
			}
			return nil
		}})
	}
}

// formatTexts says what is wrong and how to mend it where a value is not of a format.
func formatTexts(name string, cause error) (what, mend exchange.Text) {
	var p *exchange.Problem
	if errors.As(cause, &p) {
		return p.What, p.Mend
	}
	what = exchange.Text{ZH: "不符合格式 " + name, EN: "is not of the format " + name}
	switch name {
	case "date":
		mend = exchange.Text{ZH: "写成 2006-01-02 的形式，并且是存在的日期", EN: "write it as 2006-01-02, a day that exists"}
	case "date-time":
		mend = exchange.Text{ZH: "写成 2006-01-02T15:04:05+08:00 的形式", EN: "write it as 2006-01-02T15:04:05+08:00"}
	case "time":
		mend = exchange.Text{ZH: "写成 15:04:05+08:00 的形式", EN: "write it as 15:04:05+08:00"}
	default:
		mend = exchange.Text{ZH: "按格式 " + name + " 改写", EN: "rewrite it in the format " + name}
	}
	return what, mend
}
