package watch

import (
	"net/http"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/onedoor/yimen/exchange/trace"
)

// Traced stands around all handlers of a server: a request goes on in the trace that it names (W3C Trace Context), as a span of its
// own where there is a tracer, and the answer says in which (traceresponse). The span is named by the route, and of the request it
// has the method only: addresses may hold what people put there. The paths in but make no spans.
func Traced(next http.Handler, tracer oteltrace.Tracer, but ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := trace.Enter(r.Context(), r.Header)
		if tracer == nil || slices.Contains(but, r.URL.Path) {
			if ctx != r.Context() {
				r = r.WithContext(ctx)
				answerIn(w, r)
			}
			next.ServeHTTP(w, r)
			return
		}
		ctx, span := tracer.Start(ctx, Method(r.Method), oteltrace.WithSpanKind(oteltrace.SpanKindServer))
		seen := &Answer{ResponseWriter: w}
		r = r.WithContext(ctx)
		defer func() {
			describe(span, r, seen.Code)
			span.End()
		}()
		answerIn(w, r)
		next.ServeHTTP(seen, r)
	})
}

// answerIn tells the asker in which trace, and where in it, the request is answered.
func answerIn(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Traceresponse", trace.Parent(r.Context()))
}

// describe says of a span what was asked, as the conventions for HTTP have it, and how it ended.
func describe(span oteltrace.Span, r *http.Request, code int) {
	if !span.IsRecording() {
		return
	}
	method := Method(r.Method)
	_, path, both := strings.Cut(r.Pattern, " ")
	if !both {
		path = r.Pattern
	}
	span.SetName(strings.TrimRight(method+" "+path, " "))
	span.SetAttributes(attribute.String("http.request.method", method), attribute.String("http.route", path),
		attribute.Int("http.response.status_code", code))
	if code >= http.StatusInternalServerError || code == 0 {
		span.SetStatus(codes.Error, "")
	}
}
