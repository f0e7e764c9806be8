//go:build !linux

package opinion

import "runtime/debug"

// confine bounds the stack and asks for thrift with memory; the process that asks bounds the time. Harder bounds are set on
// Linux, where exchanges run.
func confine() error {
	debug.SetMaxStack(stackBound)
	debug.SetMemoryLimit(heapBound)
	return nil
}
