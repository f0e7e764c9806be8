package demo

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/onedoor/yimen/exchange"
)

func TestWriteIsRepeatable(t *testing.T) {
	now := time.Date(2026, 11, 20, 6, 30, 0, 0, exchange.China)
	c := New(Config{Seed: 11, People: 1500, Spoilt: 30, Now: now})
	dir, done, total := t.TempDir(), 0, 0
	if err := c.Write(dir, func(d, of int) { done, total = d, of }); err != nil {
		t.Fatal(err)
	}
	if done != total || total == 0 {
		t.Errorf("progress ended at %d of %d", done, total)
	}
	first := contents(t, dir, now)
	if len(first) != 12*2+1 {
		t.Errorf("%d files, want an export and a manifest for each type and a README", len(first))
	}
	if err := c.Write(dir, nil); err != nil { // over the old files
		t.Fatal(err)
	}
	for name, content := range contents(t, dir, now) {
		if !bytes.Equal(content, first[name]) {
			t.Errorf("%s changed when it was written again", name)
		}
	}
}

func contents(t *testing.T, dir string, at time.Time) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if info, err := entry.Info(); err != nil || !info.ModTime().Equal(at) {
			t.Errorf("%s: not of the city's time", entry.Name())
		}
		files[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestTalliesAgreeWithFiles reads the files as any other program would.
func TestTalliesAgreeWithFiles(t *testing.T) {
	c := New(Config{Seed: 4, People: 2500, Spoilt: 60})
	dir := t.TempDir()
	if err := c.Write(dir, nil); err != nil {
		t.Fatal(err)
	}
	for i, tally := range c.Tallies() {
		r := &c.registers[i]
		raw, err := os.ReadFile(filepath.Join(dir, tally.File))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(raw, []byte("\ufeff")) != r.dialect.mark || bytes.Contains(raw, []byte("\r\n")) != (r.dialect.newline == "\r\n") {
			t.Errorf("%s: byte order mark or line ends are not those of the dialect", tally.File)
		}
		rows, ragged, cut := readBack(t, raw, r)
		if rows != tally.Rows || ragged != tally.Spoilt[Ragged] || cut != tally.Spoilt[CutOff] {
			t.Errorf("%s: %d rows, %d ragged, %d cut off; tally %+v", tally.File, rows, ragged, cut, tally)
		}
		if tally.Rows > 200 && (tally.Bad() == 0 || tally.Bad() > tally.Rows/8 || tally.Nameless > tally.Bad()) {
			t.Errorf("%s: %d bad rows, %d nameless, of %d", tally.File, tally.Bad(), tally.Nameless, tally.Rows)
		}
	}
}

func readBack(t *testing.T, raw []byte, r *register) (rows, ragged, cut int) {
	t.Helper()
	text := raw
	if r.dialect.gb18030 {
		var err error
		if text, err = simplifiedchinese.GB18030.NewDecoder().Bytes(raw); err != nil {
			t.Fatal(err)
		}
	}
	reader := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	reader.Comma, reader.FieldsPerRecord = rune(r.dialect.delimiter), -1
	all, err := reader.ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", r.evidence, err)
	}
	if !slices.Equal(all[0], columnNames(r)) {
		t.Errorf("%s: header %q", r.evidence, all[0])
	}
	for _, row := range all[1:] {
		if len(row) != len(r.columns) {
			ragged++
		}
		if joined := strings.Join(row, ""); strings.ContainsRune(joined, '\ufffd') || strings.ToValidUTF8(joined, "") != joined {
			cut++
		}
	}
	return len(all) - 1, ragged, cut
}

func TestWriteFails(t *testing.T) {
	c := New(Config{People: 40})
	dir := t.TempDir()
	occupied := filepath.Join(dir, "occupied")
	if err := os.WriteFile(occupied, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Write(occupied, nil); err == nil {
		t.Error("wrote into a file as if it were a folder")
	}
	full := errors.New("disk full")
	if err := c.file(filepath.Join(dir, "a.csv"), func(io.Writer) error { return full }); !errors.Is(err, full) {
		t.Errorf("got %v, want the writer's error", err)
	}
	if err := c.file(filepath.Join(dir, "missing", "a.csv"), func(io.Writer) error { return nil }); err == nil {
		t.Error("wrote into a folder that is not there")
	}
	if _, err := c.rows(&c.registers[0], broken{}, func(int) {}); err == nil {
		t.Error("a broken writer went unnoticed")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("half a file was left: %v %v", left, err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func FuzzTable(f *testing.F) {
	f.Add("a", "b,c")
	f.Add(`="430281199001010017"`, "两\"行\n")
	f.Add("", "\t\r\n")
	f.Fuzz(func(t *testing.T, a, b string) {
		a, b = strings.ToValidUTF8(a, ""), strings.ToValidUTF8(b, "")
		if strings.ContainsAny(a+b, "\x00\r\ufffd") || a == "" { // CR LF becomes LF in reading; a blank line is no row
			return
		}
		var out bytes.Buffer
		table := newTable(&out, dialect{delimiter: ',', newline: "\n"})
		table.row([]string{a, b})
		got, err := csv.NewReader(&out).Read()
		if err != nil || !slices.Equal(got, []string{a, b}) {
			t.Errorf("%q %q came back as %q: %v", a, b, got, err)
		}
	})
}
