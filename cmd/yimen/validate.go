package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas"
	"github.com/onedoor/yimen/schemas/gate"
)

func (s *session) schemaValidate() verb {
	v := &validation{session: s}
	return verb{
		use:   "validate TYPE FILE... | --schema FILE FILE...",
		short: both("检查文档是否符合 Schema", "check documents against a schema"),
		long: both(`检查文档是否符合 Schema。一个文件是一份 JSON 文档，或每行一份（JSON lines）；- 是标准输入。
有问题的文档列出位置、原因和改法，退出码为 1。输出不含文档中的值。`,
			`Check documents against a schema. A file holds one JSON document, or one a line (JSON lines); - is standard input.
Faulty documents are listed with the place, the reason and the mend, and the exit code is 1. No value of a document is printed.`),
		example: "yimen schema validate business-licence licence.json\n" +
			"yimen schema validate business-licence - < licences.jsonl\n" +
			"yimen schema validate --schema mine.json *.json -o jsonl",
		max:      -1,
		lists:    true,
		complete: typeThenFiles,
		flags: func(f *pflag.FlagSet) {
			s.schemaFlag(f, &v.file)
			f.IntVar(&v.limit, "limit", 100, s.t("最多列出 `N` 处问题，0 为不限", "list at most `N` findings, 0 for all"))
		},
		run: v.run,
	}
}

func typeThenFiles(c *cobra.Command, args []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) == 0 && !c.Flags().Changed("schema") {
		return anyOf(evidenceTypes)(c, args, prefix)
	}
	return nil, cobra.ShellCompDirectiveDefault
}

// validation is one run of schema validate.
type validation struct {
	session *session
	file    string // of --schema
	limit   int

	schema   *schemas.Schema
	findings []findingView
	read     int // documents
	faulty   int // documents with a finding
	found    int // findings, those beyond the limit included
}

// findingView is one finding as scripts see it.
type findingView struct {
	File    string        `json:"file"`
	Line    int           `json:"line,omitempty"` // in JSON lines
	Pointer string        `json:"pointer"`
	Rule    string        `json:"rule"` // the keyword of the schema, or the code of a document that cannot be read
	What    exchange.Text `json:"what"`
	Mend    exchange.Text `json:"mend"`
}

func (v *validation) run(ctx context.Context, args []string) error {
	schema, files, err := v.session.chosenSchema(v.file, args)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return &usageError{&exchange.Problem{
			Code: "YM-CLI-0213", Kind: exchange.Invalid,
			What: both("没有要检查的文件", "there is no file to check"),
			Why:  both("Schema 之后需要至少一个文件", "at least one file follows the schema"),
			Mend: both("写出文件名，或用 - 读取标准输入", "name a file, or - for standard input"),
		}}
	}
	v.schema = schema
	for _, file := range files {
		if err := v.checkFile(ctx, file); err != nil {
			return err
		}
	}
	return v.report()
}

func (v *validation) checkFile(ctx context.Context, name string) error {
	if name == "-" {
		return eachDocument(ctx, name, v.session.in, v.check)
	}
	f, err := os.Open(name)
	if err != nil {
		return fileProblem(name, err)
	}
	defer f.Close()
	return eachDocument(ctx, name, f, v.check)
}

// check judges one document.
func (v *validation) check(at place, text []byte) error {
	v.read++
	found, err := judge(v.schema, text)
	if err != nil {
		return fmt.Errorf("check %s: %w", at, err)
	}
	if len(found) > 0 {
		v.faulty++
	}
	for _, f := range found {
		v.found++
		if v.limit <= 0 || v.found <= v.limit {
			f.File, f.Line = at.file, at.line
			v.findings = append(v.findings, f)
		}
	}
	return nil
}

// judge gives the findings of a document; an error means that it could not be judged.
func judge(schema *schemas.Schema, text []byte) ([]findingView, error) {
	doc, err := gate.Decode(text)
	if p, ok := errors.AsType[*exchange.Problem](err); ok {
		return []findingView{asFinding(p)}, nil
	}
	if err != nil {
		return nil, err
	}
	err = schema.Validate(doc)
	if invalid, ok := errors.AsType[*schemas.Invalid](err); ok {
		var found []findingView
		for _, f := range invalid.Findings {
			found = append(found, findingView{Pointer: f.Pointer, Rule: f.Keyword, What: f.What, Mend: f.Mend})
		}
		return found, nil
	}
	if err == nil {
		_, err = schema.Facts(doc)
	}
	if p, ok := errors.AsType[*exchange.Problem](err); ok {
		return []findingView{asFinding(p)}, nil
	}
	return nil, err
}

// asFinding turns a refusal of a whole document into a finding.
func asFinding(p *exchange.Problem) findingView {
	what := p.What
	if p.Why.ZH != "" {
		what = exchange.Text{ZH: what.ZH + "：" + p.Why.ZH, EN: what.EN + ": " + p.Why.EN}
	}
	return findingView{Rule: p.Code, What: what, Mend: p.Mend}
}

// report prints the findings, then the sum on standard error.
func (v *validation) report() error {
	s := v.session
	if err := v.print(); err != nil {
		return err
	}
	if v.faulty == 0 {
		fmt.Fprintf(s.talk, s.t("%s 份文档全部符合 %s\n", "documents: %s, all fit %s\n"), figure(int64(v.read)), v.schema.Type)
		return nil
	}
	fmt.Fprintf(s.talk, s.t("%s 份文档，%s 份有问题，共 %s 处\n", "documents: %s, faulty: %s, findings: %s\n"),
		figure(int64(v.read)), figure(int64(v.faulty)), figure(int64(v.found)))
	if more := v.found - len(v.findings); more > 0 {
		fmt.Fprintf(s.talk, s.t("另有 %s 处未列出；--limit 0 全部列出\n", "findings not listed: %s; --limit 0 lists all\n"), figure(int64(more)))
	}
	return exitFailed
}

// print lists the findings; to people it says nothing where there are none.
func (v *validation) print() error {
	s := v.session
	if len(v.findings) == 0 && (s.format == asTable || s.format == asWide) {
		return nil
	}
	return s.findingRows().print(s, v.findings)
}

// findingRows are findings as people read them.
func (s *session) findingRows() list[findingView] {
	return list[findingView]{
		name: func(f findingView) string { return place{f.File, f.Line}.String() },
		columns: []column[findingView]{
			{head: both("文件", "FILE"), cell: func(f findingView) string { return place{f.File, f.Line}.String() }},
			{head: both("位置", "PLACE"), cell: func(f findingView) string { return f.Pointer }},
			{head: both("规则", "RULE"), wide: true, cell: func(f findingView) string { return f.Rule }},
			{head: both("问题", "FINDING"), cell: func(f findingView) string { return f.What.In(s.lang) }},
		},
		note: func(f findingView) string { return f.Mend.In(s.lang) },
	}
}

// place is where a document stands.
type place struct {
	file string
	line int // 0: the whole file
}

func (p place) String() string {
	if p.line == 0 {
		return p.file
	}
	return p.file + ":" + strconv.Itoa(p.line)
}
