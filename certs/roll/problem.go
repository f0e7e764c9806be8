package roll

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
)

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }

// refuse makes a problem. None names an identity: a staff code is somebody's.
func refuse(number string, kind exchange.Kind, what, why, mend exchange.Text) *exchange.Problem {
	return &exchange.Problem{Code: "YM-ROL-" + number, Kind: kind, What: what, Why: why, Mend: mend}
}

// errRepeated is why an entry that stands twice is void the second time; nobody waits for it.
var errRepeated = errors.New("the entry was folded before")

var askAnew = text("请交换平台管理员重新邀请（yimen identity invite），再 yimen enroll", "have the exchange's administrator invite anew (yimen identity invite), then yimen enroll")

func noInvitation() error {
	return refuse("0101", exchange.Unauthorised, text("入网令牌不可用", "the token cannot be used"),
		text("令牌不认识、已用过、已被新令牌取代，或已过期", "it is unknown, was used, was replaced by a newer one, or is out of date"), askAnew)
}

func tooManyTries() error {
	return refuse("0102", exchange.Unavailable, text("暂不接受入网", "nobody can enrol just now"),
		text("近来错误的令牌太多", "there were too many wrong tokens of late"), text("稍后再试", "try again in a while"))
}

func badRequest() error {
	return refuse("0103", exchange.Invalid, text("证书请求不可用", "the certificate request cannot be used"),
		text("不是 DER 编码的 PKCS #10", "it is no PKCS #10 in DER"), text("用 yimen enroll 入网", "enrol with yimen enroll"))
}

// otherName names both: neither is anybody's but the requester's own.
func otherName(asked string, invited certs.Identity) error {
	why := text("令牌是发给另一个身份的", "the token is for another identity")
	if invited.Role == certs.Adapter && !strings.ContainsFunc(asked, func(r rune) bool { return r < ' ' || r > '~' }) {
		why = text("令牌是发给 "+invited.Principal()+" 的", "the token is for "+invited.Principal())
	}
	return refuse("0104", exchange.Invalid, text("请求的身份与令牌或证书不符", "the request is for another identity than the token or certificate"), why,
		text("核对接入函；不写 --name 则以令牌为准", "check the letter of access; without --name the token decides"))
}

func keyUsed() error {
	return refuse("0105", exchange.Invalid, text("这把密钥已有证书", "the key has a certificate already"),
		text("一把密钥只用于一张证书", "a key serves one certificate"), text("生成新密钥后再请求", "draw a new key and request again"))
}

func revoked(r Revocation) error {
	return refuse("0201", exchange.Denied, text("身份或证书已吊销", "the identity or its certificate was revoked"),
		text(moment(r.At)+"，"+r.Reason.Text().ZH, "at "+moment(r.At)+": "+r.Reason.Text().EN),
		text("请交换平台管理员恢复（yimen identity restore）后重新邀请", "have the exchange's administrator restore it (yimen identity restore) and invite anew"))
}

func notOnRoll() error {
	return refuse("0202", exchange.Unauthorised, text("证书不在名册上", "the certificate is not on the roll"),
		text("它不是经交换平台的名册签发的", "it was not issued through the exchange's roll"), askAnew)
}

func expired(since time.Time) error {
	return refuse("0203", exchange.Unauthorised, text("证书已过期", "the certificate is out of date"),
		text("有效期至 "+moment(since), "it was valid until "+moment(since)), askAnew)
}

func moment(t time.Time) string { return t.In(exchange.China).Format(time.RFC3339) }

func nothingToRestore() error {
	return refuse("0204", exchange.NotFound, text("没有可恢复的吊销", "there is no revocation to lift"), exchange.Text{},
		text("yimen identity list 列出所有身份；部门的吊销按部门恢复", "yimen identity list shows all; what was revoked by department is restored by department"))
}

func staysRevoked() error {
	return refuse("0205", exchange.Invalid, text("吊销的证书不能恢复", "a revoked certificate does not come back"), exchange.Text{}, askAnew)
}

func noSuchCertificate() error {
	return refuse("0206", exchange.NotFound, text("名册上没有这张证书", "there is no such certificate on the roll"), exchange.Text{},
		text("yimen identity list -o wide 列出指纹", "yimen identity list -o wide shows the fingerprints"))
}

func badReason() error {
	var codes []string
	for _, r := range Reasons() {
		codes = append(codes, string(r))
	}
	return refuse("0207", exchange.Invalid, text("吊销原因不可用", "this is no reason for a revocation"), exchange.Text{},
		text("可用："+strings.Join(codes, "、"), "use one of "+strings.Join(codes, ", ")))
}

func badTarget() error {
	return refuse("0208", exchange.Invalid, text("不知道要吊销或恢复什么", "it is not clear what to revoke or restore"), exchange.Text{},
		text("写部门代码（scjg）、身份（scjg/licences、xzsp/clerk/0017）或证书指纹（SHA256:…）", "name a department (scjg), an identity (scjg/licences, xzsp/clerk/0017) or a certificate's fingerprint (SHA256:…)"))
}

func badIdentity() error {
	return refuse("0209", exchange.Invalid, text("身份的写法不对", "this is no identity"), exchange.Text{},
		text("例如 scjg/licences、scjg/service/window、xzsp/clerk/0017", "such as scjg/licences, scjg/service/window, xzsp/clerk/0017"))
}

func otherCity() error {
	return refuse("0210", exchange.Invalid, text("身份属于别的城市", "the identity is of another city"), exchange.Text{},
		text("核对城市名；本市的身份可以不写城市", "check the city; identities of this one need not name it"))
}

func numberInIdentity() error {
	return refuse("0211", exchange.Invalid, text("身份里有公民身份号码", "the identity contains a citizen number"),
		text("名册永久保存", "the roll is kept for ever"), text("改用工号", "use the staff code"))
}

func nodesAreNotInvited() error {
	return refuse("0212", exchange.Invalid, text("交换节点不需要邀请", "nodes of the exchange are not invited"),
		text("节点自行签发证书", "they issue their certificates themselves"), text("邀请适配器、业务系统或窗口人员", "invite adapters, services or clerks"))
}

func badLife() error {
	return refuse("0213", exchange.Invalid, text("令牌有效期不可用", "the token cannot live that long"), exchange.Text{},
		text(fmt.Sprintf("不超过 %d 天", longestLife/(24*time.Hour)), fmt.Sprintf("at most %d days", longestLife/(24*time.Hour))))
}

func stillRevoked() error {
	return refuse("0214", exchange.Conflict, text("该身份或其部门已吊销，不能邀请", "the identity or its department is revoked and cannot be invited"), exchange.Text{},
		text("先恢复：yimen identity restore", "restore it first: yimen identity restore"))
}

func unavailable(number string, what exchange.Text, err error) error {
	p := refuse(number, exchange.Unavailable, what, exchange.Text{}, text("检查 Kafka 后重试", "check Kafka and try again"))
	p.Err = err
	return p
}

func busDown(err error) error {
	return unavailable("0301", text("名册连不上消息总线", "the roll cannot reach the bus"), err)
}

func tooSlow(err error) error {
	p := refuse("0302", exchange.Unavailable, text("不能确定名册是否已改动", "it is not known whether the roll has changed"), exchange.Text{},
		text("检查 Kafka，用 yimen identity list 查看结果；入网令牌若已用去，请重新邀请", "check Kafka and see with yimen identity list; where a token was used up, invite anew"))
	p.Err = err
	return p
}

func behind(err error) error {
	return unavailable("0303", text("名册尚未读完", "the roll is not read to its end yet"), err)
}

func severalPartitions(n int) error {
	return refuse("0304", exchange.Conflict, text("主题 "+Topic+" 的分区数不是一", "the topic "+Topic+" has more than one partition"),
		text(fmt.Sprintf("共 %d 个分区；名册须有唯一的次序", n), fmt.Sprintf("it has %d; the roll needs one order", n)),
		text("以一个分区重建该主题", "create the topic anew with one partition"))
}
