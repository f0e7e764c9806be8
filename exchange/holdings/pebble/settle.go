package pebble

import (
	"context"
	"log/slog"
	"time"
)

// What came in in bulk lies in the order in which it came, a holder's rows in many places. Once it has come to rest the store
// puts all rows in order, once, so that each holder's lie side by side: a query then reads one place instead of up to ten.
// What comes in little by little is put in order by and by, without this.

const (
	settleEvery = time.Second
	restful     = 1 << 20 // bytes that may come in meanwhile, and it still counts as rest
	// worthwhile is the part of the rows out of order from which putting all in order pays.
	worthwhile = 1.0 / 16
	// unsettled is what is always left as it is: so little is read in no time wherever it lies.
	unsettled = 8 << 20
)

// settling looks again and again whether it is time, until ctx ends.
func (s *Store) settling(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	var before, settled int64 // how much had come in then
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := s.came.Load()
		if now-before <= restful && s.disordered(now-settled) {
			settled = now
			if err := s.settle(ctx); err != nil && ctx.Err() == nil {
				log.Error("index rows could not be put in order", "error", err)
			}
		}
		before = now
	}
}

// disordered says whether enough rows lie out of order, of which at most so many bytes are in memory only. Rows that are being
// merged will lie in order soon.
func (s *Store) disordered(fresh int64) bool {
	m := s.db.Metrics()
	if m.Compact.NumInProgress > 0 || m.Flush.NumInProgress > 0 {
		return false
	}
	loose := m.Levels[0].TablesSize + min(fresh, memTable)
	total := loose
	for _, level := range m.Levels[1:] {
		total += level.TablesSize
	}
	return loose > unsettled && float64(loose) >= worthwhile*float64(total)
}

// settle merges everything.
func (s *Store) settle(ctx context.Context) error {
	if err := s.db.Flush(); err != nil {
		return err
	}
	return s.db.Compact(ctx, nil, behind(nil), false)
}
