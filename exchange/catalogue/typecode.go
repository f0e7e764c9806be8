package catalogue

import (
	"maps"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/identity"
)

// credit and typeCode are the lengths of a credit code and of a type code, which is the defining authority's credit code and three
// digits (GB/T 36904).
const credit, typeCode = 18, 21

// typeCode reads the national code of a type, "" where there is none.
func (f *file) typeCode(n ast.Node) string {
	code := f.word(n)
	if code == "" || validTypeCode(code) {
		return code
	}
	f.report("YM-CAT-0109", n, text("type_code 不是证照类型代码", "type_code is no code of a certificate type"),
		text("写 21 位：定义机构的统一社会信用代码和三位数字，如 11100000MB03271699001；不知道就删去",
			"write its 21 characters, the credit code of the defining authority and three digits, such as 11100000MB03271699001; where it is not known, leave it out"))
	return ""
}

func validTypeCode(code string) bool {
	if len(code) != typeCode {
		return false
	}
	authority, err := identity.ParseCreditCode(code[:credit])
	if err != nil || authority.Number() != code[:credit] {
		return false
	}
	return !slices.ContainsFunc([]byte(code[credit:]), func(c byte) bool { return c < '0' || c > '9' })
}

// typeCodes finds two types of one national code: which of them would be asked for?
func (l *loader) typeCodes() {
	taken := map[string]exchange.EvidenceType{}
	for _, t := range slices.Sorted(maps.Keys(l.catalogue.evidence)) {
		code := l.catalogue.evidence[t].TypeCode
		if other, twice := taken[code]; twice && code != "" {
			l.add("YM-CAT-0110", "evidence.yaml", 0, text("证照类型 "+string(other)+" 和 "+string(t)+" 的 type_code 相同", "the types "+string(other)+" and "+string(t)+" have the same type_code"),
				text("核对后改正其一", "check them and mend one"))
		}
		taken[code] = t
	}
}
