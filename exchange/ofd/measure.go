package ofd

import (
	"fmt"
	"iter"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Measure is how long a line is. Characters of Chinese take a square, and those of ASCII somewhat more than the half that they take in
// the fonts of documents (宋体): readers that lack these have fonts whose capitals are wider. Marks that stand on others take nothing.
func Measure(says string, size float64) (length float64) {
	for _, r := range says {
		length += advance(r, size)
	}
	return length
}

func advance(r rune, size float64) float64 {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case square(r):
		return size
	case strings.ContainsRune("MWm@%", r):
		return size * 0.82
	case unicode.IsUpper(r):
		return size * 0.65
	}
	return size * 0.55
}

// square says whether a character takes a square.
func square(r rune) bool {
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth, width.EastAsianAmbiguous:
		return true
	}
	return false
}

// Wrap breaks a text into lines that are no longer than width: at the ends of its own lines, before words and numbers of ASCII unless
// those are long, else where there is no more room. No line begins with a mark that closes (避头). It breaks no further than it is asked.
func Wrap(says string, size, width float64) iter.Seq[string] {
	return func(yield func(string) bool) {
		for own := range strings.Lines(strings.ReplaceAll(says, "\r\n", "\n")) {
			for rest := plain(own); len(rest) > 0; {
				n := fitting(rest, size, width)
				if !yield(strings.TrimRight(string(rest[:n]), " ")) {
					return
				}
				rest = rest[n:]
			}
		}
	}
}

// fitting is how many characters stand on a line.
func fitting(rest []rune, size, width float64) int {
	length := 0.0
	for i, r := range rest {
		if length += advance(r, size); length <= width+size/1000 || i == 0 {
			continue
		}
		word := i
		for word > 0 && narrow(rest[word]) && narrow(rest[word-1]) {
			word--
		}
		switch {
		case r == ' ':
			return i + 1
		case word < i && word > i/2:
			return word
		case strings.ContainsRune(closing, r) && i > 1:
			return i - 1
		}
		return i
	}
	return len(rest)
}

const closing = "，。、；：？！）》」』】〕”’,.;:?!)]}%"

func narrow(r rune) bool { return r > ' ' && r < 0x2000 }

// mostMarks is how many marks stand on one character: of more, piled up, the neighbouring lines could not be read.
const mostMarks = 8

// plain leaves of a line what can be seen: what cannot, and what turns the direction of writing, is shown as something that is not known,
// so that two texts which look the same are the same.
func plain(line string) []rune {
	line = strings.TrimRight(line, "\n\r")
	all, marks := make([]rune, 0, utf8.RuneCountInString(line)), 0
	for _, r := range line {
		if marks++; !unicode.In(r, unicode.Mn, unicode.Me) {
			marks = 0
		}
		switch {
		case r == '\t':
			r = ' '
		case unseen(r), marks > mostMarks:
			r = unicode.ReplacementChar
		}
		all = append(all, r)
	}
	return all
}

// unseen says whether a character is none that people see: a control, a mark of direction, a joiner, a tag, a filler, or no character at
// all. Variation selectors are none of these: names are written with them.
func unseen(r rune) bool {
	return unicode.IsControl(r) || r == 0xFFFE || r == 0xFFFF ||
		unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point)
}

// placed is where a text stands, and at which height within that its base line is. The boundary is the whole page where it is turned,
// since what lies outside of one is not drawn.
func (t Text) placed() (boundary, matrix string, y float64) {
	if t.Angle == 0 {
		return box(t.X, t.Y-t.Size, Measure(t.Says, t.Size)+t.Size/4, t.Size*1.4), "", t.Size
	}
	sin, cos := math.Sincos(t.Angle * math.Pi / 180)
	return box(0, 0, Width, Height), fmt.Sprintf("%.6f %.6f %.6f %.6f %s %s", cos, -sin, sin, cos, number(t.X), number(t.Y)), 0
}

// advances are those between the glyphs of a line, runs of the same written as "g count advance".
func advances(says string, size float64) string {
	runes := []rune(says)
	var parts []string
	for i := 0; i < len(runes)-1; {
		same := i
		for same < len(runes)-1 && advance(runes[same], size) == advance(runes[i], size) {
			same++
		}
		length := number(advance(runes[i], size))
		if n := same - i; n > 1 {
			parts = append(parts, "g", strconv.Itoa(n), length)
		} else {
			parts = append(parts, length)
		}
		i = same
	}
	return strings.Join(parts, " ")
}
