package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
)

// secret is a flag's value that is named, never written: @FILE or - for standard input. A secret on the command line
// would stay in the shell's history and be seen in the list of processes.
type secret struct {
	session *session
	name    string
	source  string
}

// secretFlag declares a flag for a secret. Its usage names the `PLACEHOLDER` as others do.
func (s *session) secretFlag(f *pflag.FlagSet, name string, usage exchange.Text) *secret {
	v := &secret{session: s, name: name}
	f.Var(v, name, usage.In(s.lang)+s.t("（@文件，或 - 从标准输入读取）", " (@file, or - for standard input)"))
	return v
}

func (v *secret) String() string { return v.source }
func (v *secret) Type() string   { return "secret" }

// Set takes the place of the secret and refuses a secret itself, without repeating it.
func (v *secret) Set(source string) error {
	if source == "-" && v.session.hidden == nil {
		if other := v.session.piped; other != "" && other != v.name {
			return onePipe(v.name, other)
		}
		v.session.piped = v.name
	}
	if source == "-" || len(source) > 1 && source[0] == '@' {
		v.source = source
		return nil
	}
	return &exchange.Problem{
		Code: "YM-CLI-0210", Kind: exchange.Invalid,
		What: both("选项 --"+v.name+" 不接受直接写出的内容", "--"+v.name+" does not take what it stands for as it is"),
		Why: both("写在命令行里会留在历史记录和进程列表里",
			"on the command line it would stay in the shell's history and the list of processes"),
		Mend: both(fmt.Sprintf("写入文件后用 --%s @文件，或用 --%s - 从标准输入读取", v.name, v.name),
			fmt.Sprintf("put it into a file and say --%s @file, or --%s - to read it from standard input", v.name, v.name)),
	}
}

// onePipe refuses a second secret from standard input: the first would take all of it.
func onePipe(name, other string) *exchange.Problem {
	return &exchange.Problem{
		Code: "YM-CLI-0214", Kind: exchange.Invalid,
		What: both("选项 --"+name+" 和 --"+other+" 不能都从标准输入读取", "--"+name+" and --"+other+" cannot both be read from standard input"),
		Why:  both("标准输入只有一份内容", "standard input holds one thing"),
		Mend: both("其中一个写成 @文件", "give one of them as @file"),
	}
}

// given says whether the flag was set.
func (v *secret) given() bool { return v.source != "" }

// The longest secret taken, in bytes: tokens and keys are shorter, a wrong file is not read to its end.
const longestSecret = 64 << 10

// read fetches the secret, without the line's end. From a terminal it is typed unseen.
func (v *secret) read(ctx context.Context) (string, error) {
	text, err := v.fetch(ctx)
	if err != nil {
		return "", err
	}
	line := strings.TrimRight(strings.TrimPrefix(string(text), byteOrderMark), "\r\n")
	switch {
	case line == "" || len(text) > longestSecret:
		return "", v.unusable(both("内容为空，或超过 64 KiB", "it is empty or longer than 64 KiB"),
			both("检查文件或管道的内容", "look at what the file or the pipe holds"))
	case !utf8.ValidString(line) || strings.ContainsRune(line, 0):
		return "", v.unusable(both("内容不是 UTF-8 文本：可能是 UTF-16、密钥或别的文件", "it is no UTF-8 text: perhaps UTF-16, a key or another file"),
			both("核对文件；是文本的，另存为 UTF-8", "check the file; where it is text, save it as UTF-8"))
	}
	return line, nil
}

func (v *secret) unusable(why, mend exchange.Text) error {
	return &exchange.Problem{Code: "YM-CLI-0211", Kind: exchange.Invalid, Why: why, Mend: mend,
		What: both("没有从 --"+v.name+" 指定的地方读到可用的内容", "nothing usable was read from where --"+v.name+" points")}
}

func (v *secret) fetch(ctx context.Context) ([]byte, error) {
	if v.source != "-" {
		return firstBytes(v.source[1:])
	}
	if v.session.hidden == nil {
		return io.ReadAll(io.LimitReader(v.session.in, longestSecret+1))
	}
	fmt.Fprintf(v.session.talk, "%s: ", v.name)
	defer fmt.Fprintln(v.session.talk)
	return v.session.hidden(ctx)
}

func firstBytes(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fileProblem(path, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, longestSecret+1))
	if err != nil {
		return nil, fileProblem(path, err)
	}
	return text, nil
}
