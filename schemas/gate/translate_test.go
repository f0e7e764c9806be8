package gate

import (
	"fmt"
	"regexp"
	"testing"
)

func TestTranslate(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		matches       bool
	}{
		{`^[\u4e00-\u9fa5]+$`, "山川", true},
		{`^[\u4e00-\u9fa5]+$`, "山川a", false},
		{`^\u5c71$`, "山", true},
		{`^\u{20BB7}$`, "𠮷", true},
		{`^\ud842\udfb7$`, "𠮷", true},
		{`^[\ud842\udfb7\u5c71]{2}$`, "𠮷山", true},
		{`^\p{Script=Han}+$`, "山川", true},
		{`^\p{sc=Han}+$`, "abc", false},
		{`^\P{Script=Han}+$`, "abc", true},
		{`^\p{General_Category=Lu}$`, "A", true},
		{`^a\/b\-c$`, "a/b-c", true},
		{`^[\/\-]$`, "-", true},
		{`^\cJ$`, "\n", true},
		{`^[\b]$`, "\b", true},
		{`\bab\b`, "x ab y", true},
		{`^\0$`, "\x00", true},
		{`^[^]$`, "\n", true},
		{`[]`, "", false},
		{`^[[]$`, "[", true},
		{`^\\u4e00$`, `\u4e00`, true},
		{`^\[\u5c71\]$`, "[山]", true},
		{`^[\]\u5c71]{2}$`, "]山", true},
		{`^\d{3}\w\s$`, "123a ", true},
		{`^(?<year>\d{4})$`, "2024", true},
		{`^\x41$`, "A", true},
	} {
		re, err := compilePattern(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		if re.MatchString(c.text) != c.matches || re.String() != c.pattern {
			t.Errorf("%s on %q: %v", re, c.text, !c.matches)
		}
	}
	for _, pattern := range []string{
		`(?=a)`, `(?!a)`, `(?<=a)b`, `(?<!a)b`, `(a)\1`, `(?<n>a)\k<n>`, `\u12`, `\uZZZZ`, `\ud842`, `\ud842\u5c71`, `\udfb7`, `\u{110000}`, `\u{`, `\c1`, `\c`,
		`\`, `\A`, `\z`, `\Qa\E`, `\C`, `\01`, `\pL`, `\p`, `\p}`, `[[:alpha:]]`, `(`, `[`, `a**`, `a{1001}`, `(a{1000}){1000}`, `\p{Script=Nowhere}`, `\p{Script_Extensions=Han}`, `\q`,
	} {
		if re, err := compilePattern(pattern); err == nil {
			t.Errorf("%s compiles as %v", pattern, re)
			continue
		}
		if zh, en := patternHint(pattern); zh == "" || en == "" {
			t.Errorf("%s: no hint", pattern)
		}
	}
}

func TestLoose(t *testing.T) {
	for pattern, loose := range map[string]bool{
		`^[\u4e00-\u9fa5]+$`: false, `^a$`: false, `^(a|b)$`: false, `^a$|^b$`: false, `a`: true, `^a`: true, `^a|b$`: true, `(^a)?b$`: true, `(?m)^a$`: true,
	} {
		if Loose(pattern) != loose {
			t.Errorf("%s: loose is %v", pattern, !loose)
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, p := range []string{`^[\u4e00-\u9fa5]{2,}$`, `\ud842\udfb7`, `[^]`, `\p{Script=Han}`, `\cA[\b]`, `^[0-9]{17}[0-9X]$`, `\p}`} {
		f.Add(p, "山a1")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		m, err := compilePattern(pattern)
		if err != nil {
			return
		}
		translated, err := translate(pattern)
		if err != nil {
			t.Fatalf("%s compiles and is not translated: %v", pattern, err)
		}
		if got := m.MatchString(text); got != regexp.MustCompile(translated).MatchString(text) {
			t.Fatalf("%s (%s) on %q: %v", pattern, translated, text, got)
		}
	})
}

func TestPortable(t *testing.T) {
	s, err := Admit([]byte(`{"pattern":"^[\\u4e00-\\u9fa5]+$","patternProperties":{"^\\u0041":{"pattern":"\\u0042"},"b":true},"items":[{"pattern":"\\u0043"},true],
		"allOf":[{"not":{"pattern":"\\u0044"}}],"const":{"pattern":"\\u0045"},"multipleOf":0.10,"properties":{"pattern":{"pattern":"\\u0046"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	before := string(s.Text)
	text, err := s.Portable()
	want := `{"allOf":[{"not":{"pattern":"\\x{44}"}}],"const":{"pattern":"\\u0045"},"items":[{"pattern":"\\x{43}"},true],"multipleOf":0.10,"pattern":"^[\\x{4E00}-\\x{9FA5}]+$",` +
		`"patternProperties":{"^\\x{41}":{"pattern":"\\x{42}"},"b":true},"properties":{"pattern":{"pattern":"\\x{46}"}}}`
	if err != nil || string(text) != want {
		t.Errorf("%v\n%s\n%s", err, text, want)
	}
	again, err := s.Portable()
	if err != nil || string(again) != want || string(s.Text) != before {
		t.Errorf("the schema was changed: %s", again)
	}
	if again, err = (Reference{Text: s.Text}).Portable(); err != nil || string(again) != want {
		t.Errorf("as a reference: %v, %s", err, again)
	}
	if _, err = (Reference{Text: []byte(`{"a":1,"a":2}`)}).Portable(); err == nil {
		t.Error("a text that the gate refuses")
	}
}

// TestPortableLarge: the copy takes time in proportion to the schema.
func TestPortableLarge(t *testing.T) {
	s, err := Admit([]byte(`{"properties":{` + rowOfTexts(4_900, func(i int) string { return fmt.Sprintf(`"p%d":{}`, i) }) + `}}`))
	if err != nil {
		t.Fatal(err)
	}
	costs(t, "portable", func() {
		if _, err := s.Portable(); err != nil {
			t.Error(err)
		}
	})
}
