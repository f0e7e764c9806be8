package node

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
)

// closable is an authority that can be closed and opened again, as Vault is when it is sealed for too long.
type closable struct {
	certs.Authority
	closed atomic.Bool
}

var errShut = &exchange.Problem{Code: "YM-VLT-0108", Kind: exchange.Unavailable}

func (c *closable) State() certs.State {
	if c.closed.Load() {
		return certs.Closed
	}
	return c.Authority.State()
}

func (c *closable) Ring(ctx context.Context, name string) ([]certs.Key, error) {
	if c.closed.Load() {
		return nil, errShut
	}
	return c.Authority.Ring(ctx, name)
}

// TestClosedAuthorityLeavesNoKeys closes the authority under a running node: what was derived from it before is given up at once,
// what comes meanwhile is not lost, and all is derived again when it is back.
func TestClosedAuthorityLeavesNoKeys(t *testing.T) {
	c := settings(t)
	local, err := certs.NewLocal(certs.LocalConfig{Dir: filepath.Join(t.TempDir(), "keys"), City: DefaultCity, Clock: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	authority := &closable{Authority: local}
	around := surroundings()
	around.authority = authority
	n, err := Start(t.Context(), c, around)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	publish(t, n, 1)
	before := ask(t, n)
	sealer := sealerOf(t, n, "scjg/licences")

	authority.closed.Store(true)
	holder := exchange.Holder{Kind: exchange.Organisation, Number: company}
	gone := func(name string, ask func() error) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		for !errors.Is(ask(), errShut) {
			if ctx.Err() != nil {
				t.Fatalf("%s still has its keys: %v", name, ask())
			}
			time.Sleep(lookAgain / 4)
		}
	}
	gone("the index", func() error {
		_, err := n.Index.Find(t.Context(), holder, []exchange.EvidenceType{"business-licence"})
		return err
	})
	gone("the audit log", func() error { _, err := n.audit.Token(t.Context(), holder); return err })
	if err := n.mayAnswer(); exchange.KindOf(err) != exchange.Unavailable {
		t.Errorf("queries while closed: %v", err)
	}
	batch := sealer.Batch()
	m, err := batch.Statement(exchange.Coverage{Adapter: "scjg/licences", Type: "business-licence", Alive: noon, CompleteUpTo: noon})
	if err != nil {
		t.Fatal(err)
	}
	late := []exchange.Message{m}
	if err := batch.Sign(late); err != nil {
		t.Fatal(err)
	}
	send(t, n, late...)
	time.Sleep(2 * lookAgain) // the topic is tried, and not given up
	if err := n.broken(); err != nil {
		t.Fatalf("the node has ended: %v", err)
	}

	authority.closed.Store(false)
	if err := n.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := ask(t, n); after != before {
		t.Errorf("answers %s, before %s", after, before)
	}
}
