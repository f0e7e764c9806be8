package broker

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/onedoor/yimen/exchange"
)

type metrics struct {
	duration  *prometheus.HistogramVec
	materials *prometheus.CounterVec
}

func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "yimen_query_duration_seconds",
			Help:    "How long queries took, audit entry included, by item and by answered, refused, limited, invalid, unavailable or failed.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}, []string{"item", "outcome"}),
		materials: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "yimen_query_materials_total",
			Help: "Materials answered, by outcome.",
		}, []string{"outcome"}),
	}
	if registerer == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.duration, m.materials} {
		if err := registerer.Register(c); err != nil {
			return nil, fmt.Errorf("register query metrics: %w", err)
		}
	}
	return m, nil
}

// observe counts one query, with its trace where one is recorded. The item must be one of the catalogue's, or empty.
func (m *metrics) observe(ctx context.Context, item exchange.Item, answers []exchange.Answer, err error, took time.Duration) {
	outcome := "answered"
	if err != nil {
		switch exchange.KindOf(err) {
		case exchange.Denied:
			outcome = "refused"
		case exchange.Limited:
			outcome = "limited"
		case exchange.Invalid, exchange.NotFound, exchange.Unauthorised, exchange.Conflict:
			outcome = "invalid"
		case exchange.Unavailable:
			outcome = "unavailable"
		default:
			outcome = "failed"
		}
	}
	at := m.duration.WithLabelValues(string(item), outcome)
	span := oteltrace.SpanFromContext(ctx)
	if span.IsRecording() {
		span.SetAttributes(attribute.String("yimen.item", string(item)), attribute.String("yimen.outcome", outcome))
	}
	if of := span.SpanContext(); of.IsSampled() {
		at.(prometheus.ExemplarObserver).ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": of.TraceID().String()})
	} else {
		at.Observe(took.Seconds())
	}
	for _, a := range answers {
		m.materials.WithLabelValues(string(a.Outcome)).Inc()
	}
}
