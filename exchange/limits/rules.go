package limits

import (
	"cmp"
	"strings"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// Rules are the bounds. What is 0 has the default named beside it, what is below 0 has no bound. A subject is whom a query
// is about; subjects are counted once however often they are asked about. Hours and days are those of clocks in China.
type Rules struct {
	// Clerk bounds one clerk: 60 subjects and 180 queries an hour, 200 and 600 a day.
	Clerk Budget `yaml:"clerk"`
	// Items are the service items for which something else holds.
	Items map[exchange.Item]Exception `yaml:"items"`
	// CaseSubjects is about how many subjects one case may ask; 10. CaseQueriesDay is how often it may ask in a day; 50.
	CaseSubjects   int `yaml:"case_subjects"`
	CaseQueriesDay int `yaml:"case_queries_day"`
	// CaseDays is for how many days at least a case is remembered after it was last asked for; 60. A case that comes again later
	// may ask about as many subjects again.
	CaseDays int `yaml:"case_days"`
	// DepartmentSubjectsDay is about how many subjects a department may ask in a day whatever its size; 500. Where
	// DepartmentSubjectsEach, 150, for each clerk who asked that day comes to more, that holds.
	DepartmentSubjectsDay  int `yaml:"department_subjects_day"`
	DepartmentSubjectsEach int `yaml:"department_subjects_each"`
	// Opens and Closes are the hours between which windows are open on working days; 7 and 21.
	Opens  int `yaml:"opens"`
	Closes int `yaml:"closes"`
	// OutsideSubjectsDay is about how many subjects a clerk may ask outside those hours in a day; 30.
	OutsideSubjectsDay int `yaml:"outside_subjects_day"`
	// LookupsHour and LookupsDay are for how many different people and companies one clerk may ask the log who looked at their data: 60 an
	// hour, 200 a day. OutsideSubjectsDay bounds these look-ups too, counted by themselves.
	LookupsHour int `yaml:"lookups_hour"`
	LookupsDay  int `yaml:"lookups_day"`
	// Suspend says what suspends.
	Suspend Bars `yaml:"suspend"`
	// SpeaksFor names those who ask for many clerks under one name, such as xzsp/one-door: how many. Their bounds are so many
	// times as high.
	SpeaksFor map[string]int `yaml:"speaks_for"`
	// Replay is how long a request's nonce is remembered at least; 10m. It must not be shorter than a request stays valid.
	Replay time.Duration `yaml:"replay"`
}

// Budget bounds what is answered. When it is spent there are refusals until the hour or the day is over.
type Budget struct {
	SubjectsHour int `yaml:"subjects_hour"`
	SubjectsDay  int `yaml:"subjects_day"`
	QueriesHour  int `yaml:"queries_hour"`
	QueriesDay   int `yaml:"queries_day"`
}

// Exception is what holds for one service item. Its budget bounds one clerk's queries for the item, besides the clerk's own,
// and has no defaults.
type Exception struct {
	Budget `yaml:",inline"`
	// CaseSubjects is about how many subjects one case of this item may ask; 0: as many as any.
	CaseSubjects int `yaml:"case_subjects"`
	// Cohort says that its applicants are born on the same days (newborns, pupils, pensioners): they are no neighbours.
	Cohort bool `yaml:"cohort"`
	// Rare says that of most applicants nothing is held yet: that is no miss.
	Rare bool `yaml:"rare"`
}

// Bars are where a rule suspends: when it has counted so many. All but the department's count the queries of one clerk.
type Bars struct {
	// Neighbours counts subjects of one neighbourhood (same division and birthday, or credit codes that differ in the last
	// serial figure) in a day; 40. A division of 500,000 has some 14 births a day, and 36 codes share a neighbourhood.
	Neighbours int `yaml:"neighbours"`
	// Crowd counts subjects of a day who are not the first of their neighbourhood; 80.
	Crowd int `yaml:"crowd"`
	// Misses counts subjects of a day of whom for certain nothing is held; 50. MissesWeek sums seven days; 200.
	Misses     int `yaml:"misses"`
	MissesWeek int `yaml:"misses_week"`
	// Repeats counts queries of a day about one subject that had no new case; 20.
	Repeats int `yaml:"repeats"`
	// Pressing counts queries of a day that came although a budget was spent; 100.
	Pressing int `yaml:"pressing"`
	// Forbidden counts queries of a day for items that the department may not ask for; 30.
	Forbidden int `yaml:"forbidden"`
	// Guesses counts replays in seven days that were asked for with a number, a party or a statement that was not the entry's; 10.
	Guesses int `yaml:"guesses"`
	// Week and Month sum the subjects of the days, over 7 and over 30 days; 700 and 2800.
	Week  int `yaml:"week"`
	Month int `yaml:"month"`
	// LookupsWeek sums for how many people and companies a day the log was asked, over 7 days; 700.
	LookupsWeek int `yaml:"lookups_week"`
	// DepartmentNeighbours counts what Neighbours counts, over the whole department; 120. It suspends the department.
	DepartmentNeighbours int `yaml:"department_neighbours"`
	// DepartmentClerks counts the clerks of a department who break a rule about a day on the same day; 5. It suspends the department.
	DepartmentClerks int `yaml:"department_clerks"`
}

func (r Rules) withDefaults() Rules {
	r.Clerk = Budget{cmp.Or(r.Clerk.SubjectsHour, 60), cmp.Or(r.Clerk.SubjectsDay, 200), cmp.Or(r.Clerk.QueriesHour, 180), cmp.Or(r.Clerk.QueriesDay, 600)}
	r.CaseSubjects = cmp.Or(r.CaseSubjects, 10)
	r.CaseQueriesDay = cmp.Or(r.CaseQueriesDay, 50)
	r.CaseDays = cmp.Or(r.CaseDays, 60)
	r.DepartmentSubjectsDay = cmp.Or(r.DepartmentSubjectsDay, 500)
	r.DepartmentSubjectsEach = cmp.Or(r.DepartmentSubjectsEach, 150)
	r.Opens = cmp.Or(r.Opens, 7)
	r.Closes = cmp.Or(r.Closes, 21)
	r.OutsideSubjectsDay = cmp.Or(r.OutsideSubjectsDay, 30)
	r.LookupsHour = cmp.Or(r.LookupsHour, 60)
	r.LookupsDay = cmp.Or(r.LookupsDay, 200)
	r.Replay = cmp.Or(r.Replay, 10*time.Minute)
	r.Suspend = r.Suspend.withDefaults()
	return r
}

func (b Bars) withDefaults() Bars {
	return Bars{
		Neighbours: cmp.Or(b.Neighbours, 40), Crowd: cmp.Or(b.Crowd, 80),
		Misses: cmp.Or(b.Misses, 50), MissesWeek: cmp.Or(b.MissesWeek, 200),
		Repeats: cmp.Or(b.Repeats, 20), Pressing: cmp.Or(b.Pressing, 100), Forbidden: cmp.Or(b.Forbidden, 30),
		Guesses: cmp.Or(b.Guesses, 10),
		Week:    cmp.Or(b.Week, 700), Month: cmp.Or(b.Month, 2800), LookupsWeek: cmp.Or(b.LookupsWeek, 700),
		DepartmentNeighbours: cmp.Or(b.DepartmentNeighbours, 120), DepartmentClerks: cmp.Or(b.DepartmentClerks, 5),
	}
}

// check finds what cannot be meant. Defaults are filled in.
func (r Rules) check() error {
	switch {
	case r.Opens >= r.Closes || r.Closes > 24:
		return misconfigured(text("opens 须早于 closes，closes 不超过 24", "opens must be before closes, and closes 24 at most"))
	case r.Replay <= 0:
		return misconfigured(text("replay 须大于 0", "replay must be more than nothing"))
	case r.CaseDays <= 0:
		return misconfigured(text("case_days 须大于 0", "case_days must be more than nothing"))
	}
	for item := range r.Items {
		if !exchange.ValidName(string(item)) {
			return misconfigured(text("items 中有不是事项代码的键", "items has a key that is no item's code"))
		}
	}
	for asker, clerks := range r.SpeaksFor {
		department, name, joined := strings.Cut(asker, "/")
		if !joined || !exchange.ValidName(department) || name == "" || clerks < 1 {
			return misconfigured(text("speaks_for 须写成 部门/名称: 人数", "speaks_for must be written department/name: how many"))
		}
	}
	return nil
}

// over says whether n is more than a bound allows.
func over(n, bound int) bool { return bound > 0 && n > bound }

// Rule names what a refusal or a suspension follows from. It is a label of metrics and part of an audit entry's refusal code.
type Rule string

// Budgets: they end with time.
const (
	clerkHour     Rule = "clerk_hour"
	clerkDay      Rule = "clerk_day"
	itemHour      Rule = "item_hour"
	itemDay       Rule = "item_day"
	caseSubjects  Rule = "case_subjects"
	caseDay       Rule = "case_day"
	departmentDay Rule = "department_day"
	outsideHours  Rule = "outside_hours"
	lookupsHour   Rule = "lookups_hour"
	lookupsDay    Rule = "lookups_day"
)

// What suspends until somebody lifts it.
const (
	neighbours           Rule = "neighbours"
	crowd                Rule = "crowd"
	misses               Rule = "misses"
	missesWeek           Rule = "misses_week"
	repeats              Rule = "repeats"
	pressing             Rule = "pressing"
	forbiddenItems       Rule = "forbidden_items"
	guesses              Rule = "guesses"
	week                 Rule = "week"
	month                Rule = "month"
	lookupsWeek          Rule = "lookups_week"
	departmentNeighbours Rule = "department_neighbours"
	departmentClerks     Rule = "department_clerks"
)

// replayed is the rule that no request counts twice.
const replayed Rule = "replayed"

// suspending are the rules that suspend, in the order in which one is named where several hold.
var suspending = []Rule{neighbours, crowd, misses, missesWeek, repeats, pressing, forbiddenItems, guesses, week, month, lookupsWeek, departmentNeighbours, departmentClerks}

var whys = map[Rule]exchange.Text{
	clerkHour:            text("一小时内查询的不同申请人或次数达到账号上限", "the account has asked about as many applicants, or as often, as it may in an hour"),
	clerkDay:             text("一天内查询的不同申请人或次数达到账号上限", "the account has asked about as many applicants, or as often, as it may in a day"),
	itemHour:             text("一小时内为该事项查询的不同申请人或次数达到账号上限", "the account has asked for this item about as many applicants, or as often, as it may in an hour"),
	itemDay:              text("一天内为该事项查询的不同申请人或次数达到账号上限", "the account has asked for this item about as many applicants, or as often, as it may in a day"),
	caseSubjects:         text("该办件查询的不同申请人达到上限", "the case has asked about as many applicants as one case may"),
	caseDay:              text("该办件今天的查询次数达到上限", "the case has asked as often as one case may in a day"),
	departmentDay:        text("本部门今天查询的不同申请人达到上限", "the department has asked about as many applicants as it may in a day"),
	outsideHours:         text("在工作时间以外查询的不同申请人达到上限", "the account has asked about as many applicants as it may outside office hours in a day"),
	lookupsHour:          text("一小时内查看的不同人和企业的访问记录达到账号上限", "the account has asked for as many people and companies who looked at their data as it may in an hour"),
	lookupsDay:           text("一天内查看的不同人和企业的访问记录达到账号上限", "the account has asked for as many people and companies who looked at their data as it may in a day"),
	neighbours:           text("一天内查询了许多相邻的号码", "it asked about many neighbouring numbers in one day"),
	crowd:                text("一天内查询的号码大多彼此相邻", "most numbers it asked about in one day neighbour each other"),
	misses:               text("一天内查询了许多政府没有任何记录的号码", "it asked in one day about many numbers of which government holds nothing"),
	missesWeek:           text("七天内查询了许多政府没有任何记录的号码", "it asked in seven days about many numbers of which government holds nothing"),
	repeats:              text("反复查询同一申请人而没有新的办件", "it asked about one applicant again and again without a new case"),
	pressing:             text("达到上限以后仍大量查询", "it went on asking after its limits were reached"),
	forbiddenItems:       text("多次为无权查询的事项查询", "it asked many times for items it may not ask for"),
	guesses:              text("七天内多次以不对的号码或陈述重放结论", "it asked in seven days for many replays with numbers or statements that were not the entry's"),
	week:                 text("七天内查询的申请人远多于一个窗口能办理的", "it asked in seven days about more applicants than a window can serve"),
	month:                text("三十天内查询的申请人远多于一个窗口能办理的", "it asked in thirty days about more applicants than a window can serve"),
	lookupsWeek:          text("七天内查看的人和企业的访问记录远多于一个窗口能办理的", "it asked in seven days for more people and companies who looked at their data than a window can serve"),
	departmentNeighbours: text("该部门一天内查询了许多相邻的号码", "the department asked about many neighbouring numbers in one day"),
	departmentClerks:     text("该部门一天内有多个账号被暂停", "several accounts of the department were suspended on one day"),
	replayed:             text("同一个请求已经用过一次", "the same request was used before"),
}

// Text is the rule as people read it.
func (r Rule) Text() exchange.Text { return whys[r] }

// Unbounded has no bound at all. Everything is counted all the same: it is for tests and measurements that ask for more than
// any clerk does.
func Unbounded() Rules {
	none := Budget{SubjectsHour: -1, SubjectsDay: -1, QueriesHour: -1, QueriesDay: -1}
	return Rules{Clerk: none, CaseSubjects: -1, CaseQueriesDay: -1, DepartmentSubjectsDay: -1, DepartmentSubjectsEach: -1, OutsideSubjectsDay: -1, LookupsHour: -1, LookupsDay: -1,
		Suspend: Bars{Neighbours: -1, Crowd: -1, Misses: -1, MissesWeek: -1, Repeats: -1, Pressing: -1, Forbidden: -1, Guesses: -1, Week: -1, Month: -1, LookupsWeek: -1,
			DepartmentNeighbours: -1, DepartmentClerks: -1}}
}
