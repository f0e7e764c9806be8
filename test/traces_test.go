package test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/onedoor/yimen/deploy/demo"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/test/logs"
)

// receiver takes spans by OTLP over HTTP, as a collector does.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	raw   []byte // all that was sent
	spans []span
}

// span is what the stories look at.
type span struct{ trace, id, under, name, link string }

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		body, err := io.ReadAll(in.Body)
		var sent collector.ExportTraceServiceRequest
		if err != nil || in.URL.Path != "/v1/traces" || proto.Unmarshal(body, &sent) != nil {
			t.Errorf("%s: %v", in.URL.Path, err)
		}
		r.take(body, &sent)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) take(body []byte, sent *collector.ExportTraceServiceRequest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.raw = append(r.raw, body...)
	for _, resource := range sent.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, s := range scope.Spans {
				got := span{trace: fmt.Sprintf("%x", s.TraceId), id: fmt.Sprintf("%x", s.SpanId), under: fmt.Sprintf("%x", s.ParentSpanId), name: s.Name}
				for _, link := range s.Links {
					got.link = fmt.Sprintf("%x", link.SpanId)
				}
				r.spans = append(r.spans, got)
			}
		}
	}
}

// tree lists the spans below one, each step deeper by two blanks, each name once.
func tree(all []span, under, indent string) (lines []string) {
	for _, s := range all {
		if s.under == under {
			lines = append(lines, indent+s.name)
			lines = append(lines, tree(all, s.id, indent+"  ")...)
		}
	}
	return lines
}

// A row's way from its file to an answer is one trace: the adapter's spans, those of the node that folded what came over Kafka, and
// those of the query, which the client made in the same trace.
func TestOneTraceFromFileToAnswer(t *testing.T) {
	var log logs.Buffer
	to, kept := newReceiver(t), tracetest.NewInMemoryExporter()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSyncer(kept)).Tracer("story")
	p := &place{t: t, dir: t.TempDir(), log: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), tracer: tracer}
	cfg := settings()
	cfg.Traces.Endpoint = to.URL
	p.start(cfg, demo.Catalogue())
	department := t.TempDir()
	_, numbers := plant(t, filepath.Join(department, "canaries.csv"), 40)
	write(t, filepath.Join(department, "canaries.yaml"), canaryManifest)

	ctx, root := tracer.Start(t.Context(), "story")
	r := p.adapter(filepath.Join(department, "canaries.yaml"))
	defer r.Close()
	if _, err := r.Run(ctx); err != nil {
		t.Fatal(err)
	}
	p.settle()
	if _, err := p.client.Query(ctx, api.QueryRequest{Case: "LL-2026-1123-0041", Item: "food-licence-individual", Applicant: numbers[0]}); err != nil {
		t.Fatal(err)
	}
	root.End()
	id := root.SpanContext().TraceID().String()
	if metrics := string(openMetrics(t, p)); !strings.Contains(metrics, `yimen_query_duration_seconds_bucket{item="food-licence-individual",outcome="answered",le=`) ||
		!strings.Contains(metrics, `# {trace_id="`+id+`"}`) {
		t.Error("the histogram of latency has no exemplar")
	}
	p.close()
	if !strings.Contains(log.String(), `"route":"POST /v1/queries","status":200,`) || !strings.Contains(log.String(), `"trace_id":"`+id+`"`) {
		t.Error("no line of the log names the trace")
	}

	all := slices.DeleteFunc(to.spans, func(s span) bool { return s.trace != id })
	for _, s := range kept.GetSpans() {
		if s.SpanContext.TraceID().String() != id {
			t.Errorf("%s is of another trace", s.Name)
		}
		all = append(all, span{trace: id, id: s.SpanContext.SpanID().String(), under: s.Parent.SpanID().String(), name: s.Name})
	}
	got := slices.Compact(tree(all, root.SpanContext().SpanID().String(), ""))
	slices.Sort(got)
	want := []string{"POST /v1/queries", "  append audit entry", "  decide", "  find", "adapter run", "  batch", "  fold coverage.wjw",
		"    append evidence.health-certificate", "    append quarantine.wjw", "    fold evidence.health-certificate", "    fold quarantine.wjw",
		"    read, map and seal", "    sign", "    store"}
	slices.Sort(want)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		t.Errorf("spans\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if to := linked(all, "find"); to != "fold evidence.health-certificate" {
		t.Errorf("what was found came by %q", to)
	}
	if to := linked(all, "fold evidence.health-certificate"); to != "batch" {
		t.Errorf("what was folded came by %q", to)
	}
}

// linked is the name of the span to which the one of that name has a link.
func linked(all []span, from string) string {
	for _, s := range all {
		for _, to := range all {
			if s.name == from && s.link == to.id {
				return to.name
			}
		}
	}
	return ""
}

// Where nobody makes spans, the trace that a caller has begun goes on by its header all the same: to the log, the topic of the audit
// log, the metrics and the answer. One whose id is somebody's number does not.
func TestCallersTraceGoesOnWithoutSpans(t *testing.T) {
	var log logs.Buffer
	p := &place{t: t, dir: t.TempDir(), now: afternoon, log: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	p.start(settings(), demo.Catalogue())
	const id, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	const number = "430281195003071210"
	spelt := "00-00000000000000" + number + "-00f067aa0ba902b7-01"
	for line, want := range map[string]string{parent: parent, spelt: "", "": ""} {
		if got := queryIn(t, p, line).Get("Traceresponse"); got != want {
			t.Errorf("asked in %q, answered in %q", line, got)
		}
	}
	marked := map[string]int{}
	p.follow("audit", func(m *exchange.Message) { marked[m.Header("traceparent")]++ })
	if marked[parent] != 1 || marked[""] != 2 || len(marked) != 2 {
		t.Errorf("entries are of %v", marked)
	}
	metrics := string(openMetrics(t, p))
	if !strings.Contains(metrics, `# {trace_id="`+id+`"}`) || strings.Contains(metrics, number) {
		t.Error("no exemplar, or one of somebody's number")
	}
	p.close()
	if said := log.String(); strings.Count(said, `"trace_id":"`+id+`"`) != 1 || strings.Contains(said, number) {
		t.Errorf("log %s", said)
	}
}

// A receiver that never answers holds up neither queries nor the end.
func TestReceiverThatHangsHoldsNobodyUp(t *testing.T) {
	over := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	t.Cleanup(hangs.Close)
	t.Cleanup(func() { close(over) })
	p := &place{t: t, dir: t.TempDir(), now: afternoon}
	cfg := settings()
	cfg.Traces.Endpoint = hangs.URL
	p.start(cfg, demo.Catalogue())
	for range 20 {
		queryIn(t, p, "")
	}
	began := time.Now()
	p.close()
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("closed after %s", took)
	}
}

// queryIn asks with a traceparent, and gives the answer's headers.
func queryIn(t *testing.T, p *place, parent string) http.Header {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.client.Base+"/v1/queries",
		strings.NewReader(`{"case":"LL-2026-1123-0041","item":"public-place-hygiene","applicant":"430281195003071210"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	if parent != "" {
		request.Header.Set("Traceparent", parent)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("status %d: %s, %v", response.StatusCode, body, err)
	}
	return response.Header
}

func openMetrics(t *testing.T, p *place) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.client.Base+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
