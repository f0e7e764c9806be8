package bus

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// storedBatch is a batch as a broker stores it.
type storedBatch struct {
	last     int64     // the offset of its last message, whether that is still there or not
	appended time.Time // when the broker wrote it; zero: the messages' own times count
	messages []exchange.Message
}

// Places in the head of a batch of format 2, which is all that Kafka stores since 0.11.
const (
	batchLengthAt   = 8
	magicAt         = 16
	checksumAt      = 17
	attributesAt    = 21
	lastDeltaAt     = 23
	firstTimeAt     = 27
	maxTimeAt       = 35
	countAt         = 57
	batchHead       = 61
	stampedByBroker = 1 << 3 // of the attributes
)

// readBatches reads the batches of an answer. A broker cuts the last one off where the answer is full. What follows a batch
// that cannot be read is left for the next request, of which it is the first.
func readBatches(content []byte) ([]storedBatch, error) {
	var all []storedBatch
	for len(content) >= batchHead {
		length := int64(batchLengthAt+4) + int64(int32(binary.BigEndian.Uint32(content[batchLengthAt:])))
		if length > int64(len(content)) {
			break
		}
		one, err := readBatch(content, length)
		if err != nil && len(all) == 0 {
			return nil, err
		}
		if err != nil {
			break
		}
		all = append(all, one)
		content = content[length:]
	}
	return all, nil
}

func readBatch(from []byte, length int64) (storedBatch, error) {
	if length < batchHead || from[magicAt] != 2 {
		return storedBatch{}, fmt.Errorf("fetch: a batch of %d bytes in format %d", length, from[magicAt])
	}
	messages, err := readRecords(from[:length])
	if err != nil {
		return storedBatch{}, err
	}
	one := storedBatch{last: int64(binary.BigEndian.Uint64(from)) + int64(int32(binary.BigEndian.Uint32(from[lastDeltaAt:]))), messages: messages}
	if binary.BigEndian.Uint16(from[attributesAt:])&stampedByBroker != 0 {
		one.appended = time.UnixMilli(int64(binary.BigEndian.Uint64(from[maxTimeAt:]))).UTC()
	}
	return one, nil
}
