package envelope

import (
	"context"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
)

// Statement verifies and reads a message of a coverage topic. A statement that was signed but makes no sense is an
// ErrNotGenuine too.
func (o *Opener) Statement(ctx context.Context, m *exchange.Message) (exchange.Coverage, error) {
	c, err := o.statement(ctx, m)
	if err != nil {
		return exchange.Coverage{}, fmt.Errorf("read coverage: %w", err)
	}
	return c, nil
}

func (o *Opener) statement(ctx context.Context, m *exchange.Message) (c exchange.Coverage, err error) {
	if !strings.HasPrefix(m.Topic, topicCoverage) {
		return c, meaningless("topic is not a statement's")
	}
	if err := ofKind(m, kindCovered); err != nil {
		return c, err
	}
	adapter, err := Author(m)
	if err != nil {
		return c, err
	}
	if _, err := o.verify(ctx, m, adapter); err != nil {
		return c, err
	}
	if c, err = readCoverage(m.Value); err != nil {
		return c, err
	}
	if c.Adapter != adapter || string(m.Key) != string(adapter) {
		return c, meaningless("it speaks for another adapter")
	}
	return c, nil
}

// maxCoverage is the size of a statement of several thousand partitions and divisions.
const maxCoverage = 256 << 10

// readCoverage reads a statement's value: every field known and given once, every number possible.
func readCoverage(value []byte) (c exchange.Coverage, err error) {
	if len(value) > maxCoverage {
		return c, meaningless("too large")
	}
	if err := json.Unmarshal(value, &c, json.RejectUnknownMembers(true)); err != nil {
		return c, meaningless("not the JSON of a statement") // the cause would quote the value
	}
	if !exchange.ValidAdapter(string(c.Adapter)) || !exchange.ValidName(string(c.Type)) {
		return c, meaningless("no adapter or type")
	}
	switch c.Holders.Kind {
	case "", exchange.Person, exchange.Organisation:
	default:
		return c, meaningless("unknown kind of holder")
	}
	if c.Alive.UnixMicro() <= 0 || c.Alive.Year() > 9999 {
		return c, meaningless("no moment of being alive")
	}
	if min(c.Read, c.Published, c.Quarantined, c.Unreadable, c.Tolerance) < 0 {
		return c, meaningless("negative count")
	}
	for _, ends := range []map[int]int64{c.End, c.Rejected} {
		for partition, end := range ends {
			if partition < 0 || end < 0 {
				return c, meaningless("negative partition or offset")
			}
		}
	}
	return c, nil
}
