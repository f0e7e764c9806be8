package vault

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
)

// held is a ring that somebody has asked for: as Vault keeps it, and unwrapped until that is given up.
type held struct {
	wrapped []wrapped
	keys    []certs.Key
}

// Ring is every version of the secret. A name that was asked for before is answered from memory. A new one is fetched or
// drawn, and refused at once while Vault cannot be relied on.
func (a *Authority) Ring(ctx context.Context, name string) ([]certs.Key, error) {
	keys, err := a.recall(name)
	if err != nil || keys != nil {
		return keys, err
	}
	if _, err := a.keep(ctx, name, false); err != nil {
		return nil, a.problem(exchange.Text{ZH: "未能取得密钥 " + name, EN: "the secret " + name + " cannot be had"}, err)
	}
	return a.recall(name)
}

// Rotate draws the next version of the secret. Other nodes learn of it within a Refresh.
func (a *Authority) Rotate(ctx context.Context, name string) (certs.Key, error) {
	version, err := a.keep(ctx, name, true)
	if err != nil {
		return certs.Key{}, a.problem(exchange.Text{ZH: "未能更换密钥 " + name, EN: "the secret " + name + " cannot be rotated"}, err)
	}
	keys, err := a.recall(name)
	if err != nil {
		return certs.Key{}, err
	}
	return keys[version-1], nil
}

// recall answers from memory: nil where nobody has asked for the name yet.
func (a *Authority) recall(name string) ([]certs.Key, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.state() == certs.Closed {
		if a.trouble == nil { // nobody has noticed yet, as when the clock jumped
			a.look()
		}
		return nil, a.away(exchange.Text{ZH: "密钥的保留时间已过，暂停应答", EN: "the time for which secrets may be held is over; nothing is answered"}, a.trouble)
	}
	ring := a.held[name]
	if ring == nil {
		return nil, nil
	}
	return copied(ring.keys), nil
}

func copied(ring []certs.Key) []certs.Key {
	out := make([]certs.Key, len(ring))
	for i, key := range ring {
		key.Secret = slices.Clone(key.Secret)
		out[i] = key
	}
	return out
}

// keep has the ring held, drawn where there is none, and with a version more where next says so. It gives the last version.
func (a *Authority) keep(ctx context.Context, name string, next bool) (version int, err error) {
	if !exchange.ValidName(name) {
		return 0, &fault{reason: refused, said: fmt.Sprintf("%q is no name of a secret", name)}
	}
	err = a.attend(ctx, "keep", func(ctx context.Context) error {
		version, err = a.extend(ctx, name, next)
		return err
	})
	return version, err
}

// extend reads the ring, adds a version where one is wanted, and holds it. Of several nodes one adds each version: a change
// names the document that it changes, and whoever comes second begins anew.
func (a *Authority) extend(ctx context.Context, name string, next bool) (version int, err error) {
	for {
		doc, number, err := a.fetch(ctx, longest)
		if err != nil {
			return 0, err
		}
		ring := doc.Rings[name]
		added := next || len(ring) == 0
		if added {
			drawn, err := a.draw(ctx, name, len(ring)+1)
			if err != nil {
				return 0, err
			}
			ring = append(ring, drawn)
			doc.Rings[name] = ring
			if added, err = a.put(ctx, longest, doc, number); err != nil {
				return 0, err
			}
			if !added {
				continue
			}
		}
		rings := map[string][]wrapped{name: ring}
		keys, err := a.unwrap(ctx, longest, rings)
		if err != nil {
			return 0, err
		}
		return len(ring), a.hold(rings, keys, time.Time{})
	}
}

// complete says whether the document has all that is held. What was protected by a version that is lost could not be read
// again, so such a document is neither taken nor changed.
func (a *Authority) complete(doc document) error {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for name, ring := range a.held {
		if len(doc.Rings[name]) < len(ring.wrapped) {
			return &fault{reason: spoilt, said: "the secrets' document has lost versions of " + name}
		}
	}
	return nil
}

// asked are the rings that are held, as the document has them.
func (a *Authority) asked(doc document) map[string][]wrapped {
	a.mu.RLock()
	defer a.mu.RUnlock()
	rings := make(map[string][]wrapped, len(a.held))
	for name := range a.held {
		rings[name] = doc.Rings[name]
	}
	return rings
}

// remembered are the rings as they were read last.
func (a *Authority) remembered() map[string][]wrapped {
	a.mu.RLock()
	defer a.mu.RUnlock()
	rings := make(map[string][]wrapped, len(a.held))
	for name, ring := range a.held {
		rings[name] = ring.wrapped
	}
	return rings
}

// hold keeps rings in memory, until then where a time is given. A version once held does not change.
func (a *Authority) hold(rings map[string][]wrapped, keys map[string][]certs.Key, until time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for name := range rings {
		before := a.held[name]
		if before == nil {
			continue
		}
		for i, key := range before.keys {
			if !slices.Equal(key.Secret, keys[name][i].Secret) {
				return &fault{reason: spoilt, said: fmt.Sprintf("version %d of %s is another than before", key.Version, name)}
			}
		}
	}
	for name, ring := range rings {
		a.held[name] = &held{wrapped: ring, keys: keys[name]}
	}
	if !until.IsZero() {
		a.until = until
	}
	return nil
}

// drop gives up what is unwrapped, and says whether there was something. a.mu is held.
func (a *Authority) drop() (some bool) {
	for _, ring := range a.held {
		for _, key := range ring.keys {
			clear(key.Secret)
			some = true
		}
		ring.keys = nil
	}
	return some
}
