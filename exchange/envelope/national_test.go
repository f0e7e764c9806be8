package envelope_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/envelope/envelopetest"
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

func (n *notary) Suite() envelope.Suite { return envelope.National }

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
	s, err := envelope.NewSealer(envelope.SealerConfig{Adapter: licences, DepartmentKey: key, ExchangeKey: public, Signer: n, Clock: clock})
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

// TestSuitesDoNotMix: a message sealed by one suite and signed by the other is refused by name, as is a signature of another suite than
// its certificate's.
func TestSuitesDoNotMix(t *testing.T) {
	private, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	n, city := &notary{key: private, secret: bytes.Repeat([]byte{9}, 32)}, envelopetest.New()
	public, err := envelope.PublicKey(envelope.National, n.secret)
	if err != nil {
		t.Fatal(err)
	}
	national, err := envelope.NewSealer(envelope.SealerConfig{Adapter: licences, DepartmentKey: key, ExchangeKey: public, Signer: n, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	standard := city.Sealer(t, licences, key, clock)
	resigned := func(seals, signs *envelope.Sealer) exchange.Message {
		m, err := seals.Batch().Record(draft(seals, 1))
		if err != nil {
			t.Fatal(err)
		}
		all := []exchange.Message{m}
		if err := signs.Batch().Sign(all); err != nil {
			t.Fatal(err)
		}
		return all[0]
	}
	secrets := func(context.Context) ([][]byte, error) { return [][]byte{n.secret}, nil }
	for name, test := range map[string]struct {
		message   exchange.Message
		directory envelope.Directory
	}{
		"sealed standard, signed national": {resigned(standard, national), n},
		"sealed national, signed standard": {resigned(national, standard), city},
		"a certificate of the other suite": {resigned(national, national), renamed{city, city.Signer(licences)}},
	} {
		o, err := envelope.NewOpener(envelope.OpenerConfig{Secrets: secrets, Directory: test.directory})
		if err != nil {
			t.Fatal(err)
		}
		_, err = o.Record(t.Context(), &test.message)
		if p := (*exchange.Problem)(nil); !errors.As(err, &p) || p.Code != "YM-SIG-0109" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// renamed knows every certificate as that of a signer of the standard suite.
type renamed struct {
	city   *envelopetest.City
	signer envelope.Signer
}

func (r renamed) Signatory(ctx context.Context, _ envelope.SignerID) (envelope.Signatory, bool, error) {
	_, id, err := r.signer.Sign(nil)
	if err != nil {
		return envelope.Signatory{}, false, err
	}
	return r.city.Signatory(ctx, id)
}
