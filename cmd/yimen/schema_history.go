package main

import (
	"context"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/registry"
)

func (s *session) schemaHistory() verb {
	var at registryAt
	var name subjectName
	return verb{
		use:     "history [TYPE]",
		short:   both("谁在什么时候改了什么", "who changed what and when"),
		example: "yimen schema history\nyimen schema history food-licence -o json",
		max:     1,
		lists:   true,
		flags: func(f *pflag.FlagSet) {
			s.subjectFlag(f, &name)
			s.registryFlags(f, &at)
		},
		complete: anyOf(evidenceTypes),
		run: func(ctx context.Context, args []string) error {
			client, err := at.client(ctx)
			if err != nil {
				return err
			}
			subject := ""
			if len(args) > 0 {
				subject = name.subject(args[0])
			}
			changes, err := client.History(ctx, subject)
			if err != nil {
				return err
			}
			return s.changeRows().print(s, changes)
		},
	}
}

func (s *session) changeRows() list[registry.Change] {
	return list[registry.Change]{
		name: func(c registry.Change) string { return strconv.FormatInt(c.Offset, 10) },
		columns: []column[registry.Change]{
			{head: both("时间", "WHEN"), cell: func(c registry.Change) string { return c.At.In(exchange.China).Format("2006-01-02 15:04:05") }},
			{head: both("何人", "WHO"), cell: func(c registry.Change) string { return c.By }},
			{head: both("操作", "WHAT"), cell: func(c registry.Change) string { return c.Operation }},
			{head: both("名称", "NAME"), cell: func(c registry.Change) string { return called(c.Subject) }},
			{head: both("版本", "VERSION"), cell: func(c registry.Change) string { return versionCell(c.Version) }},
			{head: both("判定", "VERDICT"), cell: func(c registry.Change) string { return s.verdict(c.Verdict) }},
			{head: both("说明", "NOTE"), cell: func(c registry.Change) string { return c.Note }},
			{head: both("编号", "ID"), wide: true, cell: func(c registry.Change) string { return numberCell(c.ID) }},
			{head: both("位移", "OFFSET"), wide: true, cell: func(c registry.Change) string { return strconv.FormatInt(c.Offset, 10) }},
			{head: both("主题", "SUBJECT"), wide: true, cell: func(c registry.Change) string { return c.Subject }},
		},
	}
}

func versionCell(n int) string {
	if n == 0 {
		return ""
	}
	return "v" + strconv.Itoa(n)
}

func numberCell(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
