package roll

import (
	"context"

	"github.com/onedoor/yimen/certs"
)

// Revoke shuts out what it strikes, on every node and for ever: the certificates do not come back when their holder is
// restored. What is revoked already stays as it is.
func (r *Roll) Revoke(ctx context.Context, target Target, by string, reason Reason) error {
	if !reason.known() {
		return badReason()
	}
	if err := r.strikeable(target); err != nil {
		return err
	}
	return r.send(ctx, &entry{Kind: isRevoked, By: by, Target: target.String(), Reason: reason})
}

// Restore lifts the revocation of an identity or a department: it may be invited again. Certificates stay revoked.
func (r *Roll) Restore(ctx context.Context, target Target, by string) error {
	if target.Certificate != (certs.Fingerprint{}) {
		return staysRevoked()
	}
	if err := r.strikeable(target); err != nil {
		return err
	}
	return r.send(ctx, &entry{Kind: isRestored, By: by, Target: target.String()})
}

func (r *Roll) strikeable(t Target) error {
	if t.Identity != (certs.Identity{}) {
		return r.sound(t.Identity)
	}
	if t == (Target{}) {
		return badTarget()
	}
	return nil
}
