package main

import (
	"context"
	"errors"
	"io"
	"os"

	"golang.org/x/term"
)

// readerFunc is a reader made of its one method.
type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// stoppable is a reader that gives up when ctx ends. A read from a terminal or a pipe cannot be called
// off, so it is left behind: the process is about to end.
func stoppable(ctx context.Context, r io.Reader) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		own := make([]byte, len(p)) // a read left behind must not write into p
		n, err := untilDone(ctx, func() (int, error) { return r.Read(own) })
		return copy(p, own[:n]), err
	})
}

// readUnseen reads a line from the terminal without showing it, and leaves the terminal as it was.
func readUnseen(ctx context.Context) ([]byte, error) {
	fd := int(os.Stdin.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	line, err := untilDone(ctx, func() ([]byte, error) { return term.ReadPassword(fd) })
	if ctx.Err() != nil {
		return nil, errors.Join(ctx.Err(), term.Restore(fd, before))
	}
	return line, err
}

// untilDone waits for do, or for ctx to end.
func untilDone[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
