package bus

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	appended *prometheus.CounterVec   // topic
	requests *prometheus.HistogramVec // topic
	followed *prometheus.CounterVec   // topic
	lag      *prometheus.GaugeVec     // topic, partition
	retries  *prometheus.CounterVec   // topic, act
	resets   *prometheus.CounterVec   // topic
}

func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "yimen", Subsystem: "bus", Name: name, Help: help}, labels)
	}
	m := &metrics{
		appended: counter("appended_messages_total", "Messages acknowledged by Kafka.", "topic"),
		followed: counter("followed_messages_total", "Messages read from Kafka and handled.", "topic"),
		retries:  counter("retries_total", "Failed requests that were tried again.", "topic", "act"),
		resets:   counter("offset_resets_total", "Times a follower's offset was gone and it began again at the earliest.", "topic"),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "yimen", Subsystem: "bus", Name: "append_request_seconds",
			Help:    "Time from sending a batch to its acknowledgement, retries included.",
			Buckets: []float64{.001, .002, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30},
		}, []string{"topic"}),
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "yimen", Subsystem: "bus", Name: "lag_messages",
			Help: "Messages on the partition that the follower has not handled yet.",
		}, []string{"topic", "partition"}),
	}
	if registry == nil {
		return m, nil
	}
	return m, errors.Join(
		register(registry, &m.appended), register(registry, &m.followed), register(registry, &m.retries),
		register(registry, &m.resets), register(registry, &m.requests), register(registry, &m.lag))
}

// register shares the collector that another Bus of the process has registered already.
func register[C prometheus.Collector](registry prometheus.Registerer, collector *C) error {
	err := registry.Register(*collector)
	var taken prometheus.AlreadyRegisteredError
	if errors.As(err, &taken) {
		if other, ok := taken.ExistingCollector.(C); ok {
			*collector = other
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("register metrics of the bus: %w", err)
	}
	return nil
}
