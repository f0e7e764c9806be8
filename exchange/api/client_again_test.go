package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/contract"
)

// wires answer what is sent by a script, the last line of which goes on.
type wires struct {
	t      *testing.T
	script []func(http.ResponseWriter, *http.Request) // nil: nobody answers
	keys   []string
	nonces map[string]bool
}

func (w *wires) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		w.t.Error(err)
	}
	w.keys = append(w.keys, r.Header.Get("Idempotency-Key"))
	w.nonces[r.Header.Get("Yimen-Nonce")] = true
	line := w.script[min(len(w.keys), len(w.script))-1]
	if line == nil {
		return nil, errors.New("connection refused")
	}
	said := httptest.NewRecorder()
	line(said, r)
	return said.Result(), nil
}

func refusing(p exchange.Problem) func(http.ResponseWriter, *http.Request) {
	p.Code, p.What, p.Mend = "YM-QRY-0999", text("甲", "a"), text("乙", "b")
	return func(w http.ResponseWriter, r *http.Request) { contract.Fail(w, r, &p) }
}

func giving(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"id":"0199"}`) }

// What may pass is tried again under the same key, each time with another nonce, after the time that the exchange names and no longer
// than the caller is patient.
func TestClientTriesAgain(t *testing.T) {
	away, busy := refusing(exchange.Problem{Kind: exchange.Unavailable}), refusing(exchange.Problem{Kind: exchange.Limited, After: 20 * time.Second})
	for _, c := range []struct {
		name     string
		script   []func(http.ResponseWriter, *http.Request)
		patience time.Duration
		sent     int
		least    time.Duration
		kind     exchange.Kind // empty: it is answered
	}{
		{"at once", []func(http.ResponseWriter, *http.Request){giving}, time.Minute, 1, 0, ""},
		{"nobody, then away, then there", []func(http.ResponseWriter, *http.Request){nil, nil, away, giving}, time.Minute, 4, 2 * time.Second, ""},
		{"a limit that ends soon", []func(http.ResponseWriter, *http.Request){busy, giving}, time.Minute, 2, 20 * time.Second, ""},
		{"a limit that ends too late", []func(http.ResponseWriter, *http.Request){busy}, 10 * time.Second, 1, 0, exchange.Limited},
		{"suspended", []func(http.ResponseWriter, *http.Request){refusing(exchange.Problem{Kind: exchange.Limited}), giving}, time.Minute, 1, 0, exchange.Limited},
		{"without patience", []func(http.ResponseWriter, *http.Request){away, giving}, 0, 1, 0, exchange.Unavailable},
		{"denied", []func(http.ResponseWriter, *http.Request){refusing(exchange.Problem{Kind: exchange.Denied}), giving}, time.Minute, 1, 0, exchange.Denied},
		{"wrong", []func(http.ResponseWriter, *http.Request){refusing(exchange.Problem{Kind: exchange.Invalid}), giving}, time.Minute, 1, 0, exchange.Invalid},
		{"a certificate renewed meanwhile", []func(http.ResponseWriter, *http.Request){refusing(exchange.Problem{Kind: exchange.Unauthorised}), giving}, 0, 2, 0, ""},
		{"a certificate that is none", []func(http.ResponseWriter, *http.Request){refusing(exchange.Problem{Kind: exchange.Unauthorised})}, time.Minute, 2, 0, exchange.Unauthorised},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &wires{t: t, script: c.script, nonces: map[string]bool{}}
			client := Client{Base: "https://yimen.example.gov.cn", HTTP: &http.Client{Transport: w}, Patience: c.patience}
			began := time.Now()
			got, err := client.Query(t.Context(), asked)
			took := time.Since(began)
			if c.kind == "" && (err != nil || got.ID != "0199") || c.kind != "" && exchange.KindOf(err) != c.kind {
				t.Errorf("%s: %+v, %v", c.name, got, err)
			}
			if len(w.keys) != c.sent || len(w.nonces) != c.sent || took < c.least || took > c.least+20*time.Second {
				t.Errorf("%s: %d sent with %d nonces in %v", c.name, len(w.keys), len(w.nonces), took)
			}
			for _, key := range w.keys {
				if key != w.keys[0] || key == "" {
					t.Errorf("%s: keys %v", c.name, w.keys)
				}
			}
			if c.kind == exchange.Limited && c.patience < time.Minute {
				if p, ok := errors.AsType[*exchange.Problem](err); !ok || p.After != 20*time.Second {
					t.Errorf("%s: %+v", c.name, err)
				}
			}
		})
	}
}

func TestClientStopsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wires{t: t, script: []func(http.ResponseWriter, *http.Request){nil}, nonces: map[string]bool{}}
		client := Client{Base: "https://yimen.example.gov.cn", HTTP: &http.Client{Transport: w}, Patience: time.Hour}
		ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
		defer stop()
		if _, err := client.Query(ctx, asked); !errors.Is(err, context.DeadlineExceeded) || len(w.keys) < 2 {
			t.Errorf("%d sent, %v", len(w.keys), err)
		}
	})
}

// A list is asked for part by part, as far as it is read; an error ends it.
func TestClientLists(t *testing.T) {
	words := []string{"a", "b", "c", "d", "e"}
	asked := 0
	s := httptest.NewServer(contract.Handler([]contract.Operation{{Method: "GET", Path: "/v1/items", Do: func(r *http.Request) (any, error) {
		if asked++; asked > 3 {
			return nil, &exchange.Problem{Code: "YM-X-0001", Kind: exchange.Denied}
		}
		part, last, err := contract.Cut(r, words, func(w string) string { return w })
		items := make([]catalogue.Service, len(part))
		for i, code := range part {
			items[i].Code = exchange.Item(code)
		}
		return contract.Part{Answer: items, Last: last}, err
	}}}, nil))
	t.Cleanup(s.Close)
	client := &Client{Base: s.URL + "/", Token: clerks}
	for _, c := range []struct {
		path string
		most int
		want string
		sent int
		kind exchange.Kind
	}{
		{"/v1/items?limit=2", 100, "abcde", 3, exchange.Internal}, {"/v1/items?limit=2", 2, "ab", 1, exchange.Internal}, {"/v1/items?limit=1", 100, "abc", 4, exchange.Denied}, {"/v1/items", 100, "abcde", 1, exchange.Internal},
	} {
		asked = 0
		var got bytes.Buffer
		kind := exchange.Internal
		for item, err := range List[catalogue.Service](t.Context(), client, c.path) {
			if err != nil {
				kind = exchange.KindOf(err)
				continue
			}
			if got.WriteString(string(item.Code)); got.Len() == c.most {
				break
			}
		}
		if got.String() != c.want || asked != c.sent || kind != c.kind {
			t.Errorf("%s: %s in %d requests, %s", c.path, got.String(), asked, kind)
		}
	}
}

// Each list of the client goes to its address and takes what is in it, part by part.
func TestClientListsByName(t *testing.T) {
	lists := map[string][2]string{"/v1/doubts": {`{"doubts":[{"id":"d-1"}]}`, `{"doubts":[{"id":"d-2"}]}`}, "/v1/item-editions": {`{"items":[{"item":"a"}]}`, `{"items":[{"item":"b"}]}`},
		"/v1/subscriptions": {`{"key":"k","subscriptions":[{"id":"s-1"}]}`, `{"key":"k","subscriptions":[{"id":"s-2"}]}`}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("cursor") == "" {
			w.Header().Set("Link", "<"+r.URL.Path+`?cursor=x>; rel="next"`)
			io.WriteString(w, lists[r.URL.Path][0])
			return
		}
		io.WriteString(w, lists[r.URL.Path][1])
	}))
	t.Cleanup(s.Close)
	client := &Client{Base: s.URL}
	var got []string
	for d, err := range client.Doubts(t.Context()) {
		got = append(got, d.ID)
		if err != nil {
			t.Error(err)
		}
	}
	for g, err := range client.ItemEditions(t.Context()) {
		got = append(got, string(g.Item))
		if err != nil {
			t.Error(err)
		}
	}
	for x, err := range client.Subscriptions(t.Context()) {
		got = append(got, x.ID)
		if err != nil {
			t.Error(err)
		}
	}
	if all := strings.Join(got, " "); all != "d-1 d-2 a b s-1 s-2" {
		t.Errorf("listed %s", all)
	}
}
