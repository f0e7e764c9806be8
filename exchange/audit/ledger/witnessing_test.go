package ledger

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit/witness"
)

// aWitness is a witness that can be away.
type aWitness struct {
	*witness.Witness
	away atomic.Bool
}

func (w *aWitness) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	if w.away.Load() {
		http.Error(out, "away", http.StatusBadGateway)
		return
	}
	w.Witness.ServeHTTP(out, in)
}

// startWitness runs a witness that knows the world's log, until the test ends.
func startWitness(t testing.TB, w *world) []Witness {
	known, _ := haveWitness(t, w)
	return known
}

func haveWitness(t testing.TB, w *world) ([]Witness, *aWitness) {
	t.Helper()
	own, err := witness.Open(witness.Config{Dir: t.TempDir(), Name: "witness.example/w1", Logs: []witness.Log{{Origin: origin, Key: w.keys().Log}}})
	if err != nil {
		t.Fatal(err)
	}
	a := &aWitness{Witness: own}
	server := httptest.NewServer(a)
	t.Cleanup(func() {
		server.Close()
		if err := own.Close(); err != nil {
			t.Error(err)
		}
	})
	return []Witness{{Key: own.VerifierKey(), URL: server.URL}}, a
}

// witnessed is an open world with a witness.
func witnessed(t testing.TB) (*world, *aWitness) {
	t.Helper()
	w := newWorld(t)
	var a *aWitness
	w.cfg.Witnesses, a = haveWitness(t, w)
	w.open()
	t.Cleanup(w.close)
	return w, a
}

func TestWitnessAway(t *testing.T) {
	w, a := witnessed(t)
	metrics := prometheus.NewPedanticRegistry()
	if err := metrics.Register(w.metrics.unseen); err != nil {
		t.Fatal(err)
	}
	w.run()
	until(t, "an empty log is fresh", func() bool { return w.Fresh(w.clock.Now()) == nil })
	w.ask(3)
	until(t, "three are published", func() bool { return w.publisher.last().size == 3 })
	w.sound(w.verification())

	a.away.Store(true)
	receipt := w.ask(1)[0]
	until(t, "the fourth is in the log", func() bool { return w.sequenced.Load() == 4 })
	if _, err := w.Proof(t.Context(), receipt.ID); exchange.KindOf(err) != exchange.Unavailable {
		t.Errorf("a proof without a witness: %v", err)
	}
	failed := func() float64 {
		families, err := metrics.Gather()
		if err != nil {
			t.Fatal(err)
		}
		return families[0].GetMetric()[0].GetCounter().GetValue()
	}
	until(t, "failures are counted", func() bool { return failed() > 2 })
	if err := w.Fresh(w.clock.Now()); err != nil {
		t.Errorf("at once: %v", err)
	}
	w.clock.forward(4*time.Hour - 10*time.Second)
	if err := w.Fresh(w.clock.Now()); err != nil {
		t.Errorf("before four hours are over: %v", err)
	}
	w.clock.forward(20 * time.Second)
	err := w.Fresh(w.clock.Now())
	if exchange.KindOf(err) != exchange.Unavailable {
		t.Errorf("after four hours: %v", err)
	}
	contains(t, err.Error(), "YM-AUD-0301")
	if w.publisher.last().size != 3 {
		t.Error("something was published without a witness")
	}

	w.close() // closed over a restart too
	w.open()
	w.run()
	until(t, "a round was tried", func() bool { return w.looked.Load() > 0 })
	if err := w.Fresh(w.clock.Now()); exchange.KindOf(err) != exchange.Unavailable {
		t.Errorf("after a restart: %v", err)
	}
	a.away.Store(false)
	until(t, "it answers again", func() bool { return w.Fresh(w.clock.Now()) == nil })
	if _, err := w.Proof(t.Context(), receipt.ID); err != nil {
		t.Error(err)
	}
	w.stop()
	w.sound(w.verification())
}

// A night without entries is no reason to stop: nothing waits.
func TestQuietLogStaysFresh(t *testing.T) {
	w, a := witnessed(t)
	w.ask(1)
	w.fill()
	a.away.Store(true)
	w.clock.forward(20 * time.Hour)
	if err := w.Fresh(w.clock.Now()); err == nil {
		t.Error("nobody has looked for 20 hours")
	}
	if err := w.publisher.publish(t.Context(), 1); err == nil {
		t.Error("signed again without a witness")
	}
	a.away.Store(false)
	if err := w.round(t.Context()); err != nil {
		t.Error(err)
	}
	if err := w.Fresh(w.clock.Now()); err != nil {
		t.Error(err)
	}
}

// The bus away is no reason to go on either.
func TestTopicAway(t *testing.T) {
	w := opened(t)
	w.fill()
	w.topic.away = os.ErrDeadlineExceeded
	w.clock.forward(5 * time.Hour)
	if err := w.round(t.Context()); err == nil {
		t.Error("a round without the bus")
	}
	if err := w.Fresh(w.clock.Now()); exchange.KindOf(err) != exchange.Unavailable {
		t.Error(err)
	}
}

// Whoever rewrites the log, with its key, its disk and its topic in hand, gets no cosignature.
func TestWitnessStopsARewrittenLog(t *testing.T) {
	w, _ := witnessed(t)
	w.ask(5)
	w.fill()
	genuine := w.publisher.last().raw
	w.close()
	honest := w.topic.msgs
	w.topic = newTopic()
	for _, m := range honest {
		if m.Offset == 3 {
			m.Value = bytes.Replace(m.Value, []byte("scjg"), []byte("xzsp"), 1)
		}
		w.topic.Append(t.Context(), m.Topic, []exchange.Message{m})
	}
	w.cfg.Topic, w.cfg.Dir = w.topic, t.TempDir()
	w.open()
	for range 2 {
		if err := w.sequence(t.Context(), w.topic.msgs[w.sequenced.Load():]); err != nil {
			t.Fatal(err)
		}
		if err := w.round(t.Context()); err == nil || w.publisher.last().raw != nil {
			t.Errorf("published: %v", err)
		}
		w.ask(3) // a longer one does not help
	}
	v := w.verification()
	v.Earlier = genuine
	if r := w.verify(v); r.Result != string(RolledBack) {
		t.Errorf("a verifier with an earlier checkpoint: %s", r.Result)
	}
}

// A log restored from a backup comes out the same, because the topic makes it.
func TestRestoredBackup(t *testing.T) {
	w, _ := witnessed(t)
	w.ask(300)
	w.fill()
	w.close()
	backup := t.TempDir()
	if err := os.CopyFS(backup, os.DirFS(w.cfg.Dir)); err != nil {
		t.Fatal(err)
	}
	w.open()
	w.ask(300)
	w.fill()
	newest := w.publisher.last().raw
	w.close()

	if err := os.RemoveAll(filepath.Join(w.cfg.Dir, logDir)); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(w.cfg.Dir, logDir), os.DirFS(filepath.Join(backup, logDir))); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), w.cfg); exchange.KindOf(err) != exchange.Conflict {
		t.Errorf("a log behind its index: %v", err)
	} else {
		contains(t, err.Error(), "YM-AUD-0202")
	}
	if err := os.RemoveAll(filepath.Join(w.cfg.Dir, indexDir)); err != nil {
		t.Fatal(err)
	}
	w.open()
	if err := w.round(t.Context()); err == nil && w.publisher.last().size == 600 {
		t.Error("published what is not there")
	}
	w.fill()
	v := w.verification()
	v.Earlier = newest
	w.sound(v)
	again := w.publisher.last().raw
	if head := func(raw []byte) string { return strings.SplitN(string(raw), "\n\n", 2)[0] }; head(again) != head(newest) {
		t.Errorf("another tree:\n%s\n%s", again, newest)
	}
}

func TestPublishingRefusesAFork(t *testing.T) {
	w := opened(t)
	w.ask(3)
	w.fill()
	other := opened(t)
	other.clock.forward(time.Second)
	other.ask(2)
	other.fill()
	w.close()
	path := filepath.Join(w.cfg.Dir, logDir, "checkpoint")
	if err := os.WriteFile(path, other.publisher.last().raw, 0o600); err != nil {
		t.Fatal(err)
	}
	w.open()
	w.ask(1)
	if err := w.sequence(t.Context(), w.topic.msgs[3:]); err != nil {
		t.Fatal(err)
	}
	err := w.round(t.Context())
	if exchange.KindOf(err) != exchange.Conflict {
		t.Errorf("published over a checkpoint that it contradicts: %v", err)
	}
	w.close()
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), w.cfg); exchange.KindOf(err) != exchange.Conflict {
		t.Errorf("a checkpoint that is none: %v", err)
	}
}

// A checkpoint that the present key, or the present witness, did not sign binds what comes, but proves nothing yet.
func TestNewKeyAndNewWitness(t *testing.T) {
	w := opened(t)
	receipt := w.ask(3)[0]
	w.fill()
	w.close()
	w.cfg.Witnesses = startWitness(t, w)
	w.open()
	if _, err := w.Proof(t.Context(), receipt.ID); exchange.KindOf(err) != exchange.Unavailable {
		t.Errorf("a proof without a cosignature: %v", err)
	}
	if err := w.Fresh(w.clock.Now()); err == nil {
		t.Error("fresh without a cosignature")
	}
	if err := w.round(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Proof(t.Context(), receipt.ID); err != nil {
		t.Error(err)
	}
	w.sound(w.verification())
}

func TestRepublishing(t *testing.T) {
	w := opened(t)
	w.ask(1)
	w.fill()
	first := w.publisher.last()
	w.clock.forward(republish - time.Second)
	w.fill()
	if w.publisher.last() != first {
		t.Error("signed again too soon")
	}
	w.clock.forward(time.Second)
	w.fill()
	if again := w.publisher.last(); again == first || again.size != 1 || !again.at.Equal(w.clock.Now()) {
		t.Error("not signed again")
	}
}
