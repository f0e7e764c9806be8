package registry

import (
	"os"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/test/kafka"
)

// TestKafkaAway kills Kafka under two registries that are being changed. What was answered stands, once, on both of them and
// on one that has nothing but the topic.
func TestKafkaAway(t *testing.T) {
	if os.Getenv("YIMEN_TEST_KAFKA") == "" {
		t.Skip("no Kafka to kill: set YIMEN_TEST_KAFKA")
	}
	cluster := kafka.Start(t, kafka.Options{})
	w := &world{t: t, addr: cluster.Addr()}
	must(t, w.bus().Ensure(t.Context(), []bus.Topic{{Name: Proposals, Partitions: 1}, {Name: Mirror, Partitions: 1, Compact: true}}))
	long := func(_ *Config, r *Registry) {
		if r != nil {
			r.patience.answer = time.Minute
		}
	}
	nodes := []*node{w.node(quiet, long), w.node(quiet, long)}
	changed := make(chan int)
	for at, n := range nodes {
		go func() {
			done := 0
			for i := range 30 {
				got, err := n.Register(t.Context(), "t", "a-value", Candidate{Text: []byte(shop(2*i + at))}, false)
				if err == nil && got.Entry.Version > 0 {
					done++
				}
				time.Sleep(100 * time.Millisecond)
			}
			changed <- done
		}()
	}
	time.Sleep(time.Second)
	cluster.Kill()
	time.Sleep(2 * time.Second)
	cluster.Restart()
	answered := <-changed + <-changed
	for _, n := range nodes {
		must(t, n.Settled(t.Context()))
	}
	third := w.node(quiet)
	if want := nodes[0].dump(); nodes[1].dump() != want || third.dump() != want {
		t.Error("the registries disagree")
	}
	noVersionTwice(t, nodes[0])
	if made := len(nodes[0].History("a-value")); made < answered-60 || made == 0 || answered == 0 {
		t.Errorf("%d answered, %d made", answered, made)
	}
	w.wantMirror(nodes[0])
	t.Logf("%d registrations were answered, %d changes were made", answered, len(nodes[0].History("a-value")))
}
