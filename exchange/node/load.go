package node

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/onedoor/yimen/exchange"
)

// LoadConfig reads a YAML file. Relative paths in it are meant from its directory. The error joins everything that is wrong,
// each an *exchange.Problem with its line.
func LoadConfig(path string) (Config, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return Config{}, unreadable(path, "", err)
	}
	c, err := parseConfig(path, content)
	if err != nil {
		return Config{}, err
	}
	base := filepath.Dir(path)
	v := &c.Vault
	for _, p := range []*string{&c.Data, &c.TLS.Cert, &c.TLS.Key, &c.Callers, &c.Kafka.TLS.CA, &c.Kafka.TLS.Cert, &c.Kafka.TLS.Key,
		&c.Login.CA, &c.Traces.CA, &v.CA, &v.Login.SecretID, &v.Login.Cert, &v.Login.Key} {
		*p = from(base, *p)
	}
	for _, list := range [][]string{c.Catalogue, c.Schemas} {
		for i := range list {
			list[i] = from(base, list[i])
		}
	}
	return c, nil
}

func from(base, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}

func parseConfig(path string, content []byte) (Config, error) {
	var c Config
	r := reader{lines: map[string]int{}}
	parsed, err := parser.ParseBytes(bytes.TrimPrefix(content, []byte("\ufeff")), 0) // Windows' Notepad writes the mark
	if err != nil {
		line, why := told(err)
		return c, unreadable(fmt.Sprintf("%s:%d", path, line), why, nil)
	}
	for i, doc := range parsed.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		if i > 0 {
			return c, unreadable(path, "more than one document", nil)
		}
		r.read(doc.Body, reflect.ValueOf(&c).Elem(), "")
	}
	if len(r.found) == 0 { // what could not be read would be called missing
		r.found = c.withDefaults().check()
	}
	return c, problems(r.found, func(key string) string {
		if line, ok := r.lines[key]; ok {
			return fmt.Sprintf("%s:%d", path, line)
		}
		return path
	})
}

// reader reads settings key by key, so that all findings are told at once, each with its line.
type reader struct {
	lines map[string]int // by key, such as "kafka.listen"
	found []finding
}

func (r *reader) read(node ast.Node, into reflect.Value, at string) {
	if into.Kind() != reflect.Struct {
		if err := yaml.NodeToValue(node, into.Addr().Interface(), yaml.Strict()); err != nil {
			r.refuse(at, node, text(at+" 的值类型不符", at+" has a value of another type"), text("应为 "+kindOf(into.Type()).ZH, "write "+kindOf(into.Type()).EN))
		}
		return
	}
	if node.Type() == ast.NullType {
		return
	}
	settings, ok := node.(ast.MapNode)
	if !ok {
		r.refuse(at, node, text("这里须是设置项", "settings must stand here"), allowed(into.Type()))
		return
	}
	for i := settings.MapRange(); i.Next(); {
		key := i.Key().String()
		if name, ok := i.Key().(*ast.StringNode); ok {
			key = name.Value
		}
		field, full := fieldOf(into, key), strings.TrimPrefix(at+"."+key, ".")
		if !field.IsValid() {
			r.refuse(full, i.KeyValue(), text("不认识的键 "+full, "unknown key "+full), allowed(into.Type()))
			continue
		}
		r.lines[full] = lineOf(i.KeyValue())
		r.read(i.Value(), field, full)
	}
}

func (r *reader) refuse(key string, node ast.Node, what, mend exchange.Text) {
	r.lines[key] = lineOf(node)
	r.found = append(r.found, finding{key, what, mend})
}

func lineOf(node ast.Node) int {
	if token := node.GetToken(); token != nil && token.Position != nil {
		return token.Position.Line
	}
	return 1
}

func fieldOf(settings reflect.Value, key string) reflect.Value {
	for i := range settings.NumField() {
		if settings.Type().Field(i).Tag.Get("yaml") == key {
			return settings.Field(i)
		}
	}
	return reflect.Value{}
}

func allowed(settings reflect.Type) exchange.Text {
	var keys []string
	for i := range settings.NumField() {
		keys = append(keys, settings.Field(i).Tag.Get("yaml"))
	}
	return text("此处可写："+strings.Join(keys, "、"), "here may stand: "+strings.Join(keys, ", "))
}

func kindOf(t reflect.Type) exchange.Text {
	switch {
	case t.String() == "time.Duration":
		return text("时长，例如 1m", "a time span, such as 1m")
	case t.Kind() == reflect.Slice:
		return text("列表，例如 [a, b]", "a list, such as [a, b]")
	case t.Kind() == reflect.Map:
		return text("按名称列出的设置", "settings by name")
	case t.Kind() == reflect.Int:
		return text("整数", "a whole number")
	}
	return text("文字", "text")
}

// told is the line and the reason of an error of YAML, without the piece of the file it shows.
func told(err error) (line int, why string) {
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil || at.GetToken().Position == nil {
		return 1, "not YAML"
	}
	return at.GetToken().Position.Line, at.GetMessage()
}

func unreadable(place, why string, err error) error {
	return &exchange.Problem{Code: "YM-CFG-0103", Kind: exchange.Invalid, Err: err, Why: text(why, why),
		What: text("配置文件无法读取："+place, "configuration file cannot be read: "+place),
		Mend: text("检查路径和权限，或改正该行的缩进、引号和重复的键", "check its path and permissions, or mend the indentation, quotes and repeated keys on that line")}
}
