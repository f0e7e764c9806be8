package catalogue

import (
	"regexp"
	"strconv"

	"github.com/goccy/go-yaml/ast"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/identity"
)

// National are the codes that the national list of items knows the item by.
type National struct {
	Basic          string `json:"basic"`          // 基本编码: 12 digits, the same wherever the item is handled
	Implementation string `json:"implementation"` // 实施编码: the department's credit code, its level, and the basic code: 31 characters
	Type           string `json:"type,omitempty"` // 事项类型, one of TaskTypes; empty: not known
}

// Limits are how many working days the department has; nil: none is set, 0: while the applicant waits (即办).
type Limits struct {
	Statutory *int `json:"statutory,omitempty"` // 法定办结时限
	Promised  *int `json:"promised,omitempty"`  // 承诺办结时限, never longer
}

// Fee is what the department charges, on a basis: there is no fee without one.
type Fee struct {
	Name  exchange.Text `json:"name"`
	Yuan  string        `json:"yuan"` // a decimal, such as 80 or 0.50
	Basis exchange.Text `json:"basis"`
}

// TaskTypes are the kinds of item that the national list knows (事项类型).
func TaskTypes() []string {
	return []string{"行政许可", "行政处罚", "行政强制", "行政征收", "行政给付", "行政检查", "行政确认", "行政奖励", "行政裁决", "其他行政权力", "公共服务"}
}

// MaxDays bounds a limit, in working days: no law gives a department two years.
const MaxDays = 500

var (
	basicForm = regexp.MustCompile(`^[0-9]{12}$`)
	yuanForm  = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})(\.[0-9]{1,2})?$`)
)

func (f *file) national(n ast.Node) *National {
	if n == nil {
		return nil
	}
	found := f.fields(n, "basic", "implementation", "type?")
	codes := &National{Basic: f.word(found["basic"]), Implementation: f.word(found["implementation"])}
	if found["type"] != nil {
		codes.Type = f.choice(found["type"], TaskTypes()...)
	}
	if codes.Basic != "" && codes.Implementation != "" {
		if p, ok := codes.Check().(*exchange.Problem); ok {
			f.report(p.Code, n, p.What, p.Mend)
		}
	}
	return codes
}

// Check says what is wrong with the form of the codes. The level is 1 to 6, from the State Council to the village.
func (n National) Check() error {
	what := exchange.Text{}
	if !basicForm.MatchString(n.Basic) {
		what = text("基本编码不是 12 位数字", "the basic code is not 12 digits")
	} else if code := n.Implementation; len(code) != 31 {
		what = text("实施编码不是 31 位", "the implementation code has not 31 characters")
	} else if _, err := identity.ParseCreditCode(code[:18]); err != nil {
		what = text("实施编码的前 18 位不是统一社会信用代码", "the first 18 characters of the implementation code are no credit code")
	} else if code[18] < '1' || code[18] > '6' {
		what = text("实施编码第 19 位（行使层级）应为 1 至 6", "character 19 of the implementation code, the level, must be 1 to 6")
	} else if code[19:] != n.Basic {
		what = text("实施编码的后 12 位与基本编码不同", "the last 12 characters of the implementation code are not the basic code")
	} else {
		return nil
	}
	return &exchange.Problem{Code: "YM-CAT-0209", Kind: exchange.Invalid, What: what,
		Mend: text("实施编码 = 实施主体统一社会信用代码 18 位 + 行使层级 1 位 + 基本编码 12 位，照国家目录填写", "write the department's credit code (18), the level (1) and the basic code (12), as the national list has them")}
}

func (f *file) limits(n ast.Node) Limits {
	if n == nil {
		return Limits{}
	}
	found := f.fields(n, "statutory?", "promised?")
	l := Limits{Statutory: f.days(found["statutory"]), Promised: f.days(found["promised"])}
	if l.Statutory != nil && l.Promised != nil && *l.Promised > *l.Statutory {
		f.report("YM-CAT-0210", found["promised"], text("承诺时限长于法定时限", "the promised limit is longer than the statutory one"),
			text("查对两个时限（工作日）", "check both limits, in working days"))
	}
	return l
}

// days reads a number of working days.
func (f *file) days(n ast.Node) *int {
	if n == nil {
		return nil
	}
	whole, ok := n.(*ast.IntegerNode)
	if ok {
		if days, err := strconv.Atoi(whole.GetToken().Value); err == nil && days >= 0 && days <= MaxDays {
			return &days
		}
	}
	f.wrongKind(n, "工作日数，0 至 "+strconv.Itoa(MaxDays), "a number of working days, 0 to "+strconv.Itoa(MaxDays))
	return nil
}

func (f *file) fees(n ast.Node) []Fee {
	var all []Fee
	for _, n := range f.list(n) {
		found := f.fields(n, "name", "yuan", "basis")
		fee := Fee{Name: f.text(found["name"]), Yuan: f.word(found["yuan"]), Basis: f.text(found["basis"])}
		if fee.Yuan != "" && !yuanForm.MatchString(fee.Yuan) {
			f.wrongKind(found["yuan"], `以元为单位的数额，如 "80" 或 "0.50"`, `an amount in yuan, such as "80" or "0.50"`)
		}
		all = append(all, fee)
	}
	return all
}
