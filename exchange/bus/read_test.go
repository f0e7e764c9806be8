package bus

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/onedoor/yimen/exchange"
)

// answered is an answer of batches of so many messages.
func answered(sizes ...int) *fetched {
	f := &fetched{}
	for _, size := range sizes {
		one := storedBatch{messages: make([]exchange.Message, size)}
		for i := range one.messages {
			one.messages[i].Key, one.messages[i].Value = fmt.Append(nil, len(f.batches)), fmt.Append(nil, i)
		}
		f.batches = append(f.batches, one)
	}
	return f
}

// TestReadOnce: each message is read, once, however the broker has them in batches.
func TestReadOnce(t *testing.T) {
	small := make([]int, 1000)
	for i := range small {
		small[i] = i % 3
	}
	for name, sizes := range map[string][]int{"nothing": nil, "empty": {0}, "one": {1}, "small ones": small, "a large one": {1000}, "some of each": {1, 700, 0, 255, 256, 257}} {
		f := answered(sizes...)
		var reads atomic.Int64
		f.read(func(key, value []byte) any {
			reads.Add(1)
			return string(key) + "/" + string(value)
		})
		for b := range f.batches {
			for i := range f.batches[b].messages {
				if m := &f.batches[b].messages[i]; m.Read != fmt.Sprintf("%d/%d", b, i) {
					t.Fatalf("%s: message %d of batch %d is read as %v", name, i, b, m.Read)
				}
				reads.Add(-1)
			}
		}
		if reads.Load() != 0 {
			t.Errorf("%s: %d reads too many", name, reads.Load())
		}
	}
}
