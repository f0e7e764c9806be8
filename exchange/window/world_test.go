package window

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/schemas"
)

const (
	company  = "924302810000003187" // a made-up company
	user     = "zhang"
	password = "four unrelated words"
	hostile  = `<img src=x onerror=alert(1)>"'><script>alert(2)</script>`
	initials = "spjyxkxb" // of 食品经营许可（新办）
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, exchange.China)

// answers is a broker that gives what it is told to.
type answers func(context.Context, broker.Query) (broker.Conclusion, error)

func (a answers) Query(ctx context.Context, q broker.Query) (broker.Conclusion, error) {
	return a(ctx, q)
}

// conclude finds one of each kind, and a hostile department's record among them.
func conclude(_ context.Context, q broker.Query) (broker.Conclusion, error) {
	fields, err := json.Marshal(map[string]any{"name": hostile, "creditCode": company, "legalRepresentative": "张晓朙",
		"capital": map[string]any{"amount": "12345678901234567890.10", "currency": "CNY"}, hostile: true})
	if err != nil {
		return broker.Conclusion{}, err
	}
	material := func(zh, en string, o exchange.Outcome, why exchange.Reason, e ...exchange.Evidence) exchange.Answer {
		return exchange.Answer{Material: en, Name: text(zh, en), Basis: text("《食品安全法》", "Food Safety Law"), Outcome: o, Reason: why, Evidence: e}
	}
	plan := material("设备布局图", "Floor plan", exchange.Supply, exchange.ApplicantMade)
	plan.Deferrable = true
	return broker.Conclusion{ID: "0199", Time: noon, Case: q.Case, Item: q.Item, ItemName: text("食品经营许可（新办）", "New food business licence"), Applicant: "924302********3187",
		Answers: []exchange.Answer{
			material("营业执照", "Business licence", exchange.Held, "", exchange.Evidence{Type: "business-licence", Outcome: exchange.Held, Keeper: "scjg",
				AsOf: noon, Record: "00ff", Version: 3, Until: "2031-05-06", Fields: fields, Assurance: exchange.AssuranceA}),
			material("经营场所证明", "Premises", exchange.Check, exchange.Ambiguous, exchange.Evidence{Type: "property-title", Outcome: exchange.Check, Keeper: "zrzy", AsOf: noon.Add(-20 * time.Hour)}),
			plan,
			material("清税证明", "Tax clearance", exchange.Unknown, exchange.SourceStale, exchange.Evidence{Type: "tax-clearance", Outcome: exchange.Unknown, Reason: exchange.SourceStale, Keeper: "swj"}),
			material("健康证明", "Health certificate", exchange.Received, ""),
		},
		Receipt: audit.Receipt{ID: "0199", Time: noon}}, nil
}

// clock is a clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is the page over a broker, and a browser without scripts.
type world struct {
	*httptest.Server
	clock *clock
	log   *logged
	asked []broker.Query
	*http.Client
}

type logged struct {
	mu   sync.Mutex
	said bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.said.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.said.String()
}

// hashed is the clerk's password hash, the cheapest that is taken.
var hashed = sync.OnceValues(func() (string, error) {
	return argon2id.CreateHash(password, &argon2id.Params{Memory: 19 << 10, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
})

// city is read once: a catalogue never changes.
var city = sync.OnceValues(func() (*catalogue.Catalogue, error) {
	return catalogue.Load(catalogue.Builtin(), fstest.MapFS{"items/curious.yaml": {Data: []byte(curious)}, "grants.yaml": {Data: []byte(grants)}})
})

// serve runs the page; start is Start or StartTLS.
func serve(t testing.TB, ask answers, start func(*httptest.Server)) *world {
	t.Helper()
	known, err := city()
	if err != nil {
		t.Fatal(err)
	}
	hash, err := hashed()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "callers.yaml")
	if err := os.WriteFile(path, fmt.Appendf(nil, "- {department: scjg, clerk: '0017', user: %s, password: '%s'}", user, hash), 0o600); err != nil {
		t.Fatal(err)
	}
	callers, err := door.LoadCallers(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	set, err := schemas.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{clock: &clock{now: noon}, log: &logged{}}
	page, err := New(Config{Catalogue: func() *catalogue.Catalogue { return known }, Door: door.New(door.Config{Callers: callers, Clock: w.clock.read}), Schemas: func() *schemas.Set { return set },
		Phone: "0731-0000 0000", Clock: w.clock.read, Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Broker: answers(func(ctx context.Context, q broker.Query) (broker.Conclusion, error) {
			w.asked = append(w.asked, q) // tests ask one after the other
			return ask(ctx, q)
		})})
	if err != nil {
		t.Fatal(err)
	}
	w.Server = httptest.NewUnstartedServer(page)
	start(w.Server)
	t.Cleanup(w.Server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	w.Client = &http.Client{Transport: w.Server.Client().Transport, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return w
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (w *world) send(t testing.TB, method, path string, form url.Values, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := w.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

func (w *world) get(t testing.TB, path string) answer {
	t.Helper()
	return w.send(t, http.MethodGet, path, nil)
}

func (w *world) post(t testing.TB, path string, pairs ...string) answer {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return w.send(t, http.MethodPost, path, form)
}

// enter signs the clerk in.
func (w *world) enter(t testing.TB) {
	t.Helper()
	if got := w.post(t, "/window/sign-in", "user", user, "password", password); got.status != http.StatusSeeOther || got.header.Get("Location") != "/window" {
		t.Fatalf("sign in: %d %s", got.status, got.body)
	}
}

// ask asks for the made-up company.
func (w *world) ask(t testing.TB) {
	t.Helper()
	if got := w.post(t, "/window/query", "item", initials, "number", company, "case", "LL-2026-1123-0041", "consent", "yes"); got.status != http.StatusSeeOther {
		t.Fatalf("ask: %d %s", got.status, got.body)
	}
}
