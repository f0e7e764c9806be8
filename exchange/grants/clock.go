package grants

import (
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/workdays"
)

// The limits, in working days.
const (
	toAnswerUnconditional = 1
	toAnswerConditional   = 10
	extension             = 10
	toShare               = 20
)

// clockOf is the limit that runs for a grant on a day, nil where none does. shared says whether anything of its type is published.
func clockOf(g *Standing, today exchange.Date, shared bool) *workdays.Clock {
	switch {
	case g.Status == Requested:
		days := toAnswerConditional
		if g.Class == catalogue.Unconditional {
			days = toAnswerUnconditional
		}
		if g.Extended {
			days += extension
		}
		return workdays.Run(21, exchange.DateOf(g.Requested), days, today)
	case g.Status == Granted && g.Version > 0 && !g.Requested.IsZero() && !shared:
		return workdays.Run(22, exchange.DateOf(g.Decided), toShare, today)
	}
	return nil
}
