package durable

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestFullDisk: on a disk that is full a file keeps what it held, nothing is left behind, and there is room again where there was.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("skipped: a small disk can be mounted by root alone: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	path := filepath.Join(dir, "state")
	before := bytes.Repeat([]byte("a"), 16<<10)
	if err := Replace(path, before, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := Replace(path, bytes.Repeat([]byte("b"), 60<<10), 0o600); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("on a full disk: %v", err)
		}
		got, err := os.ReadFile(path)
		left, listErr := os.ReadDir(dir)
		if err != nil || listErr != nil || !bytes.Equal(got, before) || len(left) != 1 {
			t.Errorf("it holds %d bytes, %d files are there, %v %v", len(got), len(left), err, listErr)
		}
	}
	if err := Replace(path, []byte("c"), 0o600); err != nil {
		t.Errorf("where there is room again: %v", err)
	}
}
