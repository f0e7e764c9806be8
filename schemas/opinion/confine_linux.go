package opinion

import (
	"bytes"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"syscall"
)

// confine bounds what this process may use: its memory, its stack and its time.
func confine() error {
	debug.SetMaxStack(stackBound)
	debug.SetMemoryLimit(heapBound)
	space, err := addressSpace()
	if err != nil {
		return err
	}
	// A Go program holds much address space that it does not use, so the bound is on what is added.
	for resource, most := range map[int]uint64{
		syscall.RLIMIT_AS:    space + heapBound,
		syscall.RLIMIT_CPU:   uint64(wallClock.Seconds()) + 1, // where the process that asks is no more
		syscall.RLIMIT_CORE:  0,                               // a dump would hold documents
		syscall.RLIMIT_FSIZE: 0,
	} {
		if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: most, Max: most}); err != nil {
			return fmt.Errorf("resource %d: %w", resource, err)
		}
	}
	return nil
}

// addressSpace is how many bytes the process has reserved.
func addressSpace() (uint64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	first, _, _ := bytes.Cut(text, []byte(" "))
	pages, err := strconv.ParseUint(string(first), 10, 64)
	return pages * uint64(os.Getpagesize()), err
}
