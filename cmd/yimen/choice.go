package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
)

// oneOf is a flag's value out of a few.
type oneOf struct {
	value *string
	name  string
	of    []string
}

// choice declares a flag that takes one of a few values; *value is its default, empty for none.
func choice(f *pflag.FlagSet, value *string, name, short string, of []string, usage string) {
	f.VarP(&oneOf{value, name, of}, name, short, usage+" ("+strings.Join(of, "|")+")")
}

func (c *oneOf) String() string { return *c.value }
func (c *oneOf) Type() string   { return "choice" }

// Set refuses what is not in the list without repeating it.
func (c *oneOf) Set(value string) error {
	if slices.Contains(c.of, value) {
		*c.value = value
		return nil
	}
	p := &exchange.Problem{
		Code: "YM-CLI-0209", Kind: exchange.Invalid,
		What: both("选项 --"+c.name+" 的值不对", "the value of --"+c.name+" is wrong"),
		Why:  both("只能是："+strings.Join(c.of, "、"), "it is one of: "+strings.Join(c.of, ", ")),
		Mend: both("--"+c.name+" "+c.of[0], "--"+c.name+" "+c.of[0]),
	}
	if near := nearest(value, c.of); value != "" && len(near) > 0 {
		p.Mend = both("--"+c.name+" "+near[0], "--"+c.name+" "+near[0])
	}
	return p
}

// completeChoices lets the shell offer the values of all choices that a command declares.
func completeChoices(c *cobra.Command) {
	complete := func(f *pflag.Flag) {
		if choice, ok := f.Value.(*oneOf); ok {
			// The only errors are an unknown flag and a second registration: neither can be here.
			_ = c.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(choice.of, cobra.ShellCompDirectiveNoFileComp))
		}
	}
	c.PersistentFlags().VisitAll(complete)
	c.LocalNonPersistentFlags().VisitAll(complete)
}
