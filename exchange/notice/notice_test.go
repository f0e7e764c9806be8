package notice

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/envelope"
)

var licence, permit = exchange.RecordID{1}, exchange.RecordID{2}

// entryID is an id of that moment, one for each case.
func entryID(at time.Time, matter string) string {
	h := fnv.New32()
	h.Write([]byte(matter))
	return audit.FirstID(at)[:18] + fmt.Sprintf("%08X", h.Sum32()&0x0fffffff)
}

// TestExactlyTheCasesThatReliedAreTold: those of the record, subscribed, and not the others, in whatever order it came about.
func TestExactlyTheCasesThatReliedAreTold(t *testing.T) {
	w := newWorld(t)
	w.turns(licence, exchange.Valid)
	w.turns(permit, exchange.Valid)
	w.relies(licence, "xzsp", "LL-1", "LL-2", "LL-3")
	w.relies(permit, "xzsp", "LL-4")
	w.relies(licence, "gaj", "LL-1")
	w.subscribed("xzsp", Wish{Case: "LL-1"})
	w.subscribed("xzsp", Wish{Case: "LL-2"})
	w.subscribed("xzsp", Wish{Case: "LL-4"})
	w.turns(licence, exchange.Revoked)
	if got, want := w.told("xzsp", 2), []string{"LL-1 revoked", "LL-2 revoked"}; !slices.Equal(sorted(got), want) {
		t.Errorf("told %v, want %v", got, want)
	}
	w.subscribed("xzsp", Wish{Case: "LL-3"}) // afterwards: what its answer relied on has changed all the same
	if got := w.told("xzsp", 3); got[2] != "LL-3 revoked" {
		t.Errorf("told %v", got)
	}
	w.relies(licence, "xzsp", "LL-2") // an answer that was on its way while the licence was revoked
	if got := w.told("xzsp", 3); len(got) != 3 {
		t.Errorf("told %v", got)
	}
	w.quiet()
	if got := w.topics.on(envelope.NoticesTopic("gaj")); len(got) > 0 {
		t.Errorf("gaj has not subscribed and was told %d", len(got))
	}
	if got := w.topics.on(envelope.NoticesTopic("xzsp")); len(got) != 3 {
		t.Errorf("told %d times", len(got))
	}
}

func sorted(all []string) []string { return slices.Sorted(slices.Values(all)) }

func TestWhatHasBecomeOfIt(t *testing.T) {
	w := newWorld(t)
	w.turns(licence, exchange.Valid)
	w.relies(licence, "xzsp", "LL-1")
	w.subscribed("xzsp", Wish{Case: "LL-1"})
	for _, status := range []exchange.Status{exchange.Valid, exchange.Suspended, exchange.Valid, exchange.Superseded, exchange.Withdrawn} {
		w.turns(licence, status)
	}
	w.archive.mu.Lock()
	w.archive.turns[licence] = append(w.archive.turns[licence], exchange.Turn{Version: 7, Status: exchange.Valid, Until: "2026-11-22", Logged: morning})
	w.archive.mu.Unlock()
	w.sees(licence, []byte("sealed"))
	want := []string{"LL-1 corrected", "LL-1 suspended", "LL-1 reinstated", "LL-1 superseded", "LL-1 withdrawn", "LL-1 expired"}
	if got := w.told("xzsp", len(want)); !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
	w.sees(licence, nil) // a tombstone of something that is not erased
	w.quiet()
	w.archive.mu.Lock()
	delete(w.archive.turns, licence)
	w.archive.mu.Unlock()
	w.sees(licence, []byte("a version that was refused"))
	w.quiet()
	if got := len(w.topics.on(envelope.NoticesTopic("xzsp"))); got != len(want) {
		t.Errorf("told %d", got)
	}
	w.sees(licence, nil)
	if got := w.told("xzsp", len(want)+1); got[len(want)] != "LL-1 erased" {
		t.Errorf("told %v", got)
	}
}

// TestErasedBeforeItIsKnownWhoRelied: the fold of the answers is behind that of the record.
func TestErasedBeforeItIsKnownWhoRelied(t *testing.T) {
	w := newWorld(t)
	w.subscribed("xzsp", Wish{Case: "LL-1"})
	w.sees(licence, nil)
	w.quiet()
	w.restart()
	w.relies(licence, "xzsp", "LL-1")
	if got, want := w.told("xzsp", 1), []string{"LL-1 erased"}; !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
}

// TestHiddenRecordsStayHidden: of an answer that did not tell the record, no notice does.
func TestHiddenRecordsStayHidden(t *testing.T) {
	w := newWorld(t)
	w.turns(licence, exchange.Valid)
	w.relies(licence, "xzsp", "LL-1", "LL-2", "LL-3")
	w.archive.mu.Lock()
	w.archive.relied[0].Mode, w.archive.relied[1].Mode = "verify", "predicates"
	w.archive.mu.Unlock()
	w.subscribed("xzsp", Wish{All: true})
	w.turns(licence, exchange.Revoked)
	if got, want := w.told("xzsp", 3), []string{"LL-1 revoked", "LL-2 revoked", "LL-3 revoked"}; !slices.Equal(sorted(got), want) {
		t.Errorf("told %v, want %v", got, want)
	}
	for _, m := range w.topics.on(envelope.NoticesTopic("xzsp")) {
		want := fmt.Sprintf(`{"department":"xzsp","case":%q,"entry":%q`, m.Key, entryID(morning, string(m.Key)))
		if hidden := string(m.Key) != "LL-3"; string(m.Value) != want+"}" && hidden || !hidden && !strings.HasPrefix(string(m.Value), want+`,"record":"`) {
			t.Errorf("told %s", m.Value)
		}
	}
}

// TestAllCasesFromNowOn: what came before the subscription is not told, but of what is answered after it.
func TestAllCasesFromNowOn(t *testing.T) {
	w := newWorld(t)
	w.turns(licence, exchange.Valid)
	w.relies(licence, "xzsp", "LL-1")
	w.turns(licence, exchange.Suspended)
	w.pass(time.Hour)
	w.subscribed("xzsp", Wish{All: true})
	w.turns(licence, exchange.Revoked)
	if got, want := w.told("xzsp", 1), []string{"LL-1 revoked"}; !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
	w.relies(licence, "xzsp", "LL-2") // of an index that was behind
	if got := w.told("xzsp", 3); !slices.Equal(sorted(got[1:]), []string{"LL-2 revoked", "LL-2 suspended"}) {
		t.Errorf("told %v", got)
	}
}

// TestRestartsLoseAndRepeatNothing: a receiver fails, the node stops in between, and in the end the event came once, signed.
func TestRestartsLoseAndRepeatNothing(t *testing.T) {
	w := newWorld(t)
	hook := newReceiver(t, 3, http.StatusServiceUnavailable)
	w.turns(licence, exchange.Valid)
	w.relies(licence, "xzsp", "LL-1")
	s := w.subscribed("xzsp", Wish{Case: "LL-1", URL: hook.URL + "/notices"})
	w.turns(licence, exchange.Revoked)
	w.until("the first failure", func() bool { return hook.left() < 3 })
	w.restart()
	for hook.left() > 0 {
		w.pass(5 * time.Minute)
		time.Sleep(5 * time.Millisecond)
	}
	w.restart()
	w.until("the delivery", func() bool { w.pass(5 * time.Minute); return len(hook.taken()) > 0 })
	w.until("the outcome", func() bool { return w.list(Person{Department: "xzsp"})[0].Delivered == 1 })
	w.restart()
	w.quiet()
	w.pass(time.Hour)
	w.until("the fold", func() bool { return len(w.list(Person{Department: "xzsp"})) == 1 })
	time.Sleep(20 * time.Millisecond)
	if n := len(hook.taken()); n != 1 {
		t.Errorf("delivered %d times", n)
	}
	if n := len(w.topics.on(envelope.NoticesTopic("xzsp"))); n != 1 {
		t.Errorf("%d notices on the topic", n)
	}
	got := hook.taken()[0]
	var e Event
	if err := json.Unmarshal(got.body, &e, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	want := Event{SpecVersion: "1.0", ID: e.ID, Source: "urn:yimen:liling", Type: "city.yimen.record.revoked", Subject: "LL-1", Time: e.Time, Content: "application/json",
		Data: News{Department: "xzsp", Case: "LL-1", Entry: entryID(morning, "LL-1"), Record: licence, Type: "business-licence", Relied: State{1, exchange.Valid}, Now: State{2, exchange.Revoked}}}
	if !reflect.DeepEqual(e, want) {
		t.Errorf("got %+v\nwant %+v", e, want)
	}
	on, err := readEvent(&w.topics.on(envelope.NoticesTopic("xzsp"))[0])
	if err != nil || !reflect.DeepEqual(on, e) {
		t.Errorf("on the topic: %+v, %v", on, err)
	}
	signature, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(got.header.Get("Webhook-Signature"), "v1a,"))
	signed := got.header.Get("Webhook-Id") + "." + got.header.Get("Webhook-Timestamp") + "." + string(got.body)
	if !ed25519.Verify(key.Public().(ed25519.PublicKey), []byte(signed), signature) || got.header.Get("Webhook-Id") != e.ID {
		t.Errorf("signature does not hold: %v", got.header)
	}
	if content := got.header.Get("Content-Type"); !strings.HasPrefix(content, "application/cloudevents+json") || got.header.Get("Origin") != "liling.yimen" {
		t.Errorf("headers: %v", got.header)
	}
	if all := w.list(Person{Department: "xzsp"}); all[0].ID != s.ID || all[0].Delivered != 1 || all[0].GivenUp != 0 {
		t.Errorf("listed %+v", all)
	}
}

// TestNobodyKnowsWhetherItWasAppended: the topic takes a notice, and the node goes on, or is stopped, without having heard of it. It reads
// the topic before it appends again, however long that takes, and the notice stands there once.
func TestNobodyKnowsWhetherItWasAppended(t *testing.T) {
	topic := envelope.NoticesTopic("xzsp")
	for name, next := range map[string]func(*world){"it goes on": func(*world) {}, "it is stopped": (*world).restart} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.turns(licence, exchange.Valid)
			w.relies(licence, "xzsp", "LL-1")
			w.subscribed("xzsp", Wish{Case: "LL-1"})
			w.quiet()
			held := make(chan struct{})
			w.topics.set(func(t *topics) { t.mute, t.held[topic] = topic, held })
			w.turns(licence, exchange.Revoked)
			w.told("xzsp", 1)
			w.topics.set(func(t *topics) { t.mute = "" })
			next(w)
			for range 20 {
				w.pass(time.Minute)
				time.Sleep(time.Millisecond)
			}
			close(held)
			w.until("nothing to look at", func() bool { w.pass(time.Minute); return w.left() == 0 })
			if got := w.told("xzsp", 1); len(got) != 1 {
				t.Errorf("told %v", got)
			}
		})
	}
}

// TestUnreadTopicHoldsUpItsOwnDepartmentOnly: a round waits for it once, whatever there is to tell.
func TestUnreadTopicHoldsUpItsOwnDepartmentOnly(t *testing.T) {
	w := newWorld(t)
	w.subscribed("xzsp", Wish{All: true})
	w.subscribed("gaj", Wish{All: true})
	w.quiet()
	w.stop()
	unread := envelope.NoticesTopic("xzsp")
	held := make(chan struct{})
	w.topics.set(func(t *topics) { t.all[unread], t.held[unread] = make([]exchange.Message, 1), held })
	w.reading = 300 * time.Millisecond
	w.start(w.Office.cfg.Dir, 0)
	const many = 15
	for i := range byte(many) {
		id := exchange.RecordID{0, 2, i} // looked at first
		w.turns(id, exchange.Valid)
		w.relies(id, "xzsp", "LL-1")
		w.turns(id, exchange.Revoked)
	}
	w.turns(licence, exchange.Valid)
	w.relies(licence, "gaj", "LL-2")
	began := time.Now()
	w.turns(licence, exchange.Revoked)
	w.told("gaj", 1)
	if took := time.Since(began); took > many*w.reading/2 {
		t.Errorf("told after %v", took)
	}
	close(held)
	w.until("all is told", func() bool { w.pass(time.Minute); return w.left() == 0 })
	if n := len(w.topics.on(unread)); n != 1+many {
		t.Errorf("%d notices", n)
	}
}

// TestAgedNoticesAreNotWaitedFor: a topic whose notices were all deleted because of their age has an end and nothing to read.
func TestAgedNoticesAreNotWaitedFor(t *testing.T) {
	w := newWorld(t)
	w.stop()
	topic := envelope.NoticesTopic("xzsp")
	w.topics.set(func(t *topics) { t.all[topic], t.first[topic] = make([]exchange.Message, 3), 3 })
	w.start(t.TempDir(), 0)
	w.turns(licence, exchange.Valid)
	w.relies(licence, "xzsp", "LL-1")
	w.subscribed("xzsp", Wish{Case: "LL-1"})
	w.turns(licence, exchange.Revoked)
	w.until("the notice", func() bool { return len(w.topics.on(topic)) == 4 })
}

// TestGivenUp: what is not taken in time is given up, listed, and keeps nothing else back.
func TestGivenUp(t *testing.T) {
	w := newWorld(t)
	hook := newReceiver(t, 1000, http.StatusInternalServerError)
	w.turns(licence, exchange.Valid)
	w.relies(licence, "xzsp", "LL-1")
	w.subscribed("xzsp", Wish{Case: "LL-1", URL: hook.URL})
	w.turns(licence, exchange.Revoked)
	mine := func() Subscription { return w.list(Person{Department: "xzsp"})[0] }
	w.until("a failure", func() bool { return hook.left() < 1000 })
	if n, err := w.waiting(t.Context(), mine().ID); n != 1 || err != nil {
		t.Errorf("%d wait, %v", n, err)
	}
	w.until("giving up", func() bool { w.pass(time.Hour); return mine().GivenUp == 1 })
	if s := mine(); s.Why != "500" || s.Delivered != 0 || s.Last.Sub(morning) < 72*time.Hour {
		t.Errorf("given up as %+v", s)
	}
	hook.mu.Lock()
	hook.fails = 0
	hook.mu.Unlock()
	w.turns(licence, exchange.Valid)
	w.until("the next one", func() bool { w.pass(time.Hour); return mine().Delivered == 1 })
	w.until("nothing to wait", func() bool { n, err := w.waiting(t.Context(), mine().ID); return n == 0 && err == nil })
	if n := len(hook.taken()); n != 1 {
		t.Errorf("%d taken", n)
	}
}

// TestSlowReceiversHoldUpTheirOwnDepartmentOnly: there are as many of them as webhooks are sent to at once.
func TestSlowReceiversHoldUpTheirOwnDepartmentOnly(t *testing.T) {
	w := newWorld(t)
	var under atomic.Int64
	answer := make(chan struct{})
	slow := httptestServer(t, func(out http.ResponseWriter, in *http.Request) {
		if in.Method == http.MethodOptions {
			out.Header().Set("WebHook-Allowed-Origin", in.Header.Get("WebHook-Request-Origin"))
			return
		}
		under.Add(1)
		<-answer
	})
	release := sync.OnceFunc(func() { close(answer) })
	t.Cleanup(release) // before the server closes, which waits for them
	quick := newReceiver(t, 0, 0)
	w.turns(licence, exchange.Valid)
	for i := range atOnce {
		matter := fmt.Sprintf("LL-%d", i)
		w.relies(licence, "xzsp", matter)
		w.subscribed("xzsp", Wish{Case: matter, URL: slow})
	}
	w.relies(permit, "gaj", "LL-1")
	w.subscribed("gaj", Wish{All: true, URL: quick.URL})
	w.turns(permit, exchange.Valid)
	w.turns(licence, exchange.Revoked)
	w.until("the slow ones", func() bool { return under.Load() == ofDepartment })
	w.turns(permit, exchange.Revoked)
	w.until("the quick one", func() bool { return len(quick.taken()) == 1 })
	if n := under.Load(); n != ofDepartment {
		t.Errorf("%d of one department at once", n)
	}
	release()
	w.until("the rest", func() bool { return under.Load() == atOnce })
}

// TestTurns: everybody has one before anybody has the next, and nobody a longer one than allowed.
func TestTurns(t *testing.T) {
	c := &couriers{all: map[string]*courier{}, busy: map[exchange.Department]int{}}
	hooks := func() (all []Subscription) {
		for i := range 5 {
			all = append(all, Subscription{ID: fmt.Sprint(i), Department: "xzsp"})
		}
		return all
	}
	had := ""
	for range 5 {
		turns := c.begin(hooks(), morning)
		for i := range turns {
			had += turns[i].ID
			c.done(&turns[i], 0, morning)
		}
	}
	if had != "0123401234" {
		t.Errorf("turns went to %s", had)
	}
	c.begin(nil, morning)
	if len(c.all) != 0 {
		t.Errorf("%d are remembered for whom nothing waits", len(c.all))
	}
	w := newWorld(t)
	w.stop()
	var err error
	if w.store, err = openStore(t.TempDir(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	defer w.store.close()
	var rows []row
	for i := range 3 * mostInTurn {
		d := delivery{Event: Event{ID: fmt.Sprintf("%032x", i)}, Made: morning, Tried: morning.Add(-time.Duration(i))}
		rows = append(rows, d.row("s-x"), d.row("s-y"))
	}
	if err := w.store.put(false, append(rows, row{key: pairKey(waitingRow, "s-x", "damaged"), value: []byte("{")})...); err != nil {
		t.Fatal(err)
	}
	all, err := w.store.waiting(t.Context(), "s-x", mostInTurn)
	if err != nil || len(all) != mostInTurn || all[0].Event.ID != fmt.Sprintf("%032x", 3*mostInTurn-1) {
		t.Errorf("%d in a turn, %v", len(all), err)
	}
	if n, err := w.waiting(t.Context(), "s-x"); n != 3*mostInTurn || err != nil {
		t.Errorf("%d wait, %v", n, err)
	}
	if ids, err := w.store.waiters(t.Context()); !slices.Equal(ids, []string{"s-x", "s-y"}) || err != nil {
		t.Errorf("something waits for %v, %v", ids, err)
	}
	if hooks, err := w.hooks(t.Context(), []string{"s-x", "s-y"}); len(hooks) != 0 || err != nil {
		t.Errorf("in force: %v, %v", hooks, err)
	}
	if ids, err := w.store.waiters(t.Context()); len(ids) != 0 || err != nil {
		t.Errorf("something waits for %v that ended, %v", ids, err)
	}
}

// TestGoneEndsIt: a receiver that answers 410 is asked no more.
func TestGoneEndsIt(t *testing.T) {
	w := newWorld(t)
	hook := newReceiver(t, 1, http.StatusGone)
	w.turns(licence, exchange.Valid)
	w.relies(licence, "xzsp", "LL-1")
	w.subscribed("xzsp", Wish{Case: "LL-1", URL: hook.URL})
	w.turns(licence, exchange.Revoked)
	w.until("the end", func() bool { return len(w.list(Person{Department: "xzsp"})) == 0 })
	w.mu.Lock()
	if got, want := strings.Join(w.acts, ", "), "xzsp/0017 subscription-add, xzsp/webhook subscription-end"; got != want {
		t.Errorf("audited: %s, want %s", got, want)
	}
	w.mu.Unlock()
	w.turns(licence, exchange.Valid)
	w.quiet()
	if n := len(hook.taken()); n != 0 {
		t.Errorf("%d were delivered afterwards", n)
	}
}

// TestStandbyDoesWhatIsLeft: a second node repeats nothing that the first has done, and does all where there is no first.
func TestStandbyDoesWhatIsLeft(t *testing.T) {
	w := newWorld(t)
	hook := newReceiver(t, 0, 0)
	w.turns(licence, exchange.Valid)
	w.relies(licence, "xzsp", "LL-1")
	w.subscribed("xzsp", Wish{All: true, URL: hook.URL})
	first, stopFirst := w.Office, w.stop
	w.start(t.TempDir(), 10*time.Minute)
	second := w.Office
	both := func(status exchange.Status) {
		t.Helper()
		w.pass(time.Minute)
		w.Office = first
		w.turns(licence, status)
		w.Office = second
		if err := second.Fold(t.Context(), w.topics.on("evidence.business-licence")); err != nil {
			t.Fatal(err)
		}
	}
	both(exchange.Revoked)
	w.until("the first one's delivery", func() bool { return len(hook.taken()) == 1 })
	w.until("its outcome", func() bool { return w.list(Person{Department: "xzsp"})[0].Delivered == 1 })
	w.pass(time.Hour)
	w.quiet()
	stopFirst()
	w.pass(time.Minute)
	w.turns(licence, exchange.Valid)
	time.Sleep(20 * time.Millisecond)
	if n := len(hook.taken()); n != 1 {
		t.Errorf("the second did not wait: %d deliveries", n)
	}
	w.pass(10 * time.Minute)
	w.until("the second one's delivery", func() bool { return len(hook.taken()) == 2 })
	if n := len(w.topics.on(envelope.NoticesTopic("xzsp"))); n != 2 {
		t.Errorf("%d notices on the topic", n)
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t)
	unwilling := httptestServer(t, func(out http.ResponseWriter, _ *http.Request) { out.WriteHeader(http.StatusNoContent) })
	who := Person{Department: "xzsp", Name: "xzsp/0017"}
	for _, row := range []struct {
		wish Wish
		want string
	}{
		{Wish{}, "YM-SUB-0201"}, {Wish{Case: "LL-1", All: true}, "YM-SUB-0201"}, {Wish{Case: "11010519491231002X"}, "YM-QRY-0101"},
		{Wish{All: true, URL: "ftp://x"}, "YM-SUB-0102"}, {Wish{All: true, URL: unwilling}, "YM-SUB-0106"},
	} {
		if _, err := w.Subscribe(t.Context(), who, row.wish); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%+v: %v, want %s", row.wish, err, row.want)
		}
	}
	s := w.subscribed("xzsp", Wish{Case: "LL-1"})
	other := Person{Department: "gaj", Name: "gaj/1"}
	if _, err := w.End(t.Context(), other, s.ID); err == nil || !strings.Contains(err.Error(), "YM-SUB-0203") || len(w.list(other)) != 0 {
		t.Errorf("another department: %v", err)
	}
	if _, err := w.End(t.Context(), Person{Department: "gaj", Name: "gaj/2", Admin: true}, s.ID); err != nil || len(w.list(who)) != 0 {
		t.Errorf("an administrator: %v", err)
	}
	if got := strings.Join(w.acts, ", "); got != "xzsp/0017 subscription-add, gaj/2 subscription-end" {
		t.Errorf("audited: %s", got)
	}
}

// TestListedInParts: a list comes in as many parts as are asked for, oldest first, each with what waits and with the key.
func TestListedInParts(t *testing.T) {
	w := newWorld(t)
	var want, got []string
	for _, matter := range []string{"LL-3", "LL-1", "LL-2"} {
		want = append(want, w.subscribed("xzsp", Wish{Case: matter}).ID)
		w.pass(time.Minute)
	}
	w.subscribed("gaj", Wish{All: true})
	d := Desk{Office: w.Office, Person: func(*http.Request) (Person, error) { return Person{Department: "xzsp"}, nil },
		Key: func(context.Context) (ed25519.PrivateKey, error) {
			return ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), nil
		}}
	for cursor := ""; len(got) < 5; {
		answer, err := d.list(httptest.NewRequest(http.MethodGet, "/v1/subscriptions?limit=2"+cursor, nil))
		if err != nil {
			t.Fatal(err)
		}
		part := answer.(contract.Part)
		listing := part.Answer.(Listing)
		if !strings.HasPrefix(listing.Key, "whpk_") {
			t.Errorf("a part without the key: %+v", listing)
		}
		for _, s := range listing.Subscriptions {
			got = append(got, s.ID)
		}
		if cursor = "&cursor=" + part.Last; part.Last == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %v, subscribed %v", got, want)
	}
	if _, err := d.list(httptest.NewRequest(http.MethodGet, "/v1/subscriptions?limit=0", nil)); err == nil || !strings.Contains(err.Error(), "YM-API-0107") {
		t.Errorf("a part of none: %v", err)
	}
}

// TestForgedEntries: only the exchange subscribes anybody, and nothing that is malformed stops the fold.
func TestForgedEntries(t *testing.T) {
	w := newWorld(t)
	for _, value := range []string{`{"format":1,"act":"subscribe","subscription":"s-x","at":"2026-11-23T02:00:00Z","department":"xzsp"}`, `{`, ``} {
		if err := w.topics.Append(t.Context(), SubscriptionsTopic, []exchange.Message{{Key: []byte("s-x"), Value: []byte(value)}}); err != nil {
			t.Fatal(err)
		}
	}
	s := w.subscribed("xzsp", Wish{Case: "LL-1"})
	if all := w.list(Person{Admin: true}); len(all) != 1 || all[0].ID != s.ID {
		t.Errorf("listed %+v", all)
	}
}

// TestRestartFoldsOnlyWhatIsNew: what was folded once is in the store, and a damaged row of it is mended from the topic.
func TestRestartFoldsOnlyWhatIsNew(t *testing.T) {
	w := newWorld(t)
	hook := newReceiver(t, 0, 0)
	w.turns(licence, exchange.Valid)
	w.relies(licence, "xzsp", "LL-1")
	w.subscribed("xzsp", Wish{Case: "LL-1", URL: hook.URL})
	ended := w.subscribed("gaj", Wish{All: true})
	w.turns(licence, exchange.Revoked)
	w.until("the outcome", func() bool { return w.list(Person{Department: "xzsp"})[0].Delivered == 1 })
	if _, err := w.End(t.Context(), Person{Department: "gaj", Name: "gaj/1"}, ended.ID); err != nil {
		t.Fatal(err)
	}
	before := w.list(Person{Admin: true})
	same := func(from int64) {
		t.Helper()
		w.until("the fold from where it belongs", func() bool { return w.topics.begunAt(SubscriptionsTopic) == from })
		if got := w.list(Person{Admin: true}); len(got) != 1 || !reflect.DeepEqual(got, before) {
			t.Errorf("after the restart %+v, want %+v", got, before)
		}
	}
	w.restart()
	same(4)
	if err := w.store.put(true, row{key: subscriptionKey(before[0].ID), value: []byte("{")}); err != nil {
		t.Fatal(err)
	}
	w.restart()
	same(0)
	w.restart()
	same(4)
	if n := len(hook.taken()); n != 1 {
		t.Errorf("delivered %d times", n)
	}
}

// TestSubscriptionsAreReadFirst: before the fold has come to where the topic ended nobody is told that there are none.
func TestSubscriptionsAreReadFirst(t *testing.T) {
	w := newWorld(t)
	w.subscribed("xzsp", Wish{Case: "LL-1"})
	w.stop()
	o, err := New(w.Office.cfg.with(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	who := Person{Department: "xzsp", Name: "xzsp/0017"}
	_, listed := o.List(ctx, who)
	_, subscribed := o.Subscribe(ctx, who, Wish{Case: "LL-2"})
	_, ended := o.End(ctx, who, "s-x")
	for _, err := range []error{listed, subscribed, ended} {
		if err == nil || !strings.Contains(err.Error(), "YM-SUB-0302") {
			t.Errorf("%v, want YM-SUB-0302", err)
		}
	}
}

// TestWhatFailsKeepsNothingBack: neither a record that cannot be read nor a department without a topic, and both are told when mended.
func TestWhatFailsKeepsNothingBack(t *testing.T) {
	w := newWorld(t)
	damaged := exchange.RecordID{0, 1} // the first to be looked at
	for _, id := range []exchange.RecordID{damaged, licence, permit} {
		w.turns(id, exchange.Valid)
	}
	w.relies(damaged, "xzsp", "LL-1")
	w.relies(licence, "gaj", "LL-2")
	w.relies(licence, "xzsp", "LL-3")
	w.relies(permit, "xzsp", "LL-4")
	w.subscribed("xzsp", Wish{All: true})
	w.subscribed("gaj", Wish{All: true})
	w.quiet()
	broken := func(id exchange.RecordID, topic string) {
		w.archive.mu.Lock()
		defer w.archive.mu.Unlock()
		w.topics.mu.Lock()
		defer w.topics.mu.Unlock()
		w.archive.lost, w.topics.gone = id, topic
	}
	broken(damaged, envelope.NoticesTopic("gaj"))
	for _, id := range []exchange.RecordID{damaged, licence, permit} {
		w.turns(id, exchange.Revoked)
	}
	if got, want := w.told("xzsp", 2), []string{"LL-3 revoked", "LL-4 revoked"}; !slices.Equal(sorted(got), want) {
		t.Errorf("told %v, want %v", got, want)
	}
	put := func() (off int) {
		if err := w.store.scan(t.Context(), []byte{workRow}, func(key, value []byte) bool {
			if of, ok := readWork(key, value); ok && of.Tries == 1 && of.Due.Equal(morning.Add(time.Minute)) {
				off++
			}
			return true
		}); err != nil {
			t.Fatal(err)
		}
		return off
	}
	w.until("both are put off", func() bool { return put() == 2 })
	broken(exchange.RecordID{}, "")
	w.pass(time.Minute)
	w.quiet()
	if got := w.told("gaj", 1); got[0] != "LL-2 revoked" {
		t.Errorf("gaj was told %v", got)
	}
	if got, want := w.told("xzsp", 3), []string{"LL-1 revoked", "LL-3 revoked", "LL-4 revoked"}; !slices.Equal(sorted(got), want) {
		t.Errorf("told %v, want %v", got, want)
	}
}

func FuzzReadEvent(f *testing.F) {
	e := Event{SpecVersion: "1.0", ID: strings.Repeat("ab", idSize), Source: "urn:yimen:x", Type: typePrefix + "revoked", Subject: "LL-1", Time: morning, Content: "application/json", Data: News{Department: "xzsp", Case: "LL-1"}}
	m, err := e.message()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(e.ID, e.Type, m.Value)
	f.Fuzz(func(t *testing.T, id, kind string, value []byte) {
		m := m
		m.Headers = slices.Clone(m.Headers)
		m.Headers[1].Value, m.Headers[3].Value, m.Value = []byte(id), []byte(kind), value
		if e, err := readEvent(&m); err == nil {
			if again, err := e.message(); err != nil || again.Topic != m.Topic {
				t.Errorf("%+v, %v", again, err)
			}
		}
	})
}

func FuzzParseEntry(f *testing.F) {
	f.Add([]byte(`{"format":1,"act":"subscribe","subscription":"s-x","at":"2026-11-23T02:00:00Z","department":"xzsp"}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		if e, err := parseEntry(value); err == nil {
			m, err := e.message()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := parseEntry(m.Value); len(m.Value) <= maxEntry && (err != nil || *again != *e) {
				t.Errorf("%+v came back as %+v, %v", e, again, err)
			}
		}
	})
}
