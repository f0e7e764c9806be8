package compat

import "github.com/onedoor/yimen/exchange"

// The rules, as programs know them. They never change their names.
const (
	ruleProperty         = "property_added_to_open"
	ruleRequired         = "required_added"
	ruleAdditional       = "additional_properties_closed"
	ruleUnevalProperties = "unevaluated_properties_closed"
	ruleType             = "type_narrowed"
	ruleEnum             = "enum_narrowed"
	ruleConst            = "const_changed"
	ruleMinimum          = "minimum_raised"
	ruleMaximum          = "maximum_lowered"
	ruleMultipleOf       = "multiple_of_changed"
	ruleMinLength        = "min_length_raised"
	ruleMaxLength        = "max_length_lowered"
	rulePattern          = "pattern_changed"
	ruleFormat           = "format_changed"
	ruleContent          = "content_changed"
	ruleMinProperties    = "min_properties_raised"
	ruleMaxProperties    = "max_properties_lowered"
	ruleNames            = "property_names_changed"
	ruleDependency       = "dependency_added"
	ruleItems            = "items_narrowed"
	ruleMinItems         = "min_items_raised"
	ruleMaxItems         = "max_items_lowered"
	ruleUnique           = "unique_items_added"
	ruleContains         = "contains_changed"
	ruleUnevalItems      = "unevaluated_items_closed"
	ruleAnyOf            = "any_of_changed"
	ruleOneOf            = "one_of_changed"
	ruleNot              = "not_changed"
	ruleDynamic          = "dynamic_reference"
	ruleFalse            = "schema_false"
	ruleUndecided        = "undecided"
)

// words is what a rule says to people.
type words struct{ what, mend exchange.Text }

func say(zh, en, mendZH, mendEN string) words {
	return words{exchange.Text{ZH: zh, EN: en}, exchange.Text{ZH: mendZH, EN: mendEN}}
}

var texts = map[string]words{
	ruleProperty: say("旧模式对此属性不作限制，新模式限制了它的值", "the old schema left this property open, the new one restricts its value",
		"先让旧模式封闭（additionalProperties: false），或者采用 LENIENT", "close the old schema first (additionalProperties: false), or compare with LENIENT"),
	ruleRequired: say("新模式要求一个旧文档可以没有的属性", "the new schema requires a property that old documents may lack",
		"把新属性设为可选", "make the property optional"),
	ruleAdditional: say("新模式拒绝旧模式允许的属性", "the new schema refuses a property that the old one allows",
		"保留该属性的声明，或者放宽 additionalProperties", "keep the property declared, or open additionalProperties"),
	ruleUnevalProperties: say("新模式拒绝旧模式允许的未求值属性", "the new schema refuses unevaluated properties that the old one allows",
		"声明这些属性，或者放宽 unevaluatedProperties", "declare the properties, or open unevaluatedProperties"),
	ruleType: say("新模式允许的类型变少", "the new schema allows fewer types",
		"保留旧的类型，例如 [\"string\", \"null\"]", "keep the old types, as in [\"string\", \"null\"]"),
	ruleEnum: say("新模式的枚举缺少旧模式允许的值", "the new enum lacks a value that the old schema allows",
		"在枚举里保留旧值", "keep the old values in the enum"),
	ruleConst: say("新模式的固定值与旧文档不同", "the new const differs from what old documents hold",
		"改用同时含新旧值的 enum", "use an enum with the old and the new value"),
	ruleMinimum: say("新模式的下限高于旧模式", "the new lower bound is above the old one",
		"保留旧的下限", "keep the old lower bound"),
	ruleMaximum: say("新模式的上限低于旧模式", "the new upper bound is below the old one",
		"保留旧的上限", "keep the old upper bound"),
	ruleMultipleOf: say("旧的数值不都是新 multipleOf 的倍数", "old numbers are not all multiples of the new multipleOf",
		"采用能整除旧值的 multipleOf", "use a multipleOf that divides the old one"),
	ruleMinLength: say("新模式要求更长的字符串", "the new schema asks for longer strings",
		"保留旧的 minLength", "keep the old minLength"),
	ruleMaxLength: say("新模式只接受更短的字符串", "the new schema accepts shorter strings only",
		"保留旧的 maxLength", "keep the old maxLength"),
	rulePattern: say("新的 pattern 拒绝旧模式允许的字符串", "the new pattern refuses strings that the old schema allows",
		"放宽 pattern，或者用 anyOf 同时允许新旧写法", "widen the pattern, or allow both by anyOf"),
	ruleFormat: say("新的 format 拒绝旧模式允许的字符串", "the new format refuses strings that the old schema allows",
		"保留旧的 format，或者用 anyOf 同时允许", "keep the old format, or allow both by anyOf"),
	ruleContent: say("内容编码的要求有变，无法比较", "what is asked of the content changed; it cannot be compared",
		"保留旧的 contentEncoding 和 contentMediaType", "keep the old contentEncoding and contentMediaType"),
	ruleMinProperties: say("新模式要求更多属性", "the new schema asks for more properties",
		"保留旧的 minProperties", "keep the old minProperties"),
	ruleMaxProperties: say("新模式只允许更少属性", "the new schema allows fewer properties",
		"保留旧的 maxProperties", "keep the old maxProperties"),
	ruleNames: say("新的 propertyNames 拒绝旧模式允许的属性名", "the new propertyNames refuses a name that the old schema allows",
		"放宽 propertyNames", "widen propertyNames"),
	ruleDependency: say("新模式在某属性出现时要求另一属性", "the new schema asks for a property where another one is present",
		"去掉新的依赖", "remove the new dependency"),
	ruleItems: say("新模式拒绝旧模式允许的数组元素", "the new schema refuses items that the old one allows",
		"放宽该处的元素模式", "widen the schema of the items there"),
	ruleMinItems: say("新模式要求更多元素", "the new schema asks for more items",
		"保留旧的 minItems", "keep the old minItems"),
	ruleMaxItems: say("新模式只允许更少元素", "the new schema allows fewer items",
		"保留旧的 maxItems", "keep the old maxItems"),
	ruleUnique: say("新模式不允许重复元素", "the new schema refuses items that repeat",
		"去掉 uniqueItems", "remove uniqueItems"),
	ruleContains: say("新的 contains 拒绝旧模式允许的数组", "the new contains refuses arrays that the old schema allows",
		"保留旧的 contains、minContains、maxContains", "keep the old contains, minContains and maxContains"),
	ruleUnevalItems: say("新模式拒绝旧模式允许的未求值元素", "the new schema refuses unevaluated items that the old one allows",
		"放宽 unevaluatedItems", "open unevaluatedItems"),
	ruleAnyOf: say("旧文档不符合 anyOf 的任何一支", "an old document fits no branch of anyOf",
		"保留旧的分支", "keep the old branches"),
	ruleOneOf: say("旧文档不恰好符合 oneOf 的一支", "an old document does not fit exactly one branch of oneOf",
		"保留旧的分支并使各支互斥，或者改用 anyOf", "keep the old branches and keep them apart, or use anyOf"),
	ruleNot: say("新的 not 排除了旧模式允许的文档", "the new not excludes documents that the old schema allows",
		"缩小 not 的范围", "narrow what not excludes"),
	ruleDynamic: say("动态引用的含义取决于引用路径，无法比较", "what the dynamic reference means depends on the way to it; it cannot be compared",
		"改用 $ref", "use $ref"),
	ruleFalse: say("新模式在此拒绝一切", "the new schema refuses everything here",
		"保留旧的模式", "keep the old schema"),
	ruleUndecided: say("无法判定两个模式是否兼容，按不兼容处理", "it cannot be decided whether the schemas are compatible, so they do not count as compatible",
		"简化嵌套的 anyOf、oneOf、not，或者分步修改", "simplify nested anyOf, oneOf and not, or change the schema in smaller steps"),
}
