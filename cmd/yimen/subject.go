package main

import (
	"context"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/audit/ledger"
)

func (s *session) subjectVerbs() verb {
	return verb{
		use:   "subject",
		short: both("本人或本单位：谁查过我的数据", "a person or an organisation: who looked at my data"),
		verbs: []verb{s.subjectLog()},
	}
}

func (s *session) subjectLog() verb {
	var at auditAt
	var number *secret
	var most int
	return verb{
		use:   "log",
		short: both("谁在什么时候、为哪个事项查过", "who looked, when and for which item"),
		long: both("列出谁查过一位持证人的数据：时间、部门、事项、查了哪些证照、结果，新的在前。法律规定暂缓告知的，到期后才列出。\n号码从文件或标准输入读取，只在请求正文中传送；这次查看本身也会记入。",
			"Lists who looked at a holder's data: when, which department, for which item, which types and with which outcome, the newest first. What the law lets departments tell later is listed when its time has come.\nThe number comes from a file or standard input and travels in the body only; that it was asked is recorded too."),
		example: "yimen subject log --number - --token @portal.token\nyimen subject log --number @number.txt --token @portal.token -o json",
		lists:   true,
		flags: func(f *pflag.FlagSet) {
			s.auditServerFlags(f, &at)
			number = s.secretFlag(f, "number", both("身份证号或统一社会信用代码 `NUMBER`", "the citizen number or credit code `NUMBER`"))
			f.IntVar(&most, "limit", 100, s.t("最多几条 `N`", "at most `N` entries"))
			required(f, "number", "token")
		},
		run: func(ctx context.Context, _ []string) error {
			client, err := at.client(ctx)
			if err != nil {
				return err
			}
			asked, err := number.read(ctx)
			if err != nil {
				return err
			}
			found, more, err := accessesOf(ctx, client, asked, most)
			if err != nil {
				return err
			}
			if err := s.accessRows().print(s, found); err != nil {
				return err
			}
			switch {
			case len(found) == 0:
				s.remark("没有人查过，或尚未到可以告知的时间\n", "nobody looked, or it may not be told yet\n")
			case more:
				s.remark("还有更早的：用 --limit 多列一些\n", "there are older ones: list more with --limit\n")
			}
			return nil
		},
	}
}

// accessesOf asks page by page until there are enough.
func accessesOf(ctx context.Context, client *ledger.Client, number string, most int) (found []ledger.Access, more bool, err error) {
	subject, err := client.Subject(ctx, number)
	if err != nil {
		return nil, false, err
	}
	for before := ""; ; {
		page, err := client.Accesses(ctx, subject, before)
		if err != nil {
			return nil, false, err
		}
		found = append(found, page.Accesses...)
		if before = page.Next; before == "" || len(found) >= most {
			more = before != "" || len(found) > most
			return found[:min(len(found), max(0, most))], more, nil
		}
	}
}

func (s *session) accessRows() list[ledger.Access] {
	return list[ledger.Access]{
		name: func(a ledger.Access) string { return a.ID },
		columns: []column[ledger.Access]{
			{head: both("时间", "TIME"), cell: func(a ledger.Access) string { return moment(a.Time) }},
			{head: both("部门", "DEPARTMENT"), cell: func(a ledger.Access) string { return string(a.Department) }},
			{head: both("事项", "ITEM"), cell: s.accessItem},
			{head: both("结果", "DECISION"), cell: func(a ledger.Access) string { return s.decision(&audit.Entry{Decision: a.Decision}) }},
			{head: both("证照", "TYPES"), cell: s.typesSeen},
			{head: both("工号", "CLERK"), wide: true, cell: func(a ledger.Access) string { return a.Clerk }},
			{head: both("编号", "ID"), wide: true, cell: func(a ledger.Access) string { return a.ID }},
		},
	}
}

// accessItem says what it was for.
func (s *session) accessItem(a ledger.Access) string {
	switch a.Kind {
	case string(audit.Access):
		return s.t("查看本表", "this list")
	case string(audit.Act):
		return s.t("重放结论 ", "replay of ") + string(a.Item)
	}
	return string(a.Item)
}

func (s *session) typesSeen(a ledger.Access) string {
	var all []string
	for _, seen := range a.Types {
		all = append(all, string(seen.Type)+" "+seen.Outcome.Text().In(s.lang))
	}
	return strings.Join(all, s.t("、", ", "))
}
