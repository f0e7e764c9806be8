// Package spell writes JSON without reflection, byte for byte as the library does. It is for what every query pays for: its answer and its
// audit entry, which by reflection cost twice as much. Everything else is the library's.
//
//	var w spell.Writer
//	w.Text(`{"id":`, id)
//	w.Some(`,"reason":`, reason)
//	w.Raw("}")
//	out, err := w.Done()
package spell

import (
	"encoding"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Writer appends JSON. What comes before a value is the name of its member with the signs around it; whether these are in order is up to
// whoever calls. The zero Writer is ready.
type Writer struct {
	out []byte
	err error
}

// Room makes room for that many bytes.
func (w *Writer) Room(n int) { w.out = make([]byte, 0, n) }

// Done is what was written, or the first error: a text that is no UTF-8, a value that is no JSON.
func (w *Writer) Done() ([]byte, error) { return w.out, w.err }

// Raw writes JSON as it is.
func (w *Writer) Raw(signs string) { w.out = append(w.out, signs...) }

// Bytes writes JSON as it is.
func (w *Writer) Bytes(value []byte) { w.out = append(w.out, value...) }

// Text writes a text.
func (w *Writer) Text(before, value string) {
	w.Raw(before)
	w.keep(jsontext.AppendQuote(w.out, value))
}

// Some writes a text that is left out where it is empty.
func (w *Writer) Some(before, value string) {
	if value != "" {
		w.Text(before, value)
	}
}

// Number writes a number.
func (w *Writer) Number(before string, n int64) {
	w.Raw(before)
	w.out = strconv.AppendInt(w.out, n, 10)
}

// Count writes a number that is left out where it is 0.
func (w *Writer) Count(before string, n uint64) {
	if n != 0 {
		w.Raw(before)
		w.out = strconv.AppendUint(w.out, n, 10)
	}
}

// Flag writes what is left out where it is false.
func (w *Writer) Flag(before string, is bool) {
	if is {
		w.Raw(before)
		w.Raw("true")
	}
}

// Time writes a moment.
func (w *Writer) Time(before string, at time.Time) {
	w.Raw(before)
	out, err := at.AppendText(append(w.out, '"'))
	w.keep(append(out, '"'), err)
}

// Of writes what spells itself as JSON.
func (w *Writer) Of(before string, value encoding.TextAppender) {
	w.Raw(before)
	w.keep(value.AppendText(w.out))
}

// Object writes on one line what somebody else has written as an object, which is left out where it is empty. Names may stand twice in it.
func (w *Writer) Object(before string, value []byte) {
	if len(value) == 0 {
		return
	}
	whole, from := w.out, len(w.out)+len(before)
	w.Raw(before)
	if Members(value, nil) { // the library would write it as it is
		w.Bytes(value)
	} else {
		w.keep(jsontext.AppendFormat(w.out, value, jsontext.AllowDuplicateNames(true)))
	}
	if len(w.out) == from+len("{}") {
		w.out = whole
	}
}

// Any writes a value as the library does: what is rare.
func (w *Writer) Any(before string, value any) {
	text, err := json.Marshal(value, json.Deterministic(true), jsontext.AllowDuplicateNames(true))
	w.Raw(before)
	w.keep(append(w.out, text...), err)
}

// List writes an array of n items.
func (w *Writer) List(before string, n int, item func(int)) {
	w.Raw(before)
	w.Raw("[")
	for i := range n {
		w.Comma(i)
		item(i)
	}
	w.Raw("]")
}

// Comma writes what stands before an item but the first.
func (w *Writer) Comma(i int) {
	if i > 0 {
		w.Raw(",")
	}
}

func (w *Writer) keep(out []byte, err error) {
	if w.out = out; w.err == nil {
		w.err = err
	}
}
