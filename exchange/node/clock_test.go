package node

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/bus/embedded"
	"github.com/onedoor/yimen/exchange/journal"
	"github.com/onedoor/yimen/test/kafka"
)

func TestOutside(t *testing.T) {
	asked, answered := noon, noon.Add(5*time.Minute) // however long it took
	for dated, want := range map[time.Time]time.Duration{asked: 0, noon.Add(3 * time.Minute): 0, answered: 0,
		noon.Add(-time.Minute): -time.Minute, answered.Add(time.Hour): time.Hour} {
		if got := outside(asked, dated, answered); got != want {
			t.Errorf("%v: %v, want %v", dated, got, want)
		}
	}
}

// dating is a bus to a Kafka that dates messages, as a real one does on the topics that say so and the embedded one does not.
type dating struct{ journal.Topics }

func (d dating) Append(ctx context.Context, topic string, msgs []exchange.Message) error {
	err := d.Topics.Append(ctx, topic, msgs)
	for i := range msgs {
		msgs[i].Time = time.Now().Truncate(time.Millisecond)
	}
	return err
}

// A node whose clock and Kafka's are more than a minute apart answers nobody, is not ready and says by how much; it goes on once its
// clock is right.
func TestClockIsComparedWithKafkas(t *testing.T) {
	t.Parallel()
	server, err := embedded.Start(embedded.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	comparesClocks(t, server.Addr(), func(n *Node) { n.clock.Topics = dating{n.Bus} })
}

func TestClockIsComparedOnKafka(t *testing.T) {
	address := kafka.Start(t, kafka.Options{}).Addr()
	comparesClocks(t, address, func(*Node) {})
	var ahead atomic.Int64
	ahead.Store(int64(3 * time.Minute))
	n := startAhead(t, address, &ahead)
	if ready := get(t, n.URL()+"/readyz"); !strings.Contains(ready, "[-]clock") { // it was dated when it entered itself onto the roll
		t.Errorf("started with a wrong clock, it is ready: %s", ready)
	}
}

// startAhead starts a node whose clock is ahead of this machine's.
func startAhead(t *testing.T, address string, ahead *atomic.Int64) *Node {
	t.Helper()
	around := surroundings()
	around.Clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	c := settings(t)
	c.Kafka = Kafka{Brokers: []string{address}, Partitions: 2}
	n, err := Start(t.Context(), c, around)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

func comparesClocks(t *testing.T, address string, adapt func(*Node)) {
	var ahead atomic.Int64
	n := startAhead(t, address, &ahead)
	adapt(n)
	for _, step := range []struct {
		ahead time.Duration
		said  string // "" where clocks agree
	}{
		{0, ""}, {50 * time.Second, ""}, {-50 * time.Second, ""},
		{3 * time.Minute, "is 3m0s ahead of Kafka's"}, {-3 * time.Minute, "is 3m0s behind Kafka's"},
		{time.Second, ""},
	} {
		ahead.Store(int64(step.ahead))
		before := answered(t, n)
		for range 2 { // the first is refused by its entry, the second without one
			said := refusal(t, n)
			if (step.said == "") != (said == "") || !strings.Contains(said, step.said) {
				t.Errorf("%v ahead: said %q, want %q", step.ahead, said, step.said)
			}
		}
		if kept, want := answered(t, n)-before, map[bool]int{true: 2, false: 1}[step.said == ""]; kept != want {
			t.Errorf("%v ahead: %d entries, want %d", step.ahead, kept, want)
		}
		if ready := get(t, n.URL()+"/readyz?verbose"); strings.Contains(ready, "[+]clock ok") != (step.said == "") {
			t.Errorf("%v ahead: ready %s", step.ahead, ready)
		}
	}
}

// refusal is why a query was not answered for the clock's sake.
func refusal(t *testing.T, n *Node) string {
	t.Helper()
	client := api.Client{Base: n.URL(), Token: token, Clock: n.around.Clock}
	_, err := client.Query(t.Context(), api.QueryRequest{Case: "LL-2026-1123-0041", Item: "food-licence-new", Applicant: company})
	if p := (*exchange.Problem)(nil); errors.As(err, &p) && p.Code == "YM-QRY-0304" {
		return p.Why.EN
	} else if exchange.KindOf(err) == exchange.Unavailable {
		t.Fatal(err)
	}
	return ""
}

// answered counts the entries of queries.
func answered(t *testing.T, n *Node) (count int) {
	t.Helper()
	each(t, n, audit.Topic, func(m exchange.Message) {
		if e, err := audit.Parse(m.Key, m.Value); err == nil && e.Decision != "" {
			count++
		}
	})
	return count
}
