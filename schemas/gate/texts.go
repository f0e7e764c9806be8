package gate

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/onedoor/yimen/exchange"
)

// What the validator finds, said in both languages. The texts name what the schema wants, never what the document has.

func finding(at, keyword, zh, en, mendZH, mendEN string) Finding {
	return Finding{Pointer: at, Keyword: keyword, What: exchange.Text{ZH: zh, EN: en}, Mend: exchange.Text{ZH: mendZH, EN: mendEN}}
}

func missing(at string) Finding {
	return finding(at, "required", "必填，但没有提供", "is required and missing", "补上这个字段", "give this field")
}

func surplus(at string) Finding {
	return finding(at, "additionalProperties", "Schema 里没有这个字段", "is no field of the schema",
		"删掉它，或者检查字段名的拼写和大小写", "remove it, or check the spelling and case of its name")
}

// noBranch tells of a value that fits none of several branches.
func noBranch(at string, e *jsonschema.ValidationError) Finding {
	keyword := e.ErrorKind.KeywordPath()[0]
	if k, ok := e.ErrorKind.(*kind.OneOf); ok && len(k.Subschemas) > 0 {
		return finding(at, keyword, "同时符合几种互斥的写法", "fits several forms that exclude each other", "只保留其中一种", "keep one of them")
	}
	var options []string
	for _, c := range e.Causes {
		r, ok := c.ErrorKind.(*kind.Required)
		if !ok {
			return finding(at, keyword, "不符合任何一种允许的写法", "fits none of the allowed forms", "对照 Schema 和示例选一种写法", "choose one of the forms in the schema and its examples")
		}
		options = append(options, strings.Join(r.Missing, "+"))
	}
	list := strings.Join(options, " | ")
	return finding(at, keyword, "几组字段一组也没有", "has none of several groups of fields", "至少提供其中一组："+list, "give at least one of: "+list)
}

// leaf tells of one failed keyword.
func leaf(at string, k jsonschema.ErrorKind) Finding {
	keyword := "schema"
	if p := k.KeywordPath(); len(p) > 0 {
		keyword = p[0]
	}
	var zh, en, mendZH, mendEN string
	switch k := k.(type) {
	case *kind.Format:
		what, mend := formatTexts(k.Want, k.Err)
		return Finding{Pointer: at, Keyword: keyword, What: what, Mend: mend}
	case *kind.Type:
		zh, en, mendZH, mendEN = typeTexts(k)
	case *kind.Enum:
		list := wanted(k.Want)
		zh, en, mendZH, mendEN = "不在允许的取值之内", "is none of the allowed values", "改为下列之一："+list, "use one of: "+list
	case *kind.Const:
		list := wanted([]any{k.Want})
		zh, en, mendZH, mendEN = "不是规定的值", "is not the one value allowed", "改为 "+list, "write "+list
	case *kind.Pattern:
		want := cut(k.Want, 120)
		zh, en, mendZH, mendEN = "写法不符合要求", "is not written as required", "按模式 "+want+" 改写（注意全角字符和空格）", "match the pattern "+want+" (mind full-width characters and spaces)"
	case *kind.MinLength:
		zh, en, mendZH, mendEN = "太短", "is too short", fmt.Sprintf("至少 %d 个字符；没有内容就不要提供这个字段", k.Want), fmt.Sprintf("at least %d characters; leave the field out where there is nothing to say", k.Want)
	case *kind.MaxLength:
		zh, en, mendZH, mendEN = "太长", "is too long", fmt.Sprintf("最多 %d 个字符", k.Want), fmt.Sprintf("at most %d characters", k.Want)
	case *kind.PropertyNames:
		zh, en, mendZH, mendEN = "有字段名不合规定", "has a field whose name is not allowed", "改正字段名", "correct the name of the field"
	case *kind.FalseSchema:
		zh, en, mendZH, mendEN = "不允许出现", "is not allowed here", "删掉它", "remove it"
	default:
		zh, en, mendZH, mendEN = countTexts(keyword, k)
	}
	return finding(at, keyword, zh, en, mendZH, mendEN)
}

func typeTexts(k *kind.Type) (zh, en, mendZH, mendEN string) {
	names := map[string]string{"string": "文本（加引号）", "number": "数字（不加引号）", "integer": "整数（不加引号）",
		"object": "对象 { }", "array": "数组 [ ]", "boolean": "true 或 false", "null": "null"}
	var wantZH []string
	for _, t := range k.Want {
		wantZH = append(wantZH, names[t])
	}
	return "类型不对", "is of the wrong type", "写成" + strings.Join(wantZH, "或者"), "write a value of type " + strings.Join(k.Want, " or ")
}

// countTexts tells of limits on numbers and counts, and of whatever else there may be.
func countTexts(keyword string, k jsonschema.ErrorKind) (zh, en, mendZH, mendEN string) {
	limit := func(zhMend, enMend string, n any) (string, string, string, string) {
		return "超出范围", "is out of range", fmt.Sprintf(zhMend, n), fmt.Sprintf(enMend, n)
	}
	switch k := k.(type) {
	case *kind.MinItems:
		return limit("至少 %d 项", "at least %d elements", k.Want)
	case *kind.MaxItems:
		return limit("最多 %d 项", "at most %d elements", k.Want)
	case *kind.MinProperties:
		return limit("至少 %d 个字段", "at least %d fields", k.Want)
	case *kind.MaxProperties:
		return limit("最多 %d 个字段", "at most %d fields", k.Want)
	case *kind.Minimum:
		return limit("不小于 %s", "at least %s", decimal(k.Want))
	case *kind.Maximum:
		return limit("不大于 %s", "at most %s", decimal(k.Want))
	case *kind.ExclusiveMinimum:
		return limit("大于 %s", "more than %s", decimal(k.Want))
	case *kind.ExclusiveMaximum:
		return limit("小于 %s", "less than %s", decimal(k.Want))
	case *kind.MultipleOf:
		return limit("应是 %s 的整数倍", "a multiple of %s", decimal(k.Want))
	case *kind.UniqueItems:
		return "有重复的项", "has the same element twice", "每项只写一次", "write each element once"
	case *kind.Dependency:
		list := strings.Join(k.Missing, " ")
		return "缺少随附的字段", "lacks fields that go with another", "补上：" + list, "add: " + list
	}
	return "不符合 Schema 的规定（" + keyword + "）", "does not meet the schema's keyword " + keyword, "对照 Schema 和示例改正", "compare it with the schema and its examples"
}

func decimal(n *big.Rat) string {
	if n.IsInt() {
		return n.RatString()
	}
	f, _ := n.Float64()
	return fmt.Sprint(f)
}

// wanted lists values of the schema.
func wanted(values []any) string {
	var list []string
	for _, v := range values[:min(len(values), 30)] {
		switch v.(type) {
		case map[string]any, []any:
			list = append(list, "…")
		default:
			list = append(list, cut(fmt.Sprint(v), 60))
		}
	}
	if len(values) > len(list) {
		list = append(list, "…")
	}
	return strings.Join(list, " | ")
}
