package envelope_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"

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
