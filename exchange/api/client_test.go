package api

import (
	"context"
	stdjson "encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
)

var asked = QueryRequest{Case: "LL-2026-1123-0041", Item: "food-licence-new", Applicant: company}

func TestClientGetsTheAnswer(t *testing.T) {
	w := serve(t, conclude)
	client := Client{Base: w.URL + "/", Token: clerks}
	got, err := client.Query(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := conclude(t.Context(), broker.Query{Case: asked.Case, Item: asked.Item})
	have, _ := stdjson.Marshal(got)
	meant, _ := stdjson.Marshal(want)
	sameJSON(t, string(have), string(meant))
	if !reflect.DeepEqual(got.Answers[1].Evidence[0].Fields, want.Answers[1].Evidence[0].Fields) {
		t.Errorf("fields %v", got.Answers[1].Evidence[0].Fields)
	}
}

func TestClientGetsTheProblem(t *testing.T) {
	kinds := []exchange.Kind{exchange.Internal, exchange.Invalid, exchange.NotFound, exchange.Denied, exchange.Conflict, exchange.Unavailable,
		exchange.Unauthorised, exchange.Limited}
	for _, kind := range kinds {
		given := &exchange.Problem{Code: "YM-QRY-0999", Kind: kind, What: text("甲", "a"), Why: text("乙", "b"), Mend: text("丙", "c"), Err: errors.New("cause")}
		w := serve(t, func(context.Context, broker.Query) (broker.Conclusion, error) { return broker.Conclusion{}, given })
		client := Client{Base: w.URL, Token: clerks}
		_, err := client.Query(t.Context(), asked)
		want := *given
		if want.Err = nil; kind == exchange.Unavailable {
			want.After = 2 * time.Second
		}
		if got, ok := errors.AsType[*exchange.Problem](err); !ok || !reflect.DeepEqual(*got, want) {
			t.Errorf("%s: %+v", kind, err)
		}
	}
	w := serve(t, conclude)
	client := Client{Base: w.URL, Token: "another"}
	if _, err := client.Query(t.Context(), asked); exchange.KindOf(err) != exchange.Unauthorised {
		t.Errorf("another token: %v", err)
	}
}

func TestClientIsNotTaken(t *testing.T) {
	says := func(status int, content, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", content)
			w.Header().Set("Location", "/v1/other")
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	tests := []struct {
		name    string
		handler http.HandlerFunc
		why     string
	}{
		{"HTML", says(200, "text/html", "<html>portal</html>"), "the answer is not one of the exchange"},
		{"another JSON", says(200, "application/json", `{"ok":true}`), "the answer is not one of the exchange"},
		{"null", says(200, "application/json", "null"), "the answer is not one of the exchange"},
		{"twice the id", says(200, "application/json", `{"id":"a","id":"b"}`), "the answer is not one of the exchange"},
		{"an error in HTML", says(502, "text/html", "<h1>Bad Gateway</h1>"), "status 502"},
		{"another problem", says(400, "application/problem+json", `{"title":"no","status":400}`), "status 400"},
		{"redirection", says(307, "text/html", ""), "status 307"},
		{"no content", says(204, "", ""), "status 204"},
		{"cut off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, `{"id":"a"`)
			panic(http.ErrAbortHandler)
		}, "EOF"},
		{"silence", func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); <-r.Context().Done() }, "it did not answer in time"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var calls atomic.Int64
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { calls.Add(1); test.handler(w, r) }))
			t.Cleanup(s.Close)
			client := Client{Base: s.URL, Token: clerks, HTTP: &http.Client{Timeout: 300 * time.Millisecond}}
			c, err := client.Query(t.Context(), asked)
			if exchange.KindOf(err) != exchange.Unavailable || !strings.Contains(err.Error(), test.why) || !strings.Contains(err.Error(), s.URL) || c.ID != "" {
				t.Errorf("%+v, %v", c, err)
			}
			if calls.Load() != 1 || strings.Contains(err.Error(), company) || strings.Contains(err.Error(), clerks) {
				t.Errorf("%d calls, %v", calls.Load(), err)
			}
		})
	}
}

func TestClientRefusesTheAddress(t *testing.T) {
	w := serve(t, conclude)
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	at := strings.TrimPrefix(w.URL, "http://")
	tests := []struct {
		name, base, token string
		kind              exchange.Kind
		want              string
	}{
		{"nothing", "", clerks, exchange.Invalid, "YM-API-0501"},
		{"no scheme", at, clerks, exchange.Invalid, "YM-API-0501"},
		{"another scheme", "ftp://" + at, clerks, exchange.Invalid, "YM-API-0501"},
		{"no host", "http://", clerks, exchange.Invalid, "YM-API-0501"},
		{"TLS where there is none", "https://" + at, clerks, exchange.Unavailable, "it does not speak TLS"},
		{"certificate of somebody", secure.URL, clerks, exchange.Unavailable, "its certificate is not trusted"},
		{"nobody there", "http://127.0.0.1:1", clerks, exchange.Unavailable, "refused"},
		{"password", "http://user:" + clerks + "@127.0.0.1:1", clerks, exchange.Unavailable, "refused"},
		{"line break in the token", w.URL, "a\nb", exchange.Invalid, "YM-API-0502"},
		{"Chinese in the token", w.URL, "令牌", exchange.Invalid, "YM-API-0502"},
	}
	for _, test := range tests {
		client := Client{Base: test.base, Token: test.token}
		_, err := client.Query(t.Context(), asked)
		if exchange.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), clerks) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	gone, stop := context.WithCancel(t.Context())
	stop()
	client := Client{Base: w.URL, Token: clerks}
	if _, err := client.Query(gone, asked); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
