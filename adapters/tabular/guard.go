package tabular

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

// undecodable stands in the guard's output for bytes that no character stands for. It is a noncharacter of Unicode, which text
// may not hold; where the input has it all the same, it means the same.
const undecodable = '\uFFFE'

// maxRow is how many bytes one row may have. More is no row of a certificate but a quote that was never closed, and must not
// fill the memory.
const maxRow = 4 << 20

// The byte order mark in the two encodings: it says nothing and is passed over.
const (
	markUTF8    = "\xef\xbb\xbf"
	markGB18030 = "\x84\x31\x95\x33"
)

var errRowTooLong = errors.New("row too long")

// guard turns a file into UTF-8 and notes whether there was anything in it that is no sound text. It hands such things on,
// marked, so that the row they stand in can be told.
type guard struct {
	src     io.Reader
	gb      *gb18030 // nil: the input is UTF-8
	glyphs  map[rune]string
	strange bool // something was not sound text, so rows must be looked at
	begun   bool

	in   []byte // read and not decoded
	out  []byte // decoded and not handed on
	next int    // in out
	err  error
	room int // bytes that may be handed on before the row must have ended
}

func newGuard(src io.Reader, gb *gb18030, glyphs map[rune]string) *guard {
	return &guard{src: src, gb: gb, glyphs: glyphs, in: make([]byte, 0, 64<<10), room: maxRow}
}

// rowEnded says that a row was read, and the next may be as long again.
func (g *guard) rowEnded() { g.room = maxRow }

// Read hands on UTF-8.
func (g *guard) Read(p []byte) (int, error) {
	for g.next == len(g.out) {
		if g.err != nil {
			return 0, g.err
		}
		g.fill()
	}
	if g.room <= 0 {
		return 0, errRowTooLong
	}
	n := copy(p, g.out[g.next:])
	g.next += n
	g.room -= n
	return n, nil
}

func (g *guard) fill() {
	n, err := g.src.Read(g.in[len(g.in):cap(g.in)])
	g.in = g.in[:len(g.in)+n]
	g.err = err
	if !g.begun && len(g.in) < len(markGB18030) && err == nil {
		return // a byte order mark may be coming
	}
	g.out, g.next = g.out[:0], 0
	if !g.begun {
		g.begun = true
		g.in = g.in[:copy(g.in, bytes.TrimPrefix(g.in, g.mark()))]
	}
	var used int
	if g.gb != nil {
		used = g.fromGB18030(g.in, err != nil)
	} else {
		used = g.fromUTF8(g.in, err != nil)
	}
	g.in = g.in[:copy(g.in, g.in[used:])]
}

func (g *guard) mark() []byte {
	if g.gb != nil {
		return []byte(markGB18030)
	}
	return []byte(markUTF8)
}

func (g *guard) fromUTF8(src []byte, atEOF bool) (used int) {
	copied := 0
	for used < len(src) {
		if b := src[used]; b < utf8.RuneSelf {
			g.strange = g.strange || isControl(b)
			used++
			continue
		}
		if !atEOF && !utf8.FullRune(src[used:]) {
			break
		}
		r, size := utf8.DecodeRune(src[used:])
		if r == utf8.RuneError && size == 1 {
			r = undecodable
		}
		// Most characters are sound, and are copied together.
		if r < 0x4e00 || r > 0x9fff {
			if replaced := g.replace(r); replaced != nil {
				g.out = append(append(g.out, src[copied:used]...), replaced...)
				copied = used + size
			}
		}
		used += size
	}
	g.out = append(g.out, src[copied:used]...)
	return used
}

func (g *guard) fromGB18030(src []byte, atEOF bool) (used int) {
	for used < len(src) {
		if b := src[used]; b < utf8.RuneSelf {
			g.strange = g.strange || isControl(b)
			g.out = append(g.out, b)
			used++
			continue
		}
		r, size := g.gb.decode(src[used:], atEOF)
		if size == 0 {
			break
		}
		used += size
		if r >= 0x4e00 && r <= 0x9fff {
			g.out = append(g.out, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f)
		} else if replaced := g.replace(r); replaced != nil {
			g.out = append(g.out, replaced...)
		} else {
			g.out = utf8.AppendRune(g.out, r)
		}
	}
	return used
}

// replace is what must stand in the output instead of r, nil where it stays. It notes what is no sound text.
func (g *guard) replace(r rune) []byte {
	if glyph, ok := g.glyphs[r]; ok {
		return []byte(glyph)
	}
	if flawOf(r) != sound {
		g.strange = true
		if r == undecodable {
			return utf8.AppendRune(nil, undecodable)
		}
	}
	return nil
}

// flaw is what is wrong with a character.
type flaw int

const (
	sound       flaw = iota
	noCharacter      // bytes that no character stands for, or a code that Unicode keeps free of characters
	destroyed        // U+FFFD: somebody before us could not read it
	private          // private use: means something in the department's own font only
	control          // a control character, such as NUL
)

func isControl(b byte) bool {
	return b < ' ' && b != '\t' && b != '\n' && b != '\r' || b == 0x7f
}

func flawOf(r rune) flaw {
	switch {
	case r >= 0x4e00 && r <= 0x9fff:
		return sound
	case r < 0x80:
		if isControl(byte(r)) {
			return control
		}
		return sound
	case r < 0xa0:
		return control
	case r < 0xe000:
		return sound
	case r == utf8.RuneError:
		return destroyed
	case r&0xfffe == 0xfffe, r >= 0xfdd0 && r <= 0xfdef:
		return noCharacter
	case unicode.Is(unicode.Co, r):
		return private
	}
	return sound
}

// glyphs takes the table of the manifest, U+E000: 㼆, whose form it has checked.
func glyphs(table map[string]string) map[rune]string {
	by := make(map[rune]string, len(table))
	for code, glyph := range table {
		var r rune
		if _, err := fmt.Sscanf(code, "U+%X", &r); err == nil {
			by[r] = glyph
		}
	}
	return by
}
