package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/onedoor/yimen/exchange"
)

// shell is a shell that completion can be written for, and how its users load it.
type shell struct {
	name  string
	load  string // a command for this terminal session
	keep  string // a command for good
	write func(root *cobra.Command, s *session) error
}

func shells() []shell {
	return []shell{
		{"bash", "source <(yimen completion bash)", "yimen completion bash > /etc/bash_completion.d/yimen",
			func(root *cobra.Command, s *session) error { return root.GenBashCompletionV2(s.out, true) }},
		{"zsh", "source <(yimen completion zsh)", `yimen completion zsh > "${fpath[1]}/_yimen"`,
			func(root *cobra.Command, s *session) error { return root.GenZshCompletion(s.out) }},
		{"fish", "yimen completion fish | source", "yimen completion fish > ~/.config/fish/completions/yimen.fish",
			func(root *cobra.Command, s *session) error { return root.GenFishCompletion(s.out, true) }},
		{"powershell", "yimen completion powershell | Out-String | Invoke-Expression", "yimen completion powershell >> $PROFILE",
			func(root *cobra.Command, s *session) error { return root.GenPowerShellCompletionWithDesc(s.out) }},
	}
}

func (s *session) completionVerb() verb {
	group := verb{
		use:   "completion",
		short: both("生成命令行补全脚本", "write a completion script for a shell"),
		long: both("生成命令行补全脚本：按 Tab 键补全命令、选项、证照类型和事项代码。",
			"Write a completion script for a shell: the Tab key then completes commands, flags, evidence types and items."),
	}
	for _, sh := range shells() {
		group.verbs = append(group.verbs, verb{
			use:     sh.name,
			short:   exchange.Text{ZH: sh.name + " 的补全脚本", EN: "the completion script for " + sh.name},
			long:    exchange.Text{ZH: fmt.Sprintf(loading().ZH, sh.load, sh.keep), EN: fmt.Sprintf(loading().EN, sh.load, sh.keep)},
			example: sh.load,
			run:     func(context.Context, []string) error { return sh.write(s.root(), s) },
		})
	}
	return group
}

func loading() exchange.Text {
	return both("当前会话启用：\n  %s\n\n长期启用（执行一次，重新打开终端）：\n  %s",
		"For this session:\n  %s\n\nFor good (once, then open a new terminal):\n  %s")
}
