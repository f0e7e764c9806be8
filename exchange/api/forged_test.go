package api

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/door"
)

// everybody is a roll on which everybody stands.
type everybody struct{}

func (everybody) Admits(*x509.Certificate) error      { return nil }
func (everybody) AdmitsIdentity(certs.Identity) error { return nil }

// counter is the API without a network, at which the window's service shows its certificate.
type counter struct {
	handler  http.Handler
	reported []audit.Entry
	asked    []broker.Query
}

func newCounter(t *testing.T) *counter {
	t.Helper()
	known, err := city()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "callers.yaml")
	if err := os.WriteFile(path, []byte("- {department: xzsp, clerk: '0017', token_sha256: "+door.TokenHash(clerks)+"}"), 0o600); err != nil {
		t.Fatal(err)
	}
	callers, err := door.LoadCallers(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{}
	keeper := door.New(door.Config{Callers: callers, City: "liling", Roll: everybody{},
		Report: func(_ context.Context, e audit.Entry) { c.reported = append(c.reported, e) }})
	ask := answers(func(ctx context.Context, q broker.Query) (broker.Conclusion, error) {
		c.asked = append(c.asked, q)
		return conclude(ctx, q)
	})
	if c.handler, err = New(Config{Broker: ask, Catalogue: func() *catalogue.Catalogue { return known }, Door: keeper, Metrics: prometheus.NewRegistry(), Clock: func() time.Time { return noon }}); err != nil {
		t.Fatal(err)
	}
	return c
}

// send is a query with a token, or with the certificate of a service where there is none.
func (c *counter) send(body, token string, headers http.Header) (*http.Response, string) {
	c.asked, c.reported = nil, nil
	r := httptest.NewRequest(http.MethodPost, "/v1/queries", strings.NewReader(body))
	r.Header = headers.Clone()
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	} else {
		window := &url.URL{Scheme: "spiffe", Host: "liling", Path: "/dept/xzsp/service/window"}
		r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{{URIs: []*url.URL{window}}}}}
	}
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	return w.Result(), w.Body.String()
}

// TestForgedQueries goes on from where the door's TestForgedRequests ends: the caller is known, and what it sends is somebody
// else's, or a copy. Each is refused before the broker hears of it, and stands in the log.
func TestForgedQueries(t *testing.T) {
	const number = "abcdefghijklmnop-_09"
	at := func(d time.Duration) string { return noon.Add(d).Format(time.RFC3339) }
	of := func(numbers, times []string) http.Header {
		h := http.Header{}
		h[headerNonce], h[headerTime] = numbers, times
		return h
	}
	one := func(number, time string) http.Header { return of([]string{number}, []string{time}) }
	named := func(department string) string {
		return strings.Replace(sound, "{", `{"department":"`+department+`",`, 1)
	}
	none := http.Header{}
	fresh := one(number, at(0))
	tests := []struct {
		name, body, token string
		headers           http.Header
		want              string // the problem's code; empty: the broker is asked
	}{
		{"certificate and fresh number", sound, "", fresh, ""},
		{"its own department in the body", named("xzsp"), "", fresh, ""},
		{"a clock that is nearly five minutes slow", sound, "", one(number, at(-NonceWindow)), ""},
		{"a clock that is nearly five minutes fast", sound, "", one(number, at(NonceWindow)), ""},
		{"time in another zone", sound, "", one(number, noon.UTC().Format(time.RFC3339)), ""},
		{"a person without a number", sound, clerks, none, ""},
		{"a person with one", sound, clerks, fresh, ""},

		{"another department in the body, over a certificate", named("wjw"), "", fresh, "YM-API-0406"},
		{"another department in the body, with a token", named("wjw"), clerks, none, "YM-API-0406"},
		{"department in capitals", named("XZSP"), "", fresh, "YM-API-0406"},
		{"department with a space", named("xzsp "), "", fresh, "YM-API-0406"},
		{"department that looks the same", named("хzsp"), "", fresh, "YM-API-0406"},
		{"department and path", named("xzsp/service/window"), "", fresh, "YM-API-0406"},

		{"a machine without number and time", sound, "", none, "YM-API-0104"},
		{"no number", sound, "", of(nil, []string{at(0)}), "YM-API-0104"},
		{"no time", sound, "", of([]string{number}, nil), "YM-API-0104"},
		{"a person with half of it", sound, clerks, of([]string{number}, nil), "YM-API-0104"},
		{"two numbers", sound, "", of([]string{number, number + "x"}, []string{at(0)}), "YM-API-0104"},
		{"two times", sound, "", of([]string{number}, []string{at(-time.Hour), at(0)}), "YM-API-0104"},
		{"empty number", sound, "", one("", at(0)), "YM-API-0104"},
		{"short number", sound, "", one("abcdefghijklmno", at(0)), "YM-API-0104"},
		{"long number", sound, "", one(strings.Repeat("a", 65), at(0)), "YM-API-0104"},
		{"number with a space", sound, "", one(number+" ", at(0)), "YM-API-0104"},
		{"number with a line break", sound, "", one(number+"\n", at(0)), "YM-API-0104"},
		{"two numbers in one", sound, "", one(number+","+number, at(0)), "YM-API-0104"},
		{"number in Chinese digits", sound, "", one("〇一二三四五六七八九〇一二三四五", at(0)), "YM-API-0104"},
		{"old", sound, "", one(number, at(-NonceWindow-time.Second)), "YM-API-0104"},
		{"of yesterday", sound, "", one(number, at(-24*time.Hour)), "YM-API-0104"},
		{"of the future", sound, "", one(number, at(NonceWindow+time.Second)), "YM-API-0104"},
		{"a person's old one", sound, clerks, one(number, at(-time.Hour)), "YM-API-0104"},
		{"local time for UTC", sound, "", one(number, noon.Format("2006-01-02T15:04:05Z")), "YM-API-0104"},
		{"no zone", sound, "", one(number, noon.Format("2006-01-02T15:04:05")), "YM-API-0104"},
		{"seconds since 1970", sound, "", one(number, "1795406400"), "YM-API-0104"},
		{"time of HTTP", sound, "", one(number, noon.UTC().Format(http.TimeFormat)), "YM-API-0104"},
		{"empty time", sound, "", one(number, ""), "YM-API-0104"},
		{"year of five digits", sound, "", one(number, "12026-11-23T12:00:00+08:00"), "YM-API-0104"},
		{"number in the body", strings.Replace(sound, "{", `{"nonce":"`+number+`",`, 1), "", none, "YM-API-0104"},
		{"old, and another department", named("wjw"), "", one(number, at(-time.Hour)), "YM-API-0104"},
		{"unknown token and fresh number", sound, "token-of-nobody", fresh, "YM-API-0401"},
		{"the certificate's name as token", sound, "spiffe://liling/dept/xzsp/service/window", fresh, "YM-API-0401"},
	}
	if len(tests) < 40 {
		t.Errorf("only %d requests", len(tests))
	}
	c := newCounter(t)
	for _, test := range tests {
		response, body := c.send(test.body, test.token, test.headers)
		if test.want == "" {
			if response.StatusCode != http.StatusOK || len(c.asked) != 1 || len(c.reported) != 0 || c.asked[0].Nonce != test.headers.Get(headerNonce) {
				t.Errorf("%s: %d, asked %d times, reported %+v: %s", test.name, response.StatusCode, len(c.asked), c.reported, body)
			}
			continue
		}
		if d := problem(t, response, body); d.Code != test.want || len(c.asked) != 0 {
			t.Errorf("%s: asked %d times: %s", test.name, len(c.asked), body)
		}
		if len(c.reported) != 1 || c.reported[0].Kind != audit.Rejection || c.reported[0].Refusal != test.want || c.reported[0].Holder.Number != "" {
			t.Errorf("%s: reported %+v", test.name, c.reported)
		}
		if known := test.want != "YM-API-0401"; known && (len(c.reported) != 1 || c.reported[0].Department != "xzsp") {
			t.Errorf("%s: whose it was is not reported: %+v", test.name, c.reported)
		}
	}
}

// TestRepeatedQueriesAreFresh: an Idempotency-Key is no way around number and time, nor past who remembers the numbers.
func TestRepeatedQueriesAreFresh(t *testing.T) {
	c := newCounter(t)
	with := func(number string, at time.Duration) http.Header {
		h := http.Header{"Idempotency-Key": {"0123456789abcdef"}}
		if number != "" {
			h.Set(headerNonce, number)
			h.Set(headerTime, noon.Add(at).Format(time.RFC3339))
		}
		return h
	}
	const first, second = "abcdefghijklmnop-_01", "abcdefghijklmnop-_02"
	for _, step := range []struct {
		name     string
		headers  http.Header
		asked    int
		replayed string
		want     string
	}{
		{"the first", with(first, 0), 1, "", ""},
		{"again, with a number of its own", with(second, 0), 0, "true", ""},
		{"a copy of the first", with(first, 0), 1, "", ""}, // the broker's limits know its number
		{"again without a number", with("", 0), 0, "", "YM-API-0104"},
		{"again, but old", with("abcdefghijklmnop-_03", -time.Hour), 0, "", "YM-API-0104"},
	} {
		response, body := c.send(sound, "", step.headers)
		if len(c.asked) != step.asked || response.Header.Get("Idempotent-Replayed") != step.replayed {
			t.Errorf("%s: asked %d times, replayed %q: %s", step.name, len(c.asked), response.Header.Get("Idempotent-Replayed"), body)
		}
		if step.want != "" && (problem(t, response, body).Code != step.want || len(c.reported) != 1) {
			t.Errorf("%s: %s", step.name, body)
		}
	}
}
