package main

import "golang.org/x/sys/unix"

// leaveNoCore keeps the kernel from writing this process's memory to a file when it crashes, and other processes of the same
// user from reading it: keys and people's data are in it. What cannot be set is no reason not to run.
func leaveNoCore() {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) // a limit of 0 does not bind a core that is piped to a collector
}
