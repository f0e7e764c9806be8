package roll

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/onedoor/yimen/certs"
)

// OrdersSecret names the secret whose versions are the seeds of the keys by which the exchange signs what it tells its nodes: the
// entries of the roll, and orders to forget.
const OrdersSecret = "orders"

// Orders are the keys of OrdersSecret as the authority knows them at the moment: one may have been drawn on another node since the
// last call. They are safe for concurrent use.
type Orders struct {
	Authority certs.Authority
	Clock     func() time.Time
}

// Verifiers are the public keys of all versions.
func (o Orders) Verifiers(ctx context.Context) ([]ed25519.PublicKey, error) {
	ring, err := o.Authority.Ring(ctx, OrdersSecret)
	if err != nil {
		return nil, fmt.Errorf("keys of the exchange's orders: %w", err)
	}
	keys := make([]ed25519.PublicKey, len(ring))
	for i, k := range ring {
		keys[len(ring)-1-i] = signing(k).Public().(ed25519.PublicKey) // the newest first: it signed most of what comes
	}
	return keys, nil
}

// Signer is the key to sign with.
func (o Orders) Signer(ctx context.Context) (ed25519.PrivateKey, error) {
	ring, err := o.Authority.Ring(ctx, OrdersSecret)
	if err != nil {
		return nil, fmt.Errorf("key of the exchange's orders: %w", err)
	}
	return signing(certs.InUse(ring, o.Clock())), nil
}

func signing(k certs.Key) ed25519.PrivateKey { return ed25519.NewKeyFromSeed(k.Secret) }
