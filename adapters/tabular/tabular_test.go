package tabular

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/exchange"
)

var (
	written = time.Date(2026, 11, 22, 22, 0, 0, 0, exchange.China)
	now     = time.Date(2026, 11, 23, 8, 0, 0, 0, exchange.China)
)

// source is a source of a file with the content, mapped from the columns 甲 and 丙. The changes are applied to the manifest.
func source(t testing.TB, content []byte, changes ...string) *Source {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "data.csv")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, written, written); err != nil {
		t.Fatal(err)
	}
	manifest := "adapter: a/b\nevidence: c\nsource: {kind: tabular, path: data.csv, complete: true}\ndialect: {encoding: utf-8}\nmapping: {a: 甲, c: 丙}\n"
	s, err := newSource(dir, strings.NewReplacer(changes...).Replace(manifest))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newSource(dir, manifest string) (*Source, error) {
	m, err := adapters.ParseManifest(filepath.Join(dir, "m.yaml"), []byte(manifest))
	if err != nil {
		return nil, err
	}
	return New(m, func() time.Time { return now })
}

func gb(t testing.TB, s string) []byte {
	t.Helper()
	b, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// readAll gives the rows as "line: value|value", damaged ones with their code.
func readAll(s *Source, from adapters.Place) (rows []string, reading adapters.Reading, err error) {
	reading, err = s.Read(context.Background(), from, func(r adapters.Row) error {
		row := fmt.Sprintf("%d: %s", r.Line, strings.Join(r.Values, "|"))
		if r.Damage != nil {
			row += " " + r.Damage.Code
		}
		if len(r.Values) != len(r.Columns) {
			return fmt.Errorf("line %d has %d values for %d columns", r.Line, len(r.Values), len(r.Columns))
		}
		rows = append(rows, row)
		return nil
	})
	return rows, reading, err
}

func TestRows(t *testing.T) {
	asGB := []string{"utf-8", "gb18030"}
	tests := []struct {
		name    string
		content string
		changes []string
		want    []string
	}{
		{"plain", "甲,乙,丙\n1,2,3\n4,5,6", nil, []string{"2: 1|2|3", "3: 4|5|6"}},
		{"byte order mark and CRLF", "\ufeff甲,乙,丙\r\n1,2,3\r\n", nil, []string{"2: 1|2|3"}},
		{"quotes, delimiter and line break within", "甲,乙,丙\n1,\"a,\"\"b\"\"\r\nc\",3\n4,5,6\n", nil, []string{"2: 1|a,\"b\"\nc|3", "4: 4|5|6"}},
		{"empty lines and rows", "甲,乙,丙\n\n1,2,3\n\n,,\n4,5,6\n,, \n,\n\n\n", nil, []string{"3: 1|2|3", "6: 4|5|6"}},
		{"too many and too few", "甲,乙,丙\n1,2,3,4\n1,2\n7,8,9\n", nil, []string{"2: 1|2|3 YM-SRC-0131", "3: 1|2| YM-SRC-0131", "4: 7|8|9"}},
		{"too many, the first blank", "甲,乙,丙\n,,,4\n", nil, []string{"2: || YM-SRC-0131"}},
		{"bare quote", "甲,乙,丙\n1,2\"x,3\n\"1\"x,2,3\n7,8,9\n", nil, []string{"2: 1|| YM-SRC-0132", "3: || YM-SRC-0132", "4: 7|8|9"}},
		{"armour without quotes", "甲,乙,丙\n=\"1\",2,3\n7,8,9\n", nil, []string{"2: || YM-SRC-0132", "3: 7|8|9"}},
		{"bare quote in the last line", "甲,乙,丙\n7,8,9\n1,2\"x,3", nil, []string{"2: 7|8|9", "3: 1|| YM-SRC-0132"}},
		{"invalid bytes", "甲,乙,丙\n1,\xe4\xb8,3\n1,2,\xff\n7,8,9\n", nil, []string{"2: 1|\ufffd\ufffd|3 YM-ENC-0101", "3: 1|2|\ufffd YM-ENC-0101", "4: 7|8|9"}},
		{"cut at the end", "甲,乙,丙\n7,8,9\n1,2,3\xe4\xb8", nil, []string{"2: 7|8|9", "3: 1|2|3\ufffd\ufffd YM-ENC-0101"}},
		{"destroyed upstream", "甲,乙,丙\n1,\ufffd,3\n7,8,9\n", nil, []string{"2: 1|\ufffd|3 YM-ENC-0102", "3: 7|8|9"}},
		{"private use", "甲,乙,丙\n1,\ue000,3\n1,\U000f0000,3\n7,8,9\n", nil, []string{"2: 1|\ue000|3 YM-ENC-0301", "3: 1|\U000f0000|3 YM-ENC-0301", "4: 7|8|9"}},
		{"glyphs", "甲,乙,丙\n1,\ue000\ue001,3\n1,\ue000,3\n", []string{"utf-8", "utf-8, glyphs: {U+E000: 㼆}"}, []string{"2: 1|㼆\ue001|3 YM-ENC-0301", "3: 1|㼆|3"}},
		{"NUL and escape", "甲,乙,丙\n1,2\x003,3\n1,\x1b,3\n1,\u0085,3\n7,8,9\n", nil, []string{"2: 1|2\x003|3 YM-ENC-0104", "3: 1|\x1b|3 YM-ENC-0104", "4: 1|\u0085|3 YM-ENC-0104", "5: 7|8|9"}},
		{"noncharacter", "甲,乙,丙\n1,\ufdd0,3\n1,\ufffe,3\n7,8,9\n", nil, []string{"2: 1|\ufdd0|3 YM-ENC-0101", "3: 1|\ufffd|3 YM-ENC-0101", "4: 7|8|9"}},
		{"mark within the text", "甲,乙,丙\n1,\ufeff2,3\n", nil, []string{"2: 1|\ufeff2|3"}},
		{"tab", "甲\t乙\t丙\n1\t2,\t3\n", []string{"utf-8}", "utf-8, delimiter: \"\\t\"}"}, []string{"2: 1|2,|3"}},
		{"semicolon", "甲;乙;丙\n1;2,;3\n", []string{"utf-8}", "utf-8, delimiter: \";\"}"}, []string{"2: 1|2,|3"}},
		{"expected header", "甲,乙,丙\n1,2,3\n", []string{"utf-8}", "utf-8, columns: [甲, 乙, 丙]}"}, []string{"2: 1|2|3"}},
		{"text of several lines", "甲,乙,丙\n1,\"住所,甲路\n一号\",3\n7,8,9\n", nil, []string{"2: 1|住所,甲路\n一号|3", "4: 7|8|9"}},

		{"gb18030", "甲,乙,丙\r\n張,㐀,𠮷ḿ\r\n", asGB, []string{"2: 張|㐀|𠮷ḿ"}},
		{"gb18030 mark", "\ufeff甲,乙,丙\n1,2,3\n", asGB, []string{"2: 1|2|3"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			content := []byte(test.content)
			if reflect.DeepEqual(test.changes, asGB) {
				content = gb(t, test.content)
			}
			rows, reading, err := readAll(source(t, content, test.changes...), nil)
			if err != nil || !reading.Complete || !reading.UpTo.Equal(written) || len(reading.Place) == 0 || reading.Unchanged {
				t.Errorf("reading %+v %v", reading, err)
			}
			if !reflect.DeepEqual(rows, test.want) {
				t.Errorf("rows %q\nwant %q", rows, test.want)
			}
		})
	}
}

func TestGB18030Rows(t *testing.T) {
	head := string(gb(t, "甲|乙|丙\n"))
	changes := []string{"utf-8}", "gb18030, delimiter: \"|\", glyphs: {U+E001: 㼆}}"}
	tests := []struct{ name, row, want string }{
		{"second byte like the delimiter", "1|\x81\x7c|3", "1|亅|3"},
		{"second byte like a backslash", "1|\x81\x5c|3", "1|乗|3"},
		{"private use", "1|\xaa\xa1|3", "1|\ue000|3 YM-ENC-0301"},
		{"private use with a glyph", "1|\xaa\xa2|3", "1|㼆|3"},
		{"private use in four bytes", "1|\x83\x36\xd0\x30|3", "1|\ue865|3 YM-ENC-0301"},
		{"private use outside the areas", "1|\xfe\x51|3", "1|\ue816|3 YM-ENC-0301"},
		{"vertical forms", "1|\xa6\xd9\xa6\xf3|3", "1|\ufe10\ufe19|3"},
		{"components", "1|\xfe\x59\xfe\xa0|3", "1|\u9fb4\u9fbb|3"},
		{"half a character that eats the delimiter", "1|\xd6|3", "1|謡3| YM-SRC-0131"},
		{"four bytes of nothing, well formed", "1|\x84\x32\x81\x30|3", "1|\ufffd|3 YM-ENC-0101"},
		{"half a character at the end", "1|2|\xd6", "1|2|\ufffd YM-ENC-0101"},
		{"half a character before a quote", "1|\"\xd6\"|3", "1|\ufffd|3 YM-ENC-0101"},
		{"lone bytes", "1|\x80\xff|3", "1|\ufffd\ufffd|3 YM-ENC-0101"},
		{"half a code of four bytes", "1|\x81\x30|3", "1|\ufffd0|3 YM-ENC-0101"},
		{"three of four bytes", "1|\x81\x30\x81|3", "1|\ufffd0亅3| YM-ENC-0101"},
		{"four bytes of nothing", "1|\x84\x31\xa4\x40|3", "1|\ufffd1\ue5e6|3 YM-ENC-0101"},
		{"four bytes beyond Unicode", "1|\xe3\x32\x9a\x36|3", "1|\ufffd|3 YM-ENC-0101"},
		{"replacement character", "1|\x84\x31\xa4\x37|3", "1|\ufffd|3 YM-ENC-0102"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rows, _, err := readAll(source(t, []byte(head+test.row+"\n7|8|9\n"), changes...), nil)
			if want := []string{"2: " + test.want, "3: 7|8|9"}; err != nil || !reflect.DeepEqual(rows, want) {
				t.Errorf("rows %q %v\nwant %q", rows, err, want)
			}
		})
	}
}

func TestDamageSaysWhatMends(t *testing.T) {
	s := source(t, append(gb(t, "甲,乙,丙\n"), "1,2,\xaa\xa1\n"...), "utf-8", "gb18030")
	_, err := s.Read(context.Background(), nil, func(r adapters.Row) error { return r.Damage })
	want := "YM-ENC-0301: column 丙 holds the private-use character 0xAAA1 (U+E000); line 2 → it has a meaning"
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("damage %v\nwant %s", err, want)
	}
}

func TestFileRefused(t *testing.T) {
	long := strings.Repeat("中文", 100)
	tests := []struct {
		name    string
		content string
		changes []string
		code    string
		rows    int // yielded before
	}{
		{"empty", "", nil, "YM-SRC-0105", 0},
		{"mark only", "\ufeff", nil, "YM-SRC-0105", 0},
		{"empty lines only", "\n\n", nil, "YM-SRC-0105", 0},
		{"header only", "甲,乙,丙\n,,\n", nil, "YM-SRC-0106", 0},
		{"UTF-16", "\xff\xfe2u", nil, "YM-ENC-0203", 0},
		{"UTF-16 without mark", "a\x00,\x00b\x00", nil, "YM-ENC-0203", 0},
		{"workbook", "PK\x03\x04....", nil, "YM-ENC-0204", 0},
		{"UTF-8 declared gb18030", "甲,乙,丙\n" + long, []string{"utf-8", "gb18030"}, "YM-ENC-0201", 0},
		{"UTF-8 with a wrong byte declared gb18030", "甲,乙,丙\n\xff" + long, []string{"utf-8", "gb18030"}, "YM-ENC-0201", 0},
		{"UTF-8 far behind declared gb18030", strings.Repeat("abc,def\n", sampleSize/8) + long, []string{"utf-8", "gb18030"}, "YM-ENC-0201", 0},
		{"UTF-8 mark declared gb18030", "\ufeffa,b\n", []string{"utf-8", "gb18030"}, "YM-ENC-0201", 0},
		{"GB18030 declared utf-8", string(gb(t, "甲,乙,丙\n企业,名称,代码\n")), nil, "YM-ENC-0202", 0},
		{"GB18030 mark declared utf-8", "\x84\x31\x95\x33a,b\n", nil, "YM-ENC-0202", 0},
		{"quote never closed", "甲,乙,丙\n1,2,3\n1,\"2,3\n4,5,6\n7,8,9\n", nil, "YM-SRC-0121", 1},
		{"quote not closed in the last line", "甲,乙,丙\n1,2,3\n1,2,\"3", nil, "YM-SRC-0121", 1},
		{"quote closed in a later row", "甲,乙,丙\n1,\"2,3\n4,\"5\",6\n7,8,9\n", nil, "YM-SRC-0121", 0},
		{"rows swallowed", "甲,乙,丙\n1,\"2,3\n4,5,6\n7,8\",9\n1,2,3\n", nil, "YM-SRC-0122", 0},
		{"rows swallowed by the last cell", "甲,乙,丙\n1,2,\"3\n4,5,6\"\n1,2,3\n", nil, "YM-SRC-0122", 0},
		{"endless row", "甲,乙,丙\n1,2,\"" + strings.Repeat("x\n", maxRow/2+1<<17) + "\n", nil, "YM-SRC-0123", 0},
		{"header with a quote", "甲,乙\",丙\n", nil, "YM-SRC-0111", 0},
		{"header with a private-use character", "甲,乙\ue000,丙\n", nil, "YM-SRC-0111", 0},
		{"nameless column", "甲,,丙\n1,2,3\n", nil, "YM-SRC-0112", 0},
		{"repeated column", "甲,丙,丙\n1,2,3\n", nil, "YM-SRC-0113", 0},
		{"no header", "1,2,3\n4,5,6\n", nil, "YM-SRC-0114", 0},
		{"other delimiter", "甲;乙;丙\n1;2;3\n", nil, "YM-SRC-0114", 0},
		{"column lacking", "甲,乙\n1,2\n", nil, "YM-SRC-0114", 0},
		{"expected column lacking", "甲,丙\n1,2\n", []string{"utf-8}", "utf-8, columns: [甲, 乙, 丙]}"}, "YM-SRC-0114", 0},
		{"columns swapped", "甲,丙,乙\n1,2,3\n", []string{"utf-8}", "utf-8, columns: [甲, 乙, 丙]}"}, "YM-SRC-0115", 0},
		{"another column", "甲,乙,丙,丁\n1,2,3,4\n", []string{"utf-8}", "utf-8, columns: [甲, 乙, 丙]}"}, "YM-SRC-0115", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rows, reading, err := readAll(source(t, []byte(test.content), test.changes...), nil)
			var p *exchange.Problem
			if !errors.As(err, &p) || p.Code != test.code {
				t.Fatalf("error %v, want %s", err, test.code)
			}
			if len(rows) != test.rows || reading.Complete || reading.Place != nil {
				t.Errorf("rows %q, reading %+v", rows, reading)
			}
			if p.What.EN == "" || p.What.ZH == p.What.EN || p.Mend.EN == "" || p.Mend.ZH == "" {
				t.Errorf("problem says too little: %+v", p)
			}
		})
	}
}

func TestQuoteNamesItsLine(t *testing.T) {
	_, _, err := readAll(source(t, []byte("甲,乙,丙\n1,\"a\nb\",3\n1,\"2,3\n4,5,6\n")), nil)
	if err == nil || !strings.Contains(err.Error(), "a quote opened in line 4") {
		t.Errorf("error %v", err)
	}
}

func TestHeaderOnlyOfAnIncompleteSource(t *testing.T) {
	rows, reading, err := readAll(source(t, []byte("甲,乙,丙\n"), "complete: true", "complete: false"), nil)
	if err != nil || len(rows) != 0 || reading.Complete {
		t.Errorf("%q %+v %v", rows, reading, err)
	}
}

func TestUnchanged(t *testing.T) {
	content := []byte("甲,乙,丙\n1,2,3\n")
	s := source(t, content)
	_, first, err := readAll(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	rows, again, err := readAll(s, first.Place)
	if err != nil || len(rows) != 0 || !again.Unchanged || !again.Complete || !again.UpTo.Equal(written) {
		t.Errorf("same file: %q %+v %v", rows, again, err)
	}
	later := written.Add(time.Hour)
	if err := os.Chtimes(s.path, later, later); err != nil {
		t.Fatal(err)
	}
	rows, again, err = readAll(s, first.Place)
	if err != nil || len(rows) != 0 || !again.Unchanged || !again.UpTo.Equal(later) {
		t.Errorf("same content written later: %q %+v %v", rows, again, err)
	}
	for name, place := range map[string]adapters.Place{"of another source": []byte("?"), "nil": nil, "empty": {}} {
		if rows, reading, err := readAll(s, place); err != nil || len(rows) != 1 || reading.Unchanged {
			t.Errorf("place %s: %q %+v %v", name, rows, reading, err)
		}
	}
	s.meaning = "another"
	if rows, reading, err := readAll(s, first.Place); err != nil || len(rows) != 1 || reading.Unchanged {
		t.Errorf("another manifest: %q %+v %v", rows, reading, err)
	}
	if err := os.WriteFile(s.path, []byte("甲,乙,丙\n1,2,4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if rows, reading, err := readAll(s, first.Place); err != nil || len(rows) != 1 || reading.Unchanged {
		t.Errorf("another content: %q %+v %v", rows, reading, err)
	}
}

func TestUpTo(t *testing.T) {
	content := []byte("甲,乙,丙\n1,2,3\n")
	if _, reading, _ := readAll(source(t, content, "complete: true", "complete: true, as_of: read"), nil); !reading.UpTo.Equal(now) {
		t.Errorf("as of reading: %v", reading.UpTo)
	}
	s := source(t, content)
	future := now.Add(time.Hour)
	if err := os.Chtimes(s.path, future, future); err != nil {
		t.Fatal(err)
	}
	if _, reading, _ := readAll(s, nil); !reading.UpTo.Equal(now) {
		t.Errorf("a file from the future is true up to now, not %v", reading.UpTo)
	}
}

func TestFileThatChanges(t *testing.T) {
	content := "甲,乙,丙\n" + strings.Repeat("1,2,3\n", 1000)
	tests := []struct {
		name   string
		change func(path string) error
		code   string
	}{
		{"grows", func(path string) error {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString("4,5,6\n")
			return errors.Join(err, f.Close())
		}, "YM-SRC-0104"},
		{"touched", func(path string) error { return os.Chtimes(path, now, now) }, "YM-SRC-0104"},
		{"replaced", func(path string) error {
			if err := os.WriteFile(path+".tmp", []byte(content), 0o600); err != nil {
				return err
			}
			return errors.Join(os.Chtimes(path+".tmp", written, written), os.Rename(path+".tmp", path))
		}, "YM-SRC-0104"},
		{"removed", os.Remove, "YM-SRC-0104"},
		{"cut off", func(path string) error { return os.Truncate(path, 10) }, "YM-SRC-0104"},
		{"rewritten with the same size and time", func(path string) error {
			return errors.Join(os.WriteFile(path, []byte(strings.Replace(content, "1,2,3", "1,2,4", 1)), 0o600), os.Chtimes(path, written, written))
		}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := source(t, []byte(content))
			changed := false
			reading, err := s.Read(context.Background(), nil, func(adapters.Row) error {
				if changed {
					return nil
				}
				changed = true
				return test.change(s.path)
			})
			var p *exchange.Problem
			if test.code == "" { // read before it was rewritten: what was yielded is one whole file
				if err != nil {
					t.Errorf("error %v", err)
				}
				return
			}
			if !errors.As(err, &p) || p.Code != test.code || p.Kind != exchange.Unavailable || reading.Complete {
				t.Errorf("%+v %v", reading, err)
			}
		})
	}
}

func TestNoFile(t *testing.T) {
	s := source(t, []byte("x"))
	if err := os.Remove(s.path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := readAll(s, nil); exchange.KindOf(err) != exchange.NotFound {
		t.Errorf("missing file: %v", err)
	}
	if err := os.Mkdir(s.path, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, _, err := readAll(s, nil); exchange.KindOf(err) != exchange.Invalid {
		t.Errorf("a folder: %v", err)
	}
}

func TestCallerStops(t *testing.T) {
	s := source(t, []byte("甲,乙,丙\n1,2,3\n4,5,6\n"))
	enough := errors.New("enough")
	n := 0
	_, err := s.Read(context.Background(), nil, func(adapters.Row) error { n++; return enough })
	if err != enough || n != 1 {
		t.Errorf("%v after %d rows", err, n)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Read(ctx, nil, func(adapters.Row) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	const manifest = "adapter: a/b\nevidence: c\nsource: {kind: tabular, path: data.csv}\ndialect: {encoding: utf-8}\nmapping: {a: 甲}\n"
	tests := []struct{ name, old, new, code string }{
		{"kind", "kind: tabular", "kind: oracle", "YM-MAN-0160"},
		{"no path", ", path: data.csv", "", "YM-MAN-0161"},
		{"as of", "data.csv", "data.csv, as_of: yesterday", "YM-MAN-0162"},
		{"no encoding", "dialect: {encoding: utf-8}", "", "YM-MAN-0163"},
		{"unknown setting", "data.csv", "data.csv, pth: x", "YM-MAN-0111"},
		{"several", "{kind: tabular, path: data.csv}", "{kind: oracle}", "YM-MAN-0100"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := newSource("dir", strings.Replace(manifest, test.old, test.new, 1))
			var p *exchange.Problem
			if !errors.As(err, &p) || p.Code != test.code {
				t.Errorf("error %v, want %s", err, test.code)
			}
		})
	}
}

func TestPlaceHoldsNoData(t *testing.T) {
	_, reading, err := readAll(source(t, []byte("甲,乙,丙\nsecret,2,3\n")), nil)
	if err != nil || strings.Contains(string(reading.Place), "secret") || !json.Valid(reading.Place) {
		t.Errorf("place %s %v", reading.Place, err)
	}
}
