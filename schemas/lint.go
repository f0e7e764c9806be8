package schemas

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/onedoor/yimen/exchange"
)

// role says what a subschema is for, and with it what it owes.
type role int

const (
	condition role = iota // narrows what another schema describes: branches, if, not, contains
	content               // describes a value on its own, so it must say all that may stand there
	property              // content with a name people see, so it needs titles
)

// shape says how a keyword holds its subschemas.
type shape int

const (
	one  shape = iota // a schema, or for items a list of them
	many              // a list
	byName
)

// applicators are the keywords of draft-07 that hold subschemas, with what these owe where their parent is content.
func applicators() map[string]struct {
	shape shape
	role  role
} {
	return map[string]struct {
		shape shape
		role  role
	}{
		"properties": {byName, property}, "patternProperties": {byName, content}, "definitions": {byName, content},
		"items": {one, content}, "additionalItems": {one, content}, "additionalProperties": {one, content},
		"allOf": {many, condition}, "anyOf": {many, condition}, "oneOf": {many, condition},
		"if": {one, condition}, "then": {one, condition}, "else": {one, condition}, "not": {one, condition},
		"contains": {one, condition}, "propertyNames": {one, condition}, "dependencies": {byName, condition},
	}
}

// assertions are the other keywords of draft-07 that are checked or kept. contentEncoding and contentMediaType are
// not among them: nothing would check them.
func assertions() []string {
	return []string{"$schema", "$id", "$ref", "$comment", "title", "description", "default", "examples", "readOnly", "writeOnly",
		"multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength", "pattern",
		"maxItems", "minItems", "uniqueItems", "maxProperties", "minProperties", "required", "const", "enum", "type", "format"}
}

// besideRef are the keywords that mean something beside a $ref; draft-07 ignores all others there.
func besideRef() []string {
	return []string{"$ref", "$comment", "title", "description", "x-title-en", "x-description-en", "x-sensitive"}
}

// lint looks for what a validator would let pass and people would regret: keywords nobody checks, open content,
// unknown formats, loose patterns, references that leave the document. It stops at the first problem.
type lint struct {
	known map[string]bool
}

func newLint() *lint {
	l := &lint{known: map[string]bool{}}
	for _, k := range slices.Concat(assertions(), slices.Collect(maps.Keys(applicators()))) {
		l.known[k] = true
	}
	return l
}

func (l *lint) schema(v any, at string, r role) error {
	node, ok := v.(map[string]any)
	if !ok {
		if v == true && r != condition {
			return notClosed(at, "这里接受任何内容", "anything is accepted here")
		}
		return nil // false, or what the meta-schema will refuse
	}
	if err := l.keywords(node, at); err != nil {
		return err
	}
	if _, ok := node["$ref"]; ok {
		return refAlone(node, at)
	}
	if err := text(node, at, r); err != nil {
		return err
	}
	if err := closed(node, at, r); err != nil {
		return err
	}
	return l.children(node, at, r)
}

func (l *lint) children(node map[string]any, at string, r role) error {
	table := applicators()
	for _, keyword := range slices.Sorted(maps.Keys(node)) {
		a, ok := table[keyword]
		if !ok {
			continue
		}
		for key, child := range subschemas(node[keyword], a.shape) {
			cr := a.role
			switch {
			case r == condition && keyword != "definitions":
				cr = condition
			case a.shape == many && !typed(node) && (keyword != "allOf" || typed(child)):
				cr = content // the branches stand in for the schema's own content
			}
			if err := l.schema(child, at+"/"+keyword+key, cr); err != nil {
				return err
			}
		}
	}
	return nil
}

// subschemas yields the schemas a keyword holds with the pointer below the keyword, in a fixed order.
func subschemas(v any, s shape) func(yield func(string, any) bool) {
	return func(yield func(string, any) bool) {
		switch v := v.(type) {
		case map[string]any:
			if s != byName {
				yield("", v)
				return
			}
			for _, name := range slices.Sorted(maps.Keys(v)) {
				if _, names := v[name].([]any); !names && !yield("/"+escape(name), v[name]) { // a dependency may be a list of names
					return
				}
			}
		case []any:
			for i, child := range v {
				if !yield(fmt.Sprintf("/%d", i), child) {
					return
				}
			}
		case bool:
			if s == one {
				yield("", v)
			}
		}
	}
}

// typed says whether a schema itself says what kind of value it describes.
func typed(v any) bool {
	node, ok := v.(map[string]any)
	if !ok {
		return v == false
	}
	for _, k := range []string{"type", "enum", "const", "$ref"} {
		if _, ok := node[k]; ok {
			return true
		}
	}
	return false
}

func (l *lint) keywords(node map[string]any, at string) error {
	for _, k := range slices.Sorted(maps.Keys(node)) {
		switch {
		case strings.HasPrefix(k, "x-"):
			if err := extension(k, at); err != nil {
				return err
			}
		case !l.known[k]:
			return schemaProblem("YM-SCH-0103", at, "关键字 "+quote(k)+" 不属于 draft-07，或者没有人检查它", "keyword "+quote(k)+" is not of draft-07, or nothing checks it",
				"检查拼写；不需要就删掉。较新草案的 $defs 写成 definitions", "check the spelling or remove it; $defs of newer drafts is definitions here")
		case k == "$id" && at != "":
			return schemaProblem("YM-SCH-0113", at, "内层不能有 $id", "$id is allowed at the top only", "删掉内层的 $id，用 #/definitions/名称 引用", "remove it and refer by #/definitions/NAME")
		}
	}
	return nil
}

// text checks the keywords about strings and the titles.
func text(node map[string]any, at string, r role) error {
	if f, ok := node["format"].(string); ok && !slices.Contains(knownFormats(), f) {
		list := strings.Join(knownFormats(), " ")
		return schemaProblem("YM-SCH-0106", at, "未知的格式 "+quote(f)+"，不会有任何检查", "unknown format "+quote(f)+", which would check nothing", "可用的格式："+list, "formats there are: "+list)
	}
	if p, ok := node["pattern"].(string); ok {
		if !compiles(p) {
			zh, en := patternHint(p)
			return schemaProblem("YM-SCH-0109", at, "正则表达式无法编译", "the pattern does not compile", zh, en)
		}
		if !anchored(p) {
			return schemaProblem("YM-SCH-0110", at, "正则表达式没有锚定，部分匹配也会通过", "the pattern is not anchored: a partial match would pass",
				"写成 ^…$；有多个分支时写成 ^(…|…)$", "write ^…$, and ^(…|…)$ where there are alternatives")
		}
	}
	if r == property || at == "" {
		return titled(node, at)
	}
	return nil
}

// titled checks that a person can be shown a name in both languages.
func titled(node map[string]any, at string) error {
	zh, _ := node["title"].(string)
	en, _ := node["x-title-en"].(string)
	if strings.IndexFunc(zh, func(r rune) bool { return unicode.Is(unicode.Han, r) }) < 0 {
		return schemaProblem("YM-SCH-0111", at, "缺少中文名称", "a Chinese title is missing", `加上 "title": "中文名称"`, `add "title" in Chinese`)
	}
	if strings.TrimSpace(en) == "" {
		return schemaProblem("YM-SCH-0111", at, "缺少英文名称", "an English title is missing", `加上 "x-title-en": "English title"`, `add "x-title-en"`)
	}
	return nil
}

// closed checks that a schema that describes content says all that may stand there.
func closed(node map[string]any, at string, r role) error {
	if r == condition {
		return nil
	}
	if !typed(node) {
		return alternatives(node, at)
	}
	types := typesOf(node)
	if len(types) == 0 {
		return nil // enum or const
	}
	if slices.Contains(types, "object") && node["additionalProperties"] != false {
		return notClosed(at, "对象没有封闭", "the object is not closed")
	}
	if _, ok := node["properties"]; ok && !slices.Contains(types, "object") {
		return notClosed(at, "有 properties，类型却不是 object", "it has properties and is no object")
	}
	if slices.Contains(types, "array") {
		if _, list := node["items"].([]any); list && node["additionalItems"] != false || node["items"] == nil {
			return notClosed(at, "数组没有说明元素", "the array does not say what its elements are")
		}
	}
	return nil
}

// alternatives checks a schema without a type: its branches must describe the content in its place.
func alternatives(node map[string]any, at string) error {
	for _, keyword := range []string{"anyOf", "oneOf"} {
		if list, ok := node[keyword].([]any); ok && len(list) > 0 {
			return nil // children checks each as content
		}
	}
	if list, ok := node["allOf"].([]any); ok && slices.ContainsFunc(list, typed) {
		return nil
	}
	return notClosed(at, "没有写明类型", "no type is given")
}

func typesOf(node map[string]any) []string {
	switch t := node["type"].(type) {
	case string:
		return []string{t}
	case []any:
		var types []string
		for _, v := range t {
			if s, ok := v.(string); ok {
				types = append(types, s)
			}
		}
		return types
	}
	return nil
}

func notClosed(at, zh, en string) error {
	return schemaProblem("YM-SCH-0105", at, zh+"，未说明的内容会混进记录", en+": undescribed content would slip into records",
		`写明 "type"；对象加 "additionalProperties": false，数组加 "items"`, `give a "type"; objects need "additionalProperties": false, arrays "items"`)
}

// schemaProblem is a problem at a place of a schema. Schemas hold no personal data, so the place is shown.
func schemaProblem(code, at, zh, en, mendZH, mendEN string) *exchange.Problem {
	place := cut("#"+at, 200)
	return &exchange.Problem{Code: code, Kind: exchange.Invalid,
		What: exchange.Text{ZH: zh, EN: en},
		Why:  exchange.Text{ZH: "位置 " + place, EN: "at " + place},
		Mend: exchange.Text{ZH: mendZH, EN: mendEN}}
}

// quote shows a name of a schema, cut to a length that fits a line.
func quote(s string) string { return fmt.Sprintf("%q", cut(s, 60)) }

func cut(s string, max int) string {
	for i := range s {
		if i > max {
			return s[:i] + "…"
		}
	}
	return s
}

// escape writes a name as a token of a JSON pointer.
func escape(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}
