package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
)

// watched stands around every handler: it sets what every answer says, writes one line a request (method, route, status and
// time; the path stays out, because people put into addresses what does not belong there), and turns a panic into a problem.
func (s *server) watched(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := s.cfg.Clock()
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		seen := &status{ResponseWriter: w}
		defer func() {
			s.recovered(seen, r, recover())
			s.cfg.Log.LogAttrs(r.Context(), slog.LevelDebug, "request", slog.String("method", method(r)), slog.String("route", r.Pattern),
				slog.Int("status", seen.code), slog.Duration("took", s.cfg.Clock().Sub(began)))
		}()
		next.ServeHTTP(seen, r)
	})
}

// recovered answers for a handler that panicked. The value of a panic may hold what the request held, so its type is logged
// instead, and the runtime's own words.
func (s *server) recovered(w *status, r *http.Request, value any) {
	if value == nil {
		return
	}
	if value == http.ErrAbortHandler {
		panic(value)
	}
	what := fmt.Sprintf("%T", value)
	if err, ok := value.(runtime.Error); ok {
		what = err.Error()
	}
	s.cfg.Log.Error("handler panicked", "route", r.Pattern, "panic", what, "at", frames())
	if w.code != 0 {
		panic(http.ErrAbortHandler) // half an answer must not pass for a whole one
	}
	writeProblem(w, r, nil)
}

// frames are the calls that led here, the nearest first, without arguments.
func frames() []string {
	var calls [24]uintptr
	n := runtime.Callers(4, calls[:]) // without Callers, frames, recovered and the deferred function
	var at []string
	for walk := runtime.CallersFrames(calls[:n]); ; {
		frame, more := walk.Next()
		at = append(at, fmt.Sprintf("%s %s:%d", frame.Function, filepath.Base(frame.File), frame.Line))
		if !more {
			return at
		}
	}
}

// method is the request's method as logs may have it: anything can stand in its place.
func method(r *http.Request) string {
	known := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}
	if slices.Contains(known, r.Method) {
		return r.Method
	}
	return "other"
}

// status remembers what was answered; 0 while nothing was.
type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

func (s *status) Write(p []byte) (int, error) {
	if s.code == 0 {
		s.code = http.StatusOK
	}
	return s.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (s *status) Unwrap() http.ResponseWriter { return s.ResponseWriter }
