package ledger

import (
	"testing"
	"time"
)

// The goal is to keep up with 10,000 entries a second.
func TestFiftyThousandEntries(t *testing.T) {
	const n = 50_000
	w := opened(t)
	w.ask(n)
	began := time.Now()
	w.run()
	until(t, "all is published", func() bool { return w.publisher.last().size == n })
	took := time.Since(began)
	t.Logf("%d entries in %v: %.0f/s", n, took, n/took.Seconds())
	w.stop()
}
