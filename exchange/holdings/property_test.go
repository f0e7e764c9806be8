package holdings_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/onedoor/yimen/exchange"
)

// TestOrderDuplicationAndCutsChangeNothing folds one set of messages in many ways: partitions in any order, messages
// repeated later in their partition, batches cut anywhere, folding begun again from the start.
func TestOrderDuplicationAndCutsChangeNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 23))
	w := newWorld(t)
	partitions := sequence(w, random)
	want := ""
	for run := range 8 {
		n := w.copyTo(t.TempDir())
		messages := partitions
		if run > 0 {
			messages = repeat(partitions, random)
		}
		interleave(n, messages, random, run > 0)
		if run%2 == 1 { // from the beginning again, over what is there
			n.restart()
			interleave(n, messages, random, true)
		}
		got := n.picture()
		if want == "" {
			want = got
		}
		if got != want {
			t.Fatalf("run %d found other things:\n%s\nwant:\n%s", run, got, want)
		}
	}
	if strings.Count(want, "@") < 30 {
		t.Errorf("hardly anything is found: %s", want)
	}
}

// TestOrdersComeAtAnyTime folds evidence and orders to forget in many ways: the orders before, after and among what they are
// about, repeated, begun again. What is published after a lift is folded after it, as on a node that follows the orders first.
func TestOrdersComeAtAnyTime(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 20))
	w := newObedient(t)
	for round := range 6 {
		early, late := sequence(w, random), sequence(w, random)
		orders := w.someOrders(random, round%2 == 1)
		for _, msgs := range early {
			for i := range msgs {
				msgs[i].Time = at(i % 20)
			}
		}
		for p, msgs := range late {
			for i := range msgs {
				msgs[i].Time = at(60 + i)
			}
			late[p] = append(slices.Clone(early[p]), msgs...)
		}
		want := ""
		for run := range 6 {
			n := w.copyTo(t.TempDir())
			n.index.ErasuresUpTo(0)
			first := append(slices.Clone(early), orders)
			switch {
			case run == 0: // the orders last
				interleave(n, first, random, false)
			case run == 1: // and first
				interleave(n, append([][]exchange.Message{orders}, early...), random, false)
			default:
				interleave(n, first, random, true)
			}
			interleave(n, late, random, true)
			if run%2 == 1 {
				n.restart()
				n.index.ErasuresUpTo(int64(len(orders)))
			}
			got := n.picture()
			if want == "" {
				want = got
			}
			if got != want {
				t.Fatalf("round %d, run %d found other things:\n%s\nwant:\n%s", round, run, got, want)
			}
		}
		if strings.Count(want, "@") < 5 {
			t.Errorf("hardly anything is found: %s", want)
		}
	}
}

// TestOneRecordInTwoPartitions folds versions of the same records from two partitions at once, as happens after a topic got
// more of them.
func TestOneRecordInTwoPartitions(t *testing.T) {
	w := newWorld(t)
	random := rand.New(rand.NewPCG(1, 12))
	var partitions [2][]exchange.Message
	for p := range partitions {
		for version := 1 + p; version < 12; version += 2 {
			for record := range 40 {
				s := statement{of: marriage, natural: fmt.Sprintf("J430281-2018-%06d", record), version: version, name: "x", partition: p}
				for range random.IntN(3) {
					s.holders = append(s.holders, citizen(random.IntN(6)))
				}
				m := w.seal(s)
				m.Offset = int64(len(partitions[p]))
				partitions[p] = append(partitions[p], m)
			}
		}
	}
	fold := func(n *world, p int) {
		for i := 0; i < len(partitions[p]); i += 20 {
			if err := n.index.Fold(context.Background(), partitions[p][i:i+20]); err != nil {
				t.Error(err)
			}
		}
	}
	for p := range partitions {
		fold(w, p)
	}
	want := w.picture()
	for range 3 {
		n := w.copyTo(t.TempDir())
		var folding sync.WaitGroup
		for p := range partitions {
			folding.Go(func() { fold(n, p) })
		}
		folding.Wait()
		if got := n.picture(); got != want {
			t.Fatal("folded at once something else is found")
		}
	}
}

// someOrders are orders about some of what sequence states, and lifts of some of them.
func (w *world) someOrders(random *rand.Rand, lifts bool) (orders []exchange.Message) {
	for n := range 4 {
		m := w.forgetHolder(n, citizen(random.IntN(4)))
		if n%2 == 1 {
			m = w.forgetRecord(n, marriage, fmt.Sprintf("J430281-2018-%06d", random.IntN(24)))
		}
		orders = append(orders, published(n*10, m))
		if lifts && n < 3 {
			orders = append(orders, published(n*10+25, w.lift(10+n, n)))
		}
	}
	return orders
}

// sequence is what some departments stated, partition by partition: growing, old, conflicting, withdrawn versions.
func sequence(w *world, random *rand.Rand) [][]exchange.Message {
	var partitions [][]exchange.Message
	for partition := range 3 {
		var msgs []exchange.Message
		for range 60 {
			record := random.IntN(8)*3 + partition
			s := statement{of: marriage, natural: fmt.Sprintf("J430281-2018-%06d", record), version: 1 + random.IntN(5),
				name: string(rune('a' + random.IntN(2))), partition: partition}
			for range random.IntN(3) {
				s.holders = append(s.holders, citizen(random.IntN(6)))
			}
			m := w.seal(s)
			m.Partition = partition
			msgs = append(msgs, m)
		}
		partitions = append(partitions, msgs)
	}
	return partitions
}

// repeat puts some messages in again somewhere after their first place, as a producer does that was not answered.
func repeat(partitions [][]exchange.Message, random *rand.Rand) [][]exchange.Message {
	var all [][]exchange.Message
	for _, msgs := range partitions {
		msgs = slices.Clone(msgs)
		for range 20 {
			from := random.IntN(len(msgs))
			to := from + 1 + random.IntN(len(msgs)-from)
			msgs = slices.Insert(msgs, to, msgs[from])
		}
		all = append(all, msgs)
	}
	return all
}

// interleave folds the partitions in batches of any size, whichever comes first.
func interleave(w *world, partitions [][]exchange.Message, random *rand.Rand, shuffle bool) {
	w.t.Helper()
	done := make([]int, len(partitions))
	for {
		var open []int
		for p := range partitions {
			if done[p] < len(partitions[p]) {
				open = append(open, p)
			}
		}
		if len(open) == 0 {
			return
		}
		p, size := open[0], 1
		if shuffle {
			p, size = open[random.IntN(len(open))], 1+random.IntN(25)
		}
		msgs := slices.Clone(partitions[p][done[p]:min(done[p]+size, len(partitions[p]))])
		for i := range msgs {
			msgs[i].Offset = int64(done[p] + i)
		}
		done[p] += len(msgs)
		if err := w.index.Fold(w.t.Context(), msgs); err != nil {
			w.t.Fatal(err)
		}
	}
}

// picture is what every holder is found to have, payloads included, and the keys of all rows about records.
func (w *world) picture() string {
	var b strings.Builder
	for n := range 6 {
		found := w.find(citizen(n), marriage)
		for _, r := range found.Records {
			fmt.Fprintf(&b, "%d: %v@%d %s %v %s\n", n, r.ID, r.Version, r.Status, r.AsOf, r.Payload)
		}
	}
	err := w.store.Scan(w.t.Context(), [][]byte{[]byte("h"), []byte("r")}, func(key, _ []byte) bool {
		fmt.Fprintf(&b, "%x\n", key)
		return true
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return b.String()
}

// TestFoldIsSafeForPartitionsSideBySide folds and finds at once; the race detector looks on where it is on.
func TestFoldIsSafeForPartitionsSideBySide(t *testing.T) {
	w := newWorld(t)
	plain(w)
	w.fold(w.heartbeat(said(1, 0)))
	done := make(chan struct{})
	go func() {
		defer close(done)
		foldPlain(t, w, 0, 8*benchPartitions*benchBatch)
	}()
	for found := 0; ; found++ {
		select {
		case <-done:
			if n := w.index.Counts().Records[licence]; n != 8*benchPartitions*benchBatch {
				t.Errorf("%d records", n)
			}
			return
		default:
			f, err := w.index.Find(t.Context(), plainHolder(uint64(found%1000)), []exchange.EvidenceType{licence})
			if err != nil {
				t.Fatal(err)
			}
			// What the inputs say was folded is found, and nothing else.
			number := int64(found % 1000)
			folded := f.Inputs.Next("evidence.business-licence")[int(number%benchPartitions)] > number/benchPartitions
			if folded != (len(f.Records) == 1) {
				t.Fatalf("record %d: folded %v by the inputs, found %d", number, folded, len(f.Records))
			}
		}
	}
}

// TestNothingPersonalOnDisk plants numbers, names and texts, and looks for them in every file in several spellings.
func TestNothingPersonalOnDisk(t *testing.T) {
	w := newWorld(t)
	name, text := "金丝雀企业名称", "CANARY-IN-THE-PAYLOAD"
	s := statement{of: licence, natural: company(77), version: 1, holders: []string{company(77)}, name: name + text}
	w.state(s, statement{of: marriage, natural: "J430281-2018-007777", version: 1, holders: []string{citizen(77)}, name: name})
	w.fold(quarantinedCanary(w, name, text), w.heartbeat(said(1, 0)),
		exchange.Message{Topic: "coverage.scjg", Key: []byte(citizen(78)), Value: []byte(citizen(78))},
		exchange.Message{Topic: "evidence.business-licence", Key: []byte(citizen(78)), Value: []byte(text)})
	w.withdraw(s)
	digest := w.sealer("scjg/licences").Digest(document(s))
	needles := needles(name, text, company(77), citizen(77), citizen(78), "J430281-2018-007777", string(digest[:]))
	scan := func(when string) {
		t.Helper()
		files, size := readAll(t, w.dir)
		for path, content := range files {
			for what, needle := range needles {
				if bytes.Contains(lower(content), needle) {
					t.Errorf("%s: %s holds %s", when, path, what)
				}
			}
		}
		if size < 1000 {
			t.Errorf("%s: only %d bytes were looked at", when, size)
		}
	}
	scan("running")
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	scan("closed")
	w.open()
	if w.records(company(77)) == "" || w.records(citizen(77)) == "" {
		t.Error("the canaries are not in the index at all")
	}
	if strings.Contains(w.log.String(), citizen(78)) {
		t.Error("the log holds a number")
	}
}
