package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/compat"
	"github.com/onedoor/yimen/schemas/registry"
)

// wasAsked is what a client sent.
type wasAsked struct{ line, token, body string }

// answering is a registry that answers everything with one text, and what it was asked.
func answering(t *testing.T, status int, body string) (*Client, *[]wasAsked) {
	t.Helper()
	var got []wasAsked
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, _ := io.ReadAll(r.Body)
		got = append(got, wasAsked{r.Method + " " + r.RequestURI, r.Header.Get("Authorization"), string(sent)})
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return &Client{Base: server.URL + "/registry/", Token: "t0ken"}, &got
}

func TestClientAsks(t *testing.T) {
	at := time.Date(2026, 12, 31, 0, 0, 0, 0, exchange.China)
	for _, row := range []struct {
		name, answer string
		do           func(context.Context, *Client) (any, error)
		line, body   string
		want         string
	}{
		{"subjects", `["a-value"]`, func(ctx context.Context, c *Client) (any, error) { return c.Subjects(ctx, true) },
			"GET /registry/subjects?deleted=true", "", "[a-value]"},
		{"versions", `[1,3]`, func(ctx context.Context, c *Client) (any, error) { return c.Versions(ctx, "a/b c", false) },
			"GET /registry/subjects/a%2Fb%20c/versions", "", "[1 3]"},
		{"latest", `{"subject":"a","version":2,"id":7,"schema":"{}","deleted":true}`, func(ctx context.Context, c *Client) (any, error) {
			v, err := c.Version(ctx, "a", 0, false)
			return fmt.Sprint(v.Version, v.ID, v.Schema, v.Deleted), err
		}, "GET /registry/subjects/a/versions/latest", "", "2 7{}true"},
		{"a name of dots", `[]`, func(ctx context.Context, c *Client) (any, error) { return c.Versions(ctx, "..", false) },
			"GET /registry/subjects/%2E%2E/versions", "", "[]"},
		{"a name in Chinese", `[]`, func(ctx context.Context, c *Client) (any, error) { return c.Versions(ctx, "证?照", false) },
			"GET /registry/subjects/%E8%AF%81%3F%E7%85%A7/versions", "", "[]"},
		{"register", `{"id":7}`, func(ctx context.Context, c *Client) (any, error) {
			r, err := c.Register(ctx, "a", registry.Candidate{Text: []byte(`{"type":"string"}`), Normalize: true,
				References: []registry.Reference{{Name: "n", Subject: "s", Version: 2}}}, true)
			return fmt.Sprint(r.Subject, " ", r.ID), err
		}, "POST /registry/subjects/a/versions?dryRun=true&normalize=true",
			`{"schema":"{\"type\":\"string\"}","schemaType":"JSON","references":[{"name":"n","subject":"s","version":2}]}`, "a 7"},
		{"level", `{"compatibilityLevel":"FULL"}`, func(ctx context.Context, c *Client) (any, error) { return c.Level(ctx, "") },
			"GET /registry/config", "", "{FULL STRICT false}"},
		{"set level", `{}`, func(ctx context.Context, c *Client) (any, error) {
			return nil, c.SetLevel(ctx, "a", registry.Level{Policy: compat.Lenient})
		}, "PUT /registry/config/a", `{"compatibilityPolicy":"LENIENT"}`, "<nil>"},
		{"delete level", `{}`, func(ctx context.Context, c *Client) (any, error) { return nil, c.DeleteLevel(ctx, "a") },
			"DELETE /registry/config/a", "", "<nil>"},
		{"mode", `{"mode":"READONLY"}`, func(ctx context.Context, c *Client) (any, error) {
			mode, own, err := c.Mode(ctx, "a")
			return fmt.Sprint(mode, own), err
		}, "GET /registry/mode/a", "", "READONLYtrue"},
		{"history of all", `[{"offset":3,"by":"x"}]`, func(ctx context.Context, c *Client) (any, error) {
			h, err := c.History(ctx, "")
			return len(h), err
		}, "GET /registry/history", "", "1"},
		{"history", `[]`, func(ctx context.Context, c *Client) (any, error) { return c.History(ctx, "a") }, "GET /registry/subjects/a/history", "", "[]"},
		{"deprecate", `{}`, func(ctx context.Context, c *Client) (any, error) { return nil, c.Deprecate(ctx, "a", 3, "old") },
			"PUT /registry/subjects/a/versions/3/deprecation", `{"reason":"old"}`, "<nil>"},
		{"take the mark away", `{}`, func(ctx context.Context, c *Client) (any, error) { return nil, c.Deprecate(ctx, "a", 0, "") },
			"DELETE /registry/subjects/a/deprecation", "", "<nil>"},
		{"retire", `{}`, func(ctx context.Context, c *Client) (any, error) { return nil, c.Retire(ctx, "a", at, "old") },
			"PUT /registry/subjects/a/retirement", `{"from":"2026-12-31T00:00:00+08:00","reason":"old"}`, "<nil>"},
		{"take it back", `{}`, func(ctx context.Context, c *Client) (any, error) { return nil, c.Retire(ctx, "a", time.Time{}, "") },
			"DELETE /registry/subjects/a/retirement", "", "<nil>"},
		{"retirement", `{"from":"2026-12-31T00:00:00+08:00"}`, func(ctx context.Context, c *Client) (any, error) {
			r, err := c.Retirement(ctx, "a")
			return r != nil && r.From.Equal(at), err
		}, "GET /registry/subjects/a/retirement", "", "true"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, got := answering(t, http.StatusOK, row.answer)
			found, err := row.do(t.Context(), c)
			if err != nil || fmt.Sprint(found) != row.want {
				t.Errorf("%v, %v, want %s", found, err, row.want)
			}
			if want := (wasAsked{row.line, "Bearer t0ken", row.body}); len(*got) != 1 || (*got)[0] != want {
				t.Errorf("asked\n%q, want\n%q", *got, want)
			}
		})
	}
}

func TestClientRefusals(t *testing.T) {
	ours := `{"error_code":409,"message":"m","problem":{"code":"YM-REG-409","kind":"conflict","what":{"zh":"不兼容","en":"incompatible"},"mend":{"zh":"改","en":"mend"}},` +
		`"findings":{"level":"BACKWARD","against":[{"version":1,"direction":"backward","findings":[{"rule":"r","pointer":"/p","document":{"a":1}}]}]}}`
	for _, row := range []struct {
		name   string
		status int
		body   string
		code   string
		kind   exchange.Kind
		broken bool
	}{
		{"ours", 409, ours, "YM-REG-409", exchange.Conflict, true},
		{"Confluent's", 404, `{"error_code":40401,"message":"Subject 'a' not found."}`, "YM-REG-40401", exchange.NotFound, false},
		{"Confluent's, invalid", 422, `{"error_code":42201,"message":"Invalid schema"}`, "YM-REG-42201", exchange.Invalid, false},
		{"no token", 401, `{"error_code":40101,"message":"?"}`, "YM-REG-40101", exchange.Unauthorised, false},
		{"not allowed", 403, `{"error_code":40301,"message":"?"}`, "YM-REG-40301", exchange.Denied, false},
		{"busy", 429, `{"error_code":429,"message":"?"}`, "YM-REG-429", exchange.Unavailable, false},
		{"down", 503, `{"error_code":50001,"message":"?"}`, "YM-REG-50001", exchange.Unavailable, false},
		{"broken", 500, `{"error_code":50001,"message":"?"}`, "YM-REG-50001", exchange.Internal, false},
		{"a proxy", 502, `<html>`, "YM-REG-0503", exchange.Unavailable, false},
		{"another service", 404, `{"message":"no"}`, "YM-REG-0503", exchange.Unavailable, false},
		{"a redirection", 302, ``, "YM-REG-0503", exchange.Unavailable, false},
		{"no JSON", 200, `oops`, "YM-REG-0503", exchange.Unavailable, false},
		{"nothing", 200, ``, "YM-REG-0503", exchange.Unavailable, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, _ := answering(t, row.status, row.body)
			_, err := c.Versions(t.Context(), "a", false)
			p, _ := errors.AsType[*exchange.Problem](err)
			if p == nil || p.Code != row.code || p.Kind != row.kind {
				t.Fatalf("%v, want %s %s", err, row.code, row.kind)
			}
			refused, broken := errors.AsType[*registry.Incompatible](err)
			if broken != row.broken || broken && string(refused.Judgement.Against[0].Findings[0].Document) != `{"a":1}` {
				t.Errorf("incompatible: %v %+v", broken, refused)
			}
			if strings.Contains(p.Code, "t0ken") {
				t.Error("the token is told")
			}
		})
	}
}

// TestClientFallsBackToTheGlobal level and mode, which a registry says are not the subject's own.
func TestClientFallsBackToTheGlobal(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("defaultToGlobal") != "true" {
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"error_code":40408,"message":"no"}`)
			return
		}
		io.WriteString(w, `{"compatibilityLevel":"NONE","compatibilityPolicy":"LENIENT","mode":"IMPORT"}`)
	}))
	defer server.Close()
	c := &Client{Base: server.URL}
	if level, err := c.Level(t.Context(), "a"); err != nil || level != (registry.Level{Compatibility: "NONE", Policy: compat.Lenient}) {
		t.Errorf("%+v, %v", level, err)
	}
	if mode, own, err := c.Mode(t.Context(), "a"); err != nil || mode != "IMPORT" || own {
		t.Errorf("%s, %v, %v", mode, own, err)
	}
	if r, err := c.Retirement(t.Context(), "a"); err != nil || r != nil {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestClientImpact(t *testing.T) {
	for _, row := range []struct{ name, body, want, code string }{
		{"progress and an end", "{\"done\":1,\"of\":3}\n{\"done\":3,\"of\":3}\n{\"impact\":{\"a\":1}}\n", `{"a":1} 1/3 3/3`, ""},
		{"at once", `{"impact":{}}`, "{}", ""},
		{"an error on the way", "{\"done\":1,\"of\":3}\n{\"error\":{\"error_code\":50001,\"message\":\"m\",\"problem\":{\"code\":\"YM-X-1\",\"kind\":\"invalid\"}}}\n", "", "YM-X-1"},
		{"no end", "{\"done\":1,\"of\":3}\n", "", "YM-REG-0503"},
		{"nothing", "", "", "YM-REG-0503"},
		{"no JSON", "<html>\n", "", "YM-REG-0503"},
		{"a line too long", `{"impact":"` + strings.Repeat("x", mostLine) + `"}`, "", "YM-REG-0503"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, _ := answering(t, http.StatusOK, row.body)
			told := ""
			found, err := c.Impact(t.Context(), "a", []byte("{}"), func(done, of int64) { told += fmt.Sprintf(" %d/%d", done, of) })
			p, _ := errors.AsType[*exchange.Problem](err)
			if row.code == "" && (err != nil || string(found)+told != row.want) || row.code != "" && (p == nil || p.Code != row.code) {
				t.Errorf("%s%s, %v", found, told, err)
			}
		})
	}
}

func TestClientWithoutARegistry(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, row := range []struct {
		name, base string
		ctx        context.Context
		code       string
	}{
		{"nobody listens", server.URL, t.Context(), "YM-REG-0503"},
		{"a wrong address", "http://[::1", t.Context(), "YM-REG-0503"},
		{"a password in it", strings.Replace(server.URL, "http://", "http://u:s3cret@", 1), t.Context(), "YM-REG-0503"},
		{"stopped", server.URL, stopped, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := (&Client{Base: row.base}).Subjects(row.ctx, false)
			p, _ := errors.AsType[*exchange.Problem](err)
			if row.code == "" && !errors.Is(err, context.Canceled) || row.code != "" && (p == nil || p.Code != row.code) {
				t.Errorf("%v", err)
			}
			if err == nil || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the password is told: %v", err)
			}
		})
	}
}

// roundTrip is a transport made of its one method.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// FuzzClient looks for answers that a client dies of, or refuses otherwise than as a problem.
func FuzzClient(f *testing.F) {
	f.Add(200, `{"impact":{}}`)
	f.Add(200, `{"id":1,"version":2,"verdict":{"against":[{}]}}`)
	f.Add(409, `{"error_code":409,"problem":{"code":"YM-X-1"},"findings":{"against":[{"findings":[{"document":1}]}]}}`)
	f.Add(500, `{"error_code":"x"}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		c := &Client{Base: "http://registry", HTTP: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}}, nil
		})}}
		_, register := c.Register(t.Context(), "a", registry.Candidate{Text: []byte(body)}, true)
		_, version := c.Version(t.Context(), "a", 1, false)
		_, found := c.Impact(t.Context(), "a", []byte(body), func(int64, int64) {})
		for _, err := range []error{register, version, found} {
			if p, _ := errors.AsType[*exchange.Problem](err); err != nil && (p == nil || p.Code == "" || p.Kind == "") {
				t.Errorf("%d %q: %v", status, body, err)
			}
		}
	})
}
