package schemas

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/gate"
)

// permit is a small schema that uses everything; the tests break it in one place each.
const permit = `{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "$id": "urn:example:permit",
  "title": "示例许可", "x-title-en": "Sample permit",
  "x-evidence-type": "sample-permit",
  "x-record-id": ["/code", "/sub/serial"],
  "x-holder": [{"path": "/code", "kind": "org"}, {"path": "/people/*/number", "kind": "person"}],
  "x-validity": {"from": "/from"},
  "x-status": {"path": "/state", "values": {"好": "valid", "停": "suspended"}},
  "type": "object", "additionalProperties": false,
  "required": ["code", "sub"],
  "definitions": {
    "person": {
      "title": "人", "x-title-en": "Person", "type": "object", "additionalProperties": false, "required": ["number"],
      "properties": {
        "number": {"title": "号码", "x-title-en": "Number", "x-sensitive": true, "type": "string", "format": "cn-citizen-number", "pattern": "^[0-9]{17}[0-9X]$"}
      }
    }
  },
  "properties": {
    "code": {"title": "代码", "x-title-en": "Code", "type": "string", "format": "cn-credit-code", "pattern": "^[0-9A-Z]{18}$"},
    "sub": {
      "title": "子项", "x-title-en": "Sub item", "type": "object", "additionalProperties": false, "required": ["serial"],
      "properties": {"serial": {"title": "流水号", "x-title-en": "Serial", "type": "string", "pattern": "^(A|B)[0-9a-z]{1,8}$"}}
    },
    "people": {"title": "人员", "x-title-en": "People", "type": "array", "items": {"$ref": "#/definitions/person"}},
    "from": {"title": "起始", "x-title-en": "From", "type": "string", "format": "date"},
    "state": {"title": "状态", "x-title-en": "State", "type": "string", "enum": ["好", "停"]},
    "count": {"title": "数量", "x-title-en": "Count", "type": "integer", "minimum": 1, "maximum": 99}
  },
  "examples": [
    {"code": "91430281000000019C", "sub": {"serial": "A1"}, "people": [{"number": "430281199001010017"}], "from": "2024-02-29", "state": "停"}
  ]
}`

func TestParse(t *testing.T) {
	s, err := Parse([]byte(permit))
	if err != nil {
		t.Fatal(err)
	}
	if s.Type != "sample-permit" || s.Title != (exchange.Text{ZH: "示例许可", EN: "Sample permit"}) || string(s.Text) != permit || len(s.Examples()) != 1 {
		t.Errorf("got %+v", s)
	}
	var names []string
	for _, f := range s.Fields() {
		names = append(names, f.Pointer)
	}
	want := []string{"/code", "/sub", "/sub/serial", "/people", "/people/*/number", "/from", "/state", "/count"}
	if !reflect.DeepEqual(names, want) {
		t.Errorf("fields %v, want %v", names, want)
	}
	if f := s.Fields()[4]; !f.Sensitive || !f.Required || f.Type != "string" || f.Format != "cn-citizen-number" || f.Title.EN != "Number" {
		t.Errorf("field %+v", f)
	}
}

func TestParseAccepts(t *testing.T) {
	for name, edit := range map[string][2]string{
		"no $schema":             {`"$schema": "http://json-schema.org/draft-07/schema#",`, ``},
		"$schema without #":      {`draft-07/schema#`, `draft-07/schema`},
		"$id of the meta-schema": {`urn:example:permit`, `http://json-schema.org/draft-07/schema#`},
		"no validity":            {`"x-validity": {"from": "/from"},`, ``},
		"no status":              {`"x-status": {"path": "/state", "values": {"好": "valid", "停": "suspended"}},`, ``},
		"alternatives":           {`"type": "integer", "minimum": 1, "maximum": 99`, `"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^x$"}]`},
		"allOf a definition":     {`"items": {"$ref": "#/definitions/person"}`, `"items": {"allOf": [{"$ref": "#/definitions/person"}, {"required": ["number"]}]}`},
		"a condition":            {`"required": ["code", "sub"],`, `"required": ["code", "sub"], "if": {"properties": {"state": {"const": "停"}}}, "then": {"required": ["from"]},`},
		"recursion with a step": {`"properties": {
        "number"`, `"properties": {"mother": {"$ref": "#/definitions/person"}, "number"`},
		"titles beside a reference": {`"items": {"$ref": "#/definitions/person"}`, `"items": {"title": "人", "x-title-en": "Person", "$ref": "#/definitions/person"}`},
		"default":                   {`"minimum": 1`, `"default": 1, "minimum": 1`},
		"tuple":                     {`"type": "integer", "minimum": 1, "maximum": 99`, `"type": "array", "items": [{"type": "string"}], "additionalItems": false`},
		"dependencies":              {`"required": ["code", "sub"],`, `"required": ["code", "sub"], "dependencies": {"state": ["from"], "count": {"required": ["state"]}},`},
	} {
		if _, err := Parse([]byte(change(t, edit))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func change(t testing.TB, edit [2]string) string {
	t.Helper()
	if strings.Count(permit, edit[0]) == 0 {
		t.Fatalf("nothing to change: %s", edit[0])
	}
	return strings.Replace(permit, edit[0], edit[1], 1)
}

func TestParseRefuses(t *testing.T) {
	const count = `"type": "integer", "minimum": 1, "maximum": 99`
	const person = `"items": {"$ref": "#/definitions/person"}`
	for _, c := range []struct{ name, old, new, code, at string }{
		{"gate: duplicate key", `"type": "object",`, `"type": "object", "type": "object",`, "YM-DOC-0106", ""},
		{"draft-04", `draft-07`, `draft-04`, "YM-SCH-0102", "/$schema"},
		{"2020-12", `http://json-schema.org/draft-07/schema#`, `https://json-schema.org/draft/2020-12/schema`, "YM-SCH-0102", "/$schema"},
		{"misspelt keyword", `"minimum"`, `"minimun"`, "YM-SCH-0103", "/properties/count/minimun"},
		{"newer keyword", `"required": ["code", "sub"],`, `"required": ["code", "sub"], "unevaluatedProperties": false,`, "YM-SCH-0103", ""},
		{"content nobody checks", `"format": "date"`, `"contentEncoding": "base64"`, "YM-SCH-0103", "/properties/from/contentEncoding"},
		{"unknown x-", `"x-status"`, `"x-state"`, "YM-SCH-0104", "/x-state"},
		{"unknown x- of a field", `"x-sensitive"`, `"x-secret"`, "YM-SCH-0104", "/definitions/person/properties/number/x-secret"},
		{"x- of the root in a field", `"x-sensitive": true`, `"x-record-id": ["/code"]`, "YM-SCH-0104", "/definitions/person/properties/number/x-record-id"},
		{"open root", `"type": "object", "additionalProperties": false,
  "required"`, `"type": "object", "required"`, "YM-SCH-0105", ""},
		{"open by a schema", `"type": "object", "additionalProperties": false,
  "required"`, `"type": "object", "additionalProperties": {"type": "string"}, "required"`, "YM-SCH-0105", ""},
		{"open inside", `"type": "object", "additionalProperties": false, "required": ["serial"]`, `"type": "object", "required": ["serial"]`, "YM-SCH-0105", "/properties/sub"},
		{"open definition", `"type": "object", "additionalProperties": false, "required": ["number"]`, `"type": "object", "required": ["number"]`, "YM-SCH-0105", "/definitions/person"},
		{"open branch", count, `"anyOf": [{"type": "string"}, {"type": "object"}]`, "YM-SCH-0105", "/properties/count/anyOf/1"},
		{"no type", count, `"minimum": 1`, "YM-SCH-0105", "/properties/count"},
		{"anything", `{"title": "数量", "x-title-en": "Count", ` + count + `}`, `true`, "YM-SCH-0105", "/properties/count"},
		{"array of anything", person, `"maxItems": 3`, "YM-SCH-0105", "/properties/people"},
		{"open tuple", count, `"type": "array", "items": [{"type": "string"}]`, "YM-SCH-0105", "/properties/count"},
		{"unknown format", `"format": "date"`, `"format": "datum"`, "YM-SCH-0106", "/properties/from/format"},
		{"remote reference", person, `"items": {"$ref": "https://example.org/person.json"}`, "YM-SCH-0107", "/properties/people/items/$ref"},
		{"file reference", person, `"items": {"$ref": "file:///etc/passwd"}`, "YM-SCH-0107", "/properties/people/items/$ref"},
		{"relative reference", person, `"items": {"$ref": "person.json"}`, "YM-SCH-0107", "/properties/people/items/$ref"},
		{"reference to a property", person, `"items": {"$ref": "#/properties/sub"}`, "YM-SCH-0107", "/properties/people/items/$ref"},
		{"reference to nothing", person, `"items": {"$ref": "#/definitions/persona"}`, "YM-SCH-0107", ""},
		{"reference of no string", person, `"items": {"$ref": 5}`, "YM-SCH-0107", "/properties/people/items/$ref"},
		{"keyword beside a reference", person, `"items": {"$ref": "#/definitions/person", "minProperties": 1}`, "YM-SCH-0107", "/properties/people/items/minProperties"},
		{"cycle of one", `"definitions": {`, `"definitions": {"a": {"$ref": "#/definitions/a"},`, "YM-SCH-0108", "/definitions/a"},
		{"cycle of two", `"definitions": {`, `"definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"allOf": [{"$ref": "#/definitions/a"}]},`, "YM-SCH-0108", "/definitions/a"},
		{"cycle of the root", `"required": ["code", "sub"],`, `"required": ["code", "sub"], "not": {"$ref": "#"},`, "YM-SCH-0108", ""},
		{"cycle through branches", `"definitions": {`, `"definitions": {"a": {"anyOf": [{"type": "array", "items": {"$ref": "#/definitions/a"}}, {"type": "array", "items": {"$ref": "#/definitions/a"}}]},`, "YM-SCH-0115", "/definitions/a"},
		{"look-ahead", `^[0-9A-Z]{18}$`, `^(?=9)[0-9A-Z]{18}$`, "YM-SCH-0109", "/properties/code/pattern"},
		{"no anchors", `^[0-9A-Z]{18}$`, `[0-9A-Z]{18}`, "YM-SCH-0110", "/properties/code/pattern"},
		{"no anchor at the end", `^[0-9A-Z]{18}$`, `^[0-9A-Z]{18}`, "YM-SCH-0110", "/properties/code/pattern"},
		{"anchors of one branch each", `^(A|B)[0-9a-z]{1,8}$`, `^A|B$`, "YM-SCH-0110", "/properties/sub/properties/serial/pattern"},
		{"optional anchor", `^(A|B)[0-9a-z]{1,8}$`, `(^A)?B$`, "YM-SCH-0110", "/properties/sub/properties/serial/pattern"},
		{"line anchors", `^(A|B)[0-9a-z]{1,8}$`, `(?m)^A$`, "YM-SCH-0110", "/properties/sub/properties/serial/pattern"},
		{"no Chinese title", `"title": "代码"`, `"title": "Code"`, "YM-SCH-0111", "/properties/code"},
		{"no English title", `"title": "代码", "x-title-en": "Code"`, `"title": "代码"`, "YM-SCH-0111", "/properties/code"},
		{"no title of the root", `"title": "示例许可",`, ``, "YM-SCH-0111", ""},
		{"no title in a definition", `"title": "号码",`, ``, "YM-SCH-0111", "/definitions/person/properties/number"},
		{"meta-schema: type", `"type": "integer"`, `"type": "integr"`, "YM-SCH-0112", "/properties/count/type"},
		{"meta-schema: minimum", `"minimum": 1`, `"minimum": "1"`, "YM-SCH-0112", "/properties/count/minimum"},
		{"$id inside", `"definitions": {`, `"definitions": {"a": {"$id": "http://example.org/", "type": "string"},`, "YM-SCH-0113", "/definitions/a/$id"},
		{"no evidence type", `"x-evidence-type": "sample-permit",`, ``, "YM-SCH-0120", ""},
		{"bad evidence type", `"sample-permit"`, `"Sample_Permit"`, "YM-SCH-0120", ""},
		{"no record id", `"x-record-id": ["/code", "/sub/serial"],`, ``, "YM-SCH-0121", ""},
		{"record id to nowhere", `"/sub/serial"`, `"/sub/number"`, "YM-SCH-0121", ""},
		{"record id optional", `"/sub/serial"`, `"/state"`, "YM-SCH-0121", ""},
		{"record id in an array", `"/sub/serial"`, `"/people/*/number"`, "YM-SCH-0121", ""},
		{"record id not a pointer", `"/sub/serial"`, `"sub"`, "YM-SCH-0121", ""},
		{"record id of an object", `"/sub/serial"`, `"/sub"`, "YM-SCH-0125", ""},
		{"record id without pattern", `"pattern": "^(A|B)[0-9a-z]{1,8}$"`, `"minLength": 1`, "YM-SCH-0125", ""},
		{"no holder", `"x-holder": [{"path": "/code", "kind": "org"}, {"path": "/people/*/number", "kind": "person"}],`, ``, "YM-SCH-0122", ""},
		{"holder to nowhere", `"/people/*/number"`, `"/people/number"`, "YM-SCH-0122", ""},
		{"holder of no kind", `"kind": "person"`, `"kind": "man"`, "YM-SCH-0122", ""},
		{"holder with more", `"kind": "person"`, `"kind": "person", "name": "/x"`, "YM-SCH-0122", ""},
		{"holder of the wrong kind", `"kind": "person"`, `"kind": "org"`, "YM-SCH-0125", ""},
		{"holder without a format", `"format": "cn-credit-code", `, ``, "YM-SCH-0125", ""},
		{"validity to nowhere", `"/from"`, `"/since"`, "YM-SCH-0123", ""},
		{"validity without a date", `"/from"`, `"/state"`, "YM-SCH-0123", ""},
		{"validity misspelt", `{"from": "/from"}`, `{"form": "/from"}`, "YM-SCH-0123", ""},
		{"status to nowhere", `"/state"`, `"/status"`, "YM-SCH-0124", ""},
		{"status of no kind", `"停": "suspended"`, `"停": "withdrawn"`, "YM-SCH-0124", ""},
		{"status not complete", `, "停": "suspended"`, ``, "YM-SCH-0124", ""},
		{"status too much", `"停": "suspended"`, `"停": "suspended", "无": "revoked"`, "YM-SCH-0124", ""},
		{"no example", `"examples": [
    {`, `"examples": [], "default": [
    {`, "YM-SCH-0130", ""},
		{"example with a wrong check digit", `"code": "91430281000000019C"`, `"code": "91430281000000019D"`, "YM-SCH-0131", "/examples/0/code"},
		{"example not complete", `"code": "91430281000000019C", `, ``, "YM-SCH-0131", "/examples/0/code"},
		{"example on no such day", `2024-02-29`, `2023-02-29`, "YM-SCH-0131", "/examples/0/from"},
	} {
		text := change(t, [2]string{c.old, c.new})
		start := time.Now()
		s, err := Parse([]byte(text))
		var p *exchange.Problem
		switch {
		case !errors.As(err, &p) || p.Code != c.code || s != nil:
			t.Errorf("%s: got %v, want %s", c.name, err, c.code)
		case c.at != "" && p.Why.EN != "at #"+c.at:
			t.Errorf("%s: place is %q, want %q", c.name, p.Why.EN, c.at)
		case p.What.ZH == "" || p.What.EN == "" || p.Mend.ZH == "" || p.Mend.EN == "":
			t.Errorf("%s: the problem does not say all it should: %+v", c.name, p)
		case time.Since(start) > time.Second:
			t.Errorf("%s: refused after %v", c.name, time.Since(start))
		}
	}
}

func TestParseRefusesWholeTexts(t *testing.T) {
	noFacts := strings.Replace(strings.Replace(permit, `"x-holder": [{"path": "/code", "kind": "org"}, `, `"x-holder": [`, 1), `"people": [{"number": "430281199001010017"}], `, ``, 1)
	for name, c := range map[string][2]string{
		"empty":             {"", "YM-DOC-0104"},
		"a list":            {"[]", "YM-SCH-0101"},
		"true":              {"true", "YM-SCH-0101"},
		"an empty object":   {"{}", "YM-SCH-0111"},
		"GBK":               {"{\"title\":\"\xd5\xc5\"}", "YM-DOC-0103"},
		"no facts":          {noFacts, "YM-SCH-0132"},
		"a web of branches": {web(40), "YM-SCH-0116"},
	} {
		_, err := Parse([]byte(c[0]))
		var p *exchange.Problem
		if !errors.As(err, &p) || p.Code != c[1] {
			t.Errorf("%s: got %v, want %s", name, err, c[1])
		}
	}
}

// web is a schema with so many definitions that each name the next twice.
func web(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"w%d": {"title": "网", "x-title-en": "Web", "anyOf": [{"$ref": "#/definitions/w%d"}, {"$ref": "#/definitions/w%d"}]},`, i, i+1, i+1)
	}
	fmt.Fprintf(&b, `"w%d": {"title": "网", "x-title-en": "Web", "type": "string"},`, n)
	text := strings.Replace(permit, `"definitions": {`, `"definitions": {`+b.String(), 1)
	return strings.Replace(text, `"properties": {
    "code"`, `"properties": {
    "web": {"$ref": "#/definitions/w0"}, "code"`, 1)
}

func TestIdentityOfSchemas(t *testing.T) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(permit)); err != nil {
		t.Fatal(err)
	}
	a, errA := Parse([]byte(permit))
	b, errB := Parse(compact.Bytes())
	c, errC := Parse([]byte(strings.Replace(permit, `"maximum": 99`, `"maximum": 98`, 1)))
	if err := errors.Join(errA, errB, errC); err != nil {
		t.Fatal(err)
	}
	if a.ID != b.ID || a.ID == c.ID || len(a.ID) != 36 {
		t.Errorf("ids %s, %s, %s", a.ID, b.ID, c.ID)
	}
	set := (&Set{}).With(a, c)
	if s, _ := set.ByType("sample-permit"); s != c {
		t.Error("the newest of a type is not the one added last")
	}
	if s, _ := set.ByID(a.ID); s != a || len(set.All()) != 1 {
		t.Error("the older schema is not found by its id, or All lists it")
	}
	if _, ok := set.ByType("none"); ok {
		t.Error("found a type that is not there")
	}
}

func TestLoad(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	set, err := Load(fstest.MapFS{"s/permit.json": file(permit), "s/README.md": file("x"), "s/old/permit.json": file("x")}, "s")
	if err != nil || len(set.All()) != 1 {
		t.Errorf("got %v, %v", set, err)
	}
	for name, c := range map[string]struct {
		files fstest.MapFS
		kind  exchange.Kind
		text  string
	}{
		"two of a type": {fstest.MapFS{"s/a.json": file(permit), "s/b.json": file(permit)}, exchange.Conflict, "b.json"},
		"a broken file": {fstest.MapFS{"s/a.json": file(permit), "s/c.json": file("{")}, exchange.Invalid, "c.json"},
		"no folder":     {fstest.MapFS{}, exchange.Internal, "schema folder"},
	} {
		_, err := Load(c.files, "s")
		if err == nil || exchange.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestLint: everything that is wrong is told at once, with its line.
func TestLint(t *testing.T) {
	broken := permit
	for _, edit := range [][2]string{
		{`"format": "date"`, `"format": "datum"`},
		{`"pattern": "^(A|B)[0-9a-z]{1,8}$"`, `"pattern": "(?=A)[0-9]"`},
		{`"title": "数量", "x-title-en": "Count"`, `"title": "编号"`},
		{`"x-validity": {"from": "/from"},`, `"x-validity": {"from": "/since"},`},
		{`"code": {"title"`, `"code": {"x-secret": true, "title"`},
	} {
		if !strings.Contains(broken, edit[0]) {
			t.Fatalf("nothing to change: %s", edit[0])
		}
		broken = strings.Replace(broken, edit[0], edit[1], 1)
	}
	var got []string
	for _, f := range Lint([]byte(broken)) {
		got = append(got, fmt.Sprintf("%d %s %s", f.Line, f.Code, f.Pointer))
		if f.Column < 1 || f.What.ZH == "" || f.What.EN == "" || f.Mend.ZH == "" || f.Mend.EN == "" {
			t.Errorf("a finding does not say all it should: %+v", f)
		}
	}
	want := []string{
		"8 YM-SCH-0123 /x-validity", "21 YM-SCH-0104 /properties/code/x-secret", "24 YM-SCH-0109 /properties/sub/properties/serial/pattern",
		"27 YM-SCH-0106 /properties/from/format", "29 YM-SCH-0111 /properties/count", "29 YM-SCH-0126 /properties/count/type",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, c := range []struct {
		text         string
		line, column int
		code         string
	}{
		{"{\n  \"a\": 1,\n  \"a\": 2\n}", 3, 9, "YM-DOC-0106"},
		{"{\n", 1, 2, "YM-DOC-0104"},
		{"\n\n[]", 3, 1, "YM-SCH-0101"},
		{"{\"$schema\": \"http://json-schema.org/draft-03/schema#\"}", 1, 2, "YM-SCH-0102"},
	} {
		list := LintGeneral([]byte(c.text))
		if len(list) != 1 || list[0].Line != c.line || list[0].Column != c.column || list[0].Code != c.code {
			t.Errorf("%q: %+v", c.text, list)
		}
	}
	if list := Lint([]byte(permit)); len(list) != 0 {
		t.Errorf("a sound schema: %+v", list)
	}
}

func FuzzParseSchema(f *testing.F) {
	f.Add(permit)
	f.Add(`{"$ref":"#"}`)
	f.Add(`{"properties":{"a":{"$ref":"#/definitions/a"}},"definitions":{"a":{"items":{"$ref":"#/definitions/a"}}}}`)
	f.Add(strings.Replace(permit, `"minimum": 1`, `"multipleOf": 1e-399`, 1))
	f.Add(strings.Replace(permit, `"/code"`, `"/~1/~0"`, 1))
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse([]byte(text))
		if err != nil {
			var p *exchange.Problem
			if !errors.As(err, &p) {
				t.Fatalf("not a problem: %v", err)
			}
			return
		}
		for _, example := range s.Examples() {
			doc, err := gate.Decode(example)
			if err == nil {
				err = s.Validate(doc)
			}
			if err == nil {
				_, err = s.Facts(doc)
			}
			if err != nil {
				t.Fatalf("an example of an accepted schema: %v", err)
			}
		}
	})
}
