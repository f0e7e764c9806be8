package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/registry"
	"github.com/onedoor/yimen/schemas/rest"
)

// registrationView is a registration as scripts see it.
type registrationView struct {
	rest.Registration
	DryRun bool `json:"dry_run"`
}

func (s *session) schemaRegister() verb {
	var at registryAt
	var file string
	var normalize, dry bool
	var references []string
	var name subjectName
	return verb{
		use:   "register SUBJECT",
		short: both("登记任意主题的 Schema", "register a schema of any subject"),
		long: both(`把一个 Schema 登记到任意主题，主题名照写，如 orders-value。证照类型用 yimen schema publish。
--dry-run 由服务器判定，什么也不改。不兼容时列出每一处和反例，退出码为 10。`,
			`Register a schema of any subject, named as it is, such as orders-value. For evidence types there is yimen schema publish.
--dry-run has the server judge and changes nothing. Where it is incompatible, each place is listed with a document that shows it, and the exit code is 10.`),
		example: "yimen schema register orders-value --file orders.json --token @admin.token --dry-run\n" +
			"yimen schema register orders-value --file orders.json --reference address.json=address-value:2 --token @admin.token",
		min: 1, max: 1,
		lists: true,
		flags: func(f *pflag.FlagSet) {
			s.fileFlag(f, &file)
			f.BoolVar(&normalize, "normalize", false, s.t("成员的顺序和写法不算差别", "let order and spelling of members make no difference"))
			s.dryRunFlag(f, &dry)
			f.StringArrayVar(&references, "reference", nil, s.t("引用的 Schema `NAME=SUBJECT:VERSION`，可重复", "a schema that is referred to, `NAME=SUBJECT:VERSION`; may be repeated"))
			s.subjectFlag(f, &name)
			s.registryFlags(f, &at)
			required(f, "token")
		},
		run: func(ctx context.Context, args []string) error {
			candidate := registry.Candidate{Normalize: normalize}
			var err error
			if candidate.References, err = referencesNamed(references); err != nil {
				return err
			}
			client, err := at.client(ctx)
			if err != nil {
				return err
			}
			if candidate.Text, err = s.schemaText(file); err != nil {
				return err
			}
			if err := name.noType(ctx, client, args[0]); err != nil {
				return err
			}
			done, err := client.Register(ctx, args[0], candidate, dry)
			if err != nil {
				return err
			}
			s.warn(done.Warnings)
			view := registrationView{done, dry}
			return s.object(view.Subject, view, func(w io.Writer) error { return s.registrationPage(w, view) })
		},
	}
}

// noType refuses the name of an evidence type, which other verbs of schema take for the type: it would become a subject beside
// the type's own, of the same look.
func (n subjectName) noType(ctx context.Context, client *rest.Client, name string) error {
	subject := n.subject(name)
	if subject == name {
		return nil
	}
	_, err := client.Versions(ctx, subject, true)
	switch {
	case err == nil:
		return &usageError{&exchange.Problem{Code: "YM-CLI-0717", Kind: exchange.Invalid,
			What: both(name+" 是证照类型", name+" is an evidence type"),
			Why:  both("register 照写主题名，会另立一个主题 "+name, "register takes the name as it is and would begin another subject "+name),
			Mend: both("yimen schema publish "+name+"；确要另立主题，加 --subject", "yimen schema publish "+name+"; if another subject is meant, add --subject")}}
	case exchange.KindOf(err) == exchange.NotFound:
		return nil
	}
	return err
}

func (s *session) dryRunFlag(f *pflag.FlagSet, dry *bool) {
	f.BoolVar(dry, "dry-run", false, s.t("只由服务器判定，不改动", "have the server judge, and change nothing"))
}

// referencesNamed reads NAME=SUBJECT:VERSION. A name may hold "=" and a subject ":"; the last ones count.
func referencesNamed(written []string) ([]registry.Reference, error) {
	var all []registry.Reference
	for _, one := range written {
		name, target, named := cutLast(one, "=")
		subject, number, numbered := cutLast(target, ":")
		version, err := strconv.Atoi(number)
		if !named || !numbered || err != nil || version < 1 || name == "" || subject == "" {
			return nil, &usageError{&exchange.Problem{Code: "YM-CLI-0705", Kind: exchange.Invalid,
				What: both("选项 --reference 的值不对", "the value of --reference is wrong"),
				Why:  both("应为 名称=主题:版本", "it must be NAME=SUBJECT:VERSION"),
				Mend: both("例如 --reference address.json=address-value:2", "such as --reference address.json=address-value:2")}}
		}
		all = append(all, registry.Reference{Name: name, Subject: subject, Version: version})
	}
	return all, nil
}

func cutLast(text, separator string) (before, after string, found bool) {
	at := strings.LastIndex(text, separator)
	if at < 0 {
		return text, "", false
	}
	return text[:at], text[at+len(separator):], true
}

// warn says what a registry warns of.
func (s *session) warn(warnings []exchange.Text) {
	for _, w := range warnings {
		s.say("注意：%s\n", "note: %s\n", plain(w.In(s.lang)))
	}
}

func (s *session) registrationPage(w io.Writer, v registrationView) error {
	name := fmt.Sprintf("%s v%d", plain(v.Subject), v.Version)
	switch {
	case v.DryRun && v.New:
		fmt.Fprintf(w, s.t("将登记 %s（%s）\n", "Would register %s (%s)\n"), name, s.verdict(v.Verdict))
	case v.DryRun:
		fmt.Fprintf(w, s.t("已经是 %s，不会有变化\n", "It is %s already: nothing would change\n"), name)
		return nil
	case v.New:
		fmt.Fprintf(w, s.t("✓ %s 已登记，编号 %d\n", "✓ %s registered, id %d\n"), name, v.ID)
	default:
		fmt.Fprintf(w, s.t("已经是 %s，编号 %d，没有变化\n", "It is %s already, id %d: nothing changed\n"), name, v.ID)
	}
	if v.DryRun {
		s.say("由服务器判定。去掉 --dry-run 再运行即登记。\n", "Dry run by server. Run again without --dry-run to register.\n")
	}
	return nil
}
