package copies

import (
	"testing"

	"github.com/onedoor/yimen/exchange"
)

// BenchmarkPrint makes a copy of one page with its code.
func BenchmarkPrint(b *testing.B) {
	p, c := press(1), sample()
	for b.Loop() {
		var err error
		if c.Code, err = p.Code(b.Context(), Named{exchange.Holder{Kind: exchange.Person, Number: citizen}, "property-title", exchange.RecordID{1}, c.Expires}); err != nil {
			b.Fatal(err)
		}
		printed(b, p, c)
	}
}

func BenchmarkCheck(b *testing.B) {
	p := press(1)
	file := printed(b, p, sample())
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		if finding, _, err := p.Check(b.Context(), file); finding != Genuine || err != nil {
			b.Fatal(finding, err)
		}
	}
}
