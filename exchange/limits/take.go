package limits

import (
	"context"

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
	for i := range msgs {
		e, err := audit.EntryOf(&msgs[i])
		if err != nil {
			l.metrics.broken.Inc()
			continue
		}
		l.Fold(e)
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
