package adapters_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/bus/embedded"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/envelope/envelopetest"
	"github.com/onedoor/yimen/exchange/identity"
	"github.com/onedoor/yimen/schemas"
)

const manifestText = `
adapter: scjg/licences
evidence: business-licence
source: {kind: list, complete: true}
holders: {kind: org}
tolerance: {rows: 50, share: 0.5, unreadable: 3, withdrawn_share: 0.3}
absent: [N/A]
mapping:
  name: 企业名称
  creditCode: {column: 统一社会信用代码, as: credit-code}
  registeredOn: {column: 注册日期, as: date}
  capital: {column: 注册资金, as: money, currency: CNY}
`

var columns = []string{"企业名称", "统一社会信用代码", "注册日期", "注册资金"}

// list is a source in memory.
type list struct {
	rows    [][]string
	partial bool
	upTo    time.Time
	before  func(i int) error // called before each row
	damaged map[int]*exchange.Problem
}

func (l *list) Read(ctx context.Context, from adapters.Place, yield func(adapters.Row) error) (adapters.Reading, error) {
	place := adapters.Place(fmt.Sprint(l.rows, l.partial))
	if string(from) == string(place) {
		return adapters.Reading{Place: place, Complete: !l.partial, UpTo: l.upTo, Unchanged: true}, nil
	}
	for i, values := range l.rows {
		if l.before != nil {
			if err := l.before(i); err != nil {
				return adapters.Reading{}, err
			}
		}
		if err := yield(adapters.Row{Line: i + 2, Columns: columns, Values: values, Damage: l.damaged[i]}); err != nil {
			return adapters.Reading{}, err
		}
	}
	return adapters.Reading{Place: place, Complete: !l.partial, UpTo: l.upTo}, nil
}

// company is a row with a sound credit code.
func company(i int, capital string) []string {
	body := fmt.Sprintf("91430281%08d", i)
	body += string(identity.OrganisationCheck(body[8:]))
	return []string{fmt.Sprintf("醴陵第%d瓷厂", i), body + string(identity.CreditCodeCheck(body)), "1998-03-04", capital}
}

func companies(n int) (rows [][]string) {
	for i := range n {
		rows = append(rows, company(i, "500万人民币"))
	}
	return rows
}

// city is an exchange's Kafka with one department's adapter beside it.
type city struct {
	t     testing.TB
	addr  string
	bus   *bus.Bus
	dir   string
	keys  *envelopetest.City
	now   time.Time
	allow bool
}

func newCity(t testing.TB) *city {
	t.Helper()
	broker, err := embedded.Start(embedded.Config{Dir: filepath.Join(t.TempDir(), "kafka")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	c := &city{t: t, addr: broker.Addr(), dir: t.TempDir(), now: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)}
	c.keys = envelopetest.New()
	c.bus = connect(t, c.addr)
	err = c.bus.Ensure(t.Context(), []bus.Topic{{Name: "evidence.business-licence", Partitions: 3, Compact: true},
		{Name: "quarantine.scjg", Partitions: 1}, {Name: "coverage.scjg", Partitions: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func connect(t testing.TB, addr string) *bus.Bus {
	t.Helper()
	b, err := bus.Connect(bus.Config{Brokers: []string{addr}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func manifest(t testing.TB) *adapters.Manifest {
	t.Helper()
	m, err := adapters.ParseManifest("licences.yaml", []byte(manifestText))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var departmentKey = []byte("0123456789abcdef0123456789abcdef")

func (c *city) config(source adapters.Source, to adapters.Bus) adapters.Config {
	set, err := schemas.Builtin()
	if err != nil {
		c.t.Fatal(err)
	}
	schema, _ := set.ByType("business-licence")
	m := manifest(c.t)
	if l, ok := source.(*list); ok {
		m.Source.Complete = !l.partial
	}
	return adapters.Config{Manifest: m, Source: source, Schema: schema, DepartmentKey: departmentKey,
		ExchangePublicKey: c.keys.Public(), Signer: c.keys.Signer(m.Adapter), StateDir: c.dir, Bus: to, Clock: func() time.Time { return c.now }, Log: slog.New(slog.DiscardHandler),
		AllowWithdrawals: c.allow}
}

// run opens the adapter, reads once and closes it, a minute after the last time.
func (c *city) run(source *list) (adapters.Result, error) {
	c.t.Helper()
	c.now = c.now.Add(time.Minute)
	if source.upTo.IsZero() {
		source.upTo = c.now
	}
	r, err := adapters.Open(c.t.Context(), c.config(source, c.bus))
	if err != nil {
		return adapters.Result{}, err
	}
	defer r.Close()
	return r.Run(c.t.Context())
}

func (c *city) mustRun(source *list) adapters.Result {
	c.t.Helper()
	result, err := c.run(source)
	if err != nil {
		c.t.Fatal(err)
	}
	return result
}

// read gives everything that stands on a topic.
func (c *city) read(topic string) []exchange.Message {
	c.t.Helper()
	ends, err := c.bus.EndOffsets(c.t.Context(), topic)
	if err != nil {
		c.t.Fatal(err)
	}
	want := int64(0)
	for _, end := range ends {
		want += end
	}
	ctx, stop := context.WithCancel(c.t.Context())
	defer stop()
	var mu sync.Mutex
	var all []exchange.Message
	if want == 0 {
		return nil
	}
	c.bus.Follow(ctx, topic, nil, func(_ context.Context, messages []exchange.Message) error {
		mu.Lock()
		defer mu.Unlock()
		if all = append(all, messages...); int64(len(all)) >= want {
			stop()
		}
		return nil
	})
	return all
}

// standing opens the evidence topic as an index would: for each record its newest version. It fails on a version with two contents.
func (c *city) standing() map[exchange.RecordID]envelope.Opened {
	c.t.Helper()
	opener := c.keys.Opener(c.t)
	type place struct {
		id      exchange.RecordID
		version exchange.Version
	}
	contents := map[place]exchange.Digest{}
	newest := map[exchange.RecordID]envelope.Opened{}
	for _, m := range c.read("evidence.business-licence") {
		o, err := opener.Record(c.t.Context(), &m)
		if err != nil {
			c.t.Fatal(err)
		}
		at := place{o.ID, o.Version}
		if known, twice := contents[at]; twice && known != o.Digest {
			c.t.Errorf("record %s version %d has two contents", o.ID, o.Version)
		}
		contents[at] = o.Digest
		if newest[o.ID].Version <= o.Version {
			newest[o.ID] = o
		}
	}
	return newest
}

// versions counts the distinct record versions on the evidence topic.
func (c *city) versions() int {
	keys := map[string]bool{}
	for _, m := range c.read("evidence.business-licence") {
		keys[string(m.Key)] = true
	}
	return len(keys)
}
