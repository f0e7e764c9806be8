package national

import (
	"encoding/base64"
	"net/http"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/copies"
	"github.com/onedoor/yimen/exchange/wire"
)

// aFile is what verifyFile is asked.
type aFile struct {
	CertTypeCode string `json:"certTypeCode"`
	ContentType  string `json:"contentType"`
	Content      string `json:"content"`
	UseCause     string `json:"useCause"`
}

// largestFile bounds the body of a request to verify: the largest copy in Base64, and what is around it.
const largestFile = copies.MaxFile/3*4 + 64<<10

// mostVerified is how many files are read and looked at at once. Who sends one is said inside the body, behind the file, so the whole must
// be read before that is known: this bounds the memory that strangers can take, to some 4 MiB for each.
const mostVerified = 16

// few lets no more requests in at once; others are told to come again.
func few(at int, do func(*http.Request) (any, error)) func(*http.Request) (any, error) {
	in := make(chan struct{}, at)
	return func(r *http.Request) (any, error) {
		select {
		case in <- struct{}{}:
			defer func() { <-in }()
			return do(r)
		default:
			return replying(r, failed(busy())), nil
		}
	}
}

func busy() error {
	return &exchange.Problem{Code: "YM-NAT-0119", Kind: exchange.Unavailable, What: text("正在核验的文件太多", "too many files are being verified"),
		Mend: text("几秒后再发", "send it again in a few seconds")}
}

// What verifyFile says of a copy, by the results of verifyCertInfo that mean the same.
var (
	genuine = text("是本平台制作的加注件，没有改动，在其有效期内；证照的现状请用 verifyCertInfo 核验", "a copy that this exchange made, unchanged and within its time; how the licence stands now verifyCertInfo tells")
	overdue = text("是本平台制作的加注件，没有改动，但加注件的有效期已过", "a copy that this exchange made, unchanged, but it has had its time")
	changed = text("所带的签名出自本平台，但文件内容不是当时签的：所载一概不可信", "its signature is this exchange's, and the file is not what was signed: believe nothing that it says")
)

// verifyFile says whether a file is a copy that this exchange made. It looks nobody up, so it leaves no entry.
func (f facade) verifyFile(t turn, d aFile) (said, error) {
	if err := required("certTypeCode", d.CertTypeCode, "contentType", d.ContentType, "content", d.Content, "useCause", d.UseCause); err != nil {
		return said{}, err
	}
	content, err := base64.StdEncoding.DecodeString(d.Content)
	if err != nil || d.ContentType != "base64" {
		return said{}, notInBase64()
	}
	evidence, known := f.Catalogue().Named(d.CertTypeCode)
	if !known {
		return said{}, noSuchType()
	}
	if evidence.Keeper != t.caller.Department && len(f.granted(t, evidence.Type)) == 0 {
		return said{}, f.Door.Reject(t.Request, t.caller, noGrant())
	}
	finding, seal, err := f.Press.Check(t.Context(), content)
	if err != nil {
		return said{}, err
	}
	lang := wire.Language(t.Header)
	switch {
	case finding == copies.Foreign:
		return said{}, f.Door.Reject(t.Request, t.caller, foreignFile())
	case finding == copies.Changed:
		return said{status: ok, text: done, data: resultOf(exchange.Incorrect, changed.In(lang))}, nil
	case seal.Type != evidence.Type:
		return said{status: otherFault, text: text("文件是另一类证照的", "the file is of another type of licence")}, nil
	}
	told := resultOf(exchange.Correct, genuine.In(lang))
	if !f.Clock().Before(seal.Expires) {
		told = resultOf(exchange.CorrectEnded, overdue.In(lang))
	}
	told.Receipt = &seal.Receipt
	return said{status: ok, text: done, data: told}, nil
}

func notInBase64() error {
	return fault{&exchange.Problem{Code: "YM-NAT-0108", Kind: exchange.Invalid, What: text("contentType 应为 base64，content 应为其内容", "contentType must be base64, and content be written in it"),
		Mend: text("把文件转成 Base64 再发", "encode the file in Base64 and send it again")}, notBase64}
}

func foreignFile() error {
	return notServed(text("文件不带本平台的有效签名：不是本平台制作的加注件，或是伪造、另存过的，真伪无从核验", "the file has no sound signature of this exchange: it is no copy that the exchange made, or was forged or saved anew, so it cannot tell whether it is genuine"),
		text("电子证照文件请向其签发部门核验；核对所载信息用 verifyCertInfo；加注件请发取得时的原文件，不要另存", "ask the department that issued a licence's file; to check what it says use verifyCertInfo; send a copy as it was fetched, not saved anew"))
}
