//go:build !linux

package main

import (
	"syscall"
	"time"
)

func orphansDie() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

func as(*syscall.SysProcAttr, uint32, uint32) {}

func cpuTime() time.Duration { return 0 }

func cpuTimeOf(int) time.Duration { return 0 }

func processor() string { return "unknown" }

func load() string { return "unknown" }
