package folded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
)

func config(dir string) Config {
	return Config{Dir: dir, Of: "stamps", Format: 3, Log: slog.New(slog.DiscardHandler)}
}

func opened(t *testing.T, c Config) *Store {
	t.Helper()
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func row(key, value string) Row { return Row{[]byte(key), []byte(value)} }

// must be called with what ends well.
func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// holds compares what the store holds with what it is to hold: how far its topic was folded, and "key=value" for each row but its own.
func holds(t *testing.T, s *Store, next int64, want ...string) {
	t.Helper()
	if got, err := s.Next(); got != next || err != nil {
		t.Errorf("next is %d, %v, want %d", got, err, next)
	}
	rows, err := s.DB.NewIter(nil)
	must(t, err)
	defer rows.Close()
	var got []string
	for ok := rows.First(); ok; ok = rows.Next() {
		if !bytes.Equal(rows.Key(), placeKey) {
			got = append(got, fmt.Sprintf("%s=%s", rows.Key(), rows.Value()))
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("rows are %s, want %s", got, want)
	}
}

func TestWhatIsCommittedOutlivesAClose(t *testing.T) {
	for _, unlogged := range []bool{false, true} {
		c := config(t.TempDir())
		c.Unlogged = unlogged
		s := opened(t, c)
		holds(t, s, 0)
		must(t, s.Commit([]Row{row("z", "1"), row("a", "2")}, 7), s.Write([]Row{row("b", ""), row("a", "3")}))
		holds(t, s, 7, "a=3", "b=", "z=1")
		must(t, s.Commit(nil, 9), s.Close())
		s = opened(t, c)
		holds(t, s, 9, "a=3", "b=", "z=1")
		for key, want := range map[string]bool{"a": true, "b": true, "c": false} {
			if _, found, err := s.Get([]byte(key)); found != want || err != nil {
				t.Errorf("%s: found %v, %v", key, found, err)
			}
		}
		must(t, s.Close())
	}
}

// Rows come from all over the place and go to Pebble in order, which is half the cost.
func TestRowsAreWrittenInOrder(t *testing.T) {
	s := opened(t, config(t.TempDir()))
	defer s.Close()
	rows := []Row{row("z", ""), row("n", ""), row("b", ""), row("x", "")}
	must(t, s.Commit(rows[:3], 1))
	if batch := rows[:4]; string(batch[0].Key) != "b" || string(batch[1].Key) != "m" || string(batch[3].Key) != "z" {
		t.Errorf("written as %s", batch)
	}
}

// A value stays what it was, whatever is done with the store afterwards.
func TestValueIsTheCallers(t *testing.T) {
	s := opened(t, config(t.TempDir()))
	must(t, s.Write([]Row{row("a", "one")}))
	value, _, err := s.Get([]byte("a"))
	must(t, err, s.Write([]Row{row("a", "two")}), s.Close())
	if string(value) != "one" {
		t.Errorf("value is %s", value)
	}
}

// The bytes that say how far a topic was folded are those of every directory written so far.
func TestPlaceIsWrittenAsEver(t *testing.T) {
	s := opened(t, config(t.TempDir()))
	defer s.Close()
	must(t, s.Commit(nil, 0x0102030405))
	value, closer, err := s.DB.Get([]byte{'m'})
	must(t, err)
	defer closer.Close()
	if !bytes.Equal(value, []byte{3, 0, 0, 0, 1, 2, 3, 4, 5}) {
		t.Errorf("place is % x", value)
	}
}

// What a crash takes, it takes with its place: a copy of the files as they lie is the directory of a process that was killed.
func TestCrashTakesRowsWithTheirPlace(t *testing.T) {
	for _, tc := range []struct {
		unlogged bool
		next     int64
		rows     []string
	}{
		{true, 1, []string{"a=1"}},
		{false, 2, []string{"a=1", "b=" + strings.Repeat("2", 1<<16)}},
	} {
		c := config(t.TempDir())
		c.Unlogged = tc.unlogged
		s := opened(t, c)
		must(t, s.Commit([]Row{row("a", "1")}, 1), s.DB.Flush(), s.Commit([]Row{row("b", strings.Repeat("2", 1<<16))}, 2))
		if !tc.unlogged {
			must(t, s.DB.LogData(nil, pebble.Sync)) // waits until what was logged before is in the file
		}
		killed := c
		killed.Dir = t.TempDir()
		copied(t, killed.Dir, c.Dir)
		must(t, s.Close())
		s = opened(t, killed)
		holds(t, s, tc.next, tc.rows...)
		must(t, s.Close())
	}
}

// copied copies the files of a store in use, but those that it has just deleted.
func copied(t *testing.T, to, from string) {
	t.Helper()
	files, err := os.ReadDir(from)
	must(t, err)
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(from, f.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		must(t, err, os.WriteFile(filepath.Join(to, f.Name()), content, 0o600))
	}
}

func TestAnotherFormat(t *testing.T) {
	old := config(t.TempDir())
	s := opened(t, old)
	must(t, s.Commit([]Row{row("a", "of old")}, 5), s.Close())
	now := old
	now.Format++
	if s, err := Open(now); err == nil || !strings.Contains(err.Error(), "stamps") || !strings.Contains(err.Error(), "another format") {
		t.Fatalf("opened as %v, %v", s, err)
	}
	s = opened(t, old) // nothing has happened to it
	holds(t, s, 5, "a=of old")
	must(t, s.Close())

	var said bytes.Buffer
	now.Remade, now.Log = true, slog.New(slog.NewTextHandler(&said, nil))
	s = opened(t, now)
	holds(t, s, 0)
	if !strings.Contains(said.String(), "stamps") || !strings.Contains(said.String(), "another format") {
		t.Errorf("the log says %q", said.String())
	}
	must(t, s.Commit([]Row{row("a", "new")}, 1), s.Close())
	s = opened(t, now) // and not twice
	defer s.Close()
	holds(t, s, 1, "a=new")
}

// A place that nobody has written is told, and the directory is left as it is.
func TestDamagedPlaceIsTold(t *testing.T) {
	for _, place := range []string{"", "\x03", "\x03\x00\x00\x00\x00\x00\x00\x00", "\x03\xff\xff\xff\xff\xff\xff\xff\xff"} {
		c := config(t.TempDir())
		c.Remade = true
		s := opened(t, c)
		must(t, s.Write([]Row{{placeKey, []byte(place)}}))
		if _, err := s.Next(); !errors.Is(err, ErrDamaged) {
			t.Errorf("next of %x: %v", place, err)
		}
		must(t, s.Close())
		if _, err := Open(c); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "stamps") {
			t.Errorf("place %x: %v", place, err)
		}
	}
}

// Files that were changed are an error of whoever reads them and a line of the log, and not the end of the process.
func TestDamagedFileIsTold(t *testing.T) {
	var said bytes.Buffer
	c := config(t.TempDir())
	c.Log = slog.New(slog.NewTextHandler(&said, nil))
	s := opened(t, c)
	var rows []Row
	for i := range 2000 {
		rows = append(rows, Row{binary.BigEndian.AppendUint32([]byte{'r'}, uint32(i)), bytes.Repeat([]byte{byte(i)}, 1000)})
	}
	must(t, s.Commit(rows, 1), s.Close())
	tables, err := filepath.Glob(filepath.Join(c.Dir, "*.sst"))
	must(t, err)
	if len(tables) != 1 {
		t.Fatalf("tables: %s", tables)
	}
	content, err := os.ReadFile(tables[0])
	must(t, err)
	for i := len(content) / 4; i < len(content)/2; i++ {
		content[i] ^= 0x55
	}
	must(t, os.WriteFile(tables[0], content, 0o600))
	s = opened(t, c)
	failed := 0
	for i := range 2000 {
		if _, _, err := s.Get(binary.BigEndian.AppendUint32([]byte{'r'}, uint32(i))); err != nil {
			failed++
		}
	}
	if failed == 0 || failed == 2000 || !strings.Contains(said.String(), "stamps damaged: stop the exchange") {
		t.Errorf("%d of the rows cannot be read; the log says %.200q", failed, said.String())
	}
	must(t, s.Close())
}

func TestReadOnly(t *testing.T) {
	c := config(filepath.Join(t.TempDir(), "stamps"))
	reading := c
	reading.ReadOnly = true
	if _, err := Open(reading); err == nil {
		t.Fatal("opened what is not there")
	}
	if _, err := os.Stat(c.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory was made: %v", err)
	}
	s := opened(t, c)
	must(t, s.Commit([]Row{row("a", "1")}, 1), s.Close())
	s = opened(t, reading)
	holds(t, s, 1, "a=1")
	if err := s.Write([]Row{row("a", "2")}); err == nil {
		t.Error("written to")
	}
	must(t, s.Close())
}

// One process at a time has a directory: another one finds it held until the first has closed it.
func TestHeldUntilClosed(t *testing.T) {
	c := config(t.TempDir())
	c.Remade = true
	s := opened(t, c)
	must(t, s.Commit(nil, 1))
	if _, err := Open(c); err == nil || !strings.Contains(err.Error(), c.Dir) {
		t.Errorf("opened twice: %v", err)
	}
	must(t, s.Close())
	s = opened(t, c)
	holds(t, s, 1)
	must(t, s.Close())
}

// A directory that cannot be used is told by its name, and what cannot be made anew too.
func TestUnusable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	if _, err := Open(config(file)); err == nil || !strings.Contains(err.Error(), "open stamps in "+file) {
		t.Errorf("opened a file: %v", err)
	}
}

func FuzzPlace(f *testing.F) {
	f.Add(byte(1), placeValue(1, 0))
	f.Add(byte(4), placeValue(4, 1<<40))
	f.Add(byte(4), placeValue(3, 7))
	f.Add(byte(0), []byte(nil))
	f.Fuzz(func(t *testing.T, format byte, value []byte) {
		next, err := readPlace(format, value)
		switch {
		case err == nil && (next < 0 || !bytes.Equal(placeValue(format, next), value)):
			t.Errorf("% x came back as %d", value, next)
		case err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, errFormat):
			t.Errorf("% x: %v", value, err)
		}
	})
}
