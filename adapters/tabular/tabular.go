// Package tabular reads a department's CSV export row by row.
//
// The manifest declares how the file is written; a reading never guesses. Text is decoded before it is parsed, because half
// of a Chinese character can look like a delimiter, and a guard in front sees to it that no character is lost unnoticed:
// bytes that stand for nothing, private-use characters and text that was destroyed upstream make the row damaged, not
// wrong. A file that is being written, cut off or encoded otherwise than declared is refused as a whole.
package tabular

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/adapters/mapping"
	"github.com/onedoor/yimen/exchange"
)

// Kind is the source.kind of manifests that this package reads.
const Kind = "tabular"

// settings are the keys under source in the manifest, besides kind and complete.
type settings struct {
	// Path is the file, relative to the manifest's folder.
	Path string `yaml:"path"`
	// AsOf says up to when the rows tell the truth: modified, the time the file was written (default), or read, the
	// time it was read.
	AsOf string `yaml:"as_of"`
}

// Source is one CSV file that a department writes again and again.
type Source struct {
	path     string
	complete bool
	asOfRead bool
	meaning  string // of the manifest: with another one the file is read anew
	dialect  adapters.Dialect
	glyphs   map[rune]string
	needed   []string // columns that the mapping uses
	clock    func() time.Time
}

// New opens nothing yet: it takes from the manifest what a reading needs, and says what is wrong with it.
func New(m *adapters.Manifest, clock func() time.Time) (*Source, error) {
	var own settings
	if err := m.Source.Decode(&own); err != nil {
		return nil, err
	}
	if err := check(m, own); err != nil {
		return nil, err
	}
	rules, err := mapping.Compile(m.Mapping, m.Absent)
	if err != nil {
		return nil, err
	}
	return &Source{
		path:     m.Path(own.Path),
		complete: m.Source.Complete,
		asOfRead: own.AsOf == "read",
		meaning:  m.Hash(),
		dialect:  m.Dialect,
		glyphs:   glyphs(m.Dialect.Glyphs),
		needed:   rules.Columns(),
		clock:    clock,
	}, nil
}

func check(m *adapters.Manifest, own settings) error {
	var findings adapters.Findings
	refuse := func(code string, what, mend exchange.Text) {
		findings = append(findings, &exchange.Problem{Code: code, Kind: exchange.Invalid, What: what, Mend: mend})
	}
	if m.Source.Kind != Kind {
		refuse("YM-MAN-0160", text("source.kind 不是 tabular", "source.kind is not tabular"), text("写 kind: tabular", "write kind: tabular"))
	}
	if own.Path == "" {
		refuse("YM-MAN-0161", text("source 没有写明 path", "source has no path"), text("写明 CSV 文件，例如 path: licences.csv", "name the CSV file, such as path: licences.csv"))
	}
	if own.AsOf != "" && own.AsOf != "modified" && own.AsOf != "read" {
		refuse("YM-MAN-0162", text("source.as_of 应为 modified 或 read", "source.as_of must be modified or read"),
			text("文件写成时即为截止时刻的写 modified，读取时的写 read", "write modified for the time the file was written, read for the time it was read"))
	}
	if m.Dialect.Encoding == "" {
		refuse("YM-MAN-0163", text("没有写明 dialect.encoding", "dialect.encoding is missing"), text("写 utf-8 或 gb18030；运行时从不猜测编码", "write utf-8 or gb18030: readings never guess"))
	}
	return findings.Problem()
}

// place is the note of a file that was read to its end.
type place struct {
	Digest   string    `json:"digest"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	Meaning  string    `json:"meaning"`
}

// sameContent says whether another note is of the same bytes, read in the same way. A file written anew with the same
// content is unchanged, and true up to a later moment.
func (p place) sameContent(note adapters.Place) bool {
	var before place
	return json.Unmarshal(note, &before) == nil && before.Digest == p.Digest && before.Size == p.Size && before.Meaning == p.Meaning
}

// Read yields every row of the file. See adapters.Source.
func (s *Source) Read(ctx context.Context, from adapters.Place, yield func(adapters.Row) error) (adapters.Reading, error) {
	started := s.clock()
	f, info, err := s.open()
	if err != nil {
		return adapters.Reading{}, err
	}
	defer f.Close()
	here := place{Size: info.Size(), Modified: info.ModTime(), Meaning: s.meaning}
	if here.Digest, err = digest(ctx, f); err != nil {
		return adapters.Reading{}, s.unreadable(err)
	}
	reading := adapters.Reading{Complete: s.complete, UpTo: s.upTo(started, info)}
	if reading.Place, err = json.Marshal(here); err != nil {
		return adapters.Reading{}, s.unreadable(err)
	}
	if here.sameContent(from) {
		reading.Unchanged = true
		return reading, s.unmoved(info)
	}
	dated := func(row adapters.Row) error {
		row.AsOf = reading.UpTo
		return yield(row)
	}
	if err := s.rows(ctx, f, here.Digest, dated); err != nil {
		var stopped *stop
		if errors.As(err, &stopped) { // by the caller, whatever became of the file
			return adapters.Reading{}, stopped.err
		}
		if changed := s.unmoved(info); changed != nil { // which explains whatever else was found
			err = changed
		}
		return adapters.Reading{}, err
	}
	if err := s.unmoved(info); err != nil {
		return adapters.Reading{}, err
	}
	return reading, nil
}

// stop is an error of the caller on its way through the reading.
type stop struct{ err error }

func (s *stop) Error() string { return s.err.Error() }

func (s *Source) open() (*os.File, fs.FileInfo, error) {
	info, err := os.Stat(s.path) // before opening: opening a pipe would wait
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, s.missing()
	}
	if err != nil {
		return nil, nil, s.unreadable(err)
	}
	if !info.Mode().IsRegular() {
		return nil, nil, s.notAFile()
	}
	f, err := os.Open(s.path)
	if err != nil {
		return nil, nil, s.unreadable(err)
	}
	if info, err = f.Stat(); err != nil {
		f.Close()
		return nil, nil, s.unreadable(err)
	}
	if info.Size() == 0 {
		f.Close()
		return nil, nil, s.empty()
	}
	return f, info, nil
}

// unmoved says whether the file is still the one that was opened, and as it was then.
func (s *Source) unmoved(before fs.FileInfo) error {
	after, err := os.Stat(s.path)
	if err != nil || !os.SameFile(before, after) || before.Size() != after.Size() || !before.ModTime().Equal(after.ModTime()) {
		return s.changed()
	}
	return nil
}

// upTo is never later than now, whatever the clock was by which the file was written.
func (s *Source) upTo(now time.Time, info fs.FileInfo) time.Time {
	if s.asOfRead || info.ModTime().After(now) {
		return now
	}
	return info.ModTime()
}

// rows reads what lies in the file, sees to it that it is what the digest was taken of, and yields it.
func (s *Source) rows(ctx context.Context, f *os.File, digest string, yield func(adapters.Row) error) error {
	if err := rewind(f); err != nil {
		return s.unreadable(err)
	}
	if err := s.sniff(f); err != nil {
		return err
	}
	if err := rewind(f); err != nil {
		return s.unreadable(err)
	}
	sum := sha256.New()
	t := newTable(s, io.TeeReader(f, sum))
	if err := t.read(ctx, yield); err != nil {
		return err
	}
	if hexSum(sum) != digest {
		return s.changed()
	}
	if t.yielded == 0 && s.complete {
		return s.noRows()
	}
	return nil
}

func rewind(f *os.File) error {
	_, err := f.Seek(0, io.SeekStart)
	return err
}

func digest(ctx context.Context, f *os.File) (string, error) {
	sum := sha256.New()
	buffer := make([]byte, 1<<20)
	for {
		n, err := f.Read(buffer)
		sum.Write(buffer[:n])
		if err == io.EOF {
			return hexSum(sum), nil
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return "", err
		}
	}
}

func hexSum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// file is the file's name as problems show it.
func (s *Source) file() string { return filepath.Base(s.path) }
