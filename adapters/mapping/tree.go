package mapping

import (
	"strconv"
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// node is one place of the document: an object, a list, or a value that a rule fills.
type node struct {
	name     string
	pointer  string
	fields   []*node // of an object, by name
	elements []*node // of a list, in order
	rule     *rule
}

// rule is a checked Rule.
type rule struct {
	name     string // of its columns, for faults
	columns  []int  // into the used columns
	join     bool
	with     string
	constant any
	split    string
	items    []*node // of each object of a list; their rules have one column or a constant
	convert  conversion
	absent   []string
}

// conversion reads a text that is neither blank nor absent. A nil value without a complaint is an absent one.
type conversion func(text string) (any, *complaint)

// object is the node's object, and whether the row had a part in it: constants alone make no object.
func (n *node) object(r *row) (map[string]any, bool) {
	object := make(map[string]any, len(n.fields))
	said := false
	for _, field := range n.fields {
		value, from := field.value(r)
		if value != nil {
			object[field.name] = value
		}
		said = said || from
	}
	return object, said
}

func (n *node) value(r *row) (value any, fromRow bool) {
	switch {
	case n.rule != nil:
		return n.rule.value(n.pointer, r)
	case n.fields != nil:
		if object, said := n.object(r); said {
			return object, true
		}
		return nil, false
	}
	var list []any
	for _, element := range n.elements {
		if value, said := element.value(r); said {
			list = append(list, value)
		}
	}
	if list == nil {
		return nil, false
	}
	return list, true
}

func (u *rule) value(pointer string, r *row) (value any, fromRow bool) {
	switch {
	case u.constant != nil:
		return u.constant, false
	case u.items != nil:
		value = u.list(pointer, r)
	default:
		text, ok := u.text(pointer, r)
		if !ok {
			return nil, false
		}
		if u.split != "" {
			value = u.each(pointer, r, text)
		} else {
			value = u.read(pointer, r, text)
		}
	}
	return value, value != nil
}

// text is what the rule's columns say, false where that is nothing.
func (u *rule) text(pointer string, r *row) (string, bool) {
	if !u.join {
		return u.cell(pointer, r, u.columns[0])
	}
	var parts []string
	for _, column := range u.columns {
		if part, ok := u.cell(pointer, r, column); ok {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, u.with), len(parts) > 0
}

func (u *rule) cell(pointer string, r *row, column int) (string, bool) {
	at := r.at[column]
	if at < 0 {
		r.faults = append(r.faults, noSuchColumn().of(pointer, u.name))
		return "", false
	}
	if at >= len(r.values) {
		return "", false
	}
	return u.present(r.values[at])
}

// present is the trimmed text, false where it stands for no value.
func (u *rule) present(text string) (string, bool) {
	text = trim(text)
	if text == "" {
		return "", false
	}
	for _, absent := range u.absent {
		if text == absent {
			return "", false
		}
	}
	return text, true
}

func (u *rule) read(pointer string, r *row, text string) any {
	value, wrong := u.convert(text)
	if wrong != nil {
		r.faults = append(r.faults, wrong.of(pointer, u.name))
		return nil
	}
	return value
}

// each reads a list of values. One that cannot be read leaves its place empty (null), so that half a list does not look
// complete, and the others still tell whom the row concerns.
func (u *rule) each(pointer string, r *row, text string) any {
	var list []any
	for part := range strings.SplitSeq(text, u.split) {
		if part, ok := u.present(part); ok {
			list = append(list, u.read(pointer, r, part))
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list
}

// list makes a list of objects of columns that were split alike.
func (u *rule) list(pointer string, r *row) any {
	parts := make([][]string, len(u.items))
	count := 0
	for i, item := range u.items {
		if item.rule.constant != nil {
			continue
		}
		text, ok := item.rule.text(pointer, r)
		if !ok {
			continue
		}
		parts[i] = strings.Split(text, u.split)
		if count != 0 && len(parts[i]) != count {
			r.faults = append(r.faults, unevenParts().of(pointer, u.name))
			return nil
		}
		count = len(parts[i])
	}
	var list []any
	for at := range count {
		if object := u.item(pointer, r, parts, at); object != nil {
			list = append(list, object)
		}
	}
	if list == nil {
		return nil
	}
	return list
}

// item is one object of the list, nil where every part of it is blank.
func (u *rule) item(pointer string, r *row, parts [][]string, at int) any {
	object := make(map[string]any, len(u.items))
	said := false
	for i, item := range u.items {
		if item.rule.constant != nil {
			object[item.name] = item.rule.constant
			continue
		}
		if parts[i] == nil {
			continue
		}
		if text, ok := item.rule.present(parts[i][at]); ok {
			said = true
			if value := item.rule.read(pointer+"/"+strconv.Itoa(at)+"/"+item.name, r, text); value != nil {
				object[item.name] = value
			}
		}
	}
	if !said {
		return nil
	}
	return object
}

// fromProblem makes a complaint of what package identity says of a number.
func fromProblem(p *exchange.Problem) *complaint {
	what := p.What
	if p.Why.ZH != "" {
		what = exchange.Text{ZH: what.ZH + "（" + p.Why.ZH + "）", EN: what.EN + " (" + p.Why.EN + ")"}
	}
	return &complaint{p.Code, exchange.Text{ZH: "：" + what.ZH, EN: ": " + what.EN}, p.Mend}
}
