package schemas

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// offsets are the bytes at which the members and elements of a text stand, by their pointers; a member's is its name's.
// A text that is no JSON is read as far as it goes.
func offsets(text []byte) map[string]int {
	at := map[string]int{}
	d := jsontext.NewDecoder(bytes.NewReader(text))
	for {
		before := d.InputOffset()
		if _, err := d.ReadToken(); err != nil {
			return at
		}
		pointer := string(d.StackPointer())
		if _, seen := at[pointer]; !seen {
			at[pointer] = start(text, int(before))
		}
	}
}

// start is where the next token begins.
func start(text []byte, from int) int {
	for from < len(text) && strings.IndexByte(" \t\r\n,:", text[from]) >= 0 {
		from++
	}
	return from
}

// place is the line and the column, both from 1, of the nearest thing there is to a pointer: of what is missing, that in
// which it is missing.
func place(text []byte, at map[string]int, pointer string) (line, column int) {
	offset, known := at[pointer]
	for !known && pointer != "" {
		pointer = pointer[:strings.LastIndexByte(pointer, '/')]
		offset, known = at[pointer]
	}
	return lineOf(text, offset)
}

// lineOf counts columns in characters.
func lineOf(text []byte, offset int) (line, column int) {
	before := text[:min(offset, len(text))]
	begin := bytes.LastIndexByte(before, '\n') + 1
	return 1 + bytes.Count(before, []byte("\n")), 1 + utf8.RuneCount(before[begin:])
}
