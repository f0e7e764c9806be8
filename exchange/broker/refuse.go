package broker

import (
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
)

// checkApplicant says whether the applicant may apply for the item at all.
func checkApplicant(service catalogue.Service, applicant exchange.Holder) error {
	if applicant.Number == "" || applicant.Kind != exchange.Person && applicant.Kind != exchange.Organisation {
		return &exchange.Problem{
			Code: "YM-QRY-0112", Kind: exchange.Invalid,
			What: text("没有申请人", "there is no applicant"),
			Mend: text("填写公民身份号码或统一社会信用代码", "enter a citizen number or a unified social credit code"),
		}
	}
	if service.Accepts(applicant.Kind) {
		return nil
	}
	p := &exchange.Problem{
		Code: "YM-QRY-0113", Kind: exchange.Invalid,
		What: text("该事项只由法人或其他组织申请", "only organisations apply for this item"),
		Why:  text("填写的是公民身份号码", "a citizen number was given"),
		Mend: text("填写申请单位的统一社会信用代码", "enter the organisation's unified social credit code"),
	}
	if service.Applicant == exchange.Person {
		p.What = text("该事项只由自然人申请", "only persons apply for this item")
		p.Why = text("填写的是统一社会信用代码", "a unified social credit code was given")
		p.Mend = text("填写申请人的公民身份号码", "enter the applicant's citizen number")
	}
	return p
}

// noSuchItem never repeats what was typed: it could be a number.
func noSuchItem(near exchange.Item) error {
	p := &exchange.Problem{
		Code: "YM-QRY-0111", Kind: exchange.NotFound,
		What: text("没有这个事项", "there is no such item"),
		Mend: text("用 yimen item list 查事项代码", "yimen item list shows the codes of items"),
	}
	if near != "" {
		p.Mend = text("是不是 "+string(near)+"？", "did you mean "+string(near)+"?")
	}
	return p
}

// notPermittedCode is what stands in an entry that was refused for want of permission; the limits know it.
const notPermittedCode = "not_permitted"

func notPermitted() error {
	return &exchange.Problem{
		Code: "YM-QRY-0201", Kind: exchange.Denied,
		What: text("本部门不能为该事项查询", "your department may not ask for this item"),
		Why:  text("该事项不由本部门办理，也没有给本部门的有效共享授权", "it does not decide on the item and has no grant in force for it"),
		Mend: text("向管理员申请共享授权；本次查询已记入审计", "apply to the administrator for a grant; this query stands in the audit log"),
	}
}

func notFoundOut(cause error) error {
	return &exchange.Problem{
		Code: "YM-QRY-0302", Kind: exchange.Unavailable,
		What: text("索引读不了，因此不给结论", "the index could not be read, so there is no answer"),
		Mend: text("稍后重试；若持续，查看本节点的日志和磁盘", "retry later; if it persists, see this node's log and disk"),
		Err:  cause,
	}
}

// notAudited makes sure that callers see "retry later" whatever went wrong with the entry.
func notAudited(cause error) error {
	if exchange.KindOf(cause) == exchange.Unavailable {
		return cause
	}
	return &exchange.Problem{
		Code: "YM-QRY-0303", Kind: exchange.Unavailable,
		What: text("审计记录没有写成，因此不给结论", "the audit entry could not be written, so there is no answer"),
		Mend: text("稍后重试；若持续，查看本节点的日志", "retry later; if it persists, see this node's log"),
		Err:  cause,
	}
}

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }
