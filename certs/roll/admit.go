package roll

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"maps"
	"slices"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/identity"
)

// Revoke refuses the target from now on, everywhere. reason is a code, such as key-lost; it stays on the roll.
func (r *Roll) Revoke(ctx context.Context, target Target, by, reason string) error {
	if identity.MentionsCitizen(target.Identity.Name) {
		return numberInIdentity()
	}
	return r.add(ctx, &entry{Kind: revoked, Target: target.String(), By: by, Reason: reason})
}

// Restore lifts the revocation of an identity or a department. Certificates stay revoked: their holders enrol anew.
func (r *Roll) Restore(ctx context.Context, target Target, by string) error {
	if target.Department == "" && target.Identity == (certs.Identity{}) {
		return revokedForGood()
	}
	return r.add(ctx, &entry{Kind: restored, Target: target.String(), By: by})
}

// catchUp bounds how long Admits looks for a certificate that another node may have issued just now.
const catchUp = 2 * time.Second

// Admits errs with a Problem where a certificate is not on the roll, out of date or revoked. The caller has verified its chain.
// One that this node does not know yet makes it read on to the topic's end first: another node may have issued it just now.
func (r *Roll) Admits(certificate *x509.Certificate) error {
	id := envelope.SignerID(certs.FingerprintOf(certificate.Raw))
	l, known, absent := r.license(id)
	if !known && !absent {
		ctx, cancel := context.WithTimeout(context.Background(), catchUp)
		defer cancel()
		if r.Settled(ctx) == nil {
			l, known = r.surely(id)
		}
	}
	if !known {
		return unknown()
	}
	return l.good(r.cfg.Clock())
}

// AdmitsIdentity is Admits for somebody known by other means than a certificate, such as a token.
func (r *Roll) AdmitsIdentity(who certs.Identity) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if is := r.state.revokedOf(who); !is.at.IsZero() {
		return isRevoked(who.Principal(), is)
	}
	return nil
}

// keptAbsent bounds what is remembered of certificates that nobody issued.
const keptAbsent = 10_000

// askAgain is how soon the topic is asked again while Kafka is away.
const askAgain = time.Second

// Signatory finds whose signature it is; see envelope.Directory. A record can be read before its certificate is folded here, so
// an unknown one is looked for up to the topic's present end. It stood there before the first record was signed: what is
// not there then never will be, since nobody can foresee a fingerprint.
func (r *Roll) Signatory(ctx context.Context, id envelope.SignerID) (envelope.Signatory, bool, error) {
	for {
		if l, known, absent := r.license(id); known || absent {
			return l.signatory(), known, nil
		}
		if err := r.Settled(ctx); err == nil {
			l, known := r.surely(id)
			return l.signatory(), known, nil
		}
		select {
		case <-ctx.Done():
			return envelope.Signatory{}, false, context.Cause(ctx)
		case <-time.After(askAgain): // while Kafka is away nobody knows
		}
	}
}

// license is what the roll knows of a certificate; absent: nobody issued it, which is certain.
func (r *Roll) license(id envelope.SignerID) (l license, known, absent bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if found := r.state.certificates[id]; found != nil {
		return *found, true, false
	}
	return license{}, false, r.absent[id]
}

// surely is license once the roll is settled: what is not there then never will be.
func (r *Roll) surely(id envelope.SignerID) (l license, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if found := r.state.certificates[id]; found != nil {
		return *found, true
	}
	if len(r.absent) >= keptAbsent {
		clear(r.absent)
	}
	r.absent[id] = true
	return license{}, false
}

func (l license) signatory() envelope.Signatory {
	if l.leaf == nil {
		return envelope.Signatory{}
	}
	public := l.signing
	if l.suite() == envelope.Standard {
		public, _ = l.leaf.PublicKey.(ed25519.PublicKey) // another kind of key has signed no record
	}
	return envelope.Signatory{Adapter: l.who.Adapter(), Suite: l.suite(), Public: public, From: l.leaf.NotBefore, Until: l.leaf.NotAfter, Revoked: l.revoked.at}
}

// suite is by which whoever holds the certificate signs.
func (l license) suite() envelope.Suite {
	if l.signing != nil {
		return envelope.National
	}
	return envelope.Standard
}

// Standing is one identity as the roll has it.
type Standing struct {
	Identity    string              `json:"identity"`
	Department  exchange.Department `json:"department,omitempty"`
	Role        certs.Role          `json:"role"`
	Name        string              `json:"name"`
	Principal   string              `json:"principal"`
	Fingerprint string              `json:"fingerprint,omitempty"` // of its newest certificate
	Suite       envelope.Suite      `json:"suite,omitzero"`        // by which an adapter signs
	Issued      time.Time           `json:"issued,omitzero"`
	Until       time.Time           `json:"until,omitzero"`
	Invited     time.Time           `json:"invited,omitzero"`
	InvitedTill time.Time           `json:"invited_until,omitzero"`
	Revoked     time.Time           `json:"revoked,omitzero"`
	RevokedBy   string              `json:"revoked_by,omitempty"`
	Reason      string              `json:"reason,omitempty"`
}

// Standings lists every identity, by department, role and name.
func (r *Roll) Standings() []Standing {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := []Standing{}
	for _, who := range slices.SortedFunc(maps.Keys(r.state.members), byName) {
		all = append(all, r.state.standing(who))
	}
	return all
}

// Standing is the identity that a certificate names, whose chain the caller has verified. It errs with a Problem where Admits
// does.
func (r *Roll) Standing(certificate *x509.Certificate) (Standing, error) {
	if err := r.Admits(certificate); err != nil {
		return Standing{}, err
	}
	who, err := certs.IdentityOf(certificate)
	if err != nil {
		return Standing{}, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.state.standing(who), nil
}

// standing is a member as others see it.
func (s *state) standing(who certs.Identity) Standing {
	m, is := s.members[who], s.revokedOf(who)
	told := Standing{Identity: who.String(), Department: who.Department, Role: who.Role, Name: who.Name, Principal: who.Principal(), Invited: m.invited, InvitedTill: m.until}
	if m.latest != nil {
		is = cmp.Or(is, m.latest.revoked)
		told.Fingerprint = certs.FingerprintOf(m.latest.leaf.Raw).String()
		if who.Role == certs.Adapter {
			told.Suite = m.latest.suite()
		}
		told.Issued, told.Until = m.latest.leaf.NotBefore, m.latest.leaf.NotAfter
	}
	told.Revoked, told.RevokedBy, told.Reason = is.at, is.by, is.reason
	return told
}

func byName(a, b certs.Identity) int {
	return cmp.Or(cmp.Compare(a.Department, b.Department), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Name, b.Name))
}
