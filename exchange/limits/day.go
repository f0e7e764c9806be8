package limits

import "time"

// Days are open from the day before yesterday to tomorrow: entries come late, and some nodes' clocks run ahead. That is a day more
// than an entry may be late, so that a lift finds the day before its own on every node.
const (
	lateDays = 2
	openDays = lateDays + 2
)

const weekDays, monthDays = 7, 30

// Days are counted from 1970-01-01, and they and hours are those of clocks in China, which know no summer time.
const chinaAhead = 8 * time.Hour

func dayOf(ms int64) int {
	return int((ms + chinaAhead.Milliseconds()) / (24 * time.Hour).Milliseconds())
}

func hourOf(ms int64) uint8 {
	return uint8((ms + chinaAhead.Milliseconds()) / time.Hour.Milliseconds() % 24)
}

// startOf is when a day begins.
func startOf(day int) time.Time {
	return time.UnixMilli(int64(day)*(24*time.Hour).Milliseconds() - chinaAhead.Milliseconds())
}
