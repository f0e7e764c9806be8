package items

import (
	"fmt"

	"github.com/onedoor/yimen/exchange"
)

func problem(code string, kind exchange.Kind, what, why, mend exchange.Text) error {
	return &exchange.Problem{Code: "YM-ITM-" + code, Kind: kind, What: what, Why: why, Mend: mend}
}

func mayNotEdit() error {
	return problem("0101", exchange.Denied, text("不能改动事项目录", "the catalogue of items is not yours to change"), text("没有 items 权限", "the caller has not the role items"),
		text("请本部门的事项管理员办理，或请管理员在调用方文件中加上 items: true", "have who keeps the department's items do it, or an administrator add items: true in the callers file"))
}

func notYours(owner exchange.Department) error {
	return problem("0102", exchange.Denied, text("这是其他部门的事项", "the item is another department's"), text("它属于 "+string(owner), "it is "+string(owner)+"'s"),
		text("请该部门或管理员办理", "have that department or an administrator do it"))
}

func noSuchItem() error {
	return problem("0103", exchange.NotFound, text("没有这个事项", "there is no such item"), exchange.Text{},
		text("用 yimen item list 查看代码；新事项先用 yimen item draft 起草", "see the codes with `yimen item list`; a new one begins with `yimen item draft`"))
}

func badAct() error {
	return problem("0104", exchange.Invalid, text("没有这种操作", "there is no such act"), exchange.Text{}, text("用 draft、review、return、publish、withdraw 之一", "use one of draft, review, return, publish, withdraw"))
}

func otherItem(code exchange.Item) error {
	return problem("0105", exchange.Invalid, text("文件里是另一个事项", "the file has another item"), text("代码为 "+string(code), "its code is "+string(code)),
		text("改用该代码，或改正文件中的 item", "use that code, or correct `item` in the file"))
}

func noReason() error {
	return problem("0106", exchange.Invalid, text("缺少理由", "the reason is missing"), exchange.Text{}, text("写明理由，会告知起草人", "state the reason, the drafter is told"))
}

func badDay() error {
	return problem("0107", exchange.Invalid, text("生效日不是今天或以后的日期", "the day of effect is not today or later"), text("已给出的结论不能改变依据", "what was answered must not change its ground"),
		text("写成 2027-01-01 这样的日期", "write it like 2027-01-01"))
}

func personal() error {
	return problem("0108", exchange.Invalid, text("理由或草稿过长，或含公民身份号码", "the reason or the draft is too long, or holds a citizen number"), text("写下的内容永久保存", "what is written is kept for ever"),
		text(fmt.Sprintf("理由不超过 300 字，草稿不超过 %d KiB，删去号码", maxSource>>10), fmt.Sprintf("keep the reason within 300 characters and the draft below %d KiB, and take the number out", maxSource>>10)))
}

func samePerson() error {
	return problem("0201", exchange.Denied, text("起草人不能审核自己的草稿", "who drafted it cannot review it"), exchange.Text{}, text("请另一人审核", "have another person review it"))
}

func nothingTo(act Act) error {
	return problem("0202", exchange.Conflict, text("现在不能这样做", "that cannot be done now"), map[Act]exchange.Text{
		Review:   text("没有待审核的草稿", "there is no draft that waits for a review"),
		Return:   text("没有待审核的草稿", "there is no draft that waits for a review"),
		Publish:  text("没有审核通过的草稿", "there is no draft that was reviewed"),
		Withdraw: text("事项不存在或已废止", "there is no such item, or it is withdrawn"),
	}[act], text("用 yimen item history 查看事项的状态", "see with `yimen item history` how it stands"))
}

func outrun(g *Standing) error {
	return problem("0203", exchange.Conflict, text("事项已经变了", "the item has changed meanwhile"), text(fmt.Sprintf("现在是第 %d 版", g.Version), fmt.Sprintf("it is at version %d", g.Version)),
		text("看过后重试", "look at it, then try again"))
}
