package contract

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"html/template"
	"maps"
	"slices"
	"strings"
)

//go:embed page.html
var pageText string

// Page shows a Document to people, in one file that loads nothing from anywhere.
func Page(document []byte) ([]byte, error) {
	var doc struct {
		Info struct{ Title, Description string }
		Tags []struct{ Name, Description string }
		// Paths are of path items, by method.
		Paths      map[string]map[string]*described
		Components struct{ Schemas map[string]json.RawMessage }
	}
	if err := json.Unmarshal(document, &doc); err != nil {
		return nil, err
	}
	type chapter struct {
		Name, Description string
		Operations        []*described
	}
	type schema struct{ Name, Text string }
	var view struct {
		Title, Description string
		Chapters           []chapter
		Schemas            []schema
	}
	view.Title, view.Description = doc.Info.Title, doc.Info.Description
	for _, tag := range doc.Tags {
		c := chapter{Name: tag.Name, Description: tag.Description}
		for path, methods := range doc.Paths {
			for method, o := range methods {
				if o.Path, o.Method = path, strings.ToUpper(method); slices.Contains(o.Tags, tag.Name) {
					c.Operations = append(c.Operations, o)
				}
			}
		}
		slices.SortFunc(c.Operations, func(a, b *described) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method)) })
		view.Chapters = append(view.Chapters, c)
	}
	for _, name := range slices.Sorted(maps.Keys(doc.Components.Schemas)) {
		view.Schemas = append(view.Schemas, schema{name, indented(doc.Components.Schemas[name])})
	}
	page, err := template.New("").Funcs(template.FuncMap{"indented": indented}).Parse(pageText)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = page.Execute(&out, view)
	return out.Bytes(), err
}

// described is an operation as the page shows it.
type described struct {
	Method, Path, Summary, Description, OperationID string
	Tags                                            []string
	Parameters                                      []struct{ Name, In, Description string }
	RequestBody                                     body
	Responses                                       map[string]struct {
		Description string
		body
	}
}

type body struct {
	Content map[string]struct{ Example json.RawMessage }
}

func indented(raw json.RawMessage) string {
	var out bytes.Buffer
	if json.Indent(&out, raw, "", "  ") != nil {
		return string(raw)
	}
	return out.String()
}
