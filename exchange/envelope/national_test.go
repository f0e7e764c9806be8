package envelope

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm4"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The examples of GB/T 32918.5-2017 (A.2 and A.4) are those of parts 2 and 4 on the curve that part 5 recommends.
const (
	sm2Private = "3945208F7B2144B13F36E38AC6D39F9588939369 2860B51A42FB81EF4DF7C5B8"
	sm2Public  = "04 09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020 CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
	sm2R       = "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
	sm2S       = "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
	sm2Cipher  = "04 04EBFC718E8D179862043226 8E77FEB6415E2EDE0E073C0F4F640ECD2E149A73 E858F9D81E5430A57B36DAAB8F950A3C64E6EE6A63094D99283AFF767E124DF0" +
		"59983C18F809E262923C53AEC295D30383B54E39D609D160AFCB1908D0BD8766 21886CA989CA9C7D58087307CA93092D651EFA"
)

func TestSM2Signature(t *testing.T) {
	integer := func(s string) *big.Int { return new(big.Int).SetBytes(unhex(t, s)) }
	made, err := asn1.Marshal([]*big.Int{integer(sm2R), integer(sm2S)})
	if err != nil {
		t.Fatal(err)
	}
	public := unhex(t, sm2Public)
	if !(national{}).verify(public, []byte("message digest"), made) {
		t.Error("the standard's signature is refused")
	}
	for i := range made {
		if wrong := flipped(made, i); (national{}).verify(public, []byte("message digest"), wrong) {
			t.Errorf("it holds with byte %d flipped", i)
		}
	}
	if (national{}).verify(public, []byte("message digesu"), made) || (national{}).verify(flipped(public, 40), []byte("message digest"), made) {
		t.Error("it holds of another message, or under another key")
	}
	for name, odd := range map[string][]byte{"empty": nil, "short": public[:64], "long": append(bytes.Clone(public), 0), "compressed": append([]byte{3}, public[1:33]...), "infinity": {0}} {
		if (national{}).verify(odd, []byte("message digest"), made) {
			t.Errorf("it holds under a key that is %s", name)
		}
	}
}

func flipped(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 1
	return b
}

func TestSM2Encryption(t *testing.T) {
	key, err := sm2Key(new(big.Int).SetBytes(unhex(t, sm2Private)))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(key.public(), unhex(t, sm2Public)) {
		t.Errorf("public key %x", key.public())
	}
	sealed := unhex(t, sm2Cipher)
	if plain, err := key.unwrap(sealed); err != nil || string(plain) != "encryption standard" {
		t.Errorf("got %q, %v", plain, err)
	}
	for i := range sealed {
		if plain, err := key.unwrap(flipped(sealed, i)); err == nil {
			t.Fatalf("with byte %d flipped it opens as %q", i, plain)
		}
	}
	for n := range sealed {
		if plain, err := key.unwrap(sealed[:n]); err == nil {
			t.Fatalf("cut to %d bytes it opens as %q", n, plain)
		}
	}
}

// GB/T 32905-2016 A.1 and A.2.
func TestSM3(t *testing.T) {
	for message, want := range map[string]string{
		"abc":                      "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
		strings.Repeat("abcd", 16): "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732",
	} {
		got := (national{}).sum([]byte(message))
		if hex.EncodeToString(got[:]) != want {
			t.Errorf("%s: %x", message, got)
		}
		h := (national{}).newHash()
		h.Write([]byte(message))
		if !bytes.Equal(h.Sum(nil), got[:]) {
			t.Errorf("%s: written piece by piece it is another", message)
		}
	}
}

// GB/T 32907-2016 A.1 and A.2.
func TestSM4(t *testing.T) {
	key := unhex(t, "0123456789abcdeffedcba9876543210")
	block, err := sm4.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	text := bytes.Clone(key)
	block.Encrypt(text, text)
	if hex.EncodeToString(text) != "681edf34d206965e86b3e94f536e4246" {
		t.Errorf("once: %x", text)
	}
	for range 1_000_000 - 1 {
		block.Encrypt(text, text)
	}
	if hex.EncodeToString(text) != "595298c7c6fd271f0402f804c33d3f66" {
		t.Errorf("a million times: %x", text)
	}
}

// RFC 8998 A.1.
func TestSM4GCM(t *testing.T) {
	aead, err := (national{}).newAEAD(unhex(t, "0123456789ABCDEFFEDCBA9876543210"))
	if err != nil {
		t.Fatal(err)
	}
	nonce, bound := unhex(t, "00001234567800000000ABCD"), unhex(t, "FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
	plain := unhex(t, "AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBCCCCCCCCCCCCCCCCDDDDDDDDDDDDDDDDEEEEEEEEEEEEEEEEFFFFFFFFFFFFFFFFEEEEEEEEEEEEEEEEAAAAAAAAAAAAAAAA")
	want := unhex(t, "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"+
		"83DE3541E4C2B58177E065A9BF7B62EC")
	if got := aead.Seal(nil, nonce, plain, bound); !bytes.Equal(got, want) {
		t.Errorf("sealed %x", got)
	}
	if got, err := aead.Open(nil, nonce, want, bound); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("opened %x, %v", got, err)
	}
}

// hidden is a block cipher without the library's own mode.
type hidden struct{ cipher.Block }

// TestSM4GCMIsGCM compares the library's machine code with Go's mode over the same block cipher, at lengths around those of blocks.
func TestSM4GCMIsGCM(t *testing.T) {
	key, nonce := make([]byte, 16), make([]byte, 12)
	rand.Read(key)
	rand.Read(nonce)
	own, err := (national{}).newAEAD(key)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := sm4.NewCipher(key)
	general, err := cipher.NewGCM(hidden{block})
	if err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 700)
	rand.Read(text)
	for n := range text {
		sealed := own.Seal(nil, nonce, text[:n], text[n:])
		if !bytes.Equal(sealed, general.Seal(nil, nonce, text[:n], text[n:])) {
			t.Fatalf("%d bytes are sealed in another way", n)
		}
		if plain, err := own.Open(nil, nonce, sealed, text[n:]); err != nil || !bytes.Equal(plain, text[:n]) {
			t.Fatalf("%d bytes do not open: %v", n, err)
		}
		if _, err := own.Open(nil, nonce, flipped(sealed, n/2), text[n:]); err == nil {
			t.Fatalf("%d bytes open with one flipped", n)
		}
	}
}

func FuzzSM2(f *testing.F) {
	key, err := sm2Key(new(big.Int).SetBytes(unhex(f, sm2Private)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(unhex(f, sm2Cipher), unhex(f, sm2Public))
	f.Fuzz(func(t *testing.T, sealed, public []byte) {
		if plain, err := key.unwrap(sealed); err == nil && len(plain) != len(sealed)-65-32 {
			t.Errorf("%d bytes of %d", len(plain), len(sealed))
		}
		(national{}).verify(public, sealed, sealed)
		if to, err := (national{}).sealingKey(public); err == nil {
			if _, err := to.wrap(make([]byte, 16)); err != nil {
				t.Error(err)
			}
		}
	})
}
