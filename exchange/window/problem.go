package window

import (
	"errors"
	"fmt"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
)

// trouble is an error as the page tells it, beside the field that it is about.
type trouble struct {
	Code            string
	What, Why, Mend exchange.Text
	Field           string // id of an input; empty: none
}

func troubleOf(err error, field string) trouble {
	var p *exchange.Problem
	if !errors.As(err, &p) {
		p = &exchange.Problem{Code: "YM-WIN-0500", What: text("内部错误", "internal error"),
			Mend: text("请把时间告知交换平台管理员，原因在服务日志中", "tell the exchange's administrator the time; the cause is in the service's log")}
	}
	return trouble{Code: p.Code, What: p.What, Why: p.Why, Mend: p.Mend, Field: field}
}

// codeOf is the code of a problem, "" of any other error.
func codeOf(err error) string {
	var p *exchange.Problem
	if !errors.As(err, &p) {
		return ""
	}
	return p.Code
}

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }

func noConsent() error {
	return &exchange.Problem{Code: "YM-WIN-0101", Kind: exchange.Invalid, What: text("还没有申请人的同意", "the applicant has not agreed yet"),
		Mend: text("向申请人说明后，勾选“申请人已知悉并同意”", "explain it to the applicant, then tick the box that says so")}
}

func noItem() error {
	return &exchange.Problem{Code: "YM-WIN-0102", Kind: exchange.Invalid, What: text("没有填写事项", "there is no service item"),
		Mend: text("输入事项名称、代码或拼音首字母，例如 spjy", "type the item's name, its code or its pinyin initials, such as spjy")}
}

func unknownItem() error {
	return &exchange.Problem{Code: "YM-WIN-0103", Kind: exchange.Invalid, What: text("没有这个事项，或本部门不办理它", "there is no such item, or your department has no business with it"),
		Mend: text("输入事项名称、代码或拼音首字母，从列表中选择", "type its name, its code or its pinyin initials, and choose from the list")}
}

func severalItems(n int) error {
	return &exchange.Problem{Code: "YM-WIN-0104", Kind: exchange.Invalid,
		What: text(fmt.Sprintf("有 %d 个事项都符合", n), fmt.Sprintf("%d items fit", n)), Mend: text("选择其中一个，或再多输入几个字", "choose one of them, or type a little more")}
}

// forms say how facts are written that are no choice of a few.
var forms = map[catalogue.FactKind]exchange.Text{
	catalogue.Number: text("写成数字，例如 36 或 12.5", "write a number, such as 36 or 12.5"),
	catalogue.Day:    text("写成日期，例如 2026-12-31", "write a day, such as 2026-12-31"),
}

func badFact(f catalogue.Fact) error {
	return &exchange.Problem{Code: "YM-WIN-0105", Kind: exchange.Invalid, What: text("“"+f.Name.ZH+"”的写法不对", f.Name.EN+": this is not well formed"), Mend: forms[f.Kind]}
}

func nothingSaid() error {
	return &exchange.Problem{Code: "YM-WIN-0106", Kind: exchange.Invalid, What: text("还没有填写或改动任何一项", "nothing was filled in or changed"),
		Why:  text("再查一次会得到同样的结论，并多记一次查询", "asking again would give the same answers, and count as one more query"),
		Mend: text("填写或改动至少一项，再提交", "fill in or change at least one thing, then send it again")}
}

func noneOfTheirs() error {
	return &exchange.Problem{Code: "YM-WIN-0107", Kind: exchange.Invalid, What: text("还没有上述人员的同意", "those named have not agreed yet"),
		Mend: text("向其说明后，勾选“上述人员已知悉并同意”", "explain it to them, then tick the box that says so")}
}

func noSuchPage() error {
	return &exchange.Problem{Code: "YM-WIN-0201", Kind: exchange.NotFound, What: text("没有这个页面", "there is no such page"),
		Mend: text("回到首页，从事项与申请人开始", "go back to the beginning, item and applicant")}
}

func putAway() error {
	return &exchange.Problem{Code: "YM-WIN-0204", Kind: exchange.NotFound, What: text("这份清单已经收起", "this list has been put away"),
		Why:  text("窗口已转到另一位申请人，或另作了查询", "the window has turned to another applicant, or asked anew"),
		Mend: text("回到首页重新查询", "go back to the beginning and ask again")}
}

func foreignForm() error {
	return &exchange.Problem{Code: "YM-WIN-0202", Kind: exchange.Denied, What: text("请求来自另一个网站，没有执行", "the request came from another site, and was not done"),
		Mend: text("在本平台的页面上重新操作；若本页面就是平台，请管理员检查反向代理的 Host", "do it again on the exchange's own page; if this is it, the administrator checks the reverse proxy's Host")}
}

func unreadableForm() error {
	return &exchange.Problem{Code: "YM-WIN-0203", Kind: exchange.Invalid, What: text("表单无法读取", "the form cannot be read"),
		Mend: text("回到首页重新填写", "go back to the beginning and fill it in again")}
}
