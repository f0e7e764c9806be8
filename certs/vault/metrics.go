package vault

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/certs"
)

type metrics struct {
	failures *prometheus.CounterVec // act, reason
}

func newMetrics(to prometheus.Registerer, a *Authority) (*metrics, error) {
	opts := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "yimen", Subsystem: "authority", Name: name, Help: help}
	}
	m := &metrics{failures: prometheus.NewCounterVec(prometheus.CounterOpts(opts("failures_total",
		"Requests to Vault that failed, by what was to be done and why. The reason stolen is an alarm.")), []string{"act", "reason"})}
	if to == nil {
		return m, nil
	}
	all := []prometheus.Collector{m.failures}
	for _, state := range []certs.State{certs.OK, certs.Degraded, certs.Closed} {
		o := opts("state", "1 for the state that the authority is in: ok, degraded (cached secrets serve) or closed (nothing is answered).")
		o.ConstLabels = prometheus.Labels{"state": string(state)}
		all = append(all, prometheus.NewGaugeFunc(prometheus.GaugeOpts(o), func() float64 {
			if a.State() == state {
				return 1
			}
			return 0
		}))
	}
	for _, c := range all {
		if err := to.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics of the authority: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) failed(act string, err error) {
	r := why(err)
	if r == "" {
		r = "other"
	}
	m.failures.WithLabelValues(act, string(r)).Inc()
}
