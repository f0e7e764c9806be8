package certs

import (
	"time"

	"github.com/onedoor/yimen/exchange"
)

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }

// enrolAnew mends whatever renewal cannot.
var enrolAnew = text("向交换平台管理员申请新的入网令牌，然后 yimen enroll", "ask the exchange's administrator for a new token, then yimen enroll")

func outOfDate(since time.Time) error {
	return &exchange.Problem{Code: "YM-KEY-0202", Kind: exchange.Unauthorised, Mend: enrolAnew,
		What: text("证书已过期", "the certificate is out of date"),
		Why:  text("有效期至 "+moment(since), "it was valid until "+moment(since))}
}

func tooEarly(from time.Time) error {
	return &exchange.Problem{Code: "YM-KEY-0203", Kind: exchange.Unauthorised,
		What: text("证书尚未生效", "the certificate is not valid yet"),
		Why:  text("自 "+moment(from)+" 起有效", "it is valid from "+moment(from)+" on"),
		Mend: text("校准本机时钟", "set this machine's clock right")}
}

func moment(t time.Time) string { return t.In(exchange.China).Format(time.RFC3339) }

func notEnrolled(path string) error {
	return &exchange.Problem{Code: "YM-KEY-0204", Kind: exchange.NotFound, Mend: enrolAnew,
		What: text("没有证书："+path, "there is no certificate: "+path),
		Why:  text("本机尚未入网", "this machine has not enrolled")}
}

func unreadable(path string, err error) error {
	return &exchange.Problem{Code: "YM-KEY-0205", Kind: exchange.Invalid, Err: err, Mend: enrolAnew,
		What: text("证书文件不可用："+path, "the certificate's file cannot be used: "+path)}
}

func badPapers(err error) error {
	return &exchange.Problem{Code: "YM-KEY-0206", Kind: exchange.Invalid, Err: err,
		What: text("收到的证书不可用，没有保存", "the certificate that came cannot be used and was not kept"),
		Mend: text("把错误代码告知交换平台管理员", "tell the exchange's administrator the code")}
}

func notSaved(dir string, err error) error {
	return &exchange.Problem{Code: "YM-KEY-0207", Kind: exchange.Internal, Err: err,
		What: text("证书没有存入 "+dir, "the certificate was not saved to "+dir),
		Mend: text("检查该目录的权限和磁盘空间", "see to the directory's permissions and the disk's space")}
}

func notForSigning() error {
	return &exchange.Problem{Code: "YM-KEY-0208", Kind: exchange.Invalid,
		What: text("这个证书不能用来签名", "this certificate cannot sign"),
		Why:  text("它的密钥只用于通信", "its key is one to call with only"), Mend: enrolAnew}
}
