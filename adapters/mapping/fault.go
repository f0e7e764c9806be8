package mapping

import (
	"fmt"
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// Fault is what keeps one property of a row, or one rule of a manifest, from being used. It holds no value of the row.
type Fault struct {
	Target string        `json:"target,omitempty"` // JSON pointer of the property
	Column string        `json:"column,omitempty"` // the source's column, or several joined by " + "
	Code   string        `json:"code"`
	What   exchange.Text `json:"what"`
	Mend   exchange.Text `json:"mend"`
}

// Faults are several; as an error they are one a line.
type Faults []Fault

// Error lists the faults in English.
func (f Faults) Error() string { return f.In(exchange.EN) }

// In lists the faults in the language.
func (f Faults) In(lang exchange.Lang) string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].Code + ": " + f[i].What.In(lang) + " → " + f[i].Mend.In(lang)
	}
	return strings.Join(lines, "\n")
}

// complaint is a fault before it is known of which property and column.
type complaint struct {
	code       string
	what, mend exchange.Text
}

func (c *complaint) of(target, column string) Fault {
	what := exchange.Text{ZH: "“" + column + "”栏" + c.what.ZH, EN: "column " + column + " " + c.what.EN}
	return Fault{Target: target, Column: column, Code: c.code, What: what, Mend: c.mend}
}

func text(zh, en string, args ...any) exchange.Text {
	if len(args) == 0 {
		return exchange.Text{ZH: zh, EN: en}
	}
	return exchange.Text{ZH: fmt.Sprintf(zh, args...), EN: fmt.Sprintf(en, args...)}
}

func noSuchColumn() *complaint {
	return &complaint{"YM-MAP-0101", text("在表中不存在", "is not in the table"),
		text("请核对表头与清单 mapping 中的列名", "compare the header with the columns named under mapping in the manifest")}
}

func unknownCode() *complaint {
	return &complaint{"YM-MAP-0102", text("的代码不在对照表中", "holds a code that its table does not have"),
		text("请在清单的 table 中补上该代码；确可归为一类的，用 otherwise 声明", "add the code to the table in the manifest; where all others mean the same, declare it with otherwise")}
}

func unevenParts() *complaint {
	return &complaint{"YM-MAP-0103", text("各栏拆分后的个数不同", "split into different numbers of parts"),
		text("请核对各栏分隔符是否一致、有无漏填", "see whether all of these columns use the separator in the same way and none lacks a part")}
}
