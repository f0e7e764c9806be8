package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON Schema's patterns are those of ECMA-262; ours are RE2. Most are the same in both. What is only spelt otherwise is
// translated: \uXXXX (pairs of surrogates as one character), \u{X}, \cX, \0, \p{Script=X}, and the empty classes [] and
// [^]. What means one thing here and another there is refused.

// translate writes a pattern for RE2.
func translate(pattern string) (string, error) {
	if !strings.ContainsAny(pattern, `\[`) {
		return pattern, nil
	}
	t := &translation{in: pattern}
	for t.in != "" {
		if err := t.next(); err != nil {
			return "", err
		}
	}
	return t.out.String(), nil
}

type translation struct {
	in    string
	out   strings.Builder
	class bool // within [ ]
}

var errEscape = errors.New("bad escape")

// next translates one character or escape.
func (t *translation) next() error {
	switch {
	case t.in[0] == '\\':
		return t.escape()
	case t.class && t.in[0] == ']':
		t.class = false
	case t.class && strings.HasPrefix(t.in, "[:"):
		return errEscape // a named class in RE2, characters in ECMA-262
	case !t.class && strings.HasPrefix(t.in, "[^]"):
		t.copy(`[\x{0}-\x{10FFFF}]`, 3)
		return nil
	case !t.class && strings.HasPrefix(t.in, "[]"):
		t.copy(`[^\x{0}-\x{10FFFF}]`, 2)
		return nil
	case !t.class && strings.HasPrefix(t.in, "[^"):
		t.class = true
		t.copy("[^", 2)
		return nil
	case !t.class && t.in[0] == '[':
		t.class = true
	}
	t.copy(t.in[:1], 1)
	return nil
}

// copy writes out and drops what was read.
func (t *translation) copy(out string, read int) {
	t.out.WriteString(out)
	t.in = t.in[read:]
}

func (t *translation) escape() error {
	if len(t.in) < 2 {
		return errEscape
	}
	switch t.in[1] {
	case 'u':
		return t.unicode()
	case 'p', 'P':
		return t.property()
	case 'c':
		if len(t.in) < 3 || !letter(t.in[2]) {
			return errEscape
		}
		t.copy(fmt.Sprintf(`\x{%X}`, t.in[2]&31), 3)
	case 'b':
		if t.class {
			t.copy(`\x08`, 2) // a backspace there
			return nil
		}
		t.copy(`\b`, 2)
	case '0':
		if len(t.in) > 2 && t.in[2] >= '0' && t.in[2] <= '9' {
			return errEscape
		}
		t.copy(`\x00`, 2)
	case 'A', 'z', 'Z', 'Q', 'E', 'C', 'G', 'a', 'k':
		return errEscape // letters in ECMA-262, something else in RE2
	default:
		t.copy(t.in[:2], 2)
	}
	return nil
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// unicode translates \uXXXX and \u{X}.
func (t *translation) unicode() error {
	if rest, ok := strings.CutPrefix(t.in, `\u{`); ok {
		digits, _, closed := strings.Cut(rest, "}")
		if n, err := strconv.ParseUint(digits, 16, 32); !closed || err != nil || n > utf8.MaxRune {
			return errEscape
		}
		t.copy(`\x{`+digits+`}`, len(digits)+4)
		return nil
	}
	r, ok := unit(t.in)
	if !ok {
		return errEscape
	}
	read := 6
	if utf16.IsSurrogate(r) {
		low, _ := unit(t.in[6:])
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			return errEscape // half a character never stands in a text
		}
		read = 12
	}
	t.copy(fmt.Sprintf(`\x{%X}`, r), read)
	return nil
}

// unit reads \uXXXX.
func unit(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[2:6], 16, 16)
	return rune(n), err == nil
}

// property translates \p{Script=X} and \p{General_Category=X}.
func (t *translation) property() error {
	name, _, closed := strings.Cut(t.in[2:], "}")
	if !closed || !strings.HasPrefix(name, "{") {
		return errEscape // \pL is a short form of RE2 alone
	}
	name = name[1:]
	read := len(name) + 4
	for _, prefix := range []string{"Script=", "sc=", "General_Category=", "gc="} {
		name = strings.TrimPrefix(name, prefix)
	}
	t.copy(t.in[:2]+"{"+name+"}", read)
	return nil
}

// Portable is the schema's text with its patterns written for RE2, for readers that compile them as they stand.
func (s *Schema) Portable() ([]byte, error) { return written(portable(s.Root, s.Draft)) }

// Portable is the same of a schema that others refer to.
func (r Reference) Portable() ([]byte, error) {
	root, _, err := decode(r.Text, schemaLimits())
	if err != nil {
		return nil, err
	}
	return written(portable(root, 7)) // what an older draft does not know holds no pattern there
}

func written(schema any) ([]byte, error) {
	text, err := json.Marshal(schema) // the standard library knows json.Number
	if err != nil {
		return nil, fmt.Errorf("write the schema with patterns of RE2: %w", err)
	}
	return text, nil
}

// portable copies a schema as far as something in it changes.
func portable(v any, draft int) any {
	node, ok := v.(map[string]any)
	if !ok {
		return v
	}
	node = maps.Clone(node)
	if p, ok := node["pattern"].(string); ok {
		node["pattern"] = rewritten(p)
	}
	own := map[string]bool{} // keywords whose value is a copy already
	for child := range Children(node, draft) {
		steps := strings.Split(child.Pointer, "/")[1:]
		switch in := node[steps[0]].(type) {
		case map[string]any:
			if len(steps) == 1 {
				node[steps[0]] = portable(in, draft)
				continue
			}
			if !own[steps[0]] {
				in, own[steps[0]] = maps.Clone(in), true
				node[steps[0]] = in
			}
			name := unescape(steps[1])
			if steps[0] == "patternProperties" {
				delete(in, name)
				name = rewritten(name)
			}
			in[name] = portable(child.Schema, draft)
		case []any:
			if !own[steps[0]] {
				in, own[steps[0]] = slices.Clone(in), true
				node[steps[0]] = in
			}
			if i, err := strconv.Atoi(steps[1]); err == nil && i < len(in) {
				in[i] = portable(child.Schema, draft)
			}
		}
	}
	return node
}

// rewritten is a pattern that passed the gate, for RE2.
func rewritten(pattern string) string {
	if translated, err := translate(pattern); err == nil {
		return translated
	}
	return pattern
}
