package compat_test

import (
	"testing"

	"github.com/onedoor/yimen/schemas/compat"
	"github.com/onedoor/yimen/schemas/gate"
)

// TestLenientLetsPass: what the policy lets pass is what declares or closes names that old documents are supposed not to have, and defaults.
func TestLenientLetsPass(t *testing.T) {
	for _, c := range []struct {
		old, new        string
		strict, lenient bool
	}{
		{`{"type":"object","properties":{"a":{"type":"string"}}}`, `{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}}`, false, true},
		{`{"type":"object","properties":{"a":{"type":"string"}}}`, `{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string","default":"x"}},"required":["b"]}`, false, true},
		{`{"type":"object","properties":{"a":{"type":"string"}}}`, `{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["b"]}`, false, false},
		{`{"type":"object","properties":{"a":{"type":"string"}}}`, `{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`, false, true},
		{`{"type":"object","properties":{"a":{"type":"string"}}}`, `{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":{"type":"string"}}`, false, true},
		{`{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":{"type":"string"}}`, `{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`, false, false},
		{`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}}`, `{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`, false, false},
		{`{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`, `{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string","default":"x"}},"required":["b"],"additionalProperties":false}`, false, true},
		{`{"type":"array"}`, `{"type":"array","items":{"type":"string"}}`, false, false},
		{`{"type":"object","properties":{"o":{"type":"object","properties":{"a":{}}}}}`, `{"type":"object","properties":{"o":{"type":"object","properties":{"a":{},"b":{"type":"null"}}}}}`, false, true},
		{`{"type":"object","properties":{"l":{"type":"array","items":{"type":"object"}}}}`, `{"type":"object","properties":{"l":{"type":"array","items":{"properties":{"b":{"type":"null"}}}}}}`, false, true},
		{`{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"a":{}}}`, `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"a":{}},"unevaluatedProperties":false}`, false, true},
		{`{"type":"object","patternProperties":{"^x-":{"type":"string"}}}`, `{"type":"object","patternProperties":{"^x-":{"type":"string"}},"additionalProperties":false}`, false, true},
		{`{"type":"object","patternProperties":{"^x-":{"type":"string"}}}`, `{"type":"object","patternProperties":{"^x-":{"type":"integer"}}}`, false, false},
		{`{"type":"object","properties":{"a":{"default":1}},"required":["a"]}`, `{"type":"object","properties":{"a":{"type":"integer","default":1}}}`, false, false},
	} {
		old, _ := gate.Admit([]byte(c.old))
		new, _ := gate.Admit([]byte(c.new))
		s := compat.Check(old.Compiled, new.Compiled, compat.Strict)
		l := compat.Check(old.Compiled, new.Compiled, compat.Lenient)
		if s.Compatible != c.strict || l.Compatible != c.lenient {
			t.Errorf("%s\n%s\n strict %v lenient %v %+v", c.old, c.new, s.Compatible, l.Compatible, l)
		}
	}
}
