package notice

import "github.com/onedoor/yimen/exchange"

func oneOrAll() error {
	return &exchange.Problem{Code: "YM-SUB-0201", Kind: exchange.Invalid, What: text("须写明一个收件号，或写明全部办件，二者取一", "name one case or all cases, not both and not neither"),
		Mend: text(`写 "case":"LL-2026-1123-0041" 或 "all":true；命令行用 --case 或 --all`, `send "case":"LL-2026-1123-0041" or "all":true; on the command line --case or --all`)}
}

func tooMany() error {
	return &exchange.Problem{Code: "YM-SUB-0202", Kind: exchange.Limited, What: text("本部门的订阅已达 20000 个", "the department has 20,000 subscriptions, and no more are kept"),
		Mend: text("结束办结的订阅（yimen subscription remove），或订阅全部办件（--all）", "end those of closed cases (yimen subscription remove), or subscribe all cases (--all)")}
}

func noSuchSubscription() error {
	return &exchange.Problem{Code: "YM-SUB-0203", Kind: exchange.NotFound, What: text("没有这个订阅", "there is no such subscription"),
		Mend: text("用 yimen subscription list 查编号；别的部门的看不到", "find its id with `yimen subscription list`; those of other departments are not shown")}
}

func notRead(err error) error {
	return &exchange.Problem{Code: "YM-SUB-0302", Kind: exchange.Unavailable, Err: err, What: text("订阅尚未读完", "the subscriptions are not read yet"),
		Why:  text("节点刚启动，正在从主题 subscriptions 读入；数据目录丢失后的第一次读入可能较久", "the node has just started and reads the topic subscriptions; the first time after its data were lost may take long"),
		Mend: text("稍后再试。若持续，检查 Kafka 和主题 subscriptions", "try again shortly; if it persists, check Kafka and the topic subscriptions")}
}

func notWritten(err error) error {
	return &exchange.Problem{Code: "YM-SUB-0301", Kind: exchange.Unavailable, Err: err, What: text("不知道订阅是否已写成", "it is not known whether the subscription was written"),
		Mend: text("用 yimen subscription list 查看；没有就再做一次。若持续，检查 Kafka 和主题 subscriptions", "look with `yimen subscription list`, and do it again where it is not there; if it persists, check Kafka and the topic subscriptions")}
}
