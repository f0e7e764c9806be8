package tabular

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// indexDigest is the SHA-256 of the 23,940 characters, four bytes each, of index-gb18030.txt of the WHATWG Encoding Standard
// (encoding.spec.whatwg.org, in the version that follows GB 18030-2022), in the order of their pointers.
const indexDigest = "cddc6e7a23416ea07f3cc0ef0b10a733247eb84e45bdff86326dab971f40e03c"

func TestTwoByteTable(t *testing.T) {
	g := newGB18030()
	sum := sha256.New()
	for p := range g.two {
		lead, trail := bytesOf(p)
		if pointer(lead, trail) != p {
			t.Fatalf("pointer of %x %x", lead, trail)
		}
		r, size := g.decode([]byte{lead, trail}, true)
		if size != 2 {
			t.Fatalf("%x%x is %d bytes long", lead, trail, size)
		}
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(r))
		sum.Write(b[:])
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != indexDigest {
		t.Errorf("the table differs from the standard's: digest %s", got)
	}
}

// Every character of Unicode has one code of four bytes, unless it has one of two.
func TestFourByteCodes(t *testing.T) {
	g := newGB18030()
	two := map[rune]bool{}
	for _, r := range g.two {
		two[rune(r)] = true
	}
	seen := map[rune]int{}
	for lead := byte(0x81); lead <= 0xfe; lead++ {
		if lead >= 0x85 && lead < 0x90 || lead >= 0x96 && lead < 0xe2 { // nothing, or more of the same
			continue
		}
		for second := byte(0x30); second <= 0x39; second++ {
			for third := byte(0x81); third <= 0xfe; third++ {
				for fourth := byte(0x30); fourth <= 0x39; fourth++ {
					r, size := g.decode([]byte{lead, second, third, fourth}, true)
					if size != 4 {
						t.Fatalf("%x%x%x%x: size %d", lead, second, third, fourth, size)
					}
					if r != undecodable {
						seen[r]++
					}
				}
			}
		}
	}
	for r := rune(0x80); r < 0xd800; r++ {
		if !two[r] && seen[r] != 1 {
			t.Errorf("U+%04X has %d codes of four bytes", r, seen[r])
		}
	}
	for r := rune(0x10000); r < 0x20000; r++ {
		if seen[r] != 1 {
			t.Errorf("U+%04X has %d codes of four bytes", r, seen[r])
		}
	}
}

// Where x/text can write and read back a text, we read the same.
func FuzzGB18030(f *testing.F) {
	f.Add("企业名称𠮷㐀")
	f.Add("\ue000\ufffd\u1e3f")
	g := newGB18030()
	f.Fuzz(func(t *testing.T, s string) {
		encoded, err := simplifiedchinese.GB18030.NewEncoder().String(s)
		if err != nil {
			return
		}
		if back, err := simplifiedchinese.GB18030.NewDecoder().String(encoded); err != nil || back != s {
			return
		}
		var got []rune
		for src := []byte(encoded); len(src) > 0; {
			if src[0] < 0x80 {
				got, src = append(got, rune(src[0])), src[1:]
				continue
			}
			r, size := g.decode(src, true)
			got, src = append(got, r), src[size:]
		}
		for i, want := range []rune(s) {
			if i >= len(got) || got[i] != want && want != 0xfffd {
				t.Fatalf("read %q, want %q", string(got), s)
			}
		}
	})
}
