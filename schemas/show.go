package schemas

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange"
)

// Shown is one field of a document as people read it: a value, or the fields within it.
type Shown struct {
	Name   string
	Value  string
	Within []Shown
}

// Show reads a JSON object: names from the schema's fields, values as they were published, in the document's order. What cannot
// be read is left out: the gate has seen the document before, so nothing is.
func Show(object []byte, named []Field, lang exchange.Lang) []Shown {
	if len(object) == 0 {
		return nil
	}
	r := shower{names: map[string]string{}, lang: lang, from: jsontext.NewDecoder(bytes.NewReader(object))}
	for _, f := range named {
		if name := f.Title.In(lang); name != "" {
			r.names[f.Pointer] = name
		}
	}
	return r.value("", "").Within
}

// shower walks a document.
type shower struct {
	names map[string]string // by pointer, as in /spouses/*/number
	lang  exchange.Lang
	from  *jsontext.Decoder
}

func (r *shower) value(name, pointer string) Shown {
	f := Shown{Name: name}
	if known, ok := r.names[pointer]; ok {
		f.Name = known
	}
	token, err := r.from.ReadToken()
	if err != nil {
		return f
	}
	switch token.Kind() {
	case '{':
		for r.from.PeekKind() == '"' {
			key, err := r.from.ReadToken()
			if err != nil {
				return f
			}
			member := key.String()
			f.Within = append(f.Within, r.value(member, pointer+"/"+member))
		}
		r.from.ReadToken() // the end; an error stops the next reading
	case '[':
		for kind := r.from.PeekKind(); kind != ']' && kind != 0; kind = r.from.PeekKind() {
			f.Within = append(f.Within, r.value(strconv.Itoa(len(f.Within)+1), pointer+"/*"))
		}
		r.from.ReadToken()
	case 't', 'f':
		f.Value = map[bool]exchange.Text{true: {ZH: "是", EN: "yes"}, false: {ZH: "否", EN: "no"}}[token.Bool()].In(r.lang)
	case 'n':
		f.Value = exchange.Text{ZH: "无", EN: "none"}.In(r.lang)
	default:
		f.Value = token.String()
	}
	return f
}
