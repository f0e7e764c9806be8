package envelope

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"testing"

	"github.com/emmansun/gmsm/sm4"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSM3 has the examples of GB/T 32905-2016, A.1 and A.2.
func TestSM3(t *testing.T) {
	for message, want := range map[string]string{
		"abc": "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
		"abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd": "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732",
	} {
		h := national{}.newHash()
		h.Write([]byte(message))
		if sum := (national{}).sum([]byte(message)); hex.EncodeToString(sum[:]) != want || !bytes.Equal(h.Sum(nil), sum[:]) {
			t.Errorf("SM3 of %s: %x", message, sum)
		}
	}
}

// TestSM4 has the examples of GB/T 32907-2016, A.1 and A.2: one block, and the same enciphered a million times.
func TestSM4(t *testing.T) {
	block, err := sm4.NewCipher(unhex(t, "0123456789abcdeffedcba9876543210"))
	if err != nil {
		t.Fatal(err)
	}
	text := unhex(t, "0123456789abcdeffedcba9876543210")
	for n := range 1_000_000 {
		block.Encrypt(text, text)
		if n == 0 && hex.EncodeToString(text) != "681edf34d206965e86b3e94f536e4246" {
			t.Errorf("SM4: %x", text)
		}
	}
	if hex.EncodeToString(text) != "595298c7c6fd271f0402f804c33d3f66" {
		t.Errorf("SM4 a million times: %x", text)
	}
}

// TestSM4GCM has the example of RFC 8998, A.1.
func TestSM4GCM(t *testing.T) {
	gcm, err := national{}.newAEAD(unhex(t, "0123456789abcdeffedcba9876543210"))
	if err != nil {
		t.Fatal(err)
	}
	nonce, bound := unhex(t, "00001234567800000000abcd"), unhex(t, "feedfacedeadbeeffeedfacedeadbeefabaddad2")
	plain := unhex(t, "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccddddddddddddddddeeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa")
	sealed := gcm.Seal(nil, nonce, plain, bound)
	if want := "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d83de3541e4c2b58177e065a9bf7b62ec"; hex.EncodeToString(sealed) != want {
		t.Errorf("SM4-GCM: %x", sealed)
	}
	if opened, err := gcm.Open(nil, nonce, sealed, bound); err != nil || !bytes.Equal(opened, plain) {
		t.Errorf("opened %x, %v", opened, err)
	}
}

// TestSM2Signature has the example of GB/T 32918.5-2017, A.2, a signature on the recommended curve.
func TestSM2Signature(t *testing.T) {
	integer := func(s string) *big.Int { return new(big.Int).SetBytes(unhex(t, s)) }
	public := unhex(t, "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13")
	signature, err := asn1.Marshal(struct{ R, S *big.Int }{integer("f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"),
		integer("b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa")})
	if err != nil {
		t.Fatal(err)
	}
	if !(national{}).verify(public, []byte("message digest"), signature) {
		t.Error("the signature of the standard does not hold")
	}
	for name, holds := range map[string]bool{
		"changed message":   national{}.verify(public, []byte("message digesT"), signature),
		"changed signature": national{}.verify(public, []byte("message digest"), append(bytes.Clone(signature[:len(signature)-1]), signature[len(signature)-1]^1)),
		"longer signature":  national{}.verify(public, []byte("message digest"), append(bytes.Clone(signature), 0)),
		"no signature":      national{}.verify(public, []byte("message digest"), nil),
		"compressed key":    national{}.verify(append([]byte{3}, public[1:33]...), []byte("message digest"), signature),
		"not on the curve":  national{}.verify(append(bytes.Clone(public[:64]), public[64]^1), []byte("message digest"), signature),
		"no key":            national{}.verify(nil, []byte("message digest"), signature),
	} {
		if holds {
			t.Errorf("%s holds", name)
		}
	}
}
