package gate

import (
	"errors"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/identity"
)

// The formats of our own, as a schema names them. A value must be in normal form, so that one number has one spelling.
const (
	FormatCitizen  = "cn-citizen-number"
	FormatCredit   = "cn-credit-code"
	FormatHolder   = "cn-holder-number" // either of the two
	FormatLicence  = "cn-licence-id"
	FormatDivision = "cn-division"
)

// standardFormats are those of draft-07 that are checked alike by the validators we know.
func standardFormats() []string {
	return []string{"date", "date-time", "email", "hostname", "ipv4", "ipv6", "time", "uri"}
}

// ownFormats are the checks of our own formats by name. Values that are no strings are the business of "type".
func ownFormats() map[string]func(string) error {
	return map[string]func(string) error{
		FormatCitizen: normal(func(s string) (string, error) {
			c, err := identity.ParseCitizen(s)
			return c.Number(), err
		}),
		FormatCredit: normal(func(s string) (string, error) {
			c, err := identity.ParseCreditCode(s)
			return c.Number(), err
		}),
		FormatHolder: normal(func(s string) (string, error) {
			h, err := identity.ParseHolder(s)
			return h.Number, err
		}),
		FormatLicence: normal(func(s string) (string, error) {
			l, err := identity.ParseLicence(s)
			return l.Number(), err
		}),
		FormatDivision: normal(func(s string) (string, error) {
			d, err := identity.ParseDivision(s)
			return string(d), err
		}),
	}
}

// Formats are the names of the formats that are checked alike by the validators we know, our own among them, sorted.
func Formats() []string {
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
	if !IsDate(s) {
		return errDate
	}
	return nil
}

// checkIPv4 stands in for the validator's own check, which takes signs.
func checkIPv4(s string) error {
	if a, err := netip.ParseAddr(s); err != nil || !a.Is4() {
		return errors.New("no IPv4 address")
	}
	return nil
}

// checkURI stands in for the validator's own check, which takes characters that must be escaped.
func checkURI(s string) error {
	u, err := url.Parse(s)
	if err != nil || !u.IsAbs() {
		return errors.New("no URI")
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"<>\^`+"`{|}", c) >= 0 {
			return errors.New("a URI has a character that must be escaped")
		}
	}
	if strings.ContainsAny(u.EscapedPath()+u.RawQuery+u.EscapedFragment(), "[]") {
		return errors.New("a URI has brackets outside its host")
	}
	return nil
}

// checkHostname stands in for the validator's own check, which takes a dot at the end. What a name in Punycode (xn--)
// stands for is not looked at.
func checkHostname(s string) error {
	if len(s) > 253 {
		return errHostname
	}
	for label := range strings.SplitSeq(s, ".") {
		foreign := len(label) > 3 && label[2:4] == "--" && !strings.EqualFold(label[:2], "xn")
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || foreign {
			return errHostname
		}
		for _, c := range []byte(label) {
			if c != '-' && !letter(c) && (c < '0' || c > '9') {
				return errHostname
			}
		}
	}
	return nil
}

var errHostname = errors.New("no host name")

// checkEmail stands in for the validator's own check, which takes an address without a name before the @.
func checkEmail(s string) error {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > 64 {
		return errEmail
	}
	local, domain := s[:at], s[at+1:]
	if a, err := mail.ParseAddress(local + "@example.org"); err != nil || a.Name != "" || strings.ContainsAny(local, "<>") && local[0] != '"' {
		return errEmail
	}
	if literal, ok := strings.CutPrefix(domain, "["); ok {
		literal, closed := strings.CutSuffix(literal, "]")
		six, tagged := strings.CutPrefix(literal, "IPv6:")
		if a, err := netip.ParseAddr(six); !closed || err != nil || a.Is4() == tagged {
			return errEmail
		}
		return nil
	}
	return checkHostname(domain)
}

var errEmail = errors.New("no mail address")

var errDate = errors.New("no such day")

// IsDate says whether s is a day that exists, written 2006-01-02.
func IsDate(s string) bool {
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
	checks["ipv4"] = checkIPv4
	checks["uri"] = checkURI
	checks["email"] = checkEmail
	checks["hostname"] = checkHostname
	for name, check := range checks {
		c.RegisterFormat(&jsonschema.Format{Name: name, Validate: func(v any) error {
			if s, ok := v.(string); ok {
				return check(s)
			}
			return nil
		}})
	}
}

// ignoreFormats leaves every format unchecked.
func ignoreFormats(c *jsonschema.Compiler) {
	for _, name := range append(Formats(), "idn-email", "idn-hostname", "iri", "iri-reference", "uri-reference", "uri-template", "json-pointer", "relative-json-pointer", "duration", "period", "semver", "uuid", "uri") {
		c.RegisterFormat(&jsonschema.Format{Name: name, Validate: func(any) error { return nil }})
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
