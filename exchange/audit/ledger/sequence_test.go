package ledger

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
)

// leaves are all leaves in the tree.
func (w *world) leaves() []leaf {
	w.t.Helper()
	size, err := w.tree.IntegratedSize(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	var all []leaf
	err = w.tree.each(w.t.Context(), 0, size, func(at uint64, data []byte) error {
		l, err := readLeaf(at, data)
		l.body = bytes.Clone(l.body)
		all = append(all, l)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// The goal is to keep up with 10,000 entries a second.
func TestFiftyThousandEntries(t *testing.T) {
	const n = 50_000
	w := opened(t)
	w.ask(n)
	began := time.Now()
	w.run()
	until(t, "all is published", func() bool { return w.publisher.last().size == n })
	took := time.Since(began)
	t.Logf("%d entries in %v: %.0f/s", n, took, n/took.Seconds())
	w.stop()
	if found, err := w.Entry(t.Context(), string(w.topic.msgs[n-1].Key)); err != nil || !bytes.Equal(found.Raw, w.topic.msgs[n-1].Value) {
		t.Errorf("the last one: %v", err)
	}
}

func TestEveryMessageHasItsLeaf(t *testing.T) {
	w := oddWorld(t)
	all := w.leaves()
	var kinds []leafKind
	for i, l := range all {
		if l.offset != int64(i) || !l.matches(&w.topic.msgs[i]) {
			t.Errorf("leaf %d is %+v", i, l)
		}
		kinds = append(kinds, l.kind)
	}
	want := []leafKind{entryLeaf, entryLeaf, entryLeaf, againLeaf, conflictLeaf, againLeaf, strayLeaf, strayLeaf, strayLeaf, entryLeaf, entryLeaf, entryLeaf}
	if !slices.Equal(kinds, want) {
		t.Errorf("%v", kinds)
	}
	contains(t, w.said.String(), "somebody else writes to the audit topic")
	if strings.Contains(w.said.String(), number) {
		t.Error("the log repeats what somebody wrote")
	}
	again := opened(t) // the same topic makes the same tree, whatever the pieces it comes in
	again.cfg.Topic, again.topic = w.topic, w.topic
	for i := range w.topic.msgs {
		if err := again.sequence(t.Context(), w.topic.msgs[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	one, err := w.tree.root(t.Context(), uint64(len(all)))
	other, otherErr := again.tree.root(t.Context(), uint64(len(all)))
	if err != nil || otherErr != nil || !bytes.Equal(one, other) {
		t.Errorf("%x, %x; %v, %v", one, other, err, otherErr)
	}
}

func TestMissingMessagesShow(t *testing.T) {
	w := opened(t)
	w.ask(5)
	w.topic.msgs = slices.Delete(w.topic.msgs, 1, 3)
	if err := w.sequence(t.Context(), w.topic.msgs); err != nil {
		t.Fatal(err)
	}
	all := w.leaves()
	if len(all) != 5 || all[1].kind != missingLeaf || all[2].kind != missingLeaf || all[3].kind != entryLeaf {
		t.Errorf("%+v", all)
	}
	contains(t, w.said.String(), "lost a message")
	if err := w.round(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := w.verify(w.verification()); r.Result != string(TopicLost) || r.Leaves["missing"] != 2 {
		t.Errorf("%+v", r)
	}
	far := w.topic.msgs[2]
	far.Offset = 5 + mostMissing + 1
	if err := w.sequence(t.Context(), []exchange.Message{far}); exchange.KindOf(err) != exchange.Conflict {
		t.Errorf("a million missing: %v", err)
	}
}

func TestMessagesHandedOverAgain(t *testing.T) {
	w := opened(t)
	w.ask(6)
	if err := w.sequence(t.Context(), w.topic.msgs[:4]); err != nil {
		t.Fatal(err)
	}
	twice := slices.Concat(w.topic.msgs[2:6], w.topic.msgs[3:6])
	if err := w.sequence(t.Context(), twice); err != nil {
		t.Fatal(err)
	}
	if err := w.sequence(t.Context(), w.topic.msgs[2:4]); err != nil {
		t.Fatal(err)
	}
	if all := w.leaves(); len(all) != 6 {
		t.Errorf("%+v", all)
	}
	for _, at := range []int{1, 5} {
		other := w.topic.msgs[at]
		other.Value = bytes.Replace(other.Value, []byte("LL-"), []byte("LX-"), 1)
		if err := w.sequence(t.Context(), []exchange.Message{other}); exchange.KindOf(err) != exchange.Conflict {
			t.Errorf("another message at offset %d: %v", at, err)
		}
	}
	w.ask(1)
	fresh := w.topic.msgs[6]
	changed := fresh
	changed.Value = append(bytes.Clone(fresh.Value), ' ')
	if err := w.sequence(t.Context(), []exchange.Message{fresh, changed}); exchange.KindOf(err) != exchange.Conflict {
		t.Errorf("two messages at one offset: %v", err)
	}
}

// TestGathering: what comes while leaves are gathered, more than are made durable together, and some of it twice, makes the same tree as
// message after message; and once there is a message that cannot be, all batches before are durable and nothing of the one that it is in.
func TestGathering(t *testing.T) {
	w := opened(t)
	w.ask(2*mostLeaves + 100)
	msgs := w.topic.msgs
	msgs[mostLeaves+7].Value, msgs[mostLeaves+7].Key = msgs[5].Value, msgs[5].Key // once more, in another batch than the first
	w.pace.gather = time.Minute
	inbox := make(chan []exchange.Message)
	ended := make(chan error, 1)
	go func() { ended <- w.take(t.Context(), inbox) }()
	inbox <- msgs[:10]
	inbox <- msgs[5:300]                            // the first again
	inbox <- msgs[200 : 2*mostLeaves-1]             // over the end of a batch
	inbox <- msgs[mostLeaves-10 : 2*mostLeaves+100] // from before it, over the end of the next
	other := msgs[2*mostLeaves+50]
	other.Value = bytes.Replace(other.Value, []byte("LL-"), []byte("LX-"), 1)
	inbox <- []exchange.Message{other}
	if err := <-ended; exchange.KindOf(err) != exchange.Conflict {
		t.Fatal(err)
	}
	if n := w.sequenced.Load(); n != 2*mostLeaves {
		t.Fatalf("%d leaves, want the two whole batches before", n)
	}
	for i, l := range w.leaves() {
		if want := i == mostLeaves+7; (l.kind == againLeaf) != want || !l.matches(&msgs[i]) {
			t.Fatalf("leaf %d is %+v", i, l)
		}
	}
	one := opened(t)
	for piece := range slices.Chunk(msgs[:2*mostLeaves], 100) {
		if err := one.sequence(t.Context(), piece); err != nil {
			t.Fatal(err)
		}
	}
	root, err := w.tree.root(t.Context(), 2*mostLeaves)
	again, againErr := one.tree.root(t.Context(), 2*mostLeaves)
	if err != nil || againErr != nil || !bytes.Equal(root, again) {
		t.Errorf("%x, %x; %v, %v", root, again, err, againErr)
	}
}

// TestSharedEntriesAreReadOnly: others have the entry that the bus read, while the ledger makes a leaf of it.
func TestSharedEntriesAreReadOnly(t *testing.T) {
	w := opened(t)
	w.ask(5)
	for i := range w.topic.msgs {
		m := &w.topic.msgs[i]
		m.Read = new(audit.Recent).Read(m.Key, m.Value)
	}
	var followers sync.WaitGroup
	for range 2 {
		one := opened(t)
		followers.Go(func() {
			if err := one.sequence(t.Context(), w.topic.msgs); err != nil {
				t.Error(err)
			}
		})
	}
	followers.Wait()
	for _, m := range w.topic.msgs {
		if !reflect.DeepEqual(m.Read, new(audit.Recent).Read(m.Key, m.Value)) {
			t.Errorf("entry %d has changed", m.Offset)
		}
	}
}

func TestAnotherTopicStopsTheLedger(t *testing.T) {
	w := opened(t)
	w.ask(5)
	w.fill()
	w.topic.msgs = w.topic.msgs[:3]
	err := w.Run(t.Context())
	if exchange.KindOf(err) != exchange.Conflict {
		t.Errorf("a shorter topic: %v", err)
	}
	contains(t, err.Error(), "YM-AUD-0203")
	w.cfg.Topic = twoPartitions{w.topic}
	w.Ledger.cfg.Topic = w.cfg.Topic
	if err := w.Run(t.Context()); exchange.KindOf(err) != exchange.Conflict {
		t.Errorf("two partitions: %v", err)
	}
}

type twoPartitions struct{ Topic }

func (twoPartitions) EndOffsets(context.Context, string) (map[int]int64, error) {
	return map[int]int64{0: 5, 1: 0}, nil
}

func TestSequencingBeginsAgain(t *testing.T) {
	w := opened(t)
	w.ask(3)
	down := errors.New("no leader")
	w.topic.ended = down
	w.run()
	until(t, "failures", func() bool { return w.looked.Load() > 0 })
	w.topic.mu.Lock()
	w.topic.ended = nil
	w.topic.mu.Unlock()
	until(t, "recovery", func() bool { return w.publisher.last().size == 3 })

	// The disk refuses: a directory stands where a tile must go.
	blocked := filepath.Join(w.cfg.Dir, logDir, "tile", "0", "000.p", "4")
	if err := os.MkdirAll(filepath.Join(blocked, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.ask(1)
	failures := func() int { return strings.Count(w.said.String(), "begins again") }
	before := failures()
	until(t, "some tries fail", func() bool { return failures() > before+2 })
	if w.sequenced.Load() != 3 {
		t.Error("sequenced onto a disk that refuses")
	}
	if err := os.RemoveAll(blocked); err != nil {
		t.Fatal(err)
	}
	until(t, "recovery", func() bool { return w.publisher.last().size == 4 })
	w.stop()
	w.sound(w.verification())
}

// A crash between the tree and the index, or a lost index, is made good from the log.
func TestIndexIsMadeAgain(t *testing.T) {
	w := opened(t)
	w.ask(300)
	w.fill()
	last := w.topic.msgs[299]
	for name, spoil := range map[string]func(){
		"lost":   func() { os.RemoveAll(filepath.Join(w.cfg.Dir, indexDir)) },
		"behind": func() {},
	} {
		if name == "behind" {
			w.ask(10)
			leaves := [][]byte{}
			for i := range w.topic.msgs[300:] {
				b := batch{ledger: w.Ledger, fresh: map[string][32]byte{}}
				l, err := b.leafOf(&w.topic.msgs[300+i])
				if err != nil {
					t.Fatal(err)
				}
				leaves = append(leaves, l.marshal())
			}
			if err := w.tree.append(300, leaves); err != nil {
				t.Fatal(err)
			}
			last = w.topic.msgs[309]
		}
		w.close()
		spoil()
		w.open()
		found, err := w.Entry(t.Context(), string(last.Key))
		if err != nil || !bytes.Equal(found.Raw, last.Value) {
			t.Errorf("%s: %v", name, err)
		}
		w.fill()
		w.close()
		w.sound(w.verification())
		w.open()
	}
}

func TestOneProcessAtATime(t *testing.T) {
	w := opened(t)
	if _, err := Open(t.Context(), w.cfg); exchange.KindOf(err) != exchange.Conflict {
		t.Errorf("twice: %v", err)
	}
	for name, spoil := range map[string]func(c *Config){
		"no directory":        func(c *Config) { c.Dir = "" },
		"no topic":            func(c *Config) { c.Topic = nil },
		"no key":              func(c *Config) { c.Key = nil },
		"origin with a space": func(c *Config) { c.Origin = "a b" },
		"witness without key": func(c *Config) { c.Witnesses = []Witness{{URL: "http://127.0.0.1:1"}} },
		"witness nowhere":     func(c *Config) { c.Witnesses = []Witness{{Key: w.keys().Log}} },
	} {
		cfg := w.cfg
		cfg.Dir = t.TempDir()
		spoil(&cfg)
		if l, err := Open(t.Context(), cfg); err == nil {
			l.Close()
			t.Errorf("%s: opened", name)
		}
	}
}

func FuzzLeaf(f *testing.F) {
	w := newWorld(f)
	w.ask(1)
	m := w.topic.msgs[0]
	for _, l := range []leaf{{kind: entryLeaf, id: string(m.Key), body: m.Value}, {kind: againLeaf, offset: 7, id: string(m.Key)},
		{kind: strayLeaf, offset: 1 << 40, id: strayHash(&m)}, {kind: missingLeaf, id: missingID}} {
		f.Add(l.marshal())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := parseLeaf(data)
		if err != nil {
			return
		}
		if again := l.marshal(); !bytes.Equal(again, data) {
			t.Errorf("%q was read as %q", data, again)
		}
		message := exchange.Message{Topic: audit.Topic, Offset: l.offset, Key: []byte(l.id), Value: l.body}
		if l.kind == entryLeaf && !l.matches(&message) {
			t.Error("it does not match what it says")
		}
	})
}

// TestNothingIsSignedWithoutTheKey has a ledger forget its key while the authority is closed: leaves are sequenced, nothing is
// published, and the next round after the authority is back publishes all of it.
func TestNothingIsSignedWithoutTheKey(t *testing.T) {
	w, closed := newWorld(t), error(nil)
	w.cfg.Key = func(context.Context) (ed25519.PrivateKey, error) { return logKey, closed }
	w.open()
	t.Cleanup(w.close)
	w.ask(3)
	w.fill()
	closed = errors.New("closed")
	w.Forget()
	w.ask(2)
	msgs, _, _ := w.topic.page(3)
	if err := w.sequence(t.Context(), msgs); err != nil {
		t.Fatal(err)
	}
	if err := w.round(t.Context()); err == nil || w.publisher.last().size != 3 {
		t.Errorf("published up to %d, %v", w.publisher.last().size, err)
	}
	closed = nil
	if err := w.round(t.Context()); err != nil || w.publisher.last().size != 5 {
		t.Errorf("published up to %d, %v", w.publisher.last().size, err)
	}
}
