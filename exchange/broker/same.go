package broker

import (
	"bytes"
	"encoding/json"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/onedoor/yimen/exchange/identity"
)

// same says whether two JSON values mean the same to people who fill in forms: dates however written, numbers by their exact
// value, text without regard to width, spaces and letter case, numbers of persons and organisations through package identity.
// A missing value is the same as none.
func same(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, y := decoded(a), decoded(b)
	return x != nil && y != nil && alike(x, y)
}

func decoded(raw json.RawMessage) (v any) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}

func alike(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && len(x) == len(y) && !slices.ContainsFunc(keys(x), func(k string) bool { v, has := y[k]; return !has || !alike(x[k], v) })
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, alike)
	case bool, nil:
		return a == b
	}
	s, t := spelling(a), spelling(b)
	return s != "" && t != "" && (s == t || sameNumber(s, t) || sameDay(s, t) || samePerson(s, t) || sameOrganisation(s, t))
}

func keys(m map[string]any) []string {
	all := make([]string, 0, len(m))
	for k := range m {
		all = append(all, k)
	}
	return all
}

// spelling is a text or a number in one spelling, "" for anything else.
func spelling(v any) string {
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case json.Number:
		s = v.String()
	}
	return strings.Map(func(r rune) rune {
		switch {
		case '！' <= r && r <= '～':
			r -= '！' - '!'
		case unicode.IsSpace(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return unicode.ToUpper(r)
	}, norm.NFC.String(s))
}

// decimal is a number as JSON writes it. Leading zeros make a text of it: licence 007 is not licence 7.
var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?(E[+-]?[0-9]{1,2})?$`)

func sameNumber(a, b string) bool {
	if !decimal.MatchString(a) || !decimal.MatchString(b) {
		return false
	}
	x, readX := new(big.Rat).SetString(a)
	y, readY := new(big.Rat).SetString(b)
	return readX && readY && x.Cmp(y) == 0
}

// layouts are the ways people write a day; Go's 1 and 2 also read two digits.
var layouts = []string{"2006-1-2", "2006/1/2", "2006.1.2", "2006年1月2日", "20060102"}

func day(s string) (time.Time, bool) {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func sameDay(a, b string) bool {
	x, ok := day(a)
	y, also := day(b)
	return ok && also && x.Equal(y)
}

// samePerson compares citizen numbers, of which the old form with 15 digits is an alias.
func samePerson(a, b string) bool {
	x, err := identity.ParseCitizen(a)
	y, other := identity.ParseCitizen(b)
	return err == nil && other == nil && x.Number() == y.Number()
}

// sameOrganisation compares credit codes, in which the old organisation code (组织机构代码) of nine characters stands.
func sameOrganisation(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	x, err := identity.ParseCreditCode(a)
	return err == nil && len(b) >= 9 && x.OrganisationCode() == strings.ReplaceAll(b, "-", "")
}
