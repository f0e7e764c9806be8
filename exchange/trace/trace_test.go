package trace_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/trace"
)

const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

func recording() (oteltrace.Tracer, *tracetest.SpanRecorder) {
	seen := tracetest.NewSpanRecorder()
	return sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(seen)).Tracer(trace.Scope), seen
}

func entered(lines ...string) context.Context {
	return trace.Enter(context.Background(), http.Header{"Traceparent": lines})
}

func TestTraceGoesOnWithoutATracer(t *testing.T) {
	ctx := entered(parent)
	if got := trace.Parent(ctx); got != parent {
		t.Errorf("told %q", got)
	}
	within, span := trace.Step(ctx, "find")
	trace.End(span, nil)
	if within != ctx {
		t.Error("a step was made although nobody records")
	}
	msgs := []exchange.Message{{Headers: []exchange.Header{{Name: "ce_specversion", Value: []byte("1.0")}}}, {}}
	trace.Mark(ctx, msgs)
	if msgs[0].Header("ce_traceparent") != parent || msgs[1].Header("traceparent") != parent {
		t.Errorf("marked %v", msgs)
	}
}

func TestWhatCannotBeUsedIsLeftOut(t *testing.T) {
	for name, lines := range map[string][]string{
		"nothing":               nil,
		"two":                   {parent, parent},
		"no header":             {"hello"},
		"no trace":              {"00-00000000000000000000000000000000-00f067aa0ba902b7-01"},
		"cut off":               {parent[:40]},
		"capitals":              {strings.ToUpper(parent)},
		"a citizen number":      {"00-00000000000000" + citizen + "-00f067aa0ba902b7-01"},
		"a number in the midst": {"00-abc" + citizen + "abcdefabcde-00f067aa0ba902b7-01"},
	} {
		if ctx := entered(lines...); ctx != context.Background() {
			t.Errorf("%s: goes on as %q", name, trace.Parent(ctx))
		}
	}
}

// citizen is the number of nobody: the day has not come.
const citizen = "430281209901011230"

func TestTracestateGoesNoFurther(t *testing.T) {
	ctx := trace.Enter(context.Background(), http.Header{"Traceparent": {parent}, "Tracestate": {"who=" + citizen}, "Baggage": {"who=" + citizen}})
	if state := oteltrace.SpanContextFromContext(ctx).TraceState(); state.Len() > 0 {
		t.Errorf("state %s", state)
	}
}

func TestUntracedCostsNoMemory(t *testing.T) {
	ctx := context.WithValue(t.Context(), http.ServerContextKey, &http.Server{})
	msgs, none := make([]exchange.Message, 1), http.Header{}
	if n := testing.AllocsPerRun(100, func() {
		within, span := trace.Step(trace.Enter(ctx, none), "find")
		trace.Mark(within, msgs)
		trace.End(span, nil)
	}); n > 0 {
		t.Errorf("%v pieces of memory", n)
	}
}

func TestErrorsAreTheirCodesOnly(t *testing.T) {
	tracer, seen := recording()
	ctx, root := tracer.Start(t.Context(), "root")
	for _, err := range []error{nil, fmt.Errorf("of %s", citizen), fmt.Errorf("find: %w", &exchange.Problem{Code: "YM-IDX-0001", Err: fmt.Errorf("of %s", citizen)})} {
		_, span := trace.Step(ctx, "step")
		trace.End(span, err)
	}
	root.End()
	var said []string
	for _, s := range seen.Ended() {
		said = append(said, s.Status().Description)
		if len(s.Events()) > 0 || s.Name() == "step" && s.Parent().SpanID() != root.SpanContext().SpanID() {
			t.Errorf("%s: %v under %s", s.Name(), s.Events(), s.Parent().SpanID())
		}
	}
	if got := strings.Join(said, ","); got != ",internal,YM-IDX-0001," || seen.Ended()[1].Status().Code != codes.Error {
		t.Errorf("said %s", got)
	}
}

func TestTaken(t *testing.T) {
	now := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	of := func(span int, age time.Duration) exchange.Message {
		value := fmt.Sprintf("00-4bf92f3577b34da6a3ce929d0e0e4736-%016x-01", span)
		return exchange.Message{Time: now.Add(-age), Headers: []exchange.Header{{Name: "ce_traceparent", Value: []byte(value)}}}
	}
	var many []exchange.Message
	for i := range 100 {
		many = append(many, of(i+1, 0), of(i+1, 0))
	}
	for name, row := range map[string]struct {
		msgs  []exchange.Message
		links int
	}{
		"none are marked":       {[]exchange.Message{{Time: now}, {Time: now}}, 0},
		"one batch":             {[]exchange.Message{of(1, 0), of(1, 0), {Time: now}}, 1},
		"two":                   {[]exchange.Message{{Time: now}, of(1, 0), of(2, time.Minute)}, 2},
		"history":               {[]exchange.Message{of(1, 2*time.Hour)}, 0},
		"history and one batch": {[]exchange.Message{of(1, 2*time.Hour), of(2, 0)}, 1},
		"many":                  {many, 32},
		"forged":                {[]exchange.Message{{Time: now, Headers: []exchange.Header{{Name: "traceparent", Value: []byte(citizen)}}}}, 0},
	} {
		tracer, seen := recording()
		_, span := trace.Taken(t.Context(), tracer, "fold", row.msgs, now.Add(-time.Hour))
		span.End()
		if row.links == 0 {
			if len(seen.Ended()) > 0 {
				t.Errorf("%s: a span", name)
			}
			continue
		}
		s := seen.Ended()[0]
		if len(s.Links()) != row.links || !s.Parent().Equal(s.Links()[0].SpanContext) || s.SpanContext().TraceID().String() != parent[3:35] {
			t.Errorf("%s: under %v with %d links", name, s.Parent().SpanID(), len(s.Links()))
		}
	}
}

func FuzzEnter(f *testing.F) {
	f.Add(parent)
	f.Add("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more")
	f.Add("")
	f.Fuzz(func(t *testing.T, line string) {
		ctx := entered(line)
		told := trace.Parent(ctx)
		if told == "" {
			return
		}
		if again := trace.Parent(entered(told)); again != told || !strings.Contains(line, told[3:52]) {
			t.Errorf("%q was told on as %q and %q", line, told, again)
		}
	})
}

func BenchmarkUntraced(b *testing.B) {
	ctx := context.WithValue(context.WithValue(b.Context(), http.LocalAddrContextKey, "x"), http.ServerContextKey, &http.Server{})
	b.ReportAllocs()
	for b.Loop() {
		_, span := trace.Step(ctx, "find")
		trace.End(span, nil)
	}
}
