package tabular

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/exchange"
)

// table is one pass over a file's rows.
type table struct {
	s       *Source
	guard   *guard
	buffer  *bufio.Reader // the one the CSV reader reads from, so that one can see whether the input is over
	csv     *csv.Reader
	header  []string
	values  []string
	line    int // of the row read last
	yielded int
}

func newTable(s *Source, src io.Reader) *table {
	t := &table{s: s}
	var gb *gb18030
	if s.dialect.Encoding == "gb18030" {
		gb = newGB18030()
	}
	t.guard = newGuard(src, gb, s.glyphs)
	t.buffer = bufio.NewReaderSize(t.guard, 64<<10)
	t.csv = csv.NewReader(t.buffer)
	t.csv.Comma = ','
	if s.dialect.Delimiter != "" {
		t.csv.Comma, _ = utf8.DecodeRuneInString(s.dialect.Delimiter)
	}
	t.csv.FieldsPerRecord = -1 // counted here, so that the row can be yielded with what is in it
	t.csv.ReuseRecord = true
	return t
}

// read yields every row after the header. Rows without any value, such as the empty lines at the end of an export, are no rows.
func (t *table) read(ctx context.Context, yield func(adapters.Row) error) error {
	if err := t.readHeader(); err != nil {
		return err
	}
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return &stop{ctx.Err()}
		}
		row, err := t.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if row.Columns == nil {
			continue
		}
		t.yielded++
		if err := yield(row); err != nil {
			return &stop{err}
		}
	}
}

func blank(values []string) bool {
	for _, v := range values {
		if v != "" && strings.TrimFunc(v, unicode.IsSpace) != "" {
			return false
		}
	}
	return true
}

// next is the next row; it has no columns where the line holds no value.
func (t *table) next() (adapters.Row, error) {
	record, err := t.csv.Read()
	t.guard.rowEnded()
	if err == io.EOF {
		return adapters.Row{}, err
	}
	row := adapters.Row{Columns: t.header}
	var malformed *csv.ParseError
	switch {
	case errors.As(err, &malformed) && (errors.Is(err, csv.ErrQuote) || errors.Is(err, csv.ErrBareQuote)):
		if t.swallows(malformed) {
			return row, t.s.unclosedQuote(malformed.StartLine, malformed.Line)
		}
		row.Line = malformed.StartLine
		row.Damage = bareQuote(row.Line, malformed.Column)
	case errors.Is(err, errRowTooLong):
		return row, t.s.rowTooLong(t.line)
	case err != nil:
		return row, t.s.unreadable(err)
	default:
		row.Line, _ = t.csv.FieldPos(0)
		if blank(record) {
			row.Columns = nil
			return row, nil
		}
		if until, ok := t.swallowed(record, row.Line); ok {
			return row, t.s.swallowedRows(row.Line, until)
		}
	}
	t.line = row.Line
	if wrong := t.flawed(record, row.Line); wrong != nil {
		row.Damage = wrong
	} else if row.Damage == nil && len(record) != len(t.header) {
		row.Damage = wrongColumns(row.Line, len(record), len(t.header))
	}
	row.Values = record
	if row.Damage != nil {
		row.Values = t.legible(record)
	}
	return row, nil
}

// swallows says that a misplaced quote took more than its own line with it, or all that was left. The last line of a file with
// an open quote looks just like a file that was cut off.
func (t *table) swallows(e *csv.ParseError) bool {
	if e.Line != e.StartLine {
		return true
	}
	_, err := t.buffer.Peek(1)
	return err != nil && errors.Is(e, csv.ErrQuote)
}

// swallowed says that a cell of several lines holds whole rows: its first line completes the row it begins in, its last line
// begins a row that the cells after it complete. That is what a stray pair of quotes makes of rows.
func (t *table) swallowed(record []string, line int) (until int, ok bool) {
	want := len(t.header)
	if want < 3 {
		return 0, false // a line with one comma is too common
	}
	comma := string(t.csv.Comma)
	for i, cell := range record {
		first := strings.IndexByte(cell, '\n')
		if first < 0 {
			continue
		}
		last := strings.LastIndexByte(cell, '\n')
		if i+1+strings.Count(cell[:first], comma) == want && strings.Count(cell[last+1:], comma)+len(record)-i == want {
			return line + strings.Count(cell, "\n"), true
		}
	}
	return 0, false
}

// flawed finds the first cell that holds something else than sound text.
func (t *table) flawed(record []string, line int) *exchange.Problem {
	if !t.guard.strange {
		return nil
	}
	for i, cell := range record {
		for _, r := range cell {
			if kind := flawOf(r); kind != sound {
				return flawed(kind, line, t.column(i), t.codeOf(r))
			}
		}
	}
	return nil
}

func (t *table) column(i int) string {
	if i < len(t.header) {
		return t.header[i]
	}
	return fmt.Sprint(i + 1)
}

// codeOf is a private-use character as the department knows it, and as the manifest writes it.
func (t *table) codeOf(r rune) string {
	if t.guard.gb != nil {
		if code := t.guard.gb.code(r); code != 0 {
			return fmt.Sprintf("0x%04X (U+%04X)", code, r)
		}
	}
	return fmt.Sprintf("U+%04X", r)
}

// legible is what could be read of a damaged row, one value for each column.
func (t *table) legible(record []string) []string {
	t.values = append(t.values[:0], record[:min(len(record), len(t.header))]...)
	for len(t.values) < len(t.header) {
		t.values = append(t.values, "")
	}
	for i, v := range t.values {
		t.values[i] = strings.ReplaceAll(v, string(undecodable), string(utf8.RuneError))
	}
	return t.values
}

func (t *table) readHeader() error {
	record, err := t.csv.Read()
	t.guard.rowEnded()
	var malformed *csv.ParseError
	switch {
	case err == io.EOF:
		return t.s.empty()
	case errors.As(err, &malformed):
		return t.s.badHeader(malformed.Err)
	case errors.Is(err, errRowTooLong):
		return t.s.rowTooLong(0)
	case err != nil:
		return t.s.unreadable(err)
	}
	t.header = make([]string, len(record))
	for i, name := range record {
		t.header[i] = strings.TrimFunc(name, unicode.IsSpace)
		if strings.ContainsFunc(name, func(r rune) bool { return flawOf(r) != sound }) {
			return t.s.badHeader(nil)
		}
	}
	t.line = 1
	return t.checkHeader()
}

func (t *table) checkHeader() error {
	var lacking []string
	for _, name := range slices.Concat(t.s.dialect.Columns, t.s.needed) {
		if !slices.Contains(t.header, name) && !slices.Contains(lacking, name) {
			lacking = append(lacking, name)
		}
	}
	if len(lacking) > 0 {
		return t.s.lackingColumns(lacking, len(t.header))
	}
	var nameless, repeated, other []int
	for i, name := range t.header {
		switch {
		case name == "":
			nameless = append(nameless, i+1)
		case slices.Index(t.header, name) < i:
			repeated = append(repeated, i+1)
		}
		if expected := t.s.dialect.Columns; len(expected) > 0 && (i >= len(expected) || expected[i] != name) {
			other = append(other, i+1)
		}
	}
	switch {
	case len(nameless) > 0:
		return t.s.namelessColumns(nameless)
	case len(repeated) > 0:
		return t.s.repeatedColumns(repeated)
	case len(other) > 0:
		return t.s.otherColumns(other)
	}
	return nil
}
