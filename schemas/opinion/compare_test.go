package opinion

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/onedoor/yimen/schemas"
	"github.com/onedoor/yimen/schemas/gate"
)

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		name, schema string
		own, other   []bool
		documents    []string
		differ       []int
		reason       string // "": none
	}{
		{"agreed", `{"type":"string"}`, []bool{true, false}, []bool{true, false}, []string{`"a"`, `1`}, nil, ""},
		{"no documents", `{}`, nil, []bool{}, nil, nil, ""},
		{"the schema is not accepted", `{"minLength":2}`, []bool{true}, nil, []string{`1`}, []int{-1}, ""},
		{"the schema is not accepted for its 2.0", `{"not":{"minLength":2.0}}`, []bool{true}, nil, []string{`1`}, []int{-1}, "2.0"},
		{"the schema is not accepted, not for its 2.5", `{"minimum":2.5}`, []bool{true}, nil, []string{`1`}, []int{-1}, ""},
		{"own is stricter", `{"type":"string"}`, []bool{true, false}, []bool{true, true}, []string{`"a"`, `1`}, []int{1}, ""},
		{"own is looser", `{"type":"string"}`, []bool{true, true}, []bool{false, true}, []string{`"a"`, `1`}, []int{0}, ""},
		{"large numbers in enum", `{"enum":[9007199254740992]}`, []bool{false}, []bool{true}, []string{`9007199254740993`}, []int{0}, "2^53"},
		{"large numbers in uniqueItems", `{"items":{"uniqueItems":true}}`, []bool{true}, []bool{false}, []string{`[[9007199254740993,9007199254740992]]`}, []int{0}, "2^53"},
		{"large numbers beyond doubles", `{"const":1}`, []bool{true}, []bool{false}, []string{`{"a":1e400}`}, []int{0}, "2^53"},
		{"small numbers in enum", `{"enum":[1]}`, []bool{true}, []bool{false}, []string{`2`}, []int{0}, ""},
		{"large numbers and no enum", `{"maximum":9007199254740992}`, []bool{false}, []bool{true}, []string{`9007199254740993`}, []int{0}, ""},
		{"format that is taken differently", `{"properties":{"a":{"format":"iri"}}}`, []bool{false}, []bool{true}, []string{`{"a":" "}`}, []int{0}, "format"},
		{"format that is compared", `{"properties":{"a":{"format":"date"}}}`, []bool{false}, []bool{true}, []string{`{"a":" "}`}, []int{0}, ""},
		{"format of our own", `{"properties":{"a":{"format":"cn-division"}}}`, []bool{false}, []bool{true}, []string{`{"a":" "}`}, []int{0}, ""},
	} {
		var documents []any
		for _, d := range c.documents {
			documents = append(documents, mustDecode(t, d))
		}
		asked := -1
		validate := func(any) error {
			if asked++; c.own[asked] {
				return nil
			}
			return errors.New("invalid")
		}
		var differ []int
		for _, d := range Compare(mustDecode(t, c.schema), documents, validate, Opinion{Accepted: c.other != nil, Valid: c.other}) {
			differ = append(differ, d.Document)
			if d.Document >= 0 && d.Valid != c.own[d.Document] || (c.reason == "") != (d.Reason.EN == "") || !strings.Contains(d.Reason.EN, c.reason) || (d.Reason.EN == "") != (d.Reason.ZH == "") {
				t.Errorf("%s: %+v", c.name, d)
			}
		}
		if !reflect.DeepEqual(differ, c.differ) {
			t.Errorf("%s: they differ on %v, want %v", c.name, differ, c.differ)
		}
	}
}

// TestTwoValidatorsAgree on every evidence schema that comes with Yimen, its examples and hundreds of documents near them.
func TestTwoValidatorsAgree(t *testing.T) {
	set, err := schemas.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if len(set.All()) < 12 {
		t.Fatalf("%d schemas", len(set.All()))
	}
	for _, s := range set.All() {
		t.Run(string(s.Type), func(t *testing.T) {
			var documents []any
			for _, example := range s.Examples() {
				doc, err := gate.Decode(example)
				if err != nil {
					t.Fatal(err)
				}
				documents = append(append(documents, doc), Variants(doc, 400)...)
			}
			if len(documents) < 200 {
				t.Errorf("only %d documents", len(documents))
			}
			q := Question{Schema: s.Text}
			for _, doc := range documents {
				q.Documents = append(q.Documents, []byte(text(t, doc)))
			}
			o, err := Asker{}.Ask(t.Context(), q)
			if err != nil || !o.Accepted {
				t.Fatalf("%+v, %v", o, err)
			}
			valid := 0
			for _, v := range o.Valid {
				if v {
					valid++
				}
			}
			for _, d := range Compare(mustDecode(t, string(s.Text)), documents, s.Validate, o) {
				t.Errorf("they differ on document %d (own: %v): %s", d.Document, d.Valid, cut(q.Documents[d.Document])) // invented
			}
			t.Logf("%d documents, %d of them valid", len(documents), valid)
			if valid < 20 || valid > len(documents)*9/10 {
				t.Errorf("%d of %d documents are valid: that is no test", valid, len(documents))
			}
		})
	}
}

func cut(doc []byte) string {
	if len(doc) > 1500 {
		return string(doc[:1500]) + "…"
	}
	return string(doc)
}

// TestFormatsAreTakenAlike compares the formats of evidence, one by one. "@b" is left out: the validator used at run time
// takes it for an e-mail address, and is wrong.
func TestFormatsAreTakenAlike(t *testing.T) {
	for format, values := range map[string][]string{
		"date":      {"2024-02-29", "2023-02-29", "2026-1-2", "2026-01-02T00:00:00Z", "20260102", "０２０２-01-02", "", "2026-00-10", "2026-13-01", " 2026-01-02"},
		"date-time": {"2026-01-02T03:04:05Z", "2026-01-02t03:04:05z", "2026-01-02T03:04:05.123+08:00", "2026-01-02T03:04:05", "2026-01-02", "03:04:05", "2026-01-02 03:04:05Z", "2026-01-02T24:00:00Z", "2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05,5Z", "2026-06-30T23:59:60Z", "2026-07-01T07:59:60+08:00", "2026-07-01T07:58:60+08:00", "2026-02-30T00:00:00Z", "2026-01-02T3:04:05Z", "2026-01-02T03:04:05+0800", ""},
		"time":      {"03:04:05Z", "03:04:05+08:00", "03:04:05.5Z", "03:04:05", "3:04:05Z", "24:00:00Z", "23:59:60Z", "22:59:60Z", "03:04Z", "", "03:04:05.Z"},
		"email":     {"a@example.test", "zhang.san+x@example.test", "Zhang San <a@b.cn>", "<a@b.cn>", "a@", "a", "", "a b@c.cn", "张三@例子.cn", "a..b@c.cn", ".a@c.cn", "a@-c.cn", "a@c.cn ", "a,b@c.cn"},
		"hostname":  {"example.test", "a", "1.2", "-a.test", "a-.test", "a_b", "", "例子.cn", strings.Repeat("a", 64), strings.Repeat("a.", 127) + "a", "a..b", "a b"},
		"ipv4":      {"127.0.0.1", "::ffff:1.2.3.4", "1.2.3", "01.2.3.4", "256.1.1.1", "", "1.2.3.4 ", "1.2.3.4.5"},
		"ipv6":      {"::1", "fe80::1%eth0", "1.2.3.4", "::ffff:1.2.3.4", "1::2::3", "", ":", "12345::"},
		"uri":       {"http://example.test/a?b#c", "urn:a:b", "/a", "a", "", "//a", "http://a b/", ":a", "http://[::1]/", "http://a/\x01"},
		"uuid":      {"2eb8aa08-aa98-11ea-b4aa-73b441d16380", "x", ""},
	} {
		c := jsonschema.NewCompiler()
		c.DefaultDraft(jsonschema.Draft7)
		c.AssertFormat()
		if err := c.AddResource("urn:x", map[string]any{"format": format}); err != nil {
			t.Fatal(err)
		}
		own, err := c.Compile("urn:x")
		if err != nil {
			t.Fatal(err)
		}
		q := Question{Schema: []byte(`{"format":"` + format + `"}`)}
		documents := []any{nil, true, mustDecode(t, "7"), []any{}}
		for _, v := range values {
			documents = append(documents, v)
		}
		for _, d := range documents {
			q.Documents = append(q.Documents, []byte(text(t, d)))
		}
		o, err := Asker{}.Ask(t.Context(), q)
		if err != nil || !o.Accepted {
			t.Fatalf("%+v, %v", o, err)
		}
		for _, d := range Compare(map[string]any{}, documents, own.Validate, o) {
			t.Errorf("%s: they differ on %s (own: %v)", format, q.Documents[d.Document], d.Valid)
		}
	}
}
