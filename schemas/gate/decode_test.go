package gate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
)

func TestDecodeAccepts(t *testing.T) {
	for doc, want := range map[string]any{
		`{"n":9007199254740993}`:                 map[string]any{"n": json.Number("9007199254740993")},
		` {"a" : [ 1.50 , -0e1, "x" ] } ` + "\n": map[string]any{"a": []any{json.Number("1.50"), json.Number("-0e1"), "x"}},
		`{"姓名":"𠮷\u5c71\ud842\udfb7"}`:           map[string]any{"姓名": "𠮷山𠮷"},
		`{}`:                                     map[string]any{},
		`[]`:                                     []any{},
		`null`:                                   nil,
		`true`:                                   true,
		`"\"\\\/\t\u0041"`:                       "\"\\/\tA",
		`{"a":{"b":1},"b":{"a":[{"a":1},{"a":2}]}}`:       map[string]any{"a": map[string]any{"b": json.Number("1")}, "b": map[string]any{"a": []any{map[string]any{"a": json.Number("1")}, map[string]any{"a": json.Number("2")}}}},
		strings.Repeat("1", 40):                           json.Number(strings.Repeat("1", 40)),
		`[1e400,1E-400]`:                                  []any{json.Number("1e400"), json.Number("1E-400")},
		strings.Repeat("[", 64) + strings.Repeat("]", 64): nested(64),
	} {
		got, err := Decode([]byte(doc))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, %v, want %v", cut(doc, 60), got, err, want)
		}
	}
}

// nested is an array in an array, so many deep.
func nested(depth int) any {
	list := []any{}
	for range depth - 1 {
		list = []any{list}
	}
	return list
}

func TestDecodeRefuses(t *testing.T) {
	for _, c := range []struct{ name, doc, code string }{
		{"empty", "", "YM-DOC-0104"},
		{"white space", " \n", "YM-DOC-0104"},
		{"cut off", `{"a":`, "YM-DOC-0104"},
		{"cut off in a string", `{"a":"b`, "YM-DOC-0104"},
		{"cut off array", `[1,`, "YM-DOC-0104"},
		{"comma at the end of an object", `{"a":1,}`, "YM-DOC-0104"},
		{"comma at the end of an array", `[1,]`, "YM-DOC-0104"},
		{"no comma", `[1 2]`, "YM-DOC-0104"},
		{"key without quotes", `{a:1}`, "YM-DOC-0104"},
		{"single quotes", `{'a':1}`, "YM-DOC-0104"},
		{"comment", `{"a":1/*x*/}`, "YM-DOC-0104"},
		{"leading zero", `{"a":01}`, "YM-DOC-0104"},
		{"NaN", `{"a":NaN}`, "YM-DOC-0104"},
		{"mismatched brackets", `{"a":[1}`, "YM-DOC-0104"},
		{"control character", "\"a\nb\"", "YM-DOC-0104"},
		{"bad escape", `"\x"`, "YM-DOC-0104"},
		{"bad unicode escape", `"\u12G4"`, "YM-DOC-0104"},
		{"byte order mark", "\xef\xbb\xbf{}", "YM-DOC-0102"},
		{"GBK", "{\"name\":\"\xd5\xc5\xc8\xfd\"}", "YM-DOC-0103"},
		{"UTF-16", "{\x00}\x00", "YM-DOC-0104"},
		{"overlong UTF-8", "\"\xc0\xaf\"", "YM-DOC-0103"},
		{"surrogate in UTF-8", "\"\xed\xa0\x80\"", "YM-DOC-0103"},
		{"duplicate key", `{"a":1,"a":1}`, "YM-DOC-0106"},
		{"duplicate key, escaped", `{"a":1,"\u0061":2}`, "YM-DOC-0106"},
		{"duplicate key, two escapes", `{"\u00e9":1,"\u00E9":2}`, "YM-DOC-0106"},
		{"duplicate key far down", `{"x":[{"y":{"a":1,"b":2,"a":3}}]}`, "YM-DOC-0106"},
		{"two documents", `{}{}`, "YM-DOC-0105"},
		{"bracket too many", `{}}`, "YM-DOC-0105"},
		{"text behind", `{} x`, "YM-DOC-0105"},
		{"zero byte behind", "{}\x00", "YM-DOC-0105"},
		{"huge exponent", `{"a":1e5000000}`, "YM-DOC-0107"},
		{"tiny exponent", `1e-999999`, "YM-DOC-0107"},
		{"exponent 401", `1e401`, "YM-DOC-0107"},
		{"exponent beyond int", `1e99999999999999999999`, "YM-DOC-0107"},
		{"number of 41 characters", strings.Repeat("1", 41), "YM-DOC-0107"},
		{"fraction of 41 characters", "0." + strings.Repeat("0", 39), "YM-DOC-0107"},
		{"depth 65", strings.Repeat("[", 65) + strings.Repeat("]", 65), "YM-DOC-0108"},
		{"depth 9,000", strings.Repeat("[", 9000) + strings.Repeat("]", 9000), "YM-DOC-0108"},
		{"depth 200,000", strings.Repeat(`{"a":`, 200_000), "YM-DOC-0108"},
		{"depth 200,000, closed", strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000), "YM-DOC-0108"},
		{"10,001 elements", "[" + strings.Repeat("1,", 10_000) + "1]", "YM-DOC-0109"},
		{"10,001 elements in lists", "[" + strings.Repeat("[1,1,1,1,1,1,1,1,1,1],", 1000) + "1]", "YM-DOC-0109"},
		{"a hundred thousand keys", keys(60_000), "YM-DOC-0109"},
		{"a million keys", keys(1_000_000), "YM-DOC-0101"},
		{"string of 10 MB", `"` + strings.Repeat("x", 10<<20) + `"`, "YM-DOC-0101"},
		{"just too large", `"` + strings.Repeat("x", 1<<20-1) + `"`, "YM-DOC-0101"},
		{"lone high surrogate", `"\ud842"`, "YM-DOC-0110"},
		{"lone low surrogate", `"\udfb7"`, "YM-DOC-0110"},
		{"high surrogate and text", `"\ud842abc"`, "YM-DOC-0110"},
		{"two high surrogates", `"\ud842\ud842"`, "YM-DOC-0110"},
		{"surrogates in the wrong order", `"\udfb7\ud842"`, "YM-DOC-0110"},
		{"lone surrogate in a key", `{"\ud842":1}`, "YM-DOC-0110"},
	} {
		start := worked()
		v, err := Decode([]byte(c.doc))
		took := worked() - start
		var p *exchange.Problem
		if !errors.As(err, &p) || p.Code != c.code || v != nil {
			t.Errorf("%s: got %v, %v, want %s", c.name, v, err, c.code)
			continue
		}
		if p.What.ZH == "" || p.What.EN == "" || p.Mend.ZH == "" || p.Mend.EN == "" || p.Kind != exchange.Invalid {
			t.Errorf("%s: the problem does not say all it should: %+v", c.name, p)
		}
		if took > time.Second {
			t.Errorf("%s: refused after %v", c.name, took)
		}
	}
}

func keys(n int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		fmt.Fprintf(&b, `"k%d":0,`, i)
	}
	b.WriteString(`"end":0}`)
	return b.String()
}

func TestDecodeTellsNothing(t *testing.T) {
	const secret = "430281199001010017"
	for _, doc := range []string{
		`{"` + secret + `":1,"` + secret + `":2}`, `{"a":` + secret + `x}`, `{"a":"` + secret + `\x"}`, `{"a":"` + secret + `\ud842"}`,
		secret + secret + secret, `{} ` + secret, `{"` + secret + `"`,
	} {
		_, err := Decode([]byte(doc))
		var p *exchange.Problem
		if !errors.As(err, &p) || strings.Contains(p.In(exchange.ZH)+p.In(exchange.EN), secret) {
			t.Errorf("%s: %v", doc, err)
		}
	}
}

func TestDecodeLeavesTheTextAlone(t *testing.T) {
	text := []byte(`{"a":"b","c":[1,"d"]}`)
	v, err := Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	for i := range text {
		text[i] = '#' // whoever owns the buffer may reuse it
	}
	if got := v.(map[string]any)["a"]; got != "b" {
		t.Errorf("got %v after the buffer was reused", got)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e3,"\u4e00",null,true]}`, `{"a":1,"\u0061":2}`, `"\ud842\udfb7"`, `[[[[]]]]`, `{"":{"":""}}`, ` 1 `, `{"a":1}x`, "\xff", `[1,]`, "\"\xed\xa0\x80\"", `{"k":"𠮷"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		got, err := Decode(doc)
		if err != nil {
			var p *exchange.Problem
			if !errors.As(err, &p) {
				t.Fatalf("not a problem: %v", err)
			}
			return
		}
		d := json.NewDecoder(bytes.NewReader(doc))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}
