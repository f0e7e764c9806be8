package doubts

import (
	"fmt"

	"github.com/onedoor/yimen/exchange"
)

func noSuchDoubt() error {
	return &exchange.Problem{Code: "YM-DBT-0101", Kind: exchange.NotFound, What: text("没有这条疑义", "there is no such doubt"),
		Mend: text("用 yimen doubt list 查编号", "find its id with `yimen doubt list`")}
}

// incomplete lists everything that a doubt lacks, at once.
func incomplete(gaps []exchange.Text) error {
	return &exchange.Problem{Code: "YM-DBT-0102", Kind: exchange.Invalid, What: text(fmt.Sprintf("疑义需补正 %d 处", len(gaps)), fmt.Sprintf("the doubt has %d gaps", len(gaps))),
		Why:  exchange.Listed(gaps...),
		Mend: text("全部补上后再提交一次；什么都没有留下", "mend them all and send it again; nothing was recorded")}
}

// notRelied is the same for whatever is wrong, so that nobody learns of other departments' answers.
func notRelied() error {
	return &exchange.Problem{Code: "YM-DBT-0103", Kind: exchange.NotFound, What: text("本部门没有这样的结论", "the department has no such answer"),
		Why:  text("回执编号不对、不是本部门的，或该结论没有依据这条记录", "the receipt is not there or another department's, or its answer did not rest on that record"),
		Mend: text("写结论所附的回执编号，和其中的 record（32 位十六进制）：yimen query … -o json 里都有", "give the receipt's id that came with the answer, and the record named there (32 hexadecimal digits): both are in `yimen query … -o json`")}
}

func raisedAlready(id string) error {
	return &exchange.Problem{Code: "YM-DBT-0104", Kind: exchange.Conflict, What: text("本部门已对这条记录提出疑义 "+id, "the department has raised the doubt "+id+" about it"),
		Why: text("数源部门尚未答复", "the keeper has not answered it yet"), Mend: text("等待答复；要改写，先 yimen doubt withdraw "+id, "wait for the answer; to put it otherwise, `yimen doubt withdraw "+id+"` first")}
}

func outrun(d *doubt) error {
	return &exchange.Problem{Code: "YM-DBT-0105", Kind: exchange.Conflict, What: text("该疑义在此期间已变动", "the doubt was changed meanwhile"),
		Why:  text(fmt.Sprintf("现在是第 %d 版，%s", d.version, d.status.Text().ZH), fmt.Sprintf("it is at version %d now, %s", d.version, d.status.Text().EN)),
		Mend: text("用 yimen doubt list 查看后再决定", "look at it with `yimen doubt list`, then decide")}
}

func cannot(act Act, status Status) error {
	return &exchange.Problem{Code: "YM-DBT-0106", Kind: exchange.Conflict, What: text("疑义已有结果，不能 "+string(act), "the doubt is settled and admits no "+string(act)),
		Why: text("现在："+status.Text().ZH, "it is "+status.Text().EN), Mend: text("仍有疑义，重新提出", "where the doubt remains, raise it anew")}
}

func noReason() error {
	return &exchange.Problem{Code: "YM-DBT-0107", Kind: exchange.Invalid, What: text("理由缺失或不能留存", "the reason is missing, or may not be kept"),
		Why:  text("不属实须说明理由；理由最多 300 字，不含公民身份号码", "a rejection needs a reason; a reason has at most 300 characters and no citizen number"),
		Mend: text("用 --reason 写明", "write it with --reason")}
}

func onlyKeeper(keeper exchange.Department) error {
	return &exchange.Problem{Code: "YM-DBT-0108", Kind: exchange.Denied, What: text("只有数源部门答复疑义", "only the keeper answers a doubt"),
		Why:  text("该类证照的数源部门是 "+string(keeper)+"，由其共享负责人（调用方文件中 grants: true）答复", "the keeper of the type is "+string(keeper)+"; its head of sharing answers (grants: true in the callers file)"),
		Mend: text("请该部门处理", "ask that department")}
}

func sameperson() error {
	return &exchange.Problem{Code: "YM-DBT-0109", Kind: exchange.Denied, What: text("提出人不能答复自己的疑义", "nobody answers their own doubt"),
		Mend: text("请本部门另一位共享负责人答复", "ask another head of sharing of the department")}
}

func notYourDoubt() error {
	return &exchange.Problem{Code: "YM-DBT-0110", Kind: exchange.Denied, What: text("只有提出人或其部门的共享负责人、监察人员可以撤回", "who raised it withdraws it, or the department's head of sharing or supervisor"),
		Mend: text("请提出人办理", "ask who raised it")}
}

func badAct() error {
	return &exchange.Problem{Code: "YM-DBT-0111", Kind: exchange.Invalid, What: text("没有这种决定", "there is no such decision"),
		Mend: text("写 accept、reject 或 withdraw", "write accept, reject or withdraw")}
}

func textNotWritten(err error) error {
	return &exchange.Problem{Code: "YM-DBT-0302", Kind: exchange.Unavailable, Err: err, What: text("所写的没有写成，因此没有提交", "what you wrote could not be kept, so nothing was sent"),
		Why:  text("主题 "+TextsTopic+" 没有在时限内确认", "the topic "+TextsTopic+" did not confirm it in time"),
		Mend: text("稍后重试；若持续，请管理员检查 Kafka，并运行 yimen topics apply", "retry later; if it persists, have the administrator check Kafka and run yimen topics apply")}
}

func textsNotRead(err error) error {
	return &exchange.Problem{Code: "YM-DBT-0303", Kind: exchange.Unavailable, Err: err, What: text("还读不到疑义所写的内容", "what doubts say cannot be read yet"),
		Why:  text("本节点还没有读完主题 "+TextsTopic, "this node has not read all of the topic "+TextsTopic),
		Mend: text("稍后重试；若持续，查看本节点的日志", "retry later; if it persists, see this node's log")}
}
