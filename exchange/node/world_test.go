package node

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/deploy/demo"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/envelope"
)

const (
	token   = "token-of-a-window"
	company = "91430281000000019C" // of the schema's example
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, exchange.China)

// settings are those of a node in a directory of its own, on free ports.
func settings(t testing.TB) Config {
	t.Helper()
	dir := t.TempDir()
	callers := filepath.Join(dir, "callers.yaml")
	put(t, callers, "- {department: xzsp, clerk: '0017', token_sha256: "+door.TokenHash(token)+"}\n")
	return Config{Data: filepath.Join(dir, "data"), HTTP: "127.0.0.1:0", Departments: "127.0.0.1:0", Callers: callers, CacheMiB: 8,
		Kafka: Kafka{Listen: "127.0.0.1:0", Partitions: 2, Pending: -1}} // the clock stands still
}

func put(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func surroundings() Surroundings {
	return Surroundings{Clock: func() time.Time { return noon }, Catalogue: []fs.FS{demo.Catalogue()}}
}

// start starts a node that the test's end closes.
func start(t testing.TB, c Config) *Node {
	t.Helper()
	n, err := Start(t.Context(), c, surroundings())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

func stop(t testing.TB, n *Node) {
	t.Helper()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
}

// publish puts the example licences onto their topic as the version given, with a statement that this is all there is, and waits
// until the node has folded them.
func publish(t testing.TB, n *Node, version exchange.Version) {
	t.Helper()
	state(t, n, version, noon, nil)
	if err := n.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// state appends the example licences, changed if need be, and a statement that this was all there was at the time.
func state(t testing.TB, n *Node, version exchange.Version, at time.Time, change func(document []byte) []byte) {
	t.Helper()
	const adapter, kind = exchange.Adapter("scjg/licences"), exchange.EvidenceType("business-licence")
	schema, _ := n.Registry.Evidence().ByType(kind)
	sealer := sealerOf(t, n, adapter)
	batch := sealer.Batch()
	var records []exchange.Message
	for i, document := range schema.Examples() {
		if change != nil {
			document = change(document)
		}
		m, err := batch.Record(envelope.Draft{Type: kind, ID: sealer.RecordID(kind, fmt.Sprint(i)), Version: version, Schema: schema.ID, Payload: document, At: at})
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, m)
	}
	if err := batch.Sign(records); err != nil {
		t.Fatal(err)
	}
	send(t, n, records...)
	end := map[int]int64{}
	for _, m := range records {
		end[m.Partition] = max(end[m.Partition], m.Offset+1)
	}
	batch = sealer.Batch()
	m, err := batch.Statement(exchange.Coverage{Adapter: adapter, Type: kind, Alive: at, CompleteUpTo: at, End: end, Read: 2, Published: 2})
	if err != nil {
		t.Fatal(err)
	}
	statement := []exchange.Message{m}
	if err := batch.Sign(statement); err != nil {
		t.Fatal(err)
	}
	send(t, n, statement...)
}

// sealerOf is an adapter that the node has enrolled.
func sealerOf(t testing.TB, n *Node, adapter exchange.Adapter) *envelope.Sealer {
	t.Helper()
	_, name, _ := strings.Cut(string(adapter), "/")
	signer, err := n.Enrol(t.Context(), certs.Identity{Department: adapter.Department(), Role: certs.Adapter, Name: name}, certs.CredentialConfig{Dir: t.TempDir(), Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	public, err := n.PublicKey(t.Context(), signer.Suite())
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := envelope.NewSealer(envelope.SealerConfig{Adapter: adapter, DepartmentKey: bytes.Repeat([]byte("k"), 32), ExchangeKey: public, Signer: signer,
		Clock: n.around.Clock})
	if err != nil {
		t.Fatal(err)
	}
	return sealer
}

func send(t testing.TB, n *Node, messages ...exchange.Message) {
	t.Helper()
	if err := n.Bus.Append(t.Context(), messages[0].Topic, messages); err != nil {
		t.Fatal(err)
	}
}

// ask asks over HTTP what is held of the company, and gives what is said of its licence.
func ask(t testing.TB, n *Node) string {
	t.Helper()
	c := query(t, n)
	for _, a := range c.Answers {
		if a.Material == "business-licence" {
			said, err := json.Marshal(a)
			if err != nil {
				t.Fatal(err)
			}
			return string(said)
		}
	}
	t.Fatalf("no answer in %+v", c)
	return ""
}

func query(t testing.TB, n *Node) broker.Conclusion {
	t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := api.Client{Base: n.URL(), Token: token, HTTP: &http.Client{Transport: transport, Timeout: 10 * time.Second}, Clock: n.around.Clock}
	c, err := client.Query(t.Context(), api.QueryRequest{Case: "LL-2026-1123-0041", Item: "food-licence-new", Applicant: company})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// taken is an address that somebody listens on.
func taken(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// leaks waits until no more goroutines run than before; those of connections need a moment to see that they are closed.
func leaks(t testing.TB, before int) {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			var all strings.Builder
			pprof.Lookup("goroutine").WriteTo(&all, 1)
			t.Fatalf("%d goroutines, before %d:\n%s", runtime.NumGoroutine(), before, all.String())
		}
	}
}
