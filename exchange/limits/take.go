package limits

import (
	"context"
	"runtime"
	"sync"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
)

// Await says where the audit topic, which has one partition, ended when the node started: once Take has folded up to there, what
// was asked before is known. Take it from its beginning: a suspension is as old as it is.
func (l *Limits) Await(end int64) {
	l.mu.Lock()
	l.until = end
	l.mu.Unlock()
	l.arrive(0)
}

// Take folds messages of the topic in order. What is no entry is counted and passed over.
func (l *Limits) Take(_ context.Context, msgs []exchange.Message) error {
	entries := read(msgs)
	for i := range entries {
		if entries[i].ID == "" {
			l.metrics.broken.Inc()
			continue
		}
		l.Fold(&entries[i])
	}
	if len(msgs) > 0 {
		l.arrive(msgs[len(msgs)-1].Offset + 1)
	}
	return nil
}

// arrive notes how far the topic is folded and, where that is far enough for the first time, tells who is suspended.
func (l *Limits) arrive(next int64) {
	l.mu.Lock()
	l.next = max(l.next, next)
	arrived := !l.ready && l.until >= 0 && l.next >= l.until
	l.ready = l.ready || arrived
	l.mu.Unlock()
	if !arrived {
		return
	}
	for _, s := range l.Suspensions() {
		l.log.Warn("suspended", "rule", s.Rule, "department", s.Department, "clerk", s.Clerk, "since", s.Since)
	}
}

// read parses messages, on all processors where there are many: that takes longer than to count them. What cannot be read has
// no id.
func read(msgs []exchange.Message) []audit.Entry {
	const share = 256 // below that a goroutine costs more than it saves
	entries := make([]audit.Entry, len(msgs))
	var work sync.WaitGroup
	size := max(share, (len(msgs)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	for from := 0; from < len(msgs); from += size {
		to := min(from+size, len(msgs))
		work.Go(func() {
			for i := from; i < to; i++ {
				entries[i], _ = audit.Skim(msgs[i].Key, msgs[i].Value)
			}
		})
	}
	work.Wait()
	return entries
}
