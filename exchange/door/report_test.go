package door

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange/audit"
)

// notebook is an audit log that may be out of order.
type notebook struct {
	mu      sync.Mutex
	broken  bool
	entries []audit.Entry
}

func (n *notebook) Append(_ context.Context, e audit.Entry) (audit.Receipt, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.broken {
		return audit.Receipt{}, errors.New("no Kafka")
	}
	n.entries = append(n.entries, e)
	return audit.Receipt{}, nil
}

// told is how many rejections the entries tell of.
func (n *notebook) told(t *testing.T) (sum int) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, e := range n.entries {
		count := 1
		if code, more, summed := strings.Cut(e.Target, "/"); summed {
			count, _ = strconv.Atoi(more)
			e.Kind, e.Refusal = audit.Rejection, code
		}
		if e.Kind != audit.Rejection || e.Refusal != "YM-API-0401" {
			t.Errorf("entry %+v", e)
		}
		sum += count
	}
	return sum
}

// TestFloodsAreSummedUp: a hundred thousand forged requests fill neither the log nor go untold, also while Kafka is away.
func TestFloodsAreSummedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &notebook{}
		r := NewReporter(log, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		ctx, end := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- r.Run(ctx) }()
		flood := func(n int) {
			for range n {
				r.Report(t.Context(), audit.Entry{Kind: audit.Rejection, Decision: audit.Refused, Refusal: "YM-API-0401"})
			}
		}
		flood(50_000)
		log.mu.Lock()
		log.broken = true
		log.mu.Unlock()
		flood(50_000)
		log.mu.Lock()
		log.broken = false
		log.mu.Unlock()
		end()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if told := log.told(t); told != 100_000 {
			t.Errorf("%d of 100,000 are told of", told)
		}
		if len(log.entries) > 2*reportsAtOnce {
			t.Errorf("%d entries", len(log.entries))
		}
	})
}
