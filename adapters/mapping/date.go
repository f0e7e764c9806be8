package mapping

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/onedoor/yimen/exchange"
)

var (
	dayWords   = regexp.MustCompile(`^(\d{4})年(\d{1,2})月(\d{1,2})[日号]?$`)
	clockForm  = regexp.MustCompile(`^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?$`)
	shortYear  = regexp.MustCompile(`^\d{1,2}[-/.年]\d{1,2}[-/.月]\d{1,2}日?$`)
	yearLast   = regexp.MustCompile(`^\d{1,2}[-/.]\d{1,2}[-/.]\d{4}$`)
	monthNames = regexp.MustCompile(`(?i)^\d{1,2}[-/ ]?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|^(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)`)
	serialForm = regexp.MustCompile(`^\d{5}(\.\d+)?$`)
)

// endless are the words for a date that never comes.
var endless = []string{"长期", "永久", "长期有效", "永久有效", "永续", "无固定期限", "9999-12-31", "9999/12/31", "9999.12.31", "99991231", "9999年12月31日"}

// dateReader reads a day in one of the forms in which departments write it, into 2006-01-02.
func dateReader(open bool) conversion {
	return func(s string) (any, *complaint) {
		s = narrow(s)
		if slices.Contains(endless, s) {
			if open {
				return nil, nil
			}
			return nil, &complaint{"YM-MAP-0135", text("写的是长期，不是日期", "says that there is no end, which is no date"),
				text("该字段允许长期的，在清单中写 open: true，字段即留空", "where that may be, write open: true in the manifest, and the property is left out")}
		}
		day, wrong := readDate(s)
		return orNothing(day, wrong)
	}
}

func readDate(s string) (string, *complaint) {
	date, clock, hasClock := cutClock(s)
	year, month, day, ok := dayOf(date)
	if !ok {
		return "", unreadableDate(date)
	}
	canonical := year + "-" + pad(month) + "-" + pad(day)
	at, err := time.Parse(time.DateOnly, canonical)
	if err != nil || at.Year() < 1000 {
		return "", &complaint{"YM-MAP-0131", text("的日期不存在", "has a date that does not exist"), text("请对照原件核对年、月、日", "compare year, month and day with the original")}
	}
	if !hasClock {
		return canonical, nil
	}
	return chinaDay(at, canonical, clock)
}

// cutClock separates the time of day, after a blank or a T, from the date.
func cutClock(s string) (date, clock string, found bool) {
	at := strings.IndexAny(s, " T")
	if at <= 0 || !strings.Contains(s[at:], ":") {
		return s, "", false
	}
	return s[:at], strings.TrimLeft(s[at+1:], " "), true
}

func dayOf(s string) (year, month, day string, ok bool) {
	if len(s) == 8 && digitsOnly(s) {
		return s[:4], s[4:6], s[6:], true
	}
	if len(s) > 4 && strings.IndexByte("-/.", s[4]) >= 0 {
		mark := s[4:5]
		month, day, _ = strings.Cut(s[5:], mark)
		return s[:4], month, day, digitsOnly(s[:4]) && oneOrTwo(month) && oneOrTwo(day)
	}
	if m := dayWords.FindStringSubmatch(s); m != nil {
		return m[1], m[2], m[3], true
	}
	return "", "", "", false
}

func oneOrTwo(s string) bool { return (len(s) == 1 || len(s) == 2) && digitsOnly(s) }

func pad(s string) string {
	if len(s) == 1 {
		return "0" + s
	}
	return s
}

// chinaDay is the day in China of a date with a time of day. Without a zone the date stands as it is written.
func chinaDay(day time.Time, canonical, clock string) (string, *complaint) {
	m := clockForm.FindStringSubmatch(clock)
	if m == nil {
		return "", unreadableDate(clock)
	}
	seconds := m[3]
	if seconds == "" {
		seconds = "00"
	}
	zone := m[4]
	if zone == "" {
		zone = "+08:00"
	} else if len(zone) == 5 {
		zone = zone[:3] + ":" + zone[3:]
	}
	at, err := time.Parse(time.RFC3339, canonical+"T"+pad(m[1])+":"+m[2]+":"+seconds+zone)
	if err != nil {
		return "", &complaint{"YM-MAP-0131", text("的时刻不存在", "has a time of day that does not exist"), text("请核对，或只导出日期", "compare it with the original, or export the date alone")}
	}
	return string(exchange.DateOf(at)), nil
}

func unreadableDate(s string) *complaint {
	switch {
	case shortYear.MatchString(s):
		return &complaint{"YM-MAP-0132", text("的年份只有两位，有歧义", "has a year of two digits, which is ambiguous"), text("请导出四位年份，例如 2016-09-20", "export years with four digits, such as 2016-09-20")}
	case yearLast.MatchString(s), monthNames.MatchString(s):
		return &complaint{"YM-MAP-0133", text("的日期不是年在前，日、月有歧义", "has a date that does not begin with the year: day and month are ambiguous"), text("请按 年-月-日 导出，例如 2016-09-20", "export it as year-month-day, such as 2016-09-20")}
	case serialForm.MatchString(s):
		return &complaint{"YM-MAP-0134", text("像是 Excel 的日期序号", "looks like Excel's serial number of a date"),
			text("在 Excel 中把该列设为日期格式（yyyy-mm-dd）再另存，或直接从数据库导出", "give the column a date format (yyyy-mm-dd) in Excel and save again, or export from the database")}
	}
	return &complaint{"YM-MAP-0130", text("的日期不能识读", "has a date that cannot be read"),
		text("认得 2016-09-20、2016/9/20、2016.9.20、20160920、2016年9月20日；没有日期的留空或用 absent 声明", "2016-09-20, 2016/9/20, 2016.9.20, 20160920 and 2016年9月20日 are known; where there is none, leave it blank or declare the word with absent")}
}
