package opinion

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestVariants(t *testing.T) {
	doc := mustDecode(t, `{"a":"2026-01-02","b":[1,"x"],"c":{"d":1.50,"e":null,"f":true}}`)
	before := text(t, doc)
	all := Variants(doc, 1000)
	var texts []string
	for _, v := range all {
		texts = append(texts, text(t, v))
	}
	for _, want := range []string{
		`{"b":[1,"x"],"c":{"d":1.50,"e":null,"f":true}}`,
		`{"a":"2026-01-02","b":[1,"x"],"c":{"d":1.50,"f":true}}`,
		`{"a":"2026-01-02","b":[1,"x"],"c":{"d":1.50,"e":null,"f":true},"surplus":"x"}`,
		`{"a":"2026-01-02","b":[1,"x"],"c":{"d":1.50,"e":null,"f":true,"surplus":"x"}}`,
		`{"a":"2026-01-02","b":[1,"x"],"c":{"d":0.50,"e":null,"f":true}}`,
		`{"a":"2026-01-02","b":[1,"x"],"c":{"d":2.50,"e":null,"f":true}}`,
		`{"a":"2026-01-02","b":[1,"x"],"c":{"d":1.50,"e":null,"f":false}}`,
		`{"a":"","b":[1,"x"],"c":{"d":1.50,"e":null,"f":true}}`,
		`{"a":null,"b":[1,"x"],"c":{"d":1.50,"e":null,"f":true}}`,
		`{"a":"2026-13-02","b":[1,"x"],"c":{"d":1.50,"e":null,"f":true}}`,
		`{"a":"2026-01-03","b":[1,"x"],"c":{"d":1.50,"e":null,"f":true}}`,
		`{"a":"2026-01-02","b":[],"c":{"d":1.50,"e":null,"f":true}}`,
		`{"a":"2026-01-02","b":[1,"x",1,"x"],"c":{"d":1.50,"e":null,"f":true}}`,
		`{"a":"2026-01-02","b":[1.0,"x"],"c":{"d":1.50,"e":null,"f":true}}`,
		`{"a":"2026-01-02","b":[1,null],"c":{"d":1.50,"e":null,"f":true}}`,
		`null`, `[]`, `{}`, `true`,
	} {
		if !slices.Contains(texts, want) {
			t.Errorf("%s is not among the variants", want)
		}
	}
	for i, s := range texts {
		if s == before {
			t.Errorf("variant %d is the document itself", i)
		}
	}
	if text(t, doc) != before {
		t.Error("the document was changed")
	}
	if again := Variants(doc, 1000); !reflect.DeepEqual(again, all) {
		t.Error("the variants are not the same the second time")
	}
	if few := Variants(doc, 7); len(few) != 7 || text(t, few[0]) != texts[0] || !spread(few, all) {
		t.Errorf("%d of %d variants, not spread evenly", len(few), len(all))
	}
}

// spread says whether the few are taken from all parts of the list.
func spread(few, all []any) bool {
	for i, v := range few {
		if !reflect.DeepEqual(v, all[i*len(all)/len(few)]) {
			return false
		}
	}
	return true
}

func TestVariantsOfAnything(t *testing.T) {
	for _, doc := range []string{`null`, `""`, `"\u0000"`, `0`, `-1.5`, `1e400`, `1e-400`, `true`, `[]`, `{}`, `[[]]`, `{"":{"":[]}}`, strings.Repeat("[", 64) + strings.Repeat("]", 64)} {
		v := mustDecode(t, doc)
		for _, most := range []int{-1, 0} {
			if n := len(Variants(v, most)); n != 0 {
				t.Errorf("%s: %d variants, want at most %d", doc, n, most)
			}
		}
		for _, variant := range Variants(v, 10_000) {
			if text(t, variant) == text(t, v) {
				t.Errorf("%s is its own variant", doc)
			}
		}
		if n := len(Variants(v, 3)); n != 3 {
			t.Errorf("%s: %d variants, want 3", doc, n)
		}
	}
}

func mustDecode(t *testing.T, s string) any {
	t.Helper()
	v, err := decode([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
