package main

import (
	"fmt"
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// topics are pages of help that belong to no command.
func (s *session) topics() []verb {
	return []verb{
		{use: "exit-codes", short: both("退出码", "the exit codes"), long: aboutExitCodes()},
		{use: "config", short: both("yimen serve 的配置", "the configuration of yimen serve"), long: aboutConfig()},
		{use: "manifest", short: both("适配器清单的写法", "how an adapter's manifest is written"), long: aboutManifest()},
		{use: "output", short: both("输出形式、错误和语言", "forms of output, errors and languages"), long: aboutOutput()},
	}
}

func aboutExitCodes() exchange.Text {
	zh, en := new(strings.Builder), new(strings.Builder)
	fmt.Fprintln(zh, "退出码在各版本间不变。未列出的非零退出码一律按失败处理。")
	fmt.Fprintln(en, "Exit codes stay the same from version to version. A code not listed is a failure.")
	fmt.Fprintln(zh)
	fmt.Fprintln(en)
	for _, m := range exitCodes() {
		fmt.Fprintf(zh, "%5d  %s\n", m.code, m.text.ZH)
		fmt.Fprintf(en, "%5d  %s\n", m.code, m.text.EN)
	}
	fmt.Fprint(zh, `
yimen schema diff 的约定不同：0 没有差别，1 有差别而兼容，10 不兼容，其他为无法比较。
yimen topics plan：0 没有要做的，1 有，其他为无法比较；topics apply：1 也表示有须由管理员手工处理的。
yimen grant check：0 能看，6 不能看。`)
	fmt.Fprint(en, `
yimen schema diff differs: 0 no difference, 1 different and compatible, 10 incompatible, any other: it could not compare.
yimen topics plan: 0 nothing to do, 1 something, any other: it could not compare; topics apply: 1 also where something is left to do by hand.
yimen grant check: 0 it may be seen, 6 it may not.`)
	return both(zh.String(), en.String())
}

func aboutOutput() exchange.Text {
	return both(`标准输出只有数据，标准错误只有给人看的话。

  -o table   表格（默认）
  -o wide    更多列的表格
  -o json    一个 JSON 文档；空列表是 []
  -o yaml    一个 YAML 文档，字段与 JSON 相同
  -o jsonl   每行一个 JSON 对象；长任务每行有 "type"：progress、summary、answer
  -o name    每行一个名称

同一大版本内字段只增不减；时间用 RFC 3339。

错误说明三件事：发生了什么、为什么、怎么办。在 -o json 和 -o jsonl 下，标准错误上是一个
对象 {"code", "message", "hint", "details"}。错误代码（如 YM-SCH-0101）不随语言变化。

语言：默认中文。--lang en、YIMEN_LANG=en 或以 en 开头的 LC_ALL、LC_MESSAGES、LANG 换成英文。
颜色：只在终端上使用；--no-color、NO_COLOR 或 TERM=dumb 关闭。
机密内容：选项只接受 @文件 或 -（标准输入），不接受直接写出的值。`,
		`Standard output holds data only, standard error what is said to people.

  -o table   a table (default)
  -o wide    a table with more columns
  -o json    one JSON document; an empty list is []
  -o yaml    one YAML document with the fields of the JSON
  -o jsonl   one JSON object a line; lines of long jobs have a "type": progress, summary or answer
  -o name    one name a line

Within a major version fields are added, never taken away; times are RFC 3339.

An error says three things: what happened, why, and what mends it. Under -o json and -o jsonl it
is one object {"code", "message", "hint", "details"} on standard error. Error codes
(such as YM-SCH-0101) are the same in every language.

Language: Chinese, unless --lang en, YIMEN_LANG=en, or an LC_ALL, LC_MESSAGES or LANG beginning with en.
Colour: on terminals only; off with --no-color, NO_COLOR or TERM=dumb.
Secrets: their flags take @file or - (standard input), never the secret itself.`)
}
