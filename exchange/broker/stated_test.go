package broker

import (
	"encoding/json"
	"testing"

	"github.com/onedoor/yimen/exchange"
)

func TestSame(t *testing.T) {
	for _, pair := range [][2]string{
		{`"2026-03-07"`, `"2026/3/7"`}, {`"2026-03-07"`, `"2026年3月7日"`}, {`"2026-03-07"`, `"20260307"`}, {`"2026-03-07"`, `20260307`}, {`"2026-03-07"`, `"２０２６．３．７"`},
		{`120.50`, `120.5`}, {`"120.50"`, `120.5`}, {`"5000000"`, `5e6`}, {`0.1`, `"0.10"`}, {`9007199254740993`, `"9007199254740993.0"`},
		{`"醴陵市示例路1号"`, `"醴陵市 示例路１号"`}, {`"Ａbc"`, `"aBC"`}, {`"café"`, `"cafe\u0301"`},
		{`"43028119900101005X"`, `"43028119900101005x"`}, {`"430281199001010017"`, `"430281900101001"`},
		{`"91430281000000019C"`, `"00000001-9"`}, {`"91430281000000019C"`, `"91430281000000019c"`},
		{`true`, `true`}, {`["a","b"]`, `["A", "b"]`}, {`{"amount":"5","currency":"CNY"}`, `{"currency":"cny","amount":5.0}`},
	} {
		if !same(json.RawMessage(pair[0]), json.RawMessage(pair[1])) || !same(json.RawMessage(pair[1]), json.RawMessage(pair[0])) {
			t.Errorf("%s and %s are told apart", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{
		{`"2026-03-07"`, `"2026-07-03"`}, {`"2026-02-30"`, `"2026/2/30"`}, {`120.5`, `120.51`}, {`9007199254740993`, `9007199254740992`}, {`"007"`, `"7"`}, {`"007"`, `7`},
		{`"张晓明"`, `"张晓朙"`}, {`true`, `"true"`}, {`null`, `""`}, {`""`, `" "`}, {`{"a":1}`, `{"a":1,"b":2}`}, {`["a","b"]`, `["b","a"]`}, {`["a"]`, `"a"`},
		{`"430281199001010017"`, `"430281199001010025"`}, {`"91430281000000019C"`, `"00000002"`}, {`1e99`, `"x"`}, {`"1E999999999"`, `1`}, {`1`, ``}, {`false`, `null`},
	} {
		if same(json.RawMessage(pair[0]), json.RawMessage(pair[1])) || same(json.RawMessage(pair[1]), json.RawMessage(pair[0])) {
			t.Errorf("%s and %s are the same", pair[0], pair[1])
		}
	}
}

func FuzzSame(f *testing.F) {
	f.Add([]byte(`"2026-03-07"`), []byte(`{"a":[1,2.50,"x"]}`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		if same(a, b) != same(b, a) {
			t.Errorf("%q and %q depend on their order", a, b)
		}
		if json.Valid(a) && !same(a, a) {
			t.Errorf("%q is not itself", a)
		}
	})
}

// A difference shows the record's value only where the grant allows the field, and nothing of what was stated.
func TestDifferences(t *testing.T) {
	a := decide("a", source("a", "1", fresh), record("a", 1, exchange.Valid), stated("a", `{"area":121,"name":"张晓朙","owner":"y","since":"2026"}`))
	const want = `[{"field":"area","kind":"differs","held":120.50},{"field":"name","kind":"name","held":"张晓明"},` +
		`{"field":"owner","kind":"not_granted"},{"field":"since","kind":"not_granted"}]`
	if got := show(t, a.Evidence[0].Differences); got != want || a.Reason != exchange.FactsDiffer {
		t.Errorf("%s %s", a.Reason, got)
	}
	notice := decide("a", holds("a"), stated("a", `{"name":"张晓朙"}`))
	if got := show(t, notice.Evidence[0].Differences); notice.Outcome != exchange.Held || got != `[{"field":"name","kind":"name","held":"张晓明"}]` {
		t.Errorf("a name: %s %s", notice.Outcome, got)
	}
}

func TestAssurance(t *testing.T) {
	for name, tc := range map[string]struct {
		ask   string
		given []premise
		want  exchange.Assurance
	}{
		"the keeper's":        {"a", with(holds("a")), exchange.AssuranceA},
		"ambiguous":           {"a", with(checks("a")), exchange.AssuranceA},
		"another's":           {"a", with(source("a", "1", fresh), record("a", 1, exchange.Valid, func(r *exchange.Record) { r.Keeper = "other" })), exchange.AssuranceC},
		"the weakest counts":  {"a+b", with(holds("a"), record("b", 1, exchange.Valid, func(r *exchange.Record) { r.Adapter = "other/x" })), exchange.AssuranceC},
		"not held":            {"a", with(lacks("a")), ""},
		"not known":           {"a", with(unknown("a")), ""},
		"made by applicant":   {"", nil, exchange.AssuranceD},
		"revoked":             {"a", with(lacks("a"), record("a", 1, exchange.Revoked)), ""},
		"no grant":            {"a", with(holds("a"), noGrant("a")), ""},
		"either, from one":    {"a|b", with(holds("a"), unknown("b")), exchange.AssuranceA},
		"stale, still signed": {"a", with(unknown("a"), record("a", 1, exchange.Valid)), exchange.AssuranceA},
	} {
		if got := decide(tc.ask, tc.given...).Assurance; got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
