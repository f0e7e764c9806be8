package rest

import (
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics count requests by what the program knows them as: nothing that a caller wrote becomes a label.
type metrics struct {
	requests *prometheus.CounterVec   // method, route, status
	seconds  *prometheus.HistogramVec // route
}

func newMetrics(to prometheus.Registerer) metrics {
	in := promauto.With(to)
	return metrics{
		requests: in.NewCounterVec(prometheus.CounterOpts{Namespace: "yimen", Subsystem: "registry", Name: "requests_total",
			Help: "Requests to the schema registry, by method, route and status."}, []string{"method", "route", "status"}),
		seconds: in.NewHistogramVec(prometheus.HistogramOpts{Namespace: "yimen", Subsystem: "registry", Name: "request_seconds",
			Help: "How long requests to the schema registry took.", Buckets: prometheus.ExponentialBuckets(0.0001, 4, 10)}, []string{"route"}),
	}
}

func (m metrics) count(c *call, code int, took time.Duration) {
	route := c.routed
	if route == "" {
		route = "none"
	}
	if code == 0 {
		code = http.StatusOK // which net/http answers with
	}
	m.requests.WithLabelValues(method(c.r.Method), route, strconv.Itoa(code)).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}

// method is the request's method as metrics and logs may have it: anything can stand in its place.
func method(name string) string {
	known := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}
	if slices.Contains(known, name) {
		return name
	}
	return "other"
}

var noSniff = []string{"nosniff"}

// recovered answers for a request whose handling panicked. The value of a panic may hold what the request held, so its type
// is logged instead, and the runtime's own words.
func (c *call) recovered(seen *status, value any) {
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
	c.Log.Error("handler panicked", "route", c.routed, "panic", what, "at", frames())
	if seen.code != 0 {
		panic(http.ErrAbortHandler) // half an answer must not pass for a whole one
	}
	body, code := complain(nil, false)
	c.send(code, body)
}

// frames are the calls that led to a panic, the nearest first, without arguments.
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
