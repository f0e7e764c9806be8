package node

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/onedoor/yimen/exchange/trace"
)

// Traces says where the spans of traces (链路追踪) go. Without an endpoint there are none; traces that callers have begun go on all the
// same, by their headers. Secrets that a receiver asks for stand in OTEL_EXPORTER_OTLP_HEADERS.
type Traces struct {
	// Endpoint is the address of a receiver of OTLP over HTTP, such as http://127.0.0.1:4318. Empty: nobody makes spans.
	Endpoint string `yaml:"endpoint"`
	// CA is the file of the root in which the receiver's certificate ends, where this machine does not know it.
	CA string `yaml:"ca"`
	// Sample is the share, above 0 and up to 1, of the traces begun here whose spans are sent. Of those that callers have begun the caller
	// decides. Default 1.
	Sample float64 `yaml:"sample"`
}

// check says what is wrong, in the words of Config.check.
func (t Traces) check() (found []finding) {
	if t.Endpoint != "" && t.url() == nil {
		found = append(found, finding{"traces.endpoint", text("traces.endpoint 不是可用的地址", "traces.endpoint is no address"),
			text("写接收 OTLP/HTTP 的地址，例如 http://127.0.0.1:4318；其中不写口令", "name a receiver of OTLP over HTTP, such as http://127.0.0.1:4318, without a password in it")})
	}
	if !(t.Sample >= 0 && t.Sample <= 1) {
		found = append(found, finding{"traces.sample", text("traces.sample 不在 0 与 1 之间", "traces.sample is not between 0 and 1"),
			text("写比例，例如 0.01；不要追踪则去掉 traces.endpoint", "write a share, such as 0.01; to trace nothing, leave traces.endpoint out")})
	}
	if t.Endpoint == "" && t != (Traces{}) {
		found = append(found, finding{"traces.endpoint", text("有 traces 而缺少 traces.endpoint", "there is a section traces without traces.endpoint"),
			text("补上接收地址，或去掉 traces", "add the receiver's address, or leave traces out")})
	}
	return found
}

// url is the endpoint with the path at which receivers stand, nil where it is none.
func (t Traces) url() *url.URL {
	u, err := url.Parse(t.Endpoint)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
	}
	return u
}

// Bounds on how long spans may keep somebody waiting: one delivery, and the last of them when a program ends.
const (
	deliverWithin  = 5 * time.Second
	lastDeliveries = 2 * time.Second
)

// Open gives the tracer of a program, which service and instance name to the receiver, and how to send what is left when it ends. The
// tracer is nil without an endpoint. A receiver that is away holds nobody up: what cannot be kept meanwhile is dropped, and log has it.
func (t Traces) Open(service, instance string, log *slog.Logger) (oteltrace.Tracer, func() error, error) {
	if t.Endpoint == "" {
		return nil, func() error { return nil }, nil
	}
	if err := problems(t.check(), func(string) string { return "traces" }); err != nil {
		return nil, nil, err
	}
	settings := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(t.url().String()), otlptracehttp.WithTimeout(deliverWithin)}
	if t.CA != "" {
		roots := x509.NewCertPool()
		if err := addRoots(roots, t.CA, "YM-CFG-0113", "traces.ca", text("接收端根证书", "the receiver's root certificate")); err != nil {
			return nil, nil, err
		}
		settings = append(settings, otlptracehttp.WithTLSClientConfig(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}))
	}
	exporter, err := otlptracehttp.New(context.Background(), settings...) // speaks to nobody yet
	if err != nil {
		return nil, nil, err
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(&telling{SpanExporter: exporter, log: log}),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(cmp.Or(t.Sample, 1)))),
		sdktrace.WithoutPanicRecording(), // what a handler panics with may hold what the request held
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", service), attribute.String("service.instance.id", instance))))
	return provider.Tracer(trace.Scope), func() error {
		ctx, cancel := context.WithTimeout(context.Background(), lastDeliveries)
		defer cancel()
		provider.Shutdown(ctx) // what could not be delivered is in the log
		return nil
	}, nil
}

// telling is an exporter that tells the log when spans stop being delivered, and when they are again.
type telling struct {
	sdktrace.SpanExporter
	log     *slog.Logger
	failing bool // exports come one after the other
}

// ExportSpans hands spans on. It never errs: whoever called it would only write the error elsewhere.
func (t *telling) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := t.SpanExporter.ExportSpans(ctx, spans)
	switch {
	case err != nil && !t.failing:
		t.log.Warn("spans are not delivered to traces.endpoint; they are dropped until it answers", "error", err)
	case err == nil && t.failing:
		t.log.Info("spans are delivered to traces.endpoint again")
	}
	t.failing = err != nil
	return nil
}
