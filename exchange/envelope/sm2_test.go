package envelope

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm4"
)

// The example of GB/T 32918.5-2017 is that of part 4 on the curve that part 5 recommends: keys, and "encryption standard" sealed.
const (
	sm2Private = "3945208F7B2144B13F36E38AC6D39F9588939369 2860B51A42FB81EF4DF7C5B8"
	sm2Public  = "04 09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020 CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
	sm2Cipher  = "04 04EBFC718E8D179862043226 8E77FEB6415E2EDE0E073C0F4F640ECD2E149A73 E858F9D81E5430A57B36DAAB8F950A3C64E6EE6A63094D99283AFF767E124DF0" +
		"59983C18F809E262923C53AEC295D30383B54E39D609D160AFCB1908D0BD8766 21886CA989CA9C7D58087307CA93092D651EFA"
)

// unhexed reads hexadecimal with spaces.
func unhexed(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func flipped(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 1
	return b
}

func TestSM2Encryption(t *testing.T) {
	key, err := sm2Key(new(big.Int).SetBytes(unhexed(t, sm2Private)))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(key.public(), unhexed(t, sm2Public)) {
		t.Errorf("public key %x", key.public())
	}
	sealed := unhexed(t, sm2Cipher)
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
	key, err := sm2Key(new(big.Int).SetBytes(unhexed(f, sm2Private)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(unhexed(f, sm2Cipher), unhexed(f, sm2Public))
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

// TestX25519KeyFollowsFromTheSecret has RFC 9180 A.1.1: the recipient's key pair follows from ikmR.
func TestX25519KeyFollowsFromTheSecret(t *testing.T) {
	public, err := PublicKey(Standard, unhexed(t, "6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037"))
	want := append([]byte(standard{}.mark()), unhexed(t, "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d")...)
	if err != nil || !bytes.Equal(public, want) {
		t.Errorf("%q, %v", public, err)
	}
}
