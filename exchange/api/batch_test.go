package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
)

// many are the subjects of a batch: case by case the same company.
func many(n int) BatchRequest {
	asked := BatchRequest{Item: "food-licence-new", Mode: broker.Predicates}
	for i := range n {
		asked.Subjects = append(asked.Subjects, Subject{Case: fmt.Sprintf("LL-%d", i), Applicant: company, Facts: map[string]any{"n": i}})
	}
	return asked
}

// TestBatchIsInOrder: each subject is a query of its own, and the results stand in the order of the subjects, wrong ones among them.
func TestBatchIsInOrder(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]broker.Query{}
	w := serve(t, func(ctx context.Context, q broker.Query) (broker.Conclusion, error) {
		mu.Lock()
		defer mu.Unlock()
		asked[q.Case] = q
		return conclude(ctx, q)
	})
	client := Client{Base: w.URL, Token: clerks}
	batch := many(MaxBatch)
	batch.Subjects[7].Applicant = "no number"
	got, err := client.Batch(t.Context(), batch)
	if err != nil || got.Stopped != nil || len(got.Results) != MaxBatch || len(asked) != MaxBatch-1 {
		t.Fatalf("%v, stopped %+v, %d results, %d asked", err, got.Stopped, len(got.Results), len(asked))
	}
	for i, r := range got.Results {
		if i == 7 {
			if r.Conclusion != nil || r.Problem == nil || r.Problem.Status != http.StatusUnprocessableEntity {
				t.Errorf("the wrong one: %+v", r)
			}
			continue
		}
		if r.Problem != nil || r.Conclusion == nil || r.Conclusion.Case != batch.Subjects[i].Case || len(r.Conclusion.Answers) != 2 {
			t.Fatalf("%d: %+v %+v", i, r.Conclusion, r.Problem)
		}
	}
	if q := asked["LL-3"]; q.Mode != broker.Predicates || q.Item != "food-licence-new" || q.Caller.Clerk != "0017" || fmt.Sprint(q.Facts["n"]) != "3" {
		t.Errorf("asked %+v", q)
	}
}

// TestBatchStops: what all have in common ends it; who was asked for has a result, who was not has none.
func TestBatchStops(t *testing.T) {
	for _, kind := range []exchange.Kind{exchange.Limited, exchange.Denied, exchange.Unavailable, exchange.Conflict, exchange.Internal} {
		var mu sync.Mutex
		asked := 0
		w := serve(t, func(ctx context.Context, q broker.Query) (broker.Conclusion, error) {
			mu.Lock()
			defer mu.Unlock()
			if asked++; asked > 40 {
				return broker.Conclusion{}, &exchange.Problem{Code: "YM-LIM-0201", Kind: kind, What: text("到此为止", "so far")}
			}
			return conclude(ctx, q)
		})
		got, err := (&Client{Base: w.URL, Token: clerks}).Batch(t.Context(), many(200))
		if err != nil || got.Stopped == nil || got.Stopped.Code != "YM-LIM-0201" {
			t.Fatalf("%s: %v, %+v", kind, err, got.Stopped)
		}
		mu.Lock()
		answered := 0
		for _, r := range got.Results {
			if r.Conclusion != nil {
				answered++
			}
			if (r.Conclusion == nil) == (r.Problem == nil) {
				t.Errorf("%s: a result %+v", kind, r)
			}
		}
		if asked != len(got.Results) || answered != 40 || asked > 40+2*batchAtOnce {
			t.Errorf("%s: %d asked, %d results, %d answered", kind, asked, len(got.Results), answered)
		}
		mu.Unlock()
	}
}

// TestBatchNumbersItsQueries: a copy of a batch is refused by the number of any of its queries.
func TestBatchNumbersItsQueries(t *testing.T) {
	for i, want := range []string{"a-number-of-this-one.0", "a-number-of-this-one.1"} {
		if got := nonceOf("a-number-of-this-one", i); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := nonceOf("", 3); got != "" {
		t.Errorf("without one: %q", got)
	}
}

func TestBatchRefused(t *testing.T) {
	w := serve(t, func(context.Context, broker.Query) (broker.Conclusion, error) {
		return broker.Conclusion{}, errors.New("asked")
	})
	for name, row := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"nobody":             {`{"item":"food-licence-new","subjects":[]}`, 400, "YM-API-0101"},
		"no item":            {`{"subjects":[{"case":"LL-1","applicant":"` + company + `"}]}`, 400, "YM-API-0101"},
		"no such item":       {`{"item":"food-licence","subjects":[{"case":"LL-1","applicant":"` + company + `"}]}`, 404, "YM-API-0201"},
		"another department": {`{"item":"food-licence-new","department":"gaj","subjects":[{"case":"LL-1","applicant":"` + company + `"}]}`, 403, "YM-API-0406"},
		"too many":           {`{"item":"food-licence-new","subjects":[` + strings.Repeat(`{"case":"LL-1","applicant":"`+company+`"},`, MaxBatch) + `{"case":"LL-1","applicant":"` + company + `"}]}`, 400, "YM-API-0101"},
		"too large":          {`{"item":"food-licence-new","subjects":[]}` + strings.Repeat(" ", maxBatchBody), 413, "1024 KiB"},
	} {
		response, body := w.send(t, http.MethodPost, "/v1/batches", row.body, "Content-Type: application/json")
		if response.StatusCode != row.status || !strings.Contains(body, row.code) || strings.Contains(body, company) {
			t.Errorf("%s: %d %.300s", name, response.StatusCode, body)
		}
	}
	if said := w.said(); strings.Contains(said, company) {
		t.Errorf("the log has a number: %s", said)
	}
}

// TestBatchPanics: a panic of one query is dealt with like that of any request, and takes nobody else down.
func TestBatchPanics(t *testing.T) {
	w := serve(t, func(context.Context, broker.Query) (broker.Conclusion, error) { panic("somewhere") })
	if _, err := (&Client{Base: w.URL, Token: clerks}).Batch(t.Context(), many(3)); err == nil {
		t.Error("answered")
	}
	if response, _ := w.send(t, http.MethodGet, "/livez", ""); response.StatusCode != http.StatusOK {
		t.Errorf("afterwards %d", response.StatusCode)
	}
}
