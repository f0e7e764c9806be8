package window

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas"
)

// field is one field of a record as people read it: a value, or the fields within it.
type field struct {
	Name   string
	Value  string
	Within []field
}

// fieldsOf reads a JSON object: names from the schema, values as they were published, in the document's order. What cannot
// be read is left out: the gate has seen the document before, so nothing is.
func fieldsOf(object []byte, named []schemas.Field, lang exchange.Lang) []field {
	if len(object) == 0 {
		return nil
	}
	r := fieldReader{names: map[string]string{}, lang: lang, from: jsontext.NewDecoder(bytes.NewReader(object))}
	for _, f := range named {
		if name := f.Title.In(lang); name != "" {
			r.names[f.Pointer] = name
		}
	}
	return r.value("", "").Within
}

// fieldReader walks a document.
type fieldReader struct {
	names map[string]string // by pointer, as in /spouses/*/number
	lang  exchange.Lang
	from  *jsontext.Decoder
}

func (r *fieldReader) value(name, pointer string) field {
	f := field{Name: name}
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
		f.Value = map[bool]exchange.Text{true: text("是", "yes"), false: text("否", "no")}[token.Bool()].In(r.lang)
	case 'n':
		f.Value = text("无", "none").In(r.lang)
	default:
		f.Value = token.String()
	}
	return f
}

// inLine is what the fields say, each in a few words.
func inLine(all []field, lang exchange.Lang) (said []string) {
	for _, f := range all {
		if len(f.Within) > 0 {
			said = append(said, inLine(f.Within, lang)...)
			continue
		}
		said = append(said, f.Name+text("：", ": ").In(lang)+f.Value)
	}
	return said
}

// fields are the fields of a type's documents, none where it has no schema.
func (w *Window) fields(t exchange.EvidenceType) []schemas.Field {
	schema, ok := w.cfg.Schemas().ByType(t)
	if !ok {
		return nil
	}
	return schema.Fields()
}

// fieldName is what people call a field of a document.
func (w *Window) fieldName(t exchange.EvidenceType, field string, lang exchange.Lang) string {
	for _, f := range w.fields(t) {
		if name := f.Title.In(lang); f.Pointer == "/"+field && name != "" {
			return name
		}
	}
	return field
}

// value is one field's value in a line.
func (w *Window) value(t exchange.EvidenceType, name string, value json.RawMessage, lang exchange.Lang) string {
	if len(value) == 0 {
		return ""
	}
	object, err := json.Marshal(map[string]json.RawMessage{name: value})
	if err != nil {
		return ""
	}
	one := fieldsOf(object, w.fields(t), lang)[0]
	if len(one.Within) > 0 {
		return strings.Join(inLine(one.Within, lang), text("，", ", ").In(lang))
	}
	return one.Value
}
