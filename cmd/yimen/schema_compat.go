package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/compat"
	"github.com/onedoor/yimen/schemas/registry"
	"github.com/onedoor/yimen/schemas/rest"
)

// levelView is a level of compatibility as scripts see it.
type levelView struct {
	Subject string        `json:"subject"` // empty: the global one
	Level   string        `json:"level"`
	Policy  compat.Policy `json:"policy"`
	Own     bool          `json:"own"` // set for the subject itself
}

func (s *session) schemaCompat() verb {
	var at registryAt
	var name subjectName
	var policy string
	var reset bool
	return verb{
		use:   "compat [TYPE] [LEVEL]",
		short: both("查看或设置兼容级别", "show or set the level of compatibility"),
		long: both(`查看或设置一个主题的兼容级别；不写主题则是全局的。
级别：`+strings.Join(levels(), " ")+`，大小写和连字符不限。
BACKWARD 指新版接受旧版的全部文档，FORWARD 相反，FULL 两者都要；_TRANSITIVE 指与全部旧版比较，不只是最新一版。
严格程度 strict 按字面比较；lenient 认为文档只含声明过的属性，默认值会被补上。`,
			`Show or set a subject's level of compatibility; without a subject, the global one.
Levels: `+strings.Join(levels(), " ")+`, in any case, hyphens as well.
BACKWARD: the new version accepts all documents of the old one; FORWARD: the reverse; FULL: both. _TRANSITIVE: compared with all old versions, not with the newest alone.
The policy strict takes schemas at their word; lenient supposes that documents hold only declared properties and that defaults are filled in.`),
		example: "yimen schema compat food-licence\nyimen schema compat food-licence backward-transitive --token @admin.token\nyimen schema compat full --policy lenient --token @admin.token",
		max:     2,
		lists:   true,
		flags: func(f *pflag.FlagSet) {
			choice(f, &policy, "policy", "", policies(), s.t("设置严格程度：`POLICY`", "set the policy: `POLICY`"))
			f.BoolVar(&reset, "reset", false, s.t("去掉主题自己的级别；全局的恢复默认", "take the subject's own level away; the global one becomes the default again"))
			s.subjectFlag(f, &name)
			s.registryFlags(f, &at)
		},
		complete: completeLevels,
		run: func(ctx context.Context, args []string) error {
			subject, wanted, err := name.levelAsked(args)
			if err != nil {
				return err
			}
			wanted.Policy = compat.Policy(strings.ToUpper(policy))
			client, err := at.client(ctx)
			if err != nil {
				return err
			}
			if err := changeLevel(ctx, client, subject, wanted, reset); err != nil {
				return err
			}
			level, err := client.Level(ctx, subject)
			if err != nil {
				return err
			}
			view := levelView{subject, level.Compatibility, level.Policy, level.Own}
			return s.object(strings.TrimSpace(called(subject)+" "+rule(view.Level)), view, func(w io.Writer) error { return s.levelPage(w, view) })
		},
	}
}

// completeLevels offers evidence types and levels, then levels.
func completeLevels(c *cobra.Command, args []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	offered, directive := []cobra.Completion(nil), cobra.ShellCompDirectiveNoFileComp
	if len(args) == 0 {
		offered, directive = anyOf(evidenceTypes)(c, args, prefix)
	}
	return append(offered, levels()...), directive
}

// levelAsked reads the arguments: a subject, a level, or both. One argument that is a level's name is a level.
func (n subjectName) levelAsked(args []string) (subject string, wanted registry.Level, err error) {
	if len(args) == 0 {
		return "", wanted, nil
	}
	if level, known := levelNamed(args[len(args)-1]); known && !(n.literal && len(args) == 1) {
		wanted.Compatibility = level
		args = args[:len(args)-1]
	}
	switch {
	case len(args) == 0:
		return "", wanted, nil
	case args[0] == "": // an unset variable of a shell must not change the level of everything
		return "", wanted, noName()
	case len(args) > 1:
		return "", wanted, wrongLevel(args[1])
	}
	return n.subject(args[0]), wanted, nil
}

func noName() error {
	return &usageError{&exchange.Problem{Code: "YM-CLI-0716", Kind: exchange.Invalid,
		What: both("名称是空的", "the name is empty"),
		Why:  both("多半是脚本里没有赋值的变量", "a variable of a script may be unset"),
		Mend: both("写出名称；要查看或设置全局的级别，不写这个参数", "write the name; for the global level leave the argument out")}}
}

func changeLevel(ctx context.Context, client *rest.Client, subject string, wanted registry.Level, reset bool) error {
	change := wanted.Compatibility != "" || wanted.Policy != ""
	switch {
	case reset && change:
		return &usageError{&exchange.Problem{Code: "YM-CLI-0707", Kind: exchange.Invalid,
			What: both("--reset 不能与级别或 --policy 一起用", "--reset does not go with a level or --policy"),
			Why:  both("一个是去掉，一个是设置", "one takes away, the other sets"),
			Mend: both("分两次运行", "run the command twice")}}
	case reset:
		err := client.DeleteLevel(ctx, subject)
		if exchange.KindOf(err) == exchange.NotFound && err != nil {
			return nil // it has none of its own: what was asked for holds
		}
		return err
	case change:
		return client.SetLevel(ctx, subject, wanted)
	}
	return nil
}

func (s *session) levelPage(w io.Writer, v levelView) error {
	name := called(v.Subject)
	source := s.t("（全局的级别）", " (the global level)")
	if v.Subject == "" {
		name = s.t("全局", "global")
	}
	if v.Own || v.Subject == "" {
		source = ""
	}
	_, err := fmt.Fprintf(w, "%s  %s  %s%s\n", plain(name), rule(v.Level), strings.ToLower(string(v.Policy)), source)
	return err
}
