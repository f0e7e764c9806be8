package main

import (
	"io"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// table aligns cells in columns of a terminal, where a Chinese character takes two.
type table struct {
	head  []string
	rows  [][]string
	notes []string // beneath the row of the same index; empty: none
}

func (t *table) add(cells []string, note string) {
	for i := range cells {
		if cells[i] = plain(cells[i]); cells[i] == "" {
			cells[i] = "-"
		}
	}
	t.rows, t.notes = append(t.rows, cells), append(t.notes, plain(note))
}

// write draws the table; decorate may colour a heading, which must not change its width on the screen.
func (t *table) write(w io.Writer, decorate func(string) string) error {
	widths := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], columnsOf(cell))
		}
	}
	var b strings.Builder
	draw := func(row []string, decorate func(string) string) {
		for i, cell := range row {
			b.WriteString(decorate(cell))
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-columnsOf(cell)+2))
			}
		}
		b.WriteByte('\n')
	}
	draw(t.head, decorate)
	for i, row := range t.rows {
		draw(row, func(cell string) string { return cell })
		if t.notes[i] != "" {
			b.WriteString("  → " + t.notes[i] + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// columnsOf is how many columns of a terminal the text takes.
func columnsOf(text string) int {
	n := 0
	for _, r := range text {
		switch kind := width.LookupRune(r).Kind(); {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case kind == width.EastAsianWide || kind == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

// padded fills the text up to a width on the screen.
func padded(text string, columns int) string {
	return text + strings.Repeat(" ", max(0, columns-columnsOf(text)))
}

// plain takes out what would move a terminal's cursor or break a line: cells may come from anywhere.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, text)
}

// The colours used, as SGR parameters.
const (
	bold = "1"
	red  = "31"
)

// paint colours text on a terminal whose owner has not declined colours.
func (s *session) paint(terminal bool, colour, text string) string {
	if !terminal || s.noColour || s.env("NO_COLOR") != "" || s.env("TERM") == "dumb" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}
