package trace

import (
	"bytes"
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/onedoor/yimen/exchange"
)

// A CloudEvent carries the header as an attribute of its extension for distributed tracing.
const (
	eventHeader  = "ce_traceparent"
	eventVersion = "ce_specversion"
)

// Mark notes on the messages of which span they are. No reader relies on the header, so that it is outside of what is signed. Where ctx
// carries no span nothing is noted.
func Mark(ctx context.Context, msgs []exchange.Message) {
	parent := Parent(ctx)
	if parent == "" {
		return
	}
	value := []byte(parent)
	for i := range msgs {
		name := header
		if msgs[i].Header(eventVersion) != "" {
			name = eventHeader
		}
		msgs[i].Headers = append(msgs[i].Headers, exchange.Header{Name: name, Value: value})
	}
}

// mostLinks bounds the links of a span.
const mostLinks = 32

// Taken begins the span of what becomes of a batch off a topic: below the span that the first marked message is of, with links to those
// of the others. What was written before since is history that is read again, and makes no span; nor does a batch without marks.
func Taken(ctx context.Context, tracer trace.Tracer, name string, msgs []exchange.Message, since time.Time) (context.Context, trace.Span) {
	var last []byte
	var links []trace.Link
	for i := range msgs {
		parent := mark(&msgs[i])
		if parent == nil || bytes.Equal(parent, last) || msgs[i].Time.Before(since) {
			continue
		}
		last = parent
		if of := trace.SpanContextFromContext(within(context.Background(), string(parent))); of.IsValid() && len(links) < mostLinks {
			links = append(links, trace.Link{SpanContext: of})
		}
	}
	if len(links) == 0 {
		return ctx, noop.Span{}
	}
	return tracer.Start(trace.ContextWithRemoteSpanContext(ctx, links[0].SpanContext), name,
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithLinks(links...))
}

func mark(m *exchange.Message) []byte {
	for i := range m.Headers {
		if name := m.Headers[i].Name; name == eventHeader || name == header {
			return m.Headers[i].Value
		}
	}
	return nil
}
