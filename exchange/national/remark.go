package national

import (
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
