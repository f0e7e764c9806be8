package roll

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/onedoor/yimen/certs"
)

// OrdersSecret names the secret whose versions are the seeds of the keys by which the exchange signs entries.
const OrdersSecret = "orders"

// seasoning is how old a version of the secret must be before entries are signed with it: until then some node may not have
// learnt of it, and would pass them over. The first version is used at once.
const seasoning = time.Hour

// verifiers are the public keys of all versions, as the authority knows them now: one may have been drawn on another node.
func (r *Roll) verifiers(ctx context.Context) ([]ed25519.PublicKey, error) {
	ring, err := r.cfg.Authority.Ring(ctx, OrdersSecret)
	if err != nil {
		return nil, fmt.Errorf("keys of the roll: %w", err)
	}
	keys := make([]ed25519.PublicKey, len(ring))
	for i, k := range ring {
		keys[len(ring)-1-i] = signing(k).Public().(ed25519.PublicKey) // the newest first: it signed most of what comes
	}
	return keys, nil
}

// signer is the key to sign with.
func (r *Roll) signer(ctx context.Context) (ed25519.PrivateKey, error) {
	ring, err := r.cfg.Authority.Ring(ctx, OrdersSecret)
	if err != nil {
		return nil, fmt.Errorf("key of the roll: %w", err)
	}
	chosen, now := ring[0], r.cfg.Clock()
	for _, k := range ring[1:] {
		if now.Sub(k.Made) >= seasoning {
			chosen = k
		}
	}
	return signing(chosen), nil
}

func signing(k certs.Key) ed25519.PrivateKey { return ed25519.NewKeyFromSeed(k.Secret) }
