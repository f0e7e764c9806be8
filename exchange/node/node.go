// Package node builds a running exchange from one Config, starts it, and stops it in reverse order.
package node

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/roll"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/audit/ledger"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/copies"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/doubts"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/erasure"
	"github.com/onedoor/yimen/exchange/grants"
	"github.com/onedoor/yimen/exchange/holdings"
	"github.com/onedoor/yimen/exchange/holdings/pebble"
	"github.com/onedoor/yimen/exchange/items"
	"github.com/onedoor/yimen/exchange/limits"
	"github.com/onedoor/yimen/exchange/notice"
	"github.com/onedoor/yimen/exchange/reliance"
	"github.com/onedoor/yimen/exchange/window"
	"github.com/onedoor/yimen/schemas"
	"github.com/onedoor/yimen/schemas/registry"
)

// Surroundings are what a node takes from the process it runs in.
type Surroundings struct {
	Log   *slog.Logger     // nil: silent
	Clock func() time.Time // nil: time.Now
	// Catalogue is added to the configured directories; the demo brings its city this way.
	Catalogue []fs.FS

	authority certs.Authority // nil: the configured one; tests take it away
	atOnce    int             // of queries; 0: as package broker has it
}

// Node is a running exchange.
type Node struct {
	Catalogue *catalogue.Catalogue
	Registry  *registry.Registry
	Bus       *bus.Bus
	Broker    *broker.Broker
	Index     *holdings.Index
	Authority certs.Authority
	Roll      *roll.Roll
	Ledger    *ledger.Ledger
	Limits    *limits.Limits
	Grants    *grants.Book
	Items     *items.Book
	Reliances *reliance.Book
	Notices   *notice.Office
	Doubts    *doubts.Book
	Metrics   *prometheus.Registry

	cfg     Config
	around  Surroundings
	brought *schemas.Set // those that come with the program and the configuration
	callers *door.Callers
	door    *door.Keeper
	window  *window.Window
	turning sync.Mutex
	current atomic.Pointer[edition] // Catalogue with what was decided since
	audit   *audit.Log
	recent  audit.Recent
	shelf   *copies.Shelf // copies that wait to be fetched
	clock   *clock
	own     *certs.Credential // the node's, at the address for departments
	tls     *tls.Config       // nil: plain HTTP
	brokers []string
	suite   envelope.Suite   // of what enrols
	tracer  oteltrace.Tracer // nil: nothing is traced
	folds   sync.Map         // topic → trace.SpanContext of the fold that brought the newest of it

	life   context.Context // ends with Close, or with the first error of what runs in the background: its cause
	end    context.CancelCauseFunc
	work   sync.WaitGroup // what runs in the background
	lag    prometheus.Gauge
	close  []func() error // in the order of starting
	fronts []*front       // what is served, and where

	closing sync.Once
	closed  error
}

// errClosed is the cause of a life that Close ended.
var errClosed = errors.New("the node was closed")

// Names of keys and directories below Config.Data.
const (
	keysDir  = "keys"
	indexDir = "index"
	kafkaDir = "kafka"

	auditDir = "audit"
)

// Start builds the exchange bottom-up. What was started is stopped again when a later part cannot be. ctx bounds the start
// only; Close ends the node.
func Start(ctx context.Context, cfg Config, around Surroundings) (*Node, error) {
	cfg = cfg.withDefaults()
	if err := problems(cfg.check(), func(string) string { return "config" }); err != nil {
		return nil, err
	}
	if around.Log == nil {
		around.Log = slog.New(slog.DiscardHandler)
	}
	if around.Clock == nil {
		around.Clock = time.Now
	}
	suite, err := cfg.suite()
	if err != nil {
		return nil, err
	}
	spendMemory()
	n := &Node{suite: suite, cfg: cfg, around: around, Metrics: prometheus.NewRegistry(), shelf: copies.NewShelf(around.Clock)}
	n.life, n.end = context.WithCancelCause(context.WithoutCancel(ctx))
	for _, part := range []func(context.Context) error{n.trace, n.learn, n.keep, n.connect, n.identify, n.record, n.stand, n.register, n.index, n.editions, n.doubt, n.answer, n.serve} {
		if err := errors.Join(part(ctx), ctx.Err()); err != nil {
			return nil, errors.Join(err, n.Close())
		}
	}
	if n.life.Err() != nil { // a part gave up while the others started
		return nil, errors.Join(context.Cause(n.life), n.Close())
	}
	return n, nil
}

// learn reads what the exchange knows before any record: keys, schemas, catalogue, callers. Most mistakes show here, before
// anything runs.
func (n *Node) learn(context.Context) (err error) {
	n.lag = prometheus.NewGauge(prometheus.GaugeOpts{Name: "yimen_index_lag_records", Help: "Messages of all topics not yet folded into the index."})
	n.Metrics.MustRegister(n.lag, collectors.NewGoCollector(), collectors.NewBuildInfoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if err = directories(slices.Concat(n.cfg.Schemas, n.cfg.Catalogue)); err != nil {
		return err
	}
	if n.brought, err = loadSchemas(n.cfg.Schemas); err != nil {
		return err
	}
	if n.Catalogue, err = catalogue.Load(catalogueParts(n.cfg, n.around)...); err != nil {
		return err
	}
	if n.callers, err = door.LoadCallers(n.cfg.Callers, n.canAsk); err != nil {
		return err
	}
	n.tls, err = n.cfg.TLS.load()
	return err
}

// remember keeps the catalogue, so that what is answered by it can be given again under it, and clears away what a replay left that
// was cut off by a crash.
func (n *Node) remember() error {
	return errors.Join(catalogue.Keep(n.catalogues(), n.Catalogue, catalogueParts(n.cfg, n.around)...),
		os.RemoveAll(filepath.Join(n.cfg.Data, replaysDir)))
}

// catalogueParts are the built-in catalogue and, over it, that of the surroundings and the configured directories.
func catalogueParts(cfg Config, around Surroundings) []fs.FS {
	parts := append([]fs.FS{catalogue.Builtin()}, around.Catalogue...)
	for _, dir := range cfg.Catalogue {
		parts = append(parts, os.DirFS(dir))
	}
	return parts
}

// directories refuses those that are not there: an empty one would pass for a catalogue that changes nothing.
func directories(dirs []string) error {
	var all []error
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			all = append(all, &exchange.Problem{Code: "YM-CFG-0104", Kind: exchange.Invalid, Err: err,
				What: text("没有这个目录："+dir, "there is no directory "+dir), Mend: text("改正配置中的 catalogue 或 schemas", "mend catalogue or schemas in the configuration")})
		}
	}
	return errors.Join(all...)
}

// canAsk says whether the queries of a caller could ever be answered.
func (n *Node) canAsk(c broker.Caller) error {
	if _, known := n.Catalogue.Department(c.Department); !known {
		return &exchange.Problem{Code: "YM-CFG-0105", Kind: exchange.Invalid, What: text("目录中没有部门 "+string(c.Department), "the catalogue has no department "+string(c.Department)),
			Mend: text("核对部门代码，或在目录中登记该部门", "check its code, or enter it into the catalogue")}
	}
	entry := audit.Entry{Department: c.Department, Clerk: c.Clerk, Case: "LL-2026-1123-0041"}
	return entry.CheckAsker()
}

// index opens the index and begins to fold the topics into it.
func (n *Node) index(ctx context.Context) error {
	engine, err := pebble.Open(pebble.Config{Dir: filepath.Join(n.cfg.Data, indexDir), CacheBytes: int64(n.cfg.CacheMiB) << 20, Log: n.around.Log})
	if err != nil {
		return err
	}
	n.close = append(n.close, engine.Close)
	if n.Index, err = n.indexOn(engine, n.Metrics); err != nil {
		return err
	}
	ends, err := n.Bus.EndOffsets(ctx, erasure.Topic)
	if err != nil {
		return err
	}
	n.Index.ErasuresUpTo(ends[0]) // nothing is told before
	if err := n.notify(ctx); err != nil {
		return err
	}
	for _, topic := range folded(n.Catalogue) {
		n.goes("fold "+topic, func(ctx context.Context) error { return n.keepFolding(ctx, topic) })
	}
	return nil
}

// indexOn is an index in the engine: the node's own, or one of a replay, which knows the same keys, schemas and keepers.
func (n *Node) indexOn(engine *pebble.Store, metrics prometheus.Registerer) (*holdings.Index, error) {
	opener, err := envelope.NewOpener(envelope.OpenerConfig{Secrets: n.sealingSecrets, Directory: n.Roll, Pending: n.cfg.Kafka.Pending})
	if err != nil {
		return nil, err
	}
	return holdings.New(holdings.Config{Engine: engine, Opener: opener, Schema: n.schema, Keeper: n.keeper, Rest: n.cfg.Kafka.rest(), Orders: n.orderVerifiers,
		Keys: n.indexKeys, Log: n.around.Log, Metrics: metrics, Now: n.around.Clock})
}

func (n *Node) keeper(t exchange.EvidenceType) (exchange.Department, bool) {
	e, ok := n.Catalogue.Evidence(t)
	return e.Keeper, ok
}

func (n *Node) fold(ctx context.Context, topic string) error {
	from, err := n.Index.Next(ctx, topic)
	if err != nil {
		return err
	}
	ends, err := n.Bus.EndOffsets(ctx, topic)
	if err != nil {
		return err
	}
	for partition, end := range ends {
		if from[partition] > end {
			return topicMadeAnew(topic, filepath.Join(n.cfg.Data, indexDir))
		}
	}
	if from, err = n.unnoticed(ctx, topic, from); err != nil {
		return err
	}
	return n.Bus.Follow(ctx, topic, from, n.followed(topic, func(ctx context.Context, msgs []exchange.Message) error {
		if err := n.Index.Fold(ctx, msgs); err != nil {
			return err
		}
		return n.Notices.Fold(ctx, msgs)
	}))
}

// keepFolding folds a topic, but for the time in which the authority is closed: then nothing can be opened, and nothing of it is lost.
func (n *Node) keepFolding(ctx context.Context, topic string) error {
	for {
		err := n.fold(ctx, topic)
		if err == nil || ctx.Err() != nil || !closedMeanwhile(err) {
			return err
		}
		n.around.Log.Warn("a topic is not folded while the authority is closed", "topic", topic)
		if err := n.await(ctx, func() (bool, error) { return n.open() == nil, nil }); err != nil {
			return err
		}
	}
}

// topicMadeAnew means that the index has folded more of a topic than there is: what stands there now would be passed over.
func topicMadeAnew(topic, index string) error {
	return &exchange.Problem{Code: "YM-IDX-0301", Kind: exchange.Conflict,
		What: exchange.Text{ZH: "主题比索引已折叠的还短：" + topic, EN: "the topic is shorter than what the index has folded of it: " + topic},
		Why:  exchange.Text{ZH: "主题多半被删除后重建，或连到了另一个 Kafka", EN: "it was deleted and made anew, or this is another Kafka"},
		Mend: exchange.Text{ZH: "核对 kafka.brokers；若主题确已重建，停止平台，删除 " + index + "，重新启动即从主题重建索引",
			EN: "check kafka.brokers; if the topic was made anew, stop the exchange, delete " + index + " and start: the index is folded again"}}
}

// answer sets up the broker, and the page that asks it.
func (n *Node) answer(context.Context) (err error) {
	if err = n.remember(); err != nil {
		return err
	}
	n.Broker, err = broker.New(broker.Config{Catalogue: n.Catalogue, Current: n.currentAt, Holdings: n.found(), Audit: timely{n.audit, n.clock}, Limits: n.Limits, Ready: n.mayAnswer,
		AtOnce: n.around.atOnce, Clock: n.around.Clock, Metrics: n.Metrics})
	if err != nil {
		return err
	}
	n.window, err = window.New(window.Config{Broker: n.Broker, Catalogue: n.Current, Door: n.door, Schemas: n.Registry.Evidence, Phone: n.cfg.HelpPhone,
		Log: n.around.Log, Clock: n.around.Clock})
	return err
}

// mayAnswer says why no query can be answered just now. It is asked before each, so it looks at memory only.
func (n *Node) mayAnswer() error {
	if err := cmp.Or(n.open(), n.clock.right()); err != nil {
		return err
	}
	return n.Ledger.Fresh(n.around.Clock())
}

// goes runs a part in the background; its error ends the node.
func (n *Node) goes(name string, part func(context.Context) error) {
	n.work.Go(func() {
		if err := part(n.life); err != nil {
			n.end(fmt.Errorf("%s: %w", name, err)) // without effect where the node has ended already
		}
	})
}

// URL is where the API answers.
func (n *Node) URL() string {
	if n.tls != nil {
		return "https://" + n.fronts[people].address
	}
	return "http://" + n.fronts[people].address
}

// DepartmentsURL is where departments call, enrol and renew.
func (n *Node) DepartmentsURL() string { return "https://" + n.fronts[departments].address }

// KafkaAddr is one broker's address.
func (n *Node) KafkaAddr() string { return n.brokers[0] }

// PublicKey is the key that adapters which sign by the suite seal to.
func (n *Node) PublicKey(ctx context.Context, suite envelope.Suite) ([]byte, error) {
	ring, err := n.ring(ctx, sealingKey)
	if err != nil {
		return nil, err
	}
	return envelope.PublicKey(suite, certs.InUse(ring, n.around.Clock()).Secret)
}

// Wait returns nil when ctx ends or the node was closed, or the error of a part that could not go on.
func (n *Node) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-n.life.Done():
		return n.broken()
	}
}

// broken is the error of a part that could not go on, nil while there is none.
func (n *Node) broken() error {
	if cause := context.Cause(n.life); !errors.Is(cause, errClosed) {
		return cause
	}
	return nil
}

// stopPatience is longer than a query may take, so that every question taken gets its answer.
const stopPatience = 10 * time.Second

// Close stops the parts in reverse order. It may be called twice.
func (n *Node) Close() error {
	n.closing.Do(func() { n.closed = n.shut() })
	return n.closed
}

func (n *Node) shut() error {
	n.hush()         // first: no new questions
	n.end(errClosed) // then what folds: the index must not close under it
	n.work.Wait()
	var all []error
	for _, part := range slices.Backward(n.close) {
		all = append(all, part())
	}
	return errors.Join(all...)
}
