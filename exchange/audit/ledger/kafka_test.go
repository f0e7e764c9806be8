package ledger

import (
	"crypto/ed25519"
	"sync"
	"testing"

	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/bus/embedded"
)

// From an append onto Kafka to a proof that holds, with everything that an exchange has.
func TestOnKafka(t *testing.T) {
	broker, err := embedded.Start(embedded.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	b, err := bus.Connect(bus.Config{Brokers: []string{broker.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Ensure(t.Context(), []bus.Topic{{Name: audit.Topic, Partitions: 1}}); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	if w.log, err = audit.New(audit.Config{Appender: b, Keys: auditKeys, Clock: w.clock.Now}); err != nil {
		t.Fatal(err)
	}
	w.cfg.Topic = b
	w.cfg.Witnesses = startWitness(t, w)
	w.open()
	w.run()
	defer w.close()
	until(t, "the empty log is fresh", func() bool { return w.Fresh(w.clock.Now()) == nil })
	var mu sync.Mutex
	var receipts []audit.Receipt
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 10 {
				r, err := w.log.Append(t.Context(), query(10*i+j))
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				receipts = append(receipts, r)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	until(t, "all is published", func() bool { return w.publisher.last().size >= 80 })
	for _, r := range receipts {
		found, err := w.Entry(t.Context(), r.ID)
		if err != nil || found.Index != uint64(r.Offset) {
			t.Fatalf("%+v, %v", found, err)
		}
		if err := audit.VerifyReceipt(logKey.Public().(ed25519.PublicKey), r, found.Raw); err != nil {
			t.Error(err)
		}
		proof, err := w.Proof(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := VerifyProof(w.keys(), proof, found.Raw); err != nil {
			t.Error(err)
		}
	}
	v := w.verification()
	v.Topic = b
	if r := w.sound(v); r.Leaves["entry"] != 80 {
		t.Errorf("%+v", r)
	}
}
