package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/burden"
	"github.com/onedoor/yimen/exchange/catalogue"
)

func (s *session) itemBurden() verb {
	var server, dir string
	var sheet bool
	var token *secret
	return verb{
		use:   "burden",
		short: both("减证统计：今天就可以不再索要哪些证明", "count the proofs that need not be demanded any more"),
		long: both(`对照各数源此刻的覆盖和现行的共享授权，统计全部事项要求的材料中今天就可以免交的，按部门和事项，前后对照，并列出下一步做什么最有用。
可免：每一种办法所需的证照都有完整、及时的数源，且有部门获准核验。部分可免：只有其中几种办法如此，持有的人免交。待打通：该由部门共享，但缺数源或授权。自备：申请书、图纸、合同等。
只数目录中的材料，不涉及任何人。--csv 每项材料一行，带表头，可直接用表格软件打开。`,
			`Counts which of the materials of all items need not be demanded today, given what the sources cover now and what is granted: by department and item, before and after, and what to do next for the most effect.
Dropped: for each alternative every piece of evidence has complete and fresh sources, and a department may look it up. Partly: only for some of the alternatives; who holds those brings nothing. Blocked: a department should share it, but a source or a grant is missing. Made: forms, plans, contracts.
It counts the catalogue's materials and speaks of nobody. --csv has one row for each material, with a header, for spreadsheets.`),
		example: "yimen item burden --token @admin.token\nyimen item burden --token @admin.token --csv > burden.csv\nyimen item burden --token @admin.token -o json",
		lists:   true,
		flags: func(f *pflag.FlagSet) {
			token = s.adminFlags(f, &server)
			s.catalogueFlag(f, &dir)
			f.BoolVar(&sheet, "csv", false, s.t("输出 CSV，每项材料一行", "print CSV, one row for each material"))
		},
		run: func(ctx context.Context, _ []string) error {
			c, err := loadCatalogue(dir)
			if err != nil {
				return err
			}
			report, err := asked[burden.Report](ctx, s, server, token, "/v1/burden")
			if err != nil {
				return err
			}
			if sheet {
				return s.burdenSheet(c, report)
			}
			return s.object("burden", report, func(w io.Writer) error { return s.burdenPage(w, c, report) })
		},
	}
}

// burdenPage tells the one number first, then where it comes from, then what to do next.
func (s *session) burdenPage(w io.Writer, c *catalogue.Catalogue, r burden.Report) error {
	fmt.Fprintf(w, s.t("%d 个事项共要求 %d 项材料，今天可免 %d 项（%s），仍需提交 %d 项\n", "%d items demand %d materials; %d need not be demanded today (%s), %d remain\n"),
		len(r.Items), r.Total.Demanded, r.Total.Dropped, share(r.Total), r.Total.After)
	fmt.Fprintf(w, s.t("另有 %d 项部分可免，%d 项待打通，%d 项由申请人自备   截至 %s\n\n", "besides, %d partly, %d blocked, %d made by the applicant   as of %s\n\n"),
		r.Total.Partly, r.Total.Blocked, r.Total.Made, r.At.In(exchange.China).Format("2006-01-02 15:04"))
	departments := list[burden.Department]{columns: append([]column[burden.Department]{
		{head: both("部门", "DEPARTMENT"), cell: func(d burden.Department) string { return d.Name.In(s.lang) }}},
		sums(func(d burden.Department) burden.Sum { return d.Sum })...)}
	if err := departments.table(s, w, r.Departments); err != nil {
		return err
	}
	fmt.Fprintln(w)
	items := list[burden.Item]{columns: append([]column[burden.Item]{
		{head: both("事项", "ITEM"), cell: func(i burden.Item) string { return i.Name.In(s.lang) }},
		{head: both("代码", "CODE"), wide: true, cell: func(i burden.Item) string { return string(i.Code) }},
		{head: both("部门", "DEPARTMENT"), cell: func(i burden.Item) string { return s.department(c, i.Department) }}},
		sums(func(i burden.Item) burden.Sum { return i.Sum })...)}
	if err := items.table(s, w, r.Items); err != nil || len(r.Steps) == 0 {
		return err
	}
	fmt.Fprintln(w, s.t("\n下一步，从最有用的做起：", "\nWhat to do next, the most useful first:"))
	return s.obstacleRows(c).table(s, w, r.Steps)
}

func sums[T any](of func(T) burden.Sum) []column[T] {
	count := func(zh, en string, n func(burden.Sum) int) column[T] {
		return column[T]{head: both(zh, en), cell: func(row T) string { return strconv.Itoa(n(of(row))) }}
	}
	return []column[T]{
		count("现要求", "BEFORE", func(s burden.Sum) int { return s.Demanded }),
		count("可免", "DROPPED", func(s burden.Sum) int { return s.Dropped }),
		count("减后", "AFTER", func(s burden.Sum) int { return s.After }),
		count("其中部分可免", "PARTLY", func(s burden.Sum) int { return s.Partly }),
		count("待打通", "BLOCKED", func(s burden.Sum) int { return s.Blocked }),
		count("自备", "MADE", func(s burden.Sum) int { return s.Made }),
		{head: both("减幅", "SHARE"), cell: func(row T) string { return share(of(row)) }},
	}
}

// share is how much of what is demanded could be dropped.
func share(s burden.Sum) string {
	if s.Demanded == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f%%", 100*float64(s.Dropped)/float64(s.Demanded))
}

func (s *session) obstacleRows(c *catalogue.Catalogue) list[burden.Step] {
	return list[burden.Step]{
		columns: []column[burden.Step]{
			{head: both("证照", "EVIDENCE"), cell: func(p burden.Step) string { return s.evidence(c, p.Evidence) }},
			{head: both("障碍", "OBSTACLE"), cell: func(p burden.Step) string { return obstacleWords[p.Why].In(s.lang) }},
			{head: both("数源部门", "KEEPER"), cell: func(p burden.Step) string { return s.department(c, p.Keeper) }},
			{head: both("解决后可减", "WOULD DROP"), cell: func(p burden.Step) string { return strconv.Itoa(p.Alone) }},
			{head: both("涉及材料", "IN THE WAY OF"), cell: func(p burden.Step) string { return strconv.Itoa(p.Blocks) }},
			{head: both("事项", "ITEMS"), wide: true, cell: func(p burden.Step) string { return joined(p.Items, " ") }},
		},
		note: func(p burden.Step) string { return obstacleMends[p.Why].In(s.lang) },
	}
}

func (s *session) evidence(c *catalogue.Catalogue, t exchange.EvidenceType) string {
	if e, known := c.Evidence(t); known {
		return e.Name.In(s.lang)
	}
	return string(t)
}

var obstacleWords = map[burden.Why]exchange.Text{
	burden.NoSource:   both("没有数源", "no source"),
	burden.Incomplete: both("数源不完整", "source incomplete"),
	burden.Stale:      both("数源未及时更新", "source stale"),
	burden.NoGrant:    both("没有授权", "no grant"),
}

var obstacleMends = map[burden.Why]exchange.Text{
	burden.NoSource:   both("请数源部门接入：yimen adapter，说明对哪类申请人（自然人、法人）完整；已接入的不发布这类申请人", "have the keeper join with yimen adapter; a source that is there does not publish for such applicants"),
	burden.Incomplete: both("请数源部门运行一遍完整的适配器，并处理隔离区：yimen adapter status、yimen quarantine list", "have the keeper read the source to its end and see to the quarantine: yimen adapter status, yimen quarantine list"),
	burden.Stale:      both("请数源部门检查适配器为何没有再读：yimen adapter status", "have the keeper see why the adapter reads no more: yimen adapter status"),
	burden.NoGrant:    both("向数源部门申请共享授权（yimen grant request）；哪些事项见 -o wide", "ask the keeper for grants (yimen grant request); -o wide names the items"),
}

var stateWords = map[burden.State]exchange.Text{
	burden.Dropped: both("可免", "dropped"), burden.Partly: both("部分可免", "partly"),
	burden.Blocked: both("待打通", "blocked"), burden.Made: both("自备", "made"),
}

// burdenSheet prints a row for each material. It begins with the mark by which spreadsheets know UTF-8.
func (s *session) burdenSheet(c *catalogue.Catalogue, r burden.Report) error {
	if _, err := io.WriteString(s.out, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(s.out)
	row := func(cells ...string) {
		for i, cell := range cells {
			if cells[i] = plain(cell); strings.ContainsAny(cell[:min(1, len(cell))], "=+-@") {
				cells[i] = "'" + cells[i] // or a spreadsheet would compute it
			}
		}
		_ = out.Write(cells) // the error stays, for Error
	}
	row(s.t("部门代码", "department code"), s.t("部门", "department"), s.t("事项代码", "item code"), s.t("事项", "item"), s.t("材料代码", "material code"),
		s.t("材料", "material"), s.t("现要求", "before"), s.t("减后", "after"), s.t("状态", "state"), s.t("障碍", "obstacles"))
	for _, i := range r.Items {
		for _, m := range i.Materials {
			after := "1"
			if m.State == burden.Dropped {
				after = "0"
			}
			var obstacles []string
			for _, o := range m.Obstacles {
				obstacles = append(obstacles, s.evidence(c, o.Evidence)+s.t("：", ": ")+obstacleWords[o.Why].In(s.lang))
			}
			row(string(i.Department), s.department(c, i.Department), string(i.Code), i.Name.In(s.lang), m.Code, m.Name.In(s.lang), "1", after,
				stateWords[m.State].In(s.lang), strings.Join(obstacles, s.t("；", "; ")))
		}
	}
	out.Flush()
	return out.Error()
}
