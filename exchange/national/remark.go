package national

import (
	"encoding/base64"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/wire"
)

// ofType is what getCertRemarkInfo is asked.
type ofType struct {
	CertTypeCode string `json:"certTypeCode"`
	CertName     string `json:"certName,omitempty"`
}

// remark is what the fields of a type mean, by their names.
type remark struct {
	CertTypeCode string            `json:"certTypeCode,omitzero"`
	CertData     map[string]string `json:"certData,omitzero"`
}

// explain tells what the fields of a type are, to whoever may see some of them.
func (f facade) explain(t turn, d ofType) (said, error) {
	if err := required("certTypeCode", d.CertTypeCode); err != nil {
		return said{}, err
	}
	evidence, known := f.Catalogue().Named(d.CertTypeCode)
	if !known {
		return said{}, noSuchType()
	}
	if evidence.Keeper != t.caller.Department && len(f.granted(t, evidence.Type)) == 0 {
		return said{}, f.Door.Reject(t.Request, t.caller, noGrant())
	}
	lang := wire.Language(t.Header)
	named := map[string]string{
		holderMember: text("持证主体代码", "code of the holder").In(lang), nameMember: text("持证主体", "holder").In(lang),
		numberMember: text("证照编号", "number of the licence").In(lang),
	}
	for _, field := range f.topFields(evidence.Type) {
		named[field.Pointer] = field.Title.In(lang)
	}
	return said{status: ok, text: done, data: remark{d.CertTypeCode, named}}, nil
}

// What asks for files, or by the code that a citizen shows: Yimen holds facts of licences, no files of them, and gives out no codes.

type byCode struct {
	QRCode   string `json:"qrcode"`
	UseCause string `json:"useCause"`
}

type forAddress struct {
	CertIdentifier string `json:"certIdentifier"`
	UseCause       string `json:"useCause"`
	ExpiryTime     string `json:"expiryTime,omitempty"`
}

type forFile struct {
	FileType              string `json:"fileType"`
	CertificateIdentifier string `json:"certificateIdentifier"`
	CertificateCopyCause  string `json:"certificateCopyCause"`
}

type aFile struct {
	CertTypeCode string `json:"certTypeCode"`
	ContentType  string `json:"contentType"`
	Content      string `json:"content"`
	UseCause     string `json:"useCause"`
}

func (f facade) byCode(t turn, d byCode) (said, error) {
	return f.withheld(t, required("qrcode", d.QRCode, "useCause", d.UseCause),
		text("本平台不签发证照二维码", "it issues no codes of licences"))
}

func (f facade) addressOf(t turn, d forAddress) (said, error) {
	return f.withheld(t, required("certIdentifier", d.CertIdentifier, "useCause", d.UseCause), noFiles)
}

func (f facade) addressesOf(t turn, d byHolder) (said, error) {
	err := d.check()
	if err == nil {
		_, err = holderOf(d.HolderTypeCode, d.HolderCode)
	}
	return f.withheld(t, err, noFiles)
}

func (f facade) file(t turn, d forFile) (said, error) {
	return f.withheld(t, required("fileType", d.FileType, "certificateIdentifier", d.CertificateIdentifier, "certificateCopyCause", d.CertificateCopyCause), noFiles)
}

func (f facade) verifyFile(t turn, d aFile) (said, error) {
	err := required("certTypeCode", d.CertTypeCode, "contentType", d.ContentType, "content", d.Content, "useCause", d.UseCause)
	if _, bad := base64.StdEncoding.DecodeString(d.Content); err == nil && (d.ContentType != "base64" || bad != nil) {
		err = fault{&exchange.Problem{Code: "YM-NAT-0108", Kind: exchange.Invalid, What: text("contentType 应为 base64，content 应为其内容", "contentType must be base64, and content be written in it"),
			Mend: text("把文件转成 Base64 再发", "encode the file in Base64 and send it again")}, notBase64}
	}
	return f.withheld(t, err, noFiles)
}

var noFiles = text("本平台保存证照的数据，不保存证照文件", "it holds what licences say, not their files")

// withheld refuses what is not offered, unless the request is wrong anyway.
func (f facade) withheld(t turn, wrong error, why exchange.Text) (said, error) {
	if wrong != nil {
		return said{}, wrong
	}
	return said{}, f.Door.Reject(t.Request, t.caller, notServed(why,
		text("需要数据的，用 queryCertInfoByHolderCode；核对数据的，用 verifyCertInfo；文件向证照签发部门索取",
			"for data use queryCertInfoByHolderCode, to check data verifyCertInfo; files are with the department that issues the licence")))
}
