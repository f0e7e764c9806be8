package holdings

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/watch"
)

// errCrashed is what comes of a message whose reading panicked.
var errCrashed = errors.New("reading the message panicked")

// reading does what reads a message that others made. A panic in there is a fault of this program that the one message brings out:
// the message is refused like any that cannot be used, and those behind it are folded. Nothing of the index is touched in there.
func reading[T any](x *Index, m *exchange.Message, read func() (T, error)) (v T, err error) {
	defer func() {
		if value := recover(); value != nil {
			x.log.Error("reading a message panicked; it is refused", slog.String("topic", m.Topic), slog.Int("partition", m.Partition), slog.Int64("offset", m.Offset),
				slog.String("panic", watch.Panicked(value)), slog.String("at", panickedAt()))
			err = errCrashed
		}
	}()
	return read()
}

// panickedAt is where the panic came from: the nearest call that is not the runtime's.
func panickedAt() string {
	var calls [24]uintptr
	n := runtime.Callers(3, calls[:]) // without Callers, panickedAt and the deferred function
	for walk := runtime.CallersFrames(calls[:n]); ; {
		frame, more := walk.Next()
		if !strings.HasPrefix(frame.Function, "runtime.") || !more {
			return fmt.Sprintf("%s %s:%d", frame.Function, filepath.Base(frame.File), frame.Line)
		}
	}
}
