// Package envelopetest lets tests seal, sign and open without an authority: a City issues keys to whoever asks.
package envelopetest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// City is an exchange's secrets and the directory of those who sign. It is safe for concurrent use.
type City struct {
	// Seed is what all keys follow from: From makes the same city in another process.
	Seed string

	mu      sync.Mutex // guards all below
	secrets [][]byte
	known   map[envelope.SignerID]envelope.Signatory
	signers map[exchange.Adapter]*signer
	issued  map[exchange.Adapter]int
}

// New is a city with one sealing secret.
func New() *City { return From(rand.Text()) }

// From is the city of that seed.
func From(seed string) *City {
	c := &City{Seed: seed, known: map[envelope.SignerID]envelope.Signatory{}, signers: map[exchange.Adapter]*signer{}, issued: map[exchange.Adapter]int{}}
	c.Rotate()
	return c
}

// Rotate draws another sealing secret and gives its public key.
func (c *City) Rotate() (public []byte) {
	c.mu.Lock()
	secret := sha256.Sum256(fmt.Appendf(nil, "%s sealing %d", c.Seed, len(c.secrets)))
	c.secrets = append(c.secrets, secret[:])
	c.mu.Unlock()
	return c.Public()
}

// Public is what adapters seal to.
func (c *City) Public() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	public, err := envelope.PublicKey(envelope.Standard, c.secrets[len(c.secrets)-1])
	if err != nil {
		panic(err) // of a secret that was just drawn
	}
	return public
}

// Signer signs for the adapter, with a certificate that is good for ever unless Change says otherwise.
func (c *City) Signer(adapter exchange.Adapter) envelope.Signer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.signers[adapter]; s != nil {
		return s
	}
	return c.issue(adapter)
}

// Renew gives the adapter another certificate. The one before is known as it was: Change it first, to revoke it.
func (c *City) Renew(adapter exchange.Adapter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.issue(adapter)
}

// issue makes the adapter's next certificate. mu is held.
func (c *City) issue(adapter exchange.Adapter) envelope.Signer {
	c.issued[adapter]++
	seed := sha256.Sum256(fmt.Appendf(nil, "%s signs for %s %d", c.Seed, adapter, c.issued[adapter]))
	private := ed25519.NewKeyFromSeed(seed[:])
	public := private.Public().(ed25519.PublicKey)
	s := &signer{key: private, id: sha256.Sum256(public)}
	c.signers[adapter] = s
	c.known[s.id] = envelope.Signatory{Adapter: adapter, Suite: envelope.Standard, Public: public, Until: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}
	return s
}

// Change changes what the directory says of the adapter's certificate.
func (c *City) Change(adapter exchange.Adapter, change func(*envelope.Signatory)) {
	id := c.Signer(adapter).(*signer).id
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.known[id]
	change(&s)
	c.known[id] = s
}

// Signatory makes the city a directory.
func (c *City) Signatory(_ context.Context, id envelope.SignerID) (envelope.Signatory, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, known := c.known[id]
	return s, known, nil
}

// Sealer seals for an adapter. The clock dates signatures; nil: time.Now.
func (c *City) Sealer(t testing.TB, adapter exchange.Adapter, departmentKey []byte, clock func() time.Time) *envelope.Sealer {
	t.Helper()
	s, err := envelope.NewSealer(envelope.SealerConfig{Adapter: adapter, DepartmentKey: departmentKey, ExchangeKey: c.Public(), Signer: c.Signer(adapter), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Opener opens what was sealed to the city. It does not compare clocks: those of tests stand still.
func (c *City) Opener(t testing.TB) *envelope.Opener {
	t.Helper()
	o, err := envelope.NewOpener(envelope.OpenerConfig{Secrets: c.Secrets, Directory: c, Pending: -1})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// Secrets are all sealing secrets.
func (c *City) Secrets(context.Context) ([][]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([][]byte(nil), c.secrets...), nil
}

type signer struct {
	key ed25519.PrivateKey
	id  envelope.SignerID
}

func (s *signer) Suite() envelope.Suite { return envelope.Standard }

func (s *signer) Sign(message []byte) ([]byte, envelope.SignerID, error) {
	return ed25519.Sign(s.key, message), s.id, nil
}
