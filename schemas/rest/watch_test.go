package rest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// TestMetrics: every request is counted by its method, its route and what was answered, and nothing a caller wrote is told.
func TestMetrics(t *testing.T) {
	counted := prometheus.NewRegistry()
	w := newWorld(t, func(c *Config) { c.Metrics = counted })
	w.register("/subjects/canary-subject/versions", shop)
	w.ask("GET", "/subjects/canary-subject/versions", "")
	w.ask("GET", "/schemas/ids/1", "")
	w.ask("GET", "/schemas/ids/77", "")
	w.ask("GET", "/schemas/ids/canary", "")
	w.ask("GET", "/canary", "")
	w.ask("CANARY", "/subjects", "")
	w.ask("DELETE", "/subjects/canary-subject", "", "Authorization", "")
	families, err := counted.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		if strings.Contains(f.String(), "canary") || strings.Contains(f.String(), "CANARY") {
			t.Error("a label holds what a caller wrote")
		}
		for _, m := range f.GetMetric() {
			if f.GetName() != "yimen_registry_requests_total" {
				continue
			}
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			got[strings.Join(labels, " ")] = m.GetCounter().GetValue()
		}
	}
	for _, want := range []string{"POST /subjects/*/versions 200", "GET /subjects/*/versions 200", "GET /schemas/ids/* 200", "GET /schemas/ids/* 404", "GET none 404", "other none 405", "DELETE /subjects/* 401"} {
		if got[want] == 0 {
			t.Errorf("%s is not counted: %v", want, got)
		}
	}
}

// TestPanic: a panic is answered with a problem, and told in the log without its value.
func TestPanic(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Writer = func(*http.Request) (string, error) { panic("canary") } })
	if a := w.ask("DELETE", "/subjects/a", ""); a.status != 500 || strings.Contains(a.body, "canary") || a.member(t, "error_code") != 50001.0 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if said := w.log.String(); !strings.Contains(said, "handler panicked") || strings.Contains(said, "canary") {
		t.Error(said)
	}
	s := newService(Config{Writer: func(*http.Request) (string, error) { panic(http.ErrAbortHandler) }})
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("an abort is the server's business")
		}
	}()
	s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("DELETE", "/subjects/a", nil))
}
