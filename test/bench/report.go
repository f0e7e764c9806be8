package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// figure is one measurement.
type figure struct {
	Name   string        `json:"name"`
	Rate   float64       `json:"per_second"`
	P50    time.Duration `json:"p50_ns,omitempty"`
	P99    time.Duration `json:"p99_ns,omitempty"`
	Count  int64         `json:"count"`
	Errors int64         `json:"errors"`
	// What our own process used for each, where it was the one measured: on a busy machine it tells more than the rate.
	cost
	Note string `json:"note,omitempty"`
}

// ratio compares two figures of the same run.
type ratio struct {
	Ours  string  `json:"ours"`
	Peer  string  `json:"peer"`
	Ratio float64 `json:"ratio"`
	First float64 `json:"first,omitempty"` // what the design asks for at first
	Aim   float64 `json:"aim,omitempty"`
}

// section is one row of the design's speed table.
type section struct {
	What    string   `json:"what"`
	Figures []figure `json:"figures"`
	Ratios  []ratio  `json:"ratios"`
	Skipped []string `json:"skipped,omitempty"` // what was not measured, and why
}

// report is everything measured in one run, and where.
type report struct {
	Machine  map[string]string `json:"machine"`
	Sections []*section        `json:"sections"`
}

func machine() map[string]string {
	return map[string]string{
		"cpu": processor(), "cores": fmt.Sprint(runtime.NumCPU()), "go": runtime.Version(), "os": runtime.GOOS + "/" + runtime.GOARCH,
		"load before": load(), "at": time.Now().UTC().Format(time.RFC3339),
	}
}

func (s *section) add(f figure) figure {
	s.Figures = append(s.Figures, f)
	return f
}

// against adds a ratio, unless one of the two was not measured.
func (s *section) against(ours, peer figure, first, aim float64) {
	if ours.Rate > 0 && peer.Rate > 0 {
		s.Ratios = append(s.Ratios, ratio{ours.Name, peer.Name, ours.Rate / peer.Rate, first, aim})
	}
}

func (r *report) print(w io.Writer, form string) error {
	if form == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, s := range r.Sections {
		s.print(&b, t)
	}
	b.WriteString("\nmeasured on: ")
	for i, key := range []string{"cpu", "cores", "os", "go", "kafka", "java", "postgresql", "apicurio", "load before", "load after", "at"} {
		if value := r.Machine[key]; value != "" {
			fmt.Fprintf(&b, "%s%s %s", map[bool]string{true: "", false: " · "}[i == 0], key, value)
		}
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *section) print(b *strings.Builder, t *tabwriter.Writer) {
	fmt.Fprintf(b, "\n%s\n", s.What)
	fmt.Fprintln(t, "per second\tp50\tp99\tCPU each\tallocations\terrors\t  \t")
	for _, f := range s.Figures {
		name := f.Name
		if f.Note != "" {
			name += " (" + f.Note + ")"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t\t  %s\n", thousands(f.Rate), short(f.P50), short(f.P99), short(f.CPU), number(f.Pieces), f.Errors, name)
	}
	t.Flush()
	fmt.Fprintln(t, "ratio\tfirst\taim\t  \t")
	for _, q := range s.Ratios {
		fmt.Fprintf(t, "%.3f×\t%s\t%s\t\t  %s : %s\n", q.Ratio, bound(q.First), bound(q.Aim), q.Ours, q.Peer)
	}
	t.Flush()
	for _, why := range s.Skipped {
		fmt.Fprintf(b, "  not measured: %s\n", why)
	}
}

func number(n int64) string {
	if n == 0 {
		return ""
	}
	return thousands(float64(n))
}

func bound(f float64) string {
	if f == 0 {
		return ""
	}
	return fmt.Sprintf("≥ %g×", f)
}

func short(d time.Duration) string {
	switch {
	case d == 0:
		return ""
	case d < time.Millisecond:
		return fmt.Sprintf("%.0f µs", float64(d)/float64(time.Microsecond))
	}
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// thousands writes 12345.6 as 12,346.
func thousands(f float64) string {
	digits := fmt.Sprintf("%.0f", f)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
