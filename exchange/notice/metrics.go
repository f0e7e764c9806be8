package notice

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	made      *prometheus.CounterVec
	delivered *prometheus.CounterVec
	refused   *prometheus.CounterVec
}

// newMetrics makes the metrics; subscriptions says how many there are.
func newMetrics(to prometheus.Registerer, subscriptions func() float64) (*metrics, error) {
	m := &metrics{
		made: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "yimen_notices_total",
			Help: "Notices that this node has appended, by what became of the record."}, []string{"kind"}),
		delivered: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "yimen_notice_deliveries_total",
			Help: "Deliveries of notices to webhooks: taken, failed (to be tried again), or given up."}, []string{"outcome"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "yimen_subscriptions_refused_total",
			Help: "Entries of subscriptions, and notices, that were passed over."}, []string{"reason"}),
	}
	if to == nil {
		return m, nil
	}
	count := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "yimen_subscriptions", Help: "Subscriptions in force."}, subscriptions)
	return m, errors.Join(to.Register(m.made), to.Register(m.delivered), to.Register(m.refused), to.Register(count))
}
