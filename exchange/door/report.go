package door

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/onedoor/yimen/exchange/audit"
)

// Appender makes an audit entry durable.
type Appender interface {
	Append(ctx context.Context, e audit.Entry) (audit.Receipt, error)
}

// Reporter writes what was turned away to the audit log: each of them while there are few, and in a flood one entry every
// ten seconds that tells how many more there were, so that nobody can fill the log from outside.
type Reporter struct {
	log      Appender
	say      *slog.Logger
	budget   *rate.Limiter
	rejected *prometheus.CounterVec

	mu   sync.Mutex // guards more
	more map[string]int
}

// summariser is who makes the entries that sum up: the exchange itself.
const summariser = "yimen"

const (
	reportsPerSecond = 5
	reportsAtOnce    = 200
	summaryEvery     = 10 * time.Second
	reportPatience   = 2 * time.Second // the refusal waits this long for its entry
)

// NewReporter makes a reporter. Run must run for summaries to be written.
func NewReporter(log Appender, say *slog.Logger, metrics prometheus.Registerer) *Reporter {
	r := &Reporter{log: log, say: say, budget: rate.NewLimiter(reportsPerSecond, reportsAtOnce), more: map[string]int{},
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "yimen_rejections_total", Help: "Requests turned away before they were a query."}, []string{"code"})}
	metrics.MustRegister(r.rejected)
	return r
}

// Report writes the entry, or counts it where there are too many.
func (r *Reporter) Report(ctx context.Context, e audit.Entry) {
	r.rejected.WithLabelValues(e.Refusal).Inc()
	if !r.budget.Allow() {
		r.count(e.Refusal, 1)
		return
	}
	// Whoever is turned away must not keep the entry from being written by hanging up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reportPatience)
	defer cancel()
	if _, err := r.log.Append(ctx, e); err != nil {
		r.count(e.Refusal, 1)
	}
}

func (r *Reporter) count(code string, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.more[code] += n
}

// Run writes the summaries until ctx ends, and a last one then.
func (r *Reporter) Run(ctx context.Context) error {
	tick := time.NewTicker(summaryEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), reportPatience)
			defer cancel()
			r.summarise(last)
			return nil
		case <-tick.C:
			r.summarise(ctx)
		}
	}
}

// summarise writes one entry for each code. What cannot be written is counted on.
func (r *Reporter) summarise(ctx context.Context) {
	r.mu.Lock()
	counts := r.more
	r.more = map[string]int{}
	r.mu.Unlock()
	for _, code := range slices.Sorted(maps.Keys(counts)) {
		entry := audit.Entry{Kind: audit.Act, Clerk: summariser, Act: "rejections", Target: code + "/" + strconv.Itoa(counts[code])}
		if _, err := r.log.Append(ctx, entry); err != nil {
			r.say.Warn("rejections are not in the audit log yet", "code", code, "count", counts[code])
			r.count(code, counts[code])
		}
	}
}
