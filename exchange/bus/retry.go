package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	kafka "github.com/segmentio/kafka-go"

	"github.com/onedoor/yimen/exchange"
)

// retry tries until it works, until an error says that trying again is of no use, or until ctx ends.
// Failures that last are logged twice: when that is clear and when they are over.
func retry[T any](ctx context.Context, b *Bus, act, topic string, hopeless func(error) bool, try func() (T, error)) (T, error) {
	const lasting = time.Second
	var last error
	var began time.Time
	tries, told := 0, false
	v, err := backoff.Retry(ctx, func() (T, error) {
		v, err := try()
		switch {
		case err == nil || ctx.Err() != nil:
			return v, err
		case hopeless(err):
			return v, backoff.Permanent(err)
		}
		if last = err; tries == 0 {
			began = time.Now()
		}
		tries++
		if !told && time.Since(began) > lasting {
			told = true
			b.log.Warn("Kafka does not answer as it should, trying again", "act", act, "topic", topic, "brokers", b.brokers, "failures", tries, "error", err)
		}
		b.metrics.retries.WithLabelValues(topic, act).Inc()
		b.refresh()
		return v, err
	}, backoff.WithBackOff(pauses()), backoff.WithMaxElapsedTime(0))
	if err == nil && told {
		b.log.Info("Kafka answers again", "act", act, "topic", topic, "failures", tries, "after", time.Since(began).Round(time.Millisecond))
	}
	if cause := context.Cause(ctx); err != nil && cause != nil && last != nil {
		err = fmt.Errorf("%w; last failure: %w", cause, last)
	}
	return v, err
}

// pauses are the waits between tries: at once first, never above a second.
func pauses() backoff.BackOff {
	return &backoff.ExponentialBackOff{
		InitialInterval:     10 * time.Millisecond,
		RandomizationFactor: 0.5,
		Multiplier:          2,
		MaxInterval:         650 * time.Millisecond, // times 1.5 at most
	}
}

// final says whether a broker's answer is its last word. Everything that is not an answer (a lost
// connection, a time-out, a leader not known yet) may pass.
func final(err error) bool {
	var problem *exchange.Problem
	if errors.As(err, &problem) {
		return true
	}
	var answer kafka.Error
	if !errors.As(err, &answer) {
		return false
	}
	return !answer.Temporary() && answer != kafka.BrokerNotAvailable && answer != kafka.ReplicaNotAvailable
}

// refresh drops what is known of the cluster, and the connections, so that the next request learns both
// anew: after a restart every idle connection is dead, and the leader may be another.
func (b *Bus) refresh() {
	const atMostEvery = 200 * time.Millisecond
	b.mu.Lock()
	defer b.mu.Unlock()
	if time.Since(b.refreshed) < atMostEvery {
		return
	}
	b.refreshed = time.Now()
	clear(b.layouts)
	b.wires.transport.CloseIdleConnections()
}
