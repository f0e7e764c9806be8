package node

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/trace"
)

// freshFor is how old a message may be for its folding to belong to the trace of who wrote it: an index that is built anew reads years.
const freshFor = time.Hour

// followed has what becomes of a topic's batches go on in the traces in which they were written.
func (n *Node) followed(topic string, take func(context.Context, []exchange.Message) error) func(context.Context, []exchange.Message) error {
	if n.tracer == nil {
		return take
	}
	return func(ctx context.Context, msgs []exchange.Message) error {
		ctx, span := trace.Taken(ctx, n.tracer, "fold "+topic, msgs, n.around.Clock().Add(-freshFor))
		span.SetAttributes(attribute.String("messaging.system", "kafka"), attribute.String("messaging.destination.name", topic),
			attribute.Int("messaging.batch.message_count", len(msgs)))
		if span.IsRecording() { // before it is found, so that what is found has it
			n.folds.Store(topic, span.SpanContext())
		}
		err := take(ctx, msgs)
		trace.End(span, err)
		return err
	}
}

// found is the index, as the broker asks it.
func (n *Node) found() broker.Holdings {
	if n.tracer == nil {
		return n.Index
	}
	return linked{n}
}

// linked has what is found name the folds that last brought the types asked about: thereby an answer leads to the adapters' readings.
type linked struct{ *Node }

// Find asks the index.
func (l linked) Find(ctx context.Context, holder exchange.Holder, types []exchange.EvidenceType) (exchange.Found, error) {
	if span := oteltrace.SpanFromContext(ctx); span.IsRecording() {
		for _, t := range types {
			if fold, known := l.folds.Load(envelope.EvidenceTopic(t)); known {
				span.AddLink(oteltrace.Link{SpanContext: fold.(oteltrace.SpanContext)})
			}
		}
	}
	return l.Index.Find(ctx, holder, types)
}

// trace sets the tracer up. It comes first, so that what the other parts do as they end is sent too.
func (n *Node) trace(context.Context) (err error) {
	n.around.Log = slog.New(tracedLines{n.around.Log.Handler()})
	var deliver func() error
	if n.tracer, deliver, err = n.cfg.Traces.Open(tracedAs, n.cfg.Name, n.around.Log); err == nil {
		n.close = append(n.close, deliver)
	}
	return err
}

// tracedAs is a node's name to the receiver of its spans.
const tracedAs = "yimen"

// tracedLines adds to each line of the log the trace that it belongs to, if there is one.
type tracedLines struct{ slog.Handler }

func (h tracedLines) Handle(ctx context.Context, r slog.Record) error {
	if of := oteltrace.SpanContextFromContext(ctx); of.IsValid() {
		r.AddAttrs(slog.String("trace_id", of.TraceID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

func (h tracedLines) WithAttrs(attrs []slog.Attr) slog.Handler {
	return tracedLines{h.Handler.WithAttrs(attrs)}
}

func (h tracedLines) WithGroup(name string) slog.Handler {
	return tracedLines{h.Handler.WithGroup(name)}
}

// probes are what machines ask so often that spans of it would say nothing.
var probes = []string{"/livez", "/readyz", "/metrics"}
