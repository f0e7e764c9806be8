package opinion

import (
	"encoding/json"
	"math/big"
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// Difference is a document that the two validators judge differently, or the schema itself. It holds nothing of the document.
type Difference struct {
	Document int  // its place in the question; -1: the schema, which the gate let pass and the second validator does not accept
	Valid    bool // what the validator used at run time says; the other says the reverse
	// Reason is where the second validator is known to be wrong, as far as this schema and this document may have met it;
	// zero: none is known.
	Reason exchange.Text
}

// Compare lists where an opinion differs from the validator used at run time, which accepts the schema. Schema and documents
// are as gate.Decode gives them.
func Compare(schema any, documents []any, validate func(doc any) error, o Opinion) []Difference {
	if !o.Accepted {
		return []Difference{{Document: -1, Valid: true, Reason: refusalReason(schema)}}
	}
	var list []Difference
	for i, valid := range o.Valid[:min(len(o.Valid), len(documents))] {
		if own := validate(documents[i]) == nil; own != valid {
			list = append(list, Difference{Document: i, Valid: own, Reason: reason(schema, documents[i])})
		}
	}
	return list
}

// refusalReason looks for what the second validator is known to refuse wrongly: 2.0 for 2.
func refusalReason(schema any) (found exchange.Text) {
	each(schema, func(name string, v any) {
		n, ok := v.(json.Number)
		switch name {
		case "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties":
			if ok && strings.Contains(string(n), ".") {
				found = exchange.Text{ZH: "第二个校验器不接受写成小数的整数（如 2.0）：去掉 .0", EN: "the second validator takes no integer written as a decimal, such as 2.0: leave out the .0"}
			}
		}
	})
	return found
}

// reason looks for the known weaknesses of the second validator.
func reason(schema, doc any) exchange.Text {
	var equality, format bool
	each(schema, func(name string, v any) {
		switch name {
		case "enum", "const", "uniqueItems":
			equality = true
		case "format":
			s, ok := v.(string)
			format = format || ok && !compared(s)
		}
	})
	switch {
	case equality && (inexact(doc) || inexact(schema)):
		return exchange.Text{ZH: "第二个校验器按双精度浮点数比较 enum、const 和 uniqueItems 中的数字，超过 2^53 不准；大数写成字符串",
			EN: "the second validator compares numbers of enum, const and uniqueItems as doubles, which is wrong beyond 2^53: write large numbers as strings"}
	case format:
		return exchange.Text{ZH: "两个校验器对某个 format 的宽严不同；换成 pattern", EN: "the two validators differ in how strictly they take a format: use a pattern"}
	}
	return exchange.Text{}
}

// compared says whether the second validator takes a format as the one used at run time does.
func compared(format string) bool {
	switch format {
	case "date", "date-time", "time", "email", "hostname", "ipv4", "ipv6", "uri":
		return true
	}
	return strings.HasPrefix(format, "cn-")
}

// each calls do with every member in a value, however deep.
func each(v any, do func(name string, v any)) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			do(name, member)
			each(member, do)
		}
	case []any:
		for _, e := range v {
			each(e, do)
		}
	}
}

// inexact says whether a value holds a number that no double is.
func inexact(v any) bool {
	switch v := v.(type) {
	case json.Number:
		exact, ok := new(big.Rat).SetString(string(v))
		double, err := v.Float64()
		return ok && (err != nil || exact.IsInt() && exact.Cmp(new(big.Rat).SetFloat64(double)) != 0)
	case map[string]any:
		for _, member := range v {
			if inexact(member) {
				return true
			}
		}
	case []any:
		for _, e := range v {
			if inexact(e) {
				return true
			}
		}
	}
	return false
}
