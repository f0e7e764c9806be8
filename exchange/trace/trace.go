// Package trace (链路追踪) follows a piece of work from the adapter that read a row to the answer that rests on it.
//
// Where work begins (a reading, a batch off a topic, a request) somebody makes a root span with a tracer; node and the command
// set tracers up, and there are none by default. All further Steps hang on the span that the context carries, so that whoever does
// them needs no tracer, and they cost a look into the context, without memory, where there is none.
//
// Across processes a trace goes by the W3C header traceparent: over HTTP, and on Kafka's messages. It goes on where nobody
// makes spans too. Of what may come along with it only the two identifiers and the flags are taken: tracestate and baggage can say
// anything of anybody, and go no further. For the same reason names and attributes of spans are words of this program (routes,
// items, topics, codes of problems), never what somebody sent.
package trace

import (
	"context"
	"errors"
	"net/http"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/identity"
)

// Scope is what all spans name as the code that made them.
const Scope = "github.com/onedoor/yimen"

// Step begins a span under the one that ctx carries. Where that one is not recorded, there is no other, and ctx comes back as it is.
// End must be called on either.
func Step(ctx context.Context, name string) (context.Context, trace.Span) {
	above := trace.SpanFromContext(ctx)
	if !above.IsRecording() {
		return ctx, above // that it does not record, ending it does nothing
	}
	return above.TracerProvider().Tracer(Scope).Start(ctx, name)
}

// End ends a span. Of an error it keeps the code of a Problem and its kind: the text of errors may hold what causes hold.
func End(span trace.Span, err error) {
	if err != nil && span.IsRecording() {
		span.SetStatus(codes.Error, said(err))
	}
	span.End()
}

func said(err error) string {
	var p *exchange.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return string(exchange.KindOf(err))
}

// header is the name of the W3C's header.
const header = "traceparent"

// Enter gives a context in which the trace that a request's header names goes on, and ctx itself where it names none that can be used.
// A trace whose id spells a citizen number is not gone on with: ids come to stand in logs, metrics and topics.
func Enter(ctx context.Context, h http.Header) context.Context {
	if given := h["Traceparent"]; len(given) == 1 { // of several none counts
		return within(ctx, given[0])
	}
	return ctx
}

func within(ctx context.Context, parent string) context.Context {
	if identity.ContainsCitizen(parent) {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{header: parent})
}

// Parent is the value of the header that tells others of the span that ctx carries, empty where it carries none.
func Parent(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ""
	}
	told := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, told)
	return told[header]
}
