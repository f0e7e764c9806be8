package national

import (
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/contract"
)

// Path is where the operations are served, below the node's address.
const Path = "/national"

// Operations are those of the interface.
func Operations(cfg Config) []contract.Operation {
	f := facade{cfg}
	return []contract.Operation{
		operation(f, f.queryByHolder, "queryCertInfoByHolderCode", text("按持证主体查证照数据", "data of a licence by its holder"),
			text("一位持证主体某一类证照的数据，只含授权的字段。查到多条时只给出彼此不同的字段，带 certNo 再查。",
				"The data of a holder's licence of one type, as far as granted. Where there are several, only the fields that tell them apart are given: ask again with certNo."),
			exampleByHolder, shown[[]licence]{[]licence{exampleLicence}, exampleReceipt}),
		operation(f, f.queryByIdentifier, "queryCertInfo", text("按证照标识查证照数据", "data of a licence by its identifier"),
			text("某一证照标识的数据。本平台只按持证主体查找，因此须同时给出 holderCode 和 holderTypeCode；缺少则为 2。",
				"The data of the licence with that identifier. Records are found by their holders only, so holderCode and holderTypeCode are needed too: without them the status is 2."),
			byIdentifier{exampleIdentifier, exampleCause, exampleByHolder.HolderCode, creditCode}, shown[licence]{exampleLicence, exampleReceipt}),
		operation(f, f.verify, "verifyCertInfo", text("核验证照信息", "whether stated facts are true"),
			text("所述是否属实。result：0 正确且有效，1 正确、尚未生效，2 正确、已暂停，3 正确、已失效，4 查到多条、不能确定，5 没有查到，6 没有给出信息，7 部分不正确或不完整。不能确定的为 99，绝不当作没有。姓名写法不同只作提示。",
				"Whether what is stated is true. result: 0 correct and valid, 1 correct and not in force yet, 2 correct and suspended, 3 correct and no longer valid, 4 several were found, 5 nothing was found, 6 nothing was stated, 7 some of it is wrong or incomplete. What cannot be told is 99, and never reads as none. Names that are spelt otherwise are a notice only."),
			exampleFacts, verdict{"0", exchange.Correct.Text().ZH, &exampleReceipt}),
		operation(f, f.explain, "getCertRemarkInfo", text("证照照面字段的含义", "what the fields of a type mean"),
			text("一类证照各字段的名称和含义，供有其授权的部门填写 certData。", "Names and meanings of a type's fields, for departments that have a grant of it and fill in certData."),
			ofType{CertTypeCode: exampleType}, remark{exampleType, map[string]string{holderMember: "持证主体代码", nameMember: "持证主体", numberMember: "证照编号", "location": "坐落"}}),
		operation(f, f.byCode, "queryCertInfoByQRcode", text("按二维码查（不提供）", "data by a shown code (not offered)"), absent, byCode{"4642087996", exampleCause}, struct{}{}),
		operation(f, f.addressOf, "downloadUrl", text("按证照标识取下载地址（不提供）", "an address to download from (not offered)"), absent, forAddress{CertIdentifier: exampleIdentifier, UseCause: exampleCause}, struct{}{}),
		operation(f, f.addressesOf, "downloadUrlsByHolderCode", text("按持证主体取下载地址（不提供）", "addresses to download from, by holder (not offered)"), absent, exampleByHolder, struct{}{}),
		operation(f, f.file, "downloadFile", text("取证照文件（不提供）", "the file of a licence (not offered)"), absent, forFile{"ofd", exampleIdentifier, exampleCause}, struct{}{}),
		operation(f, f.verifyFile, "verifyFile", text("核验证照文件（不提供）", "whether a file is genuine (not offered)"), absent, aFile{exampleType, "base64", "UERG", exampleCause}, struct{}{}),
	}
}

// operation declares one operation. Who asks is said in the body, so the declaration calls none of the usual refusals.
func operation[D, A any](f facade, answer func(turn, D) (said, error), name string, called, about exchange.Text, asked D, answered A) contract.Operation {
	h := head{ok, done.ZH}
	if _, nothing := any(answered).(struct{}); nothing {
		h = head{notOffered, "本平台不提供此服务"}
	}
	return contract.Operation{ID: name, Method: http.MethodPost, Path: Path + "/" + name, Group: contract.National, Name: called,
		About: text(about.ZH+envelope.ZH, about.EN+envelope.EN), Foreign: true,
		Asked:  request[D]{AccessID: "xzsp/0017", AccessToken: "TOKEN", Data: asked},
		Answer: reply[A]{h, answered}, Do: answering(f, answer)}
}

var envelope = text("\n\n总是 HTTP 200，结果见 head.status：0 成功，2 不提供，10 没有匹配，11 身份验证不通过，12 必填值为空，99 其他（包括暂查不到），100 无权，102 contentType 应为 base64，103 持证主体代码类型不合规范。useCause 须含收件号，前面可写事项代码。用证书的可不写 accessId、accessToken，但须另带 Yimen-Nonce 和 Yimen-Time。",
	"\n\nAlways HTTP 200; the result is head.status: 0 done, 2 not offered, 10 no match, 11 who asks is not known, 12 a required value is empty, 99 anything else (what cannot be found out included), 100 no right, 102 contentType must be base64, 103 no such type of holder code. useCause must name the case, after the item's code where need be. Whoever shows a certificate may leave out accessId and accessToken, and sends Yimen-Nonce and Yimen-Time.")

var absent = text("本平台保存证照的数据，不保存文件，也不签发二维码：总以 2 回答。", "The exchange holds what licences say, no files, and issues no codes: it always answers 2.")

// The examples: a made-up company's title to real estate.
const (
	exampleType       = "11100000MB03271699001"
	exampleIdentifier = "1.2.156.3005.2.11100000MB03271699001.11430281000000019L.20160000001.001.Y"
	exampleCause      = "food-licence-new LL-2026-1123-0041"
)

var (
	exampleByHolder = byHolder{HolderCode: "924302810000003187", HolderTypeCode: creditCode, CertTypeCode: exampleType, UseCause: exampleCause}
	exampleFacts    = toVerify{exampleType, facts{holderMember: jsontext.Value(`"924302810000003187"`), numberMember: jsontext.Value(`"湘（2016）醴陵市不动产权第0000001号"`)}, exampleCause}
	exampleLicence  = licence{"certificateNumber": jsontext.Value(`"湘（2016）醴陵市不动产权第0000001号"`), "location": jsontext.Value(`"醴陵市示例路1号"`)}
	exampleReceipt  = audit.Receipt{ID: "01KAQ6M3K8ZD2W7N5YB4T9XE1C", Time: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC), Offset: 7,
		Hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}
)
