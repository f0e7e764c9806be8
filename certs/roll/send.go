package roll

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// waiting are senders that wait for what becomes of their entries.
type waiting struct {
	mu   sync.Mutex
	told map[nonce]chan error
}

func (w *waiting) enter(n nonce) <-chan error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.told == nil {
		w.told = map[nonce]chan error{}
	}
	c := make(chan error, 1)
	w.told[n] = c
	return c
}

func (w *waiting) leave(n nonce) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.told, n)
}

// tell passes the first outcome on: an entry that stands twice is void the second time.
func (w *waiting) tell(o outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c, here := w.told[o.nonce]; here {
		c <- o.err
		delete(w.told, o.nonce)
	}
}

// send signs an entry, appends it, and waits until the own fold says what became of it: nil where it was taken.
func (r *Roll) send(ctx context.Context, e *entry) error {
	ctx, cancel := context.WithTimeout(ctx, r.patience.answer)
	defer cancel()
	e.Format, e.At = entryFormat, r.cfg.Clock().UTC().Round(time.Millisecond)
	if _, err := io.ReadFull(r.cfg.Random, e.Nonce[:]); err != nil {
		return fmt.Errorf("number an entry of the roll: %w", err)
	}
	value, err := e.bytes()
	if err != nil {
		return fmt.Errorf("write an entry of the roll: %w", err)
	}
	m := exchange.Message{Topic: Topic, Key: []byte(e.key()), Value: value}
	key, err := r.signer(ctx)
	if err != nil {
		return err
	}
	envelope.SignOrder(key, &m)
	told := r.waiting.enter(e.Nonce)
	defer r.waiting.leave(e.Nonce)
	if err := r.append(ctx, m, told); err != nil {
		return err
	}
	select {
	case err := <-told:
		return err
	case <-ctx.Done():
		return tooSlow(context.Cause(ctx))
	}
}

// append puts the message onto the topic. After an error it may stand there or not: it is sent again as it is, until it is
// acknowledged or the own fold has seen it.
func (r *Roll) append(ctx context.Context, m exchange.Message, told <-chan error) error {
	for {
		err := r.cfg.Topics.Append(ctx, Topic, []exchange.Message{m})
		switch kind := exchange.KindOf(err); {
		case err == nil || len(told) > 0:
			return nil
		case kind == exchange.Invalid || kind == exchange.Denied || kind == exchange.NotFound:
			return busDown(err)
		}
		r.cfg.Log.Warn("the acknowledgement of an entry was lost; sending it again", "topic", Topic, "error", err)
		if sleep(ctx, r.patience.retry) != nil {
			return tooSlow(err)
		}
	}
}
