package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/impact"
	"github.com/onedoor/yimen/schemas/compat"
	"github.com/onedoor/yimen/schemas/gate"
	"github.com/onedoor/yimen/schemas/registry"
	"github.com/onedoor/yimen/schemas/rest"
)

// diffing is one run of schema diff.
type diffing struct {
	session       *session
	at            registryAt
	name          subjectName
	file, against string
	level         string
	policy        string
	version       int
	records       bool
}

func (s *session) schemaDiff() verb {
	d := &diffing{session: s}
	return verb{
		use:   "diff TYPE | --against FILE",
		short: both("比较 Schema 与已登记的版本：改了什么，会破坏什么", "compare a schema with the registered versions: what differs, what would break"),
		long: both(`比较一个 Schema 文件与登记处里的版本，或与另一个文件（--against，不需要服务器）：列出增减，并按兼容级别判定。
不兼容的每一处给出位置、一份反例（旧版接受、新版拒绝的文档）和改法。不登记任何东西。
退出码：0 没有差别，1 有差别而兼容，10 不兼容；其他为无法比较。`,
			`Compare a schema file with the versions in the registry, or with another file (--against, no server needed): what was added and taken away, and the verdict of the level of compatibility.
Each thing that breaks is shown with its place, a document that the old version accepts and the new one refuses, and the mend. Nothing is registered.
Exit codes: 0 no difference, 1 different and compatible, 10 incompatible; any other: it could not compare.`),
		example: "yimen schema diff food-licence --file food-licence.v3.json\nyimen schema diff food-licence --file food-licence.v3.json --version 1\n" +
			"yimen schema diff --against food-licence.v2.json --file food-licence.v3.json --level full",
		max:      1,
		lists:    true,
		complete: anyOf(evidenceTypes),
		flags: func(f *pflag.FlagSet) {
			s.fileFlag(f, &d.file)
			f.StringVar(&d.against, "against", "", s.t("与文件 `FILE` 比较，不用服务器", "compare with `FILE`, without a server"))
			f.IntVar(&d.version, "version", 0, s.t("只与第 `N` 版比较，0 为兼容级别所指的各版", "compare with version `N` alone; 0: with those that the level names"))
			f.StringVar(&d.level, "level", "", s.t("按级别 `LEVEL` 判定，不用登记的级别", "judge by `LEVEL`, not by the registered one"))
			choice(f, &d.policy, "policy", "", policies(), s.t("判定的严格程度：`POLICY`", "how strictly to judge: `POLICY`"))
			f.BoolVar(&d.records, "records", true, s.t("不兼容时，请服务器统计受影响的记录；要有令牌", "have the server count the records concerned where it is incompatible; needs a token"))
			s.subjectFlag(f, &d.name)
			s.registryFlags(f, &d.at)
		},
		run: func(ctx context.Context, args []string) error { return beyondOne(d.run(ctx, args)) },
	}
}

// beyondOne gives errors another exit code than 1, which says here that there are differences.
func beyondOne(err error) error {
	if _, said := errors.AsType[code](err); said || err == nil || codeOf(context.Background(), err) != exitFailed {
		return err
	}
	return &usageError{problemsOf(err)[0]}
}

func policies() []string { return []string{"strict", "lenient"} }

// diffView is a comparison as scripts see it.
type diffView struct {
	Name        string             `json:"name"`
	From        string             `json:"from"`
	To          string             `json:"to"`
	Differences []difference       `json:"differences"`
	Verdict     registry.Judgement `json:"verdict"`
	Records     *impact.Records    `json:"records,omitempty"`
}

func (d *diffing) run(ctx context.Context, args []string) error {
	s := d.session
	view, subject, from, candidate, err := d.compare(ctx, args)
	if err != nil {
		return err
	}
	if !view.Verdict.Compatible && d.records && from != nil && from.Token != "" {
		view.Records = s.recordsLost(ctx, from, subject, candidate)
	}
	if err := s.object(view.Name, view, func(w io.Writer) error { return s.diffPage(w, view) }); err != nil {
		return err
	}
	switch {
	case !view.Verdict.Compatible:
		return exitIncompatible
	case len(view.Differences) > 0:
		return exitFailed
	}
	return nil
}

// compare finds both sides and judges them. The client is nil where two files are compared.
func (d *diffing) compare(ctx context.Context, args []string) (view diffView, subject string, from *rest.Client, text []byte, err error) {
	s := d.session
	if (len(args) == 0) == (d.against == "") {
		return view, "", nil, nil, &usageError{&exchange.Problem{Code: "YM-CLI-0703", Kind: exchange.Invalid,
			What: both("没有说明与什么比较，或说了两样", "it is not said what to compare with, or two things are named"),
			Why:  both("需要证照类型，或 --against 文件，二者之一", "the command needs an evidence type or --against with a file, one of them"),
			Mend: both("yimen schema diff food-licence --file 新文件", "yimen schema diff food-licence --file NEW")}}
	}
	if d.version < 0 {
		return view, "", nil, nil, wrongVersion()
	}
	if text, err = s.schemaText(d.file); err != nil {
		return view, "", nil, nil, err
	}
	level := registry.Level{Compatibility: "BACKWARD", Policy: compat.Strict}
	var against []earlier
	var candidate *gate.Schema
	if d.against != "" {
		view.Name, view.From, view.To = d.file, d.against, d.file
		candidate, against, err = d.files(text)
	} else {
		subject = d.name.subject(args[0])
		view.Name = called(subject)
		if from, err = d.at.client(ctx); err == nil {
			candidate, against, level, err = d.registered(ctx, from, subject, text)
		}
		if err == nil {
			last := against[len(against)-1].version
			view.From, view.To = fmt.Sprintf("v%d", last), d.file
			if d.version == 0 {
				view.To = fmt.Sprintf("v%d", last+1)
			}
		}
	}
	if err == nil {
		level, err = d.asked(level)
	}
	if err != nil {
		return view, "", nil, nil, err
	}
	view.Verdict = compared(level, candidate, against)
	view.Differences = differences(against[len(against)-1].schema.Root, candidate.Root)
	return view, subject, from, text, nil
}

// asked is the level with what the command line says of it.
func (d *diffing) asked(level registry.Level) (registry.Level, error) {
	if d.level != "" {
		named, known := levelNamed(d.level)
		if !known {
			return level, wrongLevel(d.level)
		}
		level.Compatibility = named
	}
	if d.policy != "" {
		level.Policy = compat.Policy(strings.ToUpper(d.policy))
	}
	return level, nil
}

func (d *diffing) files(text []byte) (*gate.Schema, []earlier, error) {
	old, err := d.session.schemaText(d.against)
	if err != nil {
		return nil, nil, err
	}
	before, err := d.session.draft(d.against, old)
	if err != nil {
		return nil, nil, err
	}
	candidate, err := d.session.draft(d.file, text)
	if err != nil {
		return nil, nil, err
	}
	return candidate, []earlier{{schema: before}}, nil
}

// registered fetches what the file is to be compared with. What the newest version refers to, the file may refer to.
func (d *diffing) registered(ctx context.Context, from *rest.Client, subject string, text []byte) (*gate.Schema, []earlier, registry.Level, error) {
	level, err := from.Level(ctx, subject)
	if err != nil {
		return nil, nil, level, err
	}
	numbers := []int{d.version}
	if d.version == 0 {
		if numbers, err = from.Versions(ctx, subject, false); err != nil {
			return nil, nil, level, err
		}
		if name, transitive := strings.CutSuffix(level.Compatibility, "_TRANSITIVE"); !transitive && d.level == "" || name == "NONE" {
			numbers = numbers[max(0, len(numbers)-1):]
		}
	}
	var against []earlier
	var newest rest.Version
	for _, n := range numbers {
		if newest, err = from.Version(ctx, subject, n, d.version != 0); err != nil {
			return nil, nil, level, err
		}
		schema, err := admitted(ctx, from, newest)
		if err != nil {
			return nil, nil, level, err
		}
		against = append(against, earlier{newest.Version, schema})
	}
	if len(against) == 0 {
		return nil, nil, level, missing("0704", both("主题", "subject"), subject, nil, "yimen schema list --remote")
	}
	newest.Schema = string(text)
	refs, err := referred(ctx, from, newest.References)
	if err != nil {
		return nil, nil, level, err
	}
	candidate, err := d.session.draft(d.file, text, refs...)
	if err != nil {
		return nil, nil, level, err
	}
	return candidate, against, level, nil
}

// diffPage shows a comparison to people.
func (s *session) diffPage(w io.Writer, v diffView) error {
	fmt.Fprintf(w, "  %s  %s → %s   %s%s\n", plain(v.Name), plain(v.From), plain(v.To), s.t("规则：", "rule: "), rule(v.Verdict.Level))
	for _, d := range v.Differences {
		fmt.Fprintf(w, "%s %s  %s\n", d.Sign, plain(d.Pointer), excerpt(d.Value, 100))
	}
	s.brokenPage(w, v.Verdict)
	if v.Records != nil {
		s.recordsRefused(w, *v.Records)
	}
	switch {
	case !v.Verdict.Compatible:
		fmt.Fprintln(w, s.t("不兼容。什么也没有改动。", "Incompatible. Nothing changed."))
	case len(v.Differences) == 0:
		fmt.Fprintln(w, s.t("没有差别。", "No difference."))
	default:
		fmt.Fprintln(w, s.t("兼容。", "Compatible."))
	}
	return nil
}

// difference is one thing that stands in one schema only.
type difference struct {
	Sign    string `json:"sign"` // "+" or "-"
	Pointer string `json:"pointer"`
	Value   any    `json:"value"`
}

// differences lists what the new one has and the old one lacks, and the reverse, in the order of the pointers.
func differences(old, new any) []difference {
	found := []difference{}
	var walk func(at string, old, new any)
	walk = func(at string, old, new any) {
		if reflect.DeepEqual(old, new) {
			return
		}
		before, wasObject := old.(map[string]any)
		after, isObject := new.(map[string]any)
		if wasObject && isObject {
			members(at, before, after, &found, walk)
			return
		}
		was, wasList := old.([]any)
		is, isList := new.([]any)
		switch {
		case wasList && isList && scalars(was) && scalars(is):
			elements(at, was, is, &found)
		case wasList && isList:
			members(at, numberedElements(was), numberedElements(is), &found, walk)
		default:
			found = append(found, difference{"-", root(at), old}, difference{"+", root(at), new})
		}
	}
	walk("", old, new)
	return found
}

// root is a pointer that people can see.
func root(at string) string {
	if at == "" {
		return "#"
	}
	return at
}

func members(at string, before, after map[string]any, found *[]difference, walk func(string, any, any)) {
	all := maps.Clone(before)
	maps.Copy(all, after)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		old, was := before[name]
		new, is := after[name]
		step := at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		switch {
		case !was:
			*found = append(*found, difference{"+", step, new})
		case !is:
			*found = append(*found, difference{"-", step, old})
		default:
			walk(step, old, new)
		}
	}
}

// elements compares lists of scalars, such as required and enum, whose order says nothing.
func elements(at string, was, is []any, found *[]difference) {
	lacks := func(list []any, v any) bool {
		return !slices.ContainsFunc(list, func(other any) bool { return reflect.DeepEqual(v, other) })
	}
	before := len(*found)
	for _, v := range was {
		if lacks(is, v) {
			*found = append(*found, difference{"-", at, v})
		}
	}
	for _, v := range is {
		if lacks(was, v) {
			*found = append(*found, difference{"+", at, v})
		}
	}
	if len(*found) == before { // only their order or number
		*found = append(*found, difference{"-", root(at), was}, difference{"+", root(at), is})
	}
}

func scalars(list []any) bool {
	return !slices.ContainsFunc(list, func(v any) bool {
		switch v.(type) {
		case map[string]any, []any:
			return true
		}
		return false
	})
}

func numberedElements(list []any) map[string]any {
	all := make(map[string]any, len(list))
	for i, v := range list {
		all[strconv.Itoa(i)] = v
	}
	return all
}

// filesComplete leaves the completion of arguments to the shell.
func filesComplete(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}
