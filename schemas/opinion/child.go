package opinion

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// child is one process. It answers one question after the other.
type child struct {
	cmd       *exec.Cmd
	in        io.WriteCloser
	out       *io.LimitedReader // of an answer; set anew for each
	answers   *json.Decoder     // over out
	complaint *room
	kill      context.CancelFunc
	asked     int
}

// start starts a child, which waits for its first question.
func (a Asker) start() (*child, error) {
	command, err := a.command()
	if err != nil {
		return nil, err
	}
	life, kill := context.WithCancel(context.Background())
	c := &child{kill: kill, complaint: &room{left: mostStderr}}
	c.cmd = exec.CommandContext(life, command[0], command[1:]...)
	c.cmd.Env = []string{"GOMAXPROCS=1", "GOTRACEBACK=none", marked + "=1"} // one core; no memory dumped into stderr
	c.cmd.Stderr = c.complaint
	c.cmd.WaitDelay = time.Second // where the child left a process that holds its output
	if err := c.connect(); err != nil {
		kill()
		return nil, err
	}
	return c, nil
}

func (c *child) connect() error {
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	c.in, c.out = in, &io.LimitedReader{R: out}
	c.answers = json.NewDecoder(c.out)
	c.answers.DisallowUnknownFields()
	return c.cmd.Start()
}

// end ends a child: one that has closed its output is waited for, any other is killed.
func (c *child) end(closed bool) *os.ProcessState {
	if !closed {
		c.kill()
	}
	c.in.Close()
	c.cmd.Wait() // how it ended is in its state
	c.kill()
	return c.cmd.ProcessState
}

// room keeps what is written to it up to a bound.
type room struct {
	kept bytes.Buffer
	left int
}

func (r *room) Write(p []byte) (int, error) {
	n := min(len(p), r.left)
	r.kept.Write(p[:n])
	r.left -= n
	return len(p), nil // the child is not to hang on it
}

// Idle keeps a child between two questions: starting one takes longer than an answer. The zero value is ready for use.
type Idle struct {
	mu     sync.Mutex
	child  *child
	expiry *time.Timer
	closed bool
}

// What one child may do before it is replaced, so that nothing adds up in it.
const (
	mostQuestions = 100
	mostIdle      = time.Minute // it holds about 40 MB
)

// take gives the child, nil where there is none.
func (i *Idle) take() *child {
	if i == nil {
		return nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	c := i.child
	if i.child = nil; c != nil {
		i.expiry.Stop()
	}
	return c
}

// keep takes a child that has answered. One that is not kept is ended.
func (i *Idle) keep(c *child) {
	if c.asked++; i != nil && c.asked < mostQuestions {
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.child == nil && !i.closed {
			i.child, i.expiry = c, time.AfterFunc(mostIdle, i.expire)
			return
		}
	}
	go c.end(false)
}

func (i *Idle) expire() {
	if c := i.take(); c != nil {
		c.end(false)
	}
}

// Close ends the child, and keeps none any more.
func (i *Idle) Close() error {
	i.mu.Lock()
	i.closed = true
	i.mu.Unlock()
	i.expire()
	return nil
}
