package test

import (
	"slices"
	"strings"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
)

// demands are the conditions of the city's items in another hand: what a sound row must say, by what the catalogue writes.
var demands = map[string]func(column func(string) string, now time.Time) bool{
	`record.matter == "抵押权"`:   saying("证明权利或事项", "抵押权"),
	`record.matter == "预告登记"`:  saying("证明权利或事项", "预告登记"),
	`has(record.employerName)`: func(column func(string) string, _ time.Time) bool { return column("参保单位名称") != "" },
	`record.classes.exists(c, c in ["A2", "B2"])`: func(column func(string) string, _ time.Time) bool {
		return slices.ContainsFunc(strings.Split(column("准驾车型"), "、"), func(c string) bool { return c == "A2" || c == "B2" })
	},
	`years(record.bornOn, today) >= 30`:       olderThan("出生日期", "20060102", 30),
	`years(record.bornOn, today) >= 63`:       olderThan("出生日期", "20060102", 63),
	`years(record.bornOn, today) >= 80`:       olderThan("出生日期", "20060102", 80),
	`years(record.firstIssuedOn, today) >= 3`: olderThan("初次领证日期", "2006-1-2", 3),
	`days(today, record.validUntil) <= 31`: func(column func(string) string, now time.Time) bool {
		return !now.AddDate(0, 0, 31).Before(dayIn(column("有效期至"), "2006/01/02"))
	},
	`days(today, record.validUntil) >= 15`: func(column func(string) string, now time.Time) bool {
		return now.AddDate(0, 0, 14).Before(dayIn(column("有效期至"), "2006/01/02"))
	},
}

func saying(name, value string) func(func(string) string, time.Time) bool {
	return func(column func(string) string, _ time.Time) bool { return column(name) == value }
}

// olderThan says whether the day in the column lies so many years back; its anniversary counts.
func olderThan(name, form string, years int) func(func(string) string, time.Time) bool {
	return func(column func(string) string, now time.Time) bool {
		return !dayIn(column(name), form).AddDate(years, 0, 0).After(now)
	}
}

func dayIn(text, form string) time.Time {
	day, err := time.ParseInLocation(form, text, exchange.China)
	if err != nil {
		panic(err) // a sound row of the demonstration has its days in one form
	}
	return day
}

// says reads the columns of the row as it was before anything was spoilt: edits change neither days nor what is proved.
func (f *file) says(l *line) func(string) string {
	return func(column string) string { return l.cells[slices.Index(f.manifest.Dialect.Columns, column)] }
}

// notAsked says whether the item does not ask this applicant for the material. No facts are stated here, so only what the
// applicant is can settle it.
func notAsked(m catalogue.Material, h exchange.Holder) bool {
	switch m.If.String() {
	case `applicant == "org"`:
		return h.Kind != exchange.Organisation
	case `applicant == "person"`:
		return h.Kind != exchange.Person
	}
	return false
}
