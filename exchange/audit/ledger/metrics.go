package ledger

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	leaves   *prometheus.CounterVec // kind
	failures prometheus.Counter     // of sequencing
	unseen   prometheus.Counter     // checkpoints that were not published
}

func newMetrics(to prometheus.Registerer, l *Ledger) (*metrics, error) {
	opts := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "yimen", Subsystem: "audit", Name: name, Help: help}
	}
	m := &metrics{
		leaves: prometheus.NewCounterVec(prometheus.CounterOpts(opts("leaves_total",
			"Messages of the audit topic that became leaves, by what they were. A conflict or a stray means that somebody else writes to the topic, a missing one that somebody took messages away.")), []string{"kind"}),
		failures: prometheus.NewCounter(prometheus.CounterOpts(opts("sequencing_failures_total", "Times that sequencing had to begin again."))),
		unseen:   prometheus.NewCounter(prometheus.CounterOpts(opts("checkpoint_failures_total", "Checkpoints that could not be published, most often because a witness did not cosign."))),
	}
	for _, kind := range []leafKind{entryLeaf, againLeaf, conflictLeaf, strayLeaf, missingLeaf} {
		m.leaves.WithLabelValues(string(kind)) // so that an alarm can be set on what never happened
	}
	if to == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.leaves, m.failures, m.unseen,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts("log_leaves", "Leaves of the log.")), func() float64 { return float64(l.sequenced.Load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts("log_lag_entries", "Messages of the audit topic that are not in the log yet.")), func() float64 { return float64(l.lag()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts("checkpoint_leaves", "Leaves of the published checkpoint.")), func() float64 { return float64(l.publisher.last().size) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts("checkpoint_age_seconds", "Seconds since everything on the audit topic was known to be published.")), l.age),
	} {
		if err := to.Register(c); err != nil {
			return nil, fmt.Errorf("register audit metrics: %w", err)
		}
	}
	return m, nil
}
