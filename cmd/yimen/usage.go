package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
)

// usageError is a command line that cannot be carried out as written: exit code 2.
type usageError struct{ *exchange.Problem }

func (u *usageError) Unwrap() error { return u.Problem }

// misused is a usage error whose mend is the help of the command.
func misused(number string, c *cobra.Command, what, why exchange.Text) *usageError {
	mend := both("用法：", "usage: ")
	line := usageLine(c)
	return &usageError{&exchange.Problem{
		Code: "YM-CLI-" + number, Kind: exchange.Invalid, What: what, Why: why,
		Mend: exchange.Text{ZH: mend.ZH + line + "；详见 " + c.CommandPath() + " --help",
			EN: mend.EN + line + "; see " + c.CommandPath() + " --help"},
	}}
}

// usageLine is how a command is written, with the flags it cannot do without.
func usageLine(c *cobra.Command) string {
	if c.HasSubCommands() {
		return c.CommandPath() + " COMMAND"
	}
	line := c.UseLine()
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Annotations[cobra.BashCompOneRequiredFlag] != nil {
			placeholder, _ := pflag.UnquoteUsage(f)
			line += " --" + f.Name + " " + placeholder
		}
	})
	return line
}

// asUsage makes sure that an error from before the verb started is a usage error in both languages. What
// cobra says itself stands as the reason; the cases that occur have texts of their own below.
func asUsage(err error) error {
	if _, ok := errors.AsType[*usageError](err); ok {
		return err
	}
	return &usageError{&exchange.Problem{
		Code: "YM-CLI-0200", Kind: exchange.Invalid,
		What: both("命令行写法不对", "the command line is wrong"),
		Mend: both("查看说明：yimen --help", "see yimen --help"),
		Err:  err,
	}}
}

// knownCommand refuses arguments of a group: each is a verb that does not exist.
func knownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return unknownCommand(c, args[0])
}

func unknownCommand(c *cobra.Command, name string) error {
	u := misused("0201", c,
		both(fmt.Sprintf("%s 没有命令 %s", c.CommandPath(), shown(name)), fmt.Sprintf("%s has no command %s", c.CommandPath(), shown(name))),
		exchange.Text{})
	c.SuggestionsMinimumDistance = 2
	if near := c.SuggestionsFor(name); len(near) > 0 {
		u.Why = didYouMean(near)
		u.Mend = both(c.CommandPath()+" "+near[0], c.CommandPath()+" "+near[0])
	} else {
		u.Why = both("没有与之相近的命令", "no command is like it")
		u.Mend = both("查看全部命令："+c.CommandPath()+" --help", "see all commands: "+c.CommandPath()+" --help")
	}
	return u
}

func tooFew(c *cobra.Command) error {
	return misused("0202", c, both("缺少参数", "an argument is missing"),
		both("这个命令需要："+arguments(c), "the command needs: "+arguments(c)))
}

func tooMany(c *cobra.Command, extra string) error {
	why := both("这个命令只接受："+arguments(c), "the command takes only: "+arguments(c))
	if arguments(c) == "" {
		why = both("这个命令不接受参数", "the command takes no arguments")
	}
	return misused("0203", c, both("多余的参数 "+shown(extra), "an argument too many: "+shown(extra)), why)
}

func arguments(c *cobra.Command) string {
	_, arguments, _ := strings.Cut(c.Use, " ")
	return arguments
}

// missingFlag refuses a command line without a flag marked as required.
func missingFlag(c *cobra.Command) error {
	var missing []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Annotations[cobra.BashCompOneRequiredFlag] != nil && !f.Changed {
			missing = append(missing, "--"+f.Name)
		}
	})
	if len(missing) == 0 {
		return nil
	}
	names := strings.Join(missing, " ")
	return misused("0204", c, both("缺少选项 "+names, "a flag is missing: "+names),
		both("没有它，命令不知道该做什么", "without it the command does not know what to do"))
}

// flagError says in both languages what pflag found. It never repeats a value: it may be a secret or a
// person's number.
func flagError(c *cobra.Command, err error) error {
	if args := c.Flags().Args(); c.HasSubCommands() && len(args) > 0 {
		return unknownCommand(c, args[0]) // its flags are unknown because the command is
	}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return unknownFlag(c, unknown)
	}
	if empty, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		name := flagName(empty.GetFlag())
		return misused("0206", c, both("选项 "+name+" 后面缺少值", "the flag "+name+" needs a value"),
			both("命令行到这里就结束了", "the command line ends there"))
	}
	if wrong, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return wrongValue(c, wrong)
	}
	return misused("0208", c, both("选项写法不对", "a flag is not written as flags are"),
		both("选项写作 --名称 值 或 --名称=值", "flags are written --name value or --name=value"))
}

func unknownFlag(c *cobra.Command, unknown *pflag.NotExistError) error {
	typed, dashes := unknown.GetSpecifiedName(), "--"
	if unknown.GetSpecifiedShortnames() != "" {
		dashes = "-"
	}
	u := misused("0205", c, both("没有选项 "+shown(dashes+typed), "there is no flag "+shown(dashes+typed)),
		both("没有与之相近的选项", "no flag is like it"))
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := nearest(typed, names); dashes == "--" && len(near) > 0 {
		for i := range near {
			near[i] = "--" + near[i]
		}
		u.Why = didYouMean(near)
	}
	return u
}

func wrongValue(c *cobra.Command, wrong *pflag.InvalidValueError) error {
	if p, ok := errors.AsType[*exchange.Problem](wrong.Unwrap()); ok {
		return &usageError{p}
	}
	name := flagName(wrong.GetFlag())
	wanted := valueForm(wrong.GetFlag().Value.Type())
	return misused("0207", c, both("选项 "+name+" 的值不对", "the value of "+name+" is wrong"),
		both("应为"+wanted.ZH, "it must be "+wanted.EN))
}

func flagName(f *pflag.Flag) string {
	if f.Shorthand != "" {
		return "-" + f.Shorthand + ", --" + f.Name
	}
	return "--" + f.Name
}

// valueForm describes pflag's types of value.
func valueForm(kind string) exchange.Text {
	switch kind {
	case "bool":
		return both(" true 或 false", "true or false")
	case "duration":
		return both("时长，如 30s、5m、2h", "a duration such as 30s, 5m or 2h")
	case "int", "int32", "int64", "count":
		return both("整数", "a whole number")
	case "uint", "uint16", "uint32", "uint64":
		return both("整数，不小于 0", "a whole number, 0 or more")
	case "float32", "float64":
		return both("数字", "a number")
	default:
		return both("另一种写法", "written differently")
	}
}

func didYouMean(names []string) exchange.Text {
	return both("是不是想用："+strings.Join(names, "、"), "did you mean: "+strings.Join(names, ", "))
}

// nearest are the names that the typed one may have meant, by cobra's measure.
func nearest(typed string, names []string) []string {
	c := &cobra.Command{SuggestionsMinimumDistance: 2}
	for _, name := range names {
		c.AddCommand(&cobra.Command{Use: name, Run: func(*cobra.Command, []string) {}})
	}
	return c.SuggestionsFor(typed)
}

var longNumber = regexp.MustCompile(`[0-9]{5,}[0-9Xx]?`)

// shown repeats what somebody typed, but no number long enough to be a person's, and nothing that moves
// a terminal's cursor.
func shown(typed string) string {
	typed = longNumber.ReplaceAllString(plain(typed), "…")
	if r := []rune(typed); len(r) > 80 {
		typed = string(r[:80]) + "…"
	}
	return "“" + typed + "”"
}
