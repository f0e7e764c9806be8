package main

// limitSettings are the keys below limits: what one asker may ask. 0 stands for the default, below 0 for no bound.
func limitSettings() []setting {
	return []setting{
		{"limits.clerk.subjects_hour", "60", both("一名办事人员每小时可查的人和企业", "people and companies one clerk may ask about in an hour")},
		{"limits.clerk.subjects_day", "200", both("每天可查的", "in a day")},
		{"limits.clerk.queries_hour", "180", both("每小时的查询次数", "queries of one clerk in an hour")},
		{"limits.clerk.queries_day", "600", both("每天的查询次数", "in a day")},
		{"limits.items", "", both("按事项代码的例外：cohort（同龄人）、rare（多数人没有）、case_subjects 和各项限额", "exceptions by item: cohort, rare, case_subjects and budgets")},
		{"limits.case_subjects", "10", both("一个办件可查的人和企业", "people and companies one case may ask about")},
		{"limits.case_queries_day", "50", both("一个办件每天的查询次数", "queries of one case in a day")},
		{"limits.case_days", "60", both("办件最后一次查询后记住多少天", "for how many days a case is remembered")},
		{"limits.department_subjects_day", "500", both("一个部门每天至少可查的", "people and companies a department may ask about in a day at least")},
		{"limits.department_subjects_each", "150", both("按当天在岗人数，每人计多少", "for each clerk who asked that day")},
		{"limits.opens", "7", both("窗口几点开", "when windows open")},
		{"limits.closes", "21", both("窗口几点关", "when windows close")},
		{"limits.outside_subjects_day", "30", both("此外的时间每天可查的", "people and companies a clerk may ask about outside those hours")},
		{"limits.lookups_hour", "60", both("一名工作人员每小时可代查“谁看过我的数据”的人和企业", "people and companies for whom one clerk may ask in an hour who looked at their data")},
		{"limits.lookups_day", "200", both("每天可代查的", "in a day")},
		{"limits.speaks_for", "", both("代许多人查询的系统，按 部门/名称 写人数，如 {xzsp/one-door: 40}", "systems that ask for many clerks: how many, by department/name, such as {xzsp/one-door: 40}")},
		{"limits.replay", "10m", both("请求的随机数记住多久", "how long a request's number is remembered")},
		{"limits.suspend.neighbours", "40", both("暂停：一天内查了这么多号码相邻的人", "suspends: neighbours by number in a day")},
		{"limits.suspend.crowd", "80", both("暂停：一天内与已查者相邻的总数", "suspends: all who are a neighbour of somebody asked about")},
		{"limits.suspend.misses", "50", both("暂停：一天内查了这么多确无记录的人", "suspends: people of whom for certain nothing is held, in a day")},
		{"limits.suspend.misses_week", "200", both("暂停：七天内的", "in seven days")},
		{"limits.suspend.repeats", "20", both("暂停：一天内反复查同一人而没有新办件", "suspends: one subject asked about again without a new case, in a day")},
		{"limits.suspend.pressing", "100", both("暂停：超限后仍然查询的次数", "suspends: queries although a budget was spent")},
		{"limits.suspend.forbidden", "30", both("暂停：查询无权事项的次数", "suspends: queries for items the department may not ask for")},
		{"limits.suspend.guesses", "10", both("暂停：七天内以不对的号码或陈述重放结论的次数", "suspends: replays with numbers or statements that were not the entry's, in seven days")},
		{"limits.suspend.week", "700", both("暂停：七天内查的人和企业", "suspends: people and companies in seven days")},
		{"limits.suspend.month", "2800", both("暂停：三十天内的", "in thirty days")},
		{"limits.suspend.lookups_week", "700", both("暂停：七天内代查“谁看过我的数据”的人和企业", "suspends: people and companies for whom it was asked in seven days who looked at their data")},
		{"limits.suspend.department_neighbours", "120", both("暂停整个部门：一天内号码相邻的人", "suspends the department: neighbours by number in a day")},
		{"limits.suspend.department_clerks", "5", both("暂停整个部门：同一天有这么多人触发规则", "suspends the department: clerks who break a rule on one day")},
	}
}
