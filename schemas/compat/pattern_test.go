package compat_test

import (
	"testing"

	"github.com/onedoor/yimen/schemas/compat"
	"github.com/onedoor/yimen/schemas/gate"
)

// TestPatternsAsAdmitted: patterns mean here what they mean to the validator, also where they are written otherwise for it.
func TestPatternsAsAdmitted(t *testing.T) {
	for _, c := range []struct {
		old, new   string
		compatible bool
	}{
		{`{"type":"string","pattern":"a"}`, `{"type":"string","pattern":"[]a]"}`, false}, // [] is the empty class
		{`{"type":"string","pattern":"^a$"}`, `{"type":"string","pattern":"[^]b]"}`, false},
		{`{"type":"string","pattern":"[]a]"}`, `false`, true},
		{`{"type":"string","pattern":"^[\\u4e00-\\u9fa5]$"}`, `{"type":"string","maxLength":1}`, true},
		{`{"type":"string","pattern":"^[\\u4e00-\\u9fa5]{1,9}$"}`, `{"type":"string","pattern":"^[\\u4e00-\\u9fff]{1,10}$"}`, true},
		{`{"type":"string","pattern":"^[\\u4e00-\\u9fff]{1,9}$"}`, `{"type":"string","pattern":"^[\\u4e00-\\u9fa5]{1,10}$"}`, false},
		{`{"type":"string","pattern":"^\\0$"}`, `{"type":"string","pattern":"^\\u0000$"}`, true},
		{`{"type":"string","pattern":"^\\cA$"}`, `{"type":"string","pattern":"^\\u{1}$"}`, true},
		{`{"type":"string","pattern":"^\\p{Script=Han}$"}`, `{"type":"string","maxLength":1}`, true},
		{`{"type":"string","pattern":"^\\p{Script=Han}$"}`, `{"type":"string","maxLength":0}`, false},
		{`{"patternProperties":{"[]a]":false}}`, `{"properties":{"a":false}}`, false},
		{`{"properties":{"a":false}}`, `{"patternProperties":{"[]a]":false}}`, true},
	} {
		old, err := gate.Admit([]byte(c.old))
		if err != nil {
			t.Fatal(err)
		}
		new, err := gate.Admit([]byte(c.new))
		if err != nil {
			t.Fatal(err)
		}
		if v := compat.Check(old.Compiled, new.Compiled, compat.Strict); v.Compatible != c.compatible || !v.Compatible && v.Undecided {
			t.Errorf("%s to %s: %+v", c.old, c.new, v)
		}
	}
}
