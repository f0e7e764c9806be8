package node

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/onedoor/yimen/exchange"
)

// withholding is a Kafka that can keep what is new on a topic from who follows it: they are told that there is nothing.
type withholding struct {
	address string
	topic   string

	mu   sync.Mutex     // guards all below
	held map[int32]bool // the partitions that were withheld since pause; nil: nothing is
}

func startWithholding(t *testing.T, topic string) *withholding {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	w := &withholding{address: cluster.ListenAddrs()[0], topic: topic}
	cluster.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		asked := r.(*kmsg.FetchRequest)
		if !w.holds(asked) {
			return nil, nil, false
		}
		cluster.SleepControl(func() { time.Sleep(20 * time.Millisecond) }) // else the follower asks without end
		return nothingNew(asked), nil, true
	})
	return w
}

func (w *withholding) holds(asked *kmsg.FetchRequest) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held == nil || asked.Topics[0].Topic != w.topic {
		return false
	}
	w.held[asked.Topics[0].Partitions[0].Partition] = true
	return true
}

// pause returns once no follower of the topic waits any more with a question that came before.
func (w *withholding) pause(t *testing.T, partitions int) {
	t.Helper()
	w.mu.Lock()
	w.held = map[int32]bool{}
	w.mu.Unlock()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		w.mu.Lock()
		n := len(w.held)
		w.mu.Unlock()
		if n == partitions {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d partitions are withheld", n, partitions)
		}
	}
}

func (w *withholding) goOn() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = nil
}

func nothingNew(asked *kmsg.FetchRequest) kmsg.Response {
	answer := asked.ResponseKind().(*kmsg.FetchResponse)
	for _, t := range asked.Topics {
		topic := kmsg.NewFetchResponseTopic()
		topic.Topic = t.Topic
		for _, p := range t.Partitions {
			partition := kmsg.NewFetchResponseTopicPartition()
			partition.Partition, partition.HighWatermark = p.Partition, p.FetchOffset
			topic.Partitions = append(topic.Partitions, partition)
		}
		answer.Topics = append(answer.Topics, topic)
	}
	return answer
}

// A revocation that is on Kafka and not folded is not seen. Until the bound of the type the answer is the one before, as of the time
// before, although the source is alive and says that it is complete; after it, a person has to look. Folding goes on, and it is seen.
func TestRevokedWhileFoldingIsPaused(t *testing.T) {
	t.Parallel()
	const topic, coverage = "evidence.business-licence", "coverage.scjg"
	kafka := startWithholding(t, topic)
	var ahead atomic.Int64
	clock := func() time.Time { return noon.Add(time.Duration(ahead.Load())) }
	c := settings(t)
	c.Kafka = Kafka{Brokers: []string{kafka.address}, Partitions: 2, Pending: -1}
	around := surroundings()
	around.Clock = clock
	n, err := Start(t.Context(), c, around)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	bound := staleAfter(t, n)
	publish(t, n, 1)

	kafka.pause(t, c.Kafka.Partitions)
	revoke := func(document []byte) []byte {
		return bytes.Replace(document, []byte(`"存续"`), []byte(`"吊销"`), 1)
	}
	ahead.Store(int64(time.Hour))
	state(t, n, 2, clock(), revoke)
	for _, step := range []struct {
		after   time.Duration
		outcome exchange.Outcome
		reason  exchange.Reason
		pause   bool
	}{
		{2 * time.Hour, exchange.Held, "", true},
		{bound, exchange.Held, "", true},
		{bound + time.Second, exchange.Check, exchange.SourceStale, true},
		{bound + 2*time.Second, exchange.Supply, exchange.IsRevoked, false},
	} {
		ahead.Store(int64(step.after))
		foldedTo(t, n, coverage)
		if !step.pause {
			kafka.goOn()
			foldedTo(t, n, topic)
		}
		answer := licenceOf(t, n)
		of := answer.Evidence[0]
		if answer.Outcome != step.outcome || answer.Reason != step.reason || step.pause && (!of.AsOf.Equal(noon) || of.Version != 1) {
			t.Errorf("%v later: %s %s of version %d as of %v", step.after, answer.Outcome, answer.Reason, of.Version, of.AsOf)
		}
	}
}

func staleAfter(t *testing.T, n *Node) time.Duration {
	t.Helper()
	e, known := n.Catalogue.Evidence("business-licence")
	if !known || e.StaleAfter == 0 {
		t.Fatal("no bound")
	}
	return e.StaleAfter
}

// foldedTo waits until the node has folded what a topic has.
func foldedTo(t *testing.T, n *Node, topic string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	ends, err := n.Bus.EndOffsets(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	err = n.await(ctx, func() (bool, error) {
		next, err := n.Index.Next(ctx, topic)
		for partition, end := range ends {
			if next[partition] < end {
				return false, err
			}
		}
		return true, err
	})
	if err != nil {
		t.Fatalf("%s: %v", topic, err)
	}
}

// licenceOf asks once the ledger has noticed what time it is.
func licenceOf(t *testing.T, n *Node) exchange.Answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := n.await(ctx, func() (bool, error) { return n.mayAnswer() == nil, nil }); err != nil {
		t.Fatal(n.mayAnswer())
	}
	var answer exchange.Answer
	if err := json.Unmarshal([]byte(ask(t, n)), &answer); err != nil || len(answer.Evidence) != 1 {
		t.Fatalf("%+v, %v", answer, err)
	}
	return answer
}
