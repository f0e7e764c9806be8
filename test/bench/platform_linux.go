package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// orphansDie has the kernel end a server with this process, also where this process was killed.
func orphansDie() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// as runs a command as another user.
func as(attributes *syscall.SysProcAttr, uid, gid uint32) {
	attributes.Credential = &syscall.Credential{Uid: uid, Gid: gid}
}

// cpuTime is what this process has used of the processors so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// cpuTimeOf is what another process has used so far, 0 where that cannot be said.
func cpuTimeOf(pid int) time.Duration {
	const user, system, tick = 11, 12, 10 * time.Millisecond
	content, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, _ := strings.Cut(string(content), ") ")
	fields := strings.Fields(after)
	if len(fields) <= system {
		return 0
	}
	u, _ := strconv.Atoi(fields[user])
	s, _ := strconv.Atoi(fields[system])
	return time.Duration(u+s) * tick
}

// processor is the model's name.
func processor() string {
	content, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(content)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// load is how busy the machine is with everything on it.
func load() string {
	content, _ := os.ReadFile("/proc/loadavg")
	one, _, _ := strings.Cut(string(content), " ")
	return one
}
