package adapters

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/onedoor/yimen/exchange"
)

// ParseManifest reads and checks a manifest's text. The name is its path: it says where findings are, and relative paths in
// the manifest begin in its folder. The error is an *exchange.Problem; if there is more than one finding it wraps Findings.
func ParseManifest(name string, content []byte) (*Manifest, error) {
	content = bytes.TrimPrefix(content, []byte("\ufeff")) // Windows' Notepad writes it
	if !utf8.Valid(content) {
		return nil, &exchange.Problem{Code: "YM-MAN-0103", Kind: exchange.Invalid,
			What: text(name+"：清单不是 UTF-8 文本", name+": the manifest is not UTF-8"), Mend: text("请在编辑器中另存为 UTF-8", "save it as UTF-8 in the editor")}
	}
	at := positions{file: filepath.Base(name)}
	parsed, err := parser.ParseBytes(content, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, at.notYAML(err)
	}
	for _, doc := range parsed.Docs {
		if doc.Body != nil && at.root == nil {
			at.root = doc.Body
		} else if doc.Body != nil {
			return nil, at.notYAML(errors.New("more than one document"))
		}
	}
	if at.root == nil || at.root.Type() == ast.CommentType {
		return nil, at.notYAML(errors.New("the file is empty"))
	}
	var findings Findings
	at.checkKeys(&findings, at.root, reflect.TypeFor[Manifest]())
	if len(findings) > 0 {
		return nil, findings.Problem()
	}
	m := defaults()
	m.dir, m.at = filepath.Dir(name), at
	if err := yaml.NodeToValue(at.root, m); err != nil {
		return nil, at.notYAML(err)
	}
	m.Source.at = at
	return m, m.Validate()
}

// UnmarshalYAML takes the keys that every kind has and leaves the others to Decode.
func (s *SourceSettings) UnmarshalYAML(node ast.Node) error {
	type common SourceSettings
	if err := yaml.NodeToValue(node, (*common)(s)); err != nil {
		return err
	}
	if err := yaml.NodeToValue(node, &s.settings); err != nil {
		return err
	}
	maps.DeleteFunc(s.settings, func(key string, _ any) bool { return key == "kind" || key == "complete" })
	return nil
}

// Decode reads the settings of the source's kind into a pointer to a struct with yaml tags. Keys it does not know are refused.
func (s *SourceSettings) Decode(settings any) error {
	content, err := yaml.Marshal(s.settings)
	if err != nil {
		return fmt.Errorf("write source settings: %w", err)
	}
	known := tags(reflect.TypeOf(settings).Elem())
	var findings Findings
	for _, key := range slices.Sorted(maps.Keys(s.settings)) {
		if _, ok := known[key]; !ok {
			findings.add("YM-MAN-0111", s.at.of("source", key), text("不认识的键 source."+key, "unknown key source."+key),
				suggestion(key, append(slices.Sorted(maps.Keys(known)), "kind", "complete")))
		}
	}
	if len(findings) > 0 {
		return findings.Problem()
	}
	if err := yaml.Unmarshal(content, settings); err != nil {
		return s.at.notYAML(err)
	}
	return nil
}

// positions finds the lines of a manifest's keys.
type positions struct {
	file string
	root ast.Node
}

// of is where the key stands, or the nearest one above it that is there.
func (p positions) of(path ...string) string {
	node, best := p.root, p.root
	for _, step := range path {
		key, value := entry(node, step)
		if key == nil {
			break
		}
		node, best = value, key
	}
	return p.at(best)
}

func (p positions) at(node ast.Node) string {
	if node == nil {
		return "manifest"
	}
	if token := node.GetToken(); token != nil && token.Position != nil {
		return fmt.Sprintf("%s:%d:%d", p.file, token.Position.Line, token.Position.Column)
	}
	return p.file
}

func entry(node ast.Node, name string) (key, value ast.Node) {
	object, ok := node.(ast.MapNode)
	if !ok {
		return nil, nil
	}
	for i := object.MapRange(); i.Next(); {
		if i.Key().String() == name || keyOf(i.Key()) == name {
			return i.Key(), i.Value()
		}
	}
	return nil, nil
}

// keyOf is a key's text without quotes.
func keyOf(key ast.MapKeyNode) string {
	if s, ok := key.(*ast.StringNode); ok {
		return s.Value
	}
	return key.String()
}

// checkKeys finds the keys that nothing reads and those that stand twice, in everything of the type.
func (p positions) checkKeys(findings *Findings, node ast.Node, of reflect.Type) {
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if list, ok := node.(*ast.SequenceNode); ok && of.Kind() == reflect.Slice {
		for _, element := range list.Values {
			p.checkKeys(findings, element, of.Elem())
		}
		return
	}
	object, ok := node.(ast.MapNode)
	if !ok {
		return
	}
	var known map[string]reflect.Type
	if of.Kind() == reflect.Struct {
		known = tags(of)
	}
	seen := map[string]bool{}
	for i := object.MapRange(); i.Next(); {
		key := keyOf(i.Key())
		if seen[key] {
			findings.add("YM-MAN-0112", p.at(i.Key()), text("键 "+key+" 重复", "key "+key+" stands twice"), text("保留其中一个", "leave one of them"))
		}
		seen[key] = true
		switch within, ok := known[key]; {
		case ok:
			p.checkKeys(findings, i.Value(), within)
		case of.Kind() == reflect.Map:
			p.checkKeys(findings, i.Value(), of.Elem())
		case of == reflect.TypeFor[SourceSettings](), of.Kind() == reflect.Interface:
			p.checkKeys(findings, i.Value(), reflect.TypeFor[any]())
		case known != nil:
			findings.add("YM-MAN-0111", p.at(i.Key()), text("不认识的键 "+key, "unknown key "+key), suggestion(key, slices.Sorted(maps.Keys(known))))
		}
	}
}

// tags are a struct's keys with their types.
func tags(of reflect.Type) map[string]reflect.Type {
	keys := map[string]reflect.Type{}
	for field := range of.Fields() {
		if name, _, _ := strings.Cut(field.Tag.Get("yaml"), ","); name != "" && name != "-" {
			keys[name] = field.Type
		}
	}
	return keys
}

// suggestion names the known key nearest to a wrong one, or all of them.
func suggestion(key string, known []string) exchange.Text {
	if best := exchange.Nearest(strings.ToLower(key), known); best != "" {
		return text("是否应为 "+best+"？", "is "+best+" meant?")
	}
	all := strings.Join(known, ", ")
	return text("此处可用的键："+all, "the keys known here are "+all)
}

func (p positions) notYAML(err error) error {
	where, cause := p.file, err.Error()
	var known yaml.Error
	if errors.As(err, &known) {
		cause = known.GetMessage()
		if token := known.GetToken(); token != nil && token.Position != nil {
			where = fmt.Sprintf("%s:%d:%d", p.file, token.Position.Line, token.Position.Column)
		}
	}
	return &exchange.Problem{Code: "YM-MAN-0104", Kind: exchange.Invalid,
		What: text(where+"：不能识读："+cause, where+": cannot be read: "+cause),
		Mend: text("请核对该处的缩进、引号、冒号后的空格和值的类型", "check the indentation, the quotes, the space after colons and the type of the value there")}
}
