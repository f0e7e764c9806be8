package adapters_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/exchange/envelope"
)

// believed verifies everything on the adapter's topics as the exchange would, and counts it.
func (c *city) believed(o *envelope.Opener) (counts struct{ records, rejections, resolutions, statements int }) {
	c.t.Helper()
	ctx := c.t.Context()
	for _, topic := range []string{"evidence.business-licence", "quarantine.scjg", "coverage.scjg"} {
		for _, m := range c.read(topic) {
			var err error
			switch {
			case strings.HasPrefix(topic, "evidence"):
				_, err = o.Record(ctx, &m)
				counts.records++
			case strings.HasPrefix(topic, "coverage"):
				_, err = o.Statement(ctx, &m)
				counts.statements++
			case m.Value == nil:
				_, err = o.Resolution(ctx, &m)
				counts.resolutions++
			default:
				_, err = o.Rejection(ctx, &m)
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
	if got := c.believed(c.keys.Opener(t)); got.records != 31 || got.rejections != 1 || got.resolutions != 1 || got.statements != 2 {
		t.Errorf("%+v", got)
	}
}

// national gives the key of the national suite to seal to.
func (c *city) national() []byte {
	secrets, err := c.keys.Secrets(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	public, err := envelope.PublicKey(envelope.National, secrets[len(secrets)-1])
	if err != nil {
		c.t.Fatal(err)
	}
	return public
}

func TestAnotherKeyIsRefusedWhereTheStateIsKept(t *testing.T) {
	c := newCity(t)
	c.mustRun(&list{rows: companies(20)})
	before := c.versions()
	for name, change := range map[string]func(*adapters.Config){
		"key":   func(other *adapters.Config) { other.DepartmentKey = []byte(strings.Repeat("x", 32)) },
		"suite": func(other *adapters.Config) { other.Signer, other.ExchangePublicKey = sm2Notary{}, c.national() },
	} {
		other := c.config(&list{rows: companies(20)}, c.bus)
		change(&other)
		if _, err := adapters.Open(t.Context(), other); code(err) != "YM-ADP-0104" {
			t.Errorf("another %s: %v", name, err)
		}
	}
	if n := c.versions(); n != before {
		t.Errorf("%d versions, want %d", n, before)
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
		return r.SealTo(c.keys.Rotate())
	}
	if result, err := r.Run(t.Context()); err != nil || result.Published != 9000 {
		t.Fatalf("%+v, %v", result, err)
	}
	if got := c.believed(c.keys.Opener(t)); got.records != 9000 || rotations != 6 {
		t.Errorf("%+v after %d rotations", got, rotations)
	}
	keys := map[string]bool{}
	for _, m := range c.read("evidence.business-licence") {
		keys[fmt.Sprintf("%x", m.Value[2:10])] = true
	}
	if len(keys) < 2 {
		t.Errorf("records are sealed to %d keys", len(keys))
	}
}

// sm2Notary signs with SM2 and is the directory of itself.
type sm2Notary struct{ key *sm2.PrivateKey }

func (n sm2Notary) Suite() envelope.Suite { return envelope.National }

func (n sm2Notary) Sign(message []byte) ([]byte, envelope.SignerID, error) {
	made, err := n.key.Sign(rand.Reader, message, sm2.NewSM2SignerOption(true, nil))
	return made, envelope.SignerID{1}, err
}

func (n sm2Notary) Signatory(_ context.Context, id envelope.SignerID) (envelope.Signatory, bool, error) {
	coordinate := func(v *big.Int) []byte { return v.FillBytes(make([]byte, 32)) }
	return envelope.Signatory{Adapter: "scjg/licences", Suite: envelope.National, Until: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC),
		Public: append(append([]byte{4}, coordinate(n.key.X)...), coordinate(n.key.Y)...)}, id == envelope.SignerID{1}, nil
}

// TestNationalAlgorithmsByConfiguration publishes with SM2, SM3 and SM4, and an exchange with the one secret opens both suites.
func TestNationalAlgorithmsByConfiguration(t *testing.T) {
	c := newCity(t)
	key, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rows := companies(50)
	rows[4][3] = "很多钱"
	config := c.config(&list{rows: rows, upTo: c.now}, c.bus)
	config.ExchangePublicKey, config.Signer = c.national(), sm2Notary{key}
	r, err := adapters.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Run(t.Context())
	if err = errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	o, err := envelope.NewOpener(envelope.OpenerConfig{Secrets: c.keys.Secrets, Directory: sm2Notary{key}, Pending: -1})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.believed(o); got.records != 49 || got.rejections != 1 || got.statements != 1 {
		t.Errorf("%+v", got)
	}
	for _, m := range c.read("evidence.business-licence") {
		if envelope.Suite(m.Value[1]) != envelope.National {
			t.Fatalf("sealed by suite %d", m.Value[1])
		}
	}
}
