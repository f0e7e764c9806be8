package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
)

func (s *session) itemVerbs() verb {
	return verb{
		use:   "item",
		short: both("事项与材料：列出、查看，起草到废止，检查、减证、导出、导入", "service items and their materials: list, show, draft to withdraw, check, what could be dropped, export, import"),
		verbs: slices.Concat([]verb{s.itemList(), s.itemShow()}, s.lifeVerbs(), []verb{s.itemLint(), s.itemBurden(), s.itemExport(), s.itemImport()}),
	}
}

// catalogueFlag declares where a site's own catalogue lies.
func (s *session) catalogueFlag(f *pflag.FlagSet, dir *string) {
	f.StringVar(dir, "catalogue", "", s.t("加上文件夹 `DIR` 里的事项和授权", "add the items and grants in the folder `DIR`"))
}

// loadCatalogue reads the built-in catalogue and, over it, the one in a folder, if one is named.
func loadCatalogue(dir string) (*catalogue.Catalogue, error) {
	files := []fs.FS{catalogue.Builtin()}
	if dir != "" {
		if _, err := os.ReadDir(dir); err != nil {
			return nil, folderProblem(dir, "--catalogue", err)
		}
		files = append(files, os.DirFS(dir))
	}
	return catalogue.Load(files...)
}

func (s *session) itemList() verb {
	var from itemsAt
	return verb{
		use:   "list",
		short: both("列出事项：本程序文件里的，或平台上现行的", "list the service items: of the files here, or in force at an exchange"),
		long: both("列出内置文件里的事项，--catalogue 加上一个文件夹里的。加 --server 则列出该平台今天有效的事项，和各是第几版、自哪天起生效。",
			"List the items of the built-in files; --catalogue adds those in a folder. With --server, the items in force at that exchange today, each with the number of its edition and the day from which it counts."),
		example: "yimen item list\nyimen item list --catalogue /etc/yimen/catalogue -o json\nyimen item list --server https://yimen.example.gov.cn",
		lists:   true,
		flags:   func(f *pflag.FlagSet) { s.itemsAtFlags(f, &from) },
		run: func(ctx context.Context, _ []string) error {
			c, rows, err := from.all(ctx)
			if err != nil {
				return err
			}
			if err := s.itemRows(c, from.named()).print(s, rows); err != nil {
				return err
			}
			s.sayWhere(&from)
			return nil
		},
	}
}

// itemRows are items as people read them; those of an exchange with their editions.
func (s *session) itemRows(c *catalogue.Catalogue, inForce bool) list[catalogue.Service] {
	columns := []column[catalogue.Service]{
		{head: both("代码", "CODE"), cell: func(i catalogue.Service) string { return string(i.Code) }},
		{head: both("名称", "NAME"), cell: func(i catalogue.Service) string { return i.Name.In(s.lang) }},
		{head: both("部门", "DEPARTMENT"), cell: func(i catalogue.Service) string { return s.department(c, i.Department) }},
		{head: both("申请人", "APPLICANT"), cell: func(i catalogue.Service) string { return s.applicant(i.Applicant) }},
		{head: both("材料数", "MATERIALS"), cell: func(i catalogue.Service) string { return strconv.Itoa(len(i.Materials)) }},
		{head: both("用到的证照", "EVIDENCE"), wide: true, cell: func(i catalogue.Service) string { return joined(i.Types(), " ") }},
	}
	if inForce {
		columns = append(columns, column[catalogue.Service]{head: both("版", "EDITION"), cell: func(i catalogue.Service) string { return s.edition(i.Edition) }})
	}
	return list[catalogue.Service]{name: func(i catalogue.Service) string { return string(i.Code) }, columns: columns}
}

// edition is which edition an item in force is.
func (s *session) edition(e *catalogue.Edition) string {
	if e == nil {
		return s.t("文件所载", "as in the files")
	}
	return fmt.Sprintf(s.t("第 %d 版，自 %s", "%d, from %s"), e.Number, e.From)
}

func (s *session) itemShow() verb {
	var from itemsAt
	return verb{
		use:   "show ITEM",
		short: both("查看一个事项需要的材料：按本程序的文件，或平台上现行的", "show what a service item requires: by the files here, or in force at an exchange"),
		long: both("按内置文件（--catalogue 加上一个文件夹）查看。加 --server 则查看该平台今天有效的一版，以及是第几版、自哪天起生效。",
			"By the built-in files, and those of a folder with --catalogue. With --server, as it is in force at that exchange today, with the number of its edition and the day from which it counts."),
		example: "yimen item show food-licence-new\nyimen item show food-licence-new -o json\nyimen item show food-licence-new --server https://yimen.example.gov.cn",
		min:     1, max: 1,
		lists:    true,
		flags:    func(f *pflag.FlagSet) { s.itemsAtFlags(f, &from) },
		complete: anyOf(func() ([]string, error) { return itemCodes(from.dir) }),
		run: func(ctx context.Context, args []string) error {
			c, item, err := from.one(ctx, exchange.Item(args[0]))
			if err != nil {
				return err
			}
			if err := s.object(string(item.Code), item, func(w io.Writer) error { return s.itemPage(w, c, item, from.named()) }); err != nil {
				return err
			}
			s.sayWhere(&from)
			return nil
		},
	}
}

func itemCodes(dir string) ([]string, error) {
	c, err := loadCatalogue(dir)
	if err != nil {
		return nil, err
	}
	var codes []string
	for _, item := range c.Services() {
		codes = append(codes, string(item.Code))
	}
	return codes, nil
}

func (s *session) itemPage(w io.Writer, c *catalogue.Catalogue, item catalogue.Service, inForce bool) error {
	fmt.Fprintf(w, "%s  %s\n", item.Code, plain(item.Name.In(s.lang)))
	if inForce {
		fmt.Fprintf(w, s.t("版：%s\n", "edition: %s\n"), s.edition(item.Edition))
	}
	fmt.Fprintf(w, s.t("部门：%s   申请人：%s\n", "department: %s   applicant: %s\n"),
		plain(s.department(c, item.Department)), s.applicant(item.Applicant))
	s.itemTerms(w, item)
	fmt.Fprintln(w)
	rows := list[catalogue.Material]{columns: []column[catalogue.Material]{
		{head: both("材料", "MATERIAL"), cell: func(m catalogue.Material) string { return m.Name.In(s.lang) }},
		{head: both("必要性", "NECESSITY"), cell: func(m catalogue.Material) string { return s.necessity(m) + s.cases(m) }},
		{head: both("由何证明", "MET BY"), cell: func(m catalogue.Material) string { return s.alternatives(c, m) }},
		{head: both("代码", "CODE"), wide: true, cell: func(m catalogue.Material) string { return m.Code }},
		{head: both("依据", "BASIS"), wide: true, cell: func(m catalogue.Material) string { return m.Basis.In(s.lang) }},
	}}
	return rows.table(s, w, item.Materials)
}

// itemTerms tells the national codes, the limits, the fees and what the applicant is asked.
func (s *session) itemTerms(w io.Writer, item catalogue.Service) {
	if n := item.National; n != nil {
		fmt.Fprintf(w, s.t("基本编码：%s   实施编码：%s\n", "basic code: %s   implementation code: %s\n"), n.Basic, n.Implementation)
	}
	var limits []string
	if item.Limits.Statutory != nil {
		limits = append(limits, s.t("法定 ", "statutory ")+s.workingDays(*item.Limits.Statutory))
	}
	if item.Limits.Promised != nil {
		limits = append(limits, s.t("承诺 ", "promised ")+s.workingDays(*item.Limits.Promised))
	}
	if limits != nil {
		fmt.Fprintf(w, s.t("时限：%s\n", "limits: %s\n"), strings.Join(limits, s.t("，", ", ")))
	}
	for _, fee := range item.Fees {
		fmt.Fprintf(w, s.t("收费：%s %s 元（%s）\n", "fee: %s, %s yuan (%s)\n"), plain(fee.Name.In(s.lang)), fee.Yuan, plain(fee.Basis.In(s.lang)))
	}
	for _, fact := range item.Facts {
		fmt.Fprintf(w, s.t("要问明：%s（%s）\n", "to be asked: %s (%s)\n"), plain(fact.Name.In(s.lang)), fact.Code)
	}
}

func (s *session) workingDays(n int) string {
	if n == 0 {
		return s.t("即办", "at once")
	}
	return fmt.Sprintf(s.t("%d 个工作日", "%d working days"), n)
}

func (s *session) department(c *catalogue.Catalogue, code exchange.Department) string {
	if d, known := c.Department(code); known {
		return d.Name.In(s.lang)
	}
	return string(code)
}

func (s *session) applicant(kind exchange.HolderKind) string {
	switch kind {
	case exchange.Person:
		return s.t("自然人", "persons")
	case exchange.Organisation:
		return s.t("法人", "organisations")
	default:
		return s.t("自然人、法人", "persons, organisations")
	}
}

func (s *session) necessity(m catalogue.Material) string {
	switch {
	case m.Optional:
		return s.t("非必要", "optional")
	case m.Deferrable:
		return s.t("必要，可容缺", "required, deferrable")
	default:
		return s.t("必要", "required")
	}
}

// cases says in which cases only the material is asked for.
func (s *session) cases(m catalogue.Material) string {
	if m.If.IsZero() {
		return ""
	}
	return s.t("，条件 ", ", if ") + m.If.String()
}

// alternatives says which evidence meets a material: any one of several sets, all of a set.
func (s *session) alternatives(c *catalogue.Catalogue, m catalogue.Material) string {
	if len(m.Alternatives) == 0 {
		return s.t("申请人自备", "made by the applicant")
	}
	var sets []string
	for _, set := range m.Alternatives {
		var names []string
		for _, need := range set {
			names = append(names, s.need(c, need))
		}
		sets = append(sets, strings.Join(names, " + "))
	}
	return strings.Join(slices.Compact(sets), s.t(" 或 ", " or "))
}

// need says what evidence is needed, whose, and what it must be like.
func (s *session) need(c *catalogue.Catalogue, n catalogue.Need) string {
	said := string(n.Evidence)
	if e, known := c.Evidence(n.Evidence); known && s.format != asWide {
		said = e.Name.In(s.lang)
	}
	if n.Of != "" {
		said += s.t("（", " (") + n.Of.Text().In(s.lang) + s.t("）", ")")
	}
	if !n.When.IsZero() {
		said += " [" + n.When.String() + "]"
	}
	return said
}

func joined[T ~string](words []T, by string) string {
	var all []string
	for _, w := range words {
		all = append(all, string(w))
	}
	return strings.Join(all, by)
}
