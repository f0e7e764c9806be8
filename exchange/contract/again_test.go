package contract

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// counting is an operation that answers with how often it was carried out, and fails where its body says so.
type counting struct {
	times atomic.Int64
	now   time.Time
	h     http.Handler
}

func count(repeats time.Duration) *counting {
	c := &counting{now: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)}
	sender := func(r *http.Request) (who, nonce string, err error) {
		if who := r.Header.Get("Authorization"); who != "" {
			return who, r.Header.Get("Yimen-Nonce"), nil
		}
		return "", "", badKey()
	}
	do := func(r *http.Request) (any, error) {
		n := c.times.Add(1)
		body, err := io.ReadAll(r.Body)
		switch {
		case err != nil:
			return nil, BadBody(text("没有到达", "did not arrive"), text("重发", "send it"))
		case string(body) == "fail":
			return nil, errors.New("no leader")
		case string(body) == "panic":
			panic("of it")
		case string(body) == "slow":
			time.Sleep(time.Second)
		}
		return map[string]int64{"time": n}, nil
	}
	c.h = Handler(Once([]Operation{{Method: "POST", Path: "/", Do: do, Repeats: repeats}}, sender, func() time.Time { return c.now }), nil)
	return c
}

func (c *counting) post(caller, key, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("Authorization", caller)
	if key != "" {
		r.Header.Set(HeaderKey, key)
	}
	w := httptest.NewRecorder()
	c.h.ServeHTTP(w, r)
	return w
}

func TestOnce(t *testing.T) {
	c := count(time.Hour)
	const key = "0123456789abcdef"
	for _, step := range []struct {
		name, caller, key, body string
		later                   time.Duration
		status                  int
		time                    int64
		replayed                bool
	}{
		{"the first", "a", key, "x", 0, 200, 1, false},
		{"again", "a", key, "x", 59 * time.Minute, 200, 1, true},
		{"another body", "a", key, "y", 0, 422, 0, false},
		{"another caller", "b", key, "x", 0, 200, 2, false},
		{"another key", "a", key + "0", "x", 0, 200, 3, false},
		{"in quotes, as the draft has it", "a", `"` + key + `"`, "x", 0, 200, 4, false},
		{"no key", "a", "", "x", 0, 200, 5, false},
		{"no key again", "a", "", "x", 0, 200, 6, false},
		{"too late", "a", key, "x", time.Minute, 200, 7, false},
		{"another body once it is forgotten", "b", key, "y", 2 * time.Hour, 200, 8, false},
		{"a failure", "a", "failure-1", "fail", 0, 500, 0, false},
		{"a failure is not kept", "a", "failure-1", "fail", 0, 500, 0, false},
		{"nor is its body", "a", "failure-1", "x", 0, 200, 11, false},
		{"nobody", "", key, "x", 0, 400, 0, false},
		{"a short key", "a", "1", "x", 0, 400, 0, false},
		{"half a quote", "a", `"` + key, "x", 0, 400, 0, false},
		{"a long key", "a", strings.Repeat("k", 129), "x", 0, 400, 0, false},
		{"a body that is too large", "a", key + "2", strings.Repeat("x", maxBody+1), 0, 400, 0, false},
	} {
		c.now = c.now.Add(step.later)
		w := c.post(step.caller, step.key, step.body)
		if w.Code != step.status || w.Header().Get(headerReplayed) != map[bool]string{true: "true"}[step.replayed] ||
			step.time > 0 && strings.TrimSpace(w.Body.String()) != `{"time":`+strconv.FormatInt(step.time, 10)+`}` {
			t.Errorf("%s: %d %v %s", step.name, w.Code, w.Header(), w.Body)
		}
	}
}

// Of many that arrive at once one is carried out, and all get its answer.
func TestOnceAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := count(time.Hour)
		var group sync.WaitGroup
		var replays atomic.Int64
		for range 64 {
			group.Go(func() {
				w := c.post("a", "0123456789abcdef", "slow")
				if w.Header().Get(headerReplayed) != "" {
					replays.Add(1)
				}
				if w.Body.String() != "{\"time\":1}\n" {
					t.Error(w.Body)
				}
			})
		}
		synctest.Wait()
		if w := c.post("a", "0123456789abcdef", "quick"); w.Code != 422 {
			t.Errorf("another body in the meantime: %d", w.Code)
		}
		group.Wait()
		if c.times.Load() != 1 || replays.Load() != 63 {
			t.Errorf("carried out %d times, %d replays", c.times.Load(), replays.Load())
		}
	})
}

// Who waits for one that fails is the next to try, and a panic leaves nobody waiting.
func TestOnceAfterPanic(t *testing.T) {
	c := count(time.Hour)
	func() {
		defer func() { recover() }()
		c.post("a", "0123456789abcdef", "panic")
	}()
	if w := c.post("a", "0123456789abcdef", "x"); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestOnceIsBounded(t *testing.T) {
	c := count(time.Hour)
	m := &memory{clock: func() time.Time { return c.now }, keeps: time.Hour, known: map[digest]*sent{}, does: func(*http.Request) (any, error) { return 1, nil }}
	for i := range 3 * remembered {
		if _, err := m.once(httptest.NewRequest("POST", "/", nil), digest{byte(i), byte(i >> 8)}, digest{}, ""); err != nil {
			t.Fatal(err)
		}
	}
	if len(m.known) > remembered+1 || len(m.done) != len(m.known) {
		t.Errorf("%d known, %d in order", len(m.known), len(m.done))
	}
	if _, known := m.known[digest{}]; known {
		t.Error("the oldest is still there")
	}
}

// TestOnceIsNoWayAroundTheNonce: a copy of a request, its nonce included, is not answered from memory but left to the operation,
// which knows the nonce; and so is what repeats too often.
func TestOnceIsNoWayAroundTheNonce(t *testing.T) {
	c := count(time.Hour)
	send := func(nonce string) string {
		r := httptest.NewRequest("POST", "/", strings.NewReader("x"))
		r.Header.Set("Authorization", "a")
		r.Header.Set(HeaderKey, "0123456789abcdef")
		r.Header.Set("Yimen-Nonce", nonce)
		w := httptest.NewRecorder()
		c.h.ServeHTTP(w, r)
		return w.Header().Get(headerReplayed)
	}
	for i, step := range []struct {
		nonce, replayed string
		times           int64
	}{{"1", "", 1}, {"2", "true", 1}, {"1", "", 2}, {"2", "", 3}, {"3", "true", 3}, {"3", "", 4}} {
		if got := send(step.nonce); got != step.replayed || c.times.Load() != step.times {
			t.Errorf("step %d: replayed %q, carried out %d times", i, got, c.times.Load())
		}
	}
	for n := range mostNonces {
		send("n" + strconv.Itoa(n))
	}
	if got := send("one more"); got != "" {
		t.Error("nonces are kept without bound")
	}
}
