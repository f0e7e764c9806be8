package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/grants"
	"github.com/onedoor/yimen/exchange/workdays"
)

func (s *session) grantVerbs() verb {
	return verb{
		use:   "grant",
		short: both("共享授权：申请、同意、拒绝、暂停、撤销、核对", "grants: request, approve, refuse, suspend, revoke, check"),
		verbs: []verb{s.grantRequest(),
			s.grantAct(grants.Approve, both("同意申请：数源部门的共享负责人可用", "approve a request: for the keeper's head of sharing"), both("已同意，即刻生效", "is granted and counts at once")),
			s.grantAct(grants.Refuse, both("拒绝申请，须说明理由", "refuse a request, with the reason"), both("已拒绝", "is refused")),
			s.grantAct(grants.Extend, both("延长答复期限十个工作日：管理员（主管部门）可用", "extend the time to answer by ten working days: for administrators, who act for the authority"), both("的答复期限已延长；请告知申请部门", "has ten working days more; tell the department that asked")),
			s.grantAct(grants.Suspend, both("暂停授权，即刻生效", "suspend a grant at once"), both("已暂停", "is suspended")),
			s.grantAct(grants.Resume, both("恢复被暂停的授权", "resume a suspended grant"), both("已恢复", "is in force again")),
			s.grantAct(grants.Revoke, both("撤销授权，即刻生效，不能恢复", "revoke a grant at once and for good"), both("已撤销", "is revoked")),
			s.grantList(), s.grantCheck()},
	}
}

// dealerFlags declare an exchange and the token of who deals with grants.
func (s *session) dealerFlags(f *pflag.FlagSet, server *string) *secret {
	return s.callerFlags(f, server, both("共享负责人或管理员的令牌 `TOKEN`", "the `TOKEN` of a head of sharing or an administrator"))
}

func (s *session) grantRequest() verb {
	var server string
	var token *secret
	var a grants.Application
	var from, until string
	return verb{
		use:   "request ITEM TYPE",
		short: both("以本部门名义申请：为某事项查看某类证照的某些字段", "ask in the department's name to see fields of a type for an item"),
		long: both("须写明依据、字段、起止日期（政务数据共享条例第二十条）；缺漏一次性告知，不留下申请。\n数源部门须在 1 个工作日（无条件共享）或 10 个工作日（有条件共享）内答复。",
			"State the basis, the fields, the first and the last day (Regulations on the Sharing of Government Data, art. 20); all that is missing is told at once, and nothing is recorded then.\nThe keeper answers within 1 working day (shared unconditionally) or 10 (conditionally)."),
		example: "yimen grant request food-licence-new business-licence --fields name,creditCode --basis 'Food Safety Law art. 35' --from 2026-12-01 --until 2027-11-30 --token @sharing.token",
		min:     2, max: 2, lists: true,
		flags: func(f *pflag.FlagSet) {
			token = s.dealerFlags(f, &server)
			f.StringSliceVar(&a.Fields, "fields", nil, s.t("字段 `NAMES`，逗号分隔；省略则只看有无", "the fields' `NAMES`, with commas between; without, only whether it is held"))
			f.StringVar(&a.Basis.ZH, "basis", "", s.t("法律依据 `LAW`：法律、条、款", "the legal basis `LAW`: law, article and paragraph"))
			f.StringVar(&from, "from", "", s.t("起始日 `DAY`", "the first `DAY`"))
			f.StringVar(&until, "until", "", s.t("截止日 `DAY`，含当天", "the last `DAY`, included"))
		},
		run: func(ctx context.Context, args []string) error {
			a.Item, a.Evidence, a.From, a.Until = exchange.Item(args[0]), exchange.EvidenceType(args[1]), exchange.Date(from), exchange.Date(until)
			if a.Fields == nil {
				a.Fields = []string{}
			}
			client, err := s.window(ctx, server, token)
			if err != nil {
				return err
			}
			g, err := client.RequestGrant(ctx, a)
			if err != nil {
				return err
			}
			return s.object(g.ID, g, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, s.t("✓ 已申请，编号 %s；%s\n", "✓ asked for as %s; %s\n"), g.ID, s.clock(g.Clock))
				return err
			})
		},
	}
}

// grantAct is a decision on a grant that exists.
func (s *session) grantAct(act grants.Act, short, done exchange.Text) verb {
	var server string
	var token *secret
	d := grants.Decision{Act: act}
	return verb{
		use:     string(act) + " GRANT",
		short:   short,
		example: fmt.Sprintf("yimen grant %s g-a2b3c4d5e6 --token @sharing.token", act) + map[bool]string{true: ` --reason "not for this item"`}[act.Reasoned()],
		min:     1, max: 1, lists: true,
		flags: func(f *pflag.FlagSet) {
			token = s.dealerFlags(f, &server)
			s.replacesFlag(f, &d.Replaces)
			f.StringVar(&d.Reason, "reason", "", s.t("理由 `TEXT`，告知申请部门", "the reason `TEXT`, told to the department that asked"))
			if act.Reasoned() {
				required(f, "reason")
			}
		},
		run: func(ctx context.Context, args []string) error {
			client, err := s.window(ctx, server, token)
			if err != nil {
				return err
			}
			if d.Replaces < 0 {
				all, err := gathered(client.Grants(ctx))
				if err != nil {
					return err
				}
				d.Replaces = 0
				for _, g := range all {
					if g.ID == args[0] {
						d.Replaces = g.Version
					}
				}
			}
			g, err := client.DecideGrant(ctx, args[0], d)
			if err != nil {
				return err
			}
			return s.object(g.ID, g, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "✓ %s %s\n", g.ID, done.In(s.lang))
				return err
			})
		},
	}
}

func (s *session) grantList() verb {
	var server string
	var token *secret
	var overdue bool
	return verb{
		use:   "list",
		short: both("列出授权和申请，超期的在前", "list grants and requests, what is overdue first"),
		long: both("本部门申请的，和本部门作为数源部门的；管理员看全部。期限按工作日计，含调休；† 表示届时的放假安排尚未公布，仅按周末推算。",
			"Those the own department asked for, and those of types it keeps; administrators see all. Limits count working days with make-up days; † marks a day for which the holidays are not published yet, so that only weekends are left out."),
		example: "yimen grant list --token @sharing.token -o wide\nyimen grant list --overdue --token @admin.token -o json",
		lists:   true,
		flags: func(f *pflag.FlagSet) {
			token = s.dealerFlags(f, &server)
			f.BoolVar(&overdue, "overdue", false, s.t("只列超期的", "only what is overdue"))
		},
		run: func(ctx context.Context, _ []string) error {
			client, err := s.window(ctx, server, token)
			if err != nil {
				return err
			}
			rows, err := gathered(client.Grants(ctx))
			if err != nil {
				return err
			}
			if overdue {
				rows = slices.DeleteFunc(rows, func(g grants.Standing) bool { return g.Clock == nil || !g.Clock.Overdue })
			}
			slices.SortStableFunc(rows, func(a, b grants.Standing) int { return a.Urgency() - b.Urgency() })
			return s.grantRows().print(s, rows)
		},
	}
}

func (s *session) grantRows() list[grants.Standing] {
	of := func(head exchange.Text, wide bool, cell func(grants.Standing) string) column[grants.Standing] {
		return column[grants.Standing]{head: head, wide: wide, cell: cell}
	}
	return list[grants.Standing]{
		name: func(g grants.Standing) string { return g.ID },
		columns: []column[grants.Standing]{
			of(both("编号", "GRANT"), false, func(g grants.Standing) string { return g.ID }),
			of(both("状态", "STATUS"), false, func(g grants.Standing) string { return g.Status.Text().In(s.lang) }),
			of(both("部门", "DEPARTMENT"), false, func(g grants.Standing) string { return string(g.Terms.Department) }),
			of(both("证照", "TYPE"), false, func(g grants.Standing) string { return string(g.Terms.Evidence) }),
			of(both("事项", "ITEM"), false, func(g grants.Standing) string { return string(g.Terms.Item) }),
			of(both("截止", "UNTIL"), false, func(g grants.Standing) string { return string(g.Terms.Until) }),
			of(both("期限", "DUE"), false, func(g grants.Standing) string { return s.clock(g.Clock) }),
			of(both("字段", "FIELDS"), true, func(g grants.Standing) string { return strings.Join(g.Terms.Fields, " ") }),
			of(both("依据", "BASIS"), true, func(g grants.Standing) string { return plain(g.Terms.Basis.In(s.lang)) }),
			of(both("申请人", "ASKER"), true, func(g grants.Standing) string { return plain(g.Asker) }),
			of(both("决定人", "DECIDER"), true, func(g grants.Standing) string { return plain(g.Decider) }),
			of(both("理由", "REASON"), true, func(g grants.Standing) string { return plain(g.Reason) }),
		},
	}
}

// clock is the limit that runs, as people read it.
func (s *session) clock(c *workdays.Clock) string {
	if c == nil {
		return "-"
	}
	said := map[int]exchange.Text{21: both("%s 前答复", "answer by %s"), 22: both("%s 前共享", "share by %s"), 26: both("%s 前更正、答复", "correct and answer by %s")}[c.Article].In(s.lang)
	line := fmt.Sprintf(said, c.Due)
	if c.Provisional {
		line += "†"
	}
	if c.Overdue {
		line += s.t("（超期）", " (overdue)")
	}
	return line
}

func (s *session) grantCheck() verb {
	var server, department string
	var token *secret
	var fields []string
	return verb{
		use:     "check ITEM TYPE",
		short:   both("今天能否看：能看哪些字段，不能的话为什么", "may it be seen today: which fields, and why not"),
		long:    both("能看则退出码为 0，不能为 6。", "The exit code is 0 where it may be seen, 6 where not."),
		example: "yimen grant check food-licence-new business-licence --fields name,creditCode --token @sharing.token\nyimen grant check food-licence-new business-licence --department xzsp --token @admin.token -o json",
		min:     2, max: 2, lists: true,
		flags: func(f *pflag.FlagSet) {
			token = s.dealerFlags(f, &server)
			f.StringVar(&department, "department", "", s.t("部门 `CODE`；省略即本部门", "the department's `CODE`; without, the own one"))
			f.StringSliceVar(&fields, "fields", nil, s.t("字段 `NAMES`，逗号分隔", "the fields' `NAMES`, with commas between"))
		},
		run: func(ctx context.Context, args []string) error {
			client, err := s.window(ctx, server, token)
			if err != nil {
				return err
			}
			v, err := client.CheckGrant(ctx, grants.Question{Department: exchange.Department(department), Item: exchange.Item(args[0]), Evidence: exchange.EvidenceType(args[1]), Fields: fields})
			if err != nil {
				return err
			}
			if err := s.object(v.Grant, v, func(w io.Writer) error { return s.verdictPage(w, v) }); err != nil || v.Allowed {
				return err
			}
			return exitDenied
		},
	}
}

func (s *session) verdictPage(w io.Writer, v grants.Verdict) error {
	if v.Allowed {
		_, err := fmt.Fprintf(w, s.t("✓ 可以，凭授权 %s，至 %s\n", "✓ yes, by the grant %s, until %s\n"), v.Grant, v.Until)
		return err
	}
	fmt.Fprintf(w, s.t("✗ 不可以（%s）\n", "✗ no (%s)\n"), v.Day)
	for _, why := range v.Why {
		if _, err := fmt.Fprintf(w, "  %s\n", plain(why.In(s.lang))); err != nil {
			return err
		}
	}
	return nil
}
