package compat_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/schemas/compat"
	"github.com/onedoor/yimen/schemas/gate"
)

// TestHostilePairs: whatever two schemas the gate lets pass, their comparison ends soon.
func TestHostilePairs(t *testing.T) {
	list := func(n int, each func(int) string) string {
		var all []string
		for i := range n {
			all = append(all, each(i))
		}
		return strings.Join(all, ",")
	}
	num := func(i int) string { return fmt.Sprint(i) }
	str := func(i int) string { return fmt.Sprintf(`"w%d"`, i+100000) }
	en := func(n int, f func(int) string) string { return `{"enum":[` + list(n, f) + `]}` }
	for _, c := range [][3]string{
		{"num enum", en(15000, num), en(15001, num)},
		{"num enum 900", en(900, num), en(901, num)},
		{"num enum shrink", en(15001, num), en(15000, num)},
		{"str enum", en(15000, str), en(15001, str)},
		{"str enum 3000", en(3000, str), en(3001, str)},
		{"str enum shrink", en(15001, str), en(15000, str)},
		{"str enum prop", `{"properties":{"a":` + en(10000, str) + `}}`, `{"properties":{"a":` + en(10001, str) + `}}`},
		{"items enum", `{"items":` + en(10000, num) + `}`, `{"items":` + en(10001, num) + `}`},
		{"items enum to min", `{"items":` + en(10000, num) + `}`, `{"items":{"minimum":1}}`},
		{"str to num", en(10000, num), `{"not":` + en(10000, str) + `}`},
		{"items not enum", `{"items":{"type":"integer","minimum":0,"maximum":20000}}`, `{"items":{"not":` + en(10001, num) + `}}`},
		{"text pool not enum", `{"type":"string"}`, `{"not":` + en(15000, str) + `}`},
		{"length", `{"type":"string","minLength":1000000}`, `{"type":"string","minLength":1000001}`},
		{"min items", `{"type":"array","minItems":100000}`, `{"type":"array","minItems":1000001}`},
		{"min props", `{"type":"object","minProperties":100000}`, `{"type":"object","minProperties":1000001}`},
		{"max props", `{"type":"object","maxProperties":1000000}`, `{"type":"object","maxProperties":100000}`},
		{"prefix", `{"items":[` + list(4000, func(i int) string { return `{"type":"string"}` }) + `]}`, `{"items":[` + list(4000, func(i int) string { return `{"type":"integer"}` }) + `]}`},
		{"oneOf", `{"oneOf":[` + list(400, func(i int) string { return fmt.Sprintf(`{"properties":{"t":{"const":%d}},"required":["t"]}`, i) }) + `]}`, `{"oneOf":[` + list(401, func(i int) string { return fmt.Sprintf(`{"properties":{"t":{"const":%d}},"required":["t"]}`, i) }) + `]}`},
		{"patterns", `{"pattern":"(a|b){0,200}c{0,200}x"}`, `{"pattern":"(a|b){0,201}c{0,200}x"}`},
		{"patterns2", `{"patternProperties":{` + list(30, func(i int) string { return fmt.Sprintf(`"(x{0,20}){20}y{%d}":{}`, i+1) }) + `}}`, `{"patternProperties":{` + list(30, func(i int) string { return fmt.Sprintf(`"(x{0,20}){20}y{%d}":{"type":"string"}`, i+1) }) + `}}`},
		{"pattern set", `{"type":"string"}`, `{"pattern":"^(a|b)*a(a|b){12}$"}`},
		{"pattern both", `{"type":"string","pattern":"^(a|b)*a(a|b){12}$"}`, `{"pattern":"^(a|b)*b(a|b){13}$"}`},
		{"required", `{"required":[` + list(15000, str) + `]}`, `{"required":[` + list(15001, str) + `]}`},
		{"multipleOf", `{"multipleOf":1e-300}`, `{"multipleOf":3e-300}`},
		{"multipleOf2", `{"multipleOf":1e-300,"minimum":1e300}`, `{"multipleOf":3e-299,"minimum":1e300}`},
	} {
		old, err := gate.Admit([]byte(c[1]))
		if err != nil {
			t.Fatal(c[0], err)
		}
		new, err := gate.Admit([]byte(c[2]))
		if err != nil {
			t.Fatal(c[0], err)
		}
		start := time.Now()
		v := compat.Check(old.Compiled, new.Compiled, compat.Strict)
		if took := time.Since(start); took > 10*time.Second { // one or two at most where nothing else runs
			t.Errorf("%s: %v", c[0], took)
		} else {
			t.Logf("%s: %v, compatible %v, undecided %v", c[0], took, v.Compatible, v.Undecided)
		}
	}
}
