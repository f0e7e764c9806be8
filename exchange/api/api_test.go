package api

import (
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/door"
)

func TestAddresses(t *testing.T) {
	w := serve(t, conclude)
	tests := []struct {
		method, path, body string
		status             int
		code, allow        string
	}{
		{"POST", "/v1/queries", sound, 200, "", ""},
		{"GET", "/v1/items", "", 200, "", ""},
		{"HEAD", "/v1/items", "", 200, "", ""},
		{"GET", "/v1/items/food-licence-new", "", 200, "", ""},
		{"GET", "/livez", "", 200, "", ""},
		{"GET", "/readyz", "", 200, "", ""},
		{"GET", "/metrics", "", 200, "", ""},
		{"GET", "/", "", 200, "", ""},
		{"GET", "/v1/queries", "", 405, "YM-API-0203", "POST"},
		{"HEAD", "/v1/queries", "", 405, "", "POST"},
		{"PUT", "/v1/queries", sound, 405, "YM-API-0203", "POST"},
		{"OPTIONS", "/v1/queries", "", 405, "YM-API-0203", "POST"},
		{company, "/v1/queries", "", 405, "YM-API-0203", "POST"},
		{"POST", "/v1/items", "{}", 405, "YM-API-0203", "GET, HEAD"},
		{"DELETE", "/v1/items/food-licence-new", "", 405, "YM-API-0203", "GET, HEAD"},
		{"POST", "/readyz", "", 405, "YM-API-0203", "GET, HEAD"},
		{"POST", "/", "", 405, "YM-API-0203", "GET, HEAD"},
		{"GET", "/v1/items/" + company, "", 404, "YM-API-0201", ""},
		{"GET", "/v1/items/food-licence-mew", "", 404, "YM-API-0201", ""},
		{"GET", "/v1/items/", "", 404, "YM-API-0202", ""},
		{"GET", "/v1/items/a/b", "", 404, "YM-API-0202", ""},
		{"POST", "/v1/queries/" + company, sound, 404, "YM-API-0202", ""},
		{"GET", "/V1/items", "", 404, "YM-API-0202", ""},
		{"GET", "/debug/pprof/", "", 404, "YM-API-0202", ""},
	}
	for _, test := range tests {
		response, body := w.send(t, test.method, test.path, test.body)
		if response.StatusCode != test.status || response.Header.Get("Allow") != test.allow {
			t.Errorf("%s %s: %d, allow %q", test.method, test.path, response.StatusCode, response.Header.Get("Allow"))
		}
		if test.code != "" && problem(t, response, body).Code != test.code {
			t.Errorf("%s %s: %s", test.method, test.path, body)
		}
		if test.method == "HEAD" && body != "" {
			t.Errorf("%s: a body with HEAD", test.path)
		}
	}
	if _, body := w.send(t, "GET", "/v1/items/food-licence-mew", ""); !strings.Contains(body, "food-licence-new") {
		t.Errorf("no suggestion: %s", body)
	}
	if log := w.said(); strings.Contains(log, company) || strings.Contains(log, clerks) || !strings.Contains(log, "/v1/items/{code}") {
		t.Errorf("log:\n%s", log)
	}
}

func TestWhoAsks(t *testing.T) {
	var asked broker.Query
	w := serve(t, func(ctx context.Context, q broker.Query) (broker.Conclusion, error) {
		asked = q
		return conclude(ctx, q)
	})
	tests := []struct {
		name   string
		header []string
		status int
	}{
		{"token", []string{"Authorization: Bearer " + clerks}, 200},
		{"scheme in small letters", []string{"Authorization: bearer " + clerks}, 200},
		{"spaces", []string{"Authorization: Bearer   " + clerks + " "}, 200},
		{"none", nil, 401},
		{"other token", []string{"Authorization: Bearer " + company}, 401},
		{"hash of the token", []string{"Authorization: Bearer " + door.TokenHash(clerks)}, 401},
		{"empty token", []string{"Authorization: Bearer"}, 401},
		{"token in other letters", []string{"Authorization: Bearer " + strings.ToUpper(clerks)}, 401},
		{"basic", []string{"Authorization: Basic " + clerks}, 401},
		{"no scheme", []string{"Authorization: " + clerks}, 401},
		{"two of them", []string{"Authorization: Bearer " + clerks, "Authorization: Bearer " + clerks}, 401},
	}
	for _, test := range tests {
		asked = broker.Query{}
		response, body := w.send(t, "POST", "/v1/queries", sound, append([]string{"Authorization:"}, test.header...)...)
		if response.StatusCode != test.status {
			t.Errorf("%s: %d %s", test.name, response.StatusCode, body)
		}
		if test.status == 200 {
			want := broker.Query{Case: "LL-2026-1123-0041", Item: "food-licence-new", Applicant: exchange.Holder{Kind: exchange.Organisation, Number: company},
				Caller: broker.Caller{Department: "xzsp", Clerk: "0017"}}
			if !reflect.DeepEqual(asked, want) {
				t.Errorf("%s: asked %+v", test.name, asked)
			}
			continue
		}
		if d := problem(t, response, body); d.Code != "YM-API-0401" || response.Header.Get("WWW-Authenticate") == "" || asked.Case != "" {
			t.Errorf("%s: %s", test.name, body)
		}
	}
}

func TestErrorsBecomeStatuses(t *testing.T) {
	secret := errors.New("the cause names " + company)
	of := func(kind exchange.Kind) error {
		return fmt.Errorf("query: %w", &exchange.Problem{Code: "YM-QRY-0999", Kind: kind, What: text("甲", "a"), Why: text("乙", "b"), Mend: text("丙", "c"), Err: secret})
	}
	tests := []struct {
		name   string
		err    error
		status int
		code   string
		header string // which must be there
		logged bool
	}{
		{"invalid", of(exchange.Invalid), 422, "YM-QRY-0999", "", false},
		{"not known", of(exchange.Unauthorised), 401, "YM-QRY-0999", "Www-Authenticate", false},
		{"without a grant", of(exchange.Denied), 403, "YM-QRY-0999", "", false},
		{"not there", of(exchange.NotFound), 404, "YM-QRY-0999", "", false},
		{"conflict", of(exchange.Conflict), 409, "YM-QRY-0999", "", false},
		{"not available", of(exchange.Unavailable), 503, "YM-QRY-0999", "Retry-After", true},
		{"internal", of(exchange.Internal), 500, "YM-QRY-0999", "", true},
		{"of a kind of tomorrow", of("tomorrow"), 500, "YM-QRY-0999", "", false},
		{"no problem at all", secret, 500, "YM-API-0500", "", true},
		{"several", errors.Join(of(exchange.Denied), of(exchange.Invalid)), 403, "YM-QRY-0999", "", false},
	}
	for _, test := range tests {
		w := serve(t, func(context.Context, broker.Query) (broker.Conclusion, error) { return broker.Conclusion{}, test.err })
		response, body := w.send(t, "POST", "/v1/queries", sound)
		if d := problem(t, response, body); response.StatusCode != test.status || d.Code != test.code || test.header != "" && response.Header.Get(test.header) == "" {
			t.Errorf("%s: %d %v %s", test.name, response.StatusCode, response.Header, body)
		}
		if logged := strings.Contains(w.said(), "request failed"); logged != test.logged {
			t.Errorf("%s: logged %v", test.name, logged)
		}
	}
}

func TestLanguages(t *testing.T) {
	w := serve(t, conclude)
	tests := []struct{ accept, want string }{
		{"", "zh-CN"}, {"zh-CN", "zh-CN"}, {"en", "en"}, {"en-GB,en;q=0.9", "en"}, {"EN", "en"},
		{"zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"}, {"en;q=0.8,zh;q=0.9", "zh-CN"}, {"zh;q=0.5, en;q=0.6", "en"},
		{"fr", "zh-CN"}, {"fr, en;q=0.1", "en"}, {"*", "zh-CN"}, {"zh-TW", "zh-CN"}, {"en;q=0", "zh-CN"}, {"en;q=0, zh", "zh-CN"},
		{"englisch", "zh-CN"}, {"en;q=x", "zh-CN"}, {strings.Repeat("en-", 3000), "zh-CN"}, {"\xff", "zh-CN"}, {",,;;", "zh-CN"},
	}
	for _, test := range tests {
		response, body := w.send(t, "GET", "/nowhere", "", "Accept-Language: "+test.accept)
		d := problem(t, response, body)
		title := map[string]string{"zh-CN": d.What.ZH, "en": d.What.EN}[test.want]
		if got := response.Header.Get("Content-Language"); got != test.want || d.Title != title || response.Header.Get("Vary") != "Accept-Language" {
			t.Errorf("%.40q: %s, %s", test.accept, got, d.Title)
		}
	}
}

// An answer is what encoding/json would write: other clients and the audit log's tools read it by those rules.
func TestAnswerAsEncodingJSONWritesIt(t *testing.T) {
	w := serve(t, conclude)
	_, body := w.send(t, "POST", "/v1/queries", sound)
	c, _ := conclude(t.Context(), broker.Query{Case: "LL-2026-1123-0041", Item: "food-licence-new"})
	want, err := stdjson.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, body, string(want))
	for _, exact := range []string{`"amount":12345678901234567890.10`, `"as_of":"2026-11-23T12:00:00+08:00"`, `"version":3`, `"new <&> licence"`} {
		if !strings.Contains(body, exact) {
			t.Errorf("no %s in %s", exact, body)
		}
	}
	for _, absent := range []string{`"version":0`, `"deferrable":false`, `"reason":""`, `"as_of":"0001`, "null"} {
		if strings.Contains(body, absent) {
			t.Errorf("%s in %s", absent, body)
		}
	}
	_, body = w.send(t, "GET", "/v1/items", "")
	known, _ := city()
	if want, err = stdjson.Marshal(known.Services()); err != nil {
		t.Fatal(err)
	}
	sameJSON(t, body, string(want))
	_, body = w.send(t, "GET", "/v1/items/food-licence-new", "")
	service, _ := known.Service("food-licence-new")
	if want, err = stdjson.Marshal(service); err != nil {
		t.Fatal(err)
	}
	sameJSON(t, body, string(want))
}

func sameJSON(t *testing.T, a, b string) {
	t.Helper()
	read := func(s string) (v any) {
		d := stdjson.NewDecoder(strings.NewReader(s))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	if !reflect.DeepEqual(read(a), read(b)) {
		t.Errorf("%s\nis not\n%s", a, b)
	}
}

func TestReady(t *testing.T) {
	broken := errors.New("0 of 3 brokers\nanswer")
	good, bad := Check{"index", func(context.Context) error { return nil }}, Check{"kafka", func(context.Context) error { return broken }}
	slow := Check{"slow", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	tests := []struct {
		name, path string
		checks     []Check
		status     int
		want       string
	}{
		{"all well", "/readyz", []Check{good}, 200, "ok\n"},
		{"all well, in full", "/readyz?verbose", []Check{good}, 200, "[+]index ok\n"},
		{"one is not", "/readyz", []Check{bad, good}, 503, "[-]kafka: 0 of 3 brokers; answer\n[+]index ok\n"},
		{"one hangs", "/readyz", []Check{good, slow}, 503, "[+]index ok\n[-]slow: context deadline exceeded\n"},
	}
	for _, test := range tests {
		response, body := serve(t, conclude, test.checks...).send(t, "GET", test.path, "")
		if response.StatusCode != test.status || body != test.want {
			t.Errorf("%s: %d %s", test.name, response.StatusCode, body)
		}
	}
}
