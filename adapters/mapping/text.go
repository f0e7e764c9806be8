package mapping

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// blank says whether r shows nothing: white space, U+3000 included, and what has no width.
func blank(r rune) bool {
	return unicode.IsSpace(r) || r == '\u200b' || r == '\u2060' || r == '\ufeff'
}

// trim takes blanks off both ends.
func trim(s string) string {
	if s == "" || inked(s[0]) && inked(s[len(s)-1]) {
		return s
	}
	return strings.TrimFunc(s, blank)
}

// inked says that a byte at either end of a text is no part of a blank.
func inked(b byte) bool { return b > ' ' && b < 0x7f }

// normal is the text in Unicode's form NFC, so that the same word is the same bytes. Nothing else changes: full-width
// letters, and the middle dot in names (·), stay as they are.
func normal(s string) string {
	for _, r := range s {
		// Letters before U+0300 and the common ideographs are NFC on their own.
		if r >= 0x300 && (r < 0x3001 || r > 0x3029) && (r < 0x4e00 || r > 0x9fff) && (r < 0xff01 || r > 0xff5e) || r == utf8.RuneError {
			return norm.NFC.String(s)
		}
	}
	return s
}

// narrow gives the ASCII forms of full-width letters, digits, brackets and signs.
func narrow(s string) string {
	for i := range len(s) {
		// Every full-width form begins with EF, and the ideographic space with E3.
		if s[i] == 0xef || s[i] == 0xe3 {
			return strings.TrimFunc(width.Fold.String(s), blank)
		}
	}
	return s
}

// unarmoured takes off what keeps Excel from making a quantity of a number: ="…", an apostrophe, a tab.
func unarmoured(s string) string {
	s = strings.TrimLeft(trim(s), "'\t‘’＇")
	if inner, ok := strings.CutPrefix(s, `="`); ok {
		if inner, ok := strings.CutSuffix(inner, `"`); ok {
			return trim(inner)
		}
	}
	return s
}
