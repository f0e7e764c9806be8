package ledger

import (
	"context"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/contract"
)

// Access is one time that somebody looked at a holder's data, as the holder may know it.
type Access struct {
	ID         string              `json:"id"`
	Time       time.Time           `json:"time"`
	Kind       string              `json:"kind"` // "query", "act" where a conclusion was drawn again, or "access" where somebody read this list itself
	Department exchange.Department `json:"department"`
	Clerk      string              `json:"clerk,omitempty"` // the staff code, for supervisors only
	Item       exchange.Item       `json:"item,omitempty"`
	Decision   audit.Decision      `json:"decision,omitempty"`
	Types      []Seen              `json:"types,omitempty"`
}

// Seen is what was asked for, and what came of it.
type Seen struct {
	Type    exchange.EvidenceType `json:"type"`
	Outcome exchange.Outcome      `json:"outcome"`
}

// AccessPage is a part of the accesses, the newest first.
type AccessPage struct {
	Accesses []Access `json:"accesses"`
	Next     string   `json:"-"` // of the next page, which the header Link names; empty: there is none
}

// Accesses says who looked at the data of the holder whose token the subject is, the newest first, from before an id on (empty: now).
// What the holder may not know yet (Config.Delay) is left out. It has no staff codes.
func (l *Ledger) Accesses(ctx context.Context, subject string, now time.Time, before string) (AccessPage, error) {
	return l.accesses(ctx, subject, now, contract.Span{Limit: usualPage, After: before}, func(exchange.Department) bool { return false })
}

// accesses shows staff codes of the departments for which codes says so.
func (l *Ledger) accesses(ctx context.Context, subject string, now time.Time, span contract.Span, codes func(exchange.Department) bool) (AccessPage, error) {
	if !audit.ValidToken(subject) || span.After != "" && !audit.ValidID(span.After) {
		return AccessPage{}, badFilter(text("主体标记或续页标记的写法不对", "the subject's token or the mark of the next page is not well formed"))
	}
	page := AccessPage{Accesses: []Access{}}
	looked, reader := 0, l.reader()
	err := l.index.newest(ctx, prefixOf(subjectRow, string(unhexed(subject))), "", span.After, func(id string, at uint64) (bool, error) {
		if len(page.Accesses) == span.Limit || looked == mostLooked {
			return false, nil
		}
		looked++
		page.Next = id
		found, err := reader.logged(ctx, at)
		if e := &found.Entry; err == nil && !e.Time.Add(l.cfg.Delay(e.Item)).After(now) {
			page.Accesses = append(page.Accesses, accessOf(e, subject, codes(e.Department)))
		}
		return true, err
	})
	if err != nil {
		return AccessPage{}, unreadable(err)
	}
	if len(page.Accesses) < span.Limit && looked < mostLooked {
		page.Next = ""
	}
	return page, nil
}

// accessOf tells a holder of an entry, who was its subject or one looked up beside the subject: of whom it shows nothing else.
func accessOf(e *audit.Entry, holder string, codes bool) Access {
	a := Access{ID: e.ID, Time: e.Time, Kind: kindName(e.Kind), Department: e.Department, Item: e.Item, Decision: e.Decision}
	if codes {
		a.Clerk = e.Clerk
	}
	told := map[Seen]bool{}
	for _, m := range e.Materials {
		for _, evidence := range m.Evidence {
			whose := e.Subject
			if evidence.Of != "" {
				whose = e.Parties[evidence.Of].Subject
			}
			if s := (Seen{evidence.Type, evidence.Outcome}); whose == holder && !told[s] {
				told[s] = true
				a.Types = append(a.Types, s)
			}
		}
	}
	return a
}
