package opinion

import (
	"bytes"
	"fmt"
	"os"

	"github.com/onedoor/yimen/exchange"
)

// death is why a child ended without an answer.
type death struct {
	code string
	text exchange.Text
}

var (
	outOfTime   = death{"YM-OPN-0102", exchange.Text{ZH: "超过 10 秒没有结果", EN: "it took more than 10 seconds"}}
	outOfMemory = death{"YM-OPN-0103", exchange.Text{ZH: "内存超过 256 MiB", EN: "it needed more than 256 MiB of memory"}}
	outOfStack  = death{"YM-OPN-0104", exchange.Text{ZH: "无限递归，栈溢出", EN: "it recursed without end and its stack overflowed"}}
	panicked    = death{"YM-OPN-0105", exchange.Text{ZH: "校验器自身崩溃", EN: "the validator panicked"}}
	killed      = death{"YM-OPN-0106", exchange.Text{ZH: "进程被系统终止", EN: "the system killed the process"}}
	failed      = death{"YM-OPN-0107", exchange.Text{ZH: "进程非正常退出", EN: "the process ended with a failure"}}
)

// deathOf finds the cause of a death. Only fixed words are looked for: the text may quote documents and goes no further.
func deathOf(state *os.ProcessState, stderr []byte) death {
	said := func(words ...string) bool {
		for _, w := range words {
			if bytes.Contains(stderr, []byte(w)) {
				return true
			}
		}
		return false
	}
	switch {
	case said("fatal error: stack overflow", "goroutine stack exceeds"):
		return outOfStack
	case said("out of memory", "cannot allocate memory", "failed to reserve memory"):
		return outOfMemory
	case said("panic: "):
		return panicked
	case state.ExitCode() < 0:
		return killed
	}
	return failed
}

// died says how a child ended and how far it had come.
func died(d death, before Opinion, documents int) error {
	p := none(d.code)
	at := exchange.Text{ZH: "在读取 Schema 时", EN: "while it read the schema"}
	if before.Accepted && len(before.Valid) < documents {
		n := len(before.Valid) + 1
		at = exchange.Text{ZH: fmt.Sprintf("在第 %d 份文档（共 %d 份）上", n, documents), EN: fmt.Sprintf("on document %d of %d", n, documents)}
	} else if before.Accepted {
		at = exchange.Text{ZH: "在给出结论之后", EN: "after its last verdict"}
	}
	p.Why = exchange.Text{ZH: at.ZH + "，" + d.text.ZH, EN: at.EN + " " + d.text.EN}
	p.Mend = exchange.Text{ZH: "简化 Schema（递归引用、层层组合、过大的数字），再试一次", EN: "simplify the schema (recursive references, nested combinations, huge numbers) and try again"}
	return p
}

// none is the problem that there is no opinion.
func none(code string) *exchange.Problem {
	return &exchange.Problem{Code: code, Kind: exchange.Unavailable,
		What: exchange.Text{ZH: "没有得到第二个校验器的意见", EN: "there is no opinion of the second validator"}}
}

func notStarted(err error) error {
	p := none("YM-OPN-0101")
	p.Why = exchange.Text{ZH: "子进程启动不了", EN: "its process cannot be started"}
	p.Mend = exchange.Text{ZH: "检查程序文件是否还在、能否执行，以及进程数上限", EN: "see whether the program file is still there and executable, and the limit on processes"}
	p.Err = err
	return p
}

func givenUp(err error) error {
	p := none("YM-OPN-0108")
	p.Why = exchange.Text{ZH: "没有等到结果，请求已取消", EN: "the request ended before it had answered"}
	p.Mend = exchange.Text{ZH: "再试一次", EN: "try again"}
	p.Err = err
	return p
}

func garbled() error {
	p := none("YM-OPN-0109")
	p.Why = exchange.Text{ZH: "子进程的回答不成样子", EN: "its process wrote something that is no answer"}
	p.Mend = exchange.Text{ZH: "确认运行的是同一版本的程序", EN: "make sure that the process is the same version of this program"}
	return p
}

func draftUnknown() error {
	p := none("YM-OPN-0110")
	p.Why = exchange.Text{ZH: "它只懂 draft-04、draft-06 和 draft-07", EN: "it knows draft-04, draft-06 and draft-07 only"}
	p.Mend = exchange.Text{ZH: "写成 draft-07", EN: "write the schema in draft-07"}
	return p
}

func unreadable() error {
	p := none("YM-OPN-0111")
	p.Why = exchange.Text{ZH: "Schema 或文档不是一个 JSON 值", EN: "the schema or a document is not one JSON value"}
	p.Mend = exchange.Text{ZH: "先通过文档入口检查", EN: "have it pass the gate first"}
	return p
}

func tooMuch() error {
	p := none("YM-OPN-0112")
	p.Why = exchange.Text{ZH: fmt.Sprintf("Schema 和文档合计超过 %d MiB", mostAsked>>20), EN: fmt.Sprintf("schema and documents have more than %d MiB", mostAsked>>20)}
	p.Mend = exchange.Text{ZH: "少问一些文档", EN: "ask about fewer documents"}
	return p
}
