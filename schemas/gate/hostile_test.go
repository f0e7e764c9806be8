package gate

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
)

const (
	// A second of a core of its own. A core shared with others is slower by half and more, and then works longer for the same.
	patience = 2 * time.Second
	memory   = 256 << 20
)

// costs fails where a call takes longer or more memory than a gate may.
func costs(t *testing.T, name string, call func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := worked()
	call()
	took := worked() - start
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; took > patience || got > memory {
		t.Errorf("%s: %v, %d MiB", name, took, got>>20)
	}
}

// worked is how long this process has worked: unlike the time of day, it does not grow while others work.
func worked() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// TestHostileDocuments: each is refused within a second and 256 MiB, and none comes out, so none reaches a validator.
func TestHostileDocuments(t *testing.T) {
	for name, doc := range map[string]string{
		"invalid UTF-8":        "{\"a\":\"\xd5\xc5\"}",
		"BOM":                  "\xef\xbb\xbf{}",
		"duplicate key":        `{"a":1,"a":1}`,
		"escaped duplicate":    `{"a":1,"\u0061":1}`,
		"trailing bytes":       `{"a":1}x`,
		"a huge number":        `1e5000000`,
		"a long number":        strings.Repeat("9", 900_000),
		"depth 9,000":          strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000),
		"depth 9,000, objects": strings.Repeat(`{"a":`, 9_000) + "1" + strings.Repeat("}", 9_000),
		"depth 200,000":        strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000),
		"depth of 400 KB":      strings.Repeat(`{"":`, 100_000),
		"a million keys":       keys(1_000_000),
		"keys of a megabyte":   keys(80_000),
		"string of 10 MB":      `"` + strings.Repeat("x", 10<<20) + `"`,
		"key of 10 MB":         `{"` + strings.Repeat("x", 10<<20) + `":1}`,
		"lone surrogate":       `"\ud842"`,
		"many lone surrogates": `"` + strings.Repeat(`\ud842`, 100_000) + `"`,
		"many small lists":     "[" + strings.Repeat("[],", 300_000) + "[]]",
	} {
		costs(t, name, func() {
			v, err := Decode([]byte(doc))
			var p *exchange.Problem
			if !errors.As(err, &p) || v != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// TestExactNumbers: what JSON says is what the validator compares.
func TestExactNumbers(t *testing.T) {
	s, err := Admit([]byte(`{"maximum":9007199254740992,"not":{"const":9007199254740991}}`))
	if err != nil {
		t.Fatal(err)
	}
	for doc, valid := range map[string]bool{"9007199254740993": false, "9007199254740992": true, "9007199254740992.0": true, "9007199254740991": false, "9007199254740990.9": true} {
		v, err := Decode([]byte(doc))
		if err != nil || fmt.Sprint(v) != doc || (s.Compiled.Validate(v) == nil) != valid {
			t.Errorf("%s: %v, %v, %v", doc, v, err, s.Compiled.Validate(v))
		}
	}
}

// TestHostileSchemas: whatever the verdict, it comes quickly; and what is admitted judges the worst documents quickly.
func TestHostileSchemas(t *testing.T) {
	rep := strings.Repeat
	list := func(n int, each func(int) string) string {
		var all []string
		for i := range n {
			all = append(all, each(i))
		}
		return strings.Join(all, ",")
	}
	for name, text := range map[string]string{
		"itself":           `{"$ref":"#"}`,
		"web of anyOf":     web(60, "anyOf"),
		"web of oneOf":     web(10, "oneOf"),
		"long web":         web(2_000, "allOf"),
		"deep":             rep(`{"not":`, 199) + "true" + rep("}", 199),
		"deep in steps":    rep(`{"items":`, 199) + "true" + rep("}", 199),
		"patterns":         `{"patternProperties":{` + list(400, func(i int) string { return fmt.Sprintf(`"(a|b){%d}(a*b*)*$":{"type":"string"}`, i+1) }) + `}}`,
		"heavy pattern":    `{"pattern":"(x{0,30}){30}y","properties":{"a":{"pattern":"(a*)*b"}}}`,
		"huge enum":        `{"enum":[` + list(15_000, func(i int) string { return fmt.Sprint(i) }) + `]}`,
		"tiny multipleOf":  `{"multipleOf":1e-300}`,
		"many properties":  `{"properties":{` + list(4_900, func(i int) string { return fmt.Sprintf(`"p%d":{"type":"string"}`, i) }) + `}}`,
		"many definitions": `{"definitions":{` + list(2_400, func(i int) string { return fmt.Sprintf(`"d%d":{"items":{"$ref":"#/definitions/d%d"}}`, i, (i+1)%2_400) }) + `}}`,
		"all with all": `{"definitions":{` + list(60, func(i int) string {
			return fmt.Sprintf(`"d%d":{"properties":{%s}}`, i, list(60, func(k int) string { return fmt.Sprintf(`"p%d":{"$ref":"#/definitions/d%d"}`, k, k) }))
		}) + `}}`,
		"many anchors":      `{"$schema":"https://json-schema.org/draft/2020-12/schema","$defs":{` + list(1_000, func(i int) string { return fmt.Sprintf(`"d%d":{"$id":"urn:x:%d","$dynamicAnchor":"a%d"}`, i, i, i) }) + `}}`,
		"wide union":        `{"$ref":"#/definitions/u","definitions":{"u":{"oneOf":[` + list(300, func(i int) string { return fmt.Sprintf(`{"properties":{"p%d":{"$ref":"#/definitions/u"}}}`, i) }) + `]}}}`,
		"unevaluated":       `{"$schema":"https://json-schema.org/draft/2020-12/schema","allOf":[` + list(300, func(i int) string { return fmt.Sprintf(`{"properties":{"p%d":{"unevaluatedProperties":false}}}`, i) }) + `],"unevaluatedProperties":{"type":"string"}}`,
		"polynomial":        `{"definitions":{"a":{"items":{"$ref":"#/definitions/a"},"contains":{"$ref":"#/definitions/b"}},"b":{"items":{"$ref":"#/definitions/b"}}},"$ref":"#/definitions/a"}`,
		"unique items":      `{"uniqueItems":true,"items":{"uniqueItems":true}}`,
		"names":             `{"propertyNames":{"$ref":"#/definitions/n"},"definitions":{"n":{"anyOf":[` + list(500, func(i int) string { return fmt.Sprintf(`{"minLength":%d}`, i+100) }) + `]}}}`,
		"percent reference": `{"$ref":"#/%64efinitions/a","definitions":{"a":{}}}`,
	} {
		var s *Schema
		costs(t, name, func() { s, _ = Admit([]byte(text)) })
		if s == nil {
			continue
		}
		for kind, doc := range map[string]string{
			"deep object":  rep(`{"a":`, 63) + "1" + rep("}", 63),
			"deep list":    rep("[", 64) + rep("]", 64),
			"wide list":    "[" + rep("[1,2,3,4,5,6,7,8,9],", 900) + "1]",
			"wide object":  keys(9_000),
			"long string":  `"` + rep("a", 1<<20-100) + `"`,
			"large number": "1e400",
			"same names":   rep(`{"p1":`, 63) + "1" + rep("}", 63),
		} {
			v, err := Decode([]byte(doc))
			if err != nil {
				t.Fatal(kind, err)
			}
			start := worked()
			_ = s.Compiled.Validate(v)
			if took := worked() - start; took > 5*patience {
				t.Errorf("%s on %s: %v", name, kind, took)
			} else if took > patience/2 {
				t.Logf("%s on %s: %v", name, kind, took)
			}
		}
	}
}

func FuzzAdmit(f *testing.F) {
	for _, s := range []string{`{"$ref":"#"}`, web(3, "anyOf"), `{"$schema":"https://json-schema.org/draft/2020-12/schema","$dynamicAnchor":"a","items":{"$dynamicRef":"#a"}}`,
		`{"$schema":"http://json-schema.org/draft-04/schema#","id":"http://x/y","properties":{"a":{"$ref":"#/definitions/b"}},"definitions":{"b":{"id":"#b","pattern":"^[\\u4e00-\\u9fa5]$"}}}`,
		`{"$id":"urn:a","definitions":{"x":{"$id":"b.json"}},"$ref":"b.json"}`, `{"examples":[1],"multipleOf":1e-300}`, `{"$ref":"a.json#/x"}`, `true`} {
		f.Add([]byte(s), []byte(`{"x":{"type":"string"}}`), []byte(`{"a":[1,"x"]}`))
	}
	f.Fuzz(func(t *testing.T, text, ref, doc []byte) {
		start := worked()
		s, err := Admit(text, Reference{Name: "a.json", Text: ref})
		if took := worked() - start; took > 3*patience {
			t.Fatalf("took %v", took)
		}
		if err != nil {
			var p *exchange.Problem
			if !errors.As(err, &p) {
				t.Fatalf("not a problem: %v", err)
			}
			return
		}
		again, err := Admit(s.Text, Reference{Name: "a.json", Text: ref})
		if err != nil || again.ID() != s.ID() {
			t.Fatalf("its own text is refused or has another id: %v", err)
		}
		if v, err := Decode(doc); err == nil {
			if (s.Compiled.Validate(v) == nil) != (again.Compiled.Validate(v) == nil) {
				t.Fatal("the same schema judges in two ways")
			}
		}
	})
}

// BenchmarkAdmit admits a schema of 200 properties.
func BenchmarkAdmit(b *testing.B) {
	text := []byte(`{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","additionalProperties":false,"properties":{`)
	for i := range 200 {
		if i > 0 {
			text = append(text, ',')
		}
		text = fmt.Appendf(text, `"property%d":{"title":"第 %d 项","type":"string","pattern":"^[0-9A-Z]{%d}$","minLength":1,"maxLength":200}`, i, i, i%20+1)
	}
	text = append(text, "}}"...)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Admit(text); err != nil {
			b.Fatal(err)
		}
	}
}
