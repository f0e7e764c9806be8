//go:build !linux

package vault

import "syscall"

// orphansDie has no means here: a test that was killed leaves its server.
func orphansDie() *syscall.SysProcAttr { return nil }
