package main

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
)

// verb describes one command: a group where verbs is set, a help topic where neither verbs nor run is.
type verb struct {
	use      string // the name and the arguments, such as "show TYPE"
	short    exchange.Text
	long     exchange.Text // empty: short
	example  string        // command lines
	min, max int           // how many arguments; max < 0: any number
	flags    func(*pflag.FlagSet)
	complete cobra.CompletionFunc // nil: nothing to offer
	lists    bool                 // prints data, so every form of -o must work
	run      func(ctx context.Context, args []string) error
	verbs    []verb
}

// The annotation of commands that print data; tests walk the tree by it.
const listsData = "lists"

// command makes the cobra command of a verb in the session's language.
func (s *session) command(v verb) *cobra.Command {
	c := &cobra.Command{
		Use:                   v.use,
		Short:                 v.short.In(s.lang),
		Long:                  v.long.In(s.lang),
		Example:               v.example,
		ValidArgsFunction:     v.complete,
		DisableFlagsInUseLine: true,
	}
	if c.ValidArgsFunction == nil {
		c.ValidArgsFunction = cobra.NoFileCompletions
	}
	switch {
	case v.verbs != nil:
		c.Args = knownCommand
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	case v.run != nil:
		c.Args = v.arity
		c.RunE = func(c *cobra.Command, args []string) error {
			s.began = true
			return v.run(c.Context(), args)
		}
	}
	if v.lists {
		c.Annotations = map[string]string{listsData: "yes"}
	}
	if v.flags != nil {
		v.flags(c.Flags())
		completeChoices(c)
	}
	for _, sub := range v.verbs {
		c.AddCommand(s.command(sub))
	}
	return c
}

// required makes cobra's completion offer a flag that the verb cannot do without, and missing flags a usage error.
func required(f *pflag.FlagSet, names ...string) {
	for _, name := range names {
		// The only error is a flag that was not declared, which the test of the whole tree would show.
		_ = f.SetAnnotation(name, cobra.BashCompOneRequiredFlag, []string{"true"})
	}
}

// arity refuses too few and too many arguments, and missing flags, before the verb starts.
func (v *verb) arity(c *cobra.Command, args []string) error {
	switch {
	case len(args) < v.min:
		return tooFew(c)
	case v.max >= 0 && len(args) > v.max:
		return tooMany(c, args[v.max])
	}
	return missingFlag(c)
}

// anyOf completes the first argument with names. What cannot be listed is not offered: completion stays silent.
func anyOf(names func() ([]string, error)) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		offered, err := names()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return offered, cobra.ShellCompDirectiveNoFileComp
	}
}
