package api

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/identity"
)

// refuse is a broker that refuses with a problem.
func refuse(p exchange.Problem) answers {
	p.Code, p.What, p.Mend = "YM-LIM-0201", text("够了", "enough"), text("明天", "tomorrow")
	return func(context.Context, broker.Query) (broker.Conclusion, error) {
		return broker.Conclusion{}, fmt.Errorf("query: %w", &p)
	}
}

func TestAskedTooMuch(t *testing.T) {
	for after, want := range map[time.Duration]string{0: "", time.Nanosecond: "1", time.Minute: "60", 90*time.Second + time.Millisecond: "91"} {
		w := serve(t, refuse(exchange.Problem{Kind: exchange.Limited, After: after}))
		response, body := w.send(t, "POST", "/v1/queries", sound)
		if d := problem(t, response, body); response.StatusCode != http.StatusTooManyRequests || d.Kind != exchange.Limited || response.Header.Get("Retry-After") != want {
			t.Errorf("%v: %d, %v", after, response.StatusCode, response.Header)
		}
		_, err := (&Client{Base: w.URL, Token: clerks}).Query(t.Context(), QueryRequest{Case: "LL-1", Item: "food-licence-new", Applicant: company})
		if p, ok := errors.AsType[*exchange.Problem](err); !ok || p.Kind != exchange.Limited || p.Code != "YM-LIM-0201" {
			t.Errorf("the client says %v", err)
		}
		if log := w.said(); strings.Contains(log, "request failed") {
			t.Errorf("logged as a fault: %s", log)
		}
	}
}

// few is an index that has records of one person only, and says how often it was asked.
type few struct {
	of    string
	asked int
}

func (f *few) Find(_ context.Context, h exchange.Holder, _ []exchange.EvidenceType) (found exchange.Found, err error) {
	f.asked++
	if h.Number == f.of {
		found.Records = make([]exchange.Record, 40)
	}
	return found, nil
}

// accepting is an audit log that keeps everything.
type accepting struct{}

func (accepting) Stamp(_ context.Context, e *audit.Entry) error {
	e.ID, e.Subject = "01ARYZ6S41", "token"
	return nil
}

func (accepting) Append(context.Context, audit.Entry) (audit.Receipt, error) {
	return audit.Receipt{ID: "01ARYZ6S41"}, nil
}

// Whoever may not ask cannot tell who is held from who is not, nor from one who is not known at all, by status, headers, body or its
// size, in either language.
func TestAbsentAndPresentLookAlike(t *testing.T) {
	known, err := city()
	if err != nil {
		t.Fatal(err)
	}
	number := func(first17 string) string { return first17 + string(rune(identity.CitizenCheck(first17))) }
	present := number("43028119900101001")
	index := &few{of: present}
	b, err := broker.New(broker.Config{Catalogue: known, Holdings: index, Audit: accepting{}})
	if err != nil {
		t.Fatal(err)
	}
	w := serve(t, b.Query)
	for _, language := range []string{"zh", "en"} {
		var first *http.Response
		var body string
		for _, applicant := range []string{present, number("43028119900101003"), number("11010119491001001")} {
			response, got := w.send(t, "POST", "/v1/queries", `{"case":"LL-2026-1123-0041","item":"birth-registration","applicant":"`+applicant+`"}`, "Accept-Language: "+language)
			if d := problem(t, response, got); d.Status != http.StatusForbidden || d.Code != "YM-QRY-0201" {
				t.Fatalf("%d: %s", d.Status, got)
			}
			response.Header.Del("Date")
			if first == nil {
				first, body = response, got
				continue
			}
			if response.StatusCode != first.StatusCode || !maps.EqualFunc(response.Header, first.Header, func(a, b []string) bool { return strings.Join(a, "\n") == strings.Join(b, "\n") }) {
				t.Errorf("%d %v, and %d %v", response.StatusCode, response.Header, first.StatusCode, first.Header)
			}
			if got != body {
				t.Errorf("%d and %d bytes:\n%s\n%s", len(got), len(body), got, body)
			}
		}
	}
	if index.asked != 0 {
		t.Errorf("%d look-ups", index.asked)
	}
}
