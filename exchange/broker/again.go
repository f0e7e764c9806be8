package broker

import (
	"context"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/catalogue"
)

// Again draws the conclusions for q as Query drew them at that moment (asOf), from the catalogue and the holdings as they were then;
// its Mode has yet to tell them. Nobody is asked whether it may be answered, and no entry is left: that is for whoever calls it.
func Again(ctx context.Context, c *catalogue.Catalogue, h Holdings, q Query, at time.Time) ([]exchange.Answer, error) {
	service, err := q.service(c)
	if err != nil {
		return nil, err
	}
	premises, err := premisesOf(ctx, c, h, service, q, at.UTC())
	if err != nil {
		return nil, err
	}
	return Decide(premises), nil
}

// Logged is what the log keeps of the answers: no names, no fields.
func Logged(answers []exchange.Answer) []audit.Material {
	kept := make([]audit.Material, len(answers))
	for i := range answers {
		a := &answers[i]
		kept[i] = audit.Material{Material: a.Material, Outcome: a.Outcome, Reason: a.Reason}
		if len(a.Evidence) > 0 {
			kept[i].Evidence = make([]audit.Evidence, len(a.Evidence))
		}
		for j := range a.Evidence {
			e := &a.Evidence[j]
			kept[i].Evidence[j] = audit.Evidence{Type: e.Type, Of: e.Of, Outcome: e.Outcome, Reason: e.Reason, Record: e.Record, Version: e.Version}
		}
	}
	return kept
}

// inputs are what an answer was made from: what was found, and the decisions on grants and items once any is folded.
func inputs(found exchange.Found, c *catalogue.Catalogue) exchange.Inputs {
	if c.UpTo() == 0 {
		return found.Inputs
	}
	return found.Inputs.With(catalogue.Topic, map[int]int64{0: c.UpTo()})
}
