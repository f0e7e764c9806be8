package test

import (
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestBuildsAreTheSame builds the command twice, in another folder and with an empty cache each time: whoever has the source can tell
// whether a binary was made from it.
func TestBuildsAreTheSame(t *testing.T) {
	if os.Getenv("YIMEN_TEST_BUILDS") == "" {
		t.Skip("skipped: takes minutes; set YIMEN_TEST_BUILDS=1")
	}
	dirs := [2]string{source(t), source(t)} // both before the first build, which takes minutes: somebody may be working on the source
	var sums [2][sha256.Size]byte
	for i, dir := range dirs {
		sums[i] = built(t, dir)
	}
	t.Logf("SHA-256 %x", sums[0])
	if sums[0] != sums[1] {
		t.Errorf("two builds differ: %x and %x", sums[0], sums[1])
	}
}

// source copies what git tracks into a folder of its own.
func source(t *testing.T) (dir string) {
	t.Helper()
	listed, err := exec.Command("git", "-C", "..", "ls-files", "-z").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for file := range strings.SplitSeq(strings.TrimSuffix(string(listed), "\x00"), "\x00") {
		to := filepath.Join(dir, file)
		content, err := os.ReadFile(filepath.Join("..", file))
		if err == nil {
			err = errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, content, 0o644))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// built is the sum of the command, as a release is built.
func built(t *testing.T, dir string) (sum [sha256.Size]byte) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "yimen")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", out, "./cmd/yimen")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOCACHE="+t.TempDir(), "CGO_ENABLED=0", "GOFLAGS=")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		t.Fatal(err)
	}
	return [sha256.Size]byte(hash.Sum(nil))
}
