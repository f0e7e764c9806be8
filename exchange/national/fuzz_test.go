package national

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	gojson "github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
)

// Whatever a useCause holds, no more of it than two words goes anywhere.
func FuzzPurpose(f *testing.F) {
	for _, cause := range []string{cause, "LL-2026-1123-0041", "food-licence-new，LL-2026-1123-0041 新办", "张三 430281199001010017", "", "\xff 12345", "food-licence-new food-licence-new 1234"} {
		f.Add(cause)
	}
	isItem := func(i exchange.Item) bool { return i == "food-licence-new" || i == "household-move" }
	f.Fuzz(func(t *testing.T, cause string) {
		p, err := purposeOf(cause, isItem)
		switch {
		case err != nil && p != purpose{}:
			t.Errorf("%+v and %v", p, err)
		case err == nil && (!strings.Contains(cause, p.matter) || !caseNumber.MatchString(p.matter) || p.item != "" && !isItem(p.item)):
			t.Errorf("%q means %+v", cause, p)
		case err == nil && utf8.RuneCountInString(cause) > longestCause:
			t.Error("too long")
		}
	})
}

// Facts are read the same from an object and from the text that holds it.
func FuzzFacts(f *testing.F) {
	for _, text := range []string{`{}`, `{"holderCode":"430281199001010017","certNo":"1"}`, `null`, `[]`, `{"a":1,"a":2}`, `{"a":{"b":[1,2.50]}}`, `"{}"`, `{`, "\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var plain, within facts
		err := gojson.Unmarshal([]byte(text), &plain)
		if strings.HasPrefix(strings.TrimSpace(text), `"`) || !utf8.ValidString(text) {
			return
		}
		quotedErr := gojson.Unmarshal(quoted(text), &within)
		if (err == nil) != (quotedErr == nil) || len(plain) != len(within) {
			t.Fatalf("%q: %v %v, as a text %v %v", text, plain, err, within, quotedErr)
		}
		for name, value := range plain {
			if string(within[name]) != string(value) {
				t.Errorf("%q differs", name)
			}
		}
		if stated := plain.stated("certificateNumber", ""); stated[holderMember] != nil || stated[nameMember] != nil {
			t.Error("who it is about is compared")
		}
		plain.holder()
	})
}

func FuzzHolder(f *testing.F) {
	for _, number := range []string{citizen, "924302810000003187", "", "1"} {
		f.Add("111", number)
		f.Add("001", number)
		f.Add("414", number)
	}
	f.Fuzz(func(t *testing.T, kind, number string) {
		holder, err := holderOf(kind, number)
		if (err == nil) != (holder.Number != "") || err == nil && (kind == citizenNumber) != (holder.Kind == exchange.Person) {
			t.Errorf("%s gives %v, %v", kind, holder, err)
		}
		if err != nil && len(number) > 5 && strings.Contains(err.Error(), number) && !strings.Contains("YM-", number) {
			t.Errorf("it repeats the number: %v", err)
		}
	})
}

// Whatever is asked for, a copy serves from now on and no longer than the longest.
func FuzzServesUntil(f *testing.F) {
	for _, asked := range []string{"", "2026-12-31", "2026-12-31 18:00:00", "2026-12-31T18:00:00+08:00", "9999-12-31", "0000-01-01", "2026-11-23", "soon"} {
		f.Add(asked)
	}
	w := facade{Config{Clock: func() time.Time { return noon }}}
	f.Fuzz(func(t *testing.T, asked string) {
		until, err := w.servesUntil(asked)
		if err == nil && (!until.After(noon) || until.After(noon.Add(longestLife))) {
			t.Errorf("%q serves until %s", asked, until)
		}
	})
}

// Any body has an answer in the convention's form, and none looks somebody up without an entry.
func FuzzRequest(f *testing.F) {
	for _, body := range []string{`{}`, `{"accessId":"xzsp/0017","accessToken":"` + token + `","data":{"holderCode":"` + citizen + `","holderTypeCode":"111","certTypeCode":"` + title + `","useCause":"` + cause + `"}}`, `[`, `null`, `{"data":null}`} {
		f.Add(body)
	}
	w := newWorld(f, record(1, titleNo, exchange.Valid))
	f.Fuzz(func(t *testing.T, body string) {
		w.finds, w.entries, w.turned = 0, nil, nil
		for _, operation := range []string{"queryCertInfoByHolderCode", "verifyCertInfo", "queryCertInfo", "getCertRemarkInfo", "queryCertInfoByQRcode", "downloadFile", "downloadUrl", "downloadUrlsByHolderCode", "verifyFile"} {
			w.call(t, operation, body)
		}
		if w.finds > len(w.entries) {
			t.Error("somebody was looked up without an entry")
		}
	})
}
