package national

import "github.com/onedoor/yimen/exchange"

// The refusals of whoever fetches a copy by its address.

func badShown() error {
	return &exchange.Problem{Code: "YM-NAT-0111", Kind: exchange.Unauthorised, What: text("所带的令牌或证书无效", "the token or certificate that came along is not good"),
		Mend: text("去掉它再取，地址本身就够；或换有效的", "leave it out, the address is enough; or show a good one")}
}

func askerGone() error {
	return &exchange.Problem{Code: "YM-NAT-0112", Kind: exchange.Denied, What: text("索取这个文件的账号或证书已不能查询", "who asked for this file may not ask any more"),
		Why:  text("账号已撤销，或证书已撤销、到期", "the account was revoked, or the certificate was revoked or has run out"),
		Mend: text("用有效的身份重新请求 downloadUrl", "ask for another address with downloadUrl, as somebody who may")}
}

func askerSuspended() error {
	return &exchange.Problem{Code: "YM-NAT-0116", Kind: exchange.Denied, What: text("索取这个文件的账号或部门的查询已被暂停", "the queries of the account or department that asked for this file are suspended"),
		Mend: text("请本部门负责人联系监察人员或管理员；用 yimen limits lift 解除后，在地址失效前可再取", "have the head of the department call the supervisors or the administrator; once yimen limits lift has lifted it, fetch again while the address has time")}
}

func notHeldAnyMore() error {
	return &exchange.Problem{Code: "YM-NAT-0117", Kind: exchange.NotFound, What: text("这张证照已查不到有效的，文件不再给出", "the licence is not found as one in force any more, so the file is not given"),
		Why:  text("给出地址后，记录被删除、注销、暂停或到期", "since the address was given, the record was erased, revoked or suspended, or has run out"),
		Mend: text("重新查询现状，如用 verifyCertInfo", "ask how it stands now, for example with verifyCertInfo")}
}

func notEntered() error {
	return &exchange.Problem{Code: "YM-NAT-0118", Kind: exchange.Unavailable, What: text("审计日志写不进去，文件没有给出", "the audit log takes no entry, so the file was not given"),
		Mend: text("稍后再取；地址在十分钟内有效", "fetch it again soon: the address has ten minutes")}
}

func unsure() error {
	return &exchange.Problem{Code: "YM-NAT-0113", Kind: exchange.Unavailable, What: text("暂时无法确认谁在索取文件", "it cannot be found out just now who asks for the file"),
		Mend: text("稍后再取；地址在十分钟内有效", "fetch it again soon: the address has ten minutes")}
}

func onlyHTTPS() error {
	return &exchange.Problem{Code: "YM-NAT-0114", Kind: exchange.Invalid, What: text("文件只经 https 取", "files are fetched over https only"),
		Why:  text("地址已在途中暴露，因此作废", "the address could be read on the way, so it serves no more"),
		Mend: text("重新请求 downloadUrl，照给出的地址取，不要改动", "ask for another with downloadUrl, and fetch it as it was given")}
}

func othersCopy() error {
	return &exchange.Problem{Code: "YM-NAT-0110", Kind: exchange.Denied, What: text("这个文件是另一部门要的", "another department asked for this file"),
		Mend: text("用本部门的身份请求 downloadUrl", "ask for an address of your own with downloadUrl")}
}
