package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// child is a server that runs until it is stopped.
type child struct {
	name string
	log  string // file of what it says
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

func spawn(name, log string, cmd *exec.Cmd) (*child, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	c := &child{name: name, log: log, cmd: cmd, done: make(chan struct{})}
	go func() {
		cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

// ended says, where the process is gone, what it said last.
func (c *child) ended() error {
	select {
	case <-c.done:
		text, _ := os.ReadFile(c.log)
		return fmt.Errorf("%s has ended: %s", c.name, text[max(0, len(text)-2000):])
	default:
		return nil
	}
}

// stop asks by the signal, and does not ask any more after a while.
func (c *child) stop(signal syscall.Signal) error {
	if err := c.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", c.name, err)
	}
	select {
	case <-c.done:
	case <-time.After(20 * time.Second):
		c.cmd.Process.Kill()
		<-c.done
	}
	return nil
}
