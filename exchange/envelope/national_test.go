package envelope_test

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/hex"
	"math/big"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"

	"github.com/onedoor/yimen/exchange/envelope"
)

// notary is a city of one adapter that works by the national algorithms.
type notary struct {
	key    *sm2.PrivateKey
	secret []byte
}

func (n *notary) point() []byte {
	out := make([]byte, 65)
	out[0] = 4
	n.key.X.FillBytes(out[1:33])
	n.key.Y.FillBytes(out[33:])
	return out
}

func (n *notary) Sign(message []byte) ([]byte, envelope.SignerID, error) {
	signature, err := n.key.SignWithSM2(rand.Reader, nil, message)
	return signature, envelope.SignerID{1}, err
}

func (n *notary) Signatory(_ context.Context, id envelope.SignerID) (envelope.Signatory, bool, error) {
	return envelope.Signatory{Adapter: licences, Suite: envelope.National, Public: n.point(), Until: at.Add(time.Hour)}, id == envelope.SignerID{1}, nil
}

func TestNationalSuite(t *testing.T) {
	private, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	n := &notary{key: private, secret: bytes.Repeat([]byte{9}, 32)}
	public, err := envelope.PublicKey(envelope.National, n.secret)
	if err != nil {
		t.Fatal(err)
	}
	s, err := envelope.NewSealer(envelope.SealerConfig{Adapter: licences, DepartmentKey: key, ExchangeKey: public, Signer: n, Suite: envelope.National, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	o, err := envelope.NewOpener(envelope.OpenerConfig{Secrets: func(context.Context) ([][]byte, error) { return [][]byte{n.secret}, nil }, Directory: n})
	if err != nil {
		t.Fatal(err)
	}
	all := sealed(t, s, 11)
	for i := range all {
		m := all[i]
		opened, err := o.Record(t.Context(), &m)
		if err != nil || !bytes.Equal(opened.Payload, draft(s, i).Payload) {
			t.Fatalf("%d: %v", i, err)
		}
		m.Value = bytes.Clone(m.Value)
		m.Value[len(m.Value)-1] ^= 1
		if _, err := o.Record(t.Context(), &m); err == nil {
			t.Fatal("a changed one opens")
		}
	}
	if err := s.SealTo(public[:30]); err == nil {
		t.Error("half a key is taken")
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestNationalVectors holds the library against the examples of the standards.
func TestNationalVectors(t *testing.T) {
	// GB/T 32905-2016, A.1 and A.2.
	for message, want := range map[string]string{
		"abc": "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
		"abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd": "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732",
	} {
		if sum := sm3.Sum([]byte(message)); hex.EncodeToString(sum[:]) != want {
			t.Errorf("SM3 of %s: %x", message, sum)
		}
	}
	// GB/T 32907-2016, A.1: one block, and the same a million times.
	block, err := sm4.NewCipher(unhex(t, "0123456789abcdeffedcba9876543210"))
	if err != nil {
		t.Fatal(err)
	}
	text := unhex(t, "0123456789abcdeffedcba9876543210")
	block.Encrypt(text, text)
	if hex.EncodeToString(text) != "681edf34d206965e86b3e94f536e4246" {
		t.Errorf("SM4: %x", text)
	}
	// RFC 8998, A.1: SM4-GCM.
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	plain := unhex(t, "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccddddddddddddddddeeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa")
	sealed := gcm.Seal(nil, unhex(t, "00001234567800000000abcd"), plain, unhex(t, "feedfacedeadbeeffeedfacedeadbeefabaddad2"))
	if want := "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d83de3541e4c2b58177e065a9bf7b62ec"; hex.EncodeToString(sealed) != want {
		t.Errorf("SM4-GCM: %x", sealed)
	}
	// GB/T 32918.5-2017, A.2: a signature on the recommended curve.
	integer := func(s string) *big.Int { return new(big.Int).SetBytes(unhex(t, s)) }
	public := &ecdsa.PublicKey{Curve: sm2.P256(),
		X: integer("09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"), Y: integer("ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13")}
	r, v := integer("f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"), integer("b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa")
	if !sm2.VerifyWithSM2(public, nil, []byte("message digest"), r, v) {
		t.Error("SM2: the signature of the standard does not hold")
	}
	if sm2.VerifyWithSM2(public, nil, []byte("message digesT"), r, v) {
		t.Error("SM2: a changed message holds")
	}
}
