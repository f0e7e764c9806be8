package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/doubts"
)

func (s *session) doubtVerbs() verb {
	return verb{
		use:   "doubt",
		short: both("疑义：提出、列出、答复、撤回，谁依据过有疑义的记录", "doubts: raise, list, answer, withdraw; who relied on what is in doubt"),
		verbs: []verb{s.doubtRaise(), s.doubtList(), s.doubtAnswer(), s.doubtWithdraw(), s.doubtReach()},
	}
}

// doubterFlags declare an exchange and the token of whoever deals with doubts.
func (s *session) doubterFlags(f *pflag.FlagSet, server *string) *secret {
	return s.callerFlags(f, server, both("调用令牌 `TOKEN`", "the caller's token `TOKEN`"))
}

// reasonFlag takes a text that may tell of a person.
func (s *session) reasonFlag(f *pflag.FlagSet) *secret {
	return s.secretFlag(f, "reason", both("理由 `TEXT`，最多 300 字，不含公民身份号码", "the reason `TEXT`: at most 300 characters, no citizen number"))
}

func (s *session) doubtRaise() verb {
	var server string
	var token, reason *secret
	var r doubts.Raising
	return verb{
		use:   "raise RECEIPT RECORD",
		short: both("对结论依据的一条记录提出疑义", "doubt a record that an answer rested on"),
		long: both("RECEIPT 是结论的回执编号，RECORD 是其中的记录编号：yimen query … -o json 里的 receipt.id 和 record。\n数源部门须在 10 个工作日内核实、更正、答复（政务数据共享条例第二十六条）。理由可能涉及个人，因此从文件或标准输入读取，加密留存。",
			"RECEIPT is the answer's receipt and RECORD the record named there: receipt.id and record in `yimen query … -o json`.\nThe keeper verifies, corrects and answers within 10 working days (Regulations on the Sharing of Government Data, art. 26). A reason may tell of a person: it comes from a file or standard input, and is kept sealed."),
		example: "yimen doubt raise 01KAQ6M3K8ZD2W7N5YB4T9XE1C 7d0f6a3c1b2e495880c6d1a2b3f4e5d6 --fields address --reason - --token @clerk.token",
		min:     2, max: 2, lists: true,
		flags: func(f *pflag.FlagSet) {
			token, reason = s.doubterFlags(f, &server), s.reasonFlag(f)
			f.StringSliceVar(&r.Fields, "fields", nil, s.t("有疑义的字段 `NAMES`，逗号分隔", "the `NAMES` of the fields in doubt, with commas between"))
			required(f, "fields", "reason")
		},
		run: func(ctx context.Context, args []string) (err error) {
			r.Receipt, r.Record = args[0], args[1]
			if r.Reason, err = reason.read(ctx); err != nil {
				return err
			}
			return s.settle(ctx, server, token, "", r, func(d doubts.Standing) string {
				return fmt.Sprintf(s.t("✓ 已提出，编号 %s；%s（%s）\n", "✓ raised as %s; %s (%s)\n"), d.ID, s.clock(d.Clock), d.Keeper)
			})
		},
	}
}

// settle sends what is done about a doubt, and says what came of it.
func (s *session) settle(ctx context.Context, server string, token *secret, path string, what any, done func(doubts.Standing) string) error {
	client, err := s.window(ctx, server, token)
	if err != nil {
		return err
	}
	var d doubts.Standing
	if err := client.Call(ctx, http.MethodPost, "/v1/doubts"+path, what, &d); err != nil {
		return err
	}
	return s.object(d.ID, d, func(w io.Writer) error {
		_, err := io.WriteString(w, done(d))
		return err
	})
}

// doubts are all that the caller may know of, oldest first.
func (s *session) doubts(ctx context.Context, server string, token *secret) ([]doubts.Standing, error) {
	client, err := s.window(ctx, server, token)
	if err != nil {
		return nil, err
	}
	return gathered(client.Doubts(ctx))
}

// decideDoubt acts on the version of a doubt that was seen, where none is named on the one there is.
func (s *session) decideDoubt(ctx context.Context, server string, token *secret, id string, d doubts.Decision, done func(doubts.Standing) string) error {
	if d.Replaces < 0 {
		all, err := s.doubts(ctx, server, token)
		if err != nil {
			return err
		}
		d.Replaces = 0
		for _, known := range all {
			if known.ID == id {
				d.Replaces = known.Version
			}
		}
	}
	return s.settle(ctx, server, token, "/"+url.PathEscape(id)+"/decisions", d, done)
}

func (s *session) doubtAnswer() verb {
	var server string
	var token, reason *secret
	var d doubts.Decision
	return verb{
		use:   "answer DOUBT accept|reject",
		short: both("答复疑义：属实或不属实，数源部门的共享负责人可用", "answer a doubt: accept or reject it, for the keeper's head of sharing"),
		long: both("accept：属实。请在业务系统更正并由适配器发布；平台见到新版本，即记为已更正，在此之前期限继续计算。\nreject：不属实，须说明理由。",
			"accept: it is so. Correct it in your own system and let the adapter publish it; once the exchange sees the new version the doubt is corrected, and until then the time runs on.\nreject: it is not so; a reason is needed."),
		example: "yimen doubt answer d-a2b3c4d5e6 accept --token @sharing.token\nyimen doubt answer d-a2b3c4d5e6 reject --reason @reason.txt --token @sharing.token",
		min:     2, max: 2, lists: true,
		flags: func(f *pflag.FlagSet) {
			token, reason = s.doubterFlags(f, &server), s.reasonFlag(f)
			s.replacesFlag(f, &d.Replaces)
		},
		run: func(ctx context.Context, args []string) (err error) {
			if d.Act = doubts.Act(args[1]); d.Act != doubts.Accept && d.Act != doubts.Reject {
				return notAnAnswer()
			}
			if reason.given() {
				if d.Reason, err = reason.read(ctx); err != nil {
					return err
				}
			}
			return s.decideDoubt(ctx, server, token, args[0], d, func(d doubts.Standing) string {
				line := fmt.Sprintf("✓ %s %s", d.ID, d.Status.Text().In(s.lang))
				if d.Status == doubts.Accepted {
					line += s.t("；请更正并发布，", "; correct and publish it, ") + s.clock(d.Clock)
				}
				return line + "\n"
			})
		},
	}
}

func notAnAnswer() error {
	return &usageError{&exchange.Problem{Code: "YM-CLI-0215", Kind: exchange.Invalid, What: both("答复只能是 accept 或 reject", "an answer is accept or reject"),
		Mend: both("属实写 accept，不属实写 reject 并用 --reason 说明", "write accept where it is so; where not, reject with --reason")}}
}

func (s *session) doubtWithdraw() verb {
	var server string
	var token *secret
	d := doubts.Decision{Act: doubts.Withdraw}
	return verb{
		use:     "withdraw DOUBT",
		short:   both("撤回疑义：提出人，或其部门的共享负责人、监察人员可用", "withdraw a doubt: for who raised it, and the department's head of sharing and supervisors"),
		example: "yimen doubt withdraw d-a2b3c4d5e6 --token @clerk.token",
		min:     1, max: 1, lists: true,
		flags: func(f *pflag.FlagSet) {
			token = s.doubterFlags(f, &server)
			s.replacesFlag(f, &d.Replaces)
		},
		run: func(ctx context.Context, args []string) error {
			return s.decideDoubt(ctx, server, token, args[0], d, func(d doubts.Standing) string {
				return fmt.Sprintf("✓ %s %s\n", d.ID, d.Status.Text().In(s.lang))
			})
		},
	}
}

func (s *session) doubtList() verb {
	var server string
	var token *secret
	var overdue bool
	return verb{
		use:   "list",
		short: both("列出疑义，超期的在前", "list doubts, what is overdue first"),
		long: both("本部门提出的；数源部门的共享负责人另见对本部门证照的；管理员和审计看全部，不含所写理由。† 表示届时的放假安排尚未公布，仅按周末推算。",
			"Those of the own department; the keeper's head of sharing sees those about its evidence too; administrators and auditors see all, without what was written. † marks a day for which the holidays are not published yet, so that only weekends are left out."),
		example: "yimen doubt list --token @clerk.token\nyimen doubt list --overdue --token @admin.token -o json",
		lists:   true,
		flags: func(f *pflag.FlagSet) {
			token = s.doubterFlags(f, &server)
			f.BoolVar(&overdue, "overdue", false, s.t("只列超期的", "only what is overdue"))
		},
		run: func(ctx context.Context, _ []string) error {
			rows, err := s.doubts(ctx, server, token)
			if err != nil {
				return err
			}
			if overdue {
				rows = slices.DeleteFunc(rows, func(d doubts.Standing) bool { return d.Clock == nil || !d.Clock.Overdue })
			}
			slices.SortStableFunc(rows, func(a, b doubts.Standing) int { return a.Urgency() - b.Urgency() })
			return s.doubtRows().print(s, rows)
		},
	}
}

func (s *session) doubtRows() list[doubts.Standing] {
	of := func(head exchange.Text, wide bool, cell func(doubts.Standing) string) column[doubts.Standing] {
		return column[doubts.Standing]{head: head, wide: wide, cell: cell}
	}
	number := func(v exchange.Version) string {
		if v == 0 {
			return "-"
		}
		return fmt.Sprint(uint64(v))
	}
	return list[doubts.Standing]{
		name: func(d doubts.Standing) string { return d.ID },
		columns: []column[doubts.Standing]{
			of(both("编号", "DOUBT"), false, func(d doubts.Standing) string { return d.ID }),
			of(both("状态", "STATUS"), false, func(d doubts.Standing) string { return d.Status.Text().In(s.lang) }),
			of(both("提出部门", "DEPARTMENT"), false, func(d doubts.Standing) string { return string(d.Department) }),
			of(both("数源部门", "KEEPER"), false, func(d doubts.Standing) string { return string(d.Keeper) }),
			of(both("证照", "TYPE"), false, func(d doubts.Standing) string { return string(d.Evidence) }),
			of(both("字段", "FIELDS"), false, func(d doubts.Standing) string { return strings.Join(d.Fields, " ") }),
			of(both("期限", "DUE"), false, func(d doubts.Standing) string { return s.clock(d.Clock) }),
			of(both("记录", "RECORD"), true, func(d doubts.Standing) string { return d.Record }),
			of(both("有疑义的版本", "DOUBTED"), true, func(d doubts.Standing) string { return number(d.Doubted) }),
			of(both("新版本", "NEWER"), true, func(d doubts.Standing) string { return number(d.Newer) }),
			of(both("提出人", "ASKER"), true, func(d doubts.Standing) string { return plain(d.Asker) }),
			of(both("理由", "REASON"), true, func(d doubts.Standing) string { return plain(d.Reason) }),
			of(both("答复", "ANSWER"), true, func(d doubts.Standing) string { return plain(d.Answer) }),
		},
	}
}

func (s *session) doubtReach() verb {
	var server string
	var token *secret
	return verb{
		use:   "reach DOUBT",
		short: both("更正之前，哪些结论和办件依据过这条记录", "which answers and cases rested on the record before it was corrected"),
		long: both("数源部门看各部门的数目；办理人看自己的办件，监察人员看本部门的办件。-o json 另有数目。",
			"The keeper sees how many there are of each department; clerks their own cases, supervisors those of their department. -o json has the numbers too."),
		example: "yimen doubt reach d-a2b3c4d5e6 --token @clerk.token",
		min:     1, max: 1, lists: true,
		flags: func(f *pflag.FlagSet) { token = s.doubterFlags(f, &server) },
		run: func(ctx context.Context, args []string) error {
			reach, err := asked[doubts.Reach](ctx, s, server, token, "/v1/doubts/"+url.PathEscape(args[0])+"/reliances")
			if err != nil {
				return err
			}
			return s.object(reach.Doubt, reach, func(w io.Writer) error { return s.reachPage(w, reach) })
		},
	}
}

func (s *session) reachPage(w io.Writer, reach doubts.Reach) error {
	if len(reach.Departments) == 0 {
		_, err := io.WriteString(w, s.t("没有结论依据过它\n", "no answer rested on it\n"))
		return err
	}
	for _, c := range reach.Departments {
		fmt.Fprintf(w, s.t("%s：%d 个办件，%d 个结论\n", "%s: %d cases, %d answers\n"), c.Department, c.Cases, c.Answers)
	}
	for _, r := range reach.Reliances {
		if _, err := fmt.Fprintf(w, "  %s  %s  %s  %s\n", plain(r.Case), r.Time.In(exchange.China).Format("2006-01-02 15:04"), plain(r.Clerk), r.Receipt); err != nil {
			return err
		}
	}
	return nil
}
