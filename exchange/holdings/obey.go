package holdings

import (
	"context"
	"fmt"

	"github.com/onedoor/yimen/exchange/erasure"
)

// ErasuresUpTo closes the index until it has folded the orders to forget up to that offset, the end of the topic "erasures" when
// the node began: until then Find, Each and Owned answer with a Problem of kind Unavailable. So a node that was away, or that
// began from a backup, shows nothing that was ordered to be forgotten meanwhile.
//
// An index that can ask for keys of orders (Config.Orders) is closed from the beginning and stays so until this was called. A node
// does this before it folds anything:
//
//	ends, err := bus.EndOffsets(ctx, erasure.Topic)
//	index.ErasuresUpTo(ends[0])
//	go bus.Follow(ctx, erasure.Topic, next, index.Fold)
//	err = index.Obeyed(ctx) // then the other topics
func (x *Index) ErasuresUpTo(end int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.closed {
		x.closed, x.opened = true, make(chan struct{})
	}
	x.upTo, x.told = end, true
	x.openIfObeyed()
}

// Obeyed waits until the index may answer.
func (x *Index) Obeyed(ctx context.Context) error {
	x.mu.RLock()
	opened := x.opened
	x.mu.RUnlock()
	select {
	case <-opened:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for orders to forget: %w", ctx.Err())
	}
}

// openIfObeyed opens the index once the orders are folded. mu is held.
func (x *Index) openIfObeyed() {
	if x.closed && x.told && x.next[erasure.Topic][0] >= x.upTo {
		x.closed = false
		close(x.opened)
	}
}

// mayAnswer says why nothing may be told yet.
func (x *Index) mayAnswer() error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.closed {
		return notObeyed()
	}
	return nil
}
