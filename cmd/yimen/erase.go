package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/erasure"
	"github.com/onedoor/yimen/exchange/node"
)

func (s *session) eraseVerbs() verb {
	return verb{
		use:   "erase",
		short: both("删除：使一个人、企业或一条记录不可再读", "erase: make a person, a company or a record unreadable for good"),
		verbs: []verb{s.eraseHolder(), s.eraseRecord(), s.eraseLift(), s.eraseList()},
	}
}

// erasing is an order to forget as the command gives it.
type erasing struct {
	asked   node.EraseRequest
	server  string
	token   *secret
	confirm string
}

func (s *session) erasingFlags(f *pflag.FlagSet, e *erasing) {
	e.token = s.adminFlags(f, &e.server)
	f.StringVar(&e.asked.Basis, "basis", "", s.t("法律依据的代码 `CODE`，如 pipl-47", "the code of the legal ground `CODE`, such as pipl-47"))
	required(f, "basis")
}

func (s *session) erase(ctx context.Context, e *erasing) error {
	client, err := s.window(ctx, e.server, e.token)
	if err != nil {
		return err
	}
	var done node.Erased
	if err := client.Call(ctx, http.MethodPost, "/v1/erasures", e.asked, &done); err != nil {
		return err
	}
	return s.object(done.ID, done, func(w io.Writer) error {
		if done.Kind == erasure.Lift {
			_, err := fmt.Fprintf(w, s.t("✓ 删除指令已解除；此后发布的记录可以再读。编号 %s\n", "✓ The order is lifted: what is published from now on can be read again. Order %s\n"), done.ID)
			return err
		}
		_, err := fmt.Fprintf(w, s.t("✓ 已删除，各节点不再可读；Kafka 上 %d 条记录的字节随压缩消失。编号 %s\n",
			"✓ Erased: no node reads it any more, and the bytes of %d records leave Kafka with its compaction. Order %s\n"), done.Records, done.ID)
		return err
	})
}

func (s *session) eraseHolder() verb {
	var e erasing
	var number *secret
	return verb{
		use:   "holder",
		short: both("删除一个人或企业的全部记录", "erase everything of a person or a company"),
		long: both("删除一个人或企业的全部记录，今后再发布的也不可读。与他人共有的记录（如婚姻登记）对他人仍然有效。\n请同时要求数源部门在其系统中删除，否则密封的字节会再次发布。",
			"Erases everything of a person or a company; what is published later is unreadable too. Records shared with others, such as a marriage, stay for them.\nHave the keepers delete it at its source as well, or sealed bytes are published again."),
		example: "yimen erase holder --number @number.txt --basis pipl-47 --token @admin.token --confirm erase",
		lists:   true,
		flags: func(f *pflag.FlagSet) {
			s.erasingFlags(f, &e)
			number = s.secretFlag(f, "number", both("身份证号或统一社会信用代码 `NUMBER`", "the citizen number or credit code `NUMBER`"))
			f.StringVar(&e.confirm, "confirm", "", s.t("写 erase `WORD` 以确认，供脚本使用", "the `WORD` erase, to confirm it in scripts"))
			required(f, "number")
		},
		run: func(ctx context.Context, _ []string) (err error) {
			e.asked.Kind = erasure.OfHolder
			if e.asked.Number, err = number.read(ctx); err != nil {
				return err
			}
			if err := s.nameTyped(ctx, "erase", e.confirm); err != nil {
				return err
			}
			return s.erase(ctx, &e)
		},
	}
}

func (s *session) eraseRecord() verb {
	var e erasing
	return verb{
		use:     "record TYPE ID",
		short:   both("删除一条记录的全部版本", "erase a record with all its versions"),
		example: "yimen erase record health-certificate 02b63e8d000000000000000000000000 --basis pipl-47 --token @admin.token --confirm 02b63e8d000000000000000000000000",
		min:     2, max: 2, lists: true,
		flags: func(f *pflag.FlagSet) {
			s.erasingFlags(f, &e)
			f.StringVar(&e.confirm, "confirm", "", s.t("照样写出 ID `ID` 以确认，供脚本使用", "the `ID` once more, to confirm it in scripts"))
		},
		complete: anyOf(evidenceTypes),
		run: func(ctx context.Context, args []string) error {
			e.asked.Kind, e.asked.Type, e.asked.Record = erasure.OfRecord, exchange.EvidenceType(args[0]), args[1]
			if err := s.nameTyped(ctx, args[1], e.confirm); err != nil {
				return err
			}
			return s.erase(ctx, &e)
		},
	}
}

func (s *session) eraseLift() verb {
	var e erasing
	return verb{
		use:     "lift ORDER",
		short:   both("解除一个删除指令：此后发布的可以再读", "lift an order to erase: what is published from then on can be read"),
		example: "yimen erase lift MNOPQRSTUVWXYZ234567ABCDEF --basis error --token @admin.token",
		min:     1, max: 1, lists: true,
		flags: func(f *pflag.FlagSet) { s.erasingFlags(f, &e) },
		run: func(ctx context.Context, args []string) error {
			e.asked.Kind, e.asked.Lifts = erasure.Lift, args[0]
			return s.erase(ctx, &e)
		},
	}
}

func (s *session) eraseList() verb {
	var server string
	var token *secret
	return verb{
		use:     "list",
		short:   both("列出删除指令", "list the orders to erase"),
		example: "yimen erase list --token @admin.token",
		lists:   true,
		flags:   func(f *pflag.FlagSet) { token = s.adminFlags(f, &server) },
		run: func(ctx context.Context, _ []string) error {
			all, err := listed[node.Erased](ctx, s, server, token, "/v1/erasures")
			if err != nil {
				return err
			}
			return list[node.Erased]{name: func(e node.Erased) string { return e.ID }, columns: []column[node.Erased]{
				{head: both("编号", "ORDER"), cell: func(e node.Erased) string { return e.ID }},
				{head: both("对象", "KIND"), cell: func(e node.Erased) string { return string(e.Kind) }},
				{head: both("时间", "AT"), cell: func(e node.Erased) string { return e.At.In(exchange.China).Format(time.DateTime) }},
				{head: both("依据", "BASIS"), cell: func(e node.Erased) string { return plain(e.Basis) }},
				{head: both("管理员", "BY"), cell: func(e node.Erased) string { return plain(e.By) }},
				{head: both("记录", "RECORDS"), wide: true, cell: func(e node.Erased) string { return strconv.Itoa(e.Records) }},
			}}.print(s, all)
		},
	}
}
