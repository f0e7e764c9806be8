package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/limits"
)

func (s *session) limitsVerbs() verb {
	return verb{
		use:   "limits",
		short: both("查询限额：被暂停的账号，核实后解除", "limits on queries: who is suspended, and lifting it"),
		verbs: []verb{s.limitsList(), s.limitsLift()},
	}
}

func (s *session) limitsList() verb {
	var server string
	var token *secret
	return verb{
		use:   "list",
		short: both("列出被暂停查询的账号和部门", "list the accounts and departments whose queries are suspended"),
		long: both("列出被暂停查询的账号和部门，以及触发的规则。暂停不会自行结束：核实后用 yimen limits lift 解除。\n达到小时或当天上限的账号不在其中，到时自行恢复。",
			"List the accounts and departments whose queries are suspended, and the rule each broke. A suspension does not end by itself: yimen limits lift ends it.\nAccounts that have reached a limit of the hour or the day are not among them: those limits end with time."),
		example: "yimen limits list --token @admin.token\nyimen limits list --token @admin.token -o json",
		lists:   true,
		flags:   func(f *pflag.FlagSet) { token = s.adminFlags(f, &server) },
		run: func(ctx context.Context, _ []string) error {
			listing, err := asked[limits.Listing](ctx, s, server, token, "/v1/limits")
			if err != nil {
				return err
			}
			if err := s.suspensionRows().print(s, listing.Suspensions); err != nil || len(listing.Suspensions) > 0 {
				return err
			}
			s.remark("没有被暂停的账号\n", "nobody is suspended\n")
			return nil
		},
	}
}

func (s *session) suspensionRows() list[limits.Suspension] {
	return list[limits.Suspension]{
		name: func(h limits.Suspension) string { return h.Target() },
		columns: []column[limits.Suspension]{
			{head: both("账号", "ACCOUNT"), cell: func(h limits.Suspension) string { return h.Target() }},
			{head: both("自", "SINCE"), cell: func(h limits.Suspension) string { return h.Since.In(exchange.China).Format(time.DateTime) }},
			{head: both("规则", "RULE"), cell: func(h limits.Suspension) string { return string(h.Rule) }},
			{head: both("原因", "BECAUSE"), cell: func(h limits.Suspension) string { return h.What.In(s.lang) }},
		},
	}
}

func (s *session) limitsLift() verb {
	var server string
	var token *secret
	var asked limits.Lift
	return verb{
		use:   "lift DEPT/CLERK",
		short: both("核实后解除暂停，重新计数", "lift a suspension after it was looked into; counting starts anew"),
		long: both("解除一个账号（部门/工号）或一个部门的暂停；此前的查询不再计入。解除记入审计日志，连同依据的编号。\n解除部门的暂停不解除其中各账号的。",
			"Lift the suspension of an account (department/clerk) or of a department; what was asked before counts no more. The audit log keeps who lifted it, and the number of the decision.\nLifting that of a department leaves those of its accounts."),
		example: "yimen limits lift xzsp/w3-017 --reason JC-2026-014 --token @admin.token\nyimen limits lift xzsp --reason JC-2026-015 --token @admin.token",
		min:     1, max: 1,
		lists: true,
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&asked.Reason, "reason", "", s.t("依据的编号 `CODE`，如处理单号", "the number of the decision, `CODE`"))
			token = s.adminFlags(f, &server)
			required(f, "reason")
		},
		run: func(ctx context.Context, args []string) error {
			asked.Target = args[0]
			client, err := s.window(ctx, server, token)
			if err != nil {
				return err
			}
			var done limits.Lift
			if err := client.Call(ctx, http.MethodPost, "/v1/limits/lift", asked, &done); err != nil {
				return err
			}
			return s.object(done.Target, done, func(w io.Writer) error { return s.liftPage(w, done) })
		},
	}
}

func (s *session) liftPage(w io.Writer, done limits.Lift) error {
	var rules []string
	for _, rule := range done.Lifted {
		rules = append(rules, rule.Text().In(s.lang))
	}
	line := s.t("✓ %s 没有被暂停，已重新计数\n", "✓ %s was not suspended; its count starts anew\n")
	if len(rules) > 0 {
		line = s.t("✓ %s 已解除暂停：", "✓ %s is no longer suspended: ") + strings.Join(rules, s.t("；", "; ")) + "\n"
	}
	_, err := fmt.Fprintf(w, line, plain(done.Target))
	return err
}
