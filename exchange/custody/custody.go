// Package custody holds what follows from a secret, until it must be given up.
//
// Keys are derived once and used with every message, so each part of a node keeps its own in memory. While the authority is
// closed they must not lie there either: the node then has every part forget, and what is asked for meanwhile errs as the
// authority does. When the authority is back, the next call derives them again.
package custody

import (
	"context"
	"sync"
	"sync/atomic"
)

// Held is something that follows from a secret. It is safe for concurrent use.
type Held[T any] struct {
	derive func(context.Context) (*T, error)
	held   atomic.Pointer[T]
	mu     sync.Mutex // one derives at a time, and nobody while it is forgotten
}

// Of holds what derive gives, from the first time that it is asked for.
func Of[T any](derive func(context.Context) (*T, error)) *Held[T] {
	return &Held[T]{derive: derive}
}

// Get gives what is held, deriving it where nothing is. It is for the work at hand: who keeps it longer keeps it from being forgotten.
func (h *Held[T]) Get(ctx context.Context) (*T, error) {
	if held := h.held.Load(); held != nil {
		return held, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if held := h.held.Load(); held != nil {
		return held, nil
	}
	derived, err := h.derive(ctx)
	if err != nil {
		return nil, err
	}
	h.held.Store(derived)
	return derived, nil
}

// Forget gives up what is held. Once it returns, nothing that was derived before is held.
func (h *Held[T]) Forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held.Store(nil)
}
