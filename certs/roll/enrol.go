package roll

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/identity"
)

// InvitationLife is how long a one-time token is good where nothing else is said.
const InvitationLife = 72 * time.Hour

// Invite draws a one-time token by which whoever holds it can enrol as the identity, once. The token goes to that machine by
// another way than the address and the fingerprint of the exchange; the roll keeps its hash only. life 0: InvitationLife.
func (r *Roll) Invite(ctx context.Context, who certs.Identity, life time.Duration, by string) (token string, until time.Time, err error) {
	if err := r.mayBe(who); err != nil {
		return "", time.Time{}, err
	}
	if life <= 0 {
		life = InvitationLife
	}
	raw := make([]byte, 32)
	if _, err := io.ReadFull(r.cfg.Random, raw); err != nil {
		return "", time.Time{}, fmt.Errorf("draw one-time token: %w", err)
	}
	token = base64.RawURLEncoding.EncodeToString(raw)
	until = r.cfg.Clock().Add(life).UTC().Truncate(time.Second)
	err = r.add(ctx, &entry{Kind: invited, Identity: who.String(), Token: hashOf(token), Until: until, By: by})
	return token, until, err
}

// mayBe says why nobody can be invited as the identity.
func (r *Roll) mayBe(who certs.Identity) error {
	if err := who.Check(); err != nil || who.City != r.cfg.City || who.Role == certs.Node || who.Role == certs.Broker {
		return badIdentity()
	}
	if identity.MentionsCitizen(who.Name) {
		return numberInIdentity()
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if is := r.state.revokedOf(who); !is.at.IsZero() {
		return isRevoked(who.Principal(), is)
	}
	return nil
}

// Enrol issues the first certificate for the request's key to whom the token was given for, and uses the token up. A token that
// is wrong, used, out of date or of somebody revoked is answered the same.
func (r *Roll) Enrol(ctx context.Context, token string, request []byte) (certs.Issued, error) {
	hash := hashOf(token)
	who, good := r.invited(hash)
	if !good {
		if !r.guesses.Allow() {
			return certs.Issued{}, tooManyGuesses()
		}
		if err := r.Settled(ctx); err != nil { // another node may have made it just now
			return certs.Issued{}, err
		}
		if who, good = r.invited(hash); !good {
			return certs.Issued{}, badToken()
		}
	}
	request, signing, err := r.acceptable(request, who, r.suiteOf(who))
	if err != nil {
		return certs.Issued{}, err
	}
	return r.issue(ctx, certs.Order{Request: request, Identity: who}, entry{Token: hash, Signing: signing})
}

func (r *Roll) invited(hash string) (certs.Identity, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	i := r.state.invitations[hash]
	if i == nil || i.closedBy != "" || r.cfg.Clock().After(i.until) {
		return certs.Identity{}, false
	}
	return i.who, true
}

// suiteOf is by which an identity is to sign: as before, and at first as this city does. An adapter that changed would name all its
// records anew.
func (r *Roll) suiteOf(who certs.Identity) envelope.Suite {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if m := r.state.members[who]; m != nil && m.latest != nil {
		return m.latest.suite()
	}
	return r.cfg.Suite
}

// acceptable takes a request apart, and leaves an SM2 key out that is not wanted. It refuses one in which the requester takes itself
// for somebody else, one for a key that has a certificate already, and an adapter's without the SM2 key that is wanted. It comes
// before the authority is asked; the fold has the last word.
func (r *Roll) acceptable(request []byte, who certs.Identity, suite envelope.Suite) (certificate, signing []byte, err error) {
	if certificate, signing, err = certs.ReadRequest(request); err != nil {
		return nil, nil, err
	}
	if suite == envelope.Standard {
		signing = nil
	} else if signing == nil && who.Role == certs.Adapter {
		return nil, nil, noSM2()
	}
	read, err := x509.ParseCertificateRequest(certificate)
	if err != nil {
		return certificate, signing, nil // the authority says what is wrong with it
	}
	if name := read.Subject.CommonName; name != "" && name != who.Principal() {
		return nil, nil, notYours(who)
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.state.keys[keyOf(read.RawSubjectPublicKeyInfo)] || signing != nil && r.state.keys[keyOf(signing)] {
		return nil, nil, sameKey()
	}
	return certificate, signing, nil
}

// Renew issues the next certificate to the holder of one that still holds, for new keys of the same suite. That the caller holds the
// certificate's key, TLS has proved.
func (r *Roll) Renew(ctx context.Context, current *x509.Certificate, request []byte) (certs.Issued, error) {
	if err := r.Admits(current); err != nil {
		return certs.Issued{}, err
	}
	who, err := certs.IdentityOf(current)
	if err != nil {
		return certs.Issued{}, err
	}
	id := envelope.SignerID(certs.FingerprintOf(current.Raw))
	request, signing, err := r.acceptable(request, who, r.suiteOf(who))
	if err != nil {
		return certs.Issued{}, err
	}
	return r.issue(ctx, certs.Order{Request: request, Identity: who}, entry{Renews: hexOf(id), Signing: signing})
}

// NodeCertificate issues a certificate to a node of the exchange itself, which needs no invitation.
func (r *Roll) NodeCertificate(ctx context.Context, name string, hosts []string, request []byte) (certs.Issued, error) {
	who := certs.Identity{City: r.cfg.City, Role: certs.Node, Name: name}
	return r.issue(ctx, certs.Order{Request: request, Identity: who, Hosts: hosts}, entry{})
}

// issue has a certificate made and puts it onto the roll. It is handed out only once it stands there, and only if it counts: of
// two nodes that take the same token at once, one finds that the other was first.
func (r *Roll) issue(ctx context.Context, order certs.Order, e entry) (certs.Issued, error) {
	made, err := r.cfg.Authority.Issue(ctx, order)
	if err != nil {
		return certs.Issued{}, err
	}
	e.Kind, e.Identity, e.Chain = issued, order.Identity.String(), made.Chain
	if err := r.add(ctx, &e); err != nil {
		return certs.Issued{}, err
	}
	return made, nil
}
