package node

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/holdings"
	"github.com/onedoor/yimen/exchange/holdings/pebble"
)

func TestStartAnswerStop(t *testing.T) {
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(t.Context())
	n, err := Start(ctx, settings(t), surroundings())
	if err != nil {
		t.Fatal(err)
	}
	cancel() // which bounds the start only
	publish(t, n, 1)
	if said := ask(t, n); !strings.Contains(said, `"held"`) || !strings.Contains(said, `"version":1`) {
		t.Errorf("said %s", said)
	}
	for path, want := range map[string]string{"/livez": "ok\n", "/readyz?verbose": "[+]parts ok\n[+]kafka ok\n[+]clock ok\n[+]schemas ok\n[+]index ok\n", "/metrics": "\nyimen_index_lag_records ",
		RegistryPath + "/subjects": `"evidence.business-licence-value"`} {
		if body := get(t, n.URL()+path); !strings.Contains(body, want) {
			t.Errorf("%s: %s", path, body)
		}
	}
	over, end := context.WithCancel(t.Context())
	end()
	if err := n.Wait(over); err != nil {
		t.Errorf("wait: %v", err)
	}
	stop(t, n)
	stop(t, n) // twice
	if err := n.Wait(t.Context()); err != nil {
		t.Errorf("wait after close: %v", err)
	}
	http.DefaultClient.CloseIdleConnections()
	leaks(t, before)
}

func get(t testing.TB, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestFailedStartLeavesNothing(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	tests := []struct {
		name  string
		spoil func(t *testing.T, c *Config)
		kind  exchange.Kind
		want  []string
	}{
		{"nothing set", func(_ *testing.T, c *Config) { *c = Config{} }, exchange.Invalid, []string{"data is missing", "callers is missing"}},
		{"HTTP port in use", func(t *testing.T, c *Config) { c.HTTP = taken(t) }, exchange.Conflict, []string{"YM-CFG-0102", "in use"}},
		{"HTTP on another machine's address", func(_ *testing.T, c *Config) { c.HTTP = "localhost.invalid:80" }, exchange.Invalid, []string{"YM-CFG-0101", "without tls"}},
		{"Kafka port in use", func(t *testing.T, c *Config) { c.Kafka.Listen = taken(t) }, exchange.Conflict, []string{"YM-BUS-0301"}},
		{"Kafka for everybody", func(_ *testing.T, c *Config) { c.Kafka.Listen = "0.0.0.0:0" }, exchange.Invalid, []string{"YM-BUS-0302"}},
		{"no callers file", func(_ *testing.T, c *Config) { c.Callers += "x" }, exchange.Invalid, []string{"YM-API-0301", "callers.yamlx"}},
		{"callers file not YAML", func(t *testing.T, c *Config) { put(t, c.Callers, "- {") }, exchange.Invalid, []string{"YM-API-0301"}},
		{"caller of an unknown department", func(t *testing.T, c *Config) {
			put(t, c.Callers, "- {department: xxxx, clerk: a, token_sha256: "+hash+"}")
		}, exchange.Invalid, []string{"callers.yaml:1", "no department xxxx"}},
		{"caller known by a name", func(t *testing.T, c *Config) {
			put(t, c.Callers, "- {department: xzsp, clerk: 张三, token_sha256: "+hash+"}")
		}, exchange.Invalid, []string{"callers.yaml:1", "staff code"}},
		{"key readable by others", func(t *testing.T, c *Config) {
			dir := filepath.Join(c.Data, keysDir)
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			put(t, filepath.Join(dir, "index.1.key"), strings.Repeat("k", 32))
			os.Chmod(filepath.Join(dir, "index.1.key"), 0o644)
		}, exchange.Invalid, []string{"YM-KEY-0101"}},
		{"key cut short", func(t *testing.T, c *Config) {
			dir := filepath.Join(c.Data, keysDir)
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			put(t, filepath.Join(dir, "audit-token.1.key"), "short")
		}, exchange.Invalid, []string{"YM-KEY-0102"}},
		{"no certificate", func(_ *testing.T, c *Config) { c.TLS = TLS{Cert: "/none.pem", Key: "/none.key"} }, exchange.Invalid, []string{"YM-CFG-0106"}},
		{"no catalogue and no schemas", func(_ *testing.T, c *Config) { c.Catalogue, c.Schemas = []string{"/none"}, []string{c.Callers} }, exchange.Invalid,
			[]string{"no directory /none", "callers.yaml"}},
		{"catalogue with an unknown word", func(t *testing.T, c *Config) {
			put(t, filepath.Join(filepath.Dir(c.Callers), "evidence.yaml"), "x: {name: {zh: x}, keeper: nobody, stale_after: 1h}\n")
			c.Catalogue = []string{filepath.Dir(c.Callers)}
		}, exchange.Invalid, []string{"YM-CAT-"}},
		{"data is a file", func(_ *testing.T, c *Config) { c.Data = c.Callers }, exchange.Internal, []string{"key directory"}},
		{"data of another node", func(t *testing.T, c *Config) { start(t, *c) }, exchange.Conflict, []string{"YM-BUS-0303"}},
		{"directory of another node", func(t *testing.T, c *Config) { c.Kafka.Brokers = []string{start(t, *c).KafkaAddr()} }, exchange.Conflict, []string{"YM-AUD-0201"}},
		{"index of another version", func(t *testing.T, c *Config) {
			stop(t, start(t, *c))
			rewrite(t, *c, func(row string) string { return strings.Replace(row, `"format":2`, `"format":999`, 1) })
		}, exchange.Conflict, []string{"YM-IDX-0101", "999"}},
		{"index under other keys", func(t *testing.T, c *Config) {
			stop(t, start(t, *c))
			if err := os.Remove(filepath.Join(c.Data, keysDir, "index.1.key")); err != nil {
				t.Fatal(err)
			}
		}, exchange.Conflict, []string{"YM-IDX-0102"}},
		{"nobody at the brokers' address", func(_ *testing.T, c *Config) {
			c.Kafka.Brokers, c.Kafka.Wait = []string{"127.0.0.1:1"}, 300*time.Millisecond
		}, exchange.Unavailable, []string{"YM-BUS-0105", "127.0.0.1:1"}},
		{"silent brokers", func(t *testing.T, c *Config) {
			c.Kafka.Brokers, c.Kafka.Wait = []string{taken(t)}, 300*time.Millisecond
		}, exchange.Unavailable, []string{"YM-BUS-0105", "did not answer"}},
	}
	for _, test := range tests {
		before := runtime.NumGoroutine()
		t.Run(test.name, func(t *testing.T) {
			c := settings(t)
			test.spoil(t, &c)
			began := time.Now()
			n, err := Start(t.Context(), c, surroundings())
			if n != nil || err == nil || exchange.KindOf(err) != test.kind {
				t.Fatalf("started %v: %v", n != nil, err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nlacks %s", err, want)
				}
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
		leaks(t, before)
	}
}

// rewrite changes the first row of an index.
func rewrite(t *testing.T, c Config, change func(string) string) {
	t.Helper()
	store, err := pebble.Open(pebble.Config{Dir: filepath.Join(c.Data, indexDir)})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	err = store.Get(t.Context(), [][]byte{{'f'}}, func(_ int, value []byte) error {
		changed := change(string(value))
		if changed == string(value) {
			t.Errorf("nothing to change in %s", value)
		}
		return store.Commit(t.Context(), []holdings.Row{{Key: []byte{'f'}, Value: []byte(changed)}})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What stopped a start is mended, and the same data serve.
func TestStartAfterAFailedOne(t *testing.T) {
	c := settings(t)
	right := c.HTTP
	c.HTTP = taken(t)
	if _, err := Start(t.Context(), c, surroundings()); err == nil {
		t.Fatal("it started")
	}
	c.HTTP = right
	n := start(t, c)
	publish(t, n, 1)
	if said := ask(t, n); !strings.Contains(said, `"held"`) {
		t.Errorf("said %s", said)
	}
}

func TestStartGivenUp(t *testing.T) {
	before := runtime.NumGoroutine()
	c := settings(t)
	c.Kafka.Brokers = []string{taken(t)}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := Start(ctx, c, surroundings()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	leaks(t, before)
}

func TestRestartGoesOn(t *testing.T) {
	c := settings(t)
	n := start(t, c)
	publish(t, n, 1)
	said, counts := ask(t, n), n.Index.Counts()
	stop(t, n)

	n = start(t, c)
	if err := n.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := n.Index.Counts(); again.Duplicates != 0 || again.Records["business-licence"] != 2 || !reflect.DeepEqual(again, counts) {
		t.Errorf("counts %+v, before %+v", again, counts)
	}
	if again := ask(t, n); again != said {
		t.Errorf("said %s, before %s", again, said)
	}
	publish(t, n, 2)
	second := ask(t, n)
	if counts = n.Index.Counts(); counts.Records["business-licence"] != 4 || !strings.Contains(second, `"version":2`) {
		t.Errorf("said %s, counts %+v", second, counts)
	}
	stop(t, n)

	if err := os.RemoveAll(filepath.Join(c.Data, indexDir)); err != nil {
		t.Fatal(err)
	}
	n = start(t, c)
	if err := n.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := ask(t, n); again != second {
		t.Errorf("rebuilt, it said %s, before %s", again, second)
	}
	if again := n.Index.Counts(); !reflect.DeepEqual(again, counts) {
		t.Errorf("rebuilt, it counts %+v, before %+v", again, counts)
	}
}

// What cannot go on ends the node, and says why to everybody who asks.
func TestBrokenIndexEndsTheNode(t *testing.T) {
	n := start(t, settings(t))
	publish(t, n, 1)
	if err := n.close[len(n.close)-4](); err != nil { // the engine, under the folding; behind it are reliances, webhooks and notices
		t.Fatal(err)
	}
	send(t, n, exchange.Message{Topic: envelope.CoverageTopic("scjg"), Key: []byte("scjg/licences"), Value: []byte("{}")})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := n.Settled(ctx); err == nil {
		t.Error("it settled")
	}
	for range 2 {
		err := n.Wait(ctx)
		if err == nil || !strings.Contains(err.Error(), "fold coverage.scjg") || !errors.Is(err, os.ErrClosed) {
			t.Errorf("wait: %v", err)
		}
	}
	if body := get(t, n.URL()+"/readyz"); !strings.Contains(body, "[-]parts: fold coverage.scjg") {
		t.Errorf("ready: %s", body)
	}
	stop(t, n)
}

func TestMissingTopicEndsTheNode(t *testing.T) {
	t.Parallel()
	n := start(t, settings(t))
	n.goes("fold evidence.nothing", func(ctx context.Context) error { return n.fold(ctx, "evidence.nothing") })
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	if err := n.Wait(ctx); exchange.KindOf(err) != exchange.NotFound || !strings.Contains(err.Error(), "there is no topic evidence.nothing") {
		t.Errorf("wait: %v", err)
	}
}

// A question that was taken is answered although the node is being stopped; the next one finds nobody.
func TestStopWaitsForAnswers(t *testing.T) {
	t.Parallel()
	n := start(t, settings(t))
	conn, err := net.Dial("tcp", n.fronts[people].address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := `{"case":"LL-2026-1123-0041","item":"food-licence-new","applicant":"` + company + `"}`
	io.WriteString(conn, "POST /v1/queries HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nAuthorization: Bearer "+token+
		"\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n\r\n")
	in := bufio.NewReader(conn)
	if line, _, err := in.ReadLine(); !strings.Contains(string(line), "100 Continue") { // the question was taken, and is waited for
		t.Fatalf("%s, %v", line, err)
	}
	done := make(chan error)
	go func() { done <- n.Close() }()
	for { // until nobody is let in any more
		late, err := net.Dial("tcp", n.fronts[people].address)
		if err != nil {
			break
		}
		late.Close()
		time.Sleep(5 * time.Millisecond)
	}
	io.WriteString(conn, body)
	answer, _ := io.ReadAll(in)
	if !strings.Contains(string(answer), "HTTP/1.1 200 OK") || !strings.Contains(string(answer), "receipt") {
		t.Errorf("answer %s", answer)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Who sends slowly, or takes slowly, is hung up on.
func TestSlowClientsAreLimited(t *testing.T) {
	n := start(t, settings(t))
	for name, limit := range map[string]time.Duration{"header": n.fronts[people].ReadHeaderTimeout, "read": n.fronts[people].ReadTimeout, "write": n.fronts[people].WriteTimeout, "idle": n.fronts[people].IdleTimeout} {
		if limit <= 0 || limit > 2*time.Minute {
			t.Errorf("%s: %v", name, limit)
		}
	}
	if n.fronts[people].MaxHeaderBytes <= 0 || n.fronts[people].WriteTimeout <= n.fronts[people].ReadTimeout {
		t.Errorf("limits %d, %v", n.fronts[people].MaxHeaderBytes, n.fronts[people].WriteTimeout)
	}
}
