package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
)

func TestPanicIsAnswered(t *testing.T) {
	var none []exchange.Answer
	w := serve(t, func(ctx context.Context, q broker.Query) (broker.Conclusion, error) {
		switch q.Case {
		case "LL-1":
			panic("asked for " + q.Applicant.Number)
		case "LL-2":
			return broker.Conclusion{Answers: none[7:]}, nil
		case "LL-3":
			panic(http.ErrAbortHandler)
		}
		return conclude(ctx, q)
	})
	for _, of := range []string{"LL-1", "LL-2"} {
		response, body := w.send(t, "POST", "/v1/queries", strings.Replace(sound, "LL-2026-1123-0041", of, 1))
		if d := problem(t, response, body); d.Status != 500 || d.Code != "YM-API-0500" {
			t.Errorf("%s: %s", of, body)
		}
	}
	client := Client{Base: w.URL, Token: clerks}
	if _, err := client.Query(t.Context(), QueryRequest{Case: "LL-3", Item: "food-licence-new", Applicant: company}); exchange.KindOf(err) != exchange.Unavailable {
		t.Errorf("aborted: %v", err)
	}
	if response, body := w.send(t, "POST", "/v1/queries", sound); response.StatusCode != 200 {
		t.Errorf("after panics: %d %s", response.StatusCode, body)
	}
	log := w.said()
	for _, want := range []string{"route=\"POST /v1/queries\"", "panic=string", "slice bounds out of range", "TestPanicIsAnswered", "watch_test.go:"} {
		if !strings.Contains(log, want) {
			t.Errorf("no %s in the log", want)
		}
	}
	if strings.Contains(log, company) {
		t.Errorf("the log holds a number:\n%s", log)
	}
}

// A panic in the middle of an answer must not leave half of it for a whole one.
func TestPanicAfterHalfAnAnswer(t *testing.T) {
	s := &server{cfg: Config{Log: slog.New(slog.DiscardHandler), Clock: time.Now}}
	half := httptest.NewServer(s.watched(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "half")
		panic("of it")
	})))
	defer half.Close()
	half.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	response, err := http.Get(half.URL)
	if err != nil {
		return
	}
	defer response.Body.Close()
	if content, err := io.ReadAll(response.Body); err == nil {
		t.Errorf("it passed for whole: %s", content)
	}
}
