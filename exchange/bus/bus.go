// Package bus appends messages to topics and follows them; it is the only package that speaks Kafka.
//
// Connect gives a Bus, which one process shares. Append returns once every replica that must have the
// messages has them. Follow hands over what stands on a topic, and what comes, until its context ends.
// Both outlive broker restarts: they try again for as long as the context of the call lasts.
//
// kafka-go has no idempotent producer, so a message can stand on a topic twice after a lost connection.
// Nothing acknowledged is lost, and what one caller appends to one partition keeps its order.
package bus

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	kafka "github.com/segmentio/kafka-go"

	"github.com/onedoor/yimen/exchange"
)

const (
	requestTimeout = 10 * time.Second // one request; the broker is told half of it
	metadataTTL    = 2 * time.Second  // how long a change made by others (a new partition) may go unseen
)

// Config says where Kafka is and who is calling.
type Config struct {
	Brokers  []string              // host:port of some of the brokers; the others are learnt from them
	ClientID string                // the name in the brokers' logs and quotas
	TLS      *tls.Config           // nil: plain text, for the embedded broker; each new connection asks GetClientCertificate
	Log      *slog.Logger          // nil: silent
	Metrics  prometheus.Registerer // nil: counted but not shown
	// Gather names topics of many small messages whose followers would rather have many at once, and for how long a broker may gather
	// them. The first message after a silence comes at once all the same.
	Gather map[string]time.Duration
	// Read names topics that several follow here, and what each of them would make of a message first. It is made once, of several
	// messages at the same time and in no order, and stands in the message's Read for all of them.
	Read map[string]func(key, value []byte) any
}

// Bus is a connection to Kafka. It is safe for concurrent use.
type Bus struct {
	brokers string // for messages
	tls     *tls.Config
	log     *slog.Logger
	metrics *metrics
	gather  map[string]time.Duration
	reading map[string]func(key, value []byte) any
	wires   *wires
	client  *kafka.Client

	life context.Context // ends with Close
	end  context.CancelCauseFunc
	work sync.WaitGroup // every Append, Follow and sender

	mu        sync.Mutex // guards all below
	closed    bool
	refreshed time.Time
	layouts   map[string]layout
	lanes     map[place]*lane
	asking    map[spot]*asked
}

type place struct {
	topic     string
	partition int
}

// spot is a place's message at an offset, and for how long the broker may gather more behind it; 0: it has it sent at once.
type spot struct {
	place
	offset int64
	gather time.Duration
}

// Connect prepares a Bus. It does not wait for Kafka to be there: Ping does.
func Connect(config Config) (*Bus, error) {
	if len(config.Brokers) == 0 {
		return nil, badAddress("")
	}
	for _, address := range config.Brokers {
		if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" {
			return nil, badAddress(address)
		}
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	metrics, err := newMetrics(config.Metrics)
	if err != nil {
		return nil, err
	}
	b := &Bus{
		brokers: strings.Join(config.Brokers, ","),
		tls:     config.TLS,
		log:     config.Log,
		metrics: metrics,
		gather:  config.Gather,
		reading: config.Read,
		layouts: make(map[string]layout),
		lanes:   make(map[place]*lane),
		asking:  make(map[spot]*asked),
	}
	b.life, b.end = context.WithCancelCause(context.Background())
	b.wires = newWires(config)
	b.client = &kafka.Client{
		Addr:      kafka.TCP(config.Brokers...),
		Timeout:   requestTimeout,
		Transport: b.wires.transport,
	}
	return b, nil
}

// Close ends what is running and waits for it. An Append that was waiting returns an error:
// its messages may or may not stand on the topic.
func (b *Bus) Close() error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.end(errClosed)
	b.work.Wait()
	b.wires.close()
	return nil
}

// Ping asks a broker for an answer, once.
func (b *Bus) Ping(ctx context.Context) error {
	ctx, leave, err := b.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	answer, err := b.client.ApiVersions(ctx, &kafka.ApiVersionsRequest{})
	if err == nil {
		err = answer.Error
	}
	if err != nil {
		b.refresh()
		return b.unreachable(exchange.Text{ZH: "探测 Kafka", EN: "ping Kafka"}, err)
	}
	return nil
}

// enter registers a call, so that Close waits for it, and gives a context that ends with the bus too.
func (b *Bus) enter(ctx context.Context) (context.Context, func(), error) {
	if err := b.join(); err != nil {
		return nil, nil, err
	}
	ctx, end := b.within(ctx)
	return ctx, func() { end(); b.work.Done() }, nil
}

// join registers a call, which is over with work.Done.
func (b *Bus) join() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return b.shut()
	}
	b.work.Add(1)
	return nil
}

// within gives a context that ends with the bus too.
func (b *Bus) within(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(b.life, func() { cancel(errClosed) })
	return ctx, func() { stop(); cancel(nil) }
}

// errClosed is the cause of a context that Close ended.
var errClosed = errors.New("the bus was closed")
