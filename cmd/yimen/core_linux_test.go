package main

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestNoCoreIsLeft: a crash must not write keys and people's data to a file.
func TestNoCoreIsLeft(t *testing.T) {
	leaveNoCore()
	t.Cleanup(func() { unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) })
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil || limit.Cur != 0 || limit.Max != 0 {
		t.Errorf("core files up to %d bytes, %v", limit.Cur, err)
	}
	if dumps, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || dumps != 0 {
		t.Errorf("dumpable %d, %v", dumps, err)
	}
}
