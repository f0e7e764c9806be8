package vault

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/onedoor/yimen/certs"
)

// pause is how long to wait before Vault is looked at again while it cannot be relied on: so that all nodes are back within
// five seconds, and not all at once.
func pause() time.Duration { return time.Second + rand.N(time.Second) }

// tend looks at Vault until the authority is closed: as often as is set while it answers, and every second or two while it
// does not.
func (a *Authority) tend() {
	for {
		wait := pause()
		if a.State() == certs.OK {
			wait = a.config.Refresh*4/5 + rand.N(a.config.Refresh*2/5+1)
		}
		timer := time.NewTimer(wait)
		select {
		case <-a.life.Done():
			timer.Stop()
			return
		case <-a.wake:
			timer.Stop()
		case <-timer.C:
		}
		a.tendOnce()
	}
}

// tendOnce asks for no more than it must where Vault was away: many nodes do it at once when it is back.
func (a *Authority) tendOnce() {
	ctx, give, err := a.take(a.life)
	if err != nil {
		return
	}
	defer give() // after settling: what somebody else finds out later stands
	act, look := "refresh", a.refresh
	if a.wasAway() {
		act, look = "probe", a.probe
	}
	err = a.asking(ctx, look)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		a.metrics.failed(act, err)
	}
	a.settle(err)
	a.expire()
}

func (a *Authority) wasAway() bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return why(a.trouble).away() || a.state() == certs.Closed
}

// look has Vault looked at soon.
func (a *Authority) look() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// refresh asks for all that may have changed, and begins the time anew for which secrets may be held. The turn is held.
func (a *Authority) refresh(ctx context.Context) error {
	began := a.clock()
	if err := a.learn(ctx, a.config.Timeout); err != nil {
		return err
	}
	doc, _, err := a.fetch(ctx, a.config.Timeout)
	if err != nil {
		return err
	}
	return a.unwrapAnew(ctx, a.asked(doc), began)
}

// probe finds out whether Vault is back by the one request by which secrets can be used again. The turn is held.
func (a *Authority) probe(ctx context.Context) error {
	began := a.clock()
	rings := a.remembered()
	if len(rings) == 0 {
		if _, err := a.read(ctx, a.config.Timeout, "auth/token/lookup-self"); err != nil {
			return err
		}
	}
	return a.unwrapAnew(ctx, rings, began)
}

func (a *Authority) unwrapAnew(ctx context.Context, rings map[string][]wrapped, began time.Time) error {
	keys, err := a.unwrap(ctx, a.config.Timeout, rings)
	if err != nil {
		return err
	}
	return a.hold(rings, keys, began.Add(a.config.Hold))
}

// settle notes how Vault is, and logs what changes by it.
func (a *Authority) settle(trouble error) {
	a.mu.Lock()
	before, alarmed := a.state(), why(a.trouble) == stolen
	a.trouble = trouble
	after := a.state()
	a.mu.Unlock()
	switch {
	case why(trouble) == stolen && !alarmed:
		a.alarm(trouble)
	case before == after:
	case after == certs.OK:
		a.log.Info("Vault can be relied on again", "address", a.config.Address, "was", string(before))
	default:
		a.log.Warn("Vault cannot be relied on", "address", a.config.Address, "state", string(after), "reason", string(why(trouble)), "error", trouble)
	}
}

func (a *Authority) alarm(err error) {
	a.log.Error("ALARM: the wrapped secret-id cannot be opened, somebody else may have opened it", "address", a.config.Address, "error", err)
}

// expire gives up what is held when its time is over.
func (a *Authority) expire() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.state() == certs.Closed && a.drop() {
		a.log.Error("the time for which secrets may be held without Vault is over; they are given up", "address", a.config.Address, "hold", a.config.Hold)
	}
}
