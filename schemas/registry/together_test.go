package registry

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// TestTogether has two registries change the same subjects at the same time. They, and a third that has nothing but the
// topic, must not disagree on anything.
func TestTogether(t *testing.T) {
	for what, change := range map[string]func(*Config, *Registry){
		"":             func(*Config, *Registry) {},
		" losing acks": func(c *Config, _ *Registry) { c.Topics = &lossy{Topics: c.Topics, every: 7, count: map[string]int64{}} },
	} {
		t.Run("nodes"+what, func(t *testing.T) {
			w := newWorld(t)
			nodes := []*node{w.node(quiet, change), w.node(quiet, change)}
			quarrel(t, nodes, duration())
			for _, n := range nodes {
				must(t, n.Settled(t.Context()))
			}
			w.wantMirror(nodes[0])
			third := w.node(quiet)
			want := nodes[0].dump()
			for i, n := range []*node{nodes[1], third} {
				if n.dump() != want {
					t.Errorf("registry %d disagrees", i+2)
				}
			}
			noVersionTwice(t, nodes[0])
			referencesHold(t, nodes[0])
			judgedByTheLevelOfTheDay(t, nodes[0])
			t.Logf("%d changes accepted", len(nodes[0].History("")))
			if len(nodes[0].History("")) < 20 {
				t.Error("nothing much happened")
			}
		})
	}
}

func duration() time.Duration {
	if os.Getenv("YIMEN_TEST_LONG") != "" {
		return time.Minute
	}
	return 1500 * time.Millisecond
}

// quarrel has several callers a node do what comes to their minds.
func quarrel(t *testing.T, nodes []*node, d time.Duration) {
	var callers sync.WaitGroup
	end := time.Now().Add(d)
	for i, n := range nodes {
		for caller := range 3 {
			random := rand.New(rand.NewPCG(uint64(i), uint64(caller)))
			callers.Go(func() {
				for time.Now().Before(end) {
					if err := whim(t.Context(), n, random); err != nil && exchange.KindOf(err) == exchange.Unavailable {
						t.Error(err)
					}
				}
			})
		}
	}
	callers.Wait()
}

// whim is one change, which may be refused.
func whim(ctx context.Context, n *node, random *rand.Rand) error {
	name := fmt.Sprintf("s%d-value", random.IntN(3))
	version := 1 + random.IntN(8)
	switch random.IntN(12) {
	case 0:
		return n.SetLevel(ctx, "t", name, Level{Compatibility: []string{"NONE", "BACKWARD", "FULL", "FORWARD_TRANSITIVE"}[random.IntN(4)]})
	case 1:
		return errorOf(n.DeleteLevel(ctx, "t", name))
	case 2, 3:
		return n.DeleteVersion(ctx, "t", name, version, random.IntN(2) == 0)
	case 4:
		if random.IntN(4) == 0 {
			return errorOf(n.DeleteSubject(ctx, "t", name, random.IntN(2) == 0))
		}
		return n.SetLevel(ctx, "t", "", Level{Compatibility: []string{"BACKWARD", "NONE"}[random.IntN(2)]})
	case 5:
		return n.Deprecate(ctx, "t", name, version, "old")
	case 6:
		ref := Reference{"part", fmt.Sprintf("s%d-value", random.IntN(3)), version}
		return errorOf(n.Register(ctx, "t", name, Candidate{Text: []byte(`{"$ref":"part"}`), References: []Reference{ref}}, false))
	default:
		return errorOf(n.Register(ctx, "t", name, Candidate{Text: []byte(shop(random.IntN(20)))}, false))
	}
}

// noVersionTwice: no change made a version that an older one had made.
func noVersionTwice(t *testing.T, n *node) {
	made := map[place]bool{}
	content := map[int]string{}
	for _, c := range n.History("") {
		if c.Operation != opRegister {
			continue
		}
		if at := (place{c.Subject, c.Version}); made[at] {
			t.Errorf("%v was made twice", at)
		} else {
			made[at] = true
		}
	}
	for guid, id := range n.state.contents {
		if content[id] != "" {
			t.Errorf("id %d stands for two contents", id)
		}
		content[id] = guid
	}
}

// lossy is a bus whose acknowledgements get lost: of each topic's appends every so many fail, before or after the messages stand there.
type lossy struct {
	Topics
	every int64

	mu    sync.Mutex
	count map[string]int64
}

var errLost = errors.New("connection lost")

func (l *lossy) Append(ctx context.Context, topic string, msgs []exchange.Message) error {
	n := l.next(topic)
	if n%l.every == 0 && n/l.every%2 == 0 {
		return errLost
	}
	err := l.Topics.Append(ctx, topic, msgs)
	if err == nil && n%l.every == 0 {
		return errLost
	}
	return err
}

// next numbers the appends of one topic, from 1.
func (l *lossy) next(topic string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count[topic]++
	return l.count[topic]
}

func TestLostAcknowledgements(t *testing.T) {
	w := newWorld(t)
	n := w.node(quiet, func(c *Config, _ *Registry) { c.Topics = &lossy{Topics: c.Topics, every: 2, count: map[string]int64{}} })
	for i := range 20 {
		if got := n.register("a-value", shop(i)); got.Entry.Version != i+1 || !got.New {
			t.Fatalf("registration %d became version %d", i, got.Entry.Version)
		}
	}
	if n.MaxID() != 20 || len(n.History("")) != 20 || len(w.topic(Proposals)) <= 20 {
		t.Errorf("%d ids, %d changes, %d messages", n.MaxID(), len(n.History("")), len(w.topic(Proposals)))
	}
}

// dead is a bus that is down.
type dead struct{ Topics }

func (dead) Append(context.Context, string, []exchange.Message) error { return errLost }

func TestBusDown(t *testing.T) {
	w := newWorld(t)
	n := w.node(quiet, func(c *Config, r *Registry) {
		if r != nil {
			r.topics = dead{r.topics}
			r.patience.answer = 200 * time.Millisecond
		}
	})
	wantCode(t, "register", errorOf(n.Register(t.Context(), "t", "a-value", Candidate{Text: []byte("{}")}, false)), 50002)
	r, err := New(Config{Topics: dead{}})
	must(t, err)
	r.patience.answer = 50 * time.Millisecond
	wantCode(t, "never run", errorOf(r.Register(t.Context(), "t", "a-value", Candidate{Text: []byte("{}")}, false)), 50002)
	wantCode(t, "an id, never run", errorOf(r.ByID(t.Context(), 1)), 50002)
}

func TestRestart(t *testing.T) {
	w := newWorld(t)
	n := w.node(quiet)
	for i := range 5 {
		n.register("a-value", shop(i))
	}
	must(t, n.DeleteVersion(t.Context(), "t", "a-value", 2, false))
	must(t, n.SetLevel(t.Context(), "t", "", Level{Compatibility: "FULL"}))
	w.wantMirror(n)
	want := n.dump()
	n.stop()
	again := w.node(quiet)
	if again.dump() != want {
		t.Errorf("after the restart\n%s\nbefore\n%s", again.dump(), want)
	}
	time.Sleep(2 * again.patience.others) // time enough to write what need not be written
	written := 0
	for _, m := range w.topic(Mirror) {
		if string(m.Key) != noop {
			written++
		}
	}
	if written != 7 {
		t.Errorf("%d records of _schemas, want 7", written)
	}
}

// TestLaggard: whatever another writes under our keys is put right, and what is not ours is left alone.
func TestLaggard(t *testing.T) {
	w := newWorld(t)
	nodes := []*node{w.node(quiet), w.node(quiet)}
	old := nodes[0].register("a-value", shop(0)).Entry
	w.wantMirror(nodes[0])
	must(t, nodes[0].DeleteVersion(t.Context(), "t", "a-value", 1, false))
	w.wantMirror(nodes[0])
	laggard := []exchange.Message{
		{Key: schemaKey("a-value", 1).bytes(), Value: schemaValue(&old)}, // as if it were not deleted
		{Key: []byte(`{"keytype":"CONTEXT","tenant":"t","context":"x","magic":0}`), Value: []byte(`{}`)},
		{Key: []byte(`not JSON`), Value: []byte(`either`)},
	}
	must(t, w.bus().Append(t.Context(), Mirror, laggard))
	eventually(t, "the laggard is put right", func() bool {
		got := w.mirrored()
		return got[string(schemaKey("a-value", 1).bytes())] != string(schemaValue(&old)) && got["not JSON"] == "either"
	})
	must(t, w.bus().Append(t.Context(), Mirror, []exchange.Message{{Key: schemaKey("a-value", 1).bytes()}}))
	eventually(t, "the tombstone is put right", func() bool { return w.mirrored()[string(schemaKey("a-value", 1).bytes())] != "" })
	must(t, nodes[1].DeleteVersion(t.Context(), "t", "a-value", 1, true))
	eventually(t, "it is gone", func() bool { return w.mirrored()[string(schemaKey("a-value", 1).bytes())] == "" })
}
