package certs

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"time"
)

// MaxLife is the longest life of a certificate, but for those of Kafka's brokers.
const MaxLife = 72 * time.Hour

// BrokerLife is the longest life of a broker's certificate. Kafka takes over a renewed one while it runs, in all places but one: its
// controllers call each other with the certificate that they read at their start (kafka.raft.KafkaRaftManager, 4.1.1). At the end of
// that one's life they could not find together again. With 72 hours every broker would have to be restarted every other day; with
// 90 days, renewed at two thirds, the restart falls to those that updates need anyway, within the 30 days that are left then.
const BrokerLife = 90 * 24 * time.Hour

// longest is the longest life of a certificate for the role.
func (r Role) longest() time.Duration {
	if r == Broker {
		return BrokerLife
	}
	return MaxLife
}

// Authority is what issues the city's certificates and keeps the exchange's secrets: key files of this machine (Local), or
// HashiCorp Vault (package vault). Both pass package certstest. It is safe for concurrent use.
//
// No query waits on an authority: Roots, Ring and State answer from memory. Issue, Rotate and Open may take as long as their ctx lets them.
type Authority interface {
	// Issue makes a certificate for the request's public key. Of the request it takes the key alone, after checking that
	// the requester holds its private half; everything else comes from the order.
	Issue(ctx context.Context, order Order) (Issued, error)
	// Roots are the certificates that chains of this authority end in.
	Roots() []*x509.Certificate
	// Ring is every version of the named secret, oldest first; at least one. A secret that nobody has asked for is drawn:
	// the first call for a name may take as long as ctx lets it, so a start asks for all it needs. The caller may keep
	// what it gets no longer than for the work at hand.
	// While the authority is closed it errs with a Problem of the kind Unavailable.
	Ring(ctx context.Context, name string) ([]Key, error)
	// Rotate draws the next version of a secret, the first where there is none. Older ones stay in the ring.
	Rotate(ctx context.Context, name string) (Key, error)
	// State says how far the authority can be relied on just now.
	State() State
	// Close gives up what is held in memory and waits for what runs in the background.
	Close() error
}

// Order is what a certificate is to say.
type Order struct {
	Request  []byte // PKCS #10, DER; Ed25519 or ECDSA P-256
	Identity Identity
	Hosts    []string      // DNS names and IP addresses, for nodes and brokers only
	Life     time.Duration // 0 or too long: MaxLife, or BrokerLife for a broker
}

// Issued is a new certificate.
type Issued struct {
	Certificate *x509.Certificate
	Chain       [][]byte // DER, the certificate first, without the root
}

// Key is one version of a secret. Secret is never logged: Key prints its version only, in every format.
type Key struct {
	Version int       // from 1
	Secret  []byte    // SecretSize bytes
	Made    time.Time // when it was drawn
}

// Seasoning is how old a version of a secret must be before anything is made with it. By then every node that answers holds it: one
// that has not learnt of it from Vault has been without Vault for longer than it may answer (vault.Config.Hold). The first version is
// used at once.
const Seasoning = time.Hour

// InUse is the version to make things with; others open and verify with all of the ring, which has at least one.
func InUse(ring []Key, now time.Time) Key {
	chosen := ring[0]
	for _, k := range ring[1:] {
		if now.Sub(k.Made) >= Seasoning {
			chosen = k
		}
	}
	return chosen
}

// String shows no secret.
func (k Key) String() string { return fmt.Sprintf("key version %d", k.Version) }

// Format shows no secret, whatever the verb.
func (k Key) Format(state fmt.State, _ rune) { io.WriteString(state, k.String()) }

// MarshalText shows no secret: this is how JSON and logs would have it.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// State is how far an authority can be relied on.
type State string

// The states. Degraded: secrets in memory still serve, nothing is issued or rotated. Closed: what was in memory has
// outlived its time and is gone; queries are answered 503.
const (
	OK       State = "ok"
	Degraded State = "degraded"
	Closed   State = "closed"
)
