package rest

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/onedoor/yimen/exchange/watch"
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
	m.requests.WithLabelValues(watch.Method(c.r.Method), route, strconv.Itoa(code)).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}

var noSniff = []string{"nosniff"}
