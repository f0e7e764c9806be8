package enrol

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
)

func badBody(why exchange.Text) error {
	return &exchange.Problem{Code: "YM-ENR-0101", Kind: exchange.Invalid, Why: why,
		What: text("请求正文无法读取", "the request's body cannot be read"),
		Mend: text("用 yimen enroll 和 yimen identity，或按接口文档书写", "use yimen enroll and yimen identity, or write it as the interface says")}
}

func badIdentity() error {
	return &exchange.Problem{Code: "YM-ENR-0102", Kind: exchange.Invalid, What: text("身份的写法不对", "this is no identity"),
		Mend: text("例如 scjg/licences、scjg/service/window、xzsp/clerk/0017", "such as scjg/licences, scjg/service/window, xzsp/clerk/0017")}
}

func noCertificate() error {
	return &exchange.Problem{Code: "YM-ENR-0103", Kind: exchange.Unauthorised, What: text("连接没有出示证书", "the connection showed no certificate"),
		Why:  text("续期以现有证书为凭", "a certificate is renewed by showing the one that is still good"),
		Mend: text("直接连接交换平台，不经会终止 TLS 的代理；没有证书的，先 yimen enroll", "connect to the exchange without a proxy that ends TLS; without a certificate, yimen enroll first")}
}

func badBase() error {
	return &exchange.Problem{Code: "YM-ENR-0201", Kind: exchange.Invalid, What: text("交换平台的地址不可用", "the exchange's address cannot be used"),
		Mend: text("写完整地址，例如 --server https://yimen.example.gov.cn", "write it in full, such as --server https://yimen.example.gov.cn")}
}

func notSecure() error {
	return &exchange.Problem{Code: "YM-ENR-0202", Kind: exchange.Invalid, What: text("入网须用 https 地址", "enrolment needs an https address"),
		Why:  text("令牌不得明文过网，什么也没有发送", "a token must not cross a network in plain; nothing was sent"),
		Mend: text("例如 --server https://yimen.example.gov.cn", "such as --server https://yimen.example.gov.cn")}
}

func otherFingerprint(server string, expected certs.Fingerprint, seen []certs.Fingerprint) error {
	var all []string
	for _, f := range seen {
		all = append(all, f.String())
	}
	found := strings.Join(all, ", ")
	if found == "" {
		found = "-"
	}
	return &exchange.Problem{Code: "YM-ENR-0203", Kind: exchange.Invalid,
		What: text("服务器与接入函上的指纹不符，令牌没有发送："+redacted(server), "the server does not match the fingerprint on the letter of access; the token was not sent: "+redacted(server)),
		Why:  text("应为 "+expected.String()+"，看到的是 "+found, "expected "+expected.String()+", seen "+found),
		Mend: text("核对地址和指纹；都无误时，可能有人冒充交换平台，请联系管理员", "check address and fingerprint; if both are right, somebody may pose as the exchange: call its administrator")}
}

func notTheExchange(server string) error {
	return &exchange.Problem{Code: "YM-ENR-0204", Kind: exchange.Invalid,
		What: text("服务器没有证明自己是交换平台，令牌没有发送："+redacted(server), "the server did not prove to be the exchange; the token was not sent: "+redacted(server)),
		Why:  text("它没有由该指纹的根证书签发、且与地址相符的节点证书", "it has no node's certificate under the root of the fingerprint that is valid for the address"),
		Mend: text("核对 --server 的主机名；无误时，可能有人冒充交换平台，请联系管理员", "check the host name of --server; if it is right, somebody may pose as the exchange: call its administrator")}
}

func unreachable(server string, err error) error {
	p := &exchange.Problem{Code: "YM-ENR-0205", Kind: exchange.Unavailable, Err: err,
		What: text("交换平台没有应答："+redacted(server), "the exchange did not answer: "+redacted(server)),
		Mend: text("确认交换平台在运行，地址用 --server 指定", "see that the exchange runs, and name its address with --server")}
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &untrusted):
		p.Why = text("不信任它的证书", "its certificate is not trusted")
		p.Mend = text("确认地址与证书一致，并把签发该证书的 CA 加入本机信任库", "see that the address is the certificate's, and add the CA that issued it to those this machine trusts")
	case errors.Is(err, http.ErrSchemeMismatch):
		p.Why = text("它不使用 TLS", "it does not speak TLS")
	case errors.Is(err, context.DeadlineExceeded):
		p.Why = text("未在限时内应答", "it did not answer in time")
	}
	return p
}

// redacted is an address without the password that may stand in it.
func redacted(server string) string {
	parsed, err := url.Parse(server)
	if err != nil {
		return "?"
	}
	return parsed.Redacted()
}

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }
