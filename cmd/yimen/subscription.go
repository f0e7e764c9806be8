package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/notice"
)

func (s *session) subscriptionVerbs() verb {
	return verb{
		use:   "subscription",
		short: both("订阅：办件所依据的证照变了就告知", "subscriptions: be told when a record that a case relied on changes"),
		verbs: []verb{s.subscriptionAdd(), s.subscriptionList(), s.subscriptionRemove()},
	}
}

// subscriberFlags declare an exchange and the token of somebody of the department.
func (s *session) subscriberFlags(f *pflag.FlagSet, server *string) *secret {
	return s.callerFlags(f, server, both("本部门任一账号的令牌 `TOKEN`", "the `TOKEN` of any account of the department"))
}

func (s *session) subscriptionAdd() verb {
	var server string
	var token *secret
	var wish notice.Wish
	return verb{
		use:   "add",
		short: both("订阅一个办件或本部门全部办件", "subscribe one case, or all of the department's"),
		long: both("所依据的证照被吊销、暂停、替代、撤回、更正、恢复或删除时告知。事件是 CloudEvents 1.0，至少一次，编号相同即同一件事；只有收件号、证照编号、版本和状态。\n--url 是 Webhook：先以 OPTIONS 询问对方是否愿意接收；每次投递以 Webhook-Signature（Standard Webhooks，v1a）签名；未取走的反复投递，直到 webhooks.give_up（默认 72h）。所在网段须在配置 webhooks.allow 中。\n不写 --url 则只发到本部门的 Kafka 主题 notices.<部门>，本部门的服务身份可读，消费组名以主题名开头。\n订阅全部办件的，从订阅时起告知；订阅一个办件的，此前的变化也告知。应告知之时起满 90 天的不再补发，投递结果也不再保留。",
			"Be told when a record the case relied on is revoked, suspended, superseded, withdrawn, corrected, reinstated or erased. Events are CloudEvents 1.0, at least once, and the same id is the same news; they hold the case, the record's id, versions and statuses only.\n--url is a webhook: it is asked by OPTIONS whether it wants events; each is signed by Webhook-Signature (Standard Webhooks, v1a), and tried again and again for webhooks.give_up (72h by default). Its network must be in webhooks.allow of the configuration.\nWithout --url the events are on the department's Kafka topic notices.<department> alone, which its services may read, in groups whose names begin with the topic's.\nAll cases are told of what comes from now on; one case is told of what has come already, too. What was due 90 days ago is not sent any more, and what became of its delivery is forgotten."),
		example: "yimen subscription add --case LL-2026-1123-0041 --url https://cases.example.gov.cn/notices --token @clerk.token\nyimen subscription add --all --token @clerk.token",
		lists:   true,
		flags: func(f *pflag.FlagSet) {
			token = s.subscriberFlags(f, &server)
			f.StringVar(&wish.Case, "case", "", s.t("收件号 `CASE`", "the number of the `CASE`"))
			f.BoolVar(&wish.All, "all", false, s.t("本部门全部办件", "all of the department's cases"))
			f.StringVar(&wish.URL, "url", "", s.t("接收通知的 `URL`（https）", "the `URL` (https) that takes the notices"))
		},
		run: func(ctx context.Context, _ []string) error {
			client, err := s.window(ctx, server, token)
			if err != nil {
				return err
			}
			var made notice.Subscribed
			if err := client.Call(ctx, http.MethodPost, "/v1/subscriptions", wish, &made); err != nil {
				return err
			}
			return s.object(made.ID, made, func(w io.Writer) error {
				if made.Topic != "" {
					_, err := fmt.Fprintf(w, s.t("✓ 已订阅，编号 %s；通知在 Kafka 主题 %s\n", "✓ subscribed as %s; the notices are on the Kafka topic %s\n"), made.ID, made.Topic)
					return err
				}
				_, err := fmt.Fprintf(w, s.t("✓ 已订阅，编号 %s\n  验证签名的公钥：%s\n", "✓ subscribed as %s\n  the key that verifies signatures: %s\n"), made.ID, made.Key)
				return err
			})
		},
	}
}

func (s *session) subscriptionList() verb {
	var server string
	var token *secret
	return verb{
		use:     "list",
		short:   both("列出订阅及其投递情况", "list subscriptions and how deliveries went"),
		long:    both("本部门的；管理员看全部。放弃的不再投递：重新核验该办件即可。", "The own department's; administrators see all. What was given up is not tried again: ask for the case anew."),
		example: "yimen subscription list --token @clerk.token -o wide",
		lists:   true,
		flags:   func(f *pflag.FlagSet) { token = s.subscriberFlags(f, &server) },
		run: func(ctx context.Context, _ []string) error {
			client, err := s.window(ctx, server, token)
			if err != nil {
				return err
			}
			rows, err := gathered(client.Subscriptions(ctx))
			if err != nil {
				return err
			}
			slices.SortStableFunc(rows, func(a, b notice.Subscription) int {
				return cmp.Or(cmp.Compare(a.Department, b.Department), cmp.Compare(a.Case, b.Case))
			})
			return s.subscriptionRows().print(s, rows)
		},
	}
}

func (s *session) subscriptionRows() list[notice.Subscription] {
	of := func(head exchange.Text, wide bool, cell func(notice.Subscription) string) column[notice.Subscription] {
		return column[notice.Subscription]{head: head, wide: wide, cell: cell}
	}
	moment := func(t time.Time) string { return t.In(exchange.China).Format(time.DateTime) }
	return list[notice.Subscription]{
		name: func(x notice.Subscription) string { return x.ID },
		columns: []column[notice.Subscription]{
			of(both("编号", "SUBSCRIPTION"), false, func(x notice.Subscription) string { return x.ID }),
			of(both("部门", "DEPARTMENT"), false, func(x notice.Subscription) string { return string(x.Department) }),
			of(both("办件", "CASE"), false, func(x notice.Subscription) string {
				if x.Case == "" {
					return s.t("全部", "all")
				}
				return x.Case
			}),
			of(both("已送达", "DELIVERED"), false, func(x notice.Subscription) string { return hooked(x, x.Delivered) }),
			of(both("待送", "WAITING"), false, func(x notice.Subscription) string { return hooked(x, x.Waiting) }),
			of(both("已放弃", "GIVEN UP"), false, func(x notice.Subscription) string { return hooked(x, x.GivenUp) }),
			of(both("接收地址", "URL"), true, func(x notice.Subscription) string {
				if x.URL == "" {
					return "kafka"
				}
				return plain(x.URL)
			}),
			of(both("订阅时间", "SINCE"), true, func(x notice.Subscription) string { return moment(x.At) }),
			of(both("订阅人", "BY"), true, func(x notice.Subscription) string { return plain(x.By) }),
		},
		note: func(x notice.Subscription) string {
			if x.Why == "" {
				return ""
			}
			return fmt.Sprintf(s.t("最近一次放弃：%s，对方 %s", "last given up at %s: %s"), moment(x.Last), plain(x.Why))
		},
	}
}

// hooked is a number of deliveries, which there are of webhooks only.
func hooked(x notice.Subscription, n int) string {
	if x.URL == "" {
		return "-"
	}
	return strconv.Itoa(n)
}

func (s *session) subscriptionRemove() verb {
	var server string
	var token *secret
	return verb{
		use:     "remove SUBSCRIPTION",
		short:   both("结束订阅；未送达的不再投递", "end a subscription; what waits is not delivered"),
		example: "yimen subscription remove s-a2b3c4d5e6 --token @clerk.token",
		min:     1, max: 1, lists: true,
		flags: func(f *pflag.FlagSet) { token = s.subscriberFlags(f, &server) },
		run: func(ctx context.Context, args []string) error {
			client, err := s.window(ctx, server, token)
			if err != nil {
				return err
			}
			var ended notice.Subscription
			if err := client.Call(ctx, http.MethodDelete, "/v1/subscriptions/"+url.PathEscape(args[0]), nil, &ended); err != nil {
				return err
			}
			return s.object(ended.ID, ended, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, s.t("✓ 已结束 %s\n", "✓ %s has ended\n"), ended.ID)
				return err
			})
		},
	}
}
