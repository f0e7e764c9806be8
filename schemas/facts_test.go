package schemas

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/gate"
)

func TestFacts(t *testing.T) {
	p1, p2 := exchange.Holder{Kind: exchange.Person, Number: "430281199001010017"}, exchange.Holder{Kind: exchange.Person, Number: "430281199001010025"}
	org := exchange.Holder{Kind: exchange.Organisation, Number: "91430281000000019C"}
	for _, c := range []struct {
		typ, doc string
		want     Facts
	}{
		{"business-licence", `{"creditCode":"91430281000000019C"}`, Facts{Natural: "91430281000000019C", Holders: []exchange.Holder{org}, Status: exchange.Valid}},
		{"business-licence", `{"creditCode":"91430281000000019C","status":"吊销","validFrom":"2003-01-01","validUntil":"2003-01-01"}`,
			Facts{Natural: "91430281000000019C", Holders: []exchange.Holder{org}, Status: exchange.Revoked, From: "2003-01-01", Until: "2003-01-01"}},
		{"business-licence", `{"creditCode":"91430281000000019C","status":"歇业","validUntil":"2033-01-01"}`,
			Facts{Natural: "91430281000000019C", Holders: []exchange.Holder{org}, Status: exchange.Suspended, Until: "2033-01-01"}},
		{"marriage-certificate", `{"certificateNumber":"J430281-2018-000001","registeredOn":"2018-05-20","spouses":[{"number":"430281199001010017"},{"number":"430281199001010025"},{"otherNumber":"E1"}]}`,
			Facts{Natural: "J430281-2018-000001", Holders: []exchange.Holder{p1, p2}, Status: exchange.Valid, From: "2018-05-20"}},
		{"property-title", `{"certificateNumber":"湘（2023）醴陵市不动产权第 ０000001号","owners":[{"number":"430281199001010017"},{"number":"91430281000000019C"},{"number":"430281199001010017"}],"status":"历史"}`,
			Facts{Natural: "湘(2023)醴陵市不动产权第0000001号", Holders: []exchange.Holder{p1, org}, Status: exchange.Superseded}},
		{"residence-permit", `{"citizenNumber":"430281199001010017","division":"430281"}`,
			Facts{Natural: "430281199001010017\x1f430281", Holders: []exchange.Holder{p1}, Status: exchange.Valid}},
	} {
		s, _ := builtinSet(t).ByType(exchange.EvidenceType(c.typ))
		doc, err := gate.Decode([]byte(c.doc))
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Facts(doc)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %q %v %v, %v", c.doc, got.Natural, got.Holders, got, err)
		}
	}
}

func TestFactsRefuses(t *testing.T) {
	const secret = "43028119900101001"
	for _, c := range []struct{ typ, doc, code string }{
		{"business-licence", `{}`, "YM-DOC-0301"},
		{"business-licence", `[]`, "YM-DOC-0301"},
		{"business-licence", `{"creditCode":7}`, "YM-DOC-0301"},
		{"business-licence", `{"creditCode":" 　"}`, "YM-DOC-0301"},
		{"business-licence", `{"creditCode":"91430281000000019D"}`, "YM-DOC-0302"},
		{"business-licence", `{"creditCode":"430281199001010017"}`, "YM-DOC-0302"},
		{"business-licence", `{"creditCode":"91430281000000019C","status":"新状态"}`, "YM-DOC-0304"},
		{"business-licence", `{"creditCode":"91430281000000019C","validFrom":"2024-01-02","validUntil":"2024-01-01"}`, "YM-DOC-0305"},
		{"business-licence", `{"creditCode":"91430281000000019C","validFrom":"2024-1-2"}`, "YM-DOC-0306"},
		{"business-licence", `{"creditCode":"91430281000000019C","validUntil":"2023-02-29"}`, "YM-DOC-0306"},
		{"marriage-certificate", `{"certificateNumber":"J430281-2018-000001"}`, "YM-DOC-0303"},
		{"marriage-certificate", `{"certificateNumber":"J430281-2018-000001","spouses":[{"otherNumber":"E1"},{}]}`, "YM-DOC-0303"},
		{"marriage-certificate", `{"certificateNumber":"J430281-2018-000001","spouses":{"number":"430281199001010017"}}`, "YM-DOC-0303"},
		{"marriage-certificate", `{"certificateNumber":"J430281-2018-000001","spouses":[{"number":"` + secret + `8"}]}`, "YM-DOC-0302"},
		{"property-title", `{"certificateNumber":"湘1","owners":[{"number":"` + secret + `9"}]}`, "YM-DOC-0302"},
		{"residence-permit", `{"citizenNumber":"430281199001010017","division":"\u200b"}`, "YM-DOC-0301"},
	} {
		s, _ := builtinSet(t).ByType(exchange.EvidenceType(c.typ))
		doc, err := gate.Decode([]byte(c.doc))
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Facts(doc)
		var p *exchange.Problem
		if !errors.As(err, &p) || p.Code != c.code || !reflect.DeepEqual(got, Facts{}) {
			t.Errorf("%s: got %v, want %s", c.doc, err, c.code)
			continue
		}
		if p.Mend.ZH == "" || p.Mend.EN == "" || strings.Contains(p.In(exchange.ZH)+p.In(exchange.EN), secret) {
			t.Errorf("%s: %s", c.doc, p.In(exchange.ZH))
		}
	}
}

func TestNormalise(t *testing.T) {
	for in, want := range map[string]string{
		"91430281000000019C": "91430281000000019C",
		"jy 0001":            "JY0001",
		"ＪＹ０００１":             "JY0001",
		"湘（2023）第\u30001号":   "湘(2023)第1号",
		"e\u0301":            "é",
		"\ufeff1\u200b2\x1f": "12",
		"Ａｂ":                 "AB",
		"":                   "",
		" \t":                "",
	} {
		if got := normalise(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
		if got := normalise(want); got != want {
			t.Errorf("%q is not stable: %q", want, got)
		}
	}
}
