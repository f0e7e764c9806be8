package bus

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	kafka "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"

	"github.com/onedoor/yimen/exchange"
)

// fetchRequest asks as kafka-go does and reads the answer itself. On a topic with message.timestamp.type=LogAppendTime the
// broker writes its time into the head of a batch alone, where kafka-go does not look: it would hand over the time that
// the writer claims.
type fetchRequest struct {
	fetch.Request
	client  string // the caller's name
	version int16  // that the connection speaks
}

// fetched is what one partition had from an offset on.
type fetched struct {
	end     int64 // the offset after the last message of the partition
	batches []storedBatch
}

// ApiKey implements protocol.Message.
func (*fetched) ApiKey() protocol.ApiKey { return protocol.Fetch }

// asked is a request under way, for all who wait at its offset: whoever follows the same topic is there most of the time.
type asked struct {
	over   chan struct{}
	answer *fetched // this and err are read after over only
	err    error
}

// fetch gives what a partition has from the spot on. Others may have the same answer.
func (b *Bus) fetch(ctx context.Context, from spot) (*fetched, error) {
	a := b.asked(from)
	select {
	case <-a.over:
		return a.answer, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// asked gives the request under way from the spot on, and begins it where there is none. The caller is registered.
func (b *Bus) asked(from spot) *asked {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.asking[from]
	if a == nil {
		a = &asked{over: make(chan struct{})}
		b.asking[from] = a
		b.work.Go(func() {
			if a.answer, a.err = b.request(b.life, from); a.err == nil {
				a.answer.read(b.reading[from.topic])
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			delete(b.asking, from)
			close(a.over)
		})
	}
	return a
}

// request asks the partition's leader.
func (b *Bus) request(ctx context.Context, from spot) (*fetched, error) {
	wait, least := fetchWait, int32(1)
	if from.gather > 0 {
		wait, least = from.gather, gatherBytes
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	answer, err := b.wires.transport.RoundTrip(ctx, b.client.Addr, &fetchRequest{client: b.wires.transport.ClientID, Request: fetch.Request{
		ReplicaID: -1, MaxWaitTime: int32(wait.Milliseconds()), MinBytes: least, MaxBytes: fetchBytes, SessionID: -1, SessionEpoch: -1,
		Topics: []fetch.RequestTopic{{Topic: from.topic, Partitions: []fetch.RequestPartition{{
			Partition: int32(from.partition), CurrentLeaderEpoch: -1, FetchOffset: from.offset, LogStartOffset: -1, PartitionMaxBytes: fetchBytes,
		}}}},
	}})
	if err != nil {
		return nil, err
	}
	return answer.(*fetched), nil
}

// read makes of each message what its followers would, on all processors where there are many. Those of small batches, as a busy topic
// has them by the hundred, are shared out together.
func (f *fetched) read(reading func(key, value []byte) any) {
	if reading == nil {
		return
	}
	total := 0
	for _, batch := range f.batches {
		total += len(batch.messages)
	}
	all := make([]*exchange.Message, 0, total)
	for _, batch := range f.batches {
		for i := range batch.messages {
			all = append(all, &batch.messages[i])
		}
	}
	const share = 256 // below that a goroutine costs more than it saves
	size := max(share, (len(all)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	var work sync.WaitGroup
	for part := range slices.Chunk(all, size) {
		work.Go(func() {
			for _, m := range part {
				m.Read = reading(m.Key, m.Value)
			}
		})
	}
	work.Wait()
}

// Required implements protocol.RawExchanger: always. It learns the version that the connection speaks.
func (r *fetchRequest) Required(versions map[protocol.ApiKey]int16) bool {
	r.version = versions[protocol.Fetch]
	return true
}

// longestAnswer is more than any broker answers to a request for fetchBytes: a batch goes whole, however long it is.
const longestAnswer = 64 << 20

// RawExchange implements protocol.RawExchanger.
func (r *fetchRequest) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	const id = 1 // one request at a time is on a connection
	if err := protocol.WriteRequest(rw, r.version, id, r.client, &r.Request); err != nil {
		return nil, err
	}
	var head struct{ Size, ID int32 }
	if err := binary.Read(rw, binary.BigEndian, &head); err != nil {
		return nil, err
	}
	if head.ID != id || head.Size < 4 || head.Size > longestAnswer {
		return nil, fmt.Errorf("fetch: an answer to request %d of %d bytes", head.ID, head.Size)
	}
	body := make([]byte, head.Size-4)
	if _, err := io.ReadFull(rw, body); err != nil {
		return nil, err
	}
	return readFetched(r.version, body)
}

// readFetched reads the answer to a request for one partition.
func readFetched(version int16, body []byte) (protocol.Message, error) {
	c := cursor{rest: body}
	c.skip(4) // how long the broker throttled
	var whole, session int64
	if version >= 7 {
		whole, session = c.number(2), 4
	}
	c.skip(session)
	topics := c.number(4)
	c.skip(c.number(2)) // the topic's name
	partitions := c.number(4)
	c.skip(4) // its number
	own := c.number(2)
	answer := &fetched{end: c.number(8)}
	c.skip(8) // where transactions are settled
	if version >= 5 {
		c.skip(8) // where the partition begins
	}
	c.skip(16 * max(0, c.number(4))) // aborted transactions
	if version >= 11 {
		c.skip(4) // a nearer replica
	}
	content := c.take(max(0, c.number(4)))
	switch {
	case version < 4 || version > 11:
		return nil, fmt.Errorf("fetch: version %d is not known", version)
	case whole != 0:
		return nil, kafka.Error(whole)
	case c.short || topics != 1 || partitions != 1:
		return nil, errors.New("fetch: the answer is not of one partition, or is cut off")
	case own != 0:
		return nil, kafka.Error(own)
	}
	var err error
	answer.batches, err = readBatches(content)
	return answer, err
}

// cursor reads numbers one after the other. What is not there reads as zero, and short tells.
type cursor struct {
	rest  []byte
	short bool
}

func (c *cursor) take(n int64) []byte {
	if n < 0 || n > int64(len(c.rest)) {
		c.rest, c.short = nil, true
		return nil
	}
	taken := c.rest[:n]
	c.rest = c.rest[n:]
	return taken
}

func (c *cursor) skip(n int64) { c.take(n) }

// number reads a signed number of 2, 4 or 8 bytes.
func (c *cursor) number(size int64) int64 {
	switch b := c.take(size); len(b) {
	case 2:
		return int64(int16(binary.BigEndian.Uint16(b)))
	case 4:
		return int64(int32(binary.BigEndian.Uint32(b)))
	case 8:
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}
