package tabular

import (
	"slices"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// gb18030 decodes GB 18030. The tables of x/text lack 2,067 of the two-byte codes (golang/go#81126) and give U+FFFD for them
// without an error; the missing ones are added here, as in index-gb18030.txt of the WHATWG Encoding Standard, which follows
// GB 18030-2022. A test compares the whole table with that file by a digest.
type gb18030 struct {
	two  [126 * 190]uint16 // by pointer; every two-byte code stands for something, if only for private use
	four *encoding.Decoder
}

// run is a row of neighbouring codes for a row of neighbouring characters.
type run struct {
	code  uint16
	count int
	first rune
}

// characters are the two-byte codes of characters that x/text lacks: since 2005 ḿ, since 2022 ten vertical forms and eight
// components, which had been private use.
var characters = []run{
	{0xA8BC, 1, 0x1E3F},
	{0xA6D9, 1, 0xFE10}, {0xA6DA, 1, 0xFE12}, {0xA6DB, 1, 0xFE11}, {0xA6DC, 4, 0xFE13}, {0xA6EC, 2, 0xFE17}, {0xA6F3, 1, 0xFE19},
	{0xFE59, 1, 0x9FB4}, {0xFE61, 1, 0x9FB5}, {0xFE66, 2, 0x9FB6}, {0xFE6D, 1, 0x9FB8}, {0xFE7E, 1, 0x9FB9}, {0xFE90, 1, 0x9FBA}, {0xFEA0, 1, 0x9FBB},
}

// privateRuns are the private-use codes outside the three user-defined areas.
var privateRuns = []run{
	{0xA2AB, 6, 0xE766}, {0xA2E4, 1, 0xE76D}, {0xA2EF, 2, 0xE76E}, {0xA2FD, 2, 0xE770}, {0xA4F4, 11, 0xE772}, {0xA5F7, 8, 0xE77D},
	{0xA6B9, 8, 0xE785}, {0xA6F6, 9, 0xE797}, {0xA7C2, 15, 0xE7A0}, {0xA7F2, 13, 0xE7AF}, {0xA896, 11, 0xE7BC}, {0xA8C1, 4, 0xE7C9},
	{0xA8EA, 21, 0xE7CD}, {0xA958, 1, 0xE7E2}, {0xA95B, 1, 0xE7E3}, {0xA95D, 3, 0xE7E4}, {0xA997, 13, 0xE7F4}, {0xA9F0, 15, 0xE801},
	{0xD7FA, 5, 0xE810}, {0xFE51, 3, 0xE816}, {0xFE6C, 1, 0xE831}, {0xFE76, 1, 0xE83B}, {0xFE91, 1, 0xE855},
}

// userAreas are the user-defined areas, lead byte by lead byte, each with so many codes from the trail byte on.
var userAreas = []struct {
	lead, last byte
	trail      byte
	count      int
	first      rune
}{
	{0xAA, 0xAF, 0xA1, 94, 0xE000},
	{0xF8, 0xFE, 0xA1, 94, 0xE234},
	{0xA1, 0xA7, 0x40, 96, 0xE4C6},
}

func newGB18030() *gb18030 {
	g := &gb18030{four: simplifiedchinese.GB18030.NewDecoder()}
	for p := range g.two {
		lead, trail := bytesOf(p)
		var decoded [8]byte
		n, _, err := g.four.Transform(decoded[:], []byte{lead, trail}, true)
		r, size := utf8.DecodeRune(decoded[:n])
		if err == nil && size == n && r != utf8.RuneError {
			g.two[p] = uint16(r)
		}
	}
	for _, area := range userAreas {
		for lead := area.lead; lead <= area.last; lead++ {
			g.fill(run{uint16(lead)<<8 | uint16(area.trail), area.count, area.first + rune(lead-area.lead)*rune(area.count)})
		}
	}
	for _, r := range slices.Concat(characters, privateRuns) {
		g.fill(r)
	}
	return g
}

// fill sets what x/text left open.
func (g *gb18030) fill(r run) {
	p := pointer(byte(r.code>>8), byte(r.code))
	for i := range r.count {
		if g.two[p+i] == 0 {
			g.two[p+i] = uint16(r.first) + uint16(i)
		}
	}
}

// pointer is the place of a two-byte code in the table.
func pointer(lead, trail byte) int {
	p := int(lead-0x81)*190 + int(trail) - 0x40
	if trail > 0x7f {
		p--
	}
	return p
}

func bytesOf(p int) (lead, trail byte) {
	lead, trail = 0x81+byte(p/190), 0x40+byte(p%190)
	if trail >= 0x7f {
		trail++
	}
	return lead, trail
}

// decode reads the first character of src, which is not ASCII. Size 0 asks for more bytes. Where no character stands for
// the bytes it gives undecodable and how many of them to pass over, never an ASCII byte, which may be a delimiter.
func (g *gb18030) decode(src []byte, atEOF bool) (r rune, size int) {
	if src[0] == 0x80 || src[0] == 0xff {
		return undecodable, 1
	}
	if len(src) < 2 {
		return needMore(atEOF)
	}
	switch second := src[1]; {
	case second >= 0x40 && second != 0x7f && second != 0xff:
		if r := g.two[pointer(src[0], second)]; r != 0 {
			return rune(r), 2
		}
		return undecodable, 2
	case second < 0x30 || second > 0x39:
		return undecodable, 1
	}
	if len(src) < 4 && (len(src) < 3 || isLead(src[2])) {
		return needMore(atEOF)
	}
	if !isLead(src[2]) || src[3] < 0x30 || src[3] > 0x39 {
		return undecodable, 1
	}
	var decoded [16]byte
	n, _, err := g.four.Transform(decoded[:], src[:4], true)
	if r, size := utf8.DecodeRune(decoded[:n]); err == nil && size == n {
		return r, 4
	}
	return undecodable, 4
}

func isLead(b byte) bool { return b >= 0x81 && b <= 0xfe }

func needMore(atEOF bool) (rune, int) {
	if atEOF {
		return undecodable, 1
	}
	return 0, 0
}

// code is the two-byte code of a character, 0 where it has none.
func (g *gb18030) code(r rune) int {
	for p, is := range g.two {
		if rune(is) == r {
			lead, trail := bytesOf(p)
			return int(lead)<<8 | int(trail)
		}
	}
	return 0
}
