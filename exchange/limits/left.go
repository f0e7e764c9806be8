package limits

import (
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/contract"
)

// Left says what is left of the budgets that bound an asker alone, the narrower window first. What a department, a case or an item
// has left is not told: others use it up, and how much they ask is their business.
func (l *Limits) Left(department exchange.Department, clerk string) []contract.Quota {
	now := l.clock()
	day, hour := dayOf(now.UnixMilli()), hourOf(now.UnixMilli())
	spent, times := l.spent(department, clerk, day, hour)
	budget := &l.rules.Clerk
	untilHour, untilDay := now.Truncate(time.Hour).Add(time.Hour).Sub(now), startOf(day+1).Sub(now)
	var all []contract.Quota
	for _, q := range [...]struct {
		contract.Quota
		used int
	}{
		{contract.Quota{Name: "queries_hour", Most: budget.QueriesHour, Window: time.Hour, Until: untilHour}, spent.hour.queries},
		{contract.Quota{Name: "subjects_hour", Unit: "subjects", Most: budget.SubjectsHour, Window: time.Hour, Until: untilHour}, spent.hour.subjects},
		{contract.Quota{Name: "queries_day", Most: budget.QueriesDay, Window: 24 * time.Hour, Until: untilDay}, spent.day.queries},
		{contract.Quota{Name: "subjects_day", Unit: "subjects", Most: budget.SubjectsDay, Window: 24 * time.Hour, Until: untilDay}, spent.day.subjects},
	} {
		if q.Most > 0 { // else it has no bound
			q.Most *= times
			q.Left = max(0, q.Most-q.used)
			all = append(all, q.Quota)
		}
	}
	return all
}

// spending is what was answered in an hour and in its day.
type spending struct{ hour, day use }

// spent is what an asker used, and for how many it speaks. It enters nobody.
func (l *Limits) spent(department exchange.Department, code string, day int, hour uint8) (s spending, times int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	times = max(1, l.rules.SpeaksFor[string(department)+"/"+code])
	d := l.departments[department]
	if d == nil || d.clerks[code] == nil {
		return s, times
	}
	if p := d.clerks[code].page(day); p != nil {
		s = spending{p.hours[hour], p.total}
	}
	return s, times
}
