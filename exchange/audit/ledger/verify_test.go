package ledger

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/transparency-dev/tessera/api"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
)

// keys are the log's, as everybody may know them.
func (w *world) keys() Keys {
	vkey, err := VerifierKey(origin, logKey.Public().(ed25519.PublicKey))
	if err != nil {
		w.t.Fatal(err)
	}
	k := Keys{Log: vkey}
	for _, witness := range w.cfg.Witnesses {
		k.Witnesses = append(k.Witnesses, witness.Key)
	}
	return k
}

// verification looks at everything there is.
func (w *world) verification() Verification {
	return Verification{Source: Dir(w.cfg.Dir), Dir: w.cfg.Dir, Keys: w.keys(), Topic: w.topic, Index: w.Ledger == nil}
}

func (w *world) verify(v Verification) Report {
	w.t.Helper()
	report, err := Verify(w.t.Context(), v)
	if err != nil {
		w.t.Fatal(err)
	}
	return report
}

// sound demands that a log has nothing wrong with it.
func (w *world) sound(v Verification) Report {
	w.t.Helper()
	r := w.verify(v)
	if r.Result != "ok" || len(r.Findings) != 0 {
		w.t.Errorf("%s: %+v", r.Result, r.Findings)
	}
	return r
}

func TestVerifySoundLogs(t *testing.T) {
	w := opened(t)
	v := w.verification()
	if r := w.sound(v); r.Size != 0 {
		t.Errorf("an empty log: %+v", r)
	}
	earlier := []byte(nil)
	for _, n := range []int{1, 1, 254, 1, 255, 300, 3} { // over the edges of bundles
		w.ask(n)
		w.fill()
		v.Earlier = earlier
		r := w.sound(v)
		if r.Size != w.sequenced.Load() || r.Leaves["entry"] != int64(r.Size) || r.Waiting != 0 {
			t.Errorf("%+v", r)
		}
		earlier = []byte(r.Checkpoint)
	}
	w.ask(5)
	if r := w.sound(v); r.Waiting != 5 {
		t.Errorf("five entries wait: %+v", r)
	}
	w.close()
	w.sound(w.verification()) // the index too
}

// mutated is a directory's file with one change to its bytes.
type mutated struct {
	path   string
	before []byte
}

func (m *mutated) undo(t testing.TB) {
	t.Helper()
	if err := os.WriteFile(m.path, m.before, 0o600); err != nil {
		t.Fatal(err)
	}
}

// mutate changes a file: a bit flipped, a byte put in, taken out or moved, the end cut off, two halves changed about.
func mutate(t testing.TB, path string, random *rand.Rand) *mutated {
	t.Helper()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for {
		after := bytes.Clone(before)
		at := random.IntN(len(after))
		switch random.IntN(6) {
		case 0, 1:
			after[at] ^= 1 << random.IntN(8)
		case 2:
			after = slices.Insert(after, at, byte(random.Uint32()))
		case 3:
			after = slices.Delete(after, at, at+1)
		case 4:
			after = after[:at]
		case 5:
			after = slices.Concat(after[at:], after[:at])
		}
		if bytes.Equal(before, after) {
			continue
		}
		if err := os.WriteFile(path, after, 0o600); err != nil {
			t.Fatal(err)
		}
		return &mutated{path, before}
	}
}

// logFiles are the files of a log that say something: tiles, bundles, the checkpoint and what the sequencer goes on from.
func logFiles(t testing.TB, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(filepath.Join(dir, logDir), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Ext(path) != ".lock" && entry.Name() != "gcState" {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	return files
}

// A thousand changes to a log and its index: a thousand found.
func TestEveryMutationIsFound(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 809))
	mutateFiles(t, filled(t, 20, 8, 5), random, 680)
	large := filled(t, 200, 58, 12) // a whole bundle, and partial ones that were followed by longer ones
	mutateFiles(t, large, random, 180)
	mutateIndex(t, large, random, 140)
}

// filled is a closed log that grew in these steps, each cosigned, with ten leaves in the tree that are not published.
func filled(t *testing.T, steps ...int) *world {
	t.Helper()
	w, _ := witnessed(t)
	for _, n := range steps {
		w.ask(n)
		w.fill()
	}
	w.ask(10)
	if err := w.sequence(t.Context(), w.topic.msgs[w.sequenced.Load():]); err != nil {
		t.Fatal(err)
	}
	w.close()
	w.sound(w.verification())
	return w
}

// mutateFiles changes n files, one at a time: the files alone must show it.
func mutateFiles(t *testing.T, w *world, random *rand.Rand, n int) {
	t.Helper()
	v := w.verification()
	v.Topic, v.Index = nil, false
	files := logFiles(t, w.cfg.Dir)
	for i := range n {
		path := files[i%len(files)]
		m := mutate(t, path, random)
		if r := w.verify(v); r.Result == "ok" {
			t.Errorf("mutation %d of %s was not found", i, path)
		}
		m.undo(t)
	}
	w.sound(v)
}

// mutateIndex changes n rows, one at a time: a value, a key, by taking one out or by putting another one in.
func mutateIndex(t *testing.T, w *world, random *rand.Rand, n int) {
	t.Helper()
	x, err := openIndex(filepath.Join(w.cfg.Dir, indexDir), slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	defer x.close()
	size := uint64(len(w.topic.msgs))
	look := func() []Finding {
		in := &inspection{Verification: Verification{Source: Dir(w.cfg.Dir), Keys: w.keys()}, ids: map[[16]byte][32]byte{},
			report: Report{Leaves: map[string]int64{}}, tiles: map[uint64]*api.HashTile{}, index: &indexCheck{index: x, rows: 1}}
		if _, err := in.walk(t.Context(), size); err != nil {
			t.Fatal(err)
		}
		in.index.finish(in, size)
		return in.report.Findings
	}
	for i := range n {
		undo := mutateRow(t, x.rows.DB, random, i%4)
		if len(look()) == 0 {
			t.Errorf("mutation %d of the index was not found", i)
		}
		undo()
	}
	if found := look(); len(found) != 0 {
		t.Errorf("after all was undone: %v", found)
	}
}

func mutateRow(t *testing.T, db *pebble.DB, random *rand.Rand, how int) (undo func()) {
	t.Helper()
	rows, err := db.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !rows.SeekGE([]byte{"icdfst"[random.IntN(6)], byte(random.Uint32())}) {
		rows.First()
	}
	key, value := bytes.Clone(rows.Key()), bytes.Clone(rows.Value())
	other := bytes.Clone(key)
	other[random.IntN(len(other))] ^= 1 << random.IntN(8)
	var was []byte // what stands under the other key
	if rows.SeekGE(other) && bytes.Equal(rows.Key(), other) {
		was = bytes.Clone(rows.Value())
	}
	commit := func(change func(b *pebble.Batch) error) {
		b := db.NewBatch()
		if err := errors.Join(change(b), b.Commit(pebble.NoSync)); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	commit(func(b *pebble.Batch) error {
		switch how {
		case 0:
			changed := bytes.Clone(value)
			changed[random.IntN(len(changed))] ^= 1 << random.IntN(8)
			return b.Set(key, changed, nil)
		case 1:
			return b.Delete(key, nil)
		case 2:
			return errors.Join(b.Delete(key, nil), b.Set(other, append(value, was...), nil))
		}
		return b.Set(other, append(bytes.Clone(was), 7), nil)
	})
	return func() {
		commit(func(b *pebble.Batch) error {
			err := b.Delete(other, nil)
			if was != nil {
				err = b.Set(other, was, nil)
			}
			return errors.Join(err, b.Set(key, value[:len(value):len(value)], nil))
		})
	}
}

func TestVerifyNamesTheFault(t *testing.T) {
	w := opened(t)
	w.ask(300)
	w.fill()
	old, err := os.ReadFile(filepath.Join(w.cfg.Dir, logDir, "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	w.ask(300)
	w.fill()
	newer := []byte(w.publisher.last().raw)
	other := opened(t) // the same key, other entries
	other.clock.forward(1)
	other.ask(600)
	other.fill()
	strange := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	strangeKey, err := VerifierKey(origin, strange)
	if err != nil {
		t.Fatal(err)
	}
	whole := w.topic.msgs
	for name, tc := range map[string]struct {
		fault Fault
		spoil func(v *Verification, topic *fakeTopic)
	}{
		"nothing":     {"ok", func(*Verification, *fakeTopic) {}},
		"earlier":     {"ok", func(v *Verification, _ *fakeTopic) { v.Earlier = old }},
		"the same":    {"ok", func(v *Verification, _ *fakeTopic) { v.Earlier = newer }},
		"another key": {Unsigned, func(v *Verification, _ *fakeTopic) { v.Keys.Log = strangeKey }},
		"another log": {Forked, func(v *Verification, _ *fakeTopic) { v.Earlier = other.publisher.last().raw }},
		"rolled back": {RolledBack, func(v *Verification, _ *fakeTopic) {
			v.Source, v.Dir, v.Earlier = rolled{Dir(w.cfg.Dir), old}, "", newer
		}},
		"no checkpoint": {RolledBack, func(v *Verification, _ *fakeTopic) {
			v.Source, v.Dir, v.Earlier = rolled{Dir(w.cfg.Dir), nil}, "", newer
		}},
		"message changed": {TopicLost, func(_ *Verification, f *fakeTopic) {
			f.msgs[17].Value = bytes.Replace(f.msgs[17].Value, []byte("scjg"), []byte("xzsp"), 1)
		}},
		"message gone":   {TopicLost, func(_ *Verification, f *fakeTopic) { f.msgs = slices.Delete(f.msgs, 17, 18) }},
		"topic cut":      {TopicLost, func(_ *Verification, f *fakeTopic) { f.msgs = f.msgs[:500] }},
		"messages moved": {TopicLost, func(_ *Verification, f *fakeTopic) { f.msgs[3].Key, f.msgs[4].Key = f.msgs[4].Key, f.msgs[3].Key }},
	} {
		v := w.verification()
		topic := &fakeTopic{msgs: slices.Clone(whole), moved: make(chan struct{})}
		v.Topic = topic
		tc.spoil(&v, topic)
		if r := w.verify(v); r.Result != string(tc.fault) {
			t.Errorf("%s: %s %+v", name, r.Result, r.Findings)
		}
	}
}

// rolled is a log that shows another checkpoint.
type rolled struct {
	Source
	checkpoint []byte
}

func (r rolled) ReadCheckpoint(context.Context) ([]byte, error) {
	if r.checkpoint == nil {
		return nil, fs.ErrNotExist
	}
	return r.checkpoint, nil
}

func TestVerifyRefusesKeys(t *testing.T) {
	w := opened(t)
	w.ask(1)
	w.fill()
	for name, spoil := range map[string]func(v *Verification){
		"no key":             func(v *Verification) { v.Keys.Log = "" },
		"no witness's key":   func(v *Verification) { v.Keys.Witnesses = []string{"x"} },
		"checkpoint is none": func(v *Verification) { v.Earlier = []byte("x") },
		"checkpoint unsigned": func(v *Verification) {
			v.Earlier = []byte(strings.Split(string(w.publisher.last().raw), "\n\n")[0] + "\n\n")
		},
	} {
		v := w.verification()
		spoil(&v)
		if _, err := Verify(t.Context(), v); exchange.KindOf(err) != exchange.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifySaysWhatItCouldNotRead(t *testing.T) {
	w := opened(t)
	w.ask(1)
	w.fill()
	v := w.verification()
	v.Dir, v.Source = "", unreachable{}
	if _, err := Verify(t.Context(), v); exchange.KindOf(err) != exchange.Unavailable {
		t.Error(err)
	}
	v = w.verification()
	w.topic.away = fmt.Errorf("no leader")
	if _, err := Verify(t.Context(), v); err == nil {
		t.Error("the topic was away")
	}
	w.topic.away = nil
	v.Index = true // which this process has open
	if _, err := Verify(t.Context(), v); exchange.KindOf(err) != exchange.Conflict {
		t.Error(err)
	}
}

type unreachable struct{ Source }

func (unreachable) ReadCheckpoint(context.Context) ([]byte, error) { return nil, fs.ErrPermission }

// What is no plain entry has a leaf too, and a verifier counts it.
func TestVerifyCountsOddLeaves(t *testing.T) {
	w := oddWorld(t)
	r := w.sound(w.verification())
	if r.Leaves["entry"] != 6 || r.Leaves["again"] != 2 || r.Leaves["conflict"] != 1 || r.Leaves["stray"] != 3 {
		t.Errorf("%+v", r.Leaves)
	}
}

// oddWorld has entries, two of them twice, one contradicted, and messages that are none.
func oddWorld(t testing.TB) *world {
	w := opened(t)
	w.ask(3)
	put := func(key, value []byte) {
		w.topic.Append(t.Context(), audit.Topic, []exchange.Message{{Topic: audit.Topic, Key: key, Value: value}})
	}
	first, second := w.topic.msgs[0], w.topic.msgs[1]
	put(first.Key, first.Value)
	put(second.Key, bytes.Replace(second.Value, []byte("0017"), []byte("0018"), 1))
	put(first.Key, first.Value)
	put(nil, []byte(number+" 张晓明"))
	put([]byte("01ARYZ6S410000000000000000"), []byte("{}"))
	put(second.Key, nil)
	w.ask(3)
	w.fill()
	return w
}
