package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func sample() report {
	s := &section{What: "queries", Skipped: []string{"PostgreSQL: is missing"}}
	ours := s.add(figure{Name: "ours", Rate: 12345.6, P50: 1500 * time.Microsecond, P99: 20 * time.Millisecond, Count: 9, cost: cost{CPU: 120 * time.Microsecond}})
	peer := s.add(figure{Name: "peer", Rate: 4000})
	s.against(ours, peer, 2, 3)
	s.against(ours, figure{Name: "never measured"}, 0, 0)
	return report{Machine: map[string]string{"cpu": "a processor", "cores": "2"}, Sections: []*section{s}}
}

func TestReport(t *testing.T) {
	r := sample()
	var table, form bytes.Buffer
	if err := r.print(&table, "table"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"12,346", "1.5 ms", "20.0 ms", "120 µs", "3.086×", "≥ 2×", "≥ 3×", "ours : peer", "not measured: PostgreSQL", "cpu a processor · cores 2"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("no %q in\n%s", want, table.String())
		}
	}
	if strings.Contains(table.String(), "never measured") {
		t.Error("a ratio to what was not measured")
	}
	if err := r.print(&form, "json"); err != nil {
		t.Fatal(err)
	}
	var back report
	if err := json.Unmarshal(form.Bytes(), &back); err != nil || len(back.Sections) != 1 || len(back.Sections[0].Ratios) != 1 {
		t.Errorf("JSON does not come back: %v", err)
	}
}

func TestThousands(t *testing.T) {
	for f, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567.4: "1,234,567"} {
		if got := thousands(f); got != want {
			t.Errorf("thousands(%v) = %s, want %s", f, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	if verb, o, err := parse([]string{"query", "-records", "1000", "-o", "json"}); err != nil || verb != "query" || o.records != 1000 || o.output != "json" {
		t.Errorf("parse = %s, %+v, %v", verb, o, err)
	}
	for _, bad := range [][]string{nil, {"query", "-records", "1"}, {"query", "-o", "xml"}, {"query", "extra"}, {"ingest", "-rows", "0"}, {"all", "-clients", "0"}, {"registry", "-candidates", "0"}, {"query", "-unknown"}} {
		if _, _, err := parse(bad); err == nil {
			t.Errorf("parse(%q) did not err", bad)
		}
	}
}
