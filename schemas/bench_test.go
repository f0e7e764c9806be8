package schemas

import (
	"testing"

	"github.com/onedoor/yimen/schemas/gate"
)

// licence is the first example of the business licence, the kind of record there are most of.
func licence(b *testing.B) (*Schema, []byte) {
	s, _ := builtinSet(b).ByType("business-licence")
	return s, s.Examples()[0]
}

func BenchmarkDecode(b *testing.B) {
	_, doc := licence(b)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := gate.Decode(doc); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValidate(b *testing.B) {
	s, text := licence(b)
	doc, err := gate.Decode(text)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Validate(doc); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFacts is the whole way of a document: gate, validation, facts.
func BenchmarkFacts(b *testing.B) {
	s, text := licence(b)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		doc, err := gate.Decode(text)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Validate(doc); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Facts(doc); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBuiltin(b *testing.B) {
	for b.Loop() {
		if _, err := Builtin(); err != nil {
			b.Fatal(err)
		}
	}
}
