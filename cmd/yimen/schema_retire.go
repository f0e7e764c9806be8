package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/impact"
	"github.com/onedoor/yimen/schemas/registry"
	"github.com/onedoor/yimen/schemas/rest"
)

// retirement is one run of schema retire.
type retirement struct {
	session *session
	at      registryAt
	name    subjectName
	after   string
	on      string
	reason  string
	confirm string
	cancel  bool
}

// retirementView is an announcement, or that it was taken back, as scripts see it.
type retirementView struct {
	Subject string     `json:"subject"`
	From    *time.Time `json:"from,omitempty"` // none: it was taken back
	Reason  string     `json:"reason,omitempty"`
	Records int64      `json:"records"`
	Items   []string   `json:"items"`
}

func (s *session) schemaRetire() verb {
	r := &retirement{session: s}
	return verb{
		use:   "retire TYPE",
		short: both("宣布一种证照停用的日期，或取消", "announce the end of an evidence type, or take that back"),
		long: both(`宣布从某日起停用一种证照：到时不再接受新版本和新记录。到期之前可用 --cancel 取消。
会先说明影响多少记录和事项，再要求照样输入名称；脚本用 --confirm 名称。`,
			`Announce from when on an evidence type is no more: no new versions, no new records. Until then --cancel takes it back.
It first says how many records and items are concerned, then asks to type the name; scripts give it with --confirm.`),
		example: "yimen schema retire food-licence --after 30d --reason 'REASON' --token @admin.token\nyimen schema retire food-licence --at 2026-12-31 --confirm food-licence --token @admin.token\nyimen schema retire food-licence --cancel --token @admin.token",
		min:     1, max: 1,
		lists: true,
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&r.after, "after", "30d", s.t("多久以后 `SPAN`，如 30d、12h", "after `SPAN`, such as 30d or 12h"))
			f.StringVar(&r.on, "at", "", s.t("从 `DATE` 起，如 2026-12-31 或 RFC 3339 时间", "from `DATE` on, such as 2026-12-31 or an RFC 3339 time"))
			f.StringVar(&r.reason, "reason", "", s.t("原因 `TEXT`", "the reason, as `TEXT`"))
			f.StringVar(&r.confirm, "confirm", "", s.t("照样写出名称 `NAME` 表示确认", "write the `NAME` again to confirm"))
			f.BoolVar(&r.cancel, "cancel", false, s.t("取消停用", "take the announcement back"))
			s.subjectFlag(f, &r.name)
			s.registryFlags(f, &r.at)
			required(f, "token")
		},
		complete: anyOf(evidenceTypes),
		run:      func(ctx context.Context, args []string) error { return r.run(ctx, args[0]) },
	}
}

func (r *retirement) run(ctx context.Context, name string) error {
	s, subject := r.session, r.name.subject(name)
	client, err := r.at.client(ctx)
	if err != nil {
		return err
	}
	if r.on != "" && r.at.given.Changed("after") {
		return twoMoments()
	}
	view := retirementView{Subject: subject, Reason: r.reason, Items: []string{}}
	if r.cancel {
		if err := client.Retire(ctx, subject, time.Time{}, ""); err != nil {
			return err
		}
		return r.print(name, view)
	}
	from, err := r.from(s.now())
	if err != nil {
		return err
	}
	report, err := s.resting(ctx, client, subject)
	if err != nil {
		return err
	}
	view.From, view.Records = &from, report.Records.Checked
	for _, item := range report.Items {
		view.Items = append(view.Items, string(item.Code))
	}
	if registry.EvidenceType(subject) != "" {
		items := s.counted(len(report.Items), " 个事项", "item", "items")
		day := from.In(exchange.China).Format(time.DateOnly)
		s.say("%s 条记录将在 %s 之后不再更新，涉及 %s：%s\n", "This closes %s records to updates after %s, for %s: %s\n", figure(view.Records), day, items, plain(s.itemNames(report.Items)))
	}
	if err := s.nameTyped(ctx, name, r.confirm); err != nil {
		return err
	}
	if err := client.Retire(ctx, subject, from, r.reason); err != nil {
		return err
	}
	return r.print(name, view)
}

// resting is what rests on a subject today: the impact of its own newest schema.
func (s *session) resting(ctx context.Context, client *rest.Client, subject string) (impact.Report, error) {
	newest, err := client.Version(ctx, subject, 0, false)
	if err != nil || registry.EvidenceType(subject) == "" {
		return impact.Report{}, err
	}
	return s.impactOf(ctx, client, subject, []byte(newest.Schema))
}

// from is the moment that the flags name.
func (r *retirement) from(now time.Time) (time.Time, error) {
	if r.on != "" {
		for _, layout := range []string{time.RFC3339, time.DateOnly} {
			at, err := time.ParseInLocation(layout, r.on, exchange.China)
			if err == nil && at.Before(now) {
				return at, wrongMoment("at", both("它已经过去；从现在起停用写 --after 0s", "it is past; to retire from now on, --after 0s"), now.AddDate(0, 1, 0).In(exchange.China).Format(time.DateOnly))
			}
			if err == nil {
				return at, nil
			}
		}
		return time.Time{}, wrongMoment("at", both("应为日期或 RFC 3339 时间", "it must be a date or an RFC 3339 time"), "2026-12-31")
	}
	span, err := time.ParseDuration(r.after)
	if days, inDays := strings.CutSuffix(r.after, "d"); inDays {
		var n int
		n, err = strconv.Atoi(days)
		span = time.Duration(n) * 24 * time.Hour
		if n > 36500 {
			err = strconv.ErrRange
		}
	}
	if err != nil || span < 0 {
		return time.Time{}, wrongMoment("after", both("应为天数或时长", "it must be a number of days or a duration"), "30d")
	}
	return now.Add(span).Truncate(time.Second), nil
}

func wrongMoment(flag string, why exchange.Text, example string) error {
	return &usageError{&exchange.Problem{Code: "YM-CLI-0712", Kind: exchange.Invalid,
		What: both("选项 --"+flag+" 的值不对", "the value of --"+flag+" is wrong"), Why: why,
		Mend: both("例如 --"+flag+" "+example, "such as --"+flag+" "+example)}}
}

func twoMoments() error {
	return &usageError{&exchange.Problem{Code: "YM-CLI-0714", Kind: exchange.Invalid,
		What: both("--after 和 --at 只能用一个", "--after and --at do not go together"),
		Why:  both("二者都说从何时起停用", "both say from when on"),
		Mend: both("去掉其中一个", "leave one of them out")}}
}

// nameTyped makes sure that somebody means it: the name is typed, or given with --confirm.
func (s *session) nameTyped(ctx context.Context, name, confirmed string) error {
	switch {
	case confirmed == name:
		return nil
	case confirmed == "" && s.hidden != nil:
		s.say("照样输入名称以继续：%s\n", "Type the name to go on: %s\n", plain(name))
		typed, err := s.typed(ctx)
		if err != nil {
			return err
		}
		if typed != name {
			return declined()
		}
		return nil
	}
	why := both("没有终端，不能询问", "there is no terminal to ask at")
	if confirmed != "" {
		why = both("--confirm 写的不是这个名称", "--confirm gives another name")
	}
	return &usageError{&exchange.Problem{Code: "YM-CLI-0713", Kind: exchange.Invalid, Why: why,
		What: both("没有确认，什么也没有改动", "it was not confirmed, so nothing changed"),
		Mend: both("确认无误后加 --confirm "+quoted(name), "where it is meant, add --confirm "+quoted(name))}}
}

func (r *retirement) print(name string, v retirementView) error {
	s := r.session
	return s.object(v.Subject, v, func(w io.Writer) error {
		if v.From == nil {
			_, err := fmt.Fprintf(w, s.t("✓ %s 的停用已取消\n", "✓ The retirement of %s was taken back\n"), plain(called(v.Subject)))
			return err
		}
		fmt.Fprintf(w, s.t("✓ %s 将于 %s 停用。", "✓ %s retires at %s. "), plain(called(v.Subject)), v.From.In(exchange.China).Format("2006-01-02 15:04"))
		_, err := fmt.Fprintf(w, s.t("在此之前可取消：yimen schema retire %s --cancel\n", "Undo until then: yimen schema retire %s --cancel\n"), quoted(plain(name)))
		return err
	})
}
