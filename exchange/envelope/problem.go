package envelope

import "github.com/onedoor/yimen/exchange"

// Why a signature does not hold. Each is an ErrNotSigned.
var (
	unsigned = unproved("YM-SIG-0101", "消息没有签名", "the message is not signed",
		"由部门的适配器重新发布；旧版本适配器须先升级", "have the department's adapter publish it again; an old adapter must be upgraded first")
	wronglySigned = unproved("YM-SIG-0102", "签名与消息不符", "the signature is not of this message",
		"核对是谁写入了该主题；由部门的适配器重新发布", "find out who wrote to the topic; have the department's adapter publish it again")
	unknownSigner = unproved("YM-SIG-0103", "签名所用的证书不是本平台签发的", "the certificate that signed was not issued here",
		"为适配器登记身份，或核对它连的是不是本平台", "enrol the adapter, or check that this is its exchange")
	anotherSigner = unproved("YM-SIG-0104", "签名的证书属于另一个适配器", "the certificate that signed is another adapter's",
		"核对适配器的证书和清单中的名称", "check the adapter's certificate and the name in its manifest")
	anotherDepartment = unproved("YM-SIG-0108", "签名的适配器属于另一个部门", "the adapter that signed is another department's",
		"核对是谁写入了该主题", "find out who wrote to the topic")
	notValidThen = unproved("YM-SIG-0105", "签名时证书尚未生效或已过期", "the certificate was not valid when it signed",
		"核对适配器所在机器的时钟；证书过期的，重新登记", "check the clock of the adapter's machine; where the certificate has expired, enrol again")
	revokedBefore = unproved("YM-SIG-0106", "消息写入之前证书已被吊销", "the certificate was revoked before the message was written",
		"重新登记适配器；并查明是谁在用被吊销的证书", "enrol the adapter again; and find out who uses the revoked certificate")
	mixedSuites = unproved("YM-SIG-0109", "签名、封装与证书不是同一套算法", "signature, seal and certificate are not of one suite of algorithms",
		"核对适配器的证书是否由 yimen enroll 取得；重新入网后再发布", "see that the adapter's certificate came by `yimen enroll`; enrol again, and publish again")
	wrongMoment = unproved("YM-SIG-0107", "签名时间与写入时间相差太远", "it was signed too long before it was written, or after",
		"核对适配器和 Kafka 所在机器的时钟；由适配器重新发布", "check the clocks of the adapter's and Kafka's machines; have the adapter publish it again")
)

func unproved(code, zh, en, mendZH, mendEN string) *exchange.Problem {
	return &exchange.Problem{Code: code, Kind: exchange.Denied, Err: ErrNotSigned,
		What: exchange.Text{ZH: zh, EN: en}, Mend: exchange.Text{ZH: mendZH, EN: mendEN}}
}
