package journal

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// askAgain is how soon the topic is followed again after it could not be.
const askAgain = time.Second

// Run folds the topic until ctx ends. It outlives Kafka and the keys being away.
func (j *Journal) Run(ctx context.Context) error {
	for {
		err := j.follow(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if exchange.KindOf(err) == exchange.Conflict { // the topic is not as it must be
			return err
		}
		j.cfg.Log.Warn("a topic is not being followed; beginning again", "topic", j.cfg.Topic, "error", err)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(askAgain):
		}
	}
}

func (j *Journal) follow(ctx context.Context) error {
	ends, err := j.cfg.Topics.EndOffsets(ctx, j.cfg.Topic)
	if err != nil {
		return err
	}
	if len(ends) != 1 {
		return j.severalPartitions(len(ends))
	}
	j.mu.RLock()
	from := map[int]int64{0: j.next}
	j.mu.RUnlock()
	return j.cfg.Topics.Follow(ctx, j.cfg.Topic, from, j.take)
}

// outcome is what became of a message.
type outcome struct {
	id     string
	reason string // for the metric, where there is an error
	err    error
}

// take folds messages of the topic. While the keys that verify them cannot be had nothing can be said of them: they come again.
func (j *Journal) take(ctx context.Context, messages []exchange.Message) error {
	keys, err := j.cfg.Keys.Verifiers(ctx)
	if err != nil {
		return err
	}
	j.mu.RLock()
	next := j.next
	j.mu.RUnlock()
	outcomes, moved := make([]outcome, len(messages)), false
	for i := range messages {
		if messages[i].Offset < next {
			continue // a message can come twice
		}
		next = messages[i].Offset + 1
		outcomes[i] = j.one(&messages[i], keys)
		moved = moved || outcomes[i].id != "" && outcomes[i].err == nil
	}
	if moved {
		j.cfg.Moved(next)
	}
	j.tell(next, outcomes)
	j.report(messages, outcomes)
	return nil
}

// one folds a message.
func (j *Journal) one(m *exchange.Message, keys []ed25519.PublicKey) outcome {
	if !signed(m, keys) {
		return outcome{reason: "not_signed", err: envelope.ErrNotSigned}
	}
	for _, book := range j.books {
		switch id, err := book.Fold(m); {
		case id != "":
			return outcome{id, "void", err}
		case err != nil:
			return outcome{reason: "malformed", err: err}
		}
	}
	return outcome{reason: "unknown", err: fmt.Errorf("entry of a kind that nobody keeps a book of")}
}

func signed(m *exchange.Message, keys []ed25519.PublicKey) bool {
	for _, key := range keys {
		if envelope.VerifyOrder(key, m) == nil {
			return true
		}
	}
	return false
}

// tell wakes all who wait.
func (j *Journal) tell(next int64, outcomes []outcome) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, o := range outcomes {
		if _, waits := j.told[o.id]; waits && o.err != ErrRepeated {
			j.told[o.id] = o.err
		}
	}
	j.next = next
	close(j.changed)
	j.changed = make(chan struct{})
}

// report counts what was passed over. It logs the last of a reason only: there may be very many.
func (j *Journal) report(messages []exchange.Message, outcomes []outcome) {
	last := map[string]int64{}
	for i, o := range outcomes {
		if o.err != nil {
			j.refused.WithLabelValues(o.reason).Inc()
			last[o.reason] = messages[i].Offset
		}
	}
	for reason, offset := range last { // without the error: it may name a clerk
		j.cfg.Log.Warn("entries passed over", "topic", j.cfg.Topic, "up to offset", offset, "reason", reason)
	}
}
