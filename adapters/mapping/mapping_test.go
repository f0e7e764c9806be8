package mapping

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
)

func mustCompile(t testing.TB, rules Rules, absent ...string) *Mapping {
	t.Helper()
	m, err := Compile(rules, absent)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestApply(t *testing.T) {
	type values map[string]string
	tests := []struct {
		name  string
		rules Rules
		row   values
		want  string // the document as JSON
		codes string // of the faults, in order
	}{
		{"rename and trim", Rules{"name": {Column: "名称"}}, values{"名称": "\u3000 醴陵  瓷业·分厂\t"}, `{"name":"醴陵  瓷业·分厂"}`, ""},
		{"composed form", Rules{"name": {Column: "名称"}}, values{"名称": "e\u0301"}, "{\"name\":\"\u00e9\"}", ""},
		{"wide letters stay", Rules{"name": {Column: "名称"}}, values{"名称": "ＡＢ１"}, `{"name":"ＡＢ１"}`, ""},
		{"one line", Rules{"name": {Column: "名称", As: "line"}}, values{"名称": "甲\r\n乙\u3000\u3000丙"}, `{"name":"甲 乙 丙"}`, ""},
		{"blank is absent", Rules{"name": {Column: "名称"}}, values{"名称": " \u3000"}, `{}`, ""},
		{"declared absent", Rules{"name": {Column: "名称", As: "date"}}, values{"名称": "N/A "}, `{}`, ""},
		{"constant", Rules{"issuer": {Constant: "局"}, "n": {Constant: uint64(3)}, "b": {Constant: true}}, values{}, `{"b":true,"issuer":"局","n":3}`, ""},
		{"nested", Rules{"capital.amount": {Column: "额"}, "capital.currency": {Constant: "CNY"}}, values{"额": "5"}, `{"capital":{"amount":"5","currency":"CNY"}}`, ""},
		{"constants alone make no object", Rules{"capital.amount": {Column: "额"}, "capital.currency": {Constant: "CNY"}}, values{"额": ""}, `{}`, ""},
		{"list of places", Rules{"s.0.n": {Column: "夫"}, "s.1.n": {Column: "妻"}}, values{"夫": "甲", "妻": "乙"}, `{"s":[{"n":"甲"},{"n":"乙"}]}`, ""},
		{"a blank place is left out", Rules{"s.0.n": {Column: "夫"}, "s.1.n": {Column: "妻"}, "s.0.k": {Constant: "x"}}, values{"夫": "", "妻": "乙"}, `{"s":[{"n":"乙"}]}`, ""},
		{"join", Rules{"a": {Join: []string{"省", "市", "址"}, With: "-"}}, values{"省": "湖南", "市": "N/A", "址": " 路1号"}, `{"a":"湖南-路1号"}`, ""},
		{"join of nothing", Rules{"a": {Join: []string{"省", "市"}}}, values{"省": "", "市": "N/A"}, `{}`, ""},
		{"split", Rules{"k": {Column: "类", Split: "、"}}, values{"类": "甲、 乙、、丙"}, `{"k":["甲","乙","丙"]}`, ""},
		{"split of blanks", Rules{"k": {Column: "类", Split: "、"}}, values{"类": "、、"}, `{}`, ""},
		{"split each", Rules{"k": {Column: "类", Split: ",", Each: &Rule{As: "citizen-number"}}}, values{"类": "430281199001010017,43028119900101005x"}, `{"k":["430281199001010017","43028119900101005X"]}`, ""},
		{"one bad part leaves its place empty", Rules{"k": {Column: "类", Split: ",", Each: &Rule{As: "citizen-number"}}}, values{"类": "430281199001010017,430281199001010018"}, `{"k":["430281199001010017",null]}`, "YM-ID-0113"},
		{"items", Rules{"o": {Split: "、", Items: Rules{"name": {Column: "人"}, "number": {Column: "号", As: "holder-number"}, "share": {Constant: "1/2"}}}},
			values{"人": "甲、乙", "号": "430281199001010017、91430281000000019C"},
			`{"o":[{"name":"甲","number":"430281199001010017","share":"1/2"},{"name":"乙","number":"91430281000000019C","share":"1/2"}]}`, ""},
		{"items with one column blank", Rules{"o": {Split: "、", Items: Rules{"name": {Column: "人"}, "number": {Column: "号"}}}}, values{"人": "甲、乙", "号": ""}, `{"o":[{"name":"甲"},{"name":"乙"}]}`, ""},
		{"items uneven", Rules{"o": {Split: "、", Items: Rules{"name": {Column: "人"}, "number": {Column: "号"}}}}, values{"人": "甲、乙", "号": "1"}, `{}`, "YM-MAP-0103"},
		{"table", Rules{"s": {Column: "态", Table: map[string]any{"存续": "valid", "1": true, "2": 7}}}, values{"态": " 存续"}, `{"s":"valid"}`, ""},
		{"table to boolean", Rules{"s": {Column: "态", Table: map[string]any{"1": true}}}, values{"态": "1"}, `{"s":true}`, ""},
		{"table to number", Rules{"s": {Column: "态", Table: map[string]any{"2": 7}}}, values{"态": "2"}, `{"s":7}`, ""},
		{"unknown code", Rules{"s": {Column: "态", Table: map[string]any{"存续": "valid"}}}, values{"态": "ZT07"}, `{}`, "YM-MAP-0102"},
		{"otherwise", Rules{"s": {Column: "态", Table: map[string]any{"存续": "valid"}, Otherwise: "other"}}, values{"态": "ZT07"}, `{"s":"other"}`, ""},
		{"column missing in the header", Rules{"s": {Column: "没有"}, "n": {Column: "名称"}}, values{"名称": "甲"}, `{"n":"甲"}`, "YM-MAP-0101"},
		{"excel armour", Rules{"c": {Column: "码", As: "credit-code"}}, values{"码": `="91430281000000019c"`}, `{"c":"91430281000000019C"}`, ""},
		{"apostrophe and tab", Rules{"c": {Column: "码", As: "citizen-number"}}, values{"码": "'\t４３０２８１１９９００１０１００１７"}, `{"c":"430281199001010017"}`, ""},
		{"15 digits", Rules{"c": {Column: "码", As: "citizen-number"}}, values{"码": "430281900101001"}, `{"c":"430281199001010017"}`, ""},
		{"licence", Rules{"c": {Column: "码", As: "licence-id"}}, values{"码": "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U"}, `{"c":"1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U"}`, ""},
		{"excel zeros", Rules{"c": {Column: "码", As: "citizen-number"}}, values{"码": "430281197209150000"}, `{}`, "YM-ID-0106"},
		{"half armour", Rules{"c": {Column: "码", As: "credit-code"}}, values{"码": `="91430281000000019C`}, `{}`, "YM-ID-0107"},
		{"credit code in the citizen column", Rules{"c": {Column: "码", As: "citizen-number"}}, values{"码": "91430281000000019C"}, `{}`, "YM-ID-0103"},
		{"decimal", Rules{"d": {Column: "数", As: "decimal"}}, values{"数": "１,234.50"}, `{"d":"1234.5"}`, ""},
		{"number", Rules{"d": {Column: "数", As: "number"}}, values{"数": "-0.50"}, `{"d":-0.5}`, ""},
		{"minus nothing", Rules{"d": {Column: "数", As: "number"}}, values{"数": "-0.00"}, `{"d":0}`, ""},
		{"integer", Rules{"d": {Column: "数", As: "integer"}}, values{"数": "12,000"}, `{"d":12000}`, ""},
		{"fraction", Rules{"d": {Column: "数", As: "integer"}}, values{"数": "1.5"}, `{}`, "YM-MAP-0113"},
		{"serial number", Rules{"d": {Column: "数", As: "integer"}}, values{"数": "007"}, `{}`, "YM-MAP-0114"},
		{"unit behind", Rules{"d": {Column: "数", As: "decimal"}}, values{"数": "5平方米"}, `{}`, "YM-MAP-0112"},
		{"scientific", Rules{"d": {Column: "数", As: "number"}}, values{"数": "1e5"}, `{}`, "YM-MAP-0112"},
		{"misplaced comma", Rules{"d": {Column: "数", As: "number"}}, values{"数": "5,00"}, `{}`, "YM-MAP-0116"},
		{"too long", Rules{"d": {Column: "数", As: "number"}}, values{"数": strings.Repeat("9", 31)}, `{}`, "YM-MAP-0115"},
		{"boolean", Rules{"b": {Column: "否", As: "boolean"}}, values{"否": "否"}, `{"b":false}`, ""},
		{"boolean by table", Rules{"b": {Column: "有", As: "boolean", Table: map[string]any{"有": true, "无": false}}}, values{"有": "无"}, `{"b":false}`, ""},
		{"not a boolean", Rules{"b": {Column: "否", As: "boolean"}}, values{"否": "有"}, `{}`, "YM-MAP-0111"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var columns, cells []string
			for c, v := range test.row {
				columns, cells = append(columns, c), append(cells, v)
			}
			doc, faults := mustCompile(t, test.rules, "", "N/A").Apply(columns, cells)
			got, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != test.want {
				t.Errorf("document %s, want %s", got, test.want)
			}
			var codes []string
			for _, f := range faults {
				codes = append(codes, f.Code)
				mentions(t, f, cells)
			}
			if strings.Join(codes, " ") != test.codes {
				t.Errorf("faults %v, want %q", codes, test.codes)
			}
		})
	}
}

// mentions fails if the fault repeats a value, or says less than it must.
func mentions(t *testing.T, f Fault, values []string) {
	t.Helper()
	if f.Target == "" || f.Column == "" || f.What.EN == "" || f.What.ZH == "" || f.Mend.ZH == "" || f.Mend.EN == "" {
		t.Errorf("fault says too little: %+v", f)
	}
	for _, v := range values {
		if len(v) > 3 && strings.Contains(f.What.EN+f.What.ZH+f.Mend.EN+f.Mend.ZH, v) {
			t.Errorf("fault repeats a value: %+v", f)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	tests := []struct {
		name  string
		rules Rules
		codes string
	}{
		{"nothing", Rules{}, "YM-MAP-0201"},
		{"no origin", Rules{"a": {As: "text"}}, "YM-MAP-0206"},
		{"two origins", Rules{"a": {Column: "x", Constant: "y"}}, "YM-MAP-0206"},
		{"unknown reading", Rules{"a": {Column: "x", As: "txt"}}, "YM-MAP-0211"},
		{"value and object", Rules{"a": {Column: "x"}, "a.b": {Column: "y"}}, "YM-MAP-0202"},
		{"list and object", Rules{"a.0": {Column: "x"}, "a.b": {Column: "y"}}, "YM-MAP-0202"},
		{"gap in a list", Rules{"a.1.n": {Column: "x"}}, "YM-MAP-0204"},
		{"empty step", Rules{"a..b": {Column: "x"}}, "YM-MAP-0203"},
		{"pointer for a path", Rules{"/a": {Column: "x"}}, "YM-MAP-0203"},
		{"currency without money", Rules{"a": {Column: "x", Currency: "CNY"}}, "YM-MAP-0207"},
		{"currency in words", Rules{"a": {Column: "x", As: "money", Currency: "人民币"}}, "YM-MAP-0212"},
		{"open without date", Rules{"a": {Column: "x", Open: true}}, "YM-MAP-0207"},
		{"otherwise without table", Rules{"a": {Column: "x", Otherwise: "y"}}, "YM-MAP-0207"},
		{"with without join", Rules{"a": {Column: "x", With: "-"}}, "YM-MAP-0207"},
		{"each without split", Rules{"a": {Column: "x", Each: &Rule{}}}, "YM-MAP-0207"},
		{"each with a column", Rules{"a": {Column: "x", Split: ",", Each: &Rule{Column: "y"}}}, "YM-MAP-0209"},
		{"reading outside of each", Rules{"a": {Column: "x", Split: ",", As: "date", Each: &Rule{As: "date"}}}, "YM-MAP-0205"},
		{"items without split", Rules{"a": {Items: Rules{"n": {Column: "x"}}}}, "YM-MAP-0208"},
		{"items in items", Rules{"a": {Split: ",", Items: Rules{"n": {Column: "x", Split: ";"}, "m": {Column: "y"}}}}, "YM-MAP-0210"},
		{"items of constants", Rules{"a": {Split: ",", Items: Rules{"n": {Constant: "x"}}}}, "YM-MAP-0206"},
		{"table with a way of reading", Rules{"a": {Column: "x", As: "date", Table: map[string]any{"a": "b"}}}, "YM-MAP-0213"},
		{"empty table", Rules{"a": {Column: "x", Table: map[string]any{}}}, "YM-MAP-0213"},
		{"boolean table of texts", Rules{"a": {Column: "x", As: "boolean", Table: map[string]any{"a": "b"}}}, "YM-MAP-0213"},
		{"table of lists", Rules{"a": {Column: "x", Table: map[string]any{"a": []any{}}}}, "YM-MAP-0214"},
		{"blank constant", Rules{"a": {Constant: " "}}, "YM-MAP-0214"},
		{"several at once", Rules{"a": {As: "text"}, "b": {Column: "x", As: "txt"}}, "YM-MAP-0206 YM-MAP-0211"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Compile(test.rules, nil)
			var p *exchange.Problem
			var faults Faults
			if !errors.As(err, &p) || p.Kind != exchange.Invalid || !errors.As(err, &faults) {
				t.Fatalf("error %v, want a Problem that wraps Faults", err)
			}
			var codes []string
			for _, f := range faults {
				codes = append(codes, f.Code)
				if !strings.HasPrefix(f.What.EN, "mapping") || f.Mend.EN == "" || f.Mend.ZH == "" {
					t.Errorf("fault says too little: %+v", f)
				}
			}
			if strings.Join(codes, " ") != test.codes {
				t.Errorf("codes %v, want %s", codes, test.codes)
			}
		})
	}
}

func TestColumnsAndTargets(t *testing.T) {
	m := mustCompile(t, Rules{"b": {Column: "二"}, "a.x": {Join: []string{"一", "二"}}, "c": {Constant: "k"},
		"o": {Split: "、", Items: Rules{"n": {Column: "三"}}}, "s.0.k": {Column: "一"}, "s.1.k": {Column: "二"}})
	if got := m.Columns(); !reflect.DeepEqual(got, []string{"一", "三", "二"}) {
		t.Errorf("columns %q", got)
	}
	if got := m.Targets(); !reflect.DeepEqual(got, []string{"/a/x", "/b", "/c", "/o", "/o/*/n", "/s/*/k"}) {
		t.Errorf("targets %q", got)
	}
	for pointer, want := range map[string]string{"/b": "二", "/a/x": "一 + 二", "/c": "", "/o/0/n": "三", "/o/1": "三", "/s/1/k": "二", "/s/7/k": "", "/b/amount": "二", "/z": "", "": "", "z": ""} {
		if got := m.Column(pointer); got != want {
			t.Errorf("column of %q: %q, want %q", pointer, got, want)
		}
	}
}

func TestHeadersMayChange(t *testing.T) {
	m := mustCompile(t, Rules{"a": {Column: "x"}})
	for range 3 {
		for _, header := range [][]string{{"x", "y"}, {"y", "x"}} {
			values := map[string]string{"x": "right", "y": "wrong"}
			doc, _ := m.Apply(header, []string{values[header[0]], values[header[1]]})
			if doc["a"] != "right" {
				t.Fatalf("header %q: %v", header, doc)
			}
		}
	}
	doc, faults := m.Apply([]string{"y", "x"}, []string{"only one"})
	if len(doc) != 0 || len(faults) != 0 {
		t.Errorf("short row: %v %v", doc, faults)
	}
}

func BenchmarkApply(b *testing.B) {
	m := mustCompile(b, Rules{"name": {Column: "企业名称"}, "creditCode": {Column: "统一社会信用代码", As: "credit-code"},
		"registeredOn": {Column: "注册日期", As: "date"}, "companyType": {Column: "企业类型"}, "legalRepresentative": {Column: "法人代表"},
		"capital": {Column: "注册资金", As: "money", Currency: "CNY"}, "scope": {Column: "经营范围"},
		"province": {Column: "所在省份"}, "city": {Column: "地区"}, "address": {Column: "注册地址"}}, "N/A")
	header := []string{"企业名称", "统一社会信用代码", "注册日期", "企业类型", "法人代表", "注册资金", "经营范围", "所在省份", "地区", "注册地址"}
	row := []string{"醴陵市示例瓷业有限公司", "91430281000000019C", "2003-05-18", "集体所有制", "张某", "5,118(万元人民币)", "日用陶瓷制品制造；日用陶瓷制品销售", "湖南", "株洲", "醴陵市示例路1号"}
	b.ReportAllocs()
	for b.Loop() {
		if _, faults := m.Apply(header, row); faults != nil {
			b.Fatal(faults)
		}
	}
}
