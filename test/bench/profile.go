package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"time"
)

// cost is what our process used.
type cost struct {
	CPU    time.Duration `json:"cpu_ns_each,omitempty"`
	Pieces int64         `json:"allocations_each,omitempty"` // of memory
}

func (c cost) each(count int64) cost {
	count = max(1, count)
	return cost{c.CPU / time.Duration(count), c.Pieces / count}
}

func soFar() cost {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return cost{cpuTime(), int64(m.Mallocs)}
}

// profiled runs one measurement, with profiles where they were asked for, and gives what our process used for it.
func (b *bench) profiled(name string, measure func() error) (spent cost, err error) {
	if b.cpu != "" {
		f, err := os.Create(profilePath(b.cpu, name))
		if err != nil {
			return spent, fmt.Errorf("write profile: %w", err)
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return spent, fmt.Errorf("profile %s: %w", name, err)
		}
		defer pprof.StopCPUProfile()
	}
	before := soFar()
	err = measure()
	after := soFar()
	if b.mem != "" && err == nil {
		err = allocations(profilePath(b.mem, name))
	}
	return cost{after.CPU - before.CPU, after.Pieces - before.Pieces}, err
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
