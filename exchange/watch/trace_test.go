package watch_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/onedoor/yimen/exchange/trace"
	"github.com/onedoor/yimen/exchange/watch"
)

const (
	parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	canary = "430281209901011230"
)

// served is a handler with one route that answers and one that panics, as the API stands around its own.
func served() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{code}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, trace.Parent(r.Context())) })
	mux.HandleFunc("POST /panics/{code}", func(_ http.ResponseWriter, r *http.Request) { panic(r.PathValue("code")) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &watch.Answer{ResponseWriter: w}
		defer func() {
			watch.Recovered(r.Context(), recover(), seen, slog.New(slog.DiscardHandler), r.Pattern, func() { seen.WriteHeader(http.StatusInternalServerError) })
		}()
		mux.ServeHTTP(seen, r)
	})
}

func ask(h http.Handler, method, path string, headers http.Header) *httptest.ResponseRecorder {
	r, w := httptest.NewRequest(method, path, nil), httptest.NewRecorder()
	r.Header = headers
	h.ServeHTTP(w, r)
	return w
}

func TestSpansNameRoutesOnly(t *testing.T) {
	seen := tracetest.NewSpanRecorder()
	h := watch.Traced(served(), sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(seen)).Tracer("t"), "/livez")
	headers := http.Header{"Traceparent": {parent}, "User-Agent": {canary}}
	for _, at := range [][2]string{{"GET", "/items/" + canary + "?who=" + canary}, {"POST", "/panics/" + canary}, {"GET", "/" + canary}, {canary, "/items/x"}, {"GET", "/livez"}} {
		ask(h, at[0], at[1], headers)
	}
	var got []string
	for _, s := range seen.Ended() {
		got = append(got, s.Name()+" "+s.Status().Code.String())
		if s.Parent().SpanID().String() != parent[36:52] {
			t.Errorf("%s is not under the caller's span", s.Name())
		}
		if all := fmt.Sprint(s.Attributes(), s.Events(), s.Status()); strings.Contains(all, canary) {
			t.Errorf("%s tells %s", s.Name(), all)
		}
	}
	if want := []string{"GET /items/{code} Unset", "POST /panics/{code} Error", "GET Unset", "other Unset"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestAnswerSaysInWhichTrace(t *testing.T) {
	seen := tracetest.NewSpanRecorder()
	traced := watch.Traced(served(), sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(seen)).Tracer("t"))
	w := ask(traced, "GET", "/items/x", http.Header{"Traceparent": {parent}})
	own := seen.Ended()[0].SpanContext()
	if want := "00-" + parent[3:35] + "-" + own.SpanID().String() + "-01"; w.Header().Get("Traceresponse") != want || w.Body.String() != want {
		t.Errorf("answered in %q, worked in %q, want %q", w.Header().Get("Traceresponse"), w.Body, want)
	}
	untraced := watch.Traced(served(), nil)
	if got := ask(untraced, "GET", "/items/x", http.Header{"Traceparent": {parent}}).Header().Get("Traceresponse"); got != parent {
		t.Errorf("without a tracer: %q", got)
	}
	if _, there := ask(untraced, "GET", "/items/x", http.Header{}).Header()["Traceresponse"]; there {
		t.Error("a trace was made although nobody makes spans")
	}
}

func TestUntracedRequestsCostNoMemory(t *testing.T) {
	h := watch.Traced(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil)
	w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(context.Background(), "GET", "/", nil)
	if n := testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }); n > 0 {
		t.Errorf("%v pieces of memory", n)
	}
}
