package journal_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/journal"
	"github.com/onedoor/yimen/exchange/journal/journaltest"
)

// names is a book in which each name is written once. Entries are "KIND ID NAME".
type names struct {
	kind string
	mu   sync.Mutex
	all  map[string]string // by the id
}

var errTaken = errors.New("the name is taken")

func (n *names) Fold(m *exchange.Message) (string, error) {
	parts := strings.Fields(string(m.Value))
	switch {
	case len(parts) != 3:
		return "", errors.New("three words")
	case parts[0] != n.kind:
		return "", nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	id, name := parts[1], parts[2]
	if n.all[id] != "" {
		return id, journal.ErrRepeated
	}
	for _, taken := range n.all {
		if taken == name {
			return id, errTaken
		}
	}
	n.all[id] = name
	return id, nil
}

// node is a journal that runs, with two books.
type node struct {
	*journal.Journal
	plants, animals *names
	moved           []int64
	metrics         *prometheus.Registry
}

func start(t *testing.T, topics journal.Topics) *node {
	t.Helper()
	n := &node{plants: &names{kind: "plant", all: map[string]string{}}, animals: &names{kind: "animal", all: map[string]string{}}, metrics: prometheus.NewRegistry()}
	var err error
	n.Journal, err = journal.New(journal.Config{Topic: "names", Topics: topics, Keys: journaltest.NewKeys(1), Metrics: n.metrics,
		Moved: func(next int64) { n.moved = append(n.moved, next) }})
	if err != nil {
		t.Fatal(err)
	}
	n.Keep(n.plants)
	n.Keep(n.animals)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { n.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return n
}

func (n *node) add(t *testing.T, entry string) error {
	return n.Add(t.Context(), strings.Fields(entry)[1], exchange.Message{Value: []byte(entry)})
}

// TestFirstCounts: of two entries that cannot both be the first counts, on every node and after a restart, and its writer is told.
func TestFirstCounts(t *testing.T) {
	topic := journaltest.NewTopic()
	one, other := start(t, topic), start(t, topic)
	if err := one.add(t, "plant 1 mallow"); err != nil {
		t.Fatal(err)
	}
	if err := other.add(t, "plant 2 mallow"); !errors.Is(err, errTaken) {
		t.Errorf("the second: %v", err)
	}
	if err := other.add(t, "animal 3 mallow"); err != nil {
		t.Errorf("another book: %v", err)
	}
	late := start(t, topic)
	for _, n := range []*node{one, other, late} {
		if err := n.Settled(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(n.plants.all) != 1 || n.plants.all["1"] == "" || n.animals.all["3"] == "" {
			t.Errorf("folded %v, %v", n.plants.all, n.animals.all)
		}
		if last := n.moved[len(n.moved)-1]; last != 3 {
			t.Errorf("moved %v", n.moved)
		}
	}
}

// TestPassedOver: what the exchange did not write, what nobody reads and what comes again changes nothing, and each is counted.
func TestPassedOver(t *testing.T) {
	topic := journaltest.NewTopic()
	n := start(t, topic)
	if err := n.add(t, "plant 1 mallow"); err != nil {
		t.Fatal(err)
	}
	again := topic.All()[0]
	forged := exchange.Message{Topic: "names", Value: []byte("plant 4 nettle")}
	envelope.SignOrder(journaltest.NewKeys(2).PrivateKey, &forged)
	unsigned := exchange.Message{Topic: "names", Value: []byte("plant 5 nettle")}
	moved := again
	moved.Value = []byte("plant 6 nettle")
	if err := topic.Append(t.Context(), "names", []exchange.Message{again, forged, unsigned, moved}); err != nil {
		t.Fatal(err)
	}
	for _, unread := range []string{"stone 7 flint", "plant 8 no thing"} {
		if err := n.add(t, unread); err == nil {
			t.Errorf("%s: its writer thinks that it counts", unread)
		}
	}
	if len(n.plants.all) != 1 {
		t.Errorf("folded %v", n.plants.all)
	}
	want := `
# HELP yimen_journal_refused_total Entries of a topic that settles things by order that were passed over.
# TYPE yimen_journal_refused_total counter
yimen_journal_refused_total{reason="malformed",topic="names"} 1
yimen_journal_refused_total{reason="not_signed",topic="names"} 3
yimen_journal_refused_total{reason="unknown",topic="names"} 1
yimen_journal_refused_total{reason="void",topic="names"} 1
`
	if err := testutil.GatherAndCompare(n.metrics, strings.NewReader(want), "yimen_journal_refused_total"); err != nil {
		t.Error(err)
	}
}

// split is a topic of two partitions.
type split struct{ *journaltest.Topic }

func (split) EndOffsets(context.Context, string) (map[int]int64, error) {
	return map[int]int64{0: 0, 1: 0}, nil
}

// TestOneOrder: a topic of several partitions has no order, and is not folded.
func TestOneOrder(t *testing.T) {
	j, err := journal.New(journal.Config{Topic: "names", Topics: split{journaltest.NewTopic()}, Keys: journaltest.NewKeys(1)})
	if err != nil {
		t.Fatal(err)
	}
	var p *exchange.Problem
	if err := j.Run(t.Context()); !errors.As(err, &p) || p.Code != "YM-JNL-0302" {
		t.Errorf("run: %v", err)
	}
}

// full is a topic that takes nothing.
type full struct{ *journaltest.Topic }

func (full) Append(context.Context, string, []exchange.Message) error { return errors.New("no room") }

// TestNotWritten: whoever wrote is told that it may not count.
func TestNotWritten(t *testing.T) {
	var p *exchange.Problem
	if err := start(t, full{journaltest.NewTopic()}).add(t, "plant 1 mallow"); !errors.As(err, &p) || p.Code != "YM-JNL-0301" {
		t.Errorf("add: %v", err)
	}
}
