// Package workdays counts working days (工作日) by the calendar that the State Council publishes each year: weekends are free but for the
// make-up days (调休上班), and holidays are free.
//
// Add finds when a legal time limit ends, Between how much of it is used. The calendar of a year is known once its notice is
// published; of other years only weekends are, and whatever touches one is marked provisional, so that nobody relies on a guess.
package workdays

import (
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// Add is the day on which a limit of n working days that began on a day ends. The day itself does not count (民法典 art. 201); n of
// none or less is the day itself. Provisional says that a year on the way has no published calendar. A day that does not
// exist gives none.
func Add(day exchange.Date, n int) (end exchange.Date, provisional bool) {
	at, err := time.Parse(time.DateOnly, string(day))
	if err != nil {
		return "", true
	}
	for n > 0 {
		at = at.AddDate(0, 0, 1)
		works, known := workday(at)
		provisional = provisional || !known
		if works {
			n--
		}
	}
	return exchange.Date(at.Format(time.DateOnly)), provisional
}

// Clock is a legal time limit that runs, in working days.
type Clock struct {
	Article     int           `json:"article"` // of 政务数据共享条例; 21: to answer; 22: to share what was granted; 26: to settle a doubt
	Due         exchange.Date `json:"due"`     // the last day
	Overdue     bool          `json:"overdue,omitempty"`
	Provisional bool          `json:"provisional,omitempty"` // the official calendar up to there is not published yet
}

// Run is the clock of an article's limit of n working days that began on a day, as it stands today.
func Run(article int, from exchange.Date, n int, today exchange.Date) *Clock {
	due, provisional := Add(from, n)
	return &Clock{Article: article, Due: due, Overdue: due < today, Provisional: provisional}
}

// Between counts the working days after one day up to and with another; none where that is no later. Provisional and days that do not exist are as
// with Add.
func Between(from, to exchange.Date) (n int, provisional bool) {
	at, err := time.Parse(time.DateOnly, string(from))
	end, wrong := time.Parse(time.DateOnly, string(to))
	if err != nil || wrong != nil {
		return 0, true
	}
	for at.Before(end) {
		at = at.AddDate(0, 0, 1)
		works, known := workday(at)
		provisional = provisional || !known
		if works {
			n++
		}
	}
	return n, provisional
}

// workday says whether people work on a day, and whether that year's calendar is published.
func workday(at time.Time) (works, known bool) {
	weekend := at.Weekday() == time.Saturday || at.Weekday() == time.Sunday
	for i := range notices {
		if n := &notices[i]; n.year == at.Year() {
			day := exchange.Date(at.Format(time.DateOnly))
			off := slices.ContainsFunc(n.off, func(s span) bool { return s.from <= day && day <= s.to })
			return slices.Contains(n.work, day) || !weekend && !off, true
		}
	}
	return !weekend, false
}
