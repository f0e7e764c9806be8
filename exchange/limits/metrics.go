package limits

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	alarms  *prometheus.CounterVec
	refused *prometheus.CounterVec
	late    prometheus.Counter
	broken  prometheus.Counter
}

func newMetrics(registerer prometheus.Registerer, suspensions func() []Suspension) (*metrics, error) {
	m := &metrics{
		alarms: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "yimen_limits_alarms_total",
			Help: "Alarms, by the rule that was broken: once a day for each clerk or department. Each node tells of what it sees.",
		}, []string{"rule"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "yimen_limits_refusals_total",
			Help: "Queries, replays and look-ups that this node refused, by the budget that was spent or the rule that suspends.",
		}, []string{"rule"}),
		late: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "yimen_limits_late_entries_total",
			Help: "Audit entries that came off the topic more than a day from their time, and were not counted.",
		}),
		broken: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "yimen_limits_unreadable_entries_total",
			Help: "Messages of the audit topic that are no entries, and were not counted.",
		}),
	}
	for rule := range whys { // so that a rate is there before the first
		m.alarms.WithLabelValues(string(rule))
		m.refused.WithLabelValues(string(rule))
	}
	if registerer == nil {
		return m, nil
	}
	suspended := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "yimen_limits_suspensions",
		Help: "Suspensions in force.",
	}, func() float64 { return float64(len(suspensions())) })
	for _, c := range []prometheus.Collector{m.alarms, m.refused, m.late, m.broken, suspended} {
		if err := registerer.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics of limits: %w", err)
		}
	}
	return m, nil
}
