package envelope_test

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// RFC 9180 A.1.1: the recipient's key pair follows from ikmR.
func TestPublicKeyFollowsFromTheSecretAsTheStandardSays(t *testing.T) {
	secret, err := hex.DecodeString("6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037")
	if err != nil {
		t.Fatal(err)
	}
	public, err := envelope.PublicKey(envelope.Standard, secret)
	raw, marked := strings.CutPrefix(string(public), "yimen-exchange-key-1 ")
	if err != nil || !marked || hex.EncodeToString([]byte(raw)) != "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d" {
		t.Errorf("%q, %v", public, err)
	}
	for _, suite := range suites {
		first, err := envelope.PublicKey(suite, secret)
		again, _ := envelope.PublicKey(suite, secret)
		if err != nil || string(first) != string(again) || envelope.CheckPublicKey(first) != nil {
			t.Errorf("suite %d: %q and %q, %v", suite, first, again, err)
		}
	}
}

// TestRotationUnderLoad has adapters publish while the key rotates, and nodes open while they do. No record is refused, those
// of the first key included, by nodes that were there and by one that was not.
func TestRotationUnderLoad(t *testing.T) {
	for name, suite := range suites {
		t.Run(name, func(t *testing.T) {
			c := newCity(t, suite)
			var published sync.WaitGroup
			var refused, opened atomic.Int64
			var mu sync.Mutex
			var all []exchange.Message
			for range 4 {
				published.Go(func() {
					for range 25 {
						batch := c.sealer.Batch()
						m, err := batch.Record(draft())
						if err != nil {
							t.Error(err)
						}
						signed := []exchange.Message{m}
						c.sign(batch, signed)
						if c.believe(&signed[0]) != nil {
							refused.Add(1)
						}
						opened.Add(1)
						mu.Lock()
						all = append(all, signed...)
						mu.Unlock()
					}
				})
			}
			for range 10 {
				c.Rotate() // first the nodes know the new version, then adapters seal to it
				if err := c.sealer.SealTo(c.PublicKey(suite)); err != nil {
					t.Error(err)
				}
			}
			published.Wait()
			late := c.Opener()
			keys := map[string]bool{}
			for i := range all {
				keys[string(all[i].Value[2:10])] = true
				if err := believe(t, late, &all[i]); err != nil {
					t.Error(err)
				}
			}
			if refused.Load() != 0 || opened.Load() != 100 {
				t.Errorf("%d of %d refused", refused.Load(), opened.Load())
			}
			batch := c.sealer.Batch() // whatever the scheduler did above, the last key is in use now
			m, err := batch.Record(draft())
			if err != nil {
				t.Fatal(err)
			}
			first := c.kinds(c.sealer)[aRecord]
			if string(m.Value[2:10]) != string(first.Value[2:10]) {
				t.Error("the newest key is not used")
			}
		})
	}
}

// TestBatchKeepsItsKey: a new key takes effect with the next batch.
func TestBatchKeepsItsKey(t *testing.T) {
	c := newCity(t, envelope.Standard)
	begun := c.sealer.Batch()
	c.Rotate()
	if err := c.sealer.SealTo(c.PublicKey(envelope.Standard)); err != nil {
		t.Fatal(err)
	}
	old, err := begun.Record(draft())
	now, err2 := c.sealer.Batch().Record(draft())
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	if string(old.Value[2:10]) == string(now.Value[2:10]) {
		t.Error("both are sealed to one key")
	}
	if err := c.sealer.SealTo(c.PublicKey(envelope.National)); exchange.KindOf(err) != exchange.Invalid {
		t.Errorf("another suite's key: %v", err)
	}
	if again, _ := c.sealer.Batch().Record(draft()); string(again.Value[2:10]) != string(now.Value[2:10]) {
		t.Error("a key that was refused is used")
	}
}

// TestForgottenKeysAreAskedForAgain: an opener whose authority closed opens nothing, and opens again after it.
func TestForgottenKeysAreAskedForAgain(t *testing.T) {
	c := newCity(t, envelope.Standard)
	closed := errors.New("the authority is closed")
	var now error
	o, err := envelope.NewOpener(envelope.OpenerConfig{Directory: c.Roll, Secrets: func(ctx context.Context) ([][]byte, error) {
		if now != nil {
			return nil, now
		}
		return c.Secrets(ctx)
	}})
	if err != nil {
		t.Fatal(err)
	}
	m := c.kinds(c.sealer)[aRecord]
	if err := believe(t, o, &m); err != nil {
		t.Fatal(err)
	}
	now = closed
	if err := believe(t, o, &m); err != nil {
		t.Errorf("what is in memory: %v", err)
	}
	o.Forget()
	if err := believe(t, o, &m); !errors.Is(err, closed) {
		t.Errorf("forgotten: %v", err)
	}
	now = nil
	if err := believe(t, o, &m); err != nil {
		t.Errorf("open again: %v", err)
	}
}
