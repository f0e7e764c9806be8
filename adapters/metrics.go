package adapters

import (
	"github.com/onedoor/yimen/exchange"
	"github.com/prometheus/client_golang/prometheus"
)

// metrics of one adapter. The adapter's name is the only label: it comes from a manifest, not from data.
type metrics struct {
	registry    prometheus.Registerer
	records     *prometheus.CounterVec
	quarantined prometheus.Gauge
	success     prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer, adapter exchange.Adapter) *metrics {
	name := prometheus.Labels{"adapter": string(adapter)}
	m := &metrics{registry: reg,
		records: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "yimen_adapter_records_total",
			Help: "Rows of the source by what became of them.", ConstLabels: name}, []string{"result"}),
		quarantined: prometheus.NewGauge(prometheus.GaugeOpts{Name: "yimen_quarantine_records",
			Help: "Rows in quarantine after the last reading.", ConstLabels: name}),
		success: prometheus.NewGauge(prometheus.GaugeOpts{Name: "yimen_adapter_last_success_timestamp_seconds",
			Help: "When the source was last read to its end.", ConstLabels: name}),
	}
	if reg != nil {
		reg.MustRegister(m.records, m.quarantined, m.success)
	}
	return m
}

// close takes the adapter's metrics down, so that it may be opened again.
func (m *metrics) close() {
	if m.registry == nil {
		return
	}
	for _, c := range []prometheus.Collector{m.records, m.quarantined, m.success} {
		m.registry.Unregister(c)
	}
}

// count adds what a reading did. One that found the source unchanged did nothing: its counts are of the reading before.
func (m *metrics) count(r Result) {
	if r.Skipped {
		return
	}
	m.records.WithLabelValues("published").Add(float64(r.Published))
	m.records.WithLabelValues("unchanged").Add(float64(r.Unchanged))
	m.records.WithLabelValues("quarantined").Add(float64(r.Quarantined))
	m.records.WithLabelValues("withdrawn").Add(float64(r.Withdrawn))
}
