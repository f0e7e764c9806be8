package grants

import (
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/workdays"
)

// Clock is a time limit of 政务数据共享条例 that runs for a grant, in working days.
type Clock struct {
	Article     int           `json:"article"` // 21: to answer; 22: to share what was granted
	Due         exchange.Date `json:"due"`     // the last day
	Overdue     bool          `json:"overdue,omitempty"`
	Provisional bool          `json:"provisional,omitempty"` // the official calendar up to there is not published yet
}

// The limits, in working days.
const (
	toAnswerUnconditional = 1
	toAnswerConditional   = 10
	extension             = 10
	toShare               = 20
)

// clockOf is the limit that runs for a grant on a day, nil where none does. shared says whether anything of its type is published.
func clockOf(g *Standing, today exchange.Date, shared bool) *Clock {
	var c Clock
	switch {
	case g.Status == Requested:
		days := toAnswerConditional
		if g.Class == catalogue.Unconditional {
			days = toAnswerUnconditional
		}
		if g.Extended {
			days += extension
		}
		c.Article = 21
		c.Due, c.Provisional = workdays.Add(exchange.DateOf(g.Requested), days)
	case g.Status == Granted && g.Version > 0 && !g.Requested.IsZero() && !shared:
		c.Article = 22
		c.Due, c.Provisional = workdays.Add(exchange.DateOf(g.Decided), toShare)
	default:
		return nil
	}
	c.Overdue = c.Due < today
	return &c
}
