package roll

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/identity"
)

const tokenSize = 32 // bytes

// How long an invitation holds, unless somebody says otherwise, and at most.
const (
	defaultLife = 72 * time.Hour
	longestLife = 30 * 24 * time.Hour
)

// Invite makes a one-time token, by which its bearer gets one certificate for the identity. It is told once and kept nowhere;
// an earlier one for the same identity is of no use any more. A life of 0 is three days.
func (r *Roll) Invite(ctx context.Context, who certs.Identity, life time.Duration, by string) (token string, until time.Time, err error) {
	if life == 0 {
		life = defaultLife
	}
	if life < 0 || life > longestLife {
		return "", time.Time{}, badLife()
	}
	if err := r.sound(who); err != nil {
		return "", time.Time{}, err
	}
	if who.Role == certs.Node {
		return "", time.Time{}, nodesAreNotInvited()
	}
	secret := make([]byte, tokenSize)
	if _, err := io.ReadFull(r.cfg.Random, secret); err != nil {
		return "", time.Time{}, fmt.Errorf("draw token: %w", err)
	}
	token = base64.RawURLEncoding.EncodeToString(secret)
	hash, until := sha256.Sum256([]byte(token)), r.cfg.Clock().Add(life).UTC().Truncate(time.Second)
	err = r.send(ctx, &entry{Kind: isInvited, By: by, Identity: who.String(), TokenHash: hash[:], Until: until})
	if err != nil {
		return "", time.Time{}, err
	}
	return token, until, nil
}

// sound refuses what must not stand on the roll for ever.
func (r *Roll) sound(who certs.Identity) error {
	switch {
	case who.Check() != nil:
		return badIdentity()
	case who.City != r.cfg.City:
		return otherCity()
	case holdsNumber(who.Name):
		return numberInIdentity()
	}
	return nil
}

// holdsNumber says whether a citizen number stands somewhere in a name: a staff code may be digits only.
func holdsNumber(name string) bool {
	for _, length := range []int{18, 15} {
		for i := 0; i+length <= len(name); i++ {
			if _, err := identity.ParseCitizen(name[i : i+length]); err == nil && (length == 18 || len(name) == length) {
				return true
			}
		}
	}
	return false
}

// Enrol issues the certificate that a token is for. A token that is used, out of date or unknown is answered the same.
func (r *Roll) Enrol(ctx context.Context, token string, request []byte) (certs.Issued, error) {
	asked, err := r.asked(request)
	if err != nil {
		return certs.Issued{}, err
	}
	now := r.cfg.Clock()
	try := r.tries.ReserveN(now, 1)
	if try.DelayFrom(now) > 0 {
		try.CancelAt(now)
		return certs.Issued{}, tooManyTries()
	}
	if err := r.Settled(ctx); err != nil { // the invitation may have been made on another node just now
		try.CancelAt(now)
		return certs.Issued{}, err
	}
	invited, known := r.invited(token)
	if !known {
		r.metrics.wrong.Inc()
		return certs.Issued{}, noInvitation()
	}
	try.CancelAt(now) // only wrong ones count
	if asked.name != "" && asked.name != invited.identity.Principal() {
		return certs.Issued{}, otherName(asked.name, invited.identity)
	}
	return r.issue(ctx, certs.Order{Request: request, Identity: invited.identity}, entry{Invitation: &invited.nonce})
}

// invited finds the open invitation of a token. Hashes are compared in constant time, and all of them.
func (r *Roll) invited(token string) (found invitation, known bool) {
	hash, now := sha256.Sum256([]byte(token)), r.cfg.Clock()
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, i := range r.state.open {
		if subtle.ConstantTimeCompare(hash[:], i.hash[:]) == 1 && now.Before(i.until) {
			found, known = *i, true
		}
	}
	return found, known
}

// Renew issues another certificate to the holder of one that is still good, for a new key. That the holder showed it, and that
// its chain holds, is the caller's to see.
func (r *Roll) Renew(ctx context.Context, current *x509.Certificate, request []byte) (certs.Issued, error) {
	asked, err := r.asked(request)
	if err != nil {
		return certs.Issued{}, err
	}
	h, err := r.find(ctx, current)
	if err != nil {
		return certs.Issued{}, err
	}
	if asked.name != "" && asked.name != h.identity.Principal() {
		return certs.Issued{}, otherName(asked.name, h.identity)
	}
	renews := certs.Fingerprint(h.id)
	return r.issue(ctx, certs.Order{Request: request, Identity: h.identity}, entry{Renews: &renews})
}

// NodeCertificate issues the certificate that this node serves with, for the hosts it is known as. Nodes need no invitation:
// whoever can sign entries of the roll is one.
func (r *Roll) NodeCertificate(ctx context.Context, name string, hosts []string, request []byte) (certs.Issued, error) {
	who := certs.Identity{City: r.cfg.City, Role: certs.Node, Name: name}
	if err := r.sound(who); err != nil {
		return certs.Issued{}, err
	}
	if _, err := r.asked(request); err != nil {
		return certs.Issued{}, err
	}
	return r.issue(ctx, certs.Order{Request: request, Identity: who, Hosts: hosts}, entry{})
}

// request is what is read of a certificate request; the authority sees whether the requester holds the key.
type request struct {
	name string // the common name: whom the requester takes itself for; may be empty
}

// asked reads a request, and refuses a key that has a certificate already: a record signed with it would have two authors.
func (r *Roll) asked(der []byte) (request, error) {
	parsed, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return request{}, badRequest()
	}
	r.mu.RLock()
	_, used := r.state.keys[keyOf(parsed.RawSubjectPublicKeyInfo)]
	r.mu.RUnlock()
	if used {
		return request{}, keyUsed()
	}
	return request{parsed.Subject.CommonName}, nil
}

// issue has a certificate made and enters it; it is handed out only where the entry was taken.
func (r *Roll) issue(ctx context.Context, order certs.Order, e entry) (certs.Issued, error) {
	issued, err := r.cfg.Authority.Issue(ctx, order)
	if err != nil {
		return certs.Issued{}, err
	}
	e.Kind, e.Identity, e.Chain = isIssued, order.Identity.String(), issued.Chain
	if err := r.send(ctx, &e); err != nil {
		return certs.Issued{}, err
	}
	return issued, nil
}

// find is a certificate on the roll that is good now.
func (r *Roll) find(ctx context.Context, certificate *x509.Certificate) (held, error) {
	h, known, err := r.certificate(ctx, envelope.SignerID(certs.FingerprintOf(certificate.Raw)))
	if err == nil && !known {
		err = notOnRoll()
	}
	if err == nil {
		err = h.admitted(r.cfg.Clock())
	}
	return h, err
}
