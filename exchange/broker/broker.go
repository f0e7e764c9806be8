// Package broker answers, for a service item and an applicant, which materials government already holds.
//
// A Query goes one way: the asker is checked, the catalogue permits, the limits admit, the index finds, Decide draws the
// conclusions from what was found, the audit log makes an entry durable, and only then is there an answer. No department
// is called, nothing is guessed, and a refused query leaves an entry just as an answered one does. Nobody is looked up for a
// query that is refused, so that a refusal says nothing of whom it was about, neither in words nor in time.
package broker

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/identity"
	"github.com/onedoor/yimen/exchange/trace"
)

// Holdings is the index of records by holder. It is safe for concurrent use.
type Holdings interface {
	// Find gives what is known of the holder for the types. Nothing known is no error; an error means that
	// it could not be found out.
	Find(ctx context.Context, holder exchange.Holder, types []exchange.EvidenceType) (exchange.Found, error)
}

// Auditor makes entries durable. It is safe for concurrent use.
type Auditor interface {
	// Stamp gives an entry its id, time and subject, so that it can be counted before it is durable.
	Stamp(ctx context.Context, e *audit.Entry) error
	// Append returns a receipt once the entry can no longer be lost. After an error there must be no answer.
	Append(ctx context.Context, e audit.Entry) (audit.Receipt, error)
}

// Limits keep those who may ask from asking too much. They are safe for concurrent use.
type Limits interface {
	// Admit counts a stamped entry, or refuses it: then it has set Decision and Refusal, and its error is the Problem to show.
	// An error of the kind Unavailable means that it could not be found out.
	Admit(e *audit.Entry) error
}

// Config is what a Broker is made of.
type Config struct {
	Catalogue *catalogue.Catalogue
	// Current is Catalogue with what is in force at a moment, asked once for each query; nil: Catalogue.
	Current      func(time.Time) (*catalogue.Catalogue, error)
	Holdings     Holdings
	Audit        Auditor
	Limits       Limits                // nil: none
	Ready        func() error          // whether queries can be answered at all, asked first; a Problem of the kind Unavailable. nil: they can
	AtOnce       int                   // how many queries may be in hand at once; 0: 512
	Clock        func() time.Time      // nil: time.Now
	AuditTimeout time.Duration         // how long an entry may take to become durable; 0: 5 s
	Metrics      prometheus.Registerer // nil: none
}

// Broker answers queries. It is safe for concurrent use.
type Broker struct {
	cfg     Config
	metrics *metrics
	crowd   crowd
}

// Caller is who asks: a clerk or a service of a department, known by its certificate or login.
type Caller struct {
	Department exchange.Department
	Clerk      string // staff code, or the name of a service
}

// Query (核验) asks which materials of an item need not be brought. The applicant has been parsed already.
type Query struct {
	Case      string
	Item      exchange.Item
	Applicant exchange.Holder
	Caller    Caller
	Nonce     string // of the request, against replay; empty: none

	Facts  map[string]any // what the applicant stated of the facts the item declares, by code: bool, float64 or string
	Stated Stated
	Chosen Chosen
	On     exchange.Date // the day records must be valid on; empty: today
	// Only is the one type of evidence that is wanted of all that the item asks for; empty: all of it.
	Only exchange.EvidenceType
	Mode Mode
	// Parties are those of whom the item needs evidence beside the applicant, as stated.
	Parties map[exchange.Role]exchange.Holder
}

// Conclusion (结论) is the answer to a query, one for each material in the item's order.
type Conclusion struct {
	ID        string            `json:"id"`
	Time      time.Time         `json:"time"` // the moment it was decided for
	Case      string            `json:"case"`
	Item      exchange.Item     `json:"item"`
	ItemName  exchange.Text     `json:"item_name"`
	Applicant string            `json:"applicant"` // masked
	Receipt   audit.Receipt     `json:"receipt"`
	Answers   []exchange.Answer `json:"answers"`

	told []byte // the answers as the entry commits to them; nil: they were not spelt yet
}

// New checks the configuration.
func New(cfg Config) (*Broker, error) {
	if cfg.Catalogue == nil || cfg.Holdings == nil || cfg.Audit == nil {
		return nil, errors.New("broker needs a catalogue, holdings and an audit log")
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.AuditTimeout == 0 {
		cfg.AuditTimeout = 5 * time.Second
	}
	m, err := newMetrics(cfg.Metrics)
	if err != nil {
		return nil, err
	}
	b := &Broker{cfg: cfg, metrics: m, crowd: make(crowd, cmp.Or(cfg.AtOnce, defaultAtOnce))}
	if cfg.Current == nil {
		b.cfg.Current = func(time.Time) (*catalogue.Catalogue, error) { return b.cfg.Catalogue, nil }
	}
	return b, nil
}

// Query answers, or says why not. Whatever it returns without an error has a durable audit entry, and so has
// every refusal for want of permission or by the limits.
func (b *Broker) Query(ctx context.Context, q Query) (Conclusion, error) {
	start := b.cfg.Clock().UTC() // as the entry has it, so that the same answer is written the same again
	item := q.Item
	c, err := b.cfg.Current(start)
	if err != nil || !c.Has(item) {
		item = "" // whatever was typed there must not become a label
	}
	var conclusion Conclusion
	if err == nil {
		conclusion, err = b.query(ctx, c, q, start)
	} else {
		err = notFoundOut(err)
	}
	b.metrics.observe(ctx, item, conclusion.Answers, err, b.cfg.Clock().Sub(start))
	return conclusion, err
}

func (b *Broker) query(ctx context.Context, c *catalogue.Catalogue, q Query, now time.Time) (Conclusion, error) {
	if err := b.ready(); err != nil {
		return Conclusion{}, err
	}
	leave, err := b.crowd.enter()
	if err != nil {
		return Conclusion{}, err
	}
	defer leave()
	entry := audit.Entry{
		Department: q.Caller.Department, Clerk: q.Caller.Clerk, Case: q.Case, Item: q.Item, Holder: q.Applicant, Nonce: q.Nonce, Parties: q.named(),
		Catalogue: c.Version(), Evaluated: now, On: q.On, Chosen: q.Chosen, Mode: q.Mode.kept(), Only: q.Only,
	}
	if err := entry.CheckAsker(); err != nil {
		return Conclusion{}, err
	}
	service, err := q.service(c)
	if err != nil {
		return Conclusion{}, err
	}
	if err := cmp.Or(checkApplicant(service, q.Applicant), checkFacts(service, q.Facts), checkOn(q.On), checkMode(q.Mode), checkParties(service, &q)); err != nil {
		return Conclusion{}, err
	}
	if entry.Stating, err = q.Stating(); err != nil {
		return Conclusion{}, err
	}
	if err := b.permit(ctx, c, &entry, now); err != nil {
		return Conclusion{}, err
	}
	premises, err := premisesOf(ctx, c, b.cfg.Holdings, service, q, now)
	if err != nil {
		return Conclusion{}, err
	}
	premises.keepFound(&entry)
	if err := b.strayed(ctx, entry, &premises); err != nil {
		return Conclusion{}, err
	}
	answers := decided(ctx, premises)
	told := q.Mode.Tell(answers)
	entry.Decision, entry.Materials, entry.Inputs = audit.Answered, Logged(answers), inputs(premises.Found, c)
	if entry.Told, err = Spell(told); err != nil {
		return Conclusion{}, err
	}
	receipt, err := b.audit(ctx, entry)
	if err != nil {
		return Conclusion{}, err
	}
	return Conclusion{
		ID: receipt.ID, Time: now, Case: q.Case, Item: q.Item, ItemName: service.Name,
		Applicant: identity.Mask(q.Applicant.Number), Receipt: receipt, Answers: told, told: entry.Told,
	}, nil
}

func (b *Broker) ready() error {
	if b.cfg.Ready == nil {
		return nil
	}
	return b.cfg.Ready()
}

// permit stamps the entry and gives nil where the query may be answered. Else it leaves the entry and gives the refusal, or the
// reason why there could be no entry. What is refused for want of permission counts as well: trying items is a pattern too.
func (b *Broker) permit(ctx context.Context, c *catalogue.Catalogue, entry *audit.Entry, now time.Time) error {
	var refusal error
	if !c.MayAsk(entry.Department, entry.Item, exchange.DateOf(now)) {
		entry.Decision, entry.Refusal = audit.Refused, notPermittedCode
		refusal = notPermitted()
	}
	if err := b.cfg.Audit.Stamp(ctx, entry); err != nil {
		return notAudited(err)
	}
	if b.cfg.Limits != nil {
		err := b.cfg.Limits.Admit(entry)
		if exchange.KindOf(err) == exchange.Unavailable || err != nil && entry.Decision != audit.Refused {
			return err
		}
		refusal = cmp.Or(err, refusal)
	}
	if refusal == nil {
		return nil
	}
	if _, err := b.audit(ctx, *entry); err != nil {
		return err
	}
	return refusal
}

// premisesOf gathers what Decide needs. Types without a grant are not even looked up.
func premisesOf(ctx context.Context, c *catalogue.Catalogue, h Holdings, service catalogue.Service, q Query, now time.Time) (Premises, error) {
	types, today := service.Types(), exchange.DateOf(now)
	p := Premises{
		Service: service, Holder: q.Applicant, Now: now, On: q.On, Facts: q.Facts, Stated: q.Stated, Chosen: q.Chosen, Mode: q.Mode,
		Evidence: c.ByType(), // Load saw to it that all are there
		Grants:   make(map[exchange.EvidenceType]catalogue.Grant, len(types)),
	}
	granted := make([]exchange.EvidenceType, 0, len(types))
	for _, t := range types {
		if grant, ok := c.Permit(q.Caller.Department, q.Item, t, today); ok {
			p.Grants[t] = grant
			if needed(service, t, "") || shows(t, q.Parties) {
				granted = append(granted, t)
			}
		}
	}
	if len(granted) > 0 {
		var err error
		if p.Found, err = find(ctx, h, q.Applicant, granted); err != nil {
			return Premises{}, err
		}
	}
	if len(q.Parties) > 0 {
		if err := p.lookUp(ctx, h, q.Parties); err != nil {
			return Premises{}, err
		}
	}
	return p, nil
}

// find is Holdings' Find as a step of a trace.
func find(ctx context.Context, h Holdings, holder exchange.Holder, types []exchange.EvidenceType) (exchange.Found, error) {
	within, span := trace.Step(ctx, "find")
	found, err := h.Find(within, holder, types)
	trace.End(span, err)
	if err != nil {
		return exchange.Found{}, notFoundOut(err)
	}
	return found, nil
}

// decided is Decide as a step of a trace.
func decided(ctx context.Context, p Premises) []exchange.Answer {
	_, span := trace.Step(ctx, "decide")
	defer span.End()
	return Decide(p)
}

func (b *Broker) audit(ctx context.Context, entry audit.Entry) (audit.Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.AuditTimeout)
	defer cancel()
	receipt, err := b.cfg.Audit.Append(ctx, entry)
	if err != nil {
		return audit.Receipt{}, notAudited(err)
	}
	return receipt, nil
}
