package catalogue

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/onedoor/yimen/exchange"
)

// file reads one YAML file node by node rather than into structs, so that every finding has its line and
// all of them are told at once. What cannot be read is reported and comes back as the zero value.
type file struct {
	path     string
	findings *findings
}

// entry is one key of a mapping with its value.
type entry struct {
	key   string
	at    ast.Node
	value ast.Node
}

// parse gives the one document of the file, nil where it is empty or unreadable.
func (f *file) parse(content []byte) ast.Node {
	parsed, err := parser.ParseBytes(content, 0)
	if err != nil {
		line, cause := 0, "not YAML"
		var at yaml.Error
		if errors.As(err, &at) {
			cause = at.GetMessage()
			if token := at.GetToken(); token != nil && token.Position != nil {
				line = token.Position.Line
			}
		}
		f.findings.add("YM-CAT-0101", f.path, line,
			text("不是可读的 YAML："+cause, "not readable YAML: "+cause),
			text("按提示改正该行的缩进、引号或重复的键", "mend the indentation, quotes or repeated key on that line"))
		return nil
	}
	var document ast.Node
	for _, doc := range parsed.Docs {
		switch {
		case doc.Body == nil || doc.Body.Type() == ast.NullType || doc.Body.Type() == ast.CommentType:
		case document != nil:
			f.report("YM-CAT-0101", doc.Body, text("一个文件里有多份文档", "more than one document in the file"),
				text("把“---”之后的内容移到另一个文件", "move what follows '---' to a file of its own"))
		default:
			document = doc.Body
		}
	}
	return document
}

func (f *file) report(code string, at ast.Node, what, mend exchange.Text) {
	f.findings.add(code, f.path, line(at), what, mend)
}

func line(n ast.Node) int {
	if n == nil {
		return 0
	}
	token := n.GetToken()
	if token == nil || token.Position == nil {
		return 0
	}
	return token.Position.Line
}

// entries lists a mapping's keys and values in the order written.
func (f *file) entries(n ast.Node) []entry {
	mapping, ok := n.(ast.MapNode)
	if !ok {
		f.wrongKind(n, "键值对", "keys with values")
		return nil
	}
	var all []entry
	for i := mapping.MapRange(); i.Next(); {
		key := i.Key()
		if key.Type() != ast.StringType {
			f.wrongKind(i.KeyValue(), "以普通文字为键", "a plain word as the key")
			continue
		}
		all = append(all, entry{key: key.(*ast.StringNode).Value, at: i.KeyValue(), value: i.Value()})
	}
	return all
}

// fields reads a mapping whose keys are fixed. Optional keys end in "?".
func (f *file) fields(n ast.Node, keys ...string) map[string]ast.Node {
	known := make([]string, len(keys))
	for i, key := range keys {
		known[i] = strings.TrimSuffix(key, "?")
	}
	found := map[string]ast.Node{}
	for _, e := range f.entries(n) {
		if !slices.Contains(known, e.key) {
			f.report("YM-CAT-0102", e.at, text("不认识的键 "+e.key, "unknown key "+e.key),
				suggestion(e.key, known))
			continue
		}
		found[e.key] = e.value
	}
	for _, key := range keys {
		if _, ok := found[key]; !ok && !strings.HasSuffix(key, "?") {
			f.report("YM-CAT-0103", n, text("缺少 "+key, key+" is missing"), text("补上 "+key, "add "+key))
		}
	}
	return found
}

// list gives the elements of a sequence.
func (f *file) list(n ast.Node) []ast.Node {
	if n == nil {
		return nil
	}
	sequence, ok := n.(*ast.SequenceNode)
	if !ok {
		f.wrongKind(n, "列表", "a list")
		return nil
	}
	return sequence.Values
}

// word reads non-empty text. A nil node is a missing key, which fields has reported already.
func (f *file) word(n ast.Node) string {
	if n == nil {
		return ""
	}
	value := ""
	switch n := n.(type) {
	case *ast.StringNode:
		value = n.Value
	case *ast.LiteralNode:
		value = n.Value.Value
	default:
		f.wrongKind(n, "文字（数字和真假值要加引号）", "text (put numbers and truth values in quotes)")
		return ""
	}
	if value = strings.TrimSpace(value); value == "" {
		f.wrongKind(n, "非空的文字", "text that is not empty")
	}
	return value
}

// name reads a word that can name a department, a type or an item.
func (f *file) name(n ast.Node) string { return f.checkName(n, f.word(n)) }

func (f *file) checkName(at ast.Node, word string) string {
	if word == "" || exchange.ValidName(word) {
		return word
	}
	f.report("YM-CAT-0105", at, text("代码 "+word+" 的写法不对", "the code "+word+" is not well formed"),
		text("代码只用小写字母和数字，以单个连字符分组，以字母开头，不超过 64 个字符",
			"use lower-case letters and digits in groups joined by single hyphens, a letter first, at most 64 characters"))
	return ""
}

// choice reads one of a few words.
func (f *file) choice(n ast.Node, words ...string) string {
	word := f.word(n)
	if word != "" && !slices.Contains(words, word) {
		f.report("YM-CAT-0104", n, text("不能写 "+word, word+" cannot stand here"),
			text("可写："+strings.Join(words, "、"), "write one of: "+strings.Join(words, ", ")))
		return ""
	}
	return word
}

// text reads a name or a basis in both languages; English may be missing.
func (f *file) text(n ast.Node) exchange.Text {
	if n == nil {
		return exchange.Text{}
	}
	found := f.fields(n, "zh", "en?")
	return exchange.Text{ZH: f.word(found["zh"]), EN: f.word(found["en"])}
}

// flag reads true or false, false where it is missing.
func (f *file) flag(n ast.Node) bool {
	if n == nil {
		return false
	}
	flag, ok := n.(*ast.BoolNode)
	if !ok {
		f.wrongKind(n, "true 或 false", "true or false")
		return false
	}
	return flag.Value
}

// date reads a day.
func (f *file) date(n ast.Node) exchange.Date {
	word := f.word(n)
	if word == "" {
		return ""
	}
	day, err := exchange.ParseDate(word)
	if err != nil {
		f.wrongKind(n, "存在的日期，如 2026-12-31", "a day that exists, such as 2026-12-31")
	}
	return day
}

// duration reads a time span such as 72h, more than none and at most a year.
func (f *file) duration(n ast.Node) time.Duration {
	word := f.word(n)
	if word == "" {
		return 0
	}
	d, err := time.ParseDuration(word)
	if err != nil || d <= 0 || d > 366*24*time.Hour {
		f.wrongKind(n, "一年以内的时长，如 72h 或 30m", "a time span within a year, such as 72h or 30m")
		return 0
	}
	return d
}

func (f *file) wrongKind(at ast.Node, zh, en string) {
	f.report("YM-CAT-0104", at, text("这里要写"+zh, "this must be "+en),
		text("改成"+zh, fmt.Sprintf("write %s", en)))
}
