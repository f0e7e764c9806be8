package roll

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	entries *prometheus.CounterVec // outcome
	wrong   prometheus.Counter
}

func newMetrics(to prometheus.Registerer, r *Roll) (*metrics, error) {
	opts := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "yimen", Subsystem: "roll", Name: name, Help: help}
	}
	m := &metrics{
		entries: prometheus.NewCounterVec(prometheus.CounterOpts(opts("entries_total", "Messages of the roll of identities, by what became of them.")), []string{"outcome"}),
		wrong:   prometheus.NewCounter(prometheus.CounterOpts(opts("wrong_tokens_total", "Enrolments with a token that is unknown, used or out of date."))),
	}
	if to == nil {
		return m, nil
	}
	identities := prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts("identities", "Identities on the roll.")), func() float64 {
		r.mu.RLock()
		defer r.mu.RUnlock()
		return float64(len(r.state.members))
	})
	for _, c := range []prometheus.Collector{m.entries, m.wrong, identities} {
		if err := to.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
