package main

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/audit/ledger"
)

// searched is what audit search is asked for.
type searched struct {
	from, to       string
	decision, kind string
	department     string
	item           string
	filter         ledger.Filter
	most           int
}

func (s *session) auditSearch() verb {
	var at auditAt
	asked := searched{}
	return verb{
		use:   "search",
		short: both("检索审计记录", "search the audit log"),
		long: both("检索审计记录，新的在前。主管只见本部门的记录，审计员可见全部。记录里没有号码和姓名。",
			"Searches the audit log, the newest first. Supervisors see the entries of their department, auditors all. There is no number and no name in an entry."),
		example: "yimen audit search --token @supervisor.token --clerk w3-017 --department scjg --from 2026-11-01\nyimen audit search --token @auditor.token --decision refused -o jsonl",
		lists:   true,
		flags: func(f *pflag.FlagSet) {
			s.auditServerFlags(f, &at)
			f.StringVar(&asked.from, "from", "", s.t("从何时 `TIME`：日期，或 RFC 3339 时间", "from `TIME`: a day, or a time of RFC 3339"))
			f.StringVar(&asked.to, "to", "", s.t("到何时 `TIME`，不含", "up to `TIME`, which is out"))
			f.StringVar(&asked.department, "department", "", s.t("部门代码 `CODE`", "the department's `CODE`"))
			f.StringVar(&asked.filter.Clerk, "clerk", "", s.t("工号 `CODE`，须同时写 --department", "the staff `CODE`; needs --department"))
			f.StringVar(&asked.item, "item", "", s.t("事项代码 `ITEM`", "the `ITEM`"))
			f.StringVar(&asked.filter.Case, "case", "", s.t("收件号 `CASE`", "the case number `CASE`"))
			choice(f, &asked.decision, "decision", "", []string{string(audit.Answered), string(audit.Refused)}, s.t("结果 `DECISION`", "the `DECISION`"))
			choice(f, &asked.kind, "kind", "", []string{"query", string(audit.Rejection), string(audit.Access), string(audit.Act)}, s.t("类别 `KIND`", "the `KIND`"))
			f.IntVar(&asked.most, "limit", 100, s.t("最多几条 `N`", "at most `N` entries"))
			required(f, "token")
		},
		run: func(ctx context.Context, _ []string) error {
			filter, err := asked.read()
			if err != nil {
				return err
			}
			client, err := at.client(ctx)
			if err != nil {
				return err
			}
			found, more, err := collected(ctx, client, filter, asked.most)
			if err != nil {
				return err
			}
			if err := s.entryRows().print(s, found); err != nil {
				return err
			}
			if more {
				s.remark("还有更早的：用 --limit 或 --to 继续\n", "there are older ones: go on with --limit or --to\n")
			}
			return nil
		},
	}
}

// read makes a filter of the flags.
func (a *searched) read() (f ledger.Filter, err error) {
	f = a.filter
	f.Department, f.Item, f.Decision, f.Kind = exchange.Department(a.department), exchange.Item(a.item), audit.Decision(a.decision), a.kind
	if f.From, err = timeOf("from", a.from); err != nil {
		return f, err
	}
	if f.To, err = timeOf("to", a.to); err != nil {
		return f, err
	}
	if a.most < 1 {
		return f, badTime("limit", both("应为一或更大的整数", "it is a number from one up"))
	}
	return f, nil
}

// timeOf reads a day of China or a moment.
func timeOf(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.ParseInLocation(time.DateOnly, text, exchange.China); err == nil {
		return at, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, badTime(flag, both("应为日期如 2026-11-23，或时间如 2026-11-23T09:00:00+08:00", "it is a day such as 2026-11-23, or a time such as 2026-11-23T09:00:00+08:00"))
	}
	return at, nil
}

func badTime(flag string, why exchange.Text) error {
	return &usageError{&exchange.Problem{Code: "YM-CLI-0804", Kind: exchange.Invalid, Why: why,
		What: both("选项 --"+flag+" 的值不对", "the value of --"+flag+" is wrong"),
		Mend: both("yimen audit search --help", "yimen audit search --help")}}
}

// collected gathers pages until there are enough.
func collected(ctx context.Context, client *ledger.Client, f ledger.Filter, most int) (found []foundEntry, more bool, err error) {
	for {
		f.Most = most - len(found)
		page, err := client.Search(ctx, f)
		if err != nil {
			return nil, false, err
		}
		for _, l := range page.Entries {
			found = append(found, foundEntry{Index: l.Index, Entry: json.RawMessage(l.Raw), read: l.Entry})
		}
		if f.Before = page.Next; f.Before == "" || len(found) >= most {
			return found, f.Before != "", nil
		}
	}
}

// foundEntry is an entry of a search.
type foundEntry struct {
	Index uint64          `json:"index"`
	Entry json.RawMessage `json:"entry"`
	read  audit.Entry
}

func (s *session) entryRows() list[foundEntry] {
	return list[foundEntry]{
		name: func(e foundEntry) string { return e.read.ID },
		columns: []column[foundEntry]{
			{head: both("时间", "TIME"), cell: func(e foundEntry) string { return moment(e.read.Time) }},
			{head: both("类别", "KIND"), cell: func(e foundEntry) string { return s.entryKind(e.read.Kind) }},
			{head: both("部门", "DEPARTMENT"), cell: func(e foundEntry) string { return string(e.read.Department) }},
			{head: both("工号", "CLERK"), cell: func(e foundEntry) string { return e.read.Clerk }},
			{head: both("收件号", "CASE"), cell: func(e foundEntry) string { return e.read.Case }},
			{head: both("事项", "ITEM"), cell: func(e foundEntry) string { return string(e.read.Item) }},
			{head: both("结果", "DECISION"), cell: func(e foundEntry) string { return s.decision(&e.read) }},
			{head: both("编号", "ID"), wide: true, cell: func(e foundEntry) string { return e.read.ID }},
			{head: both("序号", "INDEX"), wide: true, cell: func(e foundEntry) string { return strconv.FormatUint(e.Index, 10) }},
			{head: both("操作", "ACT"), wide: true, cell: func(e foundEntry) string { return e.read.Act + " " + e.read.Target }},
		},
	}
}
