package demo

import (
	"bytes"
	"io"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// table writes rows in a department's dialect. Its first error stays and makes the rest of the writing idle.
type table struct {
	w       io.Writer
	dialect dialect
	encoder *encoding.Encoder // nil: UTF-8
	half    string            // the first bytes of a character that goes on
	line    []byte
	encoded []byte
	err     error
}

func newTable(w io.Writer, d dialect) *table {
	t := &table{w: w, dialect: d, half: "\xe9\x86"}
	if d.gb18030 {
		t.encoder, t.half = simplifiedchinese.GB18030.NewEncoder(), "\xb4"
	}
	return t
}

func (t *table) header(columns []column) {
	if t.dialect.mark {
		t.write([]byte("\ufeff"))
	}
	names := make([]string, len(columns))
	for i, column := range columns {
		names[i] = column.name
	}
	t.row(names)
}

func (t *table) row(cells []string) {
	t.line = t.line[:0]
	for i, cell := range cells {
		if i > 0 {
			t.line = append(t.line, t.dialect.delimiter)
		}
		t.line = t.quote(t.line, cell)
	}
	t.line = append(t.line, t.dialect.newline...)
	before, after, cut := bytes.Cut(t.line, []byte{half})
	t.encode(before)
	if cut {
		t.write([]byte(t.half))
		t.encode(after)
	}
}

// quote adds a cell as RFC 4180 has it.
func (t *table) quote(line []byte, cell string) []byte {
	if strings.IndexByte(cell, t.dialect.delimiter) < 0 && !strings.ContainsAny(cell, "\"\r\n") {
		return append(line, cell...)
	}
	line = append(line, '"')
	line = append(line, strings.ReplaceAll(cell, `"`, `""`)...)
	return append(line, '"')
}

func (t *table) encode(text []byte) {
	if t.encoder == nil {
		t.write(text)
		return
	}
	if need := 4 * len(text); cap(t.encoded) < need {
		t.encoded = make([]byte, need)
	}
	n, _, err := t.encoder.Transform(t.encoded[:cap(t.encoded)], text, true)
	if err != nil && t.err == nil {
		t.err = err
		return
	}
	t.write(t.encoded[:n])
}

func (t *table) write(b []byte) {
	if t.err == nil {
		_, t.err = t.w.Write(b)
	}
}

func (t *table) close() error { return t.err }
