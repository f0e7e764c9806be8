package demo

import (
	"testing"
)

// BenchmarkCity writes every file of a city of 20,000 people and says how many rows that is.
func BenchmarkCity(b *testing.B) {
	c := New(Config{Seed: 1})
	for b.Loop() {
		if err := c.Write(b.TempDir(), nil); err != nil {
			b.Fatal(err)
		}
	}
	rows := 0
	for _, t := range c.Tallies() {
		rows += t.Rows
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
