package gate

import (
	"errors"
	"fmt"

	"github.com/onedoor/yimen/exchange"
)

// Fault is one thing wrong with a schema.
type Fault struct {
	Pointer string // JSON pointer to its place; "" where the text is no JSON at all
	Offset  int    // byte offset of the place where the text is no JSON, 0 otherwise
	Problem *exchange.Problem
}

// Error is the problem in English.
func (f *Fault) Error() string { return f.Problem.Error() }

// Unwrap gives the problem.
func (f *Fault) Unwrap() error { return f.Problem }

// SchemaFault is a fault at a place of a schema, a JSON pointer. Schemas hold no personal data, so the place is shown.
func SchemaFault(code, at, zh, en, mendZH, mendEN string) *Fault {
	place := cut("#"+at, 200)
	return &Fault{Pointer: at, Problem: &exchange.Problem{Code: code, Kind: exchange.Invalid,
		What: exchange.Text{ZH: zh, EN: en},
		Why:  exchange.Text{ZH: "位置 " + place, EN: "at " + place},
		Mend: exchange.Text{ZH: mendZH, EN: mendEN}}}
}

// faultOf is the fault that an error tells of.
func faultOf(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	var p *exchange.Problem
	if errors.As(err, &p) {
		return &Fault{Problem: p}
	}
	f = SchemaFault("YM-SCH-0114", "", "Schema 无法编译", "the schema does not compile", "检查引用和正则表达式", "look at the references and patterns")
	f.Problem.Err = err
	return f
}

// quote shows a name of a schema, cut to a length that fits a line.
func quote(s string) string { return fmt.Sprintf("%q", cut(s, 60)) }

func cut(s string, max int) string {
	for i := range s {
		if i > max {
			return s[:i] + "…"
		}
	}
	return s
}
