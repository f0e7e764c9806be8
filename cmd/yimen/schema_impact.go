package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/impact"
	"github.com/onedoor/yimen/schemas/registry"
	"github.com/onedoor/yimen/schemas/rest"
)

func (s *session) schemaImpact() verb {
	var at registryAt
	var name subjectName
	var file string
	return verb{
		use:   "impact TYPE",
		short: both("发布之前：一个新 Schema 会影响哪些事项、授权、适配器和记录", "before publishing: which items, grants, adapters and records a new schema would touch"),
		long: both(`请服务器用一个新 Schema 检查已存的全部记录，并列出用到该证照的事项（及其条件要读而新 Schema 没有的字段）、会少字段的授权和发布它的适配器。什么也不改。
有任何一处会被破坏时，退出码为 10。输出不含记录的内容，只有记录编号。`,
			`Have the server check all stored records against a new schema, and list the items that ask for the type, with fields that their conditions read and the new schema lacks, the grants that would lose fields and the adapters that publish it. Nothing changes.
The exit code is 10 where anything would break. No content of a record is shown, only record ids.`),
		example: "yimen schema impact food-licence --file food-licence.v3.json --token @admin.token\nyimen schema impact food-licence --file food-licence.v3.json --token @admin.token -o json",
		min:     1, max: 1,
		lists: true,
		flags: func(f *pflag.FlagSet) {
			s.fileFlag(f, &file)
			s.subjectFlag(f, &name)
			s.registryFlags(f, &at)
			required(f, "token")
		},
		complete: anyOf(evidenceTypes),
		run: func(ctx context.Context, args []string) error {
			client, err := at.client(ctx)
			if err != nil {
				return err
			}
			text, err := s.schemaText(file)
			if err != nil {
				return err
			}
			report, err := s.impactOf(ctx, client, name.subject(args[0]), text)
			if err != nil {
				return err
			}
			if err := s.object(string(report.Type), report, func(w io.Writer) error { return s.impactPage(w, report) }); err != nil {
				return err
			}
			if report.Breaks() {
				return exitIncompatible
			}
			return nil
		},
	}
}

// impactOf has the server say what a schema would break, and tells how far it is.
func (s *session) impactOf(ctx context.Context, from *rest.Client, subject string, text []byte) (impact.Report, error) {
	var report impact.Report
	told := s.progress(0)
	told.plain = true
	found, err := from.Impact(ctx, subject, text, told.of)
	told.end()
	if err != nil {
		return report, err
	}
	if err := json.Unmarshal(found, &report); err != nil {
		return report, fmt.Errorf("read what a schema would break: %w", err)
	}
	return report, nil
}

func (s *session) impactPage(w io.Writer, r impact.Report) error {
	fmt.Fprintf(w, "%s  %s\n", r.Type, plain(r.Summary.In(s.lang)))
	for _, section := range []func() error{
		func() error { return s.itemsTouched(w, r.Items) },
		func() error { return s.grantsTouched(w, r.Grants) },
		func() error { return s.adaptersTouched(w, r.Adapters) },
	} {
		if err := section(); err != nil {
			return err
		}
	}
	s.recordsRefused(w, r.Records)
	for _, c := range r.Changes {
		fmt.Fprintf(w, "! %s%s\n", plain(c.What.In(s.lang)), s.suchAs(c.Example))
		fmt.Fprintf(w, "    → %s\n", plain(c.Mend.In(s.lang)))
	}
	for _, n := range r.Notes {
		fmt.Fprintf(w, "%s%s\n", s.t("注意：", "note: "), plain(n.In(s.lang)))
	}
	if r.Breaks() {
		fmt.Fprintln(w, s.t("\n会破坏以上各处。什么也没有改动。", "\nThese would break. Nothing changed."))
	} else {
		fmt.Fprintln(w, s.t("\n不会破坏什么。", "\nNothing would break."))
	}
	return nil
}

func (s *session) itemsTouched(w io.Writer, items []impact.Item) error {
	if len(items) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\n%s\n", s.t("用到它的事项", "items that ask for it"))
	rows := list[impact.Item]{columns: []column[impact.Item]{
		{head: both("代码", "CODE"), cell: func(i impact.Item) string { return string(i.Code) }},
		{head: both("名称", "NAME"), cell: func(i impact.Item) string { return i.Name.In(s.lang) }},
		{head: both("部门", "DEPARTMENT"), cell: func(i impact.Item) string { return string(i.Department) }},
		{head: both("材料", "MATERIALS"), cell: func(i impact.Item) string {
			var names []string
			for _, m := range i.Materials {
				names = append(names, m.Name.In(s.lang))
			}
			return strings.Join(names, s.t("、", ", "))
		}},
	}, note: s.conditionsLost}
	return rows.table(s, w, items)
}

// conditionsLost says which materials of an item have conditions that cannot be decided any more, and what mends it.
func (s *session) conditionsLost(i impact.Item) string {
	var said []string
	mend := ""
	for _, m := range i.Materials {
		if m.Lost != nil {
			said = append(said, m.Name.In(s.lang)+s.t("：", ": ")+m.What.In(s.lang))
			mend = s.t("；", "; ") + m.Mend.In(s.lang)
		}
	}
	return strings.Join(said, s.t("；", "; ")) + mend
}

// grantsTouched lists the grants, those first of which something must be said.
func (s *session) grantsTouched(w io.Writer, grants []impact.Grant) error {
	if len(grants) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\n%s\n", s.t("授权", "grants"))
	rows := list[impact.Grant]{columns: []column[impact.Grant]{
		{head: both("部门", "DEPARTMENT"), cell: func(g impact.Grant) string { return string(g.Department) }},
		{head: both("事项", "ITEM"), cell: func(g impact.Grant) string { return string(g.Item) }},
		{head: both("截止", "UNTIL"), cell: func(g impact.Grant) string { return string(g.Until) }},
		{head: both("会少的字段", "LOST FIELDS"), cell: func(g impact.Grant) string { return strings.Join(g.Lost, " ") }},
	}, note: func(g impact.Grant) string { return g.Mend.In(s.lang) }}
	return rows.table(s, w, grants)
}

func (s *session) adaptersTouched(w io.Writer, adapters []impact.Adapter) error {
	if len(adapters) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\n%s\n", s.t("发布它的适配器", "adapters that publish it"))
	rows := list[impact.Adapter]{columns: []column[impact.Adapter]{
		{head: both("适配器", "ADAPTER"), cell: func(a impact.Adapter) string { return string(a.Name) }},
		{head: both("记录", "RECORDS"), cell: func(a impact.Adapter) string { return figure(a.Records) }},
		{head: both("不符合", "REFUSED"), cell: func(a impact.Adapter) string { return figure(a.Refused) }},
	}}
	return rows.table(s, w, adapters)
}

// mostReasons is how many reasons people are shown; scripts get all.
const mostReasons = 20

// recordsRefused says how many stored records a schema refuses, by rule, with one of them each.
func (s *session) recordsRefused(w io.Writer, r impact.Records) {
	if r.Refused == 0 {
		return
	}
	fmt.Fprintf(w, s.t("\n%s 条已存记录中，%s 条不符合\n", "\nof %s stored records, %s do not fit\n"), figure(r.Checked), figure(r.Refused))
	for i, reason := range r.Reasons {
		if i == mostReasons {
			fmt.Fprintf(w, s.t("另有 %d 种原因；-o json 全部列出\n", "%d more reasons; -o json lists all\n"), len(r.Reasons)-i)
			break
		}
		fmt.Fprintf(w, "! %s  %s  %s%s\n", plain(root(reason.Pointer)), figure(reason.Records)+s.t(" 条", " records"), plain(reason.What.In(s.lang)), s.suchAs(reason.Example))
		if mend := reason.Mend.In(s.lang); mend != "" {
			fmt.Fprintf(w, "    → %s\n", plain(mend))
		}
	}
}

// suchAs names a record by its id and its place, which tell nothing of whose it is.
func (s *session) suchAs(e impact.Example) string {
	if e.Record == (exchange.RecordID{}) {
		return ""
	}
	return fmt.Sprintf(s.t("（例如记录 %s，位移 %d:%d）", " (such as record %s, offset %d:%d)"), e.Record, e.Partition, e.Offset)
}

// recordsLost has the server count the stored records that an incompatible schema refuses. A server that cannot is no
// reason to keep the verdict back.
func (s *session) recordsLost(ctx context.Context, from *rest.Client, subject string, text []byte) *impact.Records {
	if registry.EvidenceType(subject) == "" {
		return nil
	}
	report, err := s.impactOf(ctx, from, subject, text)
	if err != nil {
		s.say("没有统计已存的记录：%s\n", "stored records were not counted: %s\n", plain(problemsOf(err)[0].What.In(s.lang)))
		return nil
	}
	return &report.Records
}

// itemNames are the names of items, in the reader's language.
func (s *session) itemNames(items []impact.Item) string {
	var names []string
	for _, i := range items {
		names = append(names, i.Name.In(s.lang))
	}
	return strings.Join(names, s.t("、", ", "))
}

func publishersOf(adapters []impact.Adapter) string {
	var names []string
	for _, a := range adapters {
		names = append(names, string(a.Name))
	}
	return strings.Join(names, ", ")
}

// counted is a number with what it counts, in English of which there may be one.
func (s *session) counted(n int, zh, one, many string) string {
	if s.lang == exchange.EN {
		if n == 1 {
			return "1 " + one
		}
		return figure(int64(n)) + " " + many
	}
	return strconv.Itoa(n) + zh
}
