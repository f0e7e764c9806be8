package certs_test

import (
	"bytes"
	"crypto/rand"
	"testing"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

func TestRequestForTwoKeys(t *testing.T) {
	_, both, err := certs.NewRequest(envelope.National, rand.Reader, "scjg/adapter/licences")
	if err != nil {
		t.Fatal(err)
	}
	first, point, err := certs.ReadRequest(both)
	if err != nil || len(point) != 65 || !bytes.HasPrefix(both, first) {
		t.Fatalf("a point of %d bytes, %v", len(point), err)
	}
	_, one, err := certs.NewRequest(envelope.Standard, rand.Reader, "scjg/adapter/licences")
	if err != nil {
		t.Fatal(err)
	}
	if same, none, err := certs.ReadRequest(one); err != nil || none != nil || !bytes.Equal(same, one) {
		t.Errorf("a request for one key: %x, %v", none, err)
	}
	changed := bytes.Clone(both)
	changed[len(changed)-1] ^= 1
	for name, wrong := range map[string][]byte{
		"a changed signature":              changed,
		"text after the requests":          append(bytes.Clone(both), 0),
		"half of the second":               both[:len(first)+20],
		"a second that is not one of SM2":  append(bytes.Clone(one), one...),
		"nothing but the SM2 key's, twice": append(bytes.Clone(both[len(first):]), one...),
	} {
		if _, _, err := certs.ReadRequest(wrong); exchange.KindOf(err) != exchange.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReadRequest(f *testing.F) {
	for _, s := range []envelope.Suite{envelope.Standard, envelope.National} {
		_, request, err := certs.NewRequest(s, rand.Reader, "")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(request)
	}
	f.Fuzz(func(t *testing.T, request []byte) {
		first, point, err := certs.ReadRequest(request)
		if err == nil && (!bytes.HasPrefix(request, first) || point != nil && len(point) != 65 || point == nil && len(first) != len(request)) {
			t.Errorf("%x was read as %x and %x", request, first, point)
		}
	})
}
