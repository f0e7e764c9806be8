package adapters_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// believed verifies everything on the adapter's topics as the exchange would, and counts it.
func (c *city) believed() (counts struct{ records, rejections, resolutions, statements int }) {
	c.t.Helper()
	opener, ctx := c.trust.Opener(), c.t.Context()
	for _, topic := range []string{"evidence.business-licence", "quarantine.scjg", "coverage.scjg"} {
		for _, m := range c.read(topic) {
			var err error
			switch {
			case strings.HasPrefix(topic, "evidence"):
				_, err = opener.Record(ctx, &m)
				counts.records++
			case strings.HasPrefix(topic, "coverage"):
				_, err = opener.Statement(ctx, &m)
				counts.statements++
			case m.Value == nil:
				_, err = opener.Resolution(ctx, &m)
				counts.resolutions++
			default:
				_, err = opener.Rejection(ctx, &m)
				counts.rejections++
			}
			if err != nil {
				c.t.Errorf("%s/%d@%d: %v", topic, m.Partition, m.Offset, err)
			}
		}
	}
	return counts
}

func TestEverythingAnAdapterSaysIsSigned(t *testing.T) {
	c := newCity(t)
	rows := companies(30)
	rows[4][3] = "很多钱"
	c.mustRun(&list{rows: rows})
	c.mustRun(&list{rows: companies(29)})
	if got := c.believed(); got.records != 31 || got.rejections != 1 || got.resolutions != 1 || got.statements != 2 {
		t.Errorf("%+v", got)
	}
}

// brokenBus loses everything on its way to a topic.
type brokenBus struct {
	adapters.Bus
	err error
}

func (b *brokenBus) Append(context.Context, string, []exchange.Message) error { return b.err }

// TestPendingOutlivesItsCertificate: what was pending when an adapter's certificate was revoked is sent by the next one, and
// believed.
func TestPendingOutlivesItsCertificate(t *testing.T) {
	c := newCity(t)
	away := &brokenBus{Bus: c.bus, err: errors.New("the network went away")}
	config := c.config(&list{rows: companies(40), upTo: c.now}, away)
	stolen := c.trust.Enrol("scjg/licences", envelope.Standard, time.Time{}, time.Now().Add(time.Hour))
	config.Signer = stolen
	r, err := adapters.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Run(t.Context()); !errors.Is(err, away.err) {
		t.Fatalf("got %v", err)
	}
	r.Close()
	c.trust.Revoke(stolen.ID, time.Now())
	if r := c.mustRun(&list{rows: companies(40)}); r.Published != 0 || r.Unchanged != 40 {
		t.Errorf("%+v", r)
	}
	if got := c.believed(); got.records != 40 {
		t.Errorf("%+v", got)
	}
}

func TestAnotherKeyIsRefusedWhereTheStateIsKept(t *testing.T) {
	c := newCity(t)
	c.mustRun(&list{rows: companies(20)})
	for name, change := range map[string]func(*adapters.Config){
		"key": func(other *adapters.Config) { other.DepartmentKey = []byte(strings.Repeat("x", 32)) },
		"suite": func(other *adapters.Config) {
			other.Suite, other.ExchangePublicKey = envelope.National, c.trust.PublicKey(envelope.National)
		},
	} {
		other := c.config(&list{rows: companies(20)}, c.bus)
		change(&other)
		if _, err := adapters.Open(t.Context(), other); code(err) != "YM-ADP-0104" {
			t.Errorf("another %s: %v", name, err)
		}
	}
	if r := c.mustRun(&list{rows: companies(21)}); r.Published != 1 {
		t.Errorf("with the right one: %+v", r)
	}
}

// TestKeyOfTheExchangeRotatesWhileAnAdapterPublishes: no record is refused, before or after.
func TestKeyOfTheExchangeRotatesWhileAnAdapterPublishes(t *testing.T) {
	c := newCity(t)
	source := &list{rows: companies(9000), upTo: c.now}
	r, err := adapters.Open(t.Context(), c.config(source, c.bus))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	rotations := 0
	source.before = func(i int) error {
		if i%1500 != 1499 {
			return nil
		}
		rotations++
		c.trust.Rotate()
		return r.SealTo(c.trust.PublicKey(envelope.Standard))
	}
	if result, err := r.Run(t.Context()); err != nil || result.Published != 9000 {
		t.Fatalf("%+v, %v", result, err)
	}
	if got := c.believed(); got.records != 9000 || rotations != 6 {
		t.Errorf("%+v after %d rotations", got, rotations)
	}
	keys := map[string]bool{}
	for _, m := range c.read("evidence.business-licence") {
		keys[fmt.Sprintf("%x", m.Value[2:10])] = true
	}
	if len(keys) < 3 {
		t.Errorf("records are sealed to %d keys", len(keys))
	}
}

func TestNationalAlgorithmsEndToEnd(t *testing.T) {
	c := newCity(t)
	config := c.config(&list{rows: companies(50), upTo: c.now}, c.bus)
	config.Suite, config.ExchangePublicKey = envelope.National, c.trust.PublicKey(envelope.National)
	config.Signer = c.trust.Enrol("scjg/licences", envelope.National, time.Time{}, time.Now().Add(time.Hour))
	r, err := adapters.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := c.believed(); got.records != 50 || got.statements != 1 {
		t.Errorf("%+v", got)
	}
	if len(c.standing()) != 50 {
		t.Error("not all records stand")
	}
}
