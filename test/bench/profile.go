package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"time"
)

// profiled runs one measurement, with profiles where they were asked for, and gives the processor time our process used.
func (b *bench) profiled(name string, measure func() error) (cpu time.Duration, err error) {
	if b.cpu != "" {
		f, err := os.Create(profilePath(b.cpu, name))
		if err != nil {
			return 0, fmt.Errorf("write profile: %w", err)
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return 0, fmt.Errorf("profile %s: %w", name, err)
		}
		defer pprof.StopCPUProfile()
	}
	before := cpuTime()
	err = measure()
	cpu = cpuTime() - before
	if b.mem != "" && err == nil {
		err = allocations(profilePath(b.mem, name))
	}
	return cpu, err
}

func profilePath(prefix, name string) string { return prefix + "-" + name + ".pprof" }

func allocations(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write profile: %w", err)
	}
	runtime.GC() // so that the profile is of this moment
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}
