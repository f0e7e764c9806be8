package adapters

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/onedoor/yimen/exchange/trace"
)

// traced begins the span of a reading, where readings are traced. Each batch has spans of its own below it; rows have none.
func (r *Runner) traced(ctx context.Context) (context.Context, oteltrace.Span) {
	if r.cfg.Tracer == nil {
		return trace.Step(ctx, "adapter run")
	}
	return r.cfg.Tracer.Start(ctx, "adapter run", oteltrace.WithAttributes(
		attribute.String("yimen.adapter", string(r.cfg.Manifest.Adapter)), attribute.String("yimen.evidence", string(r.cfg.Manifest.Evidence))))
}

// describe says of a reading's span what became of the rows.
func describe(span oteltrace.Span, of Result) {
	span.SetAttributes(attribute.Int64("yimen.read", of.Read), attribute.Int64("yimen.published", of.Published), attribute.Int64("yimen.withdrawn", of.Withdrawn),
		attribute.Int64("yimen.quarantined", of.Quarantined), attribute.Bool("yimen.skipped", of.Skipped))
}

// steps are the spans of a batch: all of it, from its first row until it is acknowledged, and within that how it is gathered.
type steps struct{ batch, gather oteltrace.Span }

func gathering(ctx context.Context) (s steps) {
	ctx, s.batch = trace.Step(ctx, "batch")
	_, s.gather = trace.Step(ctx, "read, map and seal")
	return s
}

// gathered ends the gathering, and gives the context of what comes next of the batch.
func (s *steps) gathered(ctx context.Context) context.Context {
	s.gather.End()
	return oteltrace.ContextWithSpan(ctx, s.batch)
}

// end ends what has not ended yet.
func (s *steps) end(err error) {
	s.gather.End()
	trace.End(s.batch, err)
}
