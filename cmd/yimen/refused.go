package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/holdings"
)

// indexVerbs look at the index.
func (s *session) indexVerbs() verb {
	return verb{use: "index", short: both("索引：没有收下的消息", "the index: messages that were not taken"), verbs: []verb{s.indexRefused()}}
}

func (s *session) indexRefused() verb {
	var server string
	var token *secret
	return verb{
		use:   "refused",
		short: both("列出索引拒收的消息及原因", "list the messages that the index did not take, and why"),
		long: both("例如 not_signed：被改动、被移动、他人签名、证书当时无效；not_keeper：不是数源部门；conflicting_content：同一版本内容不同；sent_again：重复发送的旧消息；erased：已删除。",
			"Such as not_signed: altered, moved, signed by another or by a certificate not good at the time; not_keeper: not the type's keeper; conflicting_content: one version with two contents; sent_again: an old message sent once more; erased: to be forgotten."),
		example: "yimen index refused --token @admin.token",
		lists:   true,
		flags:   func(f *pflag.FlagSet) { token = s.adminFlags(f, &server) },
		run: func(ctx context.Context, _ []string) error {
			all, err := listed[holdings.Refusal](ctx, s, server, token, "/v1/refusals")
			if err != nil {
				return err
			}
			place := func(r holdings.Refusal) string { return fmt.Sprintf("%s %d:%d", r.Topic, r.Partition, r.Offset) }
			return list[holdings.Refusal]{name: place, columns: []column[holdings.Refusal]{
				{head: both("消息", "MESSAGE"), cell: place},
				{head: both("原因", "REASON"), cell: func(r holdings.Refusal) string { return string(r.Reason) }},
				{head: both("代码", "CODE"), cell: func(r holdings.Refusal) string { return r.Code }},
				{head: both("时间", "AT"), cell: func(r holdings.Refusal) string { return r.Time.In(exchange.China).Format(time.DateTime) }},
			}}.print(s, all)
		},
	}
}
