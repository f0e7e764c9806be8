package node

import (
	"context"
	"sync"
	"testing"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// everything is what stands on a topic.
func everything(t *testing.T, n *Node, topic string) (all []exchange.Message) {
	t.Helper()
	ends, err := n.Bus.EndOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	var left int64
	from := map[int]int64{}
	for partition, end := range ends {
		from[partition], left = 0, left+end
	}
	var mu sync.Mutex
	ctx, done := context.WithCancel(t.Context())
	defer done()
	err = n.Bus.Follow(ctx, topic, from, func(_ context.Context, messages []exchange.Message) error {
		mu.Lock()
		defer mu.Unlock()
		if all = append(all, messages...); int64(len(all)) >= left {
			done()
		}
		return nil
	})
	if ctx.Err() == nil || len(all) == 0 {
		t.Fatalf("%d messages, %v", len(all), err)
	}
	return all
}

// TestCryptoByConfiguration runs a city by the national suite, from an adapter to the answer, then changes it to the standard one:
// what was published stays readable, who enrolled before goes on as before, and who enrols now works by the new suite.
func TestCryptoByConfiguration(t *testing.T) {
	c := settings(t)
	c.Crypto = "national"
	n := start(t, c)
	publish(t, n, 1)
	before := ask(t, n)
	for _, m := range everything(t, n, envelope.EvidenceTopic("business-licence")) {
		if sealed, signed := envelope.Suite(m.Value[1]), envelope.Suite(m.Header("batch-signature")[1]); sealed != envelope.National || signed != envelope.National {
			t.Fatalf("sealed by suite %d, signed by suite %d", sealed, signed)
		}
	}
	stop(t, n)

	c.Crypto = ""
	n = start(t, c)
	if err := n.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := ask(t, n); after != before {
		t.Errorf("answers %s, before %s", after, before)
	}
	publish(t, n, 2)
	ask(t, n)
	for name, want := range map[string]envelope.Suite{"licences": envelope.National, "permits": envelope.Standard} {
		who := certs.Identity{Department: "scjg", Role: certs.Adapter, Name: name}
		enrolled, err := n.Enrol(t.Context(), who, certs.CredentialConfig{Dir: t.TempDir(), Name: "a"})
		if err != nil || enrolled.Suite() != want {
			t.Errorf("%s: suite %d, %v", name, enrolled.Suite(), err)
		}
	}
	if refused := n.Index.Counts().Refused; len(refused) != 0 {
		t.Errorf("refused: %v", refused)
	}
}
