//go:build !linux

package kafka

import "syscall"

// orphansDie has no means here: a test that was killed leaves its broker.
func orphansDie() *syscall.SysProcAttr { return nil }
