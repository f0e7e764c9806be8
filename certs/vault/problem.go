package vault

import (
	"errors"

	"github.com/onedoor/yimen/exchange"
)

// problem is what people are told when Vault did not do what it was asked.
func (a *Authority) problem(what exchange.Text, err error) error {
	var problem *exchange.Problem
	if errors.Is(err, errNotNow) || errors.Is(err, errGivenUp) {
		return a.away(what, err)
	}
	if errors.As(err, &problem) {
		return err
	}
	p := &exchange.Problem{Code: "YM-VLT-0102", Kind: exchange.Unavailable, What: what, Err: err}
	p.Why, p.Mend = a.explain(why(err))
	switch why(err) {
	case denied:
		p.Code, p.Kind = "YM-VLT-0103", exchange.Denied
	case refused:
		p.Code, p.Kind = "YM-VLT-0104", exchange.Invalid
	case spoilt:
		p.Code, p.Kind = "YM-VLT-0105", exchange.Internal
	case "":
		p.Code, p.Kind = "YM-VLT-0105", exchange.Internal
		p.Why, p.Mend = exchange.Text{}, exchange.Text{}
	}
	return p
}

// away is the Problem of what cannot be had until Vault is back.
func (a *Authority) away(what exchange.Text, trouble error) error {
	p := &exchange.Problem{Code: "YM-VLT-0108", Kind: exchange.Unavailable, What: what, Err: trouble}
	p.Why, p.Mend = a.explain(why(trouble))
	var told *exchange.Problem
	if errors.As(trouble, &told) { // such as a secret-id that must be brought
		p.Why, p.Mend = told.What, told.Mend
	}
	return p
}

func (a *Authority) explain(r reason) (why, mend exchange.Text) {
	text := func(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }
	at := a.config.Address
	switch r {
	case sealed:
		return text("Vault（"+at+"）已封存或未就绪", "Vault ("+at+") is sealed or not ready"), text("解封 Vault；本节点会自行恢复", "unseal Vault; this node then recovers by itself")
	case limited:
		return text("Vault（"+at+"）限流（429）", "Vault ("+at+") limits the rate (429)"), text("检查 Vault 的 rate-limit 配额", "check the rate-limit quotas of Vault")
	case slow:
		return text("Vault（"+at+"）未在限时内应答", "Vault ("+at+") did not answer in time"), text("检查 Vault 的负载和网络，必要时调大 timeout", "check the load of Vault and the network; raise timeout where it must be")
	case untrusted:
		return text("Vault（"+at+"）的证书不是所配 CA 签发的", "the certificate of Vault ("+at+") is not of the configured CA"), text("核对 ca 文件与地址；若都没改过，可能有人冒充 Vault", "compare the file ca and the address; if neither was changed, somebody may pose as Vault")
	case denied:
		return text("登录或策略不允许", "the login or its policy does not allow it"), text("重新运行 deploy/vault/setup.sh，核对角色与策略", "run deploy/vault/setup.sh again, and compare role and policy")
	case refused:
		return text("Vault 不接受该请求", "Vault does not take the request"), text("核对身份所属的城市和 Vault 的角色设置", "compare the identity's city and the roles in Vault")
	case spoilt:
		return text("Vault 给出或保存的内容与要求不符", "what Vault gave or keeps is not what it must be"), text("查看日志；必要时由管理员恢复 KV 文档的旧版本", "read the log; where needed have an administrator restore an older version of the KV document")
	}
	return text("Vault（"+at+"）没有应答", "Vault ("+at+") does not answer"), text("检查 Vault 是否在运行、网络是否可达；本节点会自行恢复", "check that Vault runs and that the network reaches it; this node recovers by itself")
}

// theft is the Problem of a wrapped secret-id that somebody else has opened.
func theft(said string) error {
	return &exchange.Problem{Code: "YM-VLT-0106", Kind: exchange.Denied, Err: &fault{reason: stolen, said: said},
		What: exchange.Text{ZH: "警报：封装的 secret-id 无法由本节点解开", EN: "ALARM: the wrapped secret-id cannot be opened by this node"},
		Why:  exchange.Text{ZH: "可能已被他人解开，或不是为本角色签发的，也可能已过期", EN: "somebody else may have opened it, or it was not made for this role; or it has outlived its time"},
		Mend: exchange.Text{
			ZH: "先在 Vault 审计日志中查这次解封；若非本节点所为，吊销该 secret-id 并追查，再送来新的",
			EN: "look for its unwrapping in the audit log of Vault; if it was not by this node, destroy the secret-id and find out who, then bring a new one",
		}}
}

// unbrought is the Problem of a start without a new wrapped secret-id.
func (a *Authority) unbrought() error {
	return &exchange.Problem{Code: "YM-VLT-0107", Kind: exchange.Unauthorised,
		What: exchange.Text{ZH: "没有可用的 secret-id：" + a.config.Login.SecretID, EN: "there is no secret-id: " + a.config.Login.SecretID},
		Why:  exchange.Text{ZH: "每个封装的 secret-id 只能用一次，每次启动都要送来新的", EN: "a wrapped secret-id is good for one opening, and each start needs a new one"},
		Mend: exchange.Text{ZH: "按 deploy/vault/README.md 送来新的（5 分钟内有效）", EN: "bring a new one as deploy/vault/README.md says (it lives for five minutes)"}}
}
