package notice

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/notice/webhook"
	"github.com/onedoor/yimen/exchange/reliance"
)

// topics are Kafka in memory, each of one partition.
type topics struct {
	mu    sync.Mutex
	all   map[string][]exchange.Message
	more  chan struct{}
	from  map[string]int64         // where each was last followed from
	first map[string]int64         // of each the oldest message that has not aged
	gone  string                   // a topic that is missing
	mute  string                   // a topic that takes messages and does not say so
	held  map[string]chan struct{} // of a topic: messages are handed on once it is closed
	clock func() time.Time         // of the broker, which dates messages
}

func (t *topics) Append(_ context.Context, topic string, msgs []exchange.Message) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if topic == t.gone {
		return errors.New("no such topic")
	}
	for i := range msgs {
		msgs[i].Topic, msgs[i].Offset, msgs[i].Time = topic, int64(len(t.all[topic])), t.clock()
		t.all[topic] = append(t.all[topic], msgs[i])
	}
	close(t.more)
	t.more = make(chan struct{})
	if topic == t.mute {
		return errors.New("no answer")
	}
	return nil
}

func (t *topics) EndOffsets(_ context.Context, topic string) (map[int]int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return map[int]int64{0: int64(len(t.all[topic]))}, nil
}

func (t *topics) FirstOffsets(_ context.Context, topic string) (map[int]int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return map[int]int64{0: t.first[topic]}, nil
}

func (t *topics) Follow(ctx context.Context, topic string, from map[int]int64, handle func(context.Context, []exchange.Message) error) error {
	t.mu.Lock()
	t.from[topic] = from[0]
	next := max(from[0], t.first[topic])
	t.mu.Unlock()
	for {
		t.mu.Lock()
		found, more, held := slices.Clone(t.all[topic][next:]), t.more, t.held[topic]
		t.mu.Unlock()
		if len(found) > 0 && held != nil {
			select {
			case <-held:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if len(found) > 0 {
			if err := handle(ctx, found); err != nil {
				return err
			}
			next += int64(len(found))
			continue
		}
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// set changes how they behave.
func (t *topics) set(change func(*topics)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(t)
}

// begunAt is where a topic was last followed from.
func (t *topics) begunAt(topic string) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.from[topic]
}

// on gives what stands on a topic.
func (t *topics) on(topic string) []exchange.Message {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.all[topic])
}

// archive is holdings and reliances in memory.
type archive struct {
	mu     sync.Mutex
	turns  map[exchange.RecordID][]exchange.Turn
	relied []reliance.Reliance
	lost   exchange.RecordID // its turns cannot be read
}

func (a *archive) History(_ context.Context, _ exchange.EvidenceType, id exchange.RecordID) ([]exchange.Turn, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if id == a.lost {
		return nil, errors.New("its rows are damaged")
	}
	return slices.Clone(a.turns[id]), nil
}

func (a *archive) Relied(_ context.Context, id exchange.RecordID) (all []reliance.Reliance, _ error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.relied {
		if r.Record == id {
			all = append(all, r)
		}
	}
	return all, nil
}

func (a *archive) Known(ctx context.Context, ids []exchange.RecordID) (known []exchange.RecordID, _ error) {
	for _, id := range ids {
		if all, _ := a.Relied(ctx, id); len(all) > 0 {
			known = append(known, id)
		}
	}
	return known, nil
}

func (a *archive) OfCase(_ context.Context, d exchange.Department, matter string) (all []exchange.RecordID, _ error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.relied {
		if r.Department == d && r.Case == matter {
			all = append(all, r.Record)
		}
	}
	return all, nil
}

// keys sign with one key.
type keys struct{ ed25519.PrivateKey }

func (k keys) Signer(context.Context) (ed25519.PrivateKey, error) { return k.PrivateKey, nil }
func (k keys) Verifiers(context.Context) ([]ed25519.PublicKey, error) {
	return []ed25519.PublicKey{k.Public().(ed25519.PublicKey)}, nil
}

var key = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

// world is an office with all around it. Its clock stands still unless it is moved.
type world struct {
	*testing.T
	*Office
	topics  *topics
	archive *archive
	reading time.Duration // of an office that starts; 0: as it is
	stop    func()

	mu   sync.Mutex
	acts []string
	now  time.Time
}

var morning = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, topics: &topics{all: map[string][]exchange.Message{}, more: make(chan struct{}), from: map[string]int64{}, first: map[string]int64{}, held: map[string]chan struct{}{}}, now: morning,
		archive: &archive{turns: map[exchange.RecordID][]exchange.Turn{}}}
	w.topics.clock = w.clock
	w.start(t.TempDir(), 0)
	return w
}

// start starts an office over the same topics. Another that runs is left running.
func (w *world) start(dir string, standby time.Duration) {
	w.Helper()
	sender := webhook.New(webhook.Config{Origin: "liling.yimen", Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Sign: keys{key}.Signer, Clock: w.clock})
	o, err := New(Config{City: "liling", Dir: dir, Departments: []exchange.Department{"xzsp", "gaj"}, Topics: w.topics, Keys: keys{key}, Holdings: w.archive, Reliances: w.archive,
		Sender: sender, Standby: standby, Clock: w.clock, Audit: func(_ context.Context, who, act, target string) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.acts = append(w.acts, who+" "+act)
			return nil
		}})
	if err != nil {
		w.Fatal(err)
	}
	if w.reading > 0 {
		o.reading = w.reading
	}
	o.rest, o.pauses = 2*time.Millisecond, func(failures int) time.Duration { return time.Duration(failures) * time.Minute }
	w.Office = o
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { o.Run(ctx) })
	stop := sync.OnceFunc(func() {
		cancel()
		running.Wait()
		sender.Close()
		if err := o.Close(); err != nil {
			w.Error(err)
		}
	})
	w.stop = stop
	if err := o.Settled(ctx); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(stop)
}

func (w *world) restart() {
	w.stop()
	w.start(w.Office.cfg.Dir, w.Office.cfg.Standby)
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// relies notes answers that relied on the first version of a record, as the audit log would.
func (w *world) relies(id exchange.RecordID, d exchange.Department, cases ...string) {
	w.Helper()
	var all []reliance.Reliance
	for _, c := range cases {
		all = append(all, reliance.Reliance{Entry: entryID(w.clock(), c), At: w.clock(), Department: d, Case: c, Clerk: "0017", Type: "business-licence", Record: id, Version: 1})
	}
	w.archive.mu.Lock()
	w.archive.relied = append(w.archive.relied, all...)
	w.archive.mu.Unlock()
	if err := w.Learnt(w.Context(), all); err != nil {
		w.Fatal(err)
	}
}

// turns gives a record its next turn, and lets the office see the message.
func (w *world) turns(id exchange.RecordID, status exchange.Status) {
	w.Helper()
	w.archive.mu.Lock()
	version := exchange.Version(len(w.archive.turns[id]) + 1)
	w.archive.turns[id] = append(w.archive.turns[id], exchange.Turn{Version: version, Status: status, Logged: w.clock()})
	w.archive.mu.Unlock()
	w.sees(id, []byte("sealed"))
}

// sees folds a message of a record.
func (w *world) sees(id exchange.RecordID, value []byte) {
	w.Helper()
	msgs := []exchange.Message{{Key: append(id[:], 0, 0, 0, 0, 0, 0, 0, 1), Value: value, Time: w.clock()}}
	if err := w.topics.Append(w.Context(), "evidence.business-licence", msgs); err != nil {
		w.Fatal(err)
	}
	if err := w.Fold(w.Context(), msgs); err != nil {
		w.Fatal(err)
	}
}

// subscribed subscribes for somebody of a department.
func (w *world) subscribed(d exchange.Department, wish Wish) Subscription {
	w.Helper()
	s, err := w.Subscribe(w.Context(), Person{Department: d, Name: string(d) + "/0017"}, wish)
	if err != nil {
		w.Fatal(err)
	}
	return s
}

// list is what somebody may know of.
func (w *world) list(who Person) []Subscription {
	w.Helper()
	all, err := w.List(w.Context(), who)
	if err != nil {
		w.Fatal(err)
	}
	return all
}

// with is the configuration over another directory.
func (c Config) with(dir string) Config {
	c.Dir = dir
	return c
}

// told waits until so many notices stand on a department's topic, and gives them in a few words.
func (w *world) told(d exchange.Department, n int) (all []string) {
	w.Helper()
	w.until("notices", func() bool { return len(w.topics.on(envelope.NoticesTopic(d))) >= n })
	for _, m := range w.topics.on(envelope.NoticesTopic(d)) {
		e, err := readEvent(&m)
		if err != nil {
			w.Fatal(err)
		}
		all = append(all, e.Subject+" "+e.kind())
	}
	return all
}

// quiet waits until nothing is left to look at.
func (w *world) quiet() {
	w.Helper()
	w.until("nothing to look at", func() bool { return w.left() == 0 })
}

// left is at how many records it must look.
func (w *world) left() int {
	w.Helper()
	n, err := w.store.count(w.Context(), []byte{workRow})
	if err != nil {
		w.Fatal(err)
	}
	return n
}

func (w *world) until(what string, so func() bool) {
	w.Helper()
	for began := time.Now(); !so(); time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			w.Fatalf("waited ten seconds for %s", what)
		}
	}
}

// receiver is a webhook that fails so often before it takes anything.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	fails int
	as    int // the status with which it fails
	got   []taking
}

type taking struct {
	header http.Header
	body   []byte
}

func newReceiver(t *testing.T, fails, as int) *receiver {
	r := &receiver{fails: fails, as: as}
	r.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		if in.Method == http.MethodOptions {
			out.Header().Set("WebHook-Allowed-Origin", in.Header.Get("WebHook-Request-Origin"))
			return
		}
		body, _ := io.ReadAll(in.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.fails > 0 {
			r.fails--
			out.WriteHeader(r.as)
			return
		}
		r.got = append(r.got, taking{in.Header.Clone(), body})
		out.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(r.Close)
	return r
}

// taken is what it took so far.
func (r *receiver) taken() []taking {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// left is how often it will fail yet.
func (r *receiver) left() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fails
}

// httptestServer is the address of a server.
func httptestServer(t *testing.T, do http.HandlerFunc) string {
	s := httptest.NewServer(do)
	t.Cleanup(s.Close)
	return s.URL
}
