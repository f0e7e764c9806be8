package holdings

import (
	"context"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/schemas"
)

// Without replaces opening and describing, to measure and test what the index does by itself.
func (x *Index) Without(open func(*exchange.Message) (envelope.Opened, error), describe func(*envelope.Opened) (schemas.Facts, error)) {
	x.open = func(_ context.Context, m *exchange.Message) (envelope.Opened, error) { return open(m) }
	x.describe = func(_ context.Context, o *envelope.Opened) (schemas.Facts, Reason, error) {
		facts, err := describe(o)
		if err != nil {
			return facts, unreadableFacts, err
		}
		return facts, "", nil
	}
}
