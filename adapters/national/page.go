package national

import (
	"errors"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// page is what one call brings.
type page struct {
	rows  []jsontext.Value
	total int // how many rows there are in all; -1: the service does not say
}

var errNoRows = errors.New("there are no rows where source.rows points")
var errNoTotal = errors.New("there is no number where source.total points")

// parsePage reads an answer: rows is the pointer to the list, total that to the number of all rows, "" for none. An answer without
// rows that has a code other than 0 is a refusal.
func parsePage(answer []byte, rows, total jsontext.Pointer) (page, error) {
	list, found := at(answer, rows)
	if !found || json.Unmarshal(list, new([]jsontext.Value)) != nil {
		if no, says := at(answer, "/code"); says && word(no) != "0" {
			return page{}, refused(plainCode(word(no)))
		}
		return page{}, errNoRows
	}
	p := page{total: -1}
	if err := json.Unmarshal(list, &p.rows); err != nil {
		return page{}, errNoRows
	}
	if total == "" {
		return p, nil
	}
	value, _ := at(answer, total)
	n, err := strconv.Atoi(word(value))
	if err != nil || n < 0 {
		return page{}, errNoTotal
	}
	p.total = n
	return p, nil
}

// at is the value that a pointer names; "" names the whole.
func at(document jsontext.Value, pointer jsontext.Pointer) (jsontext.Value, bool) {
	for name := range pointer.Tokens() {
		var object map[string]jsontext.Value
		if json.Unmarshal(document, &object) != nil {
			return nil, false
		}
		member, there := object[name]
		if !there {
			return nil, false
		}
		document = member
	}
	return document, document.IsValid()
}

// cell is a member's value as text: what is no text, number or truth value stays JSON, and nothing is "".
func cell(v jsontext.Value) string {
	switch v.Kind() {
	case '"', '0':
		return word(v)
	case 'n', 0:
		return ""
	}
	return string(v)
}
