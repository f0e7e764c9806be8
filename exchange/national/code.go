package national

import (
	"errors"

	"github.com/onedoor/yimen/exchange"
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
	s, err := f.oneLicence(t, wanted{evidence: evidence, holder: named.Holder, cause: d.UseCause, chosen: broker.Chosen{named.Type: named.Record}})
	var p *exchange.Problem
	if errors.As(err, &p) && p.Code == chosenNotFound {
		err = noLonger()
	}
	return s, err
}

// chosenNotFound is the code of the broker's refusal where a record that was chosen is none of those that hold.
const chosenNotFound = "YM-QRY-0118"

func noLonger() error {
	return &exchange.Problem{Code: "YM-NAT-0115", Kind: exchange.Invalid, What: text("码所指的证照已查不到有效的", "the licence that the code names is not found as one in force"),
		Why:  text("可能已注销、过期、换发，或来源数据不完整", "it may have been revoked, have expired or been replaced, or the source is incomplete"),
		Mend: text("用 queryCertInfoByHolderCode 按持证主体查，或用 verifyCertInfo 核验", "ask by the holder, with queryCertInfoByHolderCode, or check it with verifyCertInfo")}
}
