package rest

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/bus/embedded"
	"github.com/onedoor/yimen/schemas/opinion"
	"github.com/onedoor/yimen/schemas/registry"
	"github.com/onedoor/yimen/test/logs"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == opinion.Verb { // the registry starts this program again for the second opinion
		if err := opinion.Answer(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// The tokens of a writer, and of somebody who is known and may not write.
const (
	writerToken = "canary-writer-5f0c1b"
	readerToken = "canary-reader-77ab02"
)

// world is a registry on the embedded broker, served as the node serves it.
type world struct {
	t      testing.TB
	server *httptest.Server
	base   string
	log    *logs.Buffer
	reg    *registry.Registry
}

// newRegistry is a registry over an empty broker.
func newRegistry(t testing.TB, log *slog.Logger) *registry.Registry {
	t.Helper()
	return registryAt(t, newBroker(t), log)
}

// newBroker is the address of an empty broker.
func newBroker(t testing.TB) string {
	t.Helper()
	broker, err := embedded.Start(embedded.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	return broker.Addr()
}

// registryAt is a registry over a broker's topics.
func registryAt(t testing.TB, broker string, log *slog.Logger) *registry.Registry {
	t.Helper()
	topics, err := bus.Connect(bus.Config{Brokers: []string{broker}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { topics.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	if err := topics.Ensure(ctx, []bus.Topic{{Name: registry.Proposals, Partitions: 1}, {Name: registry.Mirror, Partitions: 1, Compact: true}}); err != nil {
		t.Fatal(err)
	}
	reg, err := registry.New(registry.Config{Topics: topics, Opinion: opinion.Asker{}, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- reg.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	if err := reg.Settled(ctx); err != nil {
		t.Fatal(err)
	}
	return reg
}

func newWorld(t testing.TB, change ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, log: &logs.Buffer{}}
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.reg = newRegistry(t, log)
	cfg := Config{Registry: w.reg, Writer: writer, Log: log}
	for _, c := range change {
		c(&cfg)
	}
	mux := http.NewServeMux()
	mux.Handle("/registry/", http.StripPrefix("/registry", New(cfg)))
	w.server = httptest.NewServer(mux)
	t.Cleanup(w.server.Close)
	w.base = w.server.URL + "/registry"
	return w
}

func writer(r *http.Request) (string, error) {
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if _, password, basic := r.BasicAuth(); basic {
		token = password
	}
	switch token {
	case writerToken:
		return "data/0001", nil
	case readerToken:
		return "", &exchange.Problem{Code: "YM-API-0403", Kind: exchange.Denied, What: text("不能改动", "may not change schemas"), Mend: text("找管理员", "ask the administrator")}
	}
	return "", &exchange.Problem{Code: "YM-API-0401", Kind: exchange.Unauthorised, What: text("不知道是谁", "it is not known who is asking"), Mend: text("申请令牌", "ask for a token")}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// member is a member of the answer, nil where it has none of that name.
func (a answer) member(t testing.TB, name string) any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(a.body), &members); err != nil {
		t.Fatalf("%q is no JSON object: %v", a.body, err)
	}
	return members[name]
}

// ask sends a request as the writer. Headers come in pairs; an empty value takes one away.
func (w *world) ask(method, path, body string, headers ...string) answer {
	w.t.Helper()
	r, err := http.NewRequest(method, w.base+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+writerToken)
	r.Header.Set("Accept", "*/*")
	for i := 0; i+1 < len(headers); i += 2 {
		if r.Header.Set(headers[i], headers[i+1]); headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	response, err := w.server.Client().Do(r.WithContext(ctx))
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

// asked is the body that asks for a schema.
func asked(schema string, more ...string) string {
	quoted, _ := json.Marshal(schema)
	return `{"schema":` + string(quoted) + `,"schemaType":"JSON"` + strings.Join(more, "") + `}`
}

// register registers a schema that must be taken.
func (w *world) register(path, schema string, more ...string) answer {
	w.t.Helper()
	a := w.ask("POST", path, asked(schema, more...))
	if a.status != 200 {
		w.t.Fatalf("POST %s: %d %s", path, a.status, a.body)
	}
	return a
}

// Schemas of a shop: the second takes more than the first, the third less.
const (
	shop     = `{"type":"object","title":"Shop","properties":{"name":{"type":"string"}},"required":["name"],"additionalProperties":false}`
	wider    = `{"type":"object","title":"Shop","properties":{"name":{"type":"string"},"street":{"type":"string"}},"required":["name"],"additionalProperties":false}`
	narrower = `{"type":"object","title":"Shop","properties":{"name":{"type":"string","maxLength":3},"street":{"type":"string"}},"required":["name","street"],"additionalProperties":false}`
)
