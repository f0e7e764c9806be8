package holdings

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/erasure"
)

// Owned is what an order to forget a holder needs to know.
type Owned struct {
	Token erasure.Token
	// Alone are the records that never named anybody else: with the holder they go entirely, and their messages are owed
	// tombstones. Shared are the others: they stay for whom else they name.
	Alone, Shared []erasure.Record
}

// Owned finds the records that ever named the holder, withdrawn and corrected ones included. It is for making an order, not for
// answering: it tells of records that Find does not show.
func (x *Index) Owned(ctx context.Context, holder exchange.Holder) (Owned, error) {
	if err := x.mayAnswer(); err != nil {
		return Owned{}, err
	}
	secrets, err := x.secrets.Get(ctx)
	if err != nil {
		return Owned{}, err
	}
	o := Owned{Token: secrets.token(holder)}
	if err := x.owned(ctx, &o); err != nil {
		return Owned{}, fmt.Errorf("find what a holder owns: %w", err)
	}
	return o, nil
}

func (x *Index) owned(ctx context.Context, o *Owned) error {
	var all []record
	err := x.scan(ctx, holderPrefix(o.Token), func(key, _ []byte) error {
		if evidence, id, _, ok := readView(key[StemSize:]); ok {
			if r := (record{Type: exchange.EvidenceType(evidence), ID: id}); len(all) == 0 || all[len(all)-1] != r {
				all = append(all, r)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range all {
		traces, err := x.traces(ctx, r)
		if err != nil {
			return err
		}
		if namesOthers(traces, o.Token) {
			o.Shared = append(o.Shared, r)
		} else {
			o.Alone = append(o.Alone, r)
		}
	}
	return nil
}

// namesOthers says whether some version of a record names somebody else.
func namesOthers(traces map[exchange.Version]trace, who token) bool {
	for _, t := range traces {
		if slices.ContainsFunc(t.everyone(), func(t token) bool { return t != who }) {
			return true
		}
	}
	return false
}

// maxOwed bounds the tombstones handed out at once.
const maxOwed = 1000

// Owed lists tombstones that the topics lack at that moment, at most a thousand: for the messages of what was forgotten, those that
// came afterwards included. Whoever appends them frees the topics of the bytes; each counts as owed until it has come back here by
// its topic, and a second time once Config.Rest is over: so nothing is lost where somebody crashes in between, and nothing
// breaks where two nodes append the same. Time is when the first came back, zero where none has.
//
// Partition is where the message to be forgotten stands. A tombstone helps only there: Route leads there unless the topic got
// more partitions since.
func (x *Index) Owed(ctx context.Context, now time.Time) ([]exchange.Message, error) {
	var all []exchange.Message
	var failed error
	err := x.engine.Scan(ctx, [][]byte{{familyOwed}}, func(key, value []byte) bool {
		topic, of, ok := readOwed(key)
		o, sound := readDebt(value)
		if !ok || !sound {
			failed = damaged(errDamaged)
			return false
		}
		if !o.seen.IsZero() && now.Sub(o.seen) <= x.rest {
			return true
		}
		m := exchange.Message{Topic: topic, Partition: o.partition, Key: bytes.Clone(of), Time: o.seen}
		if family, _ := cutTopic(topic); family == topicEvidence {
			m.Route = m.Key[:len(exchange.RecordID{})] // all versions of a record are in one partition
		}
		all = append(all, m)
		return len(all) < maxOwed
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return nil, fmt.Errorf("list tombstones owed: %w", err)
	}
	return all, nil
}

// debt is what is known of a message that must get a tombstone.
type debt struct {
	partition int
	seen      time.Time // when Kafka took the first; zero: none came back yet
}

func (d debt) bytes() []byte {
	value := binary.AppendUvarint(nil, uint64(d.partition))
	if !d.seen.IsZero() {
		value = binary.AppendUvarint(value, uint64(d.seen.UnixMilli()))
	}
	return value
}

func readDebt(value []byte) (d debt, ok bool) {
	partition, n := binary.Uvarint(value)
	if n <= 0 {
		return d, false
	}
	d.partition = int(partition)
	if n == len(value) {
		return d, true
	}
	seen, m := binary.Uvarint(value[n:])
	d.seen = time.UnixMilli(int64(seen))
	return d, m > 0 && n+m == len(value)
}

// owe notes that a message must get a tombstone.
func (b *batch) owe(topic string, key []byte, partition int) {
	b.put(owedKey(topic, key), debt{partition: partition}.bytes())
}

// settle notes that a message has got a tombstone. One is not enough: it may stand in the newest part of the topic, which Kafka
// leaves as it is until something comes that is younger than that part's beginning by Config.Rest. The second is that.
func (x *Index) settle(ctx context.Context, b *batch, m *exchange.Message) error {
	d, owed, err := x.debt(ctx, m)
	switch {
	case err != nil || !owed:
		return err
	case x.rest > 0 && d.seen.IsZero():
		d.seen = m.Time
		b.put(owedKey(m.Topic, m.Key), d.bytes())
	case x.rest == 0 || m.Time.Sub(d.seen) > x.rest:
		b.delete(owedKey(m.Topic, m.Key))
	}
	return nil
}

// debt finds whether a message is owed a tombstone.
func (x *Index) debt(ctx context.Context, m *exchange.Message) (d debt, owed bool, err error) {
	sound := true
	err = x.engine.Get(ctx, [][]byte{owedKey(m.Topic, m.Key)}, func(_ int, value []byte) error {
		owed = true
		d, sound = readDebt(value)
		return nil
	})
	if err == nil && !sound {
		err = damaged(errDamaged)
	}
	return d, owed, err
}
