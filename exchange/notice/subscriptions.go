package notice

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"strings"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/envelope"
)

// foldSubscriptions folds their topic from its beginning: what is kept in memory is what is in force.
func (o *Office) foldSubscriptions(ctx context.Context) error {
	from := func() (map[int]int64, error) {
		o.mu.RLock()
		defer o.mu.RUnlock()
		return map[int]int64{0: o.board.next}, nil
	}
	return o.again(ctx, SubscriptionsTopic, from, o.take)
}

// take folds entries. While the keys that verify them cannot be had, nothing can be said of them: they come again.
func (o *Office) take(ctx context.Context, msgs []exchange.Message) error {
	keys, err := o.cfg.Keys.Verifiers(ctx)
	if err != nil {
		return err
	}
	for i := range msgs {
		if err := o.one(ctx, &msgs[i], keys); err != nil {
			return err
		}
	}
	call(o.looks)
	return nil
}

// one folds an entry. It comes again where the store errs, so memory follows the store, but for a subscription: whoever looks at its
// case's records must find it.
func (o *Office) one(ctx context.Context, m *exchange.Message, keys []ed25519.PublicKey) error {
	o.mu.RLock()
	known := m.Offset < o.board.next
	o.mu.RUnlock()
	if known {
		return nil
	}
	e, reason := readEntry(m, keys)
	if reason != "" {
		o.metrics.refused.WithLabelValues(reason).Inc()
		o.cfg.Log.Warn("entry of a subscription passed over", "offset", m.Offset, "reason", reason)
	} else if err := o.follow(ctx, e); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if e != nil {
		o.board.fold(e)
	}
	o.board.next = m.Offset + 1
	close(o.changed)
	o.changed = make(chan struct{})
	return nil
}

// follow does in the store what an entry says.
func (o *Office) follow(ctx context.Context, e *entry) error {
	switch e.Act {
	case subscribe:
		o.mu.Lock()
		o.board.fold(e)
		o.mu.Unlock()
		if e.Case != "" {
			return o.lookAtCase(ctx, e.Department, e.Case)
		}
	case delivered, givenUp:
		return o.store.put(false, row{key: pairKey(outcomeRow, e.Subscription, e.Event)}, row{key: pairKey(waitingRow, e.Subscription, e.Event), gone: true})
	case end:
		var rows []row
		err := o.store.scan(ctx, pairKey(waitingRow, e.Subscription, ""), func(key, _ []byte) bool {
			rows = append(rows, row{key: key, gone: true})
			return true
		})
		if err != nil || len(rows) == 0 {
			return err
		}
		return o.store.put(false, rows...)
	}
	return nil
}

// readEntry reads an entry and sees that the exchange wrote it, or says why it does not count.
func readEntry(m *exchange.Message, keys []ed25519.PublicKey) (*entry, string) {
	e, err := parseEntry(m.Value)
	if err != nil {
		return nil, "malformed"
	}
	for _, key := range keys {
		if envelope.VerifyOrder(key, m) == nil {
			return e, ""
		}
	}
	return nil, "not_signed"
}

// Settled waits until everything that stood on the topic of subscriptions at the call is folded.
func (o *Office) Settled(ctx context.Context) error {
	ends, err := o.cfg.Topics.EndOffsets(ctx, SubscriptionsTopic)
	if err != nil {
		return err
	}
	return o.until(ctx, ends[0])
}

func (o *Office) until(ctx context.Context, end int64) error {
	for {
		o.mu.RLock()
		done, changed := o.board.next >= end, o.changed
		o.mu.RUnlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// patience bounds how long an entry may take to stand on the topic and be folded here.
const patience = 15 * time.Second

// add appends an entry and waits until it is folded here.
func (o *Office) add(ctx context.Context, e *entry) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	e.Format, e.At = entryFormat, o.cfg.Clock().UTC()
	m, err := e.message()
	if err != nil {
		return err
	}
	key, err := o.cfg.Keys.Signer(ctx)
	if err != nil {
		return err
	}
	envelope.SignOrder(key, &m)
	messages := []exchange.Message{m}
	if err := o.cfg.Topics.Append(ctx, SubscriptionsTopic, messages); err != nil {
		return notWritten(err)
	}
	if err := o.until(ctx, messages[0].Offset+1); err != nil {
		return notWritten(err)
	}
	return nil
}

// Person is who subscribes.
type Person struct {
	Department exchange.Department
	Name       string // department and staff code
	Admin      bool   // sees and ends those of all departments
}

// Wish is what is subscribed to: one case, or all of the department's; told by a webhook, or on the department's topic alone.
type Wish struct {
	Case string `json:"case,omitempty"`
	All  bool   `json:"all,omitempty"`
	URL  string `json:"url,omitempty"`
}

// most is how many subscriptions a department may have: each is held in memory.
const most = 20_000

// Subscribe enters a subscription. A webhook is asked first whether it wants to be sent anything.
func (o *Office) Subscribe(ctx context.Context, who Person, wish Wish) (Subscription, error) {
	if (wish.Case != "") == wish.All {
		return Subscription{}, oneOrAll()
	}
	if wish.Case != "" {
		probe := audit.Entry{Department: who.Department, Clerk: "a", Case: wish.Case}
		if err := probe.CheckAsker(); err != nil {
			return Subscription{}, err
		}
	}
	if len(o.List(Person{Department: who.Department})) >= most {
		return Subscription{}, tooMany()
	}
	e := &entry{Act: subscribe, Subscription: "s-" + strings.ToLower(rand.Text()[:10]), By: who.Name, Department: who.Department, Case: wish.Case, URL: wish.URL}
	if wish.URL != "" {
		err := o.cfg.Sender.Check(wish.URL)
		if err == nil {
			e.PerMinute, err = o.cfg.Sender.Ask(ctx, wish.URL)
		}
		if err != nil {
			return Subscription{}, err
		}
	}
	if err := o.cfg.Audit(ctx, who.Name, "subscription-add", e.Subscription); err != nil {
		return Subscription{}, err
	}
	if err := o.add(ctx, e); err != nil {
		return Subscription{}, err
	}
	return o.find(who, e.Subscription)
}

// End ends a subscription. What waits to be delivered is not delivered any more.
func (o *Office) End(ctx context.Context, who Person, id string) (Subscription, error) {
	s, err := o.find(who, id)
	if err != nil {
		return s, err
	}
	if err := o.cfg.Audit(ctx, who.Name, "subscription-end", s.ID); err != nil {
		return s, err
	}
	return s, o.add(ctx, &entry{Act: end, Subscription: s.ID, By: who.Name})
}

// find gives a subscription that a person may know of.
func (o *Office) find(who Person, id string) (Subscription, error) {
	for _, s := range o.listed(func(s *Subscription) bool { return s.ID == id && who.knows(s) }) {
		return s, nil
	}
	return Subscription{}, noSuchSubscription()
}

func (p Person) knows(s *Subscription) bool { return p.Admin || p.Department == s.Department }

// List gives the subscriptions a person may know of: those of the own department, and to administrators all.
func (o *Office) List(who Person) []Subscription { return o.listed(who.knows) }

func (o *Office) listed(wanted func(*Subscription) bool) []Subscription {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.board.list(wanted)
}

// subscriptions is how many there are.
func (o *Office) subscriptions() float64 {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return float64(len(o.board.byID))
}
