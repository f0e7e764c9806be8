package window

import (
	"encoding/json"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas"
)

// inLine is what the fields say, each in a few words.
func inLine(all []schemas.Shown, lang exchange.Lang) (said []string) {
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
	one := schemas.Show(object, w.fields(t), lang)[0]
	if len(one.Within) > 0 {
		return strings.Join(inLine(one.Within, lang), text("，", ", ").In(lang))
	}
	return one.Value
}
