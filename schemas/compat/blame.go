package compat

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// blameOf asks the validator which keyword of a node refuses a value.
func blameOf(n *node, v any) blame {
	if n.s == nil {
		return blame{}
	}
	var refusal *jsonschema.ValidationError
	if !errors.As(n.s.Validate(v), &refusal) {
		return blame{}
	}
	found := leaves(refusal, nil)
	if len(found) == 0 {
		return blame{}
	}
	return slices.MinFunc(found, func(a, b blame) int {
		return cmp.Or(cmp.Compare(a.pointer, b.pointer), cmp.Compare(a.rule, b.rule))
	})
}

// leaves are the innermost keywords of a refusal; anyOf, oneOf and not are not looked into.
func leaves(e *jsonschema.ValidationError, list []blame) []blame {
	path := e.ErrorKind.KeywordPath()
	keyword := ""
	if len(path) > 0 {
		keyword = path[0]
	}
	rule, final := ruleOf[keyword]
	if len(e.Causes) > 0 && !final {
		for _, cause := range e.Causes {
			list = leaves(cause, list)
		}
		return list
	}
	_, fragment, _ := strings.Cut(e.SchemaURL, "#")
	if plain, err := url.PathUnescape(fragment); err == nil {
		fragment = plain
	}
	if !final {
		return append(list, blame{ruleFalse, fragment})
	}
	return append(list, blame{rule, fragment + "/" + keyword})
}

// ruleOf is the rule of each keyword that the validator names and that is not looked into.
var ruleOf = map[string]string{"type": ruleType, "enum": ruleEnum, "const": ruleConst, "minimum": ruleMinimum,
	"exclusiveMinimum": ruleMinimum, "maximum": ruleMaximum, "exclusiveMaximum": ruleMaximum, "multipleOf": ruleMultipleOf,
	"minLength": ruleMinLength, "maxLength": ruleMaxLength, "pattern": rulePattern, "format": ruleFormat,
	"contentEncoding": ruleContent, "contentMediaType": ruleContent, "contentSchema": ruleContent,
	"minProperties": ruleMinProperties, "maxProperties": ruleMaxProperties, "required": ruleRequired,
	"propertyNames": ruleNames, "dependencies": ruleDependency, "dependentRequired": ruleDependency,
	"additionalProperties": ruleAdditional, "additionalItems": ruleItems, "minItems": ruleMinItems, "maxItems": ruleMaxItems,
	"uniqueItems": ruleUnique, "contains": ruleContains, "minContains": ruleContains, "maxContains": ruleContains,
	"anyOf": ruleAnyOf, "oneOf": ruleOneOf, "not": ruleNot}
