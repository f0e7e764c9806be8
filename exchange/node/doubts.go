package node

import (
	"context"
	"net/http"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/audit/ledger"
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
	n.Doubts, err = doubts.New(doubts.Config{Journal: j, Index: n.Index, Answers: given{n.Ledger}, Keeper: n.keeper, Fields: n.fields, Audit: n.act,
		Secret: func(ctx context.Context) ([]byte, error) { return n.secret(ctx, doubtsKey) }, Clock: n.around.Clock, Metrics: n.Metrics})
	if err != nil {
		return err
	}
	n.goes("fold doubts", j.Run)
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Kafka.Wait)
	defer cancel()
	return j.Settled(ctx)
}

// doubting is who raises or answers doubts.
func (n *Node) doubting(r *http.Request) (doubts.Person, error) {
	caller, err := n.door.Caller(r)
	return doubts.Person{Department: caller.Department, Name: caller.Name(), Sharing: caller.May(door.Grants), Supervisor: caller.May(door.Supervisor),
		Authority: caller.May(door.Admin) || caller.May(door.Auditor)}, err
}

// given are the answers that the audit log has.
type given struct{ *ledger.Ledger }

// Rested looks at one entry, whatever it said of the record: that it is revoked can be in doubt too.
func (g given) Rested(ctx context.Context, receipt string, id exchange.RecordID) (doubts.Reliance, bool, error) {
	found, err := g.Entry(ctx, receipt)
	if exchange.KindOf(err) == exchange.NotFound {
		return doubts.Reliance{}, false, nil
	}
	if err != nil {
		return doubts.Reliance{}, false, err
	}
	all := reliances(&found.Entry, id, func(exchange.Outcome) bool { return true })
	if len(all) == 0 {
		return doubts.Reliance{}, false, nil
	}
	return all[0], true, nil
}

// Relied looks at every query of the log, the newest first: it is asked for seldom, and takes as long as the log is.
func (g given) Relied(ctx context.Context, id exchange.RecordID) ([]doubts.Reliance, error) {
	var all []doubts.Reliance
	f := ledger.Filter{Kind: "query", Decision: audit.Answered, Most: 1000}
	for more := true; more; more = f.Before != "" {
		page, err := g.Search(ctx, f)
		if err != nil {
			return nil, err
		}
		for i := range page.Entries {
			all = append(all, reliances(&page.Entries[i].Entry, id, relies)...)
		}
		f.Before = page.Next
	}
	return all, nil
}

// relies says whether an answer counted on the record of which it said that.
func relies(o exchange.Outcome) bool { return o == exchange.Held || o == exchange.Check }

// reliances are how an entry rested on a record, with outcomes that count.
func reliances(e *audit.Entry, id exchange.RecordID, counts func(exchange.Outcome) bool) []doubts.Reliance {
	for _, m := range e.Materials {
		for _, on := range m.Evidence {
			if on.Record == id.String() && counts(on.Outcome) { // once, however many materials it was for
				return []doubts.Reliance{{Receipt: e.ID, Time: e.Time, Department: e.Department, Clerk: e.Clerk, Case: e.Case, Evidence: on.Type, Version: on.Version}}
			}
		}
	}
	return nil
}
