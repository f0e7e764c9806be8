package main

import (
	"context"
	"io"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
)

// process is what the surroundings give one run of the command.
type process struct {
	in              io.Reader
	out             io.Writer // data
	talk            io.Writer // everything said to a person
	env             func(string) string
	outTTY, talkTTY bool
	hidden          func(context.Context) ([]byte, error) // reads a line from the terminal unseen; nil without a terminal
	now             func() time.Time
	build           *debug.BuildInfo // nil: unknown
}

// session is one run: the process, and how the person wants to be answered. Verbs are its methods.
type session struct {
	process
	lang     exchange.Lang
	format   format
	noColour bool
	piped    string // the secret flag that reads standard input, which serves one only
	began    bool   // a verb's own code has started, so errors are no longer about the command line
}

// run executes one command line and returns its exit code. Nothing in it touches the real process, so that
// tests can run many.
func run(ctx context.Context, p process, args []string) code {
	p.in = stoppable(ctx, p.in)
	s := &session{process: p}
	s.lang, s.format, s.noColour = foreseen(args, p.env)
	root := s.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil && !s.began {
		err = asUsage(err)
	}
	ended := codeOf(ctx, err)
	if ended == exitInterrupted {
		err = context.Canceled // what failed because of it is not worth telling
	}
	s.complain(err)
	return ended
}

// foreseen reads the few flags that decide how even a faulty command line is answered, before cobra sees it.
func foreseen(args []string, env func(string) string) (exchange.Lang, format, bool) {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.ParseErrorsAllowlist.UnknownFlags = true
	f.SetOutput(io.Discard)
	f.BoolP("help", "h", false, "")
	lang := f.String("lang", "", "")
	output := f.StringP("output", "o", "", "")
	noColour := f.Bool("no-color", false, "")
	_ = f.Parse(args) // cobra parses again and complains
	shape := format(*output)
	if !shape.valid() {
		shape = asTable
	}
	return language(*lang, env), shape, *noColour
}

// root is the command tree in the session's language.
func (s *session) root() *cobra.Command {
	root := s.command(verb{
		use:   "yimen",
		short: both("一门：政务证照交换", "Yimen: the evidence exchange"),
		long: both("一门：部门发布证照，窗口核验材料，群众不再重复提交。",
			"Yimen: departments publish what they have issued, windows verify it, nobody brings it twice."),
		verbs: append(s.verbs(), s.topics()...),
	})
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.talk)
	root.SetHelpFunc(func(c *cobra.Command, _ []string) { s.help(c) })
	root.SetUsageFunc(func(c *cobra.Command) error { return s.usage(c) })
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(s.command(s.helpVerb()))
	s.globalFlags(root)
	return root
}

func (s *session) globalFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.BoolP("help", "h", false, s.t("查看命令说明", "show what the command does"))
	choice(f, (*string)(&s.format), "output", "o", formats(), s.t("输出形式：`FORMAT`", "output as `FORMAT`"))
	f.Lookup("output").DefValue = string(asTable) // not what the command line already said
	choice(f, (*string)(&s.lang), "lang", "", []string{string(exchange.ZH), string(exchange.EN)},
		s.t("语言：`LANG`，默认随环境", "language: `LANG`, by default the surroundings'"))
	f.Lookup("lang").DefValue = ""
	f.BoolVar(&s.noColour, "no-color", s.noColour, s.t("不用颜色", "do without colour"))
	completeChoices(root)
}
