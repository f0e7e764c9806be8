package identity

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/onedoor/yimen/exchange"
)

// subject is what a text is meant to be; its name begins the errors.
type subject struct {
	exchange.Text
	dotted bool // dots are part of it
}

var (
	citizenNumber     = subject{Text: exchange.Text{ZH: "公民身份号码", EN: "citizen number"}}
	creditCodeSubject = subject{Text: exchange.Text{ZH: "统一社会信用代码", EN: "credit code"}}
	licenceID         = subject{Text: exchange.Text{ZH: "电子证照标识", EN: "licence identifier"}, dotted: true}
	divisionCode      = subject{Text: exchange.Text{ZH: "行政区划代码", EN: "division code"}}
	holderNumber      = subject{Text: exchange.Text{ZH: "持证主体代码", EN: "holder's number"}}
)

// normalise gives the number in ASCII digits and capitals (and dots where the subject has them), or says why it is not
// a number at all. A number that is normal already comes back as it is, without a copy.
func normalise(s string, of subject) (string, error) {
	if s != "" && isNormal(s, of) {
		return s, nil
	}
	var buffer [64]byte
	kept := buffer[:0]
	for _, r := range s {
		if r == utf8.RuneError { // bad bytes, or what a decoder left in their place
			return "", undecodable(of)
		}
		if unicode.IsSpace(r) {
			continue
		}
		c, ok := ascii(r)
		if !ok {
			return "", strangeCharacter(of, r, len(kept)+1)
		}
		kept = append(kept, c)
	}
	if len(kept) == 0 {
		return "", empty(of)
	}
	if !of.dotted && madeNumber(kept) {
		return "", spreadsheetNumber(of)
	}
	for i, c := range kept {
		if !normalByte(c, of) {
			return "", punctuation(of, rune(c), i+1)
		}
	}
	return string(kept), nil
}

func isNormal(s string, of subject) bool {
	for i := range len(s) {
		if !normalByte(s[i], of) {
			return false
		}
	}
	return true
}

func normalByte(c byte, of subject) bool {
	return isDigit(c) || 'A' <= c && c <= 'Z' || of.dotted && c == '.'
}

// ascii is the printable ASCII character that r stands for without doubt: itself, its capital, or the one whose
// full-width form it is.
func ascii(r rune) (byte, bool) {
	if '！' <= r && r <= '～' {
		r -= '！' - '!'
	}
	if 'a' <= r && r <= 'z' {
		r -= 'a' - 'A'
	}
	return byte(r), '!' <= r && r <= '~'
}

// madeNumber says whether a spreadsheet or a script has made a number of the digits: 4.30281E+17, or digits that
// end in ".0".
func madeNumber(b []byte) bool {
	mantissa, exponent, scientific := strings.Cut(string(b), "E")
	whole, fraction, point := strings.Cut(mantissa, ".")
	if whole == "" || !onlyDigits(whole) || !onlyDigits(fraction) {
		return false
	}
	if !scientific {
		return point && strings.Trim(fraction, "0") == ""
	}
	digits, plus := strings.CutPrefix(exponent, "+")
	return (plus || point) && digits != "" && onlyDigits(digits)
}

// strangeCharacter refuses a character outside ASCII with the hint that fits it.
func strangeCharacter(of subject, r rune, place int) error {
	switch {
	case strings.ContainsRune("‘’“”′″", r), unicode.Is(unicode.Pd, r), strings.ContainsRune("−、。·・•＿", r):
		return punctuation(of, r, place)
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Variation_Selector), strings.ContainsRune("\u034F\u115F\u1160\u3164\uFFA0", r):
		return invisible(of, place)
	case unicode.In(r, unicode.Cyrillic, unicode.Greek, unicode.Nd, unicode.Nl, unicode.No), strings.ContainsRune("×✕✖╳⨯〇○◯", r):
		return lookAlike(of, place)
	}
	return badCharacter(of, place)
}
