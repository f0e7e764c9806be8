package national

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange"
)

// JSON writes the list under the keys of the exchange table.
func (l List) JSON() ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(map[string]any{"items": l.Items.objects(itemFields), "materials": l.Materials.objects(materialFields)})
	return out.Bytes(), err
}

func (t Table) objects(fields []field) []map[string]string {
	all := make([]map[string]string, 0, len(t.Rows))
	for _, row := range t.Rows {
		object := map[string]string{}
		for i, f := range fields {
			if row.Cells[i] != "" {
				object[f.key] = row.Cells[i]
			}
		}
		all = append(all, object)
	}
	return all
}

// maxList bounds a list that is read, in bytes.
const maxList = 64 << 20

// ParseJSON reads what JSON writes. Keys that the list does not have are left out; numbers are read as text. A row's line is its
// place among its kind, counted from 1.
func ParseJSON(name string, content []byte) (List, error) {
	var said struct{ Items, Materials []map[string]any }
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	if len(content) > maxList {
		return List{}, notJSON(name, fmt.Errorf("%d MiB at most", maxList>>20))
	}
	if !jsontext.Value(content).IsValid() { // the reader below takes a name that stands twice, and text that is no UTF-8
		return List{}, notJSON(name, errors.New("no JSON in UTF-8 in which each name stands once"))
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.UseNumber()
	if err := decoder.Decode(&said); err != nil {
		return List{}, notJSON(name, err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return List{}, notJSON(name, io.ErrUnexpectedEOF)
	}
	return List{table(name+"#items", itemFields, said.Items), table(name+"#materials", materialFields, said.Materials)}, nil
}

func table(name string, fields []field, objects []map[string]any) Table {
	t := Table{Name: name}
	for _, f := range fields {
		there := func(o map[string]any) bool { return o[f.key] != nil }
		if !f.optional || slices.ContainsFunc(objects, there) {
			t.Columns = append(t.Columns, f.name)
		}
	}
	for i, o := range objects {
		row := Row{Line: i + 1}
		for _, f := range fields {
			if slices.Contains(t.Columns, f.name) {
				row.Cells = append(row.Cells, spelt(o[f.key]))
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// spelt is a JSON value as it would stand in a cell.
func spelt(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	}
	content, _ := json.Marshal(value) // it was JSON before
	return string(content)
}

func notJSON(name string, err error) error {
	return &exchange.Problem{Code: "YM-CAT-0602", Kind: exchange.Invalid, Err: err,
		What: text(name+" 不是事项清单的 JSON", name+" is no list of items in JSON"),
		Mend: text(`写成 {"items": [{"task_code": …}], "materials": [{"task_code": …}]}，样子见 yimen item export`, `write {"items": [{"task_code": …}], "materials": [{"task_code": …}]}; yimen item export shows one`)}
}
