package registry

import (
	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	proposals *prometheus.CounterVec // outcome
	records   *prometheus.CounterVec // what became of records of _schemas
	lag       prometheus.Gauge
}

func newMetrics(to prometheus.Registerer, r *Registry) (*metrics, error) {
	opts := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "yimen", Subsystem: "registry", Name: name, Help: help}
	}
	m := &metrics{
		proposals: prometheus.NewCounterVec(prometheus.CounterOpts(opts("proposals_total", "Messages of schemas.proposals, by what became of them.")), []string{"outcome"}),
		records:   prometheus.NewCounterVec(prometheus.CounterOpts(opts("mirror_records_total", "Records of _schemas: written by this node, or read and not of this registry.")), []string{"kind"}),
		lag:       prometheus.NewGauge(prometheus.GaugeOpts(opts("lag_messages", "Proposals not folded yet, when it was looked last."))),
	}
	if to == nil {
		return m, nil
	}
	subjects := prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts("subjects", "Subjects with a version that is not deleted.")),
		func() float64 { return float64(len(r.Subjects("", false, false))) })
	versions := prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts("versions", "Versions of all subjects, softly deleted ones included.")), r.countVersions)
	for _, c := range []prometheus.Collector{m.proposals, m.records, m.lag, subjects, versions} {
		if err := to.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (r *Registry) countVersions() float64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	n := 0
	for _, sub := range r.state.subjects {
		n += len(sub.versions)
	}
	return float64(n)
}
