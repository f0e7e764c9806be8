package node

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/journal"
)

const (
	// mostSkew is how far a node's clock may be from Kafka's. What is answered says as of when, and what is valid today: by a clock
	// that is further off, neither is to be told.
	mostSkew = time.Minute
	// compareAgain is how long a difference keeps queries out. Then one is let in as far as its entry, by which clocks are compared
	// again.
	compareAgain = time.Minute
)

// clock stands before the bus for what a node writes about itself and its queries. By the time at which Kafka says to have appended that, it
// compares the node's clock with Kafka's: the moment lies between the request and its answer, however long that took.
type clock struct {
	journal.Topics
	now   func() time.Time
	bound time.Duration
	log   *slog.Logger
	gauge prometheus.Gauge

	mu   sync.Mutex    // guards all below
	skew time.Duration // Kafka's clock less the node's, as far as that is certain
	at   time.Time     // when that was found, by the node's clock
}

func newClock(to journal.Topics, pending time.Duration, around Surroundings, metrics prometheus.Registerer) *clock {
	c := &clock{Topics: to, now: around.Clock, bound: mostSkew, log: around.Log}
	if pending < 0 {
		c.bound = math.MaxInt64
	}
	c.gauge = prometheus.NewGauge(prometheus.GaugeOpts{Name: "yimen_clock_skew_seconds",
		Help: "Kafka's clock less this node's, as last compared; beyond 60 either way nothing is answered."})
	metrics.MustRegister(c.gauge)
	return c
}

// Append appends as the bus does, and compares clocks where Kafka dates the topic's messages.
func (c *clock) Append(ctx context.Context, topic string, msgs []exchange.Message) error {
	if len(msgs) == 0 {
		return c.Topics.Append(ctx, topic, msgs)
	}
	claimed, asked := msgs[0].Time, c.now()
	err := c.Topics.Append(ctx, topic, msgs)
	if dated := msgs[0].Time; err == nil && !dated.Equal(claimed) {
		c.found(outside(asked, dated, c.now()))
	}
	return err
}

// outside is how far a moment of Kafka's clock lies outside the time between two of the node's, below 0 before it.
func outside(asked, dated, answered time.Time) time.Duration {
	switch {
	case dated.Before(asked):
		return dated.Sub(asked)
	case dated.After(answered):
		return dated.Sub(answered)
	}
	return 0
}

func (c *clock) found(skew time.Duration) {
	c.mu.Lock()
	was := c.skew
	c.skew, c.at = skew, c.now()
	c.mu.Unlock()
	c.gauge.Set(skew.Seconds())
	switch {
	case c.wrong(skew) && !c.wrong(was):
		c.log.Error("this node's clock and Kafka's are too far apart: nothing is answered", "kafka_is_ahead_by", skew)
	case c.wrong(was) && !c.wrong(skew):
		c.log.Info("this node's clock and Kafka's agree again", "kafka_is_ahead_by", skew)
	}
}

func (c *clock) wrong(skew time.Duration) bool { return skew.Abs() > c.bound }

// right says why nothing may be told by this clock. It looks at memory only.
func (c *clock) right() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.wrong(c.skew) || c.now().Sub(c.at).Abs() >= compareAgain {
		return nil
	}
	return clocksDiffer(c.skew)
}

// timely withholds the receipt of an entry, and with it the answer, where the entry shows that the clock is wrong.
type timely struct {
	*audit.Log
	clock *clock
}

func (t timely) Append(ctx context.Context, e audit.Entry) (audit.Receipt, error) {
	receipt, err := t.Log.Append(ctx, e)
	if err == nil {
		err = t.clock.right()
	}
	if err != nil {
		return audit.Receipt{}, err
	}
	return receipt, nil
}

func clocksDiffer(skew time.Duration) error {
	by := skew.Abs().Round(time.Second)
	slow := text(fmt.Sprintf("本节点的时钟比 Kafka 的慢 %v", by), fmt.Sprintf("this node's clock is %v behind Kafka's", by))
	if skew < 0 {
		slow = text(fmt.Sprintf("本节点的时钟比 Kafka 的快 %v", by), fmt.Sprintf("this node's clock is %v ahead of Kafka's", by))
	}
	return &exchange.Problem{Code: "YM-QRY-0304", Kind: exchange.Unavailable,
		What: text("时钟不一致，因此不给结论", "clocks do not agree, so there is no answer"),
		Why:  text(slow.ZH+"，最多可差 60 秒；是哪一个不准，这里看不出", slow.EN+", and 60 seconds are the most; which of them is wrong cannot be seen here"),
		Mend: text("在本机和各 Kafka 代理上核对时间同步（如 chronyc tracking、timedatectl）；改正后一分钟内自动继续",
			"see that this machine and Kafka's brokers keep time (as by chronyc tracking or timedatectl); the exchange goes on by itself within a minute")}
}
