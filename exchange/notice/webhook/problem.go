package webhook

import (
	"errors"
	"fmt"

	"github.com/onedoor/yimen/exchange"
)

func badAddress() error {
	return &exchange.Problem{Code: "YM-SUB-0101", Kind: exchange.Invalid, What: text("接收地址不是可用的 URL", "the webhook's address is no URL that can be used"),
		Mend: text("写完整的地址，如 https://cases.example.gov.cn/notices，至多 512 个字符", "write it in full, such as https://cases.example.gov.cn/notices, 512 characters at most")}
}

func notSafe() error {
	return &exchange.Problem{Code: "YM-SUB-0102", Kind: exchange.Invalid, What: text("接收地址不是 https", "the webhook's address is not https"),
		Mend: text("用 https；http 只用于平台所在的本机", "use https; http is for the exchange's own machine only")}
}

func noSecrets() error {
	return &exchange.Problem{Code: "YM-SUB-0103", Kind: exchange.Invalid, What: text("接收地址里有用户名、查询串、# 部分或公民身份号码", "the webhook's address holds a user, a query, a fragment or a citizen number"),
		Why:  text("地址会列出，并留在主题上", "it is listed, and stays on a topic"),
		Mend: text("去掉它们；来自平台的请求凭 Webhook-Signature 验证，不需要口令", "leave them out: that a request is the exchange's is verified by Webhook-Signature and needs no secret")}
}

func notReached(err error) error {
	p := &exchange.Problem{Code: "YM-SUB-0104", Kind: exchange.Invalid, Err: err, What: text("接收地址连不上", "the webhook's address cannot be reached"),
		Mend: text("确认接收程序在运行、证书由受信任的 CA 签发（webhooks.ca）", "see that the receiver runs, and that its certificate is of a CA that is trusted (webhooks.ca)")}
	if errors.Is(err, errForbidden) {
		p.Code, p.Kind, p.Err = "YM-SUB-0105", exchange.Denied, nil
		p.What = text("接收地址所在的网络未获准许", "the webhook's address lies in a network that is not allowed")
		p.Mend = text("请管理员把该网段写入配置 webhooks.allow", "have the administrator enter the network into webhooks.allow of the configuration")
	}
	return p
}

func notWanted(origin string, status int) error {
	return &exchange.Problem{Code: "YM-SUB-0106", Kind: exchange.Invalid, What: text("接收方没有表示愿意接收", "the receiver does not say that it wants to be sent events"),
		Why:  text(fmt.Sprintf("对 OPTIONS 请求（WebHook-Request-Origin: %s）的应答是 %d，没有相符的 WebHook-Allowed-Origin", origin, status), fmt.Sprintf("it answered OPTIONS (WebHook-Request-Origin: %s) with %d and no WebHook-Allowed-Origin that fits", origin, status)),
		Mend: text("接收方对 OPTIONS 应答 WebHook-Allowed-Origin: "+origin, "have it answer OPTIONS with WebHook-Allowed-Origin: "+origin)}
}

// Refusals are examples of all that Check and Ask refuse.
func Refusals() []error {
	return []error{badAddress(), notSafe(), noSecrets(), notReached(errors.New("connection refused")), notReached(errForbidden), notWanted("liling.yimen", 405)}
}

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }
