package roll

import "testing"

// Admits stands in the way of every request.
func BenchmarkAdmits(b *testing.B) {
	n := newWorld(b).node()
	issued := n.enrol(licences)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := n.Admits(b.Context(), issued.Certificate); err != nil {
				b.Error(err)
			}
		}
	})
}
