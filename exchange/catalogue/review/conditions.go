package review

import (
	"slices"
	"strconv"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/condition"
	"github.com/onedoor/yimen/schemas"
)

// condition finds conditions that cannot hold, and words that are no value of what they are compared with. t is the type
// whose records it speaks of, empty: of none.
func (r *reviewer) condition(c condition.Condition, t exchange.EvidenceType) {
	if c.Never(r.service.Applicant) {
		r.report("YM-CAT-0404", text("条件永远不成立："+c.String(), "the condition can never hold: "+c.String()),
			text("改正其中互相矛盾的比较，或删去这个条件", "mend the comparisons that contradict each other, or remove the condition"))
	}
	schema, known := r.types.ByType(t)
	for _, field := range c.Fields() {
		switch {
		case t == "":
			r.report("YM-CAT-0405", text("if 条件说到证照字段 "+field+"，而这里还没有证照", "the if condition speaks of the field "+field+" of a record, and there is none yet"),
				text("把它移到 alternatives 里的 when", "move it into a when of the alternatives"))
		case known && len(fieldsNamed(schema, field)) == 0:
			r.report("YM-CAT-0405", text(string(t)+" 没有字段 "+field, string(t)+" has no field "+field), did(field, topFields(schema)))
		}
	}
	for _, compared := range c.Comparisons() {
		if values := r.values(compared, schema); len(values) > 0 && !slices.Contains(values, compared.Word) {
			r.report("YM-CAT-0407", text(compared.Name+" 不会是 "+strconv.Quote(compared.Word), compared.Name+" is never "+strconv.Quote(compared.Word)),
				text("可写："+strings.Join(values, "、"), "write one of: "+strings.Join(values, ", ")))
		}
	}
}

// values are all words that the field or fact can be; none: any word.
func (r *reviewer) values(c condition.Comparison, schema *schemas.Schema) []string {
	if c.Of == "facts" {
		i := slices.IndexFunc(r.service.Facts, func(f catalogue.Fact) bool { return f.Code == c.Name })
		if i < 0 {
			return nil
		}
		return r.service.Facts[i].Choices
	}
	if schema == nil {
		return nil
	}
	var all []string
	for _, f := range fieldsNamed(schema, c.Name) {
		if len(f.Enum) == 0 {
			return nil
		}
		all = append(all, f.Enum...)
	}
	return all
}

func fieldsNamed(s *schemas.Schema, name string) []schemas.Field {
	return slices.DeleteFunc(s.Fields(), func(f schemas.Field) bool { return f.Pointer != "/"+name })
}

func topFields(s *schemas.Schema) []string {
	var names []string
	for _, f := range s.Fields() {
		if name := strings.TrimPrefix(f.Pointer, "/"); !strings.Contains(name, "/") {
			names = append(names, name)
		}
	}
	return names
}

func did(word string, known []string) exchange.Text {
	if near := exchange.Nearest(word, known); near != "" {
		return text("是不是 "+near+"？", "did you mean "+near+"?")
	}
	return text("有这些字段："+strings.Join(known, "、"), "its fields: "+strings.Join(known, ", "))
}

func ordinal(i int) string { return strconv.Itoa(i + 1) }
