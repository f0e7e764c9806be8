package national

import (
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/copies"
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
		operation(f, f.queryByCode, "queryCertInfoByQRcode", text("按加注件上的查询码查证照数据", "data of a licence by the code on a copy"),
			text("加注件上二维码所指证照的现时数据。码只指明是哪一张：授权、办件、限额和审计与 queryCertInfo 相同。不是本平台的码，或已过加注件的有效期，为 99。",
				"The present data of the licence that the code on a copy names. A code names it and no more: grant, case, limits and audit are those of queryCertInfo. A code that is not this exchange's, or whose copy has had its time, gets 99."),
			byCode{"YM1.FUXBCM4HL6WPEGPVZ3QQFTPFVFBZCBA64WFAJ5QAN3P25UP3SN4QATZSM3TF", exampleCause}, shown[licence]{exampleLicence, exampleReceipt}),
		operation(f, f.addressOf, "downloadUrl", text("按证照标识取加注件的下载地址", "an address to fetch a copy from, by the licence's identifier"), text(aboutCopies.ZH+aboutAddresses.ZH, aboutCopies.EN+aboutAddresses.EN),
			forAddress{exampleIdentifier, exampleCause, "2026-12-31", exampleByHolder.HolderCode, creditCode}, exampleAddress),
		operation(f, f.addressesOf, "downloadUrlsByHolderCode", text("按持证主体取加注件的下载地址", "addresses to fetch copies from, by the holder"),
			text(aboutCopies.ZH+"查到多张的为 99：带 certNo 再查。"+aboutAddresses.ZH, aboutCopies.EN+"Where there are several licences the status is 99: ask again with certNo. "+aboutAddresses.EN),
			exampleByHolder, copyList{exampleAddress}),
		operation(f, f.file, "downloadFile", text("取加注件（OFD，Base64）", "a copy (OFD, in Base64)"), text(aboutCopies.ZH+"fileType 只有 ofd；其他类型为 2。", aboutCopies.EN+"fileType is ofd; there is no other, which gets 2."),
			forFile{onlyFile, exampleIdentifier, exampleCause, "2026-12-31", exampleByHolder.HolderCode, creditCode},
			aCopy{"base64", "UEsDBBQAAAAA", exampleIdentifier, "2027-01-01 00:00:00", exampleReceipt}),
		f.verifying(),
		f.fetching(),
	}
}

var (
	aboutCopies = text("平台用授权的字段制作的加注件（OFD，GB/T 33190），不是证照原件，也不是签发部门的文件：写明数源部门、数据截至时间、用途、索取部门和回执，并有签名。须同时给出持证主体；只有一张时才给。加注件 30 天内有效，可另写，最长 180 天，不超过证照的有效期。",
		"A copy (加注件; OFD, GB/T 33190) that the exchange makes of the granted fields. It is neither the licence nor its issuer's file: it says whose word it is and as of when, for what and by which department it was asked, the receipt, and it is signed. The holder is needed too, and only one licence may be meant. A copy serves for 30 days, or as long as is asked, at most for 180 and no longer than the licence. ")
	aboutAddresses = text("content 是 https 地址：只能取一次，十分钟内有效，取时不必带令牌；其间授权收回、记录删除或失效、索取者被撤销或暂停的不再给；不经 https 请求过的作废。取走时留审计。文件只在本节点内存中，重启即忘。",
		"content is an https address: it serves once, within ten minutes, and needs no token; it serves no more once the grant is taken back, the record is erased or not in force, who asked is revoked or suspended, or it was asked for without https. A fetch leaves an audit entry. The file is in this node's memory only, and a restart forgets it.")
)

// verifying declares verifyFile, whose bodies are larger than others.
func (f facade) verifying() contract.Operation {
	o := operation(f, f.verifyFile, "verifyFile", text("核验加注件的真伪", "whether a copy is genuine"),
		text("文件是不是本平台制作的加注件、有没有改动。result：0 真实且在有效期内，3 真实、已过加注件的有效期，7 封签出自本平台、文件已被改动。没有本平台有效签名的文件为 2：真伪无从核验。须有该类证照的共享授权，或是其数源部门；不查任何人，因此没有新的回执，receipt 是制作时的。文件不超过 1 MiB。",
			"Whether a file is a copy that this exchange made, and unchanged. result: 0 genuine and within its time, 3 genuine and overdue, 7 its seal is the exchange's and the file was changed. Files without a sound signature of the exchange get 2: it cannot tell. Who asks has a grant of the type or keeps it. Nobody is looked up, so there is no new receipt: the one told is of the query that the copy tells of. A file has 1 MiB at most."),
		aFile{exampleType, "base64", "UEsDBBQAAAAA", exampleCause}, verdict{"0", genuine.ZH, &exampleReceipt})
	o.MaxBody, o.Do = largestFile, few(mostVerified, o.Do)
	return o
}

// fetching declares where copies are fetched.
func (f facade) fetching() contract.Operation {
	_, none := f.Shelf.Find("")
	return contract.Operation{ID: "fetchCopy", Method: http.MethodGet, Path: copiesPath + "{ticket}", Group: contract.National, Open: true,
		Name:       text("取加注件", "fetch a copy"),
		About:      text("downloadUrl 给出的地址：取一次，十分钟内有效。带着令牌或证书来取的，须是索取的部门。", "The address that downloadUrl gives: it serves once, within ten minutes. Who comes with a token or a certificate must be of the department that asked."),
		Parameters: []contract.Parameter{{Name: "ticket", In: "path", Example: "4Jr9c1m0fJ7yqgW1aX8b3uZl5tKpE2sVhN6dQoYxR0g", About: text("地址中的票据", "the ticket in the address")}},
		Media:      copies.Media, Refusals: []error{none, onlyHTTPS(), othersCopy(), askerGone(), askerSuspended(), notHeldAnyMore(), badShown(), unsure(), notEntered()}, Do: f.fetch}
}

// operation declares one operation. Who asks is said in the body, so the declaration calls none of the usual refusals.
func operation[D, A any](f facade, answer func(turn, D) (said, error), name string, called, about exchange.Text, asked D, answered A) contract.Operation {
	h := head{ok, done.ZH}
	return contract.Operation{ID: name, Method: http.MethodPost, Path: Path + "/" + name, Group: contract.National, Name: called,
		About: text(about.ZH+envelope.ZH, about.EN+envelope.EN), Foreign: true,
		Asked:  request[D]{AccessID: "xzsp/0017", AccessToken: "TOKEN", Data: asked},
		Answer: reply[A]{h, answered}, Do: answering(f, answer)}
}

var envelope = text("\n\n总是 HTTP 200，结果见 head.status：0 成功，2 不提供，10 没有匹配，11 身份验证不通过，12 必填值为空，99 其他（包括暂查不到），100 无权，102 contentType 应为 base64，103 持证主体代码类型不合规范。useCause（downloadFile 为 certificateCopyCause）须含收件号，前面可写事项代码。用证书的可不写 accessId、accessToken，但须另带 Yimen-Nonce 和 Yimen-Time。",
	"\n\nAlways HTTP 200; the result is head.status: 0 done, 2 not offered, 10 no match, 11 who asks is not known, 12 a required value is empty, 99 anything else (what cannot be found out included), 100 no right, 102 contentType must be base64, 103 no such type of holder code. useCause (certificateCopyCause of downloadFile) must name the case, after the item's code where need be. Whoever shows a certificate may leave out accessId and accessToken, and sends Yimen-Nonce and Yimen-Time.")

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
	exampleAddress  = aCopy{"https", "https://exchange.example:7443" + copiesPath + "4Jr9c1m0fJ7yqgW1aX8b3uZl5tKpE2sVhN6dQoYxR0g", exampleIdentifier, "2027-01-01 00:00:00", exampleReceipt}
	exampleReceipt  = audit.Receipt{ID: "01KAQ6M3K8ZD2W7N5YB4T9XE1C", Time: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC), Offset: 7,
		Hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}
)
