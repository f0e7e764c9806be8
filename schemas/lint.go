package schemas

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/onedoor/yimen/schemas/gate"
)

// role says what a subschema is for, and with it what it owes.
type role int

const (
	condition role = iota // narrows what another schema describes: branches, if, not, contains
	content               // describes a value on its own, so it must say all that may stand there
	property              // content with a name people see, so it needs titles
)

// roles are the keywords of draft-07 that hold subschemas, with what these owe where their parent is content.
func roles() map[string]role {
	return map[string]role{
		"properties": property, "patternProperties": content, "definitions": content,
		"items": content, "additionalItems": content, "additionalProperties": content,
		"allOf": condition, "anyOf": condition, "oneOf": condition,
		"if": condition, "then": condition, "else": condition, "not": condition,
		"contains": condition, "propertyNames": condition, "dependencies": condition,
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

// draft07 is the one draft of evidence schemas.
const draft07 = 7

// lint looks for what a validator would let pass and people would regret: keywords nobody checks, open content,
// unknown formats, loose patterns, numbers that are names, references that leave the document.
type lint struct {
	known map[string]bool
	found []*gate.Fault
}

func newLint() *lint {
	l := &lint{known: map[string]bool{}}
	for _, k := range slices.Concat(assertions(), slices.Collect(maps.Keys(roles()))) {
		l.known[k] = true
	}
	return l
}

func (l *lint) add(code, at, zh, en, mendZH, mendEN string) {
	l.found = append(l.found, gate.SchemaFault(code, at, zh, en, mendZH, mendEN))
}

// dialect admits draft-07, which is also what a schema without $schema is taken for.
func (l *lint) dialect(root map[string]any) {
	uri, named := root["$schema"]
	if s, ok := uri.(string); named && (!ok || strings.TrimSuffix(s, "#") != "http://json-schema.org/draft-07/schema") {
		l.add("YM-SCH-0102", "/$schema", "不是 draft-07", "this is not draft-07",
			`写成 "$schema": "http://json-schema.org/draft-07/schema#"`, `write "$schema": "http://json-schema.org/draft-07/schema#"`)
	}
}

func (l *lint) schema(v any, at string, r role) {
	node, ok := v.(map[string]any)
	if !ok {
		if v == true && r != condition {
			l.open(at, "这里接受任何内容", "anything is accepted here")
		}
		return // false, or what the meta-schema refuses
	}
	l.keywords(node, at)
	if _, ok := node["$ref"]; ok {
		l.reference(node, at)
		return
	}
	l.text(node, at)
	if r == property || at == "" {
		l.titled(node, at)
	}
	if r == property {
		l.identifier(node, at)
	}
	if r != condition {
		l.closed(node, at)
	}
	for child := range gate.Children(node, draft07) {
		l.schema(child.Schema, at+child.Pointer, roleOf(child, node, r))
	}
}

// roleOf is what a subschema owes.
func roleOf(child gate.Child, node map[string]any, r role) role {
	own := roles()[child.Keyword]
	switch child.Keyword {
	case "definitions":
		return own
	case "allOf", "anyOf", "oneOf":
		if r != condition && !typed(node) && (child.Keyword != "allOf" || typed(child.Schema)) {
			return content // the branches stand in for the schema's own content
		}
	}
	if r == condition {
		return condition
	}
	return own
}

// reference checks a schema that is a reference: within the definitions, with nothing beside it that draft-07 ignores.
func (l *lint) reference(node map[string]any, at string) {
	for _, k := range slices.Sorted(maps.Keys(node)) {
		if !slices.Contains(besideRef(), k) {
			l.add("YM-SCH-0107", at+"/"+gate.Escape(k), "$ref 旁边的 "+strconv.Quote(k)+" 不起作用", strconv.Quote(k)+" beside $ref has no effect",
				`写成 "allOf": [{"$ref": …}]，再加其他关键字`, `write "allOf": [{"$ref": …}] and the other keywords beside it`)
		}
	}
	ref, ok := node["$ref"].(string)
	if !ok {
		return // the gate tells of it
	}
	if name, ok := strings.CutPrefix(ref, definitionsPrefix); ref == "#" || ok && exactName(name) {
		return
	}
	l.add("YM-SCH-0107", at+"/$ref", "引用指向本文件 definitions 之外", "the reference leaves this document's definitions",
		"把被引用的内容抄进 definitions，写成 #/definitions/名称；不读取网址和别的文件", "copy what it refers to into definitions and write #/definitions/NAME; addresses and other files are never read")
}

// exactName says whether a definition's name is the same in a pointer and in the document.
func exactName(name string) bool { return name != "" && !strings.ContainsAny(name, "/~%") }

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

func (l *lint) keywords(node map[string]any, at string) {
	for _, k := range slices.Sorted(maps.Keys(node)) {
		switch {
		case strings.HasPrefix(k, "x-"):
			if f := extension(k, at); f != nil {
				l.found = append(l.found, f)
			}
		case !l.known[k]:
			l.add("YM-SCH-0103", at+"/"+gate.Escape(k), "关键字 "+strconv.Quote(k)+" 不属于 draft-07，或者没有人检查它", "keyword "+strconv.Quote(k)+" is not of draft-07, or nothing checks it",
				"检查拼写；不需要就删掉。较新草案的 $defs 写成 definitions", "check the spelling or remove it; $defs of newer drafts is definitions here")
		case k == "$id" && at != "":
			l.add("YM-SCH-0113", at+"/$id", "内层不能有 $id", "$id is allowed at the top only", "删掉内层的 $id，用 #/definitions/名称 引用", "remove it and refer by #/definitions/NAME")
		}
	}
}

// text checks the keywords about strings. Whether a pattern compiles the gate has checked.
func (l *lint) text(node map[string]any, at string) {
	if f, ok := node["format"].(string); ok && !slices.Contains(gate.Formats(), f) {
		list := strings.Join(gate.Formats(), " ")
		l.add("YM-SCH-0106", at+"/format", "未知的格式 "+strconv.Quote(f)+"，不会有任何检查", "unknown format "+strconv.Quote(f)+", which would check nothing", "可用的格式："+list, "formats there are: "+list)
	}
	if p, ok := node["pattern"].(string); ok && gate.Loose(p) {
		l.add("YM-SCH-0110", at+"/pattern", "正则表达式没有锚定，部分匹配也会通过", "the pattern is not anchored: a partial match would pass",
			"写成 ^…$；有多个分支时写成 ^(…|…)$", "write ^…$, and ^(…|…)$ where there are alternatives")
	}
}

// titled checks that a person can be shown a name in both languages.
func (l *lint) titled(node map[string]any, at string) {
	zh, _ := node["title"].(string)
	en, _ := node["x-title-en"].(string)
	if strings.IndexFunc(zh, func(r rune) bool { return unicode.Is(unicode.Han, r) }) < 0 {
		l.add("YM-SCH-0111", at, "缺少中文名称", "a Chinese title is missing", `加上 "title": "中文名称"`, `add "title" in Chinese`)
	}
	if strings.TrimSpace(en) == "" {
		l.add("YM-SCH-0111", at, "缺少英文名称", "an English title is missing", `加上 "x-title-en": "English title"`, `add "x-title-en"`)
	}
}

// identifier checks that a number by which something is named is a string: as a number it would lose zeros in front, the
// letter X and, in many readers, its last digits.
func (l *lint) identifier(node map[string]any, at string) {
	if !slices.ContainsFunc(typesOf(node), func(t string) bool { return t == "integer" || t == "number" }) {
		return
	}
	title, _ := node["title"].(string)
	if namesSomething(at[strings.LastIndexByte(at, '/')+1:], title) {
		l.add("YM-SCH-0126", at+"/type", "编号写成了数字", "an identifier is a number",
			`写成 "type": "string"，加 format 或者锚定的 pattern`, `write "type": "string" with a format or an anchored pattern`)
	}
}

// namesSomething says whether a field of that name or title identifies something.
func namesSomething(name, title string) bool {
	for _, ending := range []string{"号码", "编号", "证号", "文号", "代码", "标识"} {
		if strings.HasSuffix(title, ending) {
			return true
		}
	}
	for _, ending := range []string{"Number", "Code", "Id", "ID", "No", "_number", "_code", "_id", "_no"} {
		if strings.HasSuffix(name, ending) {
			return true
		}
	}
	return slices.Contains([]string{"number", "code", "id", "no"}, strings.ToLower(name))
}

// closed checks that a schema that describes content says all that may stand there.
func (l *lint) closed(node map[string]any, at string) {
	if !typed(node) {
		l.alternatives(node, at)
		return
	}
	types := typesOf(node)
	if len(types) == 0 {
		return // enum or const
	}
	_, named := node["properties"]
	object := slices.Contains(types, "object")
	switch {
	case object && node["additionalProperties"] != false:
		l.open(at, "对象没有封闭", "the object is not closed")
	case named && !object:
		l.open(at, "有 properties，类型却不是 object", "it has properties and is no object")
	}
	if slices.Contains(types, "array") {
		if _, list := node["items"].([]any); list && node["additionalItems"] != false || node["items"] == nil {
			l.open(at, "数组没有说明元素", "the array does not say what its elements are")
		}
	}
}

// alternatives checks a schema without a type: its branches must describe the content in its place.
func (l *lint) alternatives(node map[string]any, at string) {
	for _, keyword := range []string{"anyOf", "oneOf"} {
		if list, ok := node[keyword].([]any); ok && len(list) > 0 {
			return // each is looked at as content
		}
	}
	if list, ok := node["allOf"].([]any); !ok || !slices.ContainsFunc(list, typed) {
		l.open(at, "没有写明类型", "no type is given")
	}
}

func (l *lint) open(at, zh, en string) {
	l.add("YM-SCH-0105", at, zh+"，未说明的内容会混进记录", en+": undescribed content would slip into records",
		`写明 "type"；对象加 "additionalProperties": false，数组加 "items"`, `give a "type"; objects need "additionalProperties": false, arrays "items"`)
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
