package gate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Normalize is a schema's text by which two spellings of one schema are the same: members sorted by name, no white space,
// strings with the fewest escapes. Numbers keep their spelling. The text passes the gate for texts first.
func Normalize(text []byte) ([]byte, error) {
	if _, _, err := decode(text, schemaLimits()); err != nil {
		return nil, err
	}
	sorted := jsontext.Value(bytes.Clone(text))
	err := sorted.Canonicalize(jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false))
	if err != nil {
		return nil, fmt.Errorf("sort the schema's members: %w", err)
	}
	return compact(sorted)
}

// compact is a JSON text without white space between its tokens, its strings with the fewest escapes: what Java's Jackson
// writes for it, by which Confluent's registry tells schemas apart. Numbers keep their spelling.
func compact(text []byte) ([]byte, error) {
	d := jsontext.NewDecoder(bytes.NewReader(text))
	out := make([]byte, 0, len(text))
	for {
		kind, before := d.PeekKind(), len(out)
		if kind == jsontext.KindInvalid {
			if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
				return nil, fmt.Errorf("write the schema without white space: %w", err)
			}
			return out, nil
		}
		if parent, n := d.StackIndex(d.StackDepth()); n > 0 && kind != '}' && kind != ']' {
			if parent == '{' && n%2 == 1 {
				out = append(out, ':')
			} else if parent != 0 {
				out = append(out, ',')
			}
		}
		token, err := d.ReadToken()
		if err != nil {
			return nil, fmt.Errorf("write the schema without white space after byte %d: %w", before, err)
		}
		if kind == '"' {
			out = appendString(out, token.String())
		} else {
			out = append(out, token.String()...)
		}
	}
}

// appendString writes a string as Jackson does: only what must be escaped is, and hexadecimal digits are capitals.
func appendString(out []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	out = append(out, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			out = append(out, '\\', byte(r))
		case r == '\b':
			out = append(out, `\b`...)
		case r == '\t':
			out = append(out, `\t`...)
		case r == '\n':
			out = append(out, `\n`...)
		case r == '\f':
			out = append(out, `\f`...)
		case r == '\r':
			out = append(out, `\r`...)
		case r < ' ':
			out = append(out, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			out = utf8.AppendRune(out, r)
		}
	}
	return append(out, '"')
}
