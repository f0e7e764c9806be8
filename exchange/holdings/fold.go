package holdings

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/erasure"
)

// The families of topics, by the part of their names before the dot.
const (
	topicEvidence   = "evidence"
	topicQuarantine = "quarantine"
	topicCoverage   = "coverage"
	topicErasures   = erasure.Topic
)

func evidenceTopic(t exchange.EvidenceType) string { return envelope.EvidenceTopic(t) }

func cutTopic(topic string) (family, name string) {
	family, name, _ = strings.Cut(topic, ".")
	return family, name
}

// maxCommit bounds the messages stored at once. Larger ones gain nothing and would be held in memory twice.
const maxCommit = 1024

// place is how far a partition was folded and what came of it, stored with the rows it speaks of.
type place struct {
	Next       int64            `json:"next"`
	Records    int64            `json:"records,omitempty"`
	Duplicates int64            `json:"duplicates,omitempty"`
	Refused    map[Reason]int64 `json:"refused,omitempty"`
	Gaps       gaps             `json:"gaps,omitzero"`
}

func readPlace(b []byte) (place, error) {
	var p place
	if err := decode(b, &p); err != nil {
		return place{}, err
	}
	if p.Next < 0 {
		return place{}, errDamaged
	}
	return p, nil
}

// placeName names a partition.
type placeName struct {
	topic     string
	partition int
}

// Fold takes messages of one partition of one topic, in the order of their offsets. It stores what follows from them
// together with the next offset, all or nothing for every thousand messages or so; what was folded before is passed over.
// It errs only if the rows could not be read or stored: then the same messages may be given again. Messages that
// cannot be used are counted and passed over. Calls for different partitions run side by side, but for orders to forget: while
// one is carried out, the others wait.
func (x *Index) Fold(ctx context.Context, msgs []exchange.Message) error {
	if len(msgs) == 0 {
		return nil
	}
	name := placeName{msgs[0].Topic, msgs[0].Partition}
	if err := inOrder(msgs); err != nil {
		return fmt.Errorf("fold %s/%d: %w", name.topic, name.partition, err)
	}
	lock, _ := x.folding.LoadOrStore(name, new(sync.Mutex))
	lock.(*sync.Mutex).Lock()
	defer lock.(*sync.Mutex).Unlock()
	most := maxCommit
	if name.topic == topicErasures {
		most = 1 // each reads what the one before has left
	}
	for len(msgs) > 0 {
		n := min(len(msgs), most)
		if err := x.foldSome(ctx, name, msgs[:n]); err != nil {
			if errors.Is(err, errDamaged) {
				err = damaged(err)
			}
			return fmt.Errorf("fold %s/%d: %w", name.topic, name.partition, err)
		}
		msgs = msgs[n:]
	}
	return nil
}

func inOrder(msgs []exchange.Message) error {
	for i := 1; i < len(msgs); i++ {
		if msgs[i].Topic != msgs[0].Topic || msgs[i].Partition != msgs[0].Partition || msgs[i].Offset <= msgs[i-1].Offset {
			return errors.New("messages are not of one partition in the order of their offsets")
		}
	}
	return nil
}

// foldSome folds messages that are stored together. The partition's lock is held.
func (x *Index) foldSome(ctx context.Context, name placeName, msgs []exchange.Message) error {
	b, err := x.begun(ctx, name)
	if err != nil {
		return err
	}
	for len(msgs) > 0 && msgs[0].Offset < b.place.Next {
		msgs = msgs[1:]
	}
	if len(msgs) == 0 {
		return nil
	}
	switch b.family {
	case topicEvidence:
		return x.foldEvidence(ctx, b, msgs)
	case topicQuarantine:
		return x.foldQuarantine(ctx, b, msgs)
	case topicCoverage:
		return x.foldCoverage(ctx, b, msgs)
	case topicErasures:
		if name == (placeName{topic: topicErasures}) {
			return x.foldOrder(ctx, b, &msgs[0])
		}
	}
	return errors.New("topic is not one of evidence, quarantine, coverage and the one partition of erasures")
}

// store stores what the messages before next have added, and shows it.
func (x *Index) store(ctx context.Context, b *batch, next int64) error {
	b.place.Next = next
	b.put(placeKey(b.topic, b.partition), encode(b.place))
	if err := x.engine.Commit(ctx, b.rows); err != nil {
		return err
	}
	x.publish(b)
	return nil
}

// batch gathers what messages of one partition add to the index, until it is stored.
type batch struct {
	placeName
	family  string // of the topic
	of      string // the type or department that the topic's name names
	place   place
	secrets *secrets
	rows    []Row
	spare   []byte // cut into keys and values
	plain   []byte // what is about to be sealed

	records    int
	duplicates int
	refused    []refusal
	statements []statement
}

func (x *Index) begun(ctx context.Context, name placeName) (*batch, error) {
	secrets, err := x.secrets.Get(ctx)
	if err != nil {
		return nil, err
	}
	b := &batch{placeName: name, secrets: secrets}
	b.family, b.of = cutTopic(name.topic)
	x.mu.RLock()
	defer x.mu.RUnlock()
	b.place = x.places[name.topic][name.partition]
	return b, nil
}

func (b *batch) put(key, value []byte) { b.rows = append(b.rows, Row{Key: key, Value: value}) }

func (b *batch) delete(key []byte) { b.rows = append(b.rows, Row{Key: key, Delete: true}) }

// purge notes that rows under the prefix go whose bytes must leave the engine's files.
func (b *batch) purge(prefix []byte) { b.put(purgeKey(b.place.Next, prefix), []byte{}) }

// spareSize is what keys and values are cut from, so that not each is an allocation.
const spareSize = 64 << 10

// room gives an empty slice that has room for n bytes.
func (b *batch) room(n int) []byte {
	if n > spareSize/4 {
		return make([]byte, 0, n)
	}
	if n > len(b.spare) {
		b.spare = make([]byte, spareSize)
	}
	room := b.spare[:0:n]
	b.spare = b.spare[n:]
	return room
}

func (b *batch) at(m *exchange.Message) position { return position{b.partition, m.Offset} }

// publish shows the rows of a stored batch to Find, Next and Counts.
func (x *Index) publish(b *batch) {
	x.mu.Lock()
	x.setPlace(b.topic, b.partition, b.place)
	switch b.family {
	case topicEvidence:
		x.publishSources(exchange.EvidenceType(b.of))
	case topicQuarantine: // statements may have waited for these rows
		for _, t := range x.spokenOfBy(exchange.Department(b.of)) {
			x.publishSources(t)
		}
	}
	for _, st := range b.statements {
		x.state(st)
	}
	for _, t := range typesOf(b.statements) {
		x.publishSources(t)
	}
	x.backdrops = &backdrops{}
	x.openIfObeyed()
	x.mu.Unlock()
	if b.records > 0 {
		x.meters.folded.WithLabelValues(b.of).Add(float64(b.records))
	}
	x.meters.duplicates.Add(float64(b.duplicates))
	x.report(b)
}

// keeps says whether the department may publish the type.
func (x *Index) keeps(d exchange.Department, t exchange.EvidenceType) bool {
	keeper, ok := x.keeper(t)
	return ok && keeper == d
}
