package main

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
)

// TestUsageErrors gives a verb with every sort of flag faulty command lines. None of the complaints may repeat a
// value: 13800138000 stands for what must not be seen.
func TestUsageErrors(t *testing.T) {
	for _, row := range []struct{ args, code, zh, en string }{
		{"move x --into a --count 13800138000x", "YM-CLI-0207", "应为整数", "it must be a whole number"},
		{"move x --into a --wait 13800138000x", "YM-CLI-0207", "应为时长", "it must be a duration"},
		{"move x --into a --all=13800138000x", "YM-CLI-0207", "应为 true 或 false", "it must be true or false"},
		{"move x --into a --share 13800138000x", "YM-CLI-0207", "应为数字", "it must be a number"},
		{"move x --into a --kind 13800138000x", "YM-CLI-0209", "只能是：cold、warm", "it is one of: cold, warm"},
		{"move x --into a --token 13800138000", "YM-CLI-0210", "历史记录", "shell's history"},
		{"move x --into a --token @", "YM-CLI-0210", "@文件", "@file"},
		{"move x --into a --token - --number -", "YM-CLI-0214", "不能都从标准输入", "cannot both be read"},
		{"move x --into a --token", "YM-CLI-0206", "--token", "--token"},
		{"move x --into a --tokn=13800138000", "YM-CLI-0205", "是不是想用：--token", "did you mean: --token"},
		{"move x --into a -zq", "YM-CLI-0205", "没有选项 “-z”", "no flag “-z”"},
		{"move x --into a --=13800138000", "YM-CLI-0208", "--名称", "--name"},
		{"move x", "YM-CLI-0204", "--into", "--into"},
		{"move --into a", "YM-CLI-0202", "WHAT", "WHAT"},
		{"move x 13800138000 --into a", "YM-CLI-0203", "“…”", "“…”"},
		{"move x --into a --old y --new z", "YM-CLI-0200", "命令行写法不对", "the command line is wrong"},
		{"13800138000", "YM-CLI-0201", "“…”", "“…”"},
		{"mvoe --unknown 3", "YM-CLI-0201", "是不是想用：move", "did you mean: move"},
	} {
		t.Run(row.args, func(t *testing.T) {
			for _, lang := range []exchange.Lang{exchange.ZH, exchange.EN} {
				said, got := runMove(t, lang, strings.Fields(row.args))
				want := row.zh
				if lang == exchange.EN {
					want = row.en
				}
				if got != exitUsage || !strings.HasPrefix(said, row.code+"  ") || !strings.Contains(said, want) {
					t.Errorf("%s: exit code %d, want %s with %q, said\n%s", lang, got, row.code, want, said)
				}
				if strings.Contains(said, "1380") {
					t.Errorf("%s: repeats the value:\n%s", lang, said)
				}
				if !strings.Contains(said, "→ ") || lang == exchange.EN && han.MatchString(said) {
					t.Errorf("%s: said\n%s", lang, said)
				}
			}
		})
	}
}

func TestGoodCommandLineRuns(t *testing.T) {
	said, got := runMove(t, exchange.ZH, strings.Fields("move x --into a --count 3 --wait 2s --kind warm --token - --new z"))
	if got != exitOK || said != "" {
		t.Errorf("exit code %d, said %s", got, said)
	}
}

// runMove runs a tree of one invented verb.
func runMove(t *testing.T, lang exchange.Lang, args []string) (string, code) {
	t.Helper()
	var talk strings.Builder
	s := &session{process: surroundings(io.Discard, &talk), lang: lang, format: asTable}
	root := s.root()
	move := s.command(verb{
		use: "move WHAT", short: both("移动", "move"), min: 1, max: 1,
		flags: func(f *pflag.FlagSet) {
			kind := "cold"
			f.Int("count", 0, "")
			f.Duration("wait", time.Second, "")
			f.Bool("all", false, "")
			f.Float64("share", 0, "")
			for _, name := range []string{"into", "old", "new"} {
				f.String(name, "", "")
			}
			choice(f, &kind, "kind", "", []string{"cold", "warm"}, "")
			s.secretFlag(f, "token", both("口令", "token"))
			s.secretFlag(f, "number", both("号码", "number"))
			required(f, "into")
		},
		run: func(context.Context, []string) error { return nil },
	})
	move.MarkFlagsMutuallyExclusive("old", "new")
	root.AddCommand(move)
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	if err != nil && !s.began {
		err = asUsage(err)
	}
	s.complain(err)
	return talk.String(), codeOf(t.Context(), err)
}

func TestLanguage(t *testing.T) {
	for _, row := range []struct {
		name, flag string
		env        map[string]string
		want       exchange.Lang
	}{
		{"nothing said", "", nil, exchange.ZH},
		{"a locale without a language", "", map[string]string{"LANG": "C.UTF-8"}, exchange.ZH},
		{"neither language", "", map[string]string{"LANG": "de_DE.UTF-8"}, exchange.ZH},
		{"an English locale", "", map[string]string{"LANG": "en_GB.UTF-8"}, exchange.EN},
		{"LC_ALL over LANG", "", map[string]string{"LC_ALL": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"}, exchange.ZH},
		{"LC_MESSAGES over LANG", "", map[string]string{"LC_MESSAGES": "en_US", "LANG": "zh_CN"}, exchange.EN},
		{"our own variable over the locale", "", map[string]string{"YIMEN_LANG": "zh", "LC_ALL": "en_US"}, exchange.ZH},
		{"a variable that says nothing", "", map[string]string{"YIMEN_LANG": "fr", "LC_ALL": "en_US"}, exchange.EN},
		{"the flag over all", "en", map[string]string{"YIMEN_LANG": "zh", "LC_ALL": "zh_CN"}, exchange.EN},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := language(row.flag, func(name string) string { return row.env[name] }); got != row.want {
				t.Errorf("language %s, want %s", got, row.want)
			}
		})
	}
}

// FuzzRun looks for command lines that crash, that print values back, or that end with a code nobody documented.
func FuzzRun(f *testing.F) {
	for _, seed := range []string{
		"schema\x00list\x00-o\x00json", "schema\x00show\x00--schema\x00", "--lang\x00en\x00item", "-o=\x00--", "help\x00help\x00x",
		"__complete\x00schema\x00show\x00", "item\x00show\x0043028119900101005X", "version\x00-oyaml\x00\x00", "--output\x00-o\x00jsonl",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, "\x00")
		if slices.ContainsFunc(args, reachesOut) {
			t.Skip()
		}
		var talk strings.Builder
		got := run(t.Context(), surroundings(io.Discard, &talk), args)
		if got == exitFailed && !strings.Contains(talk.String(), "YM-") {
			t.Errorf("%q ended with %d and said %s", args, got, talk.String())
		}
		if strings.Contains(talk.String(), "1990010100") {
			t.Errorf("%q repeats a number: %s", args, talk.String())
		}
	})
}

// reachesOut says whether an argument may name a file, or a verb that starts or asks something.
func reachesOut(arg string) bool {
	if strings.ContainsAny(arg, "/.@") {
		return true
	}
	for _, name := range []string{"diff", "impact", "publish", "register", "deprecate", "retire", "compat", "history", "export"} { // schema's, of a server
		if arg == name {
			return true
		}
	}
	if strings.HasPrefix(arg, "--remote") || strings.HasPrefix(arg, "--server") || strings.HasPrefix(arg, "--token") || strings.HasPrefix(arg, "--version") {
		return true
	}
	pure := []string{"schema", "item", "version", "completion"}
	for _, v := range new(session).verbs() {
		if name, _, _ := strings.Cut(v.use, " "); name == arg && !slices.Contains(pure, name) {
			return true
		}
	}
	return false
}
