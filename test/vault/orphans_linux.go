package vault

import "syscall"

// orphansDie has the kernel end the server with the test, also where the test was killed or ran out of time.
func orphansDie() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
