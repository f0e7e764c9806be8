package node

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/bus/embedded"
	"github.com/onedoor/yimen/exchange/catalogue"
)

// Cluster is the Kafka of a configuration, for those who look after it rather than run a node.
type Cluster struct {
	Bus       *bus.Bus
	Catalogue *catalogue.Catalogue
	Topics    []bus.Topic // what the catalogue needs
}

// OpenCluster prepares a connection to a real cluster. It does not wait for it to be there.
func OpenCluster(cfg Config, around Surroundings) (*Cluster, error) {
	cfg = cfg.withDefaults()
	if len(cfg.Kafka.Brokers) == 0 {
		return nil, &exchange.Problem{Code: "YM-CFG-0110", Kind: exchange.Invalid,
			What: text("配置没有写真实的 Kafka 集群", "the configuration names no real Kafka"),
			Why:  text("内嵌 Kafka 由节点自己照管，没有访问控制", "the embedded one is looked after by its node, and controls no access"),
			Mend: text("在 kafka.brokers 写明集群的地址", "name the cluster's addresses in kafka.brokers")}
	}
	if err := directories(cfg.Catalogue); err != nil {
		return nil, err
	}
	c, err := catalogue.Load(catalogueParts(cfg, around)...)
	if err != nil {
		return nil, err
	}
	connected, err := cfg.Kafka.open(cfg.Kafka.Brokers, around.Log, nil, nil)
	if err != nil {
		return nil, err
	}
	return &Cluster{Bus: connected, Catalogue: c, Topics: Topics(c, cfg.Kafka)}, nil
}

// Close ends the connection.
func (c *Cluster) Close() error { return c.Bus.Close() }

// reading is what is made of a topic's messages once, for all who follow it here; see bus.Config.
type reading = map[string]func(key, value []byte) any

func (k Kafka) open(brokers []string, log *slog.Logger, metrics prometheus.Registerer, read reading) (*bus.Bus, error) {
	config, err := k.TLS.load(log)
	if err != nil {
		return nil, err
	}
	return bus.Connect(bus.Config{Brokers: brokers, ClientID: "yimen", TLS: config, Log: log, Metrics: metrics, Gather: gather, Read: read})
}

// connect starts the embedded broker, if it is to be, sees to it that every topic is there, and refuses a real Kafka that
// could lose records.
func (n *Node) connect(ctx context.Context) error {
	brokers := n.cfg.Kafka.Brokers
	own := len(brokers) == 0
	if own {
		broker, err := embedded.Start(embedded.Config{Dir: filepath.Join(n.cfg.Data, kafkaDir), Addr: n.cfg.Kafka.Listen, Log: n.around.Log})
		if err != nil {
			return err
		}
		n.close = append(n.close, func() error { broker.Close(); return nil })
		brokers = []string{broker.Addr()}
	}
	n.brokers = brokers
	connected, err := n.cfg.Kafka.open(brokers, n.around.Log, n.Metrics, reading{audit.Topic: n.recent.Read})
	if err != nil {
		return err
	}
	n.Bus, n.clock = connected, newClock(connected, n.cfg.Kafka.Pending, n.around, n.Metrics)
	n.close = append(n.close, connected.Close)
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Kafka.Wait)
	defer cancel()
	topics := Topics(n.Catalogue, n.cfg.Kafka)
	if own {
		if err := n.mend(ctx, topics); err != nil {
			return err
		}
	}
	if err := n.Bus.Ensure(ctx, topics); err != nil || own {
		return err
	}
	return n.Bus.Safe(ctx, topics)
}

// mend brings the topics of the embedded broker up to date: an older version made them, and nobody else looks after them.
func (n *Node) mend(ctx context.Context, topics []bus.Topic) error {
	missing, err := n.Bus.Missing(ctx, topics)
	if err != nil {
		return err
	}
	there := slices.DeleteFunc(slices.Clone(topics), func(t bus.Topic) bool {
		return slices.ContainsFunc(missing, func(m bus.Topic) bool { return m.Name == t.Name })
	})
	findings, err := n.Bus.Findings(ctx, there)
	if err != nil {
		return err
	}
	return n.Bus.Mend(ctx, findings)
}

// gather is for the topic that has a message for every query of the city, and three followers on each node: to take a few messages at a
// time costs them more than the messages do. What a node has not heard of for so long others may already count.
var gather = map[string]time.Duration{audit.Topic: 25 * time.Millisecond}
