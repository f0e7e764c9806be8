package gate

import (
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// shape says how a keyword holds its subschemas.
type shape int

const (
	one    shape = iota // a schema, or for items a list of them
	many                // a list
	byName              // an object of schemas
)

// holder is a keyword that holds subschemas, since a draft.
type holder struct {
	shape shape
	since int
}

// holderOf says how a keyword holds subschemas. None that does ever came to hold anything else.
func holderOf(keyword string) (holder, bool) {
	switch keyword {
	case "definitions", "properties", "patternProperties", "dependencies":
		return holder{byName, 4}, true
	case "items", "additionalItems", "additionalProperties", "not":
		return holder{one, 4}, true
	case "allOf", "anyOf", "oneOf":
		return holder{many, 4}, true
	case "contains", "propertyNames":
		return holder{one, 6}, true
	case "if", "then", "else":
		return holder{one, 7}, true
	case "$defs", "dependentSchemas":
		return holder{byName, 2020}, true
	case "prefixItems":
		return holder{many, 2020}, true
	case "unevaluatedItems", "unevaluatedProperties", "contentSchema":
		return holder{one, 2020}, true
	}
	return holder{}, false
}

// Child is a subschema of a schema.
type Child struct {
	Keyword string // that holds it
	Pointer string // below the schema, such as /properties/name
	Schema  any    // an object or a boolean, if the schema is sound
}

// Children are the subschemas of a schema of a draft (4, 6, 7 or 2020), in the same order each time.
func Children(node map[string]any, draft int) iter.Seq[Child] {
	return func(yield func(Child) bool) {
		for _, keyword := range slices.Sorted(maps.Keys(node)) {
			if h, ok := holderOf(keyword); ok && h.since <= draft && !h.children(keyword, node[keyword], yield) {
				return
			}
		}
	}
}

func (h holder) children(keyword string, v any, yield func(Child) bool) bool {
	at := "/" + keyword
	switch v := v.(type) {
	case map[string]any:
		if h.shape != byName {
			return yield(Child{keyword, at, v})
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if _, names := v[name].([]any); !names && !yield(Child{keyword, at + "/" + Escape(name), v[name]}) {
				return false // a dependency may be a list of names instead
			}
		}
	case []any:
		for i, child := range v {
			if !yield(Child{keyword, at + "/" + strconv.Itoa(i), child}) {
				return false
			}
		}
	case bool:
		return h.shape != one || yield(Child{keyword, at, v})
	}
	return true
}

// Escape writes a name as a token of a JSON pointer.
func Escape(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

func unescape(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
}

// follow is the value a JSON pointer leads to.
func follow(v any, pointer string) (any, bool) {
	if pointer == "" {
		return v, true
	}
	for _, token := range strings.Split(pointer, "/")[1:] {
		switch in := v.(type) {
		case map[string]any:
			next, ok := in[unescape(token)]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(in) || strconv.Itoa(i) != token {
				return nil, false
			}
			v = in[i]
		default:
			return nil, false
		}
	}
	return v, true
}
