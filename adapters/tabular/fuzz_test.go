package tabular

import (
	"context"
	"os"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/exchange"
)

// FuzzRead reads any bytes as a file. No line may vanish: a reading that ends well has yielded each line that holds anything,
// and every sound row holds sound text.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"1,2,3\n4,5,6\n", "\"a\nb\",2,3\r\n", "1,\"2,3\n4,5,6", "\xd6\xd0,\xaa\xa1,\xff\n", "1,2\n,,\n\n\"", "=\"1\",2,3\n\x00,\ufffd,\ue000\n", "\x81\x30\x81"} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	s := map[bool]*Source{}
	head := map[bool][]byte{true: gb(f, "甲,乙,丙\n"), false: []byte("甲,乙,丙\n")}
	s[true], s[false] = source(f, []byte("x"), "utf-8", "gb18030", "complete: true", "complete: false"), source(f, []byte("x"), "complete: true", "complete: false")
	f.Fuzz(func(t *testing.T, content []byte, isGB bool) {
		if err := os.WriteFile(s[isGB].path, append(head[isGB][:len(head[isGB]):len(head[isGB])], content...), 0o600); err != nil {
			t.Fatal(err)
		}
		yielded, last := 0, 1
		_, err := s[isGB].Read(context.Background(), nil, func(r adapters.Row) error {
			yielded++
			if r.Line <= last || len(r.Values) != 3 {
				t.Fatalf("line %d after %d, %d values", r.Line, last, len(r.Values))
			}
			last = r.Line
			for _, v := range r.Values {
				if r.Damage == nil && strings.ContainsFunc(v, func(c rune) bool { return flawOf(c) != sound }) || !utf8.ValidString(v) {
					t.Fatalf("line %d: a sound row with flawed text", r.Line)
				}
			}
			return nil
		})
		if err != nil {
			if kind := exchange.KindOf(err); kind != exchange.Invalid {
				t.Fatalf("%s: %v", kind, err)
			}
			return
		}
		if strings.ContainsAny(string(content), "\"\r") || isGB {
			return // lines and rows are not the same then
		}
		want := 0
		for line := range strings.SplitSeq(string(content), "\n") {
			if strings.TrimFunc(line, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) != "" {
				want++
			}
		}
		if yielded != want {
			t.Fatalf("%d rows of %d lines", yielded, want)
		}
	})
}
