package holdings_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/erasure"
	"github.com/onedoor/yimen/exchange/holdings"
	"github.com/onedoor/yimen/schemas"
)

// TestNothingIsToldBeforeOrdersAreFolded begins from a backup that is older than an order.
func TestNothingIsToldBeforeOrdersAreFolded(t *testing.T) {
	w := newObedient(t)
	w.state(wed(1, citizen(1), citizen(2)))
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	backup := t.TempDir()
	if err := os.CopyFS(backup, os.DirFS(w.dir)); err != nil {
		t.Fatal(err)
	}
	w.open()
	w.index.ErasuresUpTo(0)
	orders := w.append(w.forgetHolder(1, citizen(1)), w.lift(2, 1), w.forgetHolder(3, citizen(1)))
	later := w.append(w.seal(wed(2, citizen(1))))

	n := w.copyTo(backup)
	closed := func(when string) {
		t.Helper()
		_, err := n.index.Find(t.Context(), holder(citizen(1)), []exchange.EvidenceType{marriage})
		each := n.index.Each(t.Context(), marriage, func(exchange.Record, int, int64) bool { t.Errorf("%s: the walk shows a record", when); return true })
		_, owned := n.index.Owned(t.Context(), holder(citizen(1)))
		for _, err := range []error{err, each, owned} {
			var p *exchange.Problem
			if !errors.As(err, &p) || p.Kind != exchange.Unavailable || p.Code != "YM-IDX-0104" {
				t.Errorf("%s: %v", when, err)
			}
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := n.index.Obeyed(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: obeyed: %v", when, err)
		}
	}
	closed("before the end is known")
	n.index.ErasuresUpTo(int64(len(orders)))
	closed("before any order")
	if err := n.index.Fold(t.Context(), later); err != nil { // other topics may be ahead
		t.Fatal(err)
	}
	for i := range orders {
		closed(fmt.Sprintf("before order %d", i+1))
		if err := n.index.Fold(t.Context(), orders[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.index.Obeyed(t.Context()); err != nil {
		t.Error(err)
	}
	if got := n.records(citizen(1)); got != "" {
		t.Errorf("found %q", got)
	}
	n.restart()
	closed("after a restart")
	n.index.ErasuresUpTo(int64(len(orders)))
	if got := n.records(citizen(1)); got != "" || n.find(citizen(1), marriage).Inputs.Next(erasure.Topic)[0] != 3 {
		t.Errorf("found %q", got)
	}
	n.index.ErasuresUpTo(int64(len(orders)) + 1) // the topic has grown while the node was cut off
	closed("after the topic grew")
}

// TestNeverHalfForgotten asks all the time while holders are forgotten: each answer is of before or of after.
func TestNeverHalfForgotten(t *testing.T) {
	w := newObedient(t)
	const holders = 40
	w.fold(w.beat("mzj/marriages", marriage))
	for n := range holders {
		s := wed(1, citizen(n))
		s.natural = fmt.Sprintf("J430281-2018-%06d", n)
		w.state(s)
	}
	var orders []exchange.Message
	for n := range holders {
		orders = append(orders, w.forgetHolder(n, citizen(n)))
	}
	orders = w.append(orders...)
	done := make(chan struct{})
	var asking sync.WaitGroup
	for asker := range 2 {
		asking.Go(func() {
			gone := map[int]bool{}
			for n := asker; ; n = (n + 7) % holders {
				select {
				case <-done:
					return
				default:
				}
				found, err := w.index.Find(context.Background(), holder(citizen(n)), []exchange.EvidenceType{marriage})
				if err != nil {
					t.Error(err)
					return
				}
				switch held, unknown := len(found.Records) == 1, found.Sources[0].HolderQuarantined; {
				case held == unknown:
					t.Errorf("holder %d: held %v, unknown %v", n, held, unknown)
				case held && gone[n]:
					t.Errorf("holder %d is there again", n)
				default:
					gone[n] = unknown
				}
			}
		})
	}
	for i := range orders {
		if err := w.index.Fold(t.Context(), orders[i:i+1]); err != nil {
			t.Error(err)
		}
	}
	close(done)
	asking.Wait()
}

// meddling is an engine that lets something happen before it reads.
type meddling struct {
	holdings.Engine
	meddle func() // once
}

func (m *meddling) Scan(ctx context.Context, prefixes [][]byte, yield func(key, value []byte) bool) error {
	if meddle := m.meddle; meddle != nil {
		m.meddle = nil
		meddle()
	}
	return m.Engine.Scan(ctx, prefixes, yield)
}

// meddled is a world whose engine can be meddled with.
func meddled(t *testing.T) (*world, *meddling) {
	w := newObedient(t)
	engine := &meddling{Engine: w.store}
	c := w.config()
	c.Engine = engine
	var err error
	if w.index, err = holdings.New(c); err != nil {
		t.Fatal(err)
	}
	w.index.ErasuresUpTo(0)
	return w, engine
}

// TestOrderWhileSomebodyAsks comes when Find has looked at memory and not yet at the rows.
func TestOrderWhileSomebodyAsks(t *testing.T) {
	for name, order := range map[string]func(*world) exchange.Message{
		"on the holder":     func(w *world) exchange.Message { return w.forgetHolder(1, citizen(1)) },
		"on another holder": func(w *world) exchange.Message { return w.forgetHolder(1, citizen(2)) },
		"on the record":     func(w *world) exchange.Message { return w.forgetRecord(1, marriage, "J430281-2018-000001") },
	} {
		t.Run(name, func(t *testing.T) {
			w, engine := meddled(t)
			large := wed(1, citizen(1), citizen(2))
			large.name = strings.Repeat("瓷", 12_000)
			w.state(large)
			w.fold(w.beat("mzj/marriages", marriage))
			m := order(w)
			engine.meddle = func() { w.fold(m) }
			held, unknown := name == "on another holder", name == "on the holder"
			found := w.find(citizen(1), marriage)
			if engine.meddle != nil || (len(found.Records) == 1) != held || found.Sources[0].HolderQuarantined != unknown || found.Inputs.Next(erasure.Topic)[0] != 1 {
				t.Errorf("found %d records, %+v, inputs %v", len(found.Records), found.Sources, found.Inputs)
			}
		})
	}
}

// TestOrderWhileEvidenceIsFolded comes when a message about the record is being opened, and when its rows are being made.
func TestOrderWhileEvidenceIsFolded(t *testing.T) {
	rows := func(w *world) (n int) {
		if err := w.store.Scan(t.Context(), [][]byte{[]byte("h"), []byte("r")}, func(_, _ []byte) bool { n++; return true }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	t.Run("being opened", func(t *testing.T) {
		w := newObedient(t)
		order := w.forgetRecord(1, marriage, "J430281-2018-000001")
		m := w.seal(wed(1, citizen(1)))
		opened := 0
		w.index.Without(func(m *exchange.Message) (envelope.Opened, error) {
			if opened++; opened == 1 {
				w.fold(order)
			}
			return w.opener.Record(t.Context(), m)
		}, func(*envelope.Opened) (schemas.Facts, error) {
			return schemas.Facts{Status: exchange.Valid, Holders: []exchange.Holder{holder(citizen(1))}}, nil
		})
		w.fold(m, m)
		if n := w.index.Counts().Refused["erased"]; n != 2 || opened != 1 || rows(w) != 0 {
			t.Errorf("%d refused, %d opened, %d rows", n, opened, rows(w))
		}
	})
	t.Run("being stored", func(t *testing.T) {
		w, engine := meddled(t)
		w.state(wed(1, citizen(1)))
		w.restart() // so that it is asked what there is of the record
		engine.Engine = w.store
		c := w.config()
		c.Engine = engine
		var err error
		if w.index, err = holdings.New(c); err != nil {
			t.Fatal(err)
		}
		w.index.ErasuresUpTo(0)
		order := w.append(w.forgetRecord(1, marriage, "J430281-2018-000001"))
		carried := make(chan error, 1)
		engine.meddle = func() {
			go func() { carried <- w.index.Fold(context.Background(), order) }()
			select { // it must wait: this is long enough for one that does not
			case err := <-carried:
				carried <- err
			case <-time.After(100 * time.Millisecond):
			}
		}
		w.state(wed(2, citizen(1)))
		if err := <-carried; err != nil || engine.meddle != nil || rows(w) != 0 {
			t.Errorf("%v, %d rows", err, rows(w))
		}
	})
}

// failing is an engine whose next commits fail.
type failing struct {
	holdings.Engine
	commits int
}

func (f *failing) Commit(ctx context.Context, rows []holdings.Row) error {
	if f.commits > 0 {
		f.commits--
		return errors.New("disk full")
	}
	return f.Engine.Commit(ctx, rows)
}

// TestOrderThatCouldNotBeStored hides at once what it is about, and is carried out when it is given again.
func TestOrderThatCouldNotBeStored(t *testing.T) {
	w := newObedient(t)
	w.state(wed(1, citizen(1)))
	order, lift := w.append(w.forgetHolder(1, citizen(1)))[0], published(1, w.append(w.lift(2, 1))[0])
	engine := &failing{Engine: w.store}
	c := w.config()
	c.Engine = engine
	var err error
	if w.index, err = holdings.New(c); err != nil {
		t.Fatal(err)
	}
	w.index.ErasuresUpTo(0)
	for _, m := range []exchange.Message{order, lift} {
		engine.commits = 2
		for range 2 {
			if err := w.index.Fold(t.Context(), []exchange.Message{m}); err == nil {
				t.Fatal("an order that was not stored is folded")
			}
			if got := w.records(citizen(1)); got != "" {
				t.Errorf("found %q", got)
			}
		}
		if err := w.index.Fold(t.Context(), []exchange.Message{m}); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.index.Counts().Duplicates; n != 0 {
		t.Errorf("%d duplicates", n)
	}
	w.again()
	if got := w.records(citizen(1)); got != "" {
		t.Errorf("found %q", got)
	}
	w.fold(published(2, w.seal(wed(2, citizen(1)))))
	if w.records(citizen(1)) == "" {
		t.Error("the lift is not kept")
	}
}
