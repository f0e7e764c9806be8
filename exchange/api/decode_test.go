package api

import (
	"bytes"
	stdjson "encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
)

func TestBodies(t *testing.T) {
	w := serve(t, conclude)
	member := func(s string) string { return strings.TrimSuffix(sound, "}") + "," + s + "}" }
	tests := []struct {
		name, body, content string
		status              int
		code, why           string
	}{
		{"sound", sound, "application/json", 200, "", ""},
		{"charset", sound, "Application/JSON; charset=UTF-8", 200, "", ""},
		{"content type not stated", sound, "", 200, "", ""},
		{"as curl sends it", sound, "application/x-www-form-urlencoded", 200, "", ""},
		{"space around", " \r\n" + sound + "\n", "", 200, "", ""},
		{"members in another order", `{"applicant":"` + company + `","item":"food-licence-new","case":"LL-2026-1123-0041"}`, "", 200, "", ""},
		{"text", sound, "text/plain", 415, "YM-API-0101", "Content-Type"},
		{"form with files", sound, "multipart/form-data; boundary=x", 415, "YM-API-0101", "Content-Type"},
		{"other charset", sound, "application/json; charset=gbk", 415, "YM-API-0101", "Content-Type"},
		{"no media type", sound, ";;", 415, "YM-API-0101", "Content-Type"},
		{"empty", "", "", 400, "YM-API-0101", "empty"},
		{"not JSON", company, "", 400, "YM-API-0101", "one JSON object"},
		{"cut off", sound[:40], "", 400, "YM-API-0101", "not sound JSON"},
		{"list", "[" + sound + "]", "", 400, "YM-API-0101", "one JSON object"},
		{"null", "null", "", 400, "YM-API-0101", "case, item, applicant missing"},
		{"empty object", "{}", "", 400, "YM-API-0101", "case, item, applicant missing"},
		{"null member", `{"case":null,"item":"x","applicant":"` + company + `"}`, "", 400, "YM-API-0101", "of the wrong type"},
		{"number", `{"case":"LL-1","item":"x","applicant":` + company + `}`, "", 400, "YM-API-0101", "must be a string"},
		{"twice", member(`"case":"LL-2"`), "", 400, "YM-API-0101", "stands twice"},
		{"twice, escaped", member(`"c\u0061se":"LL-2"`), "", 400, "YM-API-0101", "stands twice"},
		{"other letter case", strings.Replace(sound, "case", "Case", 1), "", 400, "YM-API-0101", "unknown (letter case counts)"},
		{"unknown", member(`"clerk":"0017"`), "", 400, "YM-API-0101", "unknown"},
		{"its department", member(`"department":"xzsp"`), "", 200, "", ""},
		{"a number for a name", `{"` + company + `":1}`, "", 400, "YM-API-0101", "unknown"},
		{"trailing bytes", sound + "x", "", 400, "YM-API-0101", "not sound JSON at byte 87"},
		{"second document", sound + sound, "", 400, "YM-API-0101", "not sound JSON"},
		{"byte order mark", "\ufeff" + sound, "", 400, "YM-API-0101", "not sound JSON"},
		{"not UTF-8", strings.Replace(sound, "LL", "\xff\xfe", 1), "", 400, "YM-API-0101", "not sound JSON"},
		{"lone surrogate", strings.Replace(sound, "LL", `\ud800`, 1), "", 400, "YM-API-0101", "not sound JSON"},
		{"deep", strings.Repeat("[", 60000), "", 400, "YM-API-0101", "one JSON object"},
		{"too large", sound + strings.Repeat(" ", 64<<10), "", 413, "YM-API-0101", "64 KiB"},
		{"number of nobody", strings.Replace(sound, company, "12345", 1), "", 422, "YM-ID-", ""},
	}
	for _, test := range tests {
		response, body := w.send(t, "POST", "/v1/queries", test.body, "Content-Type: "+test.content)
		if response.StatusCode != test.status {
			t.Errorf("%s: %d %s", test.name, response.StatusCode, body)
			continue
		}
		if test.code == "" {
			continue
		}
		if d := problem(t, response, body); !strings.HasPrefix(d.Code, test.code) || !strings.Contains(d.Why.EN, test.why) || d.Kind != exchange.Invalid {
			t.Errorf("%s: %s", test.name, body)
		}
	}
}

// A body without a length is read no further than others.
func TestChunkedBodyTooLarge(t *testing.T) {
	w := serve(t, conclude)
	request, err := http.NewRequestWithContext(t.Context(), "POST", w.URL+"/v1/queries", io.MultiReader(strings.NewReader(sound), endless{}))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+clerks)
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Skip("the connection was closed before the answer was read")
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", response.StatusCode)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func FuzzQuery(f *testing.F) {
	for _, seed := range []string{sound, "", "{}", "null", `{"case":"a","CASE":"b"}`, `{"case":"a","case":"b"}`, sound + "x", `{"case":1}`, "[", `{"c\u0061se":"é"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		asked, err := readQuery(httptest.NewRequest("POST", "/v1/queries", bytes.NewReader(body)))
		if err != nil {
			if exchange.KindOf(err) != exchange.Invalid || !reflect.DeepEqual(asked, QueryRequest{}) {
				t.Fatalf("refused with %v and %+v", err, asked)
			}
			return
		}
		// What is taken strictly is taken loosely too, and means the same.
		var loose QueryRequest
		d := stdjson.NewDecoder(bytes.NewReader(body))
		d.DisallowUnknownFields()
		if err := d.Decode(&loose); err != nil || !reflect.DeepEqual(loose, asked) {
			t.Fatalf("%q is %+v and %+v, %v", body, asked, loose, err)
		}
	})
}
