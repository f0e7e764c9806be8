package opinion

import (
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/xeipuuv/gojsonschema"

	"github.com/onedoor/yimen/exchange/identity"
)

// addFormats gives the validator the formats of evidence, and replaces those of its own that are too loose to be compared.
// The list of formats is the library's one global; it is changed in the child only.
func addFormats() {
	for name, check := range map[string]check{
		"cn-citizen-number": normal(func(s string) (string, error) { c, err := identity.ParseCitizen(s); return c.Number(), err }),
		"cn-credit-code":    normal(func(s string) (string, error) { c, err := identity.ParseCreditCode(s); return c.Number(), err }),
		"cn-holder-number":  normal(func(s string) (string, error) { h, err := identity.ParseHolder(s); return h.Number, err }),
		"cn-licence-id":     normal(func(s string) (string, error) { l, err := identity.ParseLicence(s); return l.Number(), err }),
		"cn-division":       normal(func(s string) (string, error) { d, err := identity.ParseDivision(s); return string(d), err }),
		"date":              func(s string) bool { _, err := time.Parse(time.DateOnly, s); return err == nil },
		"date-time":         isDateTime,
		"time":              func(s string) bool { return isTime(s, "2006-01-02T") },
		"email":             isEmail,
		"hostname":          isHostname,
		"ipv4":              func(s string) bool { a, err := netip.ParseAddr(s); return err == nil && a.Is4() },
		"ipv6":              func(s string) bool { a, err := netip.ParseAddr(s); return err == nil && a.Is6() && a.Zone() == "" },
		"uri":               isURI,
	} {
		gojsonschema.FormatCheckers.Add(name, check)
	}
	for name, loose := range map[string]gojsonschema.FormatChecker{ // these would refuse every number
		"idn-email":             gojsonschema.EmailFormatChecker{},
		"iri":                   gojsonschema.URIFormatChecker{},
		"iri-reference":         gojsonschema.URIReferenceFormatChecker{},
		"uri-reference":         gojsonschema.URIReferenceFormatChecker{},
		"uri-template":          gojsonschema.URITemplateFormatChecker{},
		"uuid":                  gojsonschema.UUIDFormatChecker{},
		"regex":                 gojsonschema.RegexFormatChecker{},
		"json-pointer":          gojsonschema.JSONPointerFormatChecker{},
		"relative-json-pointer": gojsonschema.RelativeJSONPointerFormatChecker{},
	} {
		gojsonschema.FormatCheckers.Add(name, check(func(s string) bool { return loose.IsFormat(s) }))
	}
}

// check judges strings; values of other types are the business of "type".
type check func(string) bool

// IsFormat makes it a format of the library.
func (c check) IsFormat(v any) bool {
	s, ok := v.(string)
	return !ok || c(s)
}

// normal makes a check that accepts what parse accepts, in the spelling that parse gives back.
func normal(parse func(string) (string, error)) check {
	return func(s string) bool {
		spelling, err := parse(s)
		return err == nil && spelling == s
	}
}

var timeForm = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`)

func isDateTime(s string) bool {
	if len(s) < len("2006-01-02T") || s[10] != 'T' && s[10] != 't' {
		return false
	}
	_, err := time.Parse(time.DateOnly, s[:10])
	return err == nil && isTime(s[11:], s[:10]+"T")
}

// isTime says whether s is a time of day with its zone. A leap second is the last of a day in UTC.
func isTime(s, day string) bool {
	if !timeForm.MatchString(s) {
		return false
	}
	if s[6:8] != "60" {
		return true
	}
	at, err := time.Parse(time.RFC3339Nano, strings.ToUpper(day+s[:6]+"59"+s[8:]))
	return err == nil && at.UTC().Format("15:04") == "23:59"
}

func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Name != "" || a.Address != s || len(s) > 254 {
		return false
	}
	at := strings.LastIndexByte(s, '@')
	return at <= 64 && isASCII(s) && isHostname(s[at+1:])
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

var label = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

func isHostname(s string) bool {
	s = strings.TrimSuffix(s, ".")
	for _, part := range strings.Split(s, ".") {
		if !label.MatchString(part) {
			return false
		}
	}
	return len(s) <= 253
}

func isURI(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.IsAbs() && !strings.Contains(s, `\`)
}
