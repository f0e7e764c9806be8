// Package envelopetest is an exchange without certificates, for tests: it signs, and knows who signs, in memory.
package envelopetest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// Roll is a Directory. Keys of the Standard suite follow from the adapters' names, so that a Signer is the same in every
// process; it is known to a Roll that has enrolled it itself.
type Roll struct {
	mu    sync.RWMutex
	known map[envelope.SignerID]envelope.Signatory
}

// NewRoll is a roll with nobody on it.
func NewRoll() *Roll { return &Roll{known: map[envelope.SignerID]envelope.Signatory{}} }

// Signer signs for an adapter whose certificate is always valid.
func (r *Roll) Signer(a exchange.Adapter) *Signer {
	return r.Enrol(a, envelope.Standard, time.Time{}, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
}

// Enrol gives an adapter a certificate of the suite that is valid between the times.
func (r *Roll) Enrol(a exchange.Adapter, s envelope.Suite, from, until time.Time) *Signer {
	made := &Signer{}
	name := fmt.Sprint(a, " ", s, " ", from.UnixNano(), " ", until.UnixNano())
	made.ID = sha256.Sum256([]byte("certificate of " + name))
	who := envelope.Signatory{Adapter: a, Suite: s, From: from, Until: until}
	if s == envelope.National {
		key, err := sm2.GenerateKey(rand.Reader)
		must(err)
		made.sign = func(message []byte) ([]byte, error) {
			return key.Sign(rand.Reader, message, sm2.NewSM2SignerOption(true, nil))
		}
		who.Public = point(key)
	} else {
		seed := sha256.Sum256([]byte("key of " + name))
		key := ed25519.NewKeyFromSeed(seed[:])
		made.sign = func(message []byte) ([]byte, error) { return ed25519.Sign(key, message), nil }
		who.Public = key.Public().(ed25519.PublicKey)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, again := r.known[made.ID]; !again || s == envelope.National { // who was revoked stays so
		r.known[made.ID] = who
	}
	return made
}

// Revoke revokes a certificate as of a time; zero takes that back.
func (r *Roll) Revoke(id envelope.SignerID, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	who := r.known[id]
	who.Revoked = at
	r.known[id] = who
}

// Signatory finds who was enrolled.
func (r *Roll) Signatory(_ context.Context, id envelope.SignerID) (envelope.Signatory, bool, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	who, known := r.known[id]
	return who, known, nil
}

// Signer signs with one certificate.
type Signer struct {
	ID   envelope.SignerID
	sign func([]byte) ([]byte, error)
}

// Sign signs the message.
func (s *Signer) Sign(message []byte) ([]byte, envelope.SignerID, error) {
	made, err := s.sign(message)
	return made, s.ID, err
}

// Exchange is what adapters seal to.
type Exchange struct {
	*Roll
	Clock func() time.Time // dates signatures; nil: time.Now

	mu      sync.Mutex
	secrets [][]byte
}

// New is an exchange with a key of its own.
func New() *Exchange {
	x := &Exchange{Roll: NewRoll()}
	x.Rotate()
	return x
}

// Rotate draws the next version of the sealing secret.
func (x *Exchange) Rotate() {
	secret := make([]byte, 32)
	rand.Read(secret)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.secrets = append(x.secrets, secret)
}

// Secrets gives all versions of the sealing secret, the newest last.
func (x *Exchange) Secrets(context.Context) ([][]byte, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.secrets), nil
}

// PublicKey is the newest key to seal to.
func (x *Exchange) PublicKey(s envelope.Suite) []byte {
	x.mu.Lock()
	defer x.mu.Unlock()
	key, err := envelope.PublicKey(s, x.secrets[len(x.secrets)-1])
	must(err)
	return key
}

// Opener opens what was sealed to this exchange and signed by those on its roll.
func (x *Exchange) Opener() *envelope.Opener {
	o, err := envelope.NewOpener(envelope.OpenerConfig{Secrets: x.Secrets, Directory: x.Roll})
	must(err)
	return o
}

// Sealer seals for an adapter whose certificate is always valid.
func (x *Exchange) Sealer(a exchange.Adapter, departmentKey []byte) *envelope.Sealer {
	s, err := envelope.NewSealer(envelope.SealerConfig{Adapter: a, DepartmentKey: departmentKey, Clock: x.Clock,
		ExchangeKey: x.PublicKey(envelope.Standard), Signer: x.Signer(a)})
	must(err)
	return s
}

// Sign signs messages of a batch one by one, each alone.
func Sign(b *envelope.Batch, messages ...*exchange.Message) {
	for _, m := range messages {
		alone := []exchange.Message{*m}
		must(b.Sign(alone))
		*m = alone[0]
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// point writes the public key uncompressed.
func point(key *sm2.PrivateKey) []byte {
	coordinate := func(n *big.Int) []byte { return n.FillBytes(make([]byte, 32)) }
	return append(append([]byte{4}, coordinate(key.X)...), coordinate(key.Y)...)
}
