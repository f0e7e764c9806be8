// Package node builds a running exchange from one Config, starts it, and stops it in reverse order.
package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/bus/embedded"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/holdings"
	"github.com/onedoor/yimen/exchange/holdings/pebble"
	"github.com/onedoor/yimen/schemas"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Surroundings are what a node takes from the process it runs in.
type Surroundings struct {
	Log   *slog.Logger
	Clock func() time.Time
	// Catalogue is added to the configured directories; the demo brings its city this way.
	Catalogue []fs.FS
}

// Node is a running exchange.
type Node struct {
	Catalogue *catalogue.Catalogue
	Schemas   *schemas.Set
	Bus       *bus.Bus
	Broker    *broker.Broker
	Index     *holdings.Index
	Keys      *certs.Local
	Metrics   *prometheus.Registry

	cfg     Config
	around  Surroundings
	address string
	kafka   string
	failed  chan error // the first error of what runs in the background

	stop   context.CancelFunc
	work   sync.WaitGroup
	server *http.Server
	close  []func() error // in the order of starting
}

// Names of keys and directories below Config.Data.
const (
	keysDir  = "keys"
	indexDir = "index"
	kafkaDir = "kafka"

	sealingKey = "exchange"
	tokenKey   = "holder-token"
	indexKey   = "index"
	auditKey   = "audit-token"
)

// Start builds the exchange bottom-up. What was started is stopped again when a later part cannot be.
func Start(ctx context.Context, cfg Config, around Surroundings) (*Node, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	n := &Node{cfg: cfg, around: around, stop: stop, failed: make(chan error, 1), Metrics: prometheus.NewRegistry()}
	for _, part := range []func(context.Context, context.Context) error{n.learn, n.connect, n.index, n.answer, n.serve} {
		if err := part(ctx, life); err != nil {
			return nil, errors.Join(err, n.Close())
		}
	}
	return n, nil
}

// learn reads what the exchange knows before any record: keys, schemas, catalogue.
func (n *Node) learn(context.Context, context.Context) (err error) {
	n.Metrics.MustRegister(collectors.NewGoCollector(), collectors.NewBuildInfoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if n.Keys, err = certs.OpenLocal(filepath.Join(n.cfg.Data, keysDir)); err != nil {
		return err
	}
	if n.Schemas, err = loadSchemas(n.cfg.Schemas); err != nil {
		return err
	}
	parts := append([]fs.FS{catalogue.Builtin()}, n.around.Catalogue...)
	for _, dir := range n.cfg.Catalogue {
		parts = append(parts, os.DirFS(dir))
	}
	n.Catalogue, err = catalogue.Load(parts...)
	return err
}

func loadSchemas(dirs []string) (*schemas.Set, error) {
	set, err := schemas.Builtin()
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		more, err := schemas.Load(os.DirFS(dir), ".")
		if err != nil {
			return nil, err
		}
		set = set.With(more.All()...)
	}
	return set, nil
}

// connect starts the embedded broker, if it is to be, and sees to it that every topic is there.
func (n *Node) connect(ctx, _ context.Context) error {
	brokers := n.cfg.Kafka.Brokers
	if len(brokers) == 0 {
		own, err := embedded.Start(embedded.Config{Dir: filepath.Join(n.cfg.Data, kafkaDir), Addr: n.cfg.Kafka.Listen})
		if err != nil {
			return err
		}
		n.close = append(n.close, func() error { own.Close(); return nil })
		brokers = []string{own.Addr()}
	}
	n.kafka = brokers[0]
	connected, err := bus.Connect(bus.Config{Brokers: brokers, ClientID: "yimen", Log: n.around.Log, Metrics: n.Metrics})
	if err != nil {
		return err
	}
	n.Bus = connected
	n.close = append(n.close, connected.Close)
	return n.Bus.Ensure(ctx, topicsOf(n.Catalogue, n.cfg.Kafka))
}

// index opens the index and begins to fold the topics into it.
func (n *Node) index(_, life context.Context) error {
	private, _, err := n.Keys.KeyPair(sealingKey, envelope.GenerateKey)
	if err != nil {
		return err
	}
	opener, err := envelope.NewOpener(private)
	if err != nil {
		return err
	}
	tokens, err := n.Keys.Secret(tokenKey)
	if err != nil {
		return err
	}
	seal, err := n.Keys.Secret(indexKey)
	if err != nil {
		return err
	}
	engine, err := pebble.Open(pebble.Config{Dir: filepath.Join(n.cfg.Data, indexDir), CacheBytes: int64(n.cfg.CacheMiB) << 20})
	if err != nil {
		return err
	}
	n.close = append(n.close, engine.Close)
	n.Index, err = holdings.New(holdings.Config{Engine: engine, Opener: opener, Schemas: n.Schemas, Keeper: n.keeper,
		TokenKey: tokens, SealKey: seal, Log: n.around.Log, Metrics: n.Metrics})
	if err != nil {
		return err
	}
	for _, topic := range folded(n.Catalogue) {
		n.goes(life, "fold "+topic, func(ctx context.Context) error { return n.fold(ctx, topic) })
	}
	return nil
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
	return n.Bus.Follow(ctx, topic, from, n.Index.Fold)
}

// answer sets up the broker with its audit log.
func (n *Node) answer(context.Context, context.Context) error {
	key, err := n.Keys.Secret(auditKey)
	if err != nil {
		return err
	}
	log, err := audit.New(audit.Config{Appender: n.Bus, Key: key, Clock: n.around.Clock, Metrics: n.Metrics})
	if err != nil {
		return err
	}
	n.Broker, err = broker.New(broker.Config{Catalogue: n.Catalogue, Holdings: n.Index, Audit: log, Clock: n.around.Clock, Metrics: n.Metrics})
	return err
}

// serve opens the HTTP address.
func (n *Node) serve(_, life context.Context) error {
	if n.cfg.Callers == "" {
		return configProblem("", fmt.Errorf("callers is missing"))
	}
	callers, err := api.LoadCallers(n.cfg.Callers)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", n.cfg.HTTP)
	if err != nil {
		return httpTaken(n.cfg.HTTP, err)
	}
	n.address = listener.Addr().String()
	server := &http.Server{
		Handler: api.New(api.Config{Broker: n.Broker, Catalogue: n.Catalogue, Callers: callers, Ready: n.checks(),
			Metrics: n.Metrics, Log: n.around.Log, Clock: n.around.Clock}),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(n.around.Log.Handler(), slog.LevelDebug),
	}
	n.server = server
	n.goes(life, "watch lag", n.watchLag)
	n.goes(life, "serve HTTP", func(context.Context) error {
		err := n.listen(server, listener)
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	})
	return nil
}

func (n *Node) listen(server *http.Server, listener net.Listener) error {
	if n.cfg.TLS.Cert != "" {
		return server.ServeTLS(listener, n.cfg.TLS.Cert, n.cfg.TLS.Key)
	}
	return server.Serve(listener)
}

func httpTaken(address string, err error) error {
	return &exchange.Problem{Code: "YM-CFG-0102", Kind: exchange.Conflict, Err: err,
		What: exchange.Text{ZH: "HTTP 地址不可用：" + address, EN: "HTTP address cannot be used: " + address},
		Why:  exchange.Text{ZH: "端口可能已被占用", EN: "the port may be in use"},
		Mend: exchange.Text{ZH: "用 --http 指定另一地址，例如 --http 127.0.0.1:0 自动选择空闲端口", EN: "name another with --http, such as --http 127.0.0.1:0 for any free port"}}
}

// goes runs a part in the background; its error ends the node.
func (n *Node) goes(life context.Context, name string, part func(context.Context) error) {
	n.work.Go(func() {
		if err := part(life); err != nil && life.Err() == nil {
			select {
			case n.failed <- fmt.Errorf("%s: %w", name, err):
			default: // a first error is on its way already
			}
		}
	})
}

// URL is where the API answers.
func (n *Node) URL() string {
	if n.cfg.TLS.Cert != "" {
		return "https://" + n.address
	}
	return "http://" + n.address
}

// KafkaAddr is one broker's address.
func (n *Node) KafkaAddr() string { return n.kafka }

// PublicKey is the key that adapters seal to.
func (n *Node) PublicKey() ([]byte, error) {
	_, public, err := n.Keys.KeyPair(sealingKey, envelope.GenerateKey)
	return public, err
}

// Wait returns nil when ctx ends, or the error of a part that could not go on.
func (n *Node) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-n.failed:
		return err
	}
}

// Close stops the parts in reverse order.
func (n *Node) Close() error {
	var all []error
	if n.server != nil { // first: no new questions
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		all = append(all, n.server.Shutdown(ctx), n.server.Close())
	}
	n.stop() // then what folds: the index must not close under it
	n.work.Wait()
	for _, part := range slices.Backward(n.close) {
		all = append(all, part())
	}
	n.close = nil
	return errors.Join(all...)
}
