package envelope

import (
	"bytes"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
)

func sampleSignature(size, index uint32) signature {
	return signature{suite: Standard, by: SignerID{1, 2, 3}, at: time.UnixMicro(1_800_000_000_000_007).UTC(), size: size, index: index,
		made: bytes.Repeat([]byte{9}, 64), path: bytes.Repeat([]byte{7}, hashSize*pathLength(index, size))}
}

func (s *signature) whole() []byte { return append(s.append(nil), s.path...) }

func TestSignatureComesBackAsItWent(t *testing.T) {
	for _, want := range []signature{sampleSignature(1, 0), sampleSignature(1000, 999), sampleSignature(math.MaxUint32, 5)} {
		b := want.whole()
		got, ok := readSignature(b)
		if !ok || !bytes.Equal(got.whole(), b) || got.at != want.at || got.by != want.by || got.size != want.size || got.index != want.index {
			t.Errorf("got %+v", got)
		}
		for n := range b {
			if _, ok := readSignature(b[:n]); ok {
				t.Errorf("cut to %d of %d bytes it is read", n, len(b))
			}
		}
		if _, ok := readSignature(append(b, 0)); ok {
			t.Error("with a byte behind it, it is read")
		}
	}
	for name, odd := range map[string]func(*signature){
		"no signature":     func(s *signature) { s.made = nil },
		"index at size":    func(s *signature) { s.index = s.size },
		"no batch":         func(s *signature) { s.size, s.index = 0, 0 },
		"larger batch":     func(s *signature) { s.size *= 2 },
		"longer path":      func(s *signature) { s.path = append(s.path, make([]byte, hashSize)...) },
		"no path":          func(s *signature) { s.path = nil },
		"half a hash more": func(s *signature) { s.path = append(s.path, 1) },
	} {
		s := sampleSignature(8, 3)
		odd(&s)
		if _, ok := readSignature(s.whole()); ok {
			t.Errorf("%s: it is read", name)
		}
	}
}

// TestContentNamesEverything: no two batches that differ in anything have the same signed content.
func TestContentNamesEverything(t *testing.T) {
	base := sampleSignature(8, 3)
	content := base.content("scjg/licences", [hashSize]byte{1})
	for name, other := range map[string]func(*signature) []byte{
		"suite":       func(s *signature) []byte { s.suite = National; return s.content("scjg/licences", [hashSize]byte{1}) },
		"certificate": func(s *signature) []byte { s.by[31] ^= 1; return s.content("scjg/licences", [hashSize]byte{1}) },
		"time": func(s *signature) []byte {
			s.at = s.at.Add(time.Microsecond)
			return s.content("scjg/licences", [hashSize]byte{1})
		},
		"size":    func(s *signature) []byte { s.size++; return s.content("scjg/licences", [hashSize]byte{1}) },
		"adapter": func(s *signature) []byte { return s.content("scjg/licence", [hashSize]byte{1}) },
		"root":    func(s *signature) []byte { return s.content("scjg/licences", [hashSize]byte{2}) },
	} {
		s := base
		if bytes.Equal(other(&s), content) {
			t.Errorf("the content does not name the %s", name)
		}
	}
	s := base
	s.index, s.path = 5, nil // what tells the messages of a batch apart is in the tree
	if !bytes.Equal(s.content("scjg/licences", [hashSize]byte{1}), content) {
		t.Error("messages of one batch have different contents")
	}
}

// TestLeafNamesEverything: what is bound cannot be cut in two ways.
func TestLeafNamesEverything(t *testing.T) {
	seen := map[string]string{}
	header := func(name, value string) exchange.Header { return exchange.Header{Name: name, Value: []byte(value)} }
	for name, m := range map[string]exchange.Message{
		"plain":            {Topic: "ab", Key: []byte("c"), Value: []byte("v")},
		"cut elsewhere":    {Topic: "a", Key: []byte("bc"), Value: []byte("v")},
		"no value":         {Topic: "ab", Key: []byte("c")},
		"empty value":      {Topic: "ab", Key: []byte("c"), Value: []byte{}},
		"header":           {Topic: "ab", Key: []byte("c"), Value: []byte("v"), Headers: []exchange.Header{header(headerID, "1"), header(headerTime, "2")}},
		"header moved":     {Topic: "ab", Key: []byte("c"), Value: []byte("v"), Headers: []exchange.Header{header(headerTime, "2"), header(headerID, "1")}},
		"header twice":     {Topic: "ab", Key: []byte("c"), Value: []byte("v"), Headers: []exchange.Header{header(headerID, "1"), header(headerID, "1"), header(headerTime, "2")}},
		"header as value":  {Topic: "ab", Key: []byte("c"), Value: []byte("1"), Headers: []exchange.Header{header(headerID, "")}},
		"header by itself": {Topic: "ab", Key: []byte("c"), Value: []byte("v"), Headers: []exchange.Header{header(headerID, "12")}},
	} {
		leaf := string(appendLeaf(nil, &m))
		if other, twice := seen[leaf]; twice {
			t.Errorf("%q and %q are bound alike", name, other)
		}
		seen[leaf] = name
	}
}

func FuzzSignature(f *testing.F) {
	for _, s := range []signature{sampleSignature(1, 0), sampleSignature(1000, 999)} {
		f.Add(s.whole())
	}
	f.Add(bytes.Repeat([]byte{0xff}, 200))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, ok := readSignature(b)
		if !ok {
			return
		}
		if !bytes.Equal(s.whole(), b) {
			t.Errorf("%x was read as %x", b, s.whole())
		}
		for _, a := range suites {
			if _, ok := s.root(a, [hashSize]byte{1}); !ok {
				t.Errorf("no root of size %d, index %d", s.size, s.index)
			}
		}
	})
}

func FuzzCoverage(f *testing.F) {
	f.Add([]byte(`{"adapter":"scjg/licences","type":"business-licence","holders":{"kind":"org","divisions":["43"]},"alive":"2026-11-23T12:00:00Z","complete_up_to":"2026-11-23T11:00:00Z","end":{"0":12},"read":1,"published":1,"quarantined":0,"unreadable":0,"tolerance":0}`))
	f.Add([]byte(`{"adapter":"scjg/licences","type":"business-licence","alive":"9999-12-31T23:59:59.999999999-23:59"}`))
	f.Add([]byte(`{"end":{"00":1}}`))
	f.Add([]byte(`null`))
	b := (&Sealer{Names: mustNames(f), adapter: "scjg/licences"}).Batch()
	f.Fuzz(func(t *testing.T, value []byte) {
		c, err := readCoverage(value)
		if err != nil {
			return
		}
		m, err := b.Statement(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := readCoverage(m.Value)
		if err != nil || !again.Alive.Equal(c.Alive) || !reflect.DeepEqual(again.End, c.End) || again.Adapter != c.Adapter {
			t.Errorf("read %+v, written and read again %+v, %v", c, again, err)
		}
	})
}

func mustNames(t testing.TB) *Names {
	t.Helper()
	n, err := NewNames(Standard, make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
