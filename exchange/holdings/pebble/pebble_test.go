package pebble_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/holdings"
	"github.com/onedoor/yimen/exchange/holdings/enginetest"
	"github.com/onedoor/yimen/exchange/holdings/pebble"
)

func open(t testing.TB, dir string) *pebble.Store {
	t.Helper()
	s, err := pebble.Open(pebble.Config{Dir: dir, CacheBytes: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	enginetest.Run(t, func(t testing.TB, place string) enginetest.Engine { return open(t, place) })
}

func TestOpenRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	held := t.TempDir()
	defer open(t, held).Close()
	damaged := t.TempDir()
	open(t, damaged).Close()
	matches, _ := filepath.Glob(filepath.Join(damaged, "MANIFEST-*"))
	for _, m := range matches {
		if err := os.WriteFile(m, []byte("nonsense"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, row := range map[string]struct {
		dir  string
		kind exchange.Kind
	}{
		"no directory": {"", exchange.Invalid},
		"a file":       {file, exchange.Internal},
		"held":         {held, exchange.Conflict},
		"damaged":      {damaged, exchange.Internal},
	} {
		s, err := pebble.Open(pebble.Config{Dir: row.dir})
		if err == nil {
			s.Close()
			t.Errorf("%s: opened", name)
			continue
		}
		if exchange.KindOf(err) != row.kind || !strings.Contains(err.Error(), row.dir) || !strings.Contains(err.Error(), "→") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHeldByAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	child := inChild(t, dir)
	_, err := pebble.Open(pebble.Config{Dir: dir})
	if exchange.KindOf(err) != exchange.Conflict || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
	child.kill()
}

// TestKilled kills a process that commits without end, and looks whether what it left is a beginning of its commits. They are
// more than may wait in memory, so that some of them are written before it is killed.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	child := inChild(t, dir)
	told := 0
	for told < 2000 && child.lines.Scan() {
		told, _ = strconv.Atoi(child.lines.Text())
	}
	child.kill()
	s := open(t, dir)
	defer s.Close()
	last := -1
	rows := map[int]int{}
	err := s.Scan(t.Context(), [][]byte{[]byte("n"), []byte("k")}, func(key, value []byte) bool {
		n, _ := strconv.Atoi(strings.TrimRight(string(value), " "))
		if key[0] == 'n' {
			last = n
		} else {
			rows[n]++
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	if last < 100 || len(rows) != last+1 {
		t.Fatalf("the last commit is %d, rows are of %d commits", last, len(rows))
	}
	for n, count := range rows {
		if count != 3 {
			t.Fatalf("commit %d has %d of its 3 rows", n, count)
		}
	}
	t.Logf("told of %d commits, %d are left", told+1, last+1)
}

// TestPurge deletes rows that lie in several files and looks for their bytes.
func TestPurge(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	defer func() { s.Close() }()
	random := rand.New(rand.NewPCG(3, 1))
	value := func() []byte {
		b := make([]byte, 3000)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	}
	key := func(n, version int) []byte { return fmt.Appendf(nil, "h%016d/%d", n*7919%1_000_003, version) }
	var gone, left [][]byte
	for version := range 4 { // each in files of its own
		var rows []holdings.Row
		for n := range 1500 {
			rows = append(rows, holdings.Row{Key: key(n, version), Value: value()})
		}
		gone, left = append(gone, rows[700].Value), append(left, rows[701].Value)
		if err := s.Commit(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir)
	}
	count := func(values [][]byte) (n int) {
		t.Helper()
		found := map[int]bool{}
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) { // the store has just deleted it
				return nil
			}
			for i, v := range values {
				found[i] = found[i] || bytes.Contains(content, v[:100])
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, is := range found {
			if is {
				n++
			}
		}
		return n
	}
	still := func(when string, want int) { // nothing moves while the store is closed
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if count(gone) != want || count(left) != 4 {
			t.Errorf("%s: %d values that are deleted and %d of 4 others are in files", when, count(gone), count(left))
		}
		s = open(t, dir)
	}
	still("before", 4)
	var rows []holdings.Row
	for version := range 4 {
		rows = append(rows, holdings.Row{Key: key(700, version), Delete: true})
	}
	if err := s.Commit(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	if err := s.Purge(t.Context(), [][]byte{rows[0].Key[:holdings.StemSize]}); err != nil {
		t.Fatal(err)
	}
	if n := count(gone); n != 0 {
		t.Errorf("%d values that were deleted are in files", n)
	}
	still("after", 0)
}

const childDir = "YIMEN_TEST_INDEX_DIR"

type child struct {
	process *exec.Cmd
	lines   *bufio.Scanner
}

func (c child) kill() {
	c.process.Process.Kill()
	c.process.Wait()
}

// inChild runs this test binary once more; TestMain then commits until it is killed. It returns after the first commit.
func inChild(t *testing.T, dir string) child {
	t.Helper()
	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), childDir+"="+dir)
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	c := child{process, bufio.NewScanner(out)}
	t.Cleanup(c.kill)
	if !c.lines.Scan() {
		t.Fatal("child does not commit")
	}
	return c
}

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		commitForEver(dir)
	}
	os.Exit(m.Run())
}

func commitForEver(dir string) {
	s, err := pebble.Open(pebble.Config{Dir: dir, CacheBytes: 1 << 20})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for n := 0; ; n++ {
		value := strconv.Itoa(n)
		rows := []holdings.Row{{Key: []byte("n"), Value: []byte(value)}}
		for i := range 3 {
			rows = append(rows, holdings.Row{Key: fmt.Appendf(nil, "k%017d/%d", n*7919%1_000_003, i), Value: fmt.Appendf(nil, "%-50000s", value)})
		}
		if err := s.Commit(context.Background(), rows); err != nil {
			os.Exit(1)
		}
		fmt.Println(n)
	}
}
