package test

import (
	"context"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/adapters/tabular"
	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/deploy/demo"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/limits"
	"github.com/onedoor/yimen/exchange/node"
)

// place is an exchange with departments beside it, all in this process: what a story is told about.
type place struct {
	t      testing.TB
	dir    string
	node   *node.Node
	now    time.Time
	client api.Client
	log    *slog.Logger
	tracer oteltrace.Tracer // of the adapters; nil: none
}

// token is the window's.
const token = "window-token-of-a-test"

// open starts an exchange in dir, on the embedded Kafka or on the brokers named. now is what its clock says.
func open(t testing.TB, dir string, now time.Time, log *slog.Logger, brokers ...string) *place {
	t.Helper()
	return openUnder(t, dir, now, log, demo.Catalogue(), brokers...)
}

// openUnder is open under another catalogue than the demonstration's.
func openUnder(t testing.TB, dir string, now time.Time, log *slog.Logger, city fs.FS, brokers ...string) *place {
	t.Helper()
	p := &place{t: t, dir: dir, now: now, log: log}
	return p.start(settings(brokers...), city)
}

// settings are an exchange's, but for its directory.
func settings(brokers ...string) node.Config {
	return node.Config{Limits: limits.Unbounded(), Audit: node.Audit{StaleAfter: 1000 * time.Hour}, // stories go from day to day in no time
		Kafka: node.Kafka{Brokers: brokers, Listen: "127.0.0.1:0", Pending: -1}}
}

// start starts the place's exchange, in its directory and with one clerk.
func (p *place) start(cfg node.Config, city fs.FS) *place {
	p.t.Helper()
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	cfg.Data, cfg.HTTP, cfg.Departments, cfg.Callers = p.dir, "127.0.0.1:0", "127.0.0.1:0", filepath.Join(p.dir, "callers.yaml")
	write(p.t, cfg.Callers, `- {department: xzsp, clerk: "0017", token_sha256: "`+door.TokenHash(token)+"\"}\n")
	n, err := node.Start(p.t.Context(), cfg, node.Surroundings{Log: p.log, Clock: p.clock, Catalogue: []fs.FS{city}})
	if err != nil {
		p.t.Fatal(err)
	}
	p.node = n
	p.client = api.Client{Base: n.URL(), Token: token, HTTP: &http.Client{Timeout: 10 * time.Second}, Clock: p.clock}
	p.t.Cleanup(p.close)
	return p
}

// clock is the place's own, the machine's where it has none.
func (p *place) clock() time.Time {
	if p.now.IsZero() {
		return time.Now()
	}
	return p.now
}

func (p *place) close() {
	if p.node == nil {
		return
	}
	if err := p.node.Close(); err != nil {
		p.t.Errorf("close exchange: %v", err)
	}
	p.node = nil
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// adapter puts a department's adapter together, its state in the place's directory.
func (p *place) adapter(manifest string) *adapters.Runner {
	p.t.Helper()
	return p.adapterTelling(manifest, nil)
}

// adapterTelling is an adapter that tells how far it is.
func (p *place) adapterTelling(manifest string, tell func(adapters.Progress)) *adapters.Runner {
	p.t.Helper()
	m, err := adapters.LoadManifest(manifest)
	if err != nil {
		p.t.Fatal(err)
	}
	source, err := tabular.New(m, p.clock)
	if err != nil {
		p.t.Fatal(err)
	}
	schema, known := p.node.Registry.Evidence().ByType(m.Evidence)
	if !known {
		p.t.Fatalf("no schema of %s", m.Evidence)
	}
	public, err := p.node.PublicKey(p.t.Context(), envelope.Standard)
	if err != nil {
		p.t.Fatal(err)
	}
	_, name, _ := strings.Cut(string(m.Adapter), "/")
	signer, err := p.node.Enrol(p.t.Context(), certs.Identity{Department: m.Adapter.Department(), Role: certs.Adapter, Name: name},
		certs.CredentialConfig{Dir: filepath.Join(p.dir, "identities", filepath.FromSlash(string(m.Adapter))), Name: "identity"})
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := adapters.Open(p.t.Context(), adapters.Config{Manifest: m, Source: source, Schema: schema, DepartmentKey: p.departmentKey(m.Adapter.Department()),
		ExchangePublicKey: public, Signer: signer, StateDir: filepath.Join(p.dir, "adapters", filepath.FromSlash(string(m.Adapter))),
		Bus: p.node.Bus, Clock: p.clock, Log: p.log, Metrics: p.node.Metrics, Tracer: p.tracer, Progress: tell})
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// departmentKey is a department's own secret.
func (p *place) departmentKey(d exchange.Department) []byte {
	p.t.Helper()
	keys, err := certs.OpenLocal(filepath.Join(p.dir, "departments"))
	if err != nil {
		p.t.Fatal(err)
	}
	key, err := keys.Secret(string(d))
	if err != nil {
		p.t.Fatal(err)
	}
	return key
}

// publish runs an adapter once and waits until the exchange knows what it published.
func (p *place) publish(manifest string) adapters.Result {
	p.t.Helper()
	r := p.adapter(manifest)
	defer r.Close()
	result, err := r.Run(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	p.settle()
	return result
}

func (p *place) settle() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	if err := p.node.Settled(ctx); err != nil {
		p.t.Fatal(err)
	}
}

// ask is a clerk's query.
func (p *place) ask(item exchange.Item, number string) broker.Conclusion {
	p.t.Helper()
	a, err := p.client.Query(p.t.Context(), api.QueryRequest{Case: "LL-2026-1123-0041", Item: item, Applicant: number})
	if err != nil {
		p.t.Fatal(err)
	}
	return a
}

// answer is what a conclusion says of one material.
func answer(t testing.TB, c broker.Conclusion, material string) exchange.Answer {
	t.Helper()
	for _, a := range c.Answers {
		if a.Material == material {
			return a
		}
	}
	t.Fatalf("no answer for %s", material)
	return exchange.Answer{}
}

// records opens everything on an evidence topic: for each record its newest version.
func (p *place) records(of exchange.EvidenceType) map[exchange.RecordID]envelope.Opened {
	p.t.Helper()
	opener, err := envelope.NewOpener(envelope.OpenerConfig{Directory: p.node.Roll, Pending: -1, Secrets: func(ctx context.Context) (all [][]byte, err error) {
		ring, err := p.node.Authority.Ring(ctx, "sealing")
		for _, key := range ring {
			all = append(all, key.Secret)
		}
		return all, err
	}})
	if err != nil {
		p.t.Fatal(err)
	}
	newest := map[exchange.RecordID]envelope.Opened{}
	contents := map[string]exchange.Digest{}
	p.follow(envelope.EvidenceTopic(of), func(m *exchange.Message) {
		o, err := opener.Record(p.t.Context(), m)
		if err != nil {
			p.t.Error(err)
			return
		}
		if known, twice := contents[string(m.Key)]; twice && known != o.Digest {
			p.t.Errorf("version %d of %s has two contents", o.Version, o.ID)
		}
		contents[string(m.Key)] = o.Digest
		if newest[o.ID].Version <= o.Version {
			newest[o.ID] = o
		}
	})
	return newest
}

// follow hands over all that stands on a topic now, and returns.
func (p *place) follow(topic string, take func(*exchange.Message)) {
	p.t.Helper()
	left, err := p.node.Bus.EndOffsets(p.t.Context(), topic)
	if err != nil {
		p.t.Fatal(err)
	}
	for partition, end := range left {
		if end == 0 {
			delete(left, partition)
		}
	}
	if len(left) == 0 {
		return
	}
	ctx, stop := context.WithTimeout(p.t.Context(), time.Minute)
	defer stop()
	var mu sync.Mutex
	err = p.node.Bus.Follow(ctx, topic, nil, func(_ context.Context, messages []exchange.Message) error {
		mu.Lock()
		defer mu.Unlock()
		for i := range messages {
			take(&messages[i])
		}
		last := messages[len(messages)-1]
		if last.Offset+1 >= left[last.Partition] {
			delete(left, last.Partition)
		}
		if len(left) == 0 {
			stop()
		}
		return nil
	})
	if len(left) > 0 {
		p.t.Fatalf("follow %s: %v", topic, err)
	}
}
