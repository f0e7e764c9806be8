package demo

import (
	"strconv"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// day counts days from 1970-01-01, as they are on Chinese calendars.
type day int

func dayOf(t time.Time) day {
	t = t.In(exchange.China)
	return day(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

func (d day) time() time.Time { return time.Unix(int64(d)*24*60*60, 0).UTC() }

func (d day) year() int { return d.time().Year() }

// years is the same day so many years later; the 29th of February becomes the 1st of March.
func (d day) years(n int) day { return day(d.time().AddDate(n, 0, 0).Unix() / (24 * 60 * 60)) }

func (d day) date() exchange.Date { return exchange.Date(d.time().Format(time.DateOnly)) }

// Forms in which departments write days.
const (
	dashes  = "2006-01-02"
	brief   = "2006-1-2" // without zeros, as Excel shows it
	slashes = "2006/01/02"
	packed  = "20060102"
	chinese = "2006年1月2日"
)

func (d day) in(form string) string {
	if form == packed { // in every citizen number
		year, month, day := d.time().Date()
		n := year*10_000 + int(month)*100 + day
		return strconv.Itoa(n)
	}
	return d.time().Format(form)
}
