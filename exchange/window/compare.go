package window

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas"
)

// comparison asks what the applicant wrote in the fields of one type's document, to hold it against the records (校核比对).
type comparison struct {
	Name   string
	Fields []line
	about  exchange.EvidenceType
}

// line is a line of text for one field.
type line struct {
	ID, Name, Value string
	field           string
}

// comparisons are those that the grants allow: of the applicant's own documents, the fields that the clerk may see and that are written in a
// line. What others wrote is not held against their records.
func (w *Window) comparisons(t *turn, a exchange.Answer, said url.Values) []comparison {
	var all []comparison
	asked := t.visit.Work.Asked
	for _, e := range a.Evidence {
		grant, granted := w.cfg.Catalogue().Permit(t.visit.Caller.Department, asked.Item, e.Type, exchange.DateOf(w.cfg.Clock()))
		if !granted || e.Of != "" && e.Of != exchange.Self || slices.ContainsFunc(all, func(c comparison) bool { return c.about == e.Type }) {
			continue
		}
		one := comparison{Name: w.evidence(e.Type, t.lang), about: e.Type}
		for _, f := range w.fields(e.Type) {
			field := strings.TrimPrefix(f.Pointer, "/")
			if !slices.Contains(grant.Fields, field) || !inOneLine(f) {
				continue
			}
			id := "stated-" + string(e.Type) + "-" + field
			one.Fields = append(one.Fields, line{ID: id, Name: w.fieldName(e.Type, field, t.lang), Value: said.Get(id), field: field})
		}
		if len(one.Fields) > 0 {
			all = append(all, one)
		}
	}
	return all
}

func inOneLine(f schemas.Field) bool {
	return !slices.ContainsFunc(strings.Split(f.Type, "|"), func(t string) bool { return t != "string" && t != "number" && t != "integer" && t != "null" })
}

// stated is what was stated so far, as the form has it.
func (l *work) stated() url.Values {
	said := url.Values{}
	for t, fields := range l.Asked.Stated {
		for field, value := range fields {
			var s string
			if json.Unmarshal(value, &s) == nil {
				said.Set("stated-"+string(t)+"-"+field, s)
			}
		}
	}
	return said
}

// compare asks once more, with what the applicant wrote, and leads back to the material.
func (w *Window) compare(t *turn) (reply, error) {
	c, place, err := t.material()
	if err != nil {
		return reply{}, err
	}
	p := w.preview(t, c, place, t.r.PostForm)
	shown := reply{page: "record", data: p}
	q := t.visit.Work.Asked
	before := q.Stated
	q.Stated = fresh(before)
	for _, one := range p.Compare {
		if q.Stated[one.about], err = one.read(); err != nil {
			return reply{}, err
		}
		if len(q.Stated[one.about]) == 0 {
			delete(q.Stated, one.about)
		}
	}
	if maps.EqualFunc(q.Stated, before, func(a, b map[string]json.RawMessage) bool {
		return maps.EqualFunc(a, b, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) })
	}) {
		return shown.refused(exchange.Invalid, []trouble{troubleOf(nothingSaid(), p.first())}), nil
	}
	got, err := w.put(t, q, shown, func(error) string { return "" })
	if got.to != "" {
		got.to += "/" + t.r.PathValue("place")
	}
	return got, err
}

// read is what was written, by field.
func (c comparison) read() (map[string]json.RawMessage, error) {
	written := map[string]json.RawMessage{}
	for _, l := range c.Fields {
		value := strings.TrimSpace(l.Value)
		if value == "" {
			continue
		}
		quoted, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		written[l.field] = quoted
	}
	return written, nil
}

// first is the first field there is, "" where there is none.
func (p preview) first() string {
	if len(p.Compare) == 0 {
		return ""
	}
	return p.Compare[0].Fields[0].ID
}
