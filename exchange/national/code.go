package national

import (
	"github.com/onedoor/yimen/exchange/broker"
)

// byCode is what queryCertInfoByQRcode is asked.
type byCode struct {
	QRCode   string `json:"qrcode"`
	UseCause string `json:"useCause"`
}

// queryByCode is queryCertInfo by the code on a copy: it names the record and lends no right to see it.
func (f facade) queryByCode(t turn, d byCode) (said, error) {
	if err := required("qrcode", d.QRCode, "useCause", d.UseCause); err != nil {
		return said{}, err
	}
	named, err := f.Press.Read(t.Context(), d.QRCode, f.Clock())
	if err != nil {
		return said{}, f.Door.Reject(t.Request, t.caller, err)
	}
	evidence, known := f.Catalogue().Named(string(named.Type))
	if !known {
		return said{}, noSuchType()
	}
	return f.oneLicence(t, wanted{evidence: evidence, holder: named.Holder, cause: d.UseCause, chosen: broker.Chosen{named.Type: named.Record}})
}
