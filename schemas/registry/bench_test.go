package registry

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/onedoor/yimen/schemas/opinion"
)

func BenchmarkByID(b *testing.B) {
	n := newWorld(b).node(quiet)
	id := n.register("a-value", shop(200)).Entry.ID
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := n.ByID(b.Context(), id); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRegister registers new schemas of 200 properties, each compared with one version, with and without the second
// validator.
func BenchmarkRegister(b *testing.B) {
	idle := &opinion.Idle{}
	defer idle.Close()
	asking := func(c *Config, _ *Registry) { c.Opinion = opinion.Asker{Idle: idle} }
	for what, change := range map[string]func(*Config, *Registry){"alone": quiet, "with-opinion": asking} {
		b.Run(what, func(b *testing.B) {
			n := newWorld(b).node(change)
			count := atomic.Int64{}
			for b.Loop() {
				i := count.Add(1)
				schema := fmt.Sprintf(`{"title":"%d",%s`, i, shop(200)[1:])
				if _, err := n.Register(b.Context(), "t", "a-value", Candidate{Text: []byte(schema)}, false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkTest(b *testing.B) {
	n := newWorld(b).node(quiet)
	n.register("a-value", shop(200))
	for i := 0; b.Loop(); i++ {
		schema := fmt.Sprintf(`{"title":"%d",%s`, i, shop(200)[1:])
		if _, err := n.Test(b.Context(), "a-value", -1, Candidate{Text: []byte(schema)}); err != nil {
			b.Fatal(err)
		}
	}
}
