package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas"
)

func (s *session) schemaVerbs() verb {
	return verb{
		use:   "schema",
		short: both("证照 Schema：查看、检查、比较、发布", "evidence schemas: show, check, compare, publish"),
		verbs: []verb{s.schemaList(), s.schemaShow(), s.schemaValidate(), s.schemaLint(), s.schemaDiff(), s.schemaImpact(), s.schemaPublish(),
			s.schemaRegister(), s.schemaDeprecate(), s.schemaRetire(), s.schemaCompat(), s.schemaHistory(), s.schemaExport(), s.schemaAsyncAPI()},
	}
}

// schemaView is a schema as scripts see it.
type schemaView struct {
	Type        exchange.EvidenceType `json:"type"`
	ID          string                `json:"id"`
	Title       exchange.Text         `json:"title"`
	Description exchange.Text         `json:"description"`
	Fields      []fieldView           `json:"fields"`
	Document    json.RawMessage       `json:"document,omitempty"` // the schema itself; only in show
}

// fieldView is one field of a schema as scripts see it.
type fieldView struct {
	Pointer   string        `json:"pointer"`
	Title     exchange.Text `json:"title"`
	Type      string        `json:"type"`
	Required  bool          `json:"required"`
	Sensitive bool          `json:"sensitive"`
}

func viewOf(schema *schemas.Schema) schemaView {
	v := schemaView{Type: schema.Type, ID: schema.ID, Title: schema.Title, Description: schema.Description, Fields: []fieldView{}}
	for _, f := range schema.Fields() {
		v.Fields = append(v.Fields, fieldView{f.Pointer, f.Title, f.Type, f.Required, f.Sensitive})
	}
	return v
}

func (s *session) schemaList() verb {
	var at registryAt
	var remote bool
	return verb{
		use:   "list",
		short: both("列出证照类型，或登记处的全部主题", "list the evidence types, or all subjects of the registry"),
		long: both("列出内置的证照类型；加 --remote 或 --server 则列出登记处的全部主题、版本和状态。",
			"List the built-in evidence types; with --remote or --server, all subjects of the registry with version and state."),
		example: "yimen schema list\nyimen schema list -o name\nyimen schema list --remote",
		lists:   true,
		flags: func(f *pflag.FlagSet) {
			s.remoteFlag(f, &remote)
			s.registryFlags(f, &at)
		},
		run: func(ctx context.Context, _ []string) error {
			if remote || at.named() {
				return s.listRemote(ctx, at)
			}
			set, err := schemas.Builtin()
			if err != nil {
				return err
			}
			views := []schemaView{}
			for _, schema := range set.All() {
				views = append(views, viewOf(schema))
			}
			return s.schemaRows().print(s, views)
		},
	}
}

func (s *session) schemaRows() list[schemaView] {
	return list[schemaView]{
		name: func(v schemaView) string { return string(v.Type) },
		columns: []column[schemaView]{
			{head: both("类型", "TYPE"), cell: func(v schemaView) string { return string(v.Type) }},
			{head: both("名称", "TITLE"), cell: func(v schemaView) string { return v.Title.In(s.lang) }},
			{head: both("字段数", "FIELDS"), cell: func(v schemaView) string { return strconv.Itoa(len(v.Fields)) }},
			{head: both("标识", "ID"), wide: true, cell: func(v schemaView) string { return v.ID }},
			{head: both("说明", "DESCRIPTION"), wide: true, cell: func(v schemaView) string { return v.Description.In(s.lang) }},
		},
	}
}

func (s *session) schemaShow() verb {
	var at registryAt
	var name subjectName
	var file string
	var remote bool
	var version int
	return verb{
		use:   "show TYPE | --schema FILE",
		short: both("查看一种证照的字段", "show the fields of an evidence type"),
		long: both("查看一种证照的字段。--schema 读取一个尚未登记的 Schema 文件，并先检查它。\n加 --remote 或 --server 则查看登记处里的版本，其他主题也可以。",
			"Show the fields of an evidence type. --schema reads a schema file that is not registered yet, and checks it first.\nWith --remote or --server it shows a version in the registry, of other subjects as well."),
		example: "yimen schema show business-licence\nyimen schema show business-licence -o json\nyimen schema show --schema mine.json\nyimen schema show business-licence --remote --version 1",
		max:     1,
		flags: func(f *pflag.FlagSet) {
			s.schemaFlag(f, &file)
			s.remoteFlag(f, &remote)
			f.IntVar(&version, "version", 0, s.t("登记处里的第 `N` 版，0 为最新", "version `N` in the registry, 0 for the latest"))
			s.subjectFlag(f, &name)
			s.registryFlags(f, &at)
		},
		complete: anyOf(evidenceTypes),
		lists:    true,
		run: func(ctx context.Context, args []string) error {
			if (remote || at.named() || version > 0) && file == "" && len(args) > 0 {
				return s.showRemote(ctx, at, name.subject(args[0]), version)
			}
			schema, _, err := s.chosenSchema(file, args)
			if err != nil {
				return err
			}
			view := viewOf(schema)
			view.Document = schema.Text
			return s.object(string(view.Type), view, func(w io.Writer) error { return s.schemaPage(w, view) })
		},
	}
}

func (s *session) schemaPage(w io.Writer, v schemaView) error {
	fmt.Fprintf(w, "%s  %s\n", v.Type, plain(v.Title.In(s.lang)))
	fmt.Fprintf(w, "%s\n%s %s\n\n", plain(v.Description.In(s.lang)), s.t("标识", "id"), v.ID)
	return s.fieldRows().table(s, w, v.Fields)
}

func (s *session) fieldRows() list[fieldView] {
	return list[fieldView]{columns: []column[fieldView]{
		{head: both("字段", "FIELD"), cell: func(f fieldView) string { return f.Pointer }},
		{head: both("名称", "TITLE"), cell: func(f fieldView) string { return f.Title.In(s.lang) }},
		{head: both("类型", "TYPE"), cell: func(f fieldView) string { return f.Type }},
		{head: both("必填", "REQUIRED"), cell: func(f fieldView) string { return s.yes(f.Required) }},
		{head: both("敏感", "SENSITIVE"), cell: func(f fieldView) string { return s.yes(f.Sensitive) }},
	}}
}

// yes is a word for true, nothing for false.
func (s *session) yes(b bool) string {
	if b {
		return s.t("是", "yes")
	}
	return ""
}

func (s *session) schemaFlag(f *pflag.FlagSet, file *string) {
	f.StringVar(file, "schema", "", s.t("读取 Schema 文件 `FILE`，不用内置的", "use the schema in `FILE`, not a built-in one"))
}

// chosenSchema is the schema of --schema, or else of the type that the first argument names; rest are the
// arguments after it.
func (s *session) chosenSchema(file string, args []string) (schema *schemas.Schema, rest []string, err error) {
	if file != "" {
		schema, err = readSchema(file)
		return schema, args, err
	}
	if len(args) == 0 {
		return nil, nil, &usageError{&exchange.Problem{
			Code: "YM-CLI-0212", Kind: exchange.Invalid,
			What: both("没有说明用哪个 Schema", "no schema is named"),
			Why:  both("需要证照类型，或 --schema 文件", "the command needs an evidence type, or --schema with a file"),
			Mend: both("yimen schema list", "yimen schema list"),
		}}
	}
	set, err := schemas.Builtin()
	if err != nil {
		return nil, nil, err
	}
	if schema, known := set.ByType(exchange.EvidenceType(args[0])); known {
		return schema, args[1:], nil
	}
	types, _ := evidenceTypes() // they were just read
	return nil, nil, missing("0301", both("证照类型", "evidence type"), args[0], types, "yimen schema list")
}

func readSchema(file string) (*schemas.Schema, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fileProblem(file, err)
	}
	return schemas.Parse(text)
}

// missing is the problem of a name that nothing has.
func missing(number string, kind exchange.Text, name string, known []string, list string) *exchange.Problem {
	p := &exchange.Problem{
		Code: "YM-CLI-" + number, Kind: exchange.NotFound,
		What: both("没有"+kind.ZH+" "+shown(name), "there is no "+kind.EN+" "+shown(name)),
		Why:  nothingKnown(),
		Mend: both("查看全部："+list, "see all: "+list),
	}
	if near := nearest(name, known); len(near) > 0 {
		p.Why = didYouMean(near)
	}
	return p
}

func nothingKnown() exchange.Text {
	return both("目录里没有这个名称", "nothing known has this name")
}

func evidenceTypes() ([]string, error) {
	set, err := schemas.Builtin()
	if err != nil {
		return nil, err
	}
	var types []string
	for _, schema := range set.All() {
		types = append(types, string(schema.Type))
	}
	return types, nil
}
