package roll

import (
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
)

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }

func moment(t time.Time) string { return t.In(exchange.China).Format(time.RFC3339) }

func unknown() error {
	return &exchange.Problem{Code: "YM-ROL-0101", Kind: exchange.Unauthorised, What: text("证书不在名册上", "the certificate is not on the roll"),
		Mend: text("用 yimen enroll 重新入网", "enrol anew with `yimen enroll`")}
}

func isRevoked(who string, is revocation) error {
	return &exchange.Problem{Code: "YM-ROL-0102", Kind: exchange.Unauthorised, What: text(who+" 已被吊销", who+" was revoked"),
		Why:  text("于 "+moment(is.at)+"，原因 "+is.reason, "at "+moment(is.at)+", reason "+is.reason),
		Mend: text("联系交换平台管理员；恢复用 yimen identity restore，然后重新入网", "ask the exchange's administrator, who restores with `yimen identity restore`; then enrol anew")}
}

func outOfDate(who string, since time.Time) error {
	return &exchange.Problem{Code: "YM-ROL-0103", Kind: exchange.Unauthorised, What: text(who+" 的证书已过期", "the certificate of "+who+" is out of date"),
		Why: text("有效期至 "+moment(since), "it was valid until "+moment(since)), Mend: text("向管理员申请新的令牌，然后 yimen enroll", "ask the administrator for a new token, then `yimen enroll`")}
}

func badToken() error {
	return &exchange.Problem{Code: "YM-ROL-0104", Kind: exchange.Unauthorised, What: text("一次性令牌无效", "the one-time token is not good"),
		Why:  text("它写错了、已用过、已过期，或所属身份已被吊销", "it is wrong, used, out of date, or its identity was revoked"),
		Mend: text("请管理员用 yimen identity invite 重新签发", "have the administrator draw another with `yimen identity invite`")}
}

func tooManyGuesses() error {
	return &exchange.Problem{Code: "YM-ROL-0105", Kind: exchange.Limited, After: time.Minute, What: text("错误令牌过多，请稍后再试", "there were too many wrong tokens; try again later"),
		Mend: text("等一分钟；令牌请整段复制", "wait a minute, and copy the token as a whole")}
}

func badIdentity() error {
	return &exchange.Problem{Code: "YM-ROL-0106", Kind: exchange.Invalid, What: text("不能邀请这个身份", "nobody can be invited as this"),
		Mend: text("写成 部门/adapter/名称、部门/service/名称 或 部门/clerk/工号；部门/名称 即适配器", "write department/adapter/name, department/service/name or department/clerk/code; department/name is an adapter")}
}

func notYours(who certs.Identity) error {
	return &exchange.Problem{Code: "YM-ROL-0107", Kind: exchange.Invalid, What: text("令牌或证书属于另一身份", "the token or certificate is for another identity"),
		Why:  text("它属于 "+who.Principal(), "it is for "+who.Principal()),
		Mend: text("去掉 --name，或用该身份自己的令牌", "leave out --name, or use that identity's own token")}
}

func sameKey() error {
	return &exchange.Problem{Code: "YM-ROL-0108", Kind: exchange.Invalid, What: text("这把密钥已有证书", "the key has a certificate already"),
		Mend: text("生成新密钥后再申请；yimen 会自动这样做", "draw a new key first; yimen does so by itself")}
}

func revokedForGood() error {
	return &exchange.Problem{Code: "YM-ROL-0109", Kind: exchange.Invalid, What: text("单个证书吊销后不能恢复", "a single certificate cannot be restored"),
		Mend: text("为该身份重新签发令牌并入网", "draw a new token for its identity, and enrol")}
}

func noSuchCertificate() error {
	return &exchange.Problem{Code: "YM-ROL-0112", Kind: exchange.NotFound, What: text("名册上没有这张证书", "there is no such certificate on the roll"),
		Mend: text("yimen identity list -o wide 列出指纹", "yimen identity list -o wide shows the fingerprints")}
}

func numberInIdentity() error {
	return &exchange.Problem{Code: "YM-ROL-0113", Kind: exchange.Invalid, What: text("身份里有公民身份号码", "the identity contains a citizen number"),
		Why: text("名册永久保存", "the roll is kept for ever"), Mend: text("改用工号", "use the staff code")}
}

func noSM2() error {
	return &exchange.Problem{Code: "YM-ROL-0114", Kind: exchange.Invalid, What: text("请求没有带 SM2 签名密钥", "the request brings no SM2 key to sign by"),
		Why:  text("这个身份用国密签名（平台配置 crypto: national）", "this identity signs by the national suite (the exchange's crypto: national)"),
		Mend: text("用本版本的 yimen enroll 重新入网，它会生成 SM2 密钥", "enrol again with `yimen enroll` of this version, which draws one")}
}
