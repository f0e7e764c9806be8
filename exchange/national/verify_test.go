package national

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/onedoor/yimen/exchange"
)

var soundFacts = map[string]any{"certTypeCode": title, "useCause": cause, "certData": map[string]any{"holderCode": citizen, "holder": "张三", "certNo": titleNo}}

func TestVerifyCertInfo(t *testing.T) {
	held := []exchange.Record{record(1, titleNo, exchange.Valid)}
	twins := append(held, record(2, titleNo, exchange.Valid))
	facts := func(pairs ...any) map[string]any {
		return with(soundFacts, "certData", with(soundFacts["certData"].(map[string]any), pairs...))
	}
	written := `{"holderCode":"` + citizen + `","certNo":"` + titleNo + `"}`
	for name, test := range map[string]struct {
		records []exchange.Record
		data    map[string]any
		status  status
		result  string
	}{
		"true":                   {held, soundFacts, ok, `"0"`},
		"true, by type":          {held, facts("holderTypeCode", "111"), ok, `"0"`},
		"true, as a text":        {held, with(soundFacts, "certData", written), ok, `"0"`},
		"another name":           {held, facts("holder", "李四"), ok, `"0"`},
		"another number":         {held, facts("certNo", "1"), ok, `"7"`},
		"another place":          {held, facts("location", "长沙市"), ok, `"7"`},
		"what is not granted":    {held, facts("unitNumber", "x"), ok, `"7"`},
		"what there is not":      {held, facts("colour", "red"), ok, `"7"`},
		"suspended":              {[]exchange.Record{record(1, titleNo, exchange.Suspended)}, soundFacts, ok, `"2"`},
		"revoked":                {[]exchange.Record{record(1, titleNo, exchange.Revoked)}, soundFacts, ok, `"3"`},
		"two of one number":      {twins, soundFacts, ok, `"4"`},
		"nothing found":          {nil, soundFacts, ok, `"5"`},
		"nothing stated":         {held, with(soundFacts, "certData", map[string]any{}), ok, `"6"`},
		"only who":               {held, with(soundFacts, "certData", map[string]any{"holderCode": citizen}), ok, `"6"`},
		"no facts at all":        {held, with(soundFacts, "certData", nil), ok, `"6"`},
		"nobody":                 {held, facts("holderCode", nil), valueMissing, ""},
		"nobody that there is":   {held, facts("holderCode", "1"), otherFault, ""},
		"no type":                {held, with(soundFacts, "certTypeCode", ""), valueMissing, ""},
		"facts that are a list":  {held, with(soundFacts, "certData", []string{"a"}), otherFault, ""},
		"facts that are no JSON": {held, with(soundFacts, "certData", "{'holderCode'"), otherFault, ""},
		"a type without grant":   {held, with(soundFacts, "certTypeCode", "marriage-certificate"), noRight, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := newWorld(t, test.records...).call(t, "verifyCertInfo", test.data)
			if got.Head.Status != test.status || string(got.Data["result"]) != test.result {
				t.Errorf("%+v %s", got.Head, got.Data)
			}
		})
	}
}

// TestVerified is the truth table: what a result is for each outcome, reason and difference, and that none is made up for another.
func TestVerified(t *testing.T) {
	facts := map[string]json.RawMessage{"certificateNumber": json.RawMessage(`"1"`)}
	result := func(v exchange.Verification) *exchange.Verification { return &v }
	type row struct {
		stated  map[string]json.RawMessage
		outcome exchange.Outcome
		reason  exchange.Reason
		e       exchange.Evidence
		want    exchange.Verification // -1: none
	}
	const none = -1
	rows := []row{
		{nil, exchange.Held, "", exchange.Evidence{}, exchange.NothingStated},
	}
	for v := exchange.Correct; v <= exchange.Incorrect; v++ { // what a query that verifies says is what is said
		rows = append(rows, row{facts, exchange.Supply, exchange.IsSuspended, exchange.Evidence{Result: result(v)}, v},
			row{facts, exchange.Check, exchange.SourceStale, exchange.Evidence{Result: result(v)}, none})
	}
	for _, outcome := range []exchange.Outcome{"", exchange.Held, exchange.Check, exchange.Unknown, exchange.Supply} {
		for _, reason := range []exchange.Reason{"", exchange.NotHeld, exchange.Expired, exchange.IsSuspended, exchange.IsRevoked, exchange.IsSuperseded, exchange.ConditionNotMet,
			exchange.PartyNotStated, exchange.NoGrant, exchange.ApplicantMade, exchange.SourceStale, exchange.CoverageIncomplete, exchange.Ambiguous, exchange.FactsDiffer} {
			known := slices.ContainsFunc(rows, func(r row) bool { return r.outcome == outcome && r.reason == reason && r.e.Result == nil })
			if !known {
				rows = append(rows, row{facts, outcome, reason, exchange.Evidence{}, none})
			}
		}
	}
	for _, r := range rows {
		got, certain := verified(r.stated, exchange.Answer{Outcome: r.outcome, Reason: r.reason, Evidence: []exchange.Evidence{r.e}})
		if certain != (r.want != none) || certain && got != r.want {
			t.Errorf("%s/%s %+v: %d %v, want %d", r.outcome, r.reason, r.e, got, certain, r.want)
		}
	}
}
