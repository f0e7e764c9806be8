package audit

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"testing"

	"github.com/onedoor/yimen/exchange"
)

// instant is an appender that takes no time.
type instant struct{}

func (instant) Append(context.Context, string, []exchange.Message) error { return nil }

// sixMaterials is an entry as DESIGN.md's benchmark of queries makes it.
func sixMaterials() Entry {
	e := entry()
	inputs := map[string]map[int]int64{}
	e.Materials = nil
	for i := range 6 {
		kind := exchange.EvidenceType(fmt.Sprintf("certificate-%d", i))
		e.Materials = append(e.Materials, Material{Material: string(kind), Outcome: exchange.Held, Evidence: []Evidence{
			{Type: kind, Outcome: exchange.Held, Record: "00112233445566778899aabbccddeeff", Version: 3}}})
		inputs["evidence."+string(kind)] = map[int]int64{0: 123456, 1: 123457, 2: 123458, 3: 123459}
	}
	e.Inputs = exchange.InputsOf(inputs)
	return e
}

func BenchmarkAppend(b *testing.B) {
	for name, signature := range map[string]ed25519.PrivateKey{"unsigned": nil, "signed": signatureKey} {
		b.Run(name, func(b *testing.B) {
			l, err := New(Config{Appender: instant{}, Keys: always(Keys{Token: key, Signature: signature})})
			if err != nil {
				b.Fatal(err)
			}
			e := sixMaterials()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := l.Append(b.Context(), e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	k, v := appended(b, sixMaterials())
	for name, parse := range map[string]func(k, v []byte) (Entry, error){"whole": Parse, "skimmed": Skim} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := parse(k, v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
