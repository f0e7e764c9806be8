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
	"github.com/onedoor/yimen/exchange/journal"
)

// foldSubscriptions folds their topic from where the store has come to.
func (o *Office) foldSubscriptions(ctx context.Context) error {
	from := func() (map[int]int64, error) {
		o.mu.RLock()
		defer o.mu.RUnlock()
		return map[int]int64{0: o.board.next}, nil
	}
	return o.again(ctx, SubscriptionsTopic, from, o.take)
}

// placedEntry is an entry and its offset.
type placedEntry struct {
	*entry
	offset int64
}

// take folds entries, all or none. While the keys that verify them cannot be had, nothing can be said of them: they come again, as they
// do where the store errs.
func (o *Office) take(ctx context.Context, msgs []exchange.Message) error {
	keys, err := o.cfg.Keys.Verifiers(ctx)
	if err != nil {
		return err
	}
	o.mu.RLock()
	next := o.board.next
	o.mu.RUnlock()
	last := next
	var entries []placedEntry
	for i := range msgs {
		m := &msgs[i]
		if m.Offset < next {
			continue
		}
		last = m.Offset + 1
		e, reason := readEntry(m, keys)
		if reason != "" {
			o.metrics.refused.WithLabelValues(reason).Inc()
			o.cfg.Log.Warn("entry of a subscription passed over", "offset", m.Offset, "reason", reason)
			continue
		}
		entries = append(entries, placedEntry{e, m.Offset})
	}
	if last == next {
		return nil
	}
	return o.fold(ctx, entries, last)
}

// fold takes entries into memory first: whoever looks at the records of a case just subscribed must find that it is.
func (o *Office) fold(ctx context.Context, entries []placedEntry, next int64) error {
	o.mu.Lock()
	for _, e := range entries {
		o.board.fold(e.offset, e.entry)
	}
	o.mu.Unlock()
	met := map[exchange.RecordID]work{}
	rows, err := o.follow(ctx, entries, met)
	if err != nil {
		return err
	}
	if err := o.enter(met, false, append(rows, placed(SubscriptionsTopic, 0, next))...); err != nil {
		return err
	}
	o.mu.Lock()
	o.board.next = next
	close(o.changed)
	o.changed = make(chan struct{})
	o.mu.Unlock()
	call(o.looks)
	return nil
}

// follow gives the rows that the store must change after entries, and adds the records that must be looked at.
func (o *Office) follow(ctx context.Context, entries []placedEntry, met map[exchange.RecordID]work) (rows []row, err error) {
	changed := map[string]bool{}
	for _, e := range entries {
		changed[e.Subscription] = true
		switch e.Act {
		case subscribe:
			if e.Case != "" {
				err = o.lookAtCase(ctx, e.Department, e.Case, met)
			}
		case delivered, givenUp:
			rows = append(rows, row{key: pairKey(waitingRow, e.Subscription, e.Event), gone: true})
			if !o.forgotten(e.At) {
				rows = append(rows, outcome(e.Subscription, e.Event, e.At))
			}
		case end:
			var waiting []row
			waiting, err = o.store.under(ctx, pairKey(waitingRow, e.Subscription, ""))
			rows = append(rows, waiting...)
		}
		if err != nil {
			return nil, err
		}
	}
	o.mu.RLock()
	defer o.mu.RUnlock()
	for id := range changed {
		rows = append(rows, o.board.row(id))
	}
	return rows, nil
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
	if err := o.until(ctx, ends[0]); err != nil {
		return err
	}
	o.settled.Store(true)
	return nil
}

// ready waits for the first Settled of this process: before it nobody can say what is subscribed.
func (o *Office) ready(ctx context.Context) error {
	if o.settled.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := o.Settled(ctx); err != nil {
		return notRead(err)
	}
	return nil
}

func (o *Office) until(ctx context.Context, end int64) error {
	return journal.Await(ctx, end, o.folded)
}

func (o *Office) folded() (next int64, changed <-chan struct{}) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.board.next, o.changed
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
	mine, err := o.List(ctx, Person{Department: who.Department})
	if err != nil {
		return Subscription{}, err
	}
	if len(mine) >= most {
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
	return o.find(ctx, who, e.Subscription)
}

// End ends a subscription. What waits to be delivered is not delivered any more.
func (o *Office) End(ctx context.Context, who Person, id string) (Subscription, error) {
	s, err := o.find(ctx, who, id)
	if err != nil {
		return s, err
	}
	if err := o.cfg.Audit(ctx, who.Name, "subscription-end", s.ID); err != nil {
		return s, err
	}
	return s, o.add(ctx, &entry{Act: end, Subscription: s.ID, By: who.Name})
}

// find gives a subscription that a person may know of.
func (o *Office) find(ctx context.Context, who Person, id string) (Subscription, error) {
	if err := o.ready(ctx); err != nil {
		return Subscription{}, err
	}
	for _, s := range o.listed(func(s *Subscription) bool { return s.ID == id && who.knows(s) }) {
		return s, nil
	}
	return Subscription{}, noSuchSubscription()
}

func (p Person) knows(s *Subscription) bool { return p.Admin || p.Department == s.Department }

// List gives the subscriptions a person may know of: those of the own department, and to administrators all. After a start it waits
// until what was subscribed before is read.
func (o *Office) List(ctx context.Context, who Person) ([]Subscription, error) {
	if err := o.ready(ctx); err != nil {
		return nil, err
	}
	return o.listed(who.knows), nil
}

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
