package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/bus/embedded"
	"github.com/onedoor/yimen/schemas/opinion"
	"github.com/onedoor/yimen/test/kafka"
	"github.com/onedoor/yimen/test/logs"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == opinion.Verb { // the registry starts this program again for the second opinion
		if err := opinion.Answer(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const limit = 20 * time.Second // for anything that a test waits for

// world is a broker and the registries on it.
type world struct {
	t    testing.TB
	addr string
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t}
	if os.Getenv("YIMEN_TEST_KAFKA") != "" {
		w.addr = kafka.Start(t, kafka.Options{}).Addr()
	} else {
		broker, err := embedded.Start(embedded.Config{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(broker.Close)
		w.addr = broker.Addr()
	}
	b := w.bus()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	err := b.Ensure(ctx, []bus.Topic{{Name: Proposals, Partitions: 1}, {Name: Mirror, Partitions: 1, Compact: true}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) bus() *bus.Bus {
	w.t.Helper()
	b, err := bus.Connect(bus.Config{Brokers: strings.Split(w.addr, ",")})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { b.Close() })
	return b
}

// node is a registry that runs.
type node struct {
	*Registry
	t    testing.TB
	stop func()
	log  *logs.Buffer
}

// node starts a registry, on the world's bus unless the change says otherwise.
func (w *world) node(change ...func(*Config, *Registry)) *node {
	w.t.Helper()
	n := &node{t: w.t, log: &logs.Buffer{}}
	cfg := Config{Topics: w.bus(), Opinion: opinion.Asker{}, Log: slog.New(slog.NewTextHandler(n.log, nil))}
	for _, c := range change {
		c(&cfg, nil)
	}
	r, err := New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	r.patience = patience{answer: limit, others: 300 * time.Millisecond, retry: 20 * time.Millisecond, retiring: 10 * time.Millisecond}
	for _, c := range change {
		c(&cfg, r)
	}
	n.Registry = r
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	n.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			w.t.Error("run:", err)
		}
	})
	w.t.Cleanup(n.stop)
	if err := r.Settled(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// quiet is a change that leaves the second validator out: its processes take their time.
func quiet(c *Config, _ *Registry) { c.Opinion = nil }

// register registers a schema that must be taken.
func (n *node) register(subject, schema string, refs ...Reference) Registered {
	n.t.Helper()
	got, err := n.Register(n.t.Context(), "tester", subject, Candidate{Text: []byte(schema), References: refs}, false)
	if err != nil {
		n.t.Fatalf("register %s: %v", subject, err)
	}
	return got
}

// must ends the test where something went wrong.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantCode says whether an error has one of Confluent's codes; 0: there must be no error.
func wantCode(t testing.TB, what string, err error, code int) {
	t.Helper()
	var p *exchange.Problem
	switch {
	case code == 0 && err == nil:
	case code == 0:
		t.Errorf("%s: %v", what, err)
	case !errors.As(err, &p) || p.Code != fmt.Sprintf("YM-REG-%d", code):
		t.Errorf("%s: %v, want YM-REG-%d", what, err, code)
	case p.What.ZH == "" || p.What.EN == "" || p.Mend.ZH == "" || p.Mend.EN == "" || p.Kind == "":
		t.Errorf("%s: %v does not say everything", what, p)
	}
}

// eventually waits for something to become so.
func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain: " + what)
		}
	}
}

// dump is all that a registry knows, for comparing.
func (r *Registry) dump() string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	s := r.state
	type sub struct {
		Versions   []version
		Highest    int
		Level      string
		Policy     string
		Mode       string
		Retirement *Retirement
	}
	subjects := map[string]sub{}
	for name, x := range s.subjects {
		y := sub{Highest: x.highest, Level: x.level, Policy: string(x.policy), Mode: x.mode, Retirement: x.retirement}
		for _, v := range x.versions {
			y.Versions = append(y.Versions, *v)
		}
		subjects[name] = y
	}
	ids := map[int][]string{}
	for id, list := range s.ids {
		for _, v := range list {
			ids[id] = append(ids[id], fmt.Sprintf("%s/%d", v.Subject, v.Version))
		}
	}
	derived := map[string]string{}
	for k, v := range s.derive() {
		derived[k] = string(v)
	}
	b, err := json.MarshalIndent(map[string]any{"subjects": subjects, "ids": ids, "max": s.maxID, "contents": s.contents, "heads": s.heads,
		"history": s.history, "derived": derived, "nonces": len(s.nonces), "adopted": s.adopted, "closed": s.closed}, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// topic reads a topic to its end.
func (w *world) topic(name string) []exchange.Message {
	w.t.Helper()
	b := w.bus()
	ctx, cancel := context.WithTimeout(w.t.Context(), limit)
	defer cancel()
	ends, err := b.EndOffsets(ctx, name)
	must(w.t, err)
	var all []exchange.Message
	if ends[0] == 0 {
		return nil
	}
	done := errors.New("done")
	err = b.Follow(ctx, name, nil, func(_ context.Context, msgs []exchange.Message) error {
		all = append(all, msgs...)
		if all[len(all)-1].Offset >= ends[0]-1 {
			return done
		}
		return nil
	})
	if !errors.Is(err, done) {
		w.t.Fatal(err)
	}
	return all
}

// mirrored is the newest value of each key of _schemas that is no tombstone; records that say nothing left out.
func (w *world) mirrored() map[string]string {
	newest := map[string]string{}
	for _, m := range w.topic(Mirror) {
		if delete(newest, string(m.Key)); m.Value != nil {
			newest[string(m.Key)] = string(m.Value)
		}
	}
	return newest
}

// wantMirror waits until _schemas is what is derived.
func (w *world) wantMirror(n *node) {
	w.t.Helper()
	var got, want map[string]string
	eventually(w.t, "_schemas is as it should be", func() bool {
		got, want = w.mirrored(), map[string]string{}
		n.mu.RLock()
		for k, v := range n.state.derive() {
			if v != nil {
				want[k] = string(v)
			}
		}
		n.mu.RUnlock()
		return fmt.Sprint(got) == fmt.Sprint(want)
	})
}

// shop is a closed schema with so many optional properties; each accepts what those with fewer accept.
func shop(properties int) string {
	var b strings.Builder
	b.WriteString(`{"type":"object","properties":{"name":{"type":"string"}`)
	for i := range properties {
		fmt.Fprintf(&b, `,"p%d":{"type":"string"}`, i)
	}
	return b.String() + `},"required":["name"],"additionalProperties":false}`
}
