package grants

import (
	"fmt"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
)

func noSuchGrant() error {
	return &exchange.Problem{Code: "YM-GRT-0101", Kind: exchange.NotFound, What: text("没有这条共享授权", "there is no such grant"),
		Mend: text("用 yimen grant list 查编号", "find its id with `yimen grant list`")}
}

// incomplete lists everything that a request lacks, at once (art. 21).
func incomplete(gaps []exchange.Text) error {
	return &exchange.Problem{Code: "YM-GRT-0102", Kind: exchange.Invalid, What: text(fmt.Sprintf("申请需补正 %d 处", len(gaps)), fmt.Sprintf("the request has %d gaps", len(gaps))),
		Why:  exchange.Listed(gaps...),
		Mend: text("全部补上后再提交一次；没有留下申请", "fill them all and send it again; nothing was recorded")}
}

func notShared(e catalogue.Evidence) error {
	return &exchange.Problem{Code: "YM-GRT-0103", Kind: exchange.Denied, What: text(e.Name.ZH+"属于不予共享类", e.Name.In(exchange.EN)+" is of the class that is not shared"),
		Why:  e.SharingBasis,
		Mend: text("向申请人收取该材料；对分类有异议，向政务数据共享主管部门提出", "have the applicant bring it; if the class is wrong, take it to the authority for data sharing")}
}

func noBasis() error {
	return &exchange.Problem{Code: "YM-GRT-0104", Kind: exchange.Invalid, What: text("没有法律依据就没有授权", "without a legal basis there is no grant"),
		Mend: text("写明法律、条、款", "name the law, the article and the paragraph")}
}

func outrun(g *Standing) error {
	return &exchange.Problem{Code: "YM-GRT-0105", Kind: exchange.Conflict, What: text("该授权在此期间已变动", "the grant was changed meanwhile"),
		Why:  text(fmt.Sprintf("现在是第 %d 版，%s", g.Version, g.Status.Text().ZH), fmt.Sprintf("it is at version %d now, %s", g.Version, g.Status)),
		Mend: text("用 yimen grant list 查看后再决定", "look at it with `yimen grant list`, then decide")}
}

func cannot(act Act, status Status) error {
	return &exchange.Problem{Code: "YM-GRT-0106", Kind: exchange.Conflict, What: text(fmt.Sprintf("%s的授权不能 %s", status.Text().ZH, act), fmt.Sprintf("a grant that is %s admits no %s", status, act)),
		Mend: text("被拒绝或撤销的授权须重新申请", "what was refused or revoked is asked for anew")}
}

func noReason() error {
	return &exchange.Problem{Code: "YM-GRT-0107", Kind: exchange.Invalid, What: text("须说明理由", "a reason is needed"),
		Why:  text("政务数据共享条例第二十一条：不同意共享的应当说明理由", "政务数据共享条例 art. 21: whoever refuses gives reasons"),
		Mend: text("用 --reason 写明，最多 300 字，不含公民身份号码", "write --reason, at most 300 characters and no citizen number")}
}

func extendedAlready() error {
	return &exchange.Problem{Code: "YM-GRT-0108", Kind: exchange.Conflict, What: text("答复期限只能延长一次", "the time to answer can be extended once only"),
		Mend: text("现在同意或拒绝", "approve or refuse it now")}
}

func overlaps(other *Standing) error {
	return &exchange.Problem{Code: "YM-GRT-0109", Kind: exchange.Conflict, What: text("与授权 "+other.ID+" 的日期重叠", "overlaps in time with the grant "+other.ID),
		Mend: text("先撤销那一条，或另行申请不重叠的日期", "revoke that one first, or ask for other days")}
}

func notYours(keeper exchange.Department) error {
	return &exchange.Problem{Code: "YM-GRT-0110", Kind: exchange.Denied, What: text("只有数源部门可以决定", "only the keeper decides on it"),
		Why:  text("该类证照的数源部门是 "+string(keeper), "the keeper of the type is "+string(keeper)),
		Mend: text("请该部门的共享负责人处理；暂停和撤销也可由管理员处理", "ask that department's head of sharing; administrators may suspend and revoke too")}
}

func sameperson() error {
	return &exchange.Problem{Code: "YM-GRT-0111", Kind: exchange.Denied, What: text("申请人不能批准自己的申请", "nobody approves their own request"),
		Mend: text("请本部门另一位共享负责人处理", "ask another head of sharing of the department")}
}

func mayNotDeal() error {
	return &exchange.Problem{Code: "YM-GRT-0112", Kind: exchange.Denied, What: text("该调用方不办理共享授权", "this caller does not deal with grants"),
		Mend: text("请管理员在调用方文件中为其写上 grants: true", "ask the administrator to write grants: true for it in the callers file")}
}

func onlyAuthority() error {
	return &exchange.Problem{Code: "YM-GRT-0113", Kind: exchange.Denied, What: text("延长答复期限须经主管部门同意", "only the authority extends the time to answer"),
		Why: text("政务数据共享条例第二十一条", "政务数据共享条例 art. 21"), Mend: text("请管理员办理", "ask the administrator")}
}

func badAct() error {
	return &exchange.Problem{Code: "YM-GRT-0114", Kind: exchange.Invalid, What: text("没有这种决定", "there is no such decision"),
		Mend: text("写 approve、refuse、extend、suspend、resume 或 revoke", "write approve, refuse, extend, suspend, resume or revoke")}
}
