package node

import (
	"bytes"
	"encoding/hex"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/erasure"
)

// TestKeysRotateWithoutARestart: a new version comes into use an hour after it was drawn, and the node that ran meanwhile opens what
// is sealed to it and obeys what is signed by it.
func TestKeysRotateWithoutARestart(t *testing.T) {
	var since atomic.Int64
	around := surroundings()
	around.Clock = func() time.Time { return noon.Add(time.Duration(since.Load())) }
	n, err := Start(t.Context(), settings(t), around)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	publish(t, n, 1)
	public := func() []byte {
		key, err := n.PublicKey(t.Context(), envelope.Standard)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	rotate := func(asked KeyRotation) KeyRing {
		t.Helper()
		k, err := n.Rotate(t.Context(), "xzsp/0001", asked)
		if err != nil || k.Versions != 2 || k.InUse != 1 || k.From.Sub(around.Clock()) != certs.Seasoning {
			t.Fatalf("%+v, %v", k, err)
		}
		return k
	}
	first := public()
	rotate(KeyRotation{Name: sealingKey, DryRun: true})
	rotate(KeyRotation{Name: sealingKey})
	rotate(KeyRotation{Name: ordersKey})
	_, err = n.Rotate(t.Context(), "xzsp/0001", KeyRotation{Name: sealingKey})
	refusedAs(t, "twice", err, "YM-KEY-0403")
	if since.Store(int64(certs.Seasoning - time.Second)); !bytes.Equal(public(), first) {
		t.Error("adapters are told before every node must have learnt of it")
	}
	since.Store(int64(certs.Seasoning))
	if bytes.Equal(public(), first) {
		t.Error("the new version is not in use")
	}
	publish(t, n, 2)
	record := sealerOf(t, n, "scjg/licences").RecordID("business-licence", "0")
	if _, err := n.Erase(t.Context(), "xzsp/0001", EraseRequest{Kind: erasure.OfRecord, Type: "business-licence", Record: hex.EncodeToString(record[:]), Basis: "pipl-47"}); err != nil {
		t.Fatal(err)
	}
	if orders, counts := n.Index.Orders(), n.Index.Counts(); len(orders) != 1 || len(counts.Refused) != 0 {
		t.Errorf("%d orders, refused %v", len(orders), counts.Refused)
	}
}

func TestWhatMustNotRotate(t *testing.T) {
	n := start(t, settings(t))
	for _, s := range secrets {
		if s.fixed == (exchange.Text{}) {
			continue
		}
		for _, dry := range []bool{true, false} {
			_, err := n.Rotate(t.Context(), "xzsp/0001", KeyRotation{Name: s.name, DryRun: dry})
			refusedAs(t, s.name, err, "YM-KEY-0401")
		}
		if ring, err := n.Authority.Ring(t.Context(), s.name); err != nil || len(ring) != 1 {
			t.Errorf("%s: %d versions, %v", s.name, len(ring), err)
		}
	}
	_, err := n.Rotate(t.Context(), "xzsp/0001", KeyRotation{Name: "root"})
	refusedAs(t, "one that is not there", err, "YM-KEY-0402")
}

func refusedAs(t *testing.T, what string, err error, code string) {
	t.Helper()
	if p := (*exchange.Problem)(nil); !errors.As(err, &p) || p.Code != code {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}
