package national

import (
	"errors"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
)

// with is a map with other values for some of its keys; nil takes a key away.
func with(m map[string]any, pairs ...any) map[string]any {
	changed := map[string]any{}
	for k, v := range m {
		changed[k] = v
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		changed[pairs[i].(string)] = pairs[i+1]
		if pairs[i+1] == nil {
			delete(changed, pairs[i].(string))
		}
	}
	return changed
}

var soundQuery = map[string]any{"holderCode": citizen, "holderTypeCode": "111", "certTypeCode": title, "useCause": cause}

func TestQueryByHolder(t *testing.T) {
	held := []exchange.Record{record(1, titleNo, exchange.Valid)}
	two := append(held, record(2, "湘(2015)2号", exchange.Valid))
	for name, test := range map[string]struct {
		records []exchange.Record
		data    map[string]any
		status  status
		cert    string // what certData is
	}{
		"held":                     {held, soundQuery, ok, `[{"certificateNumber":"湘(2008)醴陵市不动产权第0000001号","location":"醴陵市"}]`},
		"by its name here":         {held, with(soundQuery, "certTypeCode", "property-title"), ok, `[{"certificateNumber":"湘(2008)醴陵市不动产权第0000001号","location":"醴陵市"}]`},
		"the only item granted":    {held, with(soundQuery, "useCause", "LL-2026-1123-0041"), ok, `[{"certificateNumber":"湘(2008)醴陵市不动产权第0000001号","location":"醴陵市"}]`},
		"an unknown member":        {held, with(soundQuery, "version", "2.0"), ok, `[{"certificateNumber":"湘(2008)醴陵市不动产权第0000001号","location":"醴陵市"}]`},
		"none":                     {nil, soundQuery, noMatch, ""},
		"revoked":                  {[]exchange.Record{record(1, titleNo, exchange.Revoked)}, soundQuery, noMatch, ""},
		"two":                      {two, soundQuery, ok, `[{"certificateNumber":"湘(2008)醴陵市不动产权第0000001号"},{"certificateNumber":"湘(2015)2号"}]`},
		"the one of that number":   {two, with(soundQuery, "certNo", "湘（2015）2号"), ok, `[{"certificateNumber":"湘(2015)2号","location":"醴陵市"}]`},
		"neither has the number":   {two, with(soundQuery, "certNo", "湘(2015)3号"), otherFault, ""},
		"another number":           {held, with(soundQuery, "certNo", "湘(2015)3号"), otherFault, ""},
		"no holder":                {held, with(soundQuery, "holderCode", nil), valueMissing, ""},
		"no cause":                 {held, with(soundQuery, "useCause", " "), valueMissing, ""},
		"no case in the cause":     {held, with(soundQuery, "useCause", "办理户口迁移"), valueMissing, ""},
		"a cause too long":         {held, with(soundQuery, "useCause", cause+strings.Repeat("长", 200)), otherFault, ""},
		"a number as the case":     {held, with(soundQuery, "useCause", "household-move "+citizen), otherFault, ""},
		"an item not ours":         {held, with(soundQuery, "useCause", "pension-claim LL-2026-1123-0041"), ok, `[{"certificateNumber":"湘(2008)醴陵市不动产权第0000001号","location":"醴陵市"}]`},
		"a passport":               {held, with(soundQuery, "holderTypeCode", "414"), notOffered, ""},
		"no such type of holder":   {held, with(soundQuery, "holderTypeCode", "112"), badHolderType, ""},
		"a wrong check digit":      {held, with(soundQuery, "holderCode", citizen[:17]+"1"), otherFault, ""},
		"a company that is none":   {held, with(soundQuery, "holderTypeCode", "001"), otherFault, ""},
		"no such type":             {held, with(soundQuery, "certTypeCode", "11100000MB03271699002"), notOffered, ""},
		"a type without any grant": {held, with(soundQuery, "certTypeCode", "tax-clearance", "useCause", "LL-2026-1123-0041"), noRight, ""},
		"a type without one here":  {held, with(soundQuery, "certTypeCode", "marriage-certificate"), noRight, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, test.records...)
			got := w.call(t, "queryCertInfoByHolderCode", test.data)
			if got.Head.Status != test.status || string(got.Data["certData"]) != test.cert {
				t.Fatalf("%+v %s", got.Head, got.Data["certData"])
			}
			if (len(w.entries) == 1) != (got.Data["receipt"] != nil) {
				t.Errorf("%d entries, receipt %s", len(w.entries), got.Data["receipt"])
			}
			if w.finds > len(w.entries) {
				t.Error("somebody was looked up without an entry")
			}
		})
	}
}

// What cannot be found out is never "no match", and without an entry there is no answer.
func TestUnknownIsNoMatchNever(t *testing.T) {
	w := newWorld(t)
	w.complete = false
	if got := w.call(t, "queryCertInfoByHolderCode", soundQuery); got.Head.Status != otherFault || len(w.entries) != 1 {
		t.Errorf("an incomplete source: %+v", got)
	}
	w = newWorld(t, record(1, titleNo, exchange.Valid))
	w.broken = errors.New("disk full")
	if got := w.call(t, "queryCertInfoByHolderCode", soundQuery); got.Head.Status != otherFault || len(got.Data) != 0 || strings.Contains(got.Head.Message, "disk") {
		t.Errorf("no entry: %+v", got)
	}
}

// The entry says who asked, for which case and item, and that one type was wanted.
func TestEntry(t *testing.T) {
	w := newWorld(t, record(1, titleNo, exchange.Valid))
	w.call(t, "queryCertInfoByHolderCode", with(soundQuery, "certNo", titleNo))
	e := w.entries[0]
	if e.Department != "xzsp" || e.Clerk != "0017" || e.Case != "LL-2026-1123-0041" || e.Item != "household-move" || e.Only != "property-title" ||
		e.Holder.Number != citizen || e.Decision != audit.Answered || e.Stating == nil {
		t.Errorf("%+v", e)
	}
}

func TestIdentity(t *testing.T) {
	body := func(id, token string) string {
		return `{"accessId":"` + id + `","accessToken":"` + token + `","data":{"holderCode":"` + citizen + `","holderTypeCode":"111","certTypeCode":"` + title + `","useCause":"` + cause + `"}}`
	}
	for name, test := range map[string]struct {
		body   string
		header string
		status status
	}{
		"sound":                 {body("xzsp/0017", token), "", ok},
		"token in the header":   {body("", ""), "Bearer " + token, ok},
		"another id":            {body("scjg/0017", token), "", identityFailed},
		"no id":                 {body("", token), "", identityFailed},
		"another id, by header": {body("xzsp/0018", ""), "Bearer " + token, identityFailed},
		"a wrong token":         {body("xzsp/0017", "guess"), "", identityFailed},
		"nothing":               {body("xzsp/0017", ""), "", identityFailed},
		"a broken body":         {`{"accessId":`, "", otherFault},
		"a list":                {`[]`, "", otherFault},
		"a member twice":        {`{"accessId":"xzsp/0017","accessId":"xzsp/0017"}`, "", otherFault},
		"nothing at all":        {"", "", otherFault},
	} {
		w := newWorld(t, record(1, titleNo, exchange.Valid))
		var headers []string
		if test.header != "" {
			headers = []string{"Authorization", test.header}
		}
		got := w.call(t, "queryCertInfoByHolderCode", test.body, headers...)
		if got.Head.Status != test.status {
			t.Errorf("%s: %+v", name, got.Head)
		}
		if (len(w.turned) == 1) != (test.status == identityFailed) {
			t.Errorf("%s: %d were reported as turned away", name, len(w.turned))
		}
	}
}

func TestOthers(t *testing.T) {
	w := newWorld(t, record(1, titleNo, exchange.Valid))
	for name, test := range map[string]struct {
		operation string
		data      map[string]any
		status    status
	}{
		"identifier alone":         {"queryCertInfo", map[string]any{"certIdentifier": identifier, "useCause": cause}, notOffered},
		"identifier not granted":   {"queryCertInfo", map[string]any{"certIdentifier": identifier, "useCause": cause, "holderCode": citizen, "holderTypeCode": "111"}, noRight},
		"identifier damaged":       {"queryCertInfo", map[string]any{"certIdentifier": identifier[:len(identifier)-1] + "Z", "useCause": cause}, otherFault},
		"no identifier":            {"queryCertInfo", map[string]any{"useCause": cause}, valueMissing},
		"meaning":                  {"getCertRemarkInfo", map[string]any{"certTypeCode": title, "certName": "不动产权证书"}, ok},
		"meaning of nothing":       {"getCertRemarkInfo", map[string]any{}, valueMissing},
		"meaning without grant":    {"getCertRemarkInfo", map[string]any{"certTypeCode": "tax-clearance"}, noRight},
		"no code":                  {"queryCertInfoByQRcode", map[string]any{"useCause": cause}, valueMissing},
		"another's code":           {"queryCertInfoByQRcode", map[string]any{"qrcode": "4642087996", "useCause": cause}, otherFault},
		"address by identifier":    {"downloadUrl", map[string]any{"certIdentifier": identifier, "useCause": cause}, notOffered},
		"no identifier to fetch":   {"downloadUrl", map[string]any{"useCause": cause}, valueMissing},
		"addresses of a strange":   {"downloadUrlsByHolderCode", with(soundQuery, "holderTypeCode", "0"), badHolderType},
		"addresses without cause":  {"downloadUrlsByHolderCode", with(soundQuery, "useCause", ""), valueMissing},
		"file by identifier alone": {"downloadFile", map[string]any{"fileType": "ofd", "certificateIdentifier": identifier, "certificateCopyCause": cause}, notOffered},
		"foreign file":             {"verifyFile", map[string]any{"certTypeCode": title, "contentType": "base64", "content": "UERG", "useCause": cause}, notOffered},
		"file in hexadecimal":      {"verifyFile", map[string]any{"certTypeCode": title, "contentType": "hex", "content": "5044", "useCause": cause}, notBase64},
		"file that is not encoded": {"verifyFile", map[string]any{"certTypeCode": title, "contentType": "base64", "content": "%PDF", "useCause": cause}, notBase64},
		"file without a grant":     {"verifyFile", map[string]any{"certTypeCode": "tax-clearance", "contentType": "base64", "content": "UERG", "useCause": cause}, noRight},
		"file of no type":          {"verifyFile", map[string]any{"certTypeCode": "11100000MB03271699002", "contentType": "base64", "content": "UERG", "useCause": cause}, notOffered},
	} {
		if got := w.call(t, test.operation, test.data); got.Head.Status != test.status {
			t.Errorf("%s: %+v", name, got.Head)
		}
	}
}
