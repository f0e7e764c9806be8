package limits

import (
	"time"

	"github.com/onedoor/yimen/exchange"
)

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }

func misconfigured(why exchange.Text) error {
	return &exchange.Problem{Code: "YM-LIM-0100", Kind: exchange.Invalid, What: text("查询限额的配置不可用", "the configuration of limits cannot be used"), Why: why,
		Mend: text("改正配置中的 limits", "mend limits in the configuration")}
}

func usedBefore() *exchange.Problem {
	return &exchange.Problem{Code: "YM-LIM-0101", Kind: exchange.Conflict, What: text("这个请求已经用过一次，没有再次处理", "this request was used before and not carried out again"),
		Why:  text("请求中的一次性随机数（nonce）在有效时间内出现过", "its nonce was seen within the time in which it counts"),
		Mend: text("要再查一次，发送带新随机数的新请求", "to ask again, send a new request with a new nonce")}
}

// budgetSpent names a budget; more comes after a while, or with time alone never (0).
func budgetSpent(rule Rule, after time.Duration) *exchange.Problem {
	p := &exchange.Problem{Code: "YM-LIM-0201", Kind: exchange.Limited, What: text("查询达到上限，没有处理", "a limit was reached, so the query was not carried out"),
		Why: rule.Text(), After: after,
		Mend: text("到下一小时或第二天再查；确有需要的，请管理员核实后用 yimen limits lift 部门/工号 --reason 依据 重新计数，或调整配置中的 limits",
			"ask again in the next hour or on the next day; where more is needed, the administrator can let the count start anew with yimen limits lift DEPT/CLERK --reason CODE, or change limits in the configuration")}
	if after == 0 {
		p.Mend = text("核对收件号；一个办件确有更多申请人的，请管理员在配置 limits.items 中为该事项写 case_subjects",
			"check the case number; where a case has more applicants, the administrator can set case_subjects for the item in limits.items")
	}
	return p
}

// Spent is the refusal of somebody who has looked up as many as they may in an hour.
func Spent() error { return budgetSpent(lookupsHour, time.Hour) }

// Suspended is the refusal of somebody who is suspended, such as for guessing too often at a replay.
func Suspended() error { return clerkSuspended(guesses) }

func clerkSuspended(rule Rule) *exchange.Problem {
	return &exchange.Problem{Code: "YM-LIM-0202", Kind: exchange.Limited, What: text("本账号的查询已被暂停", "the queries of this account are suspended"), Why: rule.Text(),
		Mend: text("请本部门负责人联系监察人员或管理员：核实后用 yimen limits lift 部门/工号 --reason 依据 解除",
			"have the head of your department call the supervisors or the administrator: once it is cleared up, yimen limits lift DEPT/CLERK --reason CODE lifts it")}
}

func departmentSuspended(rule Rule) *exchange.Problem {
	return &exchange.Problem{Code: "YM-LIM-0203", Kind: exchange.Limited, What: text("本部门的查询已被暂停", "the queries of this department are suspended"), Why: rule.Text(),
		Mend: text("请本部门负责人联系监察人员或管理员：核实后用 yimen limits lift 部门 --reason 依据 解除",
			"have the head of your department call the supervisors or the administrator: once it is cleared up, yimen limits lift DEPT --reason CODE lifts it")}
}

func notReady(cause error) error {
	return &exchange.Problem{Code: "YM-LIM-0301", Kind: exchange.Unavailable, Err: cause, What: text("还不知道此前查询过多少，因此不给结论", "it is not known yet how much was asked before, so there is no answer"),
		Why:  text("本节点刚启动，还没有读完审计主题", "this node has just started and has not read all of the audit topic"),
		Mend: text("稍后重试；若持续，查看本节点的日志", "retry later; if it persists, see this node's log")}
}

func clockWrong() error {
	return &exchange.Problem{Code: "YM-LIM-0302", Kind: exchange.Unavailable, What: text("本节点的时钟不可信，因此不给结论", "this node's clock cannot be trusted, so there is no answer"),
		Why:  text("它与审计主题中的时间相差太多", "it is too far from the times in the audit topic"),
		Mend: text("校正时钟并重新启动本节点", "set the clock right and start this node again")}
}

var liftForm = text(`正文应为 {"target":"部门/工号","reason":"依据的编号"}`, `send {"target":"department/clerk","reason":"reference to the decision"}`)

// nobodyThere never repeats what was typed: it could be a number.
func nobodyThere() error {
	return &exchange.Problem{Code: "YM-LIM-0112", Kind: exchange.NotFound, What: text("没有这个部门或账号的查询记录", "nothing was asked by such a department or account"),
		Mend: text("写成 部门/工号 或 部门；yimen limits list 列出被暂停的", "write department/clerk, or a department; yimen limits list shows those that are suspended")}
}

func badReason() error {
	return &exchange.Problem{Code: "YM-LIM-0113", Kind: exchange.Invalid, What: text("依据的编号写法不对", "the reference to the decision is not well formed"),
		Why:  text("它会永久留在审计日志中，因此不能是文字或证件号码", "it stays in the audit log for ever, so it can be neither text nor a person's number"),
		Mend: text("写处理单的编号：4 至 64 个半角字母、数字和 - _ . /，如 JC-2026-014", "write the number of the decision: 4 to 64 letters, digits and - _ . / of ASCII, such as JC-2026-014")}
}

func ownLift() error {
	return &exchange.Problem{Code: "YM-LIM-0114", Kind: exchange.Denied, What: text("不能解除对自己的限制", "nobody can lift their own suspension"),
		Mend: text("请另一位管理员核实后解除", "have another administrator look at it and lift it")}
}
