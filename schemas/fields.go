package schemas

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/gate"
)

// Field is one field of a kind of evidence, as people are shown it.
type Field struct {
	Pointer     string // as in /spouses/*/number, where * is any element
	Title       exchange.Text
	Description exchange.Text
	Type        string // of JSON; several are joined by |
	Format      string
	Enum        []string
	Required    bool // within the object it is a field of
	Sensitive   bool
}

// Fields lists the fields in the order of the file, a field of an object after the object.
func (s *Schema) Fields() []Field { return slices.Clone(s.fields) }

// maxFields bounds the list where definitions refer to each other in circles.
const maxFields = 2000

// lister walks a schema for its fields.
type lister struct {
	root   map[string]any
	rank   map[string]int // at which byte of the text each member stands
	fields []Field
	within []string // the places of the objects being listed: definitions may contain themselves
}

func fields(root map[string]any, text []byte) []Field {
	l := &lister{root: root, rank: offsets(text)}
	l.object(root, "", "", false)
	return l.fields
}

// object lists the properties of the schema at one place of the text, which describes the values at the pointer.
func (l *lister) object(node map[string]any, at, pointer string, sensitive bool) {
	for _, p := range parts(l.root, node, at) {
		if slices.Contains(l.within, p.at) {
			continue
		}
		l.within = append(l.within, p.at)
		l.properties(p, pointer, sensitive)
		l.within = l.within[:len(l.within)-1]
	}
}

func (l *lister) properties(p part, pointer string, sensitive bool) {
	properties, _ := p.node["properties"].(map[string]any)
	required, _ := p.node["required"].([]any)
	place := func(name string) string { return p.at + "/properties/" + gate.Escape(name) }
	names := slices.SortedFunc(maps.Keys(properties), func(a, b string) int { return cmp.Compare(l.rank[place(a)], l.rank[place(b)]) })
	for _, name := range names {
		if field, ok := properties[name].(map[string]any); ok && len(l.fields) < maxFields {
			l.field(field, place(name), pointer+"/"+gate.Escape(name), slices.Contains(required, any(name)), sensitive)
		}
	}
}

func (l *lister) field(node map[string]any, at, pointer string, required, sensitive bool) {
	f := Field{Pointer: pointer, Required: required, Sensitive: sensitive}
	all := append([]part{{node, at}}, parts(l.root, node, at)...) // beside a reference there may be titles of its own
	for _, p := range all {
		title, description := texts(p.node)
		f.Title, f.Description = cmp.Or(f.Title, title), cmp.Or(f.Description, description)
		f.Type = cmp.Or(f.Type, strings.Join(typesOf(p.node), "|"))
		format, _ := p.node["format"].(string)
		f.Format = cmp.Or(f.Format, format)
		if f.Enum == nil {
			f.Enum = strs(p.node["enum"])
		}
		marked, _ := p.node["x-sensitive"].(bool)
		f.Sensitive = f.Sensitive || marked
	}
	l.fields = append(l.fields, f)
	l.object(node, at, pointer, f.Sensitive)
	for _, p := range parts(l.root, node, at) {
		if items, ok := p.node["items"].(map[string]any); ok {
			l.object(items, p.at+"/items", pointer+"/*", f.Sensitive)
		}
	}
}

// part is a schema that describes a value, and its place in the text.
type part struct {
	node map[string]any
	at   string
}

// parts are the schemas that all describe the same value: the schema, or what it refers to, and its allOf.
func parts(root, node map[string]any, at string) []part {
	if ref, ok := node["$ref"].(string); ok {
		v, _ := target(root, ref)
		named, _ := v.(map[string]any)
		return parts(root, named, strings.TrimPrefix(ref, "#")) // the gate has seen that no cycle is left
	}
	list := []part{{node, at}}
	branches, _ := node["allOf"].([]any)
	for i, v := range branches {
		if branch, ok := v.(map[string]any); ok {
			list = append(list, parts(root, branch, fmt.Sprintf("%s/allOf/%d", at, i))...)
		}
	}
	return list
}

const definitionsPrefix = "#/definitions/"

// target is the schema a reference names.
func target(root map[string]any, ref string) (any, bool) {
	if ref == "#" {
		return root, true
	}
	definitions, _ := root["definitions"].(map[string]any)
	v, ok := definitions[strings.TrimPrefix(ref, definitionsPrefix)]
	return v, ok
}

func strs(v any) []string {
	var out []string
	list, _ := v.([]any)
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
