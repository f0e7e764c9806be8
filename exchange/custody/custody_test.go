package custody

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"weak"
)

func TestForgottenIsGoneAndComesBack(t *testing.T) {
	closed, derived := error(nil), 0
	h := Of(func(context.Context) (*[32]byte, error) {
		if closed != nil {
			return nil, closed
		}
		derived++
		return &[32]byte{byte(derived)}, nil
	})
	for range 3 {
		if key, err := h.Get(t.Context()); err != nil || key[0] != 1 {
			t.Fatalf("%v, %v", key, err)
		}
	}
	first := weak.Make(h.held.Load())
	closed = errors.New("closed")
	h.Forget()
	h.Forget()
	runtime.GC()
	if first.Value() != nil {
		t.Error("what was forgotten is still in memory")
	}
	if _, err := h.Get(t.Context()); !errors.Is(err, closed) {
		t.Errorf("while the authority is closed: %v", err)
	}
	closed = nil
	if key, err := h.Get(t.Context()); err != nil || key[0] != 2 {
		t.Errorf("when it is back: %v, %v", key, err)
	}
}
