package roll

import (
	"cmp"
	"context"
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange/envelope"
)

// Admits says whether a certificate is good now: it stands on the roll, is not out of date and was not revoked. That its chain
// holds, and that its holder showed it, is the caller's to see. A certificate that this node does not know makes it catch up once.
func (r *Roll) Admits(ctx context.Context, certificate *x509.Certificate) error {
	_, err := r.find(ctx, certificate)
	return err
}

// AdmitsIdentity says whether somebody who showed no certificate, such as a clerk with a token, may act: neither the identity
// nor its department is revoked. It need not stand on the roll. While the past is not folded yet nobody is admitted.
func (r *Roll) AdmitsIdentity(who certs.Identity) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if !r.open {
		return behind(nil)
	}
	if revocation := r.state.struck(who); revocation.stands() {
		return revoked(revocation)
	}
	return nil
}

// Signatory finds the adapter to which a certificate was issued, for envelope.Directory. A certificate that this node does not
// know makes it catch up once: the record may have come faster than the roll. Since nobody has a certificate before its entry
// stands on the topic, false is the last word.
func (r *Roll) Signatory(ctx context.Context, id envelope.SignerID) (envelope.Signatory, bool, error) {
	h, known, err := r.certificate(ctx, id)
	if err != nil || !known || h.public == nil || h.identity.Role != certs.Adapter {
		return envelope.Signatory{}, false, err
	}
	return envelope.Signatory{Adapter: h.identity.Adapter(), Suite: envelope.Standard, Public: h.public, From: h.from, Until: h.until, Revoked: h.revoked.At}, true, nil
}

// certificate looks a certificate up, and again after catching up where it is not there, or where the past is not folded yet
// and a revocation may still come.
func (r *Roll) certificate(ctx context.Context, id envelope.SignerID) (held, bool, error) {
	if h, known, open := r.certificateNow(id); known && open {
		return h, true, nil
	}
	if err := r.Settled(ctx); err != nil {
		return held{}, false, err
	}
	h, known, _ := r.certificateNow(id)
	return h, known, nil
}

func (r *Roll) certificateNow(id envelope.SignerID) (h held, known, open bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if found := r.state.certificates[id]; found != nil {
		h, known = *found, true
	}
	return h, known, r.open
}

// Revised gives what is closed when something is revoked or restored that was not when it was asked for. Whoever must act on
// revocations asks, acts on the roll as it is, and waits.
func (r *Roll) Revised() <-chan struct{} {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.revised
}

// Standing is an identity as the roll has it.
type Standing struct {
	Identity    certs.Identity // with City and Department alone: the department itself, which is revoked
	Certificate certs.Fingerprint
	Issued      time.Time // the newest certificate; zero where none was issued
	Until       time.Time
	Invited     time.Time  // until when an invitation is open; zero: none is
	Revoked     Revocation // the identity itself, or its department
	// Lapsed is the revocation of the newest certificate, which outlives that of its holder.
	Lapsed Revocation
}

// Identities lists all that were ever invited, issued a certificate or revoked, sorted.
func (r *Roll) Identities() ([]Standing, error) {
	now := r.cfg.Clock()
	r.mu.RLock()
	defer r.mu.RUnlock()
	if !r.open {
		return nil, behind(nil)
	}
	all := []Standing{}
	for identity, m := range r.state.members {
		all = append(all, r.state.standing(identity, m, now))
	}
	for department, revocation := range r.state.departments {
		all = append(all, Standing{Identity: certs.Identity{City: r.cfg.City, Department: department}, Revoked: revocation})
	}
	slices.SortFunc(all, func(a, b Standing) int {
		return cmp.Or(cmp.Compare(a.Identity.Department, b.Identity.Department), strings.Compare(a.Identity.String(), b.Identity.String()))
	})
	return all, nil
}

func (s *state) standing(identity certs.Identity, m *member, now time.Time) Standing {
	st := Standing{Identity: identity, Revoked: s.struck(identity)}
	if h := m.newest; h != nil {
		st.Certificate, st.Issued, st.Until, st.Lapsed = certs.Fingerprint(h.id), h.issued, h.until, h.revoked
	}
	if i := m.invitation; i != nil && now.Before(i.until) {
		st.Invited = i.until
	}
	return st
}
