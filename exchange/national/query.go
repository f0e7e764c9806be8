package national

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/identity"
)

// byHolder is what queryCertInfoByHolderCode and downloadUrlsByHolderCode are asked.
type byHolder struct {
	HolderCode     string `json:"holderCode"`
	HolderTypeCode string `json:"holderTypeCode"`
	CertTypeCode   string `json:"certTypeCode"`
	CertNo         string `json:"certNo,omitempty"`
	UseCause       string `json:"useCause"`
}

func (d byHolder) check() error {
	return required("holderCode", d.HolderCode, "holderTypeCode", d.HolderTypeCode, "certTypeCode", d.CertTypeCode, "useCause", d.UseCause)
}

// byIdentifier is what queryCertInfo is asked. Yimen finds records by their holders alone, so it needs to know whose the licence is:
// the two members of that are the only ones which the convention does not have here.
type byIdentifier struct {
	CertIdentifier string `json:"certIdentifier"`
	UseCause       string `json:"useCause"`
	HolderCode     string `json:"holderCode,omitempty"`
	HolderTypeCode string `json:"holderTypeCode,omitempty"`
}

// shown is the data of an answer: one licence or a list, and the receipt of the audit entry, which the convention does not have. Like the
// data of the other operations it is empty where the request was refused: head says why.
type shown[C any] struct {
	CertData C             `json:"certData,omitzero"`
	Receipt  audit.Receipt `json:"receipt,omitzero"`
}

// licence is a licence's granted fields as they were published, and cert_identifier where its identifier is among them.
type licence map[string]jsontext.Value

// receipted is the data of an answer that shows no licence.
type receipted struct {
	Receipt audit.Receipt `json:"receipt,omitzero"`
}

// wanted is one query for one type.
type wanted struct {
	evidence catalogue.Evidence
	holder   exchange.Holder
	cause    string
	stated   map[string]json.RawMessage
	chosen   broker.Chosen // nil: none of several
	mode     broker.Mode
}

func (f facade) queryByHolder(t turn, d byHolder) (said, error) {
	w, err := f.ofHolder(d)
	if err != nil {
		return said{}, err
	}
	found, err := f.find(t, w)
	if err != nil || found.status != ok {
		return found.said, err
	}
	found.data = shown[[]licence]{f.licences(found.evidence), found.Receipt}
	return found.said, nil
}

// ofHolder is what is wanted by a request that names the holder.
func (f facade) ofHolder(d byHolder) (wanted, error) {
	if err := d.check(); err != nil {
		return wanted{}, err
	}
	holder, err := holderOf(d.HolderTypeCode, d.HolderCode)
	if err != nil {
		return wanted{}, err
	}
	evidence, known := f.Catalogue().Named(d.CertTypeCode)
	if !known {
		return wanted{}, noSuchType()
	}
	w := wanted{evidence: evidence, holder: holder, cause: d.UseCause}
	if d.CertNo != "" {
		w.stated = map[string]json.RawMessage{f.numberField(evidence.Type): quoted(d.CertNo)}
	}
	return w, nil
}

func (f facade) queryByIdentifier(t turn, d byIdentifier) (said, error) {
	if err := required("certIdentifier", d.CertIdentifier, "useCause", d.UseCause); err != nil {
		return said{}, err
	}
	w, err := f.identified(t, d)
	if err != nil {
		return said{}, err
	}
	return f.oneLicence(t, w)
}

// identified is what is wanted by a request that names the identifier.
func (f facade) identified(t turn, d byIdentifier) (wanted, error) {
	id, err := identity.ParseLicence(d.CertIdentifier)
	if err != nil {
		return wanted{}, err
	}
	if d.HolderCode == "" || d.HolderTypeCode == "" {
		return wanted{}, f.Door.Reject(t.Request, t.caller, notServed(text("本平台只按持证主体查找，不建证照标识的索引", "records are found by their holders only, never by identifier"),
			text("同时给出 holderCode 和 holderTypeCode，或用按持证主体查的操作", "give holderCode and holderTypeCode as well, or use the operation that asks by the holder")))
	}
	holder, err := holderOf(d.HolderTypeCode, d.HolderCode)
	if err != nil {
		return wanted{}, err
	}
	evidence, known := f.Catalogue().Named(id.TypeCode())
	if !known {
		return wanted{}, noSuchType()
	}
	return wanted{evidence: evidence, holder: holder, cause: d.UseCause, stated: map[string]json.RawMessage{f.identifierField(evidence.Type): quoted(d.CertIdentifier)}}, nil
}

// oneLicence answers with the data of the one licence that is wanted.
func (f facade) oneLicence(t turn, w wanted) (said, error) {
	found, err := f.findOne(t, w)
	if err != nil || found.status != ok {
		return found.said, err
	}
	found.data = shown[licence]{f.licences(found.evidence)[0], found.Receipt}
	return found.said, nil
}

// finding is what the broker found, with what there is to say of it.
type finding struct {
	said
	broker.Conclusion
	evidence []exchange.Evidence
}

// ask has the broker answer for the one type, for the case and the item that the useCause names.
func (f facade) ask(t turn, w wanted) (broker.Conclusion, error) {
	p, err := purposeOf(w.cause, f.isItem)
	if err != nil {
		return broker.Conclusion{}, err
	}
	item, err := f.itemFor(t, p, w.evidence.Type, w.holder.Kind)
	if err != nil {
		return broker.Conclusion{}, err
	}
	q := broker.Query{Case: p.matter, Item: item, Applicant: w.holder, Caller: t.caller.Caller, Nonce: t.nonce, Only: w.evidence.Type, Chosen: w.chosen, Mode: w.mode}
	if len(w.stated) > 0 {
		q.Stated = broker.Stated{w.evidence.Type: w.stated}
	}
	return f.Broker.Query(t.Context(), q)
}

func (f facade) find(t turn, w wanted) (finding, error) {
	conclusion, err := f.ask(t, w)
	if err != nil {
		return finding{}, err
	}
	answer := best(conclusion.Answers)
	found := finding{Conclusion: conclusion, evidence: answer.Evidence}
	if found.said = meaning(answer, w.stated); found.status != ok {
		found.data = receipted{conclusion.Receipt}
	}
	return found, nil
}

// findOne is find where only one licence may be meant.
func (f facade) findOne(t turn, w wanted) (finding, error) {
	found, err := f.find(t, w)
	if err == nil && found.status == ok && len(found.evidence) != 1 {
		found.said = said{status: otherFault, text: exchange.Ambiguous.Text(exchange.Check), data: receipted{found.Receipt}}
	}
	return found, err
}

// order has what serves a caller best first.
var order = []exchange.Outcome{exchange.Held, exchange.Check, exchange.Unknown, exchange.Supply}

// best is the answer that serves best of those for one type. Where the item asks for the type in other cases only, it is the empty one.
func best(answers []exchange.Answer) exchange.Answer {
	if len(answers) == 0 {
		return exchange.Answer{}
	}
	return slices.MinFunc(answers, func(a, b exchange.Answer) int { return slices.Index(order, a.Outcome) - slices.Index(order, b.Outcome) })
}

// meaning is how the convention says an answer to a query for data. Only what the keeper's word denies is "no match".
func meaning(a exchange.Answer, stated map[string]json.RawMessage) said {
	uncompared := slices.ContainsFunc(a.Evidence, func(e exchange.Evidence) bool {
		return slices.ContainsFunc(e.Differences, func(d exchange.Difference) bool { return d.Kind == exchange.Unchecked })
	})
	switch {
	case a.Outcome == "":
		return said{status: otherFault, text: text("该事项在此情形下不需要这种证照", "the item does not ask for this type in such a case")}
	case a.Reason == exchange.NoGrant:
		return said{status: noRight, text: a.Reason.Text(a.Outcome)}
	case uncompared:
		return said{status: noRight, text: text("授权的字段中没有所给的编号，因此不能确定是哪一张证照", "the number given is not among the granted fields, so it cannot be told which licence is meant")}
	case a.Outcome == exchange.Held:
		return said{status: ok, text: done}
	case a.Reason == exchange.Ambiguous && noneAgrees(a, stated):
		return said{status: otherFault, text: noSuchNumber}
	case a.Reason == exchange.Ambiguous && len(stated) > 0:
		return said{status: otherFault, text: a.Reason.Text(a.Outcome)}
	case a.Reason == exchange.Ambiguous:
		return said{status: ok, text: text("查到多条，只给出彼此不同的字段；请带 certNo 再查", "several were found, and only the fields that tell them apart are shown: ask again with certNo")}
	case a.Reason == exchange.FactsDiffer:
		return said{status: otherFault, text: noSuchNumber}
	case a.Outcome == exchange.Supply:
		return said{status: noMatch, text: a.Reason.Text(a.Outcome)}
	}
	return said{status: otherFault, text: a.Reason.Text(a.Outcome)}
}

// noneAgrees says, of several records, whether none of them bears out what was stated: those that do so would not be told apart by it.
func noneAgrees(a exchange.Answer, stated map[string]json.RawMessage) bool {
	return slices.ContainsFunc(a.Evidence, func(e exchange.Evidence) bool {
		shown := fieldsOf(e)
		return slices.ContainsFunc(slices.Collect(maps.Keys(stated)), func(field string) bool { _, tells := shown[field]; return tells })
	})
}

// noSuchNumber is not "no match": that others were found does not say that the keeper told of all. verifyCertInfo does.
var noSuchNumber = text("查到的证照中没有这个编号", "none of the licences that were found has that number")

var done = text("成功", "done")
