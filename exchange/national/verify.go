package national

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	gojson "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/identity"
	"github.com/onedoor/yimen/exchange/wire"
)

// toVerify is what verifyCertInfo is asked: are these facts true?
type toVerify struct {
	CertTypeCode string `json:"certTypeCode"`
	CertData     facts  `json:"certData"`
	UseCause     string `json:"useCause"`
}

// verdict is what verifyCertInfo answers: one of the eight results, as a text.
type verdict struct {
	Result  string         `json:"result,omitzero"`
	Message string         `json:"message,omitzero"`
	Receipt *audit.Receipt `json:"receipt,omitempty"` // none where nobody was looked up
}

func resultOf(result exchange.Verification, message string) verdict {
	return verdict{Result: strconv.Itoa(int(result)), Message: message}
}

// facts is what is stated of a licence: holderCode, holder and certNo by the convention's names, the others by the names of the
// type's fields. Some nodes send the object as a text in which it is written.
type facts map[string]jsontext.Value

// UnmarshalJSONFrom reads an object, or a text that holds one.
func (f *facts) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() == '"' {
		var written string
		if err := gojson.UnmarshalDecode(d, &written); err != nil {
			return err
		}
		return gojson.Unmarshal([]byte(written), (*map[string]jsontext.Value)(f))
	}
	return gojson.UnmarshalDecode(d, (*map[string]jsontext.Value)(f))
}

// word is a stated text, "" where there is none.
func (f facts) word(name string) string {
	var s string
	if gojson.Unmarshal(f[name], &s) != nil {
		return ""
	}
	return s
}

// holder is whom the facts are about. The convention tells no type of the code here, so its form has to do.
func (f facts) holder() (exchange.Holder, error) {
	if kind := f.word(holderTypeMember); kind != "" {
		return holderOf(kind, f.word(holderMember))
	}
	return identity.ParseHolder(f.word(holderMember))
}

// stated are the facts to compare, by the fields of a type's documents.
func (f facts) stated(number, name string) map[string]json.RawMessage {
	all := map[string]json.RawMessage{}
	for member, value := range f {
		switch member {
		case holderMember, holderTypeMember: // by which the record is found
			continue
		case numberMember:
			member = number
		case nameMember:
			if member = name; member == "" {
				continue
			}
		}
		all[member] = json.RawMessage(value)
	}
	return all
}

func (f facade) verify(t turn, d toVerify) (said, error) {
	if err := required("certTypeCode", d.CertTypeCode, "useCause", d.UseCause); err != nil {
		return said{}, err
	}
	evidence, known := f.Catalogue().Named(d.CertTypeCode)
	if !known {
		return said{}, noSuchType()
	}
	lang := wire.Language(t.Header)
	stated := d.CertData.stated(f.numberField(evidence.Type), f.comparableName(t, evidence.Type))
	if len(stated) == 0 { // nobody is looked up
		return said{status: ok, text: done, data: resultOf(exchange.NothingStated, exchange.NothingStated.Text().In(lang))}, nil
	}
	if d.CertData.word(holderMember) == "" {
		return said{}, lacking([]string{"certData.holderCode"})
	}
	holder, err := d.CertData.holder()
	if err != nil {
		return said{}, err
	}
	conclusion, err := f.ask(t, wanted{evidence: evidence, holder: holder, cause: d.UseCause, stated: stated, mode: broker.VerifyOnly})
	if err != nil {
		return said{}, err
	}
	answer := best(conclusion.Answers)
	result, certain := verified(stated, answer)
	if !certain {
		m := meaning(answer, stated)
		if m.status == ok || m.status == noMatch {
			m.status = otherFault // neither is a result of this operation
		}
		m.data = receipted{conclusion.Receipt}
		return m, nil
	}
	told := resultOf(result, explained(result, answer, lang))
	told.Receipt = &conclusion.Receipt
	return said{status: ok, text: done, data: told}, nil
}

// comparableName is the field of the holder's name where a grant shows it, else "": people are told apart by their numbers, so a name
// that may not be compared proves nothing against anybody.
func (f facade) comparableName(t turn, wanted exchange.EvidenceType) string {
	name := f.nameField(wanted)
	for _, item := range f.granted(t, wanted) {
		if grant, _ := f.Catalogue().Permit(t.caller.Department, item, wanted, exchange.DateOf(f.Clock())); !slices.Contains(grant.Fields, name) {
			return ""
		}
	}
	return name
}

// verified is the result for the facts that were stated, by what the broker answers for the type alone; false where it cannot be told: then
// there is none.
func verified(stated map[string]json.RawMessage, a exchange.Answer) (exchange.Verification, bool) {
	if len(stated) == 0 {
		return exchange.NothingStated, true
	}
	for _, e := range a.Evidence {
		if e.Result != nil {
			return *e.Result, a.Reason != exchange.SourceStale
		}
	}
	return 0, false
}

// explained is the result in words, with the fields that are not borne out. Fields are named only where the grant shows them: others
// are whatever was sent.
func explained(result exchange.Verification, a exchange.Answer, lang exchange.Lang) string {
	var differ []string
	names := false
	for _, e := range a.Evidence {
		for _, d := range e.Differences {
			names = names || d.Kind == exchange.NameOnly
			if d.Kind == exchange.Differs || d.Kind == exchange.Absent {
				differ = append(differ, d.Field)
			}
		}
	}
	words := result.Text()
	if result == exchange.Incorrect && len(differ) > 0 {
		all := strings.Join(differ, ", ")
		words = text(words.ZH+"："+all, words.EN+": "+all)
	}
	if names {
		words = text(words.ZH+"；姓名（名称）写法与登记的不同，仅作提示", words.EN+"; a name is spelt otherwise than registered, which is no more than a notice")
	}
	return words.In(lang)
}
