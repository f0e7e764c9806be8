package enrol

import (
	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
)

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }

var sameVersion = text("用同版本的 yimen 命令，正文见 GET /docs", "use the yimen command of the same version; GET /docs tells what to send")

func badIdentity() error {
	return &exchange.Problem{Code: "YM-ENR-0102", Kind: exchange.Invalid, What: text("身份的写法不对", "this is no identity"),
		Mend: text("写成 部门/名称（适配器）、部门/service/名称 或 部门/clerk/工号", "write department/name (an adapter), department/service/name or department/clerk/code")}
}

func badTarget() error {
	return &exchange.Problem{Code: "YM-ENR-0103", Kind: exchange.Invalid, What: text("不知道要吊销或恢复什么", "it is not clear what to revoke or restore"),
		Mend: text("写部门代码、身份（如 scjg/licences、xzsp/clerk/0017）或证书指纹（SHA256:…）", "write a department's code, an identity (such as scjg/licences or xzsp/clerk/0017) or a certificate's fingerprint (SHA256:…)")}
}

func badReason() error {
	return &exchange.Problem{Code: "YM-ENR-0104", Kind: exchange.Invalid, What: text("缺少吊销原因，或写法不对", "the reason is missing or not well formed"),
		Mend: text("用小写字母和 - 写一个代码，如 key-lost、left-office、breach；不写姓名和号码", "write a code of small letters and hyphens, such as key-lost, left-office or breach; no names and numbers")}
}

func noCertificate() error {
	return &exchange.Problem{Code: "YM-ENR-0105", Kind: exchange.Unauthorised, What: text("没有出示证书", "no certificate was shown"),
		Why: text("续期凭现有证书办理", "a renewal is for who has one"), Mend: text("用部门地址（https）续期；证书已过期的重新入网", "renew at the address for departments (https); who has none any more enrols anew")}
}

func notHTTPS() error {
	return &exchange.Problem{Code: "YM-ENR-0201", Kind: exchange.Invalid, What: text("入网地址必须以 https:// 开头", "the address to enrol at must begin with https://"),
		Mend: text("照接入函填写平台的部门地址，例如 --server https://yimen.example.gov.cn:7443", "copy the exchange's address for departments from the letter of access, such as --server https://yimen.example.gov.cn:7443")}
}

func otherFingerprint(want, seen certs.Fingerprint) error {
	return &exchange.Problem{Code: "YM-ENR-0202", Kind: exchange.Denied, What: text("服务器的根证书与指纹不符，什么也没有发送", "the server's root is not the one of the fingerprint; nothing was sent"),
		Why:  text("应为 "+want.String()+"，见到 "+seen.String(), "expected "+want.String()+", saw "+seen.String()),
		Mend: text("核对接入函上的地址和指纹；仍不符时联系管理员，可能有人冒充平台", "check address and fingerprint on the letter of access; if they still differ, tell the administrator: somebody may pose as the exchange")}
}

func notANode(err error) error {
	return &exchange.Problem{Code: "YM-ENR-0203", Kind: exchange.Denied, Err: err, What: text("服务器不是交换平台的节点，什么也没有发送", "the server is no node of the exchange; nothing was sent"),
		Mend: text("核对地址；证书中没有该主机名时，请管理员写进配置的 hosts", "check the address; where the certificate lacks this host name, have the administrator add it to hosts in the configuration")}
}

func otherRoot() error {
	return &exchange.Problem{Code: "YM-ENR-0204", Kind: exchange.Denied, What: text("平台交来的根证书与指纹不符", "the root that the exchange handed over is not the one of the fingerprint"),
		Mend: text("联系交换平台管理员", "tell the exchange's administrator")}
}

func silent(base string, err error) error {
	return &exchange.Problem{Code: "YM-ENR-0205", Kind: exchange.Unavailable, Err: err, What: text("交换平台没有应答："+base, "the exchange did not answer: "+base),
		Mend: text("检查地址、网络，以及平台是否在运行", "check the address, the network, and that the exchange runs")}
}
