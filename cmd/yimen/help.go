package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// help prints what a command is for and how it is used. It takes the place of cobra's templates, which know
// one language.
func (s *session) help(c *cobra.Command) {
	about := c.Long
	if about == "" {
		about = c.Short
	}
	fmt.Fprintln(c.OutOrStdout(), strings.TrimSpace(about))
	if !c.IsAdditionalHelpTopicCommand() {
		fmt.Fprintln(c.OutOrStdout())
		// Help that cannot be written leaves nobody to tell.
		_ = s.usage(c)
	}
}

// usage prints the part of the help that cobra calls usage.
func (s *session) usage(c *cobra.Command) error {
	var b strings.Builder
	s.heading(&b, "用法：", "Usage:")
	b.WriteString("  " + usageLine(c))
	if !c.HasSubCommands() {
		b.WriteString(s.t(" [选项]", " [flags]"))
	}
	b.WriteByte('\n')
	if c.Example != "" {
		s.heading(&b, "\n示例：", "\nExamples:")
		for line := range strings.Lines(c.Example) {
			b.WriteString("  " + strings.TrimSpace(line) + "\n")
		}
	}
	s.commands(&b, c)
	s.flags(&b, s.t("\n选项：", "\nFlags:"), c.LocalNonPersistentFlags())
	global := c.InheritedFlags()
	if !c.HasParent() {
		global = c.PersistentFlags()
	}
	s.flags(&b, s.t("\n全局选项：", "\nGlobal flags:"), global)
	if c.HasSubCommands() {
		fmt.Fprintf(&b, s.t("\n查看某个命令的说明：%s COMMAND --help\n", "\nHelp on one command: %s COMMAND --help\n"), c.CommandPath())
	}
	_, err := io.WriteString(c.OutOrStdout(), b.String())
	return err
}

func (s *session) heading(b *strings.Builder, zh, en string) { b.WriteString(s.t(zh, en) + "\n") }

// commands lists the commands beneath c, then the topics.
func (s *session) commands(b *strings.Builder, c *cobra.Command) {
	var verbs, topics [][2]string
	for _, sub := range c.Commands() {
		switch {
		case sub.IsAdditionalHelpTopicCommand():
			topics = append(topics, [2]string{c.Root().Name() + " help " + sub.Name(), sub.Short})
		case sub.IsAvailableCommand() || sub.Name() == "help":
			verbs = append(verbs, [2]string{sub.Name(), sub.Short})
		}
	}
	s.pairs(b, s.t("\n命令：", "\nCommands:"), verbs)
	s.pairs(b, s.t("\n更多说明：", "\nMore help:"), topics)
}

// flags lists flags with the placeholder of their values.
func (s *session) flags(b *strings.Builder, heading string, flags *pflag.FlagSet) {
	var lines [][2]string
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		placeholder, about := pflag.UnquoteUsage(f)
		name := "    --" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", --" + f.Name
		}
		if f.Value.Type() != "bool" {
			name += " " + placeholder
		}
		if value := f.DefValue; value != "" && value != "false" && value != "0" && value != "[]" {
			about += fmt.Sprintf(s.t("（默认 %s）", " (default %s)"), value)
		}
		lines = append(lines, [2]string{name, about})
	})
	s.pairs(b, heading, lines)
}

func (s *session) pairs(b *strings.Builder, heading string, pairs [][2]string) {
	if len(pairs) == 0 {
		return
	}
	b.WriteString(heading + "\n")
	width := 0
	for _, p := range pairs {
		width = max(width, columnsOf(p[0]))
	}
	for _, p := range pairs {
		b.WriteString("  " + padded(p[0], width) + "  " + p[1] + "\n")
	}
}

// helpVerb is "yimen help".
func (s *session) helpVerb() verb {
	return verb{
		use:     "help [COMMAND]...",
		short:   both("查看命令或主题的说明", "explain a command or a topic"),
		example: "yimen help schema validate\nyimen help exit-codes",
		max:     -1,
		complete: func(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return topicsBelow(c.Root(), args), cobra.ShellCompDirectiveNoFileComp
		},
		run: func(_ context.Context, args []string) error {
			root := s.root()
			root.InitDefaultHelpCmd()
			target, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 && target.HasSubCommands() {
				return unknownCommand(target, args[len(args)-len(rest)])
			}
			return target.Help()
		},
	}
}

func topicsBelow(root *cobra.Command, args []string) []cobra.Completion {
	target, rest, err := root.Find(args)
	if err != nil || len(rest) > 0 {
		return nil
	}
	var offered []cobra.Completion
	for _, sub := range target.Commands() {
		if sub.IsAvailableCommand() || sub.IsAdditionalHelpTopicCommand() {
			offered = append(offered, cobra.CompletionWithDesc(sub.Name(), sub.Short))
		}
	}
	return offered
}
