package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
)

// deprecationView is a mark, or the lack of one, as scripts see it.
type deprecationView struct {
	Subject    string `json:"subject"`
	Version    int    `json:"version,omitempty"` // 0: all there are
	Deprecated bool   `json:"deprecated"`
	Reason     string `json:"reason,omitempty"`
}

func (s *session) schemaDeprecate() verb {
	var at registryAt
	var name subjectName
	var version int
	var reason string
	var undo bool
	return verb{
		use:   "deprecate TYPE",
		short: both("标记不再推荐的版本", "mark versions as not to be used any more"),
		long: both(`给一个版本或全部版本加上“不推荐”的标记和原因，--undo 取消。标记不影响读写，只提醒使用者。`,
			`Mark a version, or all of them, as deprecated, with the reason; --undo takes the mark away. Reading and writing go on: users are warned.`),
		example: "yimen schema deprecate food-licence --version 1 --reason 'REASON' --token @admin.token\nyimen schema deprecate food-licence --version 1 --undo --token @admin.token",
		min:     1, max: 1,
		lists: true,
		flags: func(f *pflag.FlagSet) {
			f.IntVar(&version, "version", 0, s.t("只标记第 `N` 版，0 为全部", "mark version `N` alone, 0 for all"))
			f.StringVar(&reason, "reason", "", s.t("原因 `TEXT`", "the reason, as `TEXT`"))
			f.BoolVar(&undo, "undo", false, s.t("取消标记", "take the mark away"))
			s.subjectFlag(f, &name)
			s.registryFlags(f, &at)
			required(f, "token")
		},
		complete: anyOf(evidenceTypes),
		run: func(ctx context.Context, args []string) error {
			if undo == (reason != "") {
				return &usageError{&exchange.Problem{Code: "YM-CLI-0706", Kind: exchange.Invalid,
					What: both("没有写原因，或与 --undo 一起写了", "the reason is missing, or given along with --undo"),
					Why:  both("使用者要知道为什么不再推荐", "users want to know why it is deprecated"),
					Mend: both("--reason '原因'，或 --undo", "--reason TEXT, or --undo")}}
			}
			if version < 0 {
				return wrongVersion()
			}
			client, err := at.client(ctx)
			if err != nil {
				return err
			}
			view := deprecationView{name.subject(args[0]), version, !undo, reason}
			if err := client.Deprecate(ctx, view.Subject, version, reason); err != nil {
				return err
			}
			return s.object(view.Subject, view, func(w io.Writer) error { return s.deprecationPage(w, view) })
		},
	}
}

// wrongVersion refuses numbers below none, which must not pass for "all".
func wrongVersion() error {
	return &usageError{&exchange.Problem{Code: "YM-CLI-0715", Kind: exchange.Invalid,
		What: both("选项 --version 的值不对", "the value of --version is wrong"),
		Why:  both("版本从 1 起", "versions begin with 1"),
		Mend: both("例如 --version 1", "such as --version 1")}}
}

func (s *session) deprecationPage(w io.Writer, v deprecationView) error {
	which := called(v.Subject) + s.t(" 的全部版本", " in all versions")
	if v.Version > 0 {
		which = fmt.Sprintf("%s v%d", called(v.Subject), v.Version)
	}
	line := s.t("✓ %s 已标记为不推荐\n", "✓ %s is deprecated\n")
	if !v.Deprecated {
		line = s.t("✓ %s 已恢复推荐\n", "✓ %s is no longer deprecated\n")
	}
	_, err := fmt.Fprintf(w, line, plain(which))
	return err
}
