package api

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/wire"
)

const (
	company = "924302810000003187" // a made-up company, which must never be said again
	clerks  = "token-of-a-window"
	sound   = `{"case":"LL-2026-1123-0041","item":"food-licence-new","applicant":"` + company + `"}`
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, exchange.China)

// answers is a broker that gives what it is told to.
type answers func(context.Context, broker.Query) (broker.Conclusion, error)

func (a answers) Query(ctx context.Context, q broker.Query) (broker.Conclusion, error) {
	return a(ctx, q)
}

// conclude is a broker that holds one licence.
func conclude(_ context.Context, q broker.Query) (broker.Conclusion, error) {
	return broker.Conclusion{ID: "0199", Time: noon, Case: q.Case, Item: q.Item, ItemName: text("新办", "new <&> licence"), Applicant: "9143**",
		Answers: []exchange.Answer{
			{Material: "form", Name: text("表", "form"), Outcome: exchange.Supply, Reason: exchange.ApplicantMade},
			{Material: "licence", Name: text("照", "licence"), Outcome: exchange.Held, Deferrable: true, Evidence: []exchange.Evidence{
				{Type: "business-licence", Outcome: exchange.Held, Keeper: "scjg", AsOf: noon, Record: "00ff", Version: 3, Until: "2029-02-28",
					Fields: stdjson.RawMessage(`{"capital":{"amount":12345678901234567890.10,"currency":"CNY"},"names":["甲"]}`)},
				{Type: "business-licence", Outcome: exchange.Unknown, Reason: exchange.SourceStale, Keeper: "scjg"}}},
		},
		Receipt: audit.Receipt{ID: "0199", Time: noon, Hash: "ab", Offset: 7}}, nil
}

type world struct {
	*httptest.Server
	log *bytes.Buffer
}

// city is read once: a catalogue never changes.
var city = sync.OnceValues(func() (*catalogue.Catalogue, error) { return catalogue.Load(catalogue.Builtin()) })

// serve runs the API over a broker.
func serve(t testing.TB, ask answers, ready ...Check) world {
	t.Helper()
	log := new(bytes.Buffer)
	handler, err := answering(t.TempDir(), ask, slog.New(slog.NewTextHandler(&locked{w: log}, &slog.HandlerOptions{Level: slog.LevelDebug})), ready)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return world{s, log}
}

// answering is the API over a broker, with one clerk; its files are in dir.
func answering(dir string, ask answers, log *slog.Logger, ready []Check) (http.Handler, error) {
	known, err := city()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "callers.yaml")
	if err := os.WriteFile(path, fmt.Appendf(nil, "- {department: xzsp, clerk: '0017', token_sha256: %s}", door.TokenHash(clerks)), 0o600); err != nil {
		return nil, err
	}
	callers, err := door.LoadCallers(path, nil)
	if err != nil {
		return nil, err
	}
	return New(Config{Broker: ask, Catalogue: func() *catalogue.Catalogue { return known }, Door: door.New(door.Config{Callers: callers}), Ready: ready, Metrics: prometheus.NewRegistry(), Log: log})
}

// MadeUp is an exchange for the examples: its address, and the token of a clerk.
func MadeUp() (base, token string, stop func()) {
	dir, err := os.MkdirTemp("", "yimen-example-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	handler, err := answering(dir, conclude, nil, nil)
	if err != nil {
		panic(err)
	}
	s := httptest.NewServer(handler)
	return s.URL, clerks, s.Close
}

type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// said is what the API logged; it serves no more.
func (w world) said() string {
	w.Close()
	return w.log.String()
}

// send sends a request with the clerk's token and the headers given as "Name: value"; "Name:" takes one away.
func (w world) send(t testing.TB, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, w.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+clerks)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		if value = strings.TrimSpace(value); value == "" {
			request.Header.Del(name)
		} else {
			request.Header[name] = append(request.Header[name], value)
		}
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.Header.Get("Cache-Control") != "no-store" || response.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s %s has headers %v", method, path, response.Header)
	}
	return response, string(content)
}

// problem checks that an answer is a problem in full, which repeats nothing of the request.
func problem(t testing.TB, response *http.Response, body string) wire.Details {
	t.Helper()
	var d wire.Details
	if err := stdjson.Unmarshal([]byte(body), &d); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if got := response.Header.Get("Content-Type"); got != "application/problem+json; charset=utf-8" {
		t.Errorf("content type %s", got)
	}
	if d.Type != "urn:yimen:problem:"+d.Code || d.Status != response.StatusCode || d.Title == "" || d.What.ZH == "" || d.What.EN == "" ||
		d.How.ZH == "" || d.How.EN == "" || d.Mend == "" || (d.Why.ZH == "") != (d.Why.EN == "") {
		t.Errorf("not a whole problem: %s", body)
	}
	if strings.Contains(body, company) || strings.Contains(body, clerks) {
		t.Errorf("a problem repeats the request: %s", body)
	}
	return d
}
