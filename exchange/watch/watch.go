// Package watch is what stands around HTTP handlers: it remembers what was answered, and survives a panic without telling what
// the request held.
package watch

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
)

// Answer remembers the status of what was answered; 0 while nothing was.
type Answer struct {
	http.ResponseWriter
	Code int
}

// WriteHeader sends the status.
func (a *Answer) WriteHeader(code int) {
	a.Code = code
	a.ResponseWriter.WriteHeader(code)
}

// Write sends a part of the body, after the status 200 where none was sent.
func (a *Answer) Write(p []byte) (int, error) {
	if a.Code == 0 {
		a.Code = http.StatusOK
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (a *Answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Method is a request's method as metrics and logs may have it: anything can stand in its place.
func Method(name string) string {
	known := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}
	if slices.Contains(known, name) {
		return name
	}
	return "other"
}

// Recovered answers for a handler that panicked; value is what recover gave in the deferred function that calls this, nil
// where nothing happened. The value of a panic may hold what the request held, so its type is logged instead, and the
// runtime's own words.
func Recovered(ctx context.Context, value any, a *Answer, log *slog.Logger, route string, answer func()) {
	if value == nil {
		return
	}
	if value == http.ErrAbortHandler {
		panic(value)
	}
	log.ErrorContext(ctx, "handler panicked", "route", route, "panic", Panicked(value), "at", frames())
	if a.Code != 0 {
		panic(http.ErrAbortHandler) // half an answer must not pass for a whole one
	}
	answer()
}

// Panicked is what may be told of a panic: its type, or the runtime's own words. The value may hold what a request or a message held.
func Panicked(value any) string {
	if err, ok := value.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", value)
}

// frames are the calls that led to a panic, the nearest first, without arguments.
func frames() []string {
	var calls [24]uintptr
	n := runtime.Callers(4, calls[:]) // without Callers, frames, Recovered and the deferred function
	var at []string
	for walk := runtime.CallersFrames(calls[:n]); ; {
		frame, more := walk.Next()
		at = append(at, fmt.Sprintf("%s %s:%d", frame.Function, filepath.Base(frame.File), frame.Line))
		if !more {
			return at
		}
	}
}
