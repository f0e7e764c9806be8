package node

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/doubts"
	"github.com/onedoor/yimen/exchange/journal"
)

// doubt begins to fold the doubts.
func (n *Node) doubt(ctx context.Context) error {
	j, err := journal.New(journal.Config{Topic: doubts.Topic, Topics: n.Bus, Keys: n.orders(), Log: n.around.Log, Metrics: n.Metrics})
	if err != nil {
		return err
	}
	n.Doubts, err = doubts.New(doubts.Config{Topics: n.Bus, Forgotten: n.Index.Forgotten, Rest: n.cfg.Kafka.rest(), Log: n.around.Log, Journal: j, Index: n.Index, Answers: given{n}, Keeper: n.keeper, Fields: n.fields, Audit: n.act,
		Secret: func(ctx context.Context) ([]byte, error) { return n.secret(ctx, doubtsKey) }, Clock: n.around.Clock, Metrics: n.Metrics})
	if err != nil {
		return err
	}
	n.goes("fold doubts", j.Run)
	n.goes("fold and erase what doubts say", n.Doubts.Run)
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Kafka.Wait)
	defer cancel()
	return errors.Join(j.Settled(ctx), n.Doubts.Settled(ctx))
}

// doubting is who raises or answers doubts.
func (n *Node) doubting(r *http.Request) (doubts.Person, error) {
	caller, err := n.door.Caller(r)
	return doubts.Person{Department: caller.Department, Name: caller.Name(), Sharing: caller.May(door.Grants), Supervisor: caller.May(door.Supervisor),
		Authority: caller.May(door.Admin) || caller.May(door.Auditor)}, err
}

// given are the answers that the audit log has.
type given struct{ *Node }

// Rested looks at one entry, whatever it said of the record: that it is revoked can be in doubt too.
func (g given) Rested(ctx context.Context, receipt string, id exchange.RecordID) (doubts.Reliance, bool, error) {
	found, err := g.Ledger.Entry(ctx, receipt)
	if exchange.KindOf(err) == exchange.NotFound {
		return doubts.Reliance{}, false, nil
	}
	if err != nil {
		return doubts.Reliance{}, false, err
	}
	e := &found.Entry
	for _, m := range e.Materials {
		for _, on := range m.Evidence {
			if on.Record == id.String() {
				return doubts.Reliance{Receipt: e.ID, Time: e.Time, Department: e.Department, Clerk: e.Clerk, Case: e.Case, Evidence: on.Type, Version: on.Version}, true, nil
			}
		}
	}
	return doubts.Reliance{}, false, nil
}

// Relied lists the answers that counted on the record, the oldest first.
func (g given) Relied(ctx context.Context, id exchange.RecordID) ([]doubts.Reliance, error) {
	if err := g.reliancesKnown(ctx); err != nil {
		return nil, err
	}
	found, err := g.Reliances.Relied(ctx, id)
	all := make([]doubts.Reliance, len(found))
	for i, r := range found {
		all[i] = doubts.Reliance{Receipt: r.Entry, Time: r.At, Department: r.Department, Clerk: r.Clerk, Case: r.Case, Evidence: r.Type, Version: r.Version}
	}
	return all, err
}

// reliancesKnown waits until all that the log has at the moment is known of who relied on what: a part must not be told as the whole.
func (n *Node) reliancesKnown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	ends, err := n.Bus.EndOffsets(ctx, audit.Topic)
	if err != nil {
		return err
	}
	if err := n.await(ctx, func() (bool, error) { return n.Reliances.Next() >= ends[0], nil }); err != nil {
		return &exchange.Problem{Code: "YM-DBT-0301", Kind: exchange.Unavailable, Err: err, What: exchange.Text{ZH: "还不知道全部依据过它的办件", EN: "it is not known yet who else relied on it"},
			Why:  exchange.Text{ZH: "本节点还在读审计日志", EN: "this node is still reading the audit log"},
			Mend: exchange.Text{ZH: "稍后再试", EN: "try again in a while"}}
	}
	return nil
}
