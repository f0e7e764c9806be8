package doubts

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange"
)

// gauge counts, whenever it is asked, the doubts that wait, by the keeper that they wait for.
type gauge struct{ *Book }

var (
	openDoubts    = prometheus.NewDesc("yimen_doubts_open", "Doubts that are not answered, or accepted and not corrected.", []string{"keeper"}, nil)
	overdueDoubts = prometheus.NewDesc("yimen_doubts_overdue", "Those of the open doubts that are older than ten working days.", []string{"keeper"}, nil)
)

// Describe names the metrics.
func (gauge) Describe(to chan<- *prometheus.Desc) {
	to <- openDoubts
	to <- overdueDoubts
}

// scrapePatience bounds how long the index may take. What it cannot say meanwhile counts as not corrected.
const scrapePatience = time.Second

// Collect counts.
func (g gauge) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapePatience)
	defer cancel()
	open, overdue := map[exchange.Department]int{}, map[exchange.Department]int{}
	for _, d := range g.all() {
		if d.status != Raised && d.status != Accepted {
			continue
		}
		s, err := g.now(ctx, &d)
		if err != nil {
			s.Clock = clock(&d, g.today())
		}
		if s.Clock == nil {
			continue
		}
		open[s.Keeper]++
		if s.Clock.Overdue {
			overdue[s.Keeper]++
		}
	}
	for keeper, n := range open {
		to <- prometheus.MustNewConstMetric(openDoubts, prometheus.GaugeValue, float64(n), string(keeper))
		to <- prometheus.MustNewConstMetric(overdueDoubts, prometheus.GaugeValue, float64(overdue[keeper]), string(keeper))
	}
}
