// Package replay gives recorded answers again from what they were made of (asOf).
//
// An audit entry says how far the index had folded the topics, which catalogue counted and at which moment. A replay folds the same
// messages into an index that is thrown away afterwards, decides again under the same catalogue, and compares: the outcomes and
// records with those in the entry, and the answers as they were told, byte for byte, with what the entry commits to. So the index that
// answers queries keeps no history and is none the slower; what a replay costs is the reading of the topics that the answers rested
// on, once for as many answers as are asked for together.
//
// What was ordered to be forgotten is not read again: an answer that rested on it cannot be given again, and a replay says so.
package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/erasure"
)

// Topics are what the index is folded from. They are safe for concurrent use.
type Topics interface {
	EndOffsets(ctx context.Context, topic string) (map[int]int64, error)
	// Read hands over what the partitions in until have between from (absent: the beginning) and there, and returns once it was handled.
	Read(ctx context.Context, topic string, from, until map[int]int64, handle func(context.Context, []exchange.Message) error) error
}

// Index is an empty index that is thrown away after a replay.
type Index interface {
	broker.Holdings
	Fold(ctx context.Context, msgs []exchange.Message) error
	ErasuresUpTo(end int64)
	Orders() []erasure.Order
	Token(ctx context.Context, holder exchange.Holder) (erasure.Token, error) // as orders name holders
	Close() error
}

// Config is what a Replay is made of. All is required.
type Config struct {
	Topics Topics
	Empty  func(context.Context) (Index, error)
	// Catalogue is the one of a version at a moment, with what is folded from catalogue.Topic up to an offset; 0: as it was read.
	Catalogue func(ctx context.Context, version string, upTo int64, at time.Time) (*catalogue.Catalogue, error)
	// Commitment is audit.Log's.
	Commitment func(ctx context.Context, id, of string, said []byte) (string, error)
}

// Asked is an answer that is to be given again: what the log has of it, and what it has not.
type Asked struct {
	Entry     audit.Entry
	Applicant exchange.Holder
	Facts     map[string]any // what was stated then, as Entry.Stated commits to it
	Stated    broker.Stated
	Parties   map[exchange.Role]exchange.Holder // those of Entry.Parties
}

// Query is the query that was asked then.
func (a *Asked) Query() broker.Query {
	e := &a.Entry
	return broker.Query{Case: e.Case, Item: e.Item, Applicant: a.Applicant, Caller: broker.Caller{Department: e.Department, Clerk: e.Clerk},
		Facts: a.Facts, Stated: a.Stated, Chosen: e.Chosen, On: e.On, Only: e.Only, Mode: broker.Mode(e.Mode), Parties: a.Parties}
}

// inputs are how far the topics were folded when each of those the answer is about was looked up.
func (a *Asked) inputs() map[exchange.Holder]exchange.Inputs {
	all := map[exchange.Holder]exchange.Inputs{a.Applicant: a.Entry.Inputs}
	for role, holder := range a.Parties {
		if of := a.Entry.Parties[role].Inputs; !of.IsZero() {
			all[holder] = of
		}
	}
	return all
}

// Verdict says how an answer compares with the one given before.
type Verdict string

// The verdicts.
const (
	Same    Verdict = "same"    // 一致: every outcome and record, and where the entry commits to it, every byte
	Differs Verdict = "differs" // 不一致
	Erased  Verdict = "erased"  // 依法删除: it rested on what was ordered to be forgotten since
)

// Result is what became of one answer.
type Result struct {
	ID      string  `json:"id"` // the entry's
	Verdict Verdict `json:"verdict"`
	// Bytes says whether the answers were compared byte for byte; entries of before that was kept commit to outcomes and records only.
	Bytes bool `json:"bytes"`
	// Materials are those whose outcome or records differ, each as it is now and as it was. Where there is none and the verdict is not
	// same, something differs that the log does not hold: a field, or up to when a keeper vouches.
	Materials []Difference `json:"materials,omitempty"`
	// Answers are the answers as they come out now.
	Answers []exchange.Answer `json:"-"`
}

// Difference is one material of which something else is said now. Nil: the material is not among the answers.
type Difference struct {
	Then *audit.Material `json:"then"`
	Now  *audit.Material `json:"now"`
}

// Run gives the answers again and tells each result, in any order. It reads the topics once, and once more for as long as there are
// answers of nodes that had folded them in another order.
func Run(ctx context.Context, cfg Config, asked []Asked, tell func(Result) error) error {
	asked = slices.Clone(asked)
	slices.SortFunc(asked, func(a, b Asked) int {
		return cmp.Or(a.Entry.Evaluated.Compare(b.Entry.Evaluated), cmp.Compare(a.Entry.ID, b.Entry.ID))
	})
	for i := range asked {
		if e := &asked[i].Entry; e.Kind != audit.Query || e.Decision != audit.Answered {
			return notAnswered(e.ID)
		}
	}
	for len(asked) > 0 {
		later, err := run(ctx, cfg, asked, tell)
		if err != nil {
			return err
		}
		asked = later
	}
	return nil
}

// run goes through the topics once and gives the answers back whose moment was over when it came to them. The first is never among those.
func run(ctx context.Context, cfg Config, asked []Asked, tell func(Result) error) (later []Asked, err error) {
	index, err := cfg.Empty(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, index.Close()) }()
	p := &pass{cfg: cfg, index: index, at: map[string]map[int]int64{}, ends: map[string]map[int]int64{}, catalogues: map[edition]*catalogue.Catalogue{}}
	if err := p.obey(ctx); err != nil {
		return nil, err
	}
	for i := range asked {
		result, err := p.again(ctx, &asked[i])
		if errors.Is(err, errOver) && i > 0 {
			later = append(later, asked[i])
			continue
		}
		if err == nil {
			err = tell(result)
		}
		if err != nil {
			return nil, fmt.Errorf("replay %s: %w", asked[i].Entry.ID, err)
		}
	}
	return later, nil
}

// again gives one answer again.
func (p *pass) again(ctx context.Context, a *Asked) (Result, error) {
	e := &a.Entry
	c, err := p.catalogue(ctx, e)
	if err != nil {
		return Result{}, err
	}
	answers, err := broker.Again(ctx, c, moment{p, c, a.inputs()}, a.Query(), e.Evaluated)
	if err != nil {
		return Result{}, err
	}
	told := broker.Mode(e.Mode).Tell(answers)
	result := Result{ID: e.ID, Verdict: Same, Bytes: e.Answers != "", Materials: differences(e.Materials, broker.Logged(answers)), Answers: told}
	same, err := p.same(ctx, e, told)
	if err != nil {
		return Result{}, err
	}
	if len(result.Materials) == 0 && same {
		return result, nil
	}
	result.Verdict = Differs
	if gone, err := p.forgotten(ctx, a); err != nil || gone {
		result.Verdict = Erased
		return result, err
	}
	return result, nil
}

// same says whether the answers are those the entry commits to. An entry that commits to none denies nothing.
func (p *pass) same(ctx context.Context, e *audit.Entry, answers []exchange.Answer) (bool, error) {
	if e.Answers == "" {
		return true, nil
	}
	told, err := broker.Spell(answers)
	if err != nil {
		return false, err
	}
	commitment, err := p.cfg.Commitment(ctx, e.ID, audit.OfAnswers, told)
	return commitment == e.Answers, err
}

// differences are the materials of which not the same is said.
func differences(then, now []audit.Material) (all []Difference) {
	for i := range max(len(then), len(now)) {
		var d Difference
		if i < len(then) {
			d.Then = &then[i]
		}
		if i < len(now) {
			d.Now = &now[i]
		}
		if d.Then == nil || d.Now == nil || !equal(d.Then, d.Now) {
			all = append(all, d)
		}
	}
	return all
}

func equal(a, b *audit.Material) bool {
	return a.Material == b.Material && a.Outcome == b.Outcome && a.Reason == b.Reason && slices.Equal(a.Evidence, b.Evidence)
}

// forgotten says whether an order to forget can be why an answer comes out otherwise: one about the applicant or a party, about a
// record that the answer names, or about a record of a type of which it named none although there were some.
func (p *pass) forgotten(ctx context.Context, a *Asked) (bool, error) {
	var tokens []erasure.Token
	for holder := range a.inputs() {
		token, err := p.index.Token(ctx, holder)
		if err != nil {
			return false, err
		}
		tokens = append(tokens, token)
	}
	for _, order := range p.index.Orders() {
		if order.Kind == erasure.OfHolder && slices.Contains(tokens, order.Holder) {
			return true, nil
		}
		for _, r := range order.Records {
			if rested(&a.Entry, r) {
				return true, nil
			}
		}
	}
	return false, nil
}

func rested(e *audit.Entry, r erasure.Record) bool {
	id := r.ID.String()
	for _, m := range e.Materials {
		for _, found := range m.Evidence {
			unnamed := found.Reason == exchange.Ambiguous || found.Record == "" && found.Reason == exchange.FactsDiffer
			if found.Type == r.Type && (found.Record == id || unnamed) {
				return true
			}
		}
	}
	return false
}

func notAnswered(id string) error {
	return &exchange.Problem{Code: "YM-RPL-0101", Kind: exchange.Invalid,
		What: text("这条记录没有结论可重放："+id, "there is no answer in this entry to give again: "+id),
		Why:  text("它是被拒绝的查询，或不是查询", "it is a query that was refused, or no query"),
		Mend: text("用 yimen audit search --decision answered 找出有结论的记录", "find entries with answers by yimen audit search --decision answered")}
}

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }
