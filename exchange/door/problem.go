package door

import (
	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
)

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }

func unauthorised(why exchange.Text) error {
	return &exchange.Problem{Code: "YM-API-0401", Kind: exchange.Unauthorised, Why: why, What: text("不知道是谁在查询", "it is not known who is asking"),
		Mend: text("向交换平台管理员申请令牌；命令行用 --token @文件", "ask the exchange's administrator for a token; on the command line use --token @FILE")}
}

func lacks(role Role) error {
	what := map[Role]exchange.Text{
		Schemas:    text("该调用方不能改动 Schema", "this caller may not change schemas"),
		Admin:      text("该调用方不是管理员", "this caller is no administrator"),
		Supervisor: text("该调用方不能查看审计日志", "this caller may not read the audit log"),
		Auditor:    text("该调用方不能查看全部审计日志", "this caller may not read the whole audit log"),
		Grants:     text("该调用方不办理共享授权", "this caller does not deal with grants"),
		Citizens:   text("该调用方不能查询谁看过某人的数据", "this caller may not ask who looked at somebody's data"),
	}[role]
	return &exchange.Problem{Code: "YM-API-0403", Kind: exchange.Denied, What: what,
		Mend: text("请管理员在调用方文件中为其写上 "+string(role)+": true", "ask the administrator to write "+string(role)+": true for it in the callers file")}
}

func foreign() error {
	return &exchange.Problem{Code: "YM-API-0404", Kind: exchange.Unauthorised, What: text("证书不是本市的身份", "the certificate is no identity of this city"),
		Mend: text("用 yimen enroll 重新申请证书", "enrol anew with `yimen enroll`")}
}

func cannotAsk(role certs.Role) error {
	return &exchange.Problem{Code: "YM-API-0405", Kind: exchange.Denied, What: text("此身份不能查询", "this identity may not ask"),
		Why:  text("其证书的角色是 "+string(role), "its certificate is that of a "+string(role)),
		Mend: text("查询用 service 或 clerk 身份", "ask with the identity of a service or a clerk")}
}

func mismatch(why exchange.Text) error {
	return &exchange.Problem{Code: "YM-API-0406", Kind: exchange.Denied, What: text("请求中的身份互相矛盾", "the identities in the request contradict each other"), Why: why,
		Mend: text("只用一个部门的身份", "use the identity of one department")}
}

// OtherDepartment refuses a request whose body names another department than its caller's.
func OtherDepartment() error {
	return mismatch(text("正文中的部门不是调用方的部门", "the department in the body is not the caller's"))
}

func forged(header string) error {
	return &exchange.Problem{Code: "YM-API-0407", Kind: exchange.Invalid, What: text("请求带有不可信的请求头 "+header, "the request has a header that is not to be trusted: "+header),
		Why:  text("它声称由代理转发，或声称来者是谁", "it claims to be forwarded, or who is calling"),
		Mend: text("去掉它；确有反向代理时，把其地址写进配置的 proxies，并让代理删去这类身份请求头", "leave it out; where there is a reverse proxy, list its address under proxies in the configuration, and have it drop headers of identity")}
}
